//! The catalogue of budgeted codes, kept as data: `catalogue.jsonl`, a JSON object a line. A test counts every error
//! again.

use std::sync::LazyLock;

use ecode_core::AllocationMatrix;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::BudgetRequest;
use super::run::Budgeted;
use crate::search::kept::kept;

/// A budgeted code that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetEntry {
    /// Byzantine workers.
    pub b: usize,
    /// The redundancy that was asked for: ones are at most n times this.
    pub redundancy: f64,
    /// The most partitions that a worker could hold.
    pub max_load: usize,
    /// The probabilities of one partition's wrong sign for which it was searched, against adaptive liars.
    pub qs: Vec<f64>,
    /// For each of them the probability of a wrong sign.
    pub errors: Vec<f64>,
    /// How it was found.
    pub found: String,
    /// The code.
    pub matrix: AllocationMatrix,
}

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    n: usize,
    k: usize,
    b: usize,
    redundancy: f64,
    max_load: usize,
    ones: usize,
    q: Vec<f64>,
    errors: Vec<f64>,
    found: String,
    digest: String,
    /// Each row as a hexadecimal number, bit i for partition i.
    rows: Vec<String>,
}

static ENTRIES: LazyLock<Vec<BudgetEntry>> =
    LazyLock::new(|| kept("budget/catalogue.jsonl", include_str!("catalogue.jsonl"), BudgetEntry::of));

/// The budgeted codes that are kept, sorted by n, b and redundancy.
#[must_use]
pub fn budget_catalogue() -> &'static [BudgetEntry] {
    &ENTRIES
}

impl BudgetEntry {
    /// What a search for this redundancy has found.
    #[must_use]
    pub fn new(request: &BudgetRequest, redundancy: f64, best: &Budgeted, rounds: u64) -> Self {
        Self {
            b: request.b,
            redundancy,
            max_load: request.max_load,
            qs: request.qs.clone(),
            errors: best.errors.clone(),
            found: format!("annealing, seed {}, {rounds} rounds", request.seed),
            matrix: best.matrix.clone(),
        }
    }

    /// The geometric mean of the errors.
    #[must_use]
    pub fn value(&self) -> f64 {
        super::objective::mean(&self.errors)
    }

    fn of(line: Line) -> Result<Self, String> {
        let row = |text: &String| -> Result<Vec<usize>, String> {
            let row = u128::from_str_radix(text, 16).map_err(|error| format!("the row {text:?}: {error}"))?;
            Ok((0..line.k.min(128)).filter(|&i| row >> i & 1 == 1).collect())
        };
        let rows: Vec<Vec<usize>> = line.rows.iter().map(row).collect::<Result<_, _>>()?;
        let matrix = AllocationMatrix::from_supports(line.k, &rows).map_err(|error| error.to_string())?;
        if matrix.n() != line.n || matrix.ones() != line.ones || matrix.digest() != line.digest {
            return Err("the rows are not those of n, ones and digest".to_owned());
        }
        let Line { b, redundancy, max_load, q, errors, found, .. } = line;
        Ok(Self { b, redundancy, max_load, qs: q, errors, found, matrix })
    }

    /// The line of the catalogue's data: a JSON object without line ends.
    #[must_use]
    pub fn to_line(&self) -> String {
        let g = &self.matrix;
        let row = |j: usize| format!("{:x}", g.support(j).fold(0_u128, |row, i| row | 1 << i));
        json!(Line {
            n: g.n(),
            k: g.k(),
            b: self.b,
            redundancy: self.redundancy,
            max_load: self.max_load,
            ones: g.ones(),
            q: self.qs.clone(),
            errors: self.errors.clone(),
            found: self.found.clone(),
            digest: g.digest(),
            rows: (0..g.n()).map(row).collect(),
        })
        .to_string()
    }
}
