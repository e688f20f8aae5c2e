//! The catalogue: the best known code for every odd n from 3 to 31 and every b, beside Algorithm 1 and
//! the strongest lower bound.
//!
//! It is kept as data, `catalogue.jsonl`, a JSON object a line: the sizes, the rows, what they have been counted and
//! hashed to, the bound with the rule that gives it, and how the code was found. A test works every
//! line out again and asks several engines about every code.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Bound, bounds};
use crate::construct::{Algorithm1, Best, ConstructError, Made, best};
use ecode_core::AllocationMatrix;
use ecode_verify::Shape;

/// The catalogue's sizes: odd n.
pub const CATALOGUE: std::ops::RangeInclusive<usize> = 3..=31;

/// One row of the catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of Byzantine workers.
    pub b: usize,
    /// The code with the fewest ones known.
    pub code: Best,
    /// The ones of the paper's Algorithm 1.
    pub algorithm1: usize,
    /// The strongest lower bound.
    pub bound: Bound,
}

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    n: usize,
    b: usize,
    ones: usize,
    lower_bound: usize,
    rule: &'static str,
    source: &'static str,
    algorithm1: usize,
    construction: Value,
    digest: String,
    /// The rows that are not full: as a hexadecimal number, bit i for partition i.
    rows: Vec<String>,
}

/// The catalogue's own entries. A test compares them with [`Entry::new`].
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    include_str!("catalogue.jsonl")
        .lines()
        .filter_map(|line| Entry::of(&serde_json::from_str(line).ok()?))
        .collect()
});

impl Entry {
    /// The entry for (n, b), worked out anew.
    ///
    /// # Errors
    /// When n is even, or b > (n − 1)/2.
    pub fn new(n: usize, b: usize) -> Result<Self, ConstructError> {
        let code = best(n, b)?;
        let algorithm1 = Algorithm1::new(n, b)?.ones();
        let bound = bounds(n, b)?.pop().ok_or_else(|| ConstructError::Parameter("no bound".to_owned()))?;
        Ok(Self { b, code, algorithm1, bound })
    }

    fn of(line: &Line) -> Option<Self> {
        let n = line.n;
        let row = |text: &String| -> Option<Vec<usize>> {
            let row = u64::from_str_radix(text, 16).ok()?;
            Some((0..n).filter(|&i| i < 64 && row >> i & 1 == 1).collect())
        };
        let mut rows: Vec<Vec<usize>> = line.rows.iter().map(row).collect::<Option<_>>()?;
        rows.resize(n, (0..n).collect());
        let made = match line.construction["name"].as_str()? {
            "algorithm1" => Made::Algorithm1,
            "gluing" => Made::Gluing(Shape::from_json(&line.construction["parts"])?),
            "disjoint" => Made::Disjoint,
            "listed" => Made::Listed(line.construction["found"].as_str()?.to_owned()),
            _ => return None,
        };
        let matrix = AllocationMatrix::from_supports(n, &rows).ok()?;
        let bound = Bound { name: line.rule, ones: line.lower_bound, source: line.source };
        Some(Self { b: line.b, code: Best { matrix, b: line.b, made }, algorithm1: line.algorithm1, bound })
    }

    /// The line of the catalogue's data: a JSON object without line ends.
    #[must_use]
    pub fn to_line(&self) -> String {
        json!(Line {
            n: self.n(),
            b: self.b,
            ones: self.ones(),
            lower_bound: self.bound.ones,
            rule: self.bound.name,
            source: self.bound.source,
            algorithm1: self.algorithm1,
            construction: self.code.to_json(),
            digest: self.code.matrix.digest(),
            rows: self.rows(),
        })
        .to_string()
    }

    /// The rows that are not full, in hexadecimal.
    fn rows(&self) -> Vec<String> {
        let g = &self.code.matrix;
        let rows = (0..g.n()).filter(|&j| g.worker_load(j) < g.k());
        rows.map(|j| format!("{:x}", g.support(j).fold(0_u64, |row, i| row | 1 << i))).collect()
    }

    /// The number of workers, and of partitions.
    #[must_use]
    pub fn n(&self) -> usize {
        self.code.matrix.n()
    }

    /// The ones of the best code known.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.code.matrix.ones()
    }

    /// Whether the code meets the lower bound: no tolerant code has fewer ones.
    #[must_use]
    pub fn optimal(&self) -> bool {
        self.ones() == self.bound.ones
    }

    /// How the code was found, in a few words: the construction, and the parts of a glued code.
    #[must_use]
    pub fn found(&self) -> String {
        match &self.code.made {
            Made::Uncoded => "uncoded".to_owned(),
            Made::Algorithm1 => "Algorithm 1".to_owned(),
            Made::Gluing(shape) => format!("gluing {shape}"),
            Made::Disjoint => "disjoint rows".to_owned(),
            Made::Listed(found) => found.clone(),
            // Neither is in the catalogue: it has as many workers as partitions, an odd number.
            Made::Full | Made::Resized { .. } => self.code.name().to_owned(),
        }
    }

    /// The entry as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "n": self.n(),
            "b": self.b,
            "ones": self.ones(),
            "redundancy": self.code.matrix.redundancy(),
            "algorithm1": self.algorithm1,
            "lower_bound": self.bound.ones,
            "rule": self.bound.name,
            "source": self.bound.source,
            "optimal": self.optimal(),
            "construction": self.code.to_json(),
            "digest": self.code.matrix.digest(),
            "rows": self.rows(),
        })
    }
}

/// The entries for these n, and for each of them these b, or all from 1 to (n − 1)/2. A b that is too
/// large for an n is left out there.
///
/// # Errors
/// When an n is even or outside [`CATALOGUE`].
pub fn catalogue(sizes: &[usize], liars: Option<&[usize]>) -> Result<Vec<Entry>, ConstructError> {
    if let Some(n) = sizes.iter().find(|&&n| n % 2 == 0 || !CATALOGUE.contains(&n)) {
        let (first, last) = (CATALOGUE.start(), CATALOGUE.end());
        return Err(ConstructError::Parameter(format!(
            "the catalogue holds odd n from {first} to {last}, not n = {n}; 'ecode design' makes other codes"
        )));
    }
    let wanted = |entry: &&Entry| liars.is_none_or(|liars| liars.contains(&entry.b));
    let of = |n: usize| ENTRIES.iter().filter(move |entry| entry.n() == n).filter(wanted);
    Ok(sizes.iter().flat_map(|&n| of(n)).cloned().collect())
}
