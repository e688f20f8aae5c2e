//! NumPy's npz: one dense matrix, or a sparse one as `scipy.sparse.save_npz` writes it (CSR, CSC, COO). Written
//! dense, with the name G.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::error::FormatError;
use super::file::MAX_FILE;
use super::npy;
use super::npy::{Array, Number};
use super::rows::Ones;
use ecode_core::AllocationMatrix;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn broken(what: impl std::fmt::Display) -> FormatError {
    FormatError::new(format!("not a readable npz file: {what}"), "an archive saved by np.savez or save_npz")
}

pub(super) fn parse(bytes: &[u8], draw: Option<usize>) -> Result<AllocationMatrix, FormatError> {
    let mut archive = Archive::new(Cursor::new(bytes)).map_err(broken)?;
    let has = |archive: &Archive<'_>, name: &str| archive.index_for_name(name).is_some();
    if has(&archive, "format.npy") && has(&archive, "shape.npy") {
        return sparse(&mut archive);
    }
    let mut arrays = Vec::new();
    for name in archive.file_names() {
        arrays.extend(name.map_err(broken)?.strip_suffix(".npy").map(str::to_owned));
    }
    let usual = ["G", "arr_0"].into_iter().find(|name| arrays.iter().any(|array| array == name));
    let name = match (&arrays[..], usual) {
        ([one], _) => one,
        (_, Some(usual)) => usual,
        ([], None) => return Err(FormatError::new("an archive without arrays", "one array of numbers")),
        (several, None) => {
            let found = format!("the arrays {}", several.join(", "));
            return Err(FormatError::new(found, "one array, or one of the name G"));
        }
    };
    let data = member(&mut archive, name)?;
    Array::parse(&data)?.matrix(draw)
}

/// The file of an array of the archive.
fn member(archive: &mut Archive<'_>, name: &str) -> Result<Vec<u8>, FormatError> {
    let file = archive.by_name(&format!("{name}.npy")).map_err(|error| broken(format!("{name}: {error}")))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| broken(format!("{name}: {error}")))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(FormatError::new(format!("{name} has more than {MAX_FILE} bytes"), super::rows::sizes()));
    }
    Ok(bytes)
}

/// A whole number that is an index.
fn index(number: Number, what: &str) -> Result<usize, FormatError> {
    match number {
        Number::Whole(whole) => usize::try_from(whole).ok(),
        Number::Float(_) => None,
    }
    .ok_or_else(|| FormatError::new(format!("{what} is {number}"), "whole numbers from 0"))
}

fn sparse(archive: &mut Archive<'_>) -> Result<AllocationMatrix, FormatError> {
    let format = member(archive, "format")?;
    let format = Array::parse(&format)?.text().ok_or_else(|| broken("format is no text"))?;
    let shape = member(archive, "shape")?;
    let shape: Result<Vec<usize>, _> =
        Array::parse(&shape)?.list()?.map(|size| index(size, "a size in shape")).collect();
    let &[n, k] = &shape?[..] else {
        return Err(FormatError::new("shape has not two sizes", "the sizes of a matrix"));
    };
    let mut ones = Ones::new(n, k)?;
    let data = member(archive, "data")?;
    let data = Array::parse(&data)?;
    // The bit of a stored entry, which stands at a place that an error can name.
    let bit = |number: Number, j: usize, i: usize| {
        number.bit().ok_or_else(|| FormatError::new(format!("row {j}, column {i} is {number}"), "0 or 1"))
    };
    match format.as_str() {
        "csr" | "csc" => {
            let (indices, starts) = (member(archive, "indices")?, member(archive, "indptr")?);
            let (indices, starts) = (Array::parse(&indices)?, Array::parse(&starts)?);
            let (mut values, mut indices, mut starts) = (data.list()?, indices.list()?, starts.list()?);
            let lines = if format == "csr" { n } else { k };
            if starts.len() != lines + 1 || values.len() != indices.len() {
                return Err(broken("its arrays do not fit together"));
            }
            let mut before = starts.next().map_or(Ok(0), |start| index(start, "indptr"))?;
            if before != 0 {
                return Err(broken(format!("indptr begins with {before}")));
            }
            for (line, start) in starts.enumerate() {
                let end = index(start, "indptr")?;
                for _ in before..end {
                    let (Some(value), Some(place)) = (values.next(), indices.next()) else {
                        return Err(broken(format!("indptr speaks of {end} entries")));
                    };
                    let place = index(place, "indices")?;
                    let (j, i) = if format == "csr" { (line, place) } else { (place, line) };
                    if bit(value, j, i)? {
                        ones.set(j, i)?;
                    }
                }
                before = before.max(end);
            }
            if values.next().is_some() {
                return Err(broken("indptr leaves entries out"));
            }
        }
        "coo" => {
            let (rows, columns) = (member(archive, "row")?, member(archive, "col")?);
            let (rows, columns) = (Array::parse(&rows)?, Array::parse(&columns)?);
            let (rows, columns, values) = (rows.list()?, columns.list()?, data.list()?);
            if rows.len() != values.len() || columns.len() != values.len() {
                return Err(broken("its arrays do not fit together"));
            }
            for ((j, i), value) in rows.zip(columns).zip(values) {
                let (j, i) = (index(j, "row")?, index(i, "col")?);
                if bit(value, j, i)? {
                    ones.set(j, i)?;
                }
            }
        }
        other => {
            return Err(FormatError::new(
                format!("a sparse matrix in the format {other}"),
                "csr, csc or coo",
            )
            .hint("save_npz(file, scipy.sparse.csr_matrix(G)) writes one"));
        }
    }
    ones.finish()
}

/// An archive with one array, whose bytes depend on the matrix alone.
pub(super) fn write(g: &AllocationMatrix) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    archive
        .start_file("G.npy", options)
        .and_then(|()| Ok(archive.write_all(&npy::write(g))?))
        .and_then(|()| archive.finish())
        // Writing into memory fails for archives beyond 4 GiB only.
        .map(Cursor::into_inner)
        .unwrap_or_default()
}
