//! What a file of a matrix holds, and how large it may be.

use std::io::{self, Read};

use ecode_core::AllocationMatrix;

/// The largest file that is read, in bytes: a 4096 × 4096 matrix of doubles, and a header.
pub const MAX_FILE: u64 = (128 << 20) + 4096;

/// A matrix as a file holds it: with what else the file says.
#[derive(Debug, Clone)]
pub struct MatrixFile {
    /// The allocation matrix G.
    pub matrix: AllocationMatrix,
    /// The b that the code was designed for, where it is known.
    pub b: Option<usize>,
    /// How it was made, where it is known.
    pub construction: Option<serde_json::Value>,
    /// What was verified of it when it was written. A claim only, when read from a file.
    pub verification: Option<serde_json::Value>,
}

impl MatrixFile {
    /// A matrix of which nothing else is known.
    #[must_use]
    pub fn plain(matrix: AllocationMatrix) -> Self {
        Self { matrix, b: None, construction: None, verification: None }
    }
}

/// Reads at most [`MAX_FILE`] bytes.
///
/// # Errors
/// Those of the reader, and `FileTooLarge` beyond the limit.
pub fn read_all(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}
