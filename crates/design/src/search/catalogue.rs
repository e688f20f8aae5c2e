//! The catalogue: the best known code for every odd n from 3 to 51 and every b, beside Algorithm 1 and
//! the strongest lower bound.
//!
//! It is kept as data, `catalogue.jsonl`, a JSON object a line: the sizes, the rows, what they have been counted and
//! hashed to, the bound with the rule that gives it, and how the code was found. A test works every
//! line out again and asks several engines about every code.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bounds::{Bound, BoundError, bounds_for};
use crate::construct::{
    Algorithm1, ConstructError, Demand, KnownCode, Provenance, best_for, blocks, default_partitions,
};
use ecode_core::AllocationMatrix;
use ecode_verify::Shape;

/// The numbers of workers that the table speaks of. Its kept entries are those of odd n.
pub const CATALOGUE: std::ops::RangeInclusive<usize> = 3..=51;

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of Byzantine workers.
    pub b: usize,
    /// The code with the fewest ones known.
    pub code: KnownCode,
    /// The ones of the paper's Algorithm 1, where it has these sizes.
    pub algorithm1: Option<usize>,
    /// The strongest lower bound on the ones.
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

/// The kept entries. A test compares them with [`Entry::new`].
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let lines = include_str!("catalogue.jsonl").lines().enumerate();
    lines
        .map(|(at, text)| {
            let line = serde_json::from_str(text).map_err(|error| error.to_string());
            line.and_then(|line| Entry::of(&line))
                .unwrap_or_else(|error| panic!("catalogue.jsonl, line {}: {error}", at + 1))
        })
        .collect()
});

impl Entry {
    /// The entry for n workers, k partitions and b Byzantine workers, worked out anew.
    ///
    /// # Errors
    /// When no code is known, or none exists.
    pub fn new(n: usize, k: usize, b: usize) -> Result<Self, BoundError> {
        let demand = Demand { k, max_load: k, ..Demand::square(n, b) };
        let bound = bounds_for(&demand)?.ones;
        let code = best_for(&demand, blocks())?.ok_or_else(|| {
            ConstructError::Parameter(format!("no code is known for n = {n}, k = {k}, b = {b}"))
        })?;
        let algorithm1 = (n == k).then(|| Algorithm1::new(n, b).ok()).flatten().map(|code| code.ones());
        Ok(Self { b, code, algorithm1, bound })
    }

    fn of(line: &Line) -> Result<Self, String> {
        let n = line.n;
        let row = |text: &String| -> Result<Vec<usize>, String> {
            let row = u64::from_str_radix(text, 16).map_err(|error| format!("the row {text:?}: {error}"))?;
            Ok((0..n).filter(|&i| i < 64 && row >> i & 1 == 1).collect())
        };
        let mut rows: Vec<Vec<usize>> = line.rows.iter().map(row).collect::<Result<_, _>>()?;
        rows.resize(n, (0..n).collect());
        let made = &line.construction;
        let provenance = match made["name"].as_str() {
            Some("algorithm1") => Provenance::Algorithm1,
            Some("gluing") => Provenance::Gluing(Shape::from_json(&made["parts"]).ok_or("'parts' are none")?),
            Some("disjoint") => Provenance::Disjoint,
            Some("listed") => {
                Provenance::Listed(made["found"].as_str().ok_or("'found' is no text")?.to_owned())
            }
            _ => return Err(format!("the construction {made}")),
        };
        let matrix = AllocationMatrix::from_supports(n, &rows).map_err(|error| error.to_string())?;
        let bound = Bound { name: line.rule, least: line.lower_bound, source: line.source };
        let code = KnownCode { matrix, b: line.b, provenance };
        Ok(Self { b: line.b, code, algorithm1: Some(line.algorithm1), bound })
    }

    /// The line of the catalogue's data: a JSON object without line ends.
    #[must_use]
    pub fn to_line(&self) -> String {
        json!(Line {
            n: self.n(),
            b: self.b,
            ones: self.ones(),
            lower_bound: self.bound.least,
            rule: self.bound.name,
            source: self.bound.source,
            algorithm1: self.algorithm1.unwrap_or(0),
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
        rows.map(|j| hexadecimal(g.row(j))).collect()
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.code.matrix.n()
    }

    /// The number of partitions.
    #[must_use]
    pub fn k(&self) -> usize {
        self.code.matrix.k()
    }

    /// The ones of the best code known.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.code.matrix.ones()
    }

    /// Whether the code meets the lower bound: no tolerant code has fewer ones.
    #[must_use]
    pub fn optimal(&self) -> bool {
        self.ones() == self.bound.least
    }

    /// How the code was found, in a few words: the construction, and the parts of a glued code.
    #[must_use]
    pub fn found(&self) -> String {
        match &self.code.provenance {
            Provenance::Uncoded => "uncoded".to_owned(),
            Provenance::Algorithm1 => "Algorithm 1".to_owned(),
            Provenance::Gluing(shape) => format!("gluing {shape}"),
            Provenance::Disjoint => "disjoint rows".to_owned(),
            Provenance::Listed(found) => found.clone(),
            Provenance::Full | Provenance::Resized { .. } => self.code.name().to_owned(),
        }
    }

    /// The entry as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "n": self.n(),
            "k": self.k(),
            "b": self.b,
            "ones": self.ones(),
            "redundancy": self.code.matrix.redundancy(),
            "algorithm1": self.algorithm1,
            "lower_bound": self.bound.least,
            "rule": self.bound.name,
            "source": self.bound.source,
            "optimal": self.optimal(),
            "construction": self.code.to_json(),
            "digest": self.code.matrix.digest(),
            "rows": self.rows(),
        })
    }
}

/// The number whose bits these words hold, least significant first, in hexadecimal without leading zeros.
fn hexadecimal(words: &[u64]) -> String {
    let digits = words.iter().rev().fold(String::new(), |digits, word| digits + &format!("{word:016x}"));
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

/// The entries for these n, each with k partitions ([`default_partitions`] where none are said), and for each of them
/// these b, or all from 1 to (n − 1)/2. A b that is too large for an n is left out there.
///
/// # Errors
/// When an n is outside [`CATALOGUE`], or there is no code with so many partitions.
pub fn catalogue(
    sizes: &[usize],
    k: Option<usize>,
    liars: Option<&[usize]>,
) -> Result<Vec<Entry>, BoundError> {
    if let Some(n) = sizes.iter().find(|n| !CATALOGUE.contains(n)) {
        let (first, last) = (CATALOGUE.start(), CATALOGUE.end());
        let text = format!(
            "the table is for n from {first} to {last}, not n = {n}; 'ecode design' makes other codes"
        );
        return Err(ConstructError::Parameter(text).into());
    }
    let wanted = |b: usize| liars.is_none_or(|liars| liars.contains(&b));
    let mut entries = Vec::new();
    for &n in sizes {
        let k = k.unwrap_or_else(|| default_partitions(n, 1));
        if n == k && n % 2 == 1 {
            entries.extend(ENTRIES.iter().filter(|entry| entry.n() == n && wanted(entry.b)).cloned());
        } else {
            for b in (1..=(n - 1) / 2).filter(|&b| wanted(b)) {
                entries.push(Entry::new(n, k, b)?);
            }
        }
    }
    Ok(entries)
}
