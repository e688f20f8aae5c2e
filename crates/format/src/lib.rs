//! Reading and writing allocation matrices, one format a file.
//!
//! # What is promised
//! - A file that is read gives a matrix with 0/1 entries of 1 to 4096 rows and columns, or one error
//!   that names the place. Nothing in a file is trusted: fields that say something about G must agree
//!   with it.
//! - A file that is written appears whole or not at all.
//! - Writing and reading back gives the same matrix.

mod csv;
mod dimacs;
mod json;
mod npy;
mod opb;
mod txt;
mod write;

use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

pub use dimacs::dimacs;
pub use json::verdict_json;
pub use opb::opb;
pub use write::{Aside, Written, check_writable, clear_leftovers, folder_beside, is_stdout, write_whole};

use ecode_core::{AllocationMatrix, Claim, Formula, MatrixError, deciding_sides};

/// The largest file that is read, in bytes: a 4096 × 4096 matrix in JSON with room to spare.
pub const MAX_FILE: u64 = 128 << 20;

/// A format of matrix files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ecode/matrix/1`, with everything that is known of the code.
    Json,
    /// 0/1, comma, a line a worker.
    Csv,
    /// NumPy: u8, n × k, C order.
    Npy,
    /// A line of 0/1 characters a worker; spaces allowed.
    Txt,
}

impl Format {
    /// The format that a file's extension names.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.to_ascii_lowercase().parse().ok()
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "npy" => Ok(Self::Npy),
            "txt" => Ok(Self::Txt),
            _ => Err(FormatError::new(format!("unknown format '{text}'"), "json, csv, npy or txt")),
        }
    }
}

/// Why a file is not a matrix: the place, what is there, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}; expected {expected}")]
pub struct FormatError {
    found: String,
    expected: String,
}

impl FormatError {
    /// What was found may quote the file: line ends and other control characters are escaped, so that
    /// the error stays one line.
    fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        let mut quoted = String::new();
        for c in found.into().chars() {
            if c.is_control() { quoted.extend(c.escape_default()) } else { quoted.push(c) }
        }
        Self { found: quoted, expected: expected.into() }
    }
}

impl From<MatrixError> for FormatError {
    fn from(error: MatrixError) -> Self {
        Self::new(error.to_string(), "a matrix of n rows of k entries")
    }
}

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

    /// Reads a matrix from bytes.
    ///
    /// # Errors
    /// [`FormatError`] with the place in the file.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, FormatError> {
        match format {
            Format::Json => json::parse(bytes),
            Format::Csv => csv::parse(bytes).map(Self::plain),
            Format::Npy => npy::parse(bytes).map(Self::plain),
            Format::Txt => txt::parse(bytes).map(Self::plain),
        }
    }

    /// Writes the matrix to bytes. Only JSON keeps more than G.
    #[must_use]
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Json => json::write(self).into_bytes(),
            Format::Csv => csv::write(&self.matrix).into_bytes(),
            Format::Npy => npy::write(&self.matrix),
            Format::Txt => txt::write(&self.matrix).into_bytes(),
        }
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

/// What an exported formula means, in words, a line each.
fn claim_lines(claim: &Claim, formula: &Formula) -> Vec<String> {
    let Claim { matrix: g, b, ties } = claim;
    let (k, answer) = (formula.k, u8::from(formula.correct));
    let sides: Vec<String> =
        deciding_sides(g, *ties).iter().map(|&side| u8::from(side).to_string()).collect();
    vec![
        format!("{}: {} workers, {k} partitions", g.digest(), g.n()),
        format!(
            "the claim: with {b} Byzantine workers (ties: {ties}) a message whose answer is {answer} is decoded wrong"
        ),
        format!("x1 to x{k}: the bit of partition 0 to {} is {}", k - 1, 1 - answer),
        format!("x{} to x{}: a worker counts as turned", k + 1, formula.variables()),
        format!(
            "the matrix tolerates b = {b} if and only if this is unsatisfiable for --side {}",
            sides.join(" and ")
        ),
    ]
}

/// Builds a matrix from rows of 0/1 numbers, and says where another number is.
fn from_entries(rows: &[Vec<u8>], name: &str) -> Result<AllocationMatrix, FormatError> {
    for (j, row) in rows.iter().enumerate() {
        if let Some((i, entry)) = row.iter().enumerate().find(|(_, entry)| **entry > 1) {
            return Err(FormatError::new(format!("{name}row {j}, column {i} is {entry}"), "0 or 1"));
        }
    }
    let rows: Vec<Vec<bool>> = rows.iter().map(|row| row.iter().map(|&entry| entry == 1).collect()).collect();
    Ok(AllocationMatrix::from_rows(&rows)?)
}
