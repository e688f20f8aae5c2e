//! Packed signs: one bit a coordinate, 1 where it is negative.

use ecode::train::{Agreement, Bits};
use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray1, PyUntypedArrayMethods as _};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::array::{bits, packed};
use crate::errors::bad;

/// Packs the signs of a gradient.
///
/// Args:
///     gradient: float32 or float64 of shape (d,).
///     zero: the sign bit of an exact 0 (True: negative). Give all holders of a partition the same.
///
/// Returns:
///     uint8 of shape (ceil(d / 8),): coordinate i in bit i % 8 of byte i // 8, 1 where negative; NaN is not.
#[pyfunction]
#[pyo3(signature = (gradient, *, zero=false))]
pub(crate) fn pack<'py>(
    py: Python<'py>,
    gradient: &Bound<'py, PyAny>,
    zero: bool,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let signs = if let Ok(array) = gradient.extract::<PyReadonlyArray1<'_, f32>>() {
        if let Ok(slice) = array.as_slice() {
            py.detach(|| Bits::pack(slice, zero))
        } else {
            let owned: Vec<f32> = array.as_array().iter().copied().collect();
            py.detach(|| Bits::pack(&owned, zero))
        }
    } else if let Ok(array) = gradient.extract::<PyReadonlyArray1<'_, f64>>() {
        let owned: Vec<f64> = array.as_array().iter().copied().collect();
        py.detach(|| Bits::from_fn(owned.len(), |i| owned[i] < 0.0 || zero && owned[i] == 0.0))
    } else {
        return Err(PyTypeError::new_err("pack: expected a one-dimensional float32 or float64 array"));
    };
    Ok(packed(py, &signs))
}

/// The signs as numbers: +1 and -1 of type int8 and shape (d,).
#[pyfunction]
pub(crate) fn unpack<'py>(
    py: Python<'py>,
    packed: &Bound<'py, PyAny>,
    d: usize,
) -> PyResult<Bound<'py, PyArray1<i8>>> {
    let signs = bits(packed, d, "unpack")?;
    Ok(PyArray1::from_iter(py, (0..d).map(|i| if signs.get(i) { -1 } else { 1 })))
}

/// The same into a float32 array of shape (d,) that is there already.
#[pyfunction]
pub(crate) fn unpack_into(
    py: Python<'_>,
    packed: &Bound<'_, PyAny>,
    out: PyReadwriteArray1<'_, f32>,
) -> PyResult<()> {
    let mut out = out;
    let signs = bits(packed, out.len(), "unpack_into")?;
    let write = |values: &mut [f32], word: u64| {
        for (place, value) in values.iter_mut().enumerate() {
            // The sign bit of a one.
            *value = f32::from_bits(1.0_f32.to_bits() | ((word >> place & 1) as u32) << 31);
        }
    };
    if let Ok(values) = out.as_slice_mut() {
        let words = values.chunks_mut(64).zip(signs.words());
        py.detach(|| words.for_each(|(values, &word)| write(values, word)));
    } else {
        for (i, value) in out.as_array_mut().iter_mut().enumerate() {
            *value = if signs.get(i) { -1.0 } else { 1.0 };
        }
    }
    Ok(())
}

/// Which workers differ from the decodes unusually often among those of their load. Statistics, no proof.
///
/// Args:
///     loads: how many partitions each worker holds.
///     compared: on how many coordinates each was compared, all steps together.
///     differed: on how many of them it voted otherwise.
#[pyfunction]
pub(crate) fn unusual(loads: Vec<usize>, compared: Vec<u64>, differed: Vec<u64>) -> PyResult<Vec<usize>> {
    if loads.len() != compared.len() || loads.len() != differed.len() {
        return Err(bad("unusual: expected one number a worker in each list"));
    }
    let pairs = compared.into_iter().zip(differed);
    let agreements: Vec<Agreement> =
        pairs.map(|(compared, differed)| Agreement { compared, differed }).collect();
    Ok(ecode::train::unusual(&loads, &agreements))
}
