//! Between Python's arrays and the library's types.

use std::path::PathBuf;

use ecode::code::AllocationMatrix;
use ecode::format::{Format, MatrixFile, read_all};
use ecode::train::Bits;
use numpy::{PyArray1, PyArray2, PyArrayMethods as _, PyReadonlyArray1, PyUntypedArrayMethods as _};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{IntoPyObjectExt as _, intern};

use crate::errors::bad;

/// Calls `numpy.NAME(object, dtype)`.
fn as_array<'py>(object: &Bound<'py, PyAny>, dtype: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let numpy = py.import(intern!(py, "numpy"))?;
    match dtype {
        None => numpy.call_method1(intern!(py, "asarray"), (object,)),
        Some(dtype) => numpy.call_method1(intern!(py, "ascontiguousarray"), (object, dtype)),
    }
}

/// The matrix file that a Python object stands for: a file's name, or anything that NumPy makes an array of.
pub(crate) fn matrix_file(object: &Bound<'_, PyAny>, draw: Option<usize>) -> PyResult<MatrixFile> {
    if object.is_instance_of::<PyString>() || object.hasattr(intern!(object.py(), "__fspath__"))? {
        return read(object.extract::<PathBuf>()?, draw);
    }
    if draw.is_some() {
        return Err(bad("draw: it picks one of the matrices of a file"));
    }
    matrix(object).map(MatrixFile::plain)
}

fn read(path: PathBuf, draw: Option<usize>) -> PyResult<MatrixFile> {
    let name = path.display();
    let format = Format::of_path(&path).ok_or_else(|| {
        bad(format!(
            "{name}: the extension names no format: expected json, csv, tsv, txt, npy, npz, mtx or alist"
        ))
    })?;
    let bytes = std::fs::File::open(&path)
        .and_then(read_all)
        .map_err(|error| PyErr::from(std::io::Error::new(error.kind(), format!("{name}: {error}"))))?;
    MatrixFile::parse_draw(&bytes, format, draw).map_err(|error| bad(format!("{name}: {error}")))
}

fn matrix(object: &Bound<'_, PyAny>) -> PyResult<AllocationMatrix> {
    let py = object.py();
    // SciPy's sparse matrices are no arrays.
    let dense = if object.hasattr(intern!(py, "toarray"))? {
        object.call_method0(intern!(py, "toarray"))?
    } else {
        object.clone()
    };
    let array = as_array(&dense, None)?;
    let kind: String = array.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "kind"))?.extract()?;
    if !"biuf".contains(&kind) {
        return Err(bad(format!(
            "the matrix holds {}: expected 0 and 1",
            array.getattr(intern!(py, "dtype"))?.str()?
        )));
    }
    let array = as_array(&array, Some("float64"))?;
    let array = array.cast::<PyArray2<f64>>().map_err(|_| {
        let shape = array.getattr(intern!(py, "shape")).and_then(|shape| shape.str()?.extract::<String>());
        bad(format!(
            "the matrix has shape {}: expected (n, k), a row a worker and a column a partition",
            shape.unwrap_or_default()
        ))
    })?;
    let (n, k) = (array.shape()[0], array.shape()[1]);
    let array = array.readonly();
    let entries = array.as_slice()?;
    if let Some(at) = entries.iter().position(|&entry| entry != 0.0 && entry != 1.0) {
        return Err(bad(format!("G[{}, {}] is {}: expected 0 or 1", at / k, at % k, entries[at])));
    }
    AllocationMatrix::from_fn(n, k, |j, i| entries[j * k + i] == 1.0).map_err(bad)
}

/// Packed signs of d coordinates.
pub(crate) fn bits(object: &Bound<'_, PyAny>, d: usize, what: &str) -> PyResult<Bits> {
    let array: PyReadonlyArray1<'_, u8> = object.extract().map_err(|_| {
        PyTypeError::new_err(format!("{what}: expected packed signs, a one-dimensional uint8 array"))
    })?;
    let owned: Vec<u8>;
    let bytes = if let Ok(slice) = array.as_slice() {
        slice
    } else {
        owned = array.as_array().iter().copied().collect();
        &owned
    };
    Bits::from_bytes(d, bytes).ok_or_else(|| {
        bad(format!("{what}: {} bytes, but {d} coordinates are packed into {}", bytes.len(), d.div_ceil(8)))
    })
}

/// Packed signs as Python gets them: uint8 of shape (⌈d/8⌉,), coordinate i in bit i mod 8 of byte ⌊i/8⌋.
pub(crate) fn packed<'py>(py: Python<'py>, bits: &Bits) -> Bound<'py, PyArray1<u8>> {
    PyArray1::from_vec(py, bits.to_bytes())
}

/// A document as Python's own dicts and lists.
pub(crate) fn python<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "json"))?.call_method1(intern!(py, "loads"), (value.to_string(),))
}

/// A JSON document that may come as text, bytes, a dict, or the name of a file.
pub(crate) fn document(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let py = object.py();
    if let Ok(bytes) = object.extract::<Vec<u8>>() {
        return Ok(bytes);
    }
    if let Ok(text) = object.extract::<String>()
        && text.trim_start().starts_with('{')
    {
        return Ok(text.into_bytes());
    }
    if object.is_instance_of::<PyString>() || object.hasattr(intern!(py, "__fspath__"))? {
        let path = object.extract::<PathBuf>()?;
        return std::fs::read(&path).map_err(|error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
        });
    }
    let text = py.import(intern!(py, "json"))?.call_method1(intern!(py, "dumps"), (object,))?;
    text.into_bound_py_any(py)?.extract::<String>().map(String::into_bytes)
}
