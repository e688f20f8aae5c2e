//! The catalogue: the best known code for every odd n from 3 to 31 and every b, beside Algorithm 1 and
//! the strongest lower bound.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Bound, bounds};
use crate::construct::{Algorithm1, Best, ConstructError, Made, best};

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

impl Entry {
    /// The entry for (n, b).
    ///
    /// # Errors
    /// When n is even, or b > (n − 1)/2.
    pub fn new(n: usize, b: usize) -> Result<Self, ConstructError> {
        let code = best(n, b)?;
        let algorithm1 = Algorithm1::new(n, b)?.ones();
        let bound = bounds(n, b)?.pop().ok_or_else(|| ConstructError::Parameter("no bound".to_owned()))?;
        Ok(Self { b, code, algorithm1, bound })
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
    let pairs: Vec<(usize, usize)> = sizes
        .iter()
        .flat_map(|&n| (1..=(n - 1) / 2).map(move |b| (n, b)))
        .filter(|(_, b)| liars.is_none_or(|liars| liars.contains(b)))
        .collect();
    pairs.into_par_iter().map(|(n, b)| Entry::new(n, b)).collect()
}
