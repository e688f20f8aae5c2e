//! A matrix that grows entry by entry, and is refused as soon as it is too large: what a reader holds of a file of
//! any length is at most 4096 × 4096 entries.

use super::error::FormatError;
use ecode_core::{AllocationMatrix, MAX_SIZE};

/// The rows that were read, and the one that is being read.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    n: usize,
    k: Option<usize>,
    entries: Vec<bool>,
    /// Entries of the row that is being read.
    width: usize,
}

/// What sizes a matrix may have, as errors say it.
pub(crate) fn sizes() -> String {
    format!("1 to {MAX_SIZE} rows and columns")
}

impl Rows {
    /// The row that is being read, from 0.
    pub(crate) fn row(&self) -> usize {
        self.n
    }

    /// Adds an entry to the row.
    pub(crate) fn push(&mut self, entry: bool) -> Result<(), FormatError> {
        if self.n >= MAX_SIZE {
            return Err(FormatError::new(format!("more than {MAX_SIZE} rows"), sizes()));
        }
        if self.width >= MAX_SIZE {
            return Err(FormatError::new(
                format!("row {} has more than {MAX_SIZE} entries", self.n),
                sizes(),
            ));
        }
        self.entries.push(entry);
        self.width += 1;
        Ok(())
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) -> Result<(), FormatError> {
        if self.n >= MAX_SIZE {
            return Err(FormatError::new(format!("more than {MAX_SIZE} rows"), sizes()));
        }
        let expected = *self.k.get_or_insert(self.width);
        if self.width != expected {
            let found = format!("row {} has {} entries, but row 0 has {expected}", self.n, self.width);
            return Err(FormatError::new(found, "rows of one length"));
        }
        self.n += 1;
        self.width = 0;
        Ok(())
    }

    /// The matrix.
    pub(crate) fn finish(self) -> Result<AllocationMatrix, FormatError> {
        let k = self.k.unwrap_or(0);
        Ok(AllocationMatrix::from_fn(self.n, k, |j, i| self.entries[j * k + i])?)
    }
}

/// A matrix of zeros whose ones are set one by one, each once.
#[derive(Debug)]
pub(crate) struct Ones {
    n: usize,
    k: usize,
    cells: Vec<bool>,
}

impl Ones {
    pub(crate) fn new(n: usize, k: usize) -> Result<Self, FormatError> {
        if !(1..=MAX_SIZE).contains(&n) || !(1..=MAX_SIZE).contains(&k) {
            return Err(FormatError::new(format!("a matrix of {n} × {k}"), sizes()));
        }
        Ok(Self { n, k, cells: vec![false; n * k] })
    }

    /// Sets the entry of row j and column i.
    pub(crate) fn set(&mut self, j: usize, i: usize) -> Result<(), FormatError> {
        if j >= self.n || i >= self.k {
            let found = format!("an entry in row {j}, column {i} (from 0)");
            return Err(FormatError::new(found, format!("{} rows and {} columns", self.n, self.k)));
        }
        let cell = &mut self.cells[j * self.k + i];
        if std::mem::replace(cell, true) {
            let found = format!("row {j}, column {i} (from 0) stands twice");
            return Err(FormatError::new(found, "each entry once"));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<AllocationMatrix, FormatError> {
        Ok(AllocationMatrix::from_fn(self.n, self.k, |j, i| self.cells[j * self.k + i])?)
    }
}
