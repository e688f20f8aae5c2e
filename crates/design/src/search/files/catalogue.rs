//! Assignments that a search found and that are kept as data: `catalogue.jsonl`, a JSON object a line. A test counts every
//! worst case again.

use std::sync::LazyLock;

use ecode_core::AllocationMatrix;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::AssignRequest;
use crate::search::kept::kept;

/// An assignment that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedEntry {
    /// It was searched for against so many liars.
    pub liars: usize,
    /// The most files that they overturn.
    pub overturned: usize,
    /// How many copies each file has.
    pub copies: usize,
    /// How it was found.
    pub found: String,
    /// Workers × files.
    pub matrix: AllocationMatrix,
}

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    n: usize,
    k: usize,
    copies: usize,
    liars: usize,
    overturned: usize,
    found: String,
    digest: String,
    /// Each file's holders as a hexadecimal number, bit j for worker j.
    files: Vec<String>,
}

static ENTRIES: LazyLock<Vec<AssignedEntry>> =
    LazyLock::new(|| kept("files/catalogue.jsonl", include_str!("catalogue.jsonl"), AssignedEntry::of));

/// The assignments that are kept, sorted by workers, files, copies and liars.
#[must_use]
pub fn assigned_catalogue() -> &'static [AssignedEntry] {
    &ENTRIES
}

impl AssignedEntry {
    /// What a search has found after so many rounds.
    #[must_use]
    pub fn new(request: &AssignRequest, best: &super::Assigned, rounds: u64) -> Self {
        Self {
            liars: request.liars,
            overturned: best.worst.files,
            copies: request.copies,
            found: format!("annealing, seed {}, {rounds} rounds", request.seed),
            matrix: best.matrix.clone(),
        }
    }

    fn of(line: Line) -> Result<Self, String> {
        let Line { n, k, copies, liars, overturned, found, digest, files } = line;
        let files: Result<Vec<u64>, _> = files.iter().map(|file| u64::from_str_radix(file, 16)).collect();
        let files = files.map_err(|error| format!("files: {error}"))?;
        if files.len() != k {
            return Err(format!("{} files, not {k}", files.len()));
        }
        let matrix = AllocationMatrix::from_fn(n, k, |j, i| files[i] >> j & 1 == 1)
            .map_err(|error| error.to_string())?;
        if matrix.digest() != digest || matrix.partition_loads().iter().any(|&held| held != copies) {
            return Err("the files are not those of the digest and of copies".to_owned());
        }
        Ok(Self { liars, overturned, copies, found, matrix })
    }

    /// The line of the catalogue's data: a JSON object without line ends.
    #[must_use]
    pub fn to_line(&self) -> String {
        let g = &self.matrix;
        let file = |i: usize| {
            format!("{:x}", (0..g.n()).filter(|&j| g.holds(j, i)).fold(0_u64, |word, j| word | 1 << j))
        };
        json!(Line {
            n: g.n(),
            k: g.k(),
            copies: self.copies,
            liars: self.liars,
            overturned: self.overturned,
            found: self.found.clone(),
            digest: g.digest(),
            files: (0..g.k()).map(file).collect(),
        })
        .to_string()
    }
}
