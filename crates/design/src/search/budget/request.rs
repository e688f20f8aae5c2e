//! What is asked of a budgeted code.

use std::str::FromStr;

use ecode_core::MAX_SIZE;
use serde_json::{Value, json};

use super::messages::MOST_COUNTED;
use crate::construct::{ConstructError, refuse};

/// How the b liars are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Liars {
    /// After the message: the workers whose lies hurt most.
    #[default]
    Adaptive,
    /// Before the message: the set of b workers that is worst for the code.
    Fixed,
    /// Any b workers with the same probability.
    Random,
}

impl Liars {
    /// The names, and what each says.
    pub const WORDS: [(&'static str, &'static str); 3] = [
        ("adaptive", "those that hurt most, chosen after the message"),
        ("fixed", "the set that is worst for the code, chosen before the message"),
        ("random", "any b workers with the same probability"),
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize].0
    }
}

impl FromStr for Liars {
    type Err = ConstructError;

    fn from_str(text: &str) -> Result<Self, ConstructError> {
        let all = [Self::Adaptive, Self::Fixed, Self::Random];
        all.into_iter()
            .find(|liars| liars.name() == text)
            .map_or_else(|| refuse(format!("liars = {text}: expected one of adaptive, fixed, random")), Ok)
    }
}

/// A budgeted code that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetRequest {
    /// Workers.
    pub n: usize,
    /// Data partitions.
    pub k: usize,
    /// Byzantine workers.
    pub b: usize,
    /// Votes that are missing besides, the worst ones.
    pub stragglers: usize,
    /// The most ones.
    pub ones: usize,
    /// The most partitions that a worker can hold.
    pub max_load: usize,
    /// The probabilities of one partition's wrong sign. Of several the geometric mean of the errors counts.
    pub qs: Vec<f64>,
    /// How the liars are chosen.
    pub liars: Liars,
    /// The random seed.
    pub seed: u64,
}

/// The most workers of a search.
const MOST_WORKERS: usize = 128;
/// The most partitions of a search.
const MOST_PARTITIONS: usize = 128;
/// The most sets of fixed liars.
const MOST_SETS: f64 = 20_000.0;

/// Nine probabilities from `least` to `most`, each the same factor above the one before: the mean over them of the
/// logarithm of an error stands for that over the whole range.
#[must_use]
pub fn q_range(least: f64, most: f64) -> Vec<f64> {
    const POINTS: i32 = 9;
    // To six digits, so that files and people see round numbers.
    let rounded = |q: f64| format!("{q:.5e}").parse().unwrap_or(q);
    (0..POINTS)
        .map(|at| rounded(least * (most / least).powf(f64::from(at) / f64::from(POINTS - 1))))
        .collect()
}

impl BudgetRequest {
    /// As many partitions as workers, adaptive liars, q = 0.1, no limit on a load but k.
    #[must_use]
    pub fn new(n: usize, b: usize, ones: usize) -> Self {
        Self { n, k: n, b, stragglers: 0, ones, max_load: n, qs: vec![0.1], liars: Liars::Adaptive, seed: 1 }
    }

    /// The largest odd load that the limits allow.
    pub(super) fn heaviest(&self) -> usize {
        let most = self.max_load.min(self.k);
        most - (most + 1) % 2
    }

    /// Whether all messages can be counted, so that the error of what is found is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.k <= MOST_COUNTED
    }

    /// Whether the request makes sense and can be searched.
    ///
    /// # Errors
    /// When a size is out of range, the liars always win, there are fewer ones than workers, or a q is not between 0
    /// and one half.
    pub fn check(&self) -> Result<(), ConstructError> {
        let Self { n, k, b, stragglers, ones, max_load, .. } = *self;
        if !(1..=MOST_WORKERS).contains(&n) || !(1..=MOST_PARTITIONS).contains(&k) {
            return refuse(format!(
                "a budgeted code is searched for 1 to {MOST_WORKERS} workers and 1 to {MOST_PARTITIONS} partitions, not {n} and {k}"
            ));
        }
        if stragglers >= n || (n - stragglers).div_ceil(2) <= b {
            let missing =
                if stragglers > 0 { format!(" with {stragglers} votes missing") } else { String::new() };
            return refuse(format!(
                "b = {b} liars of n = {n} workers{missing} make every decode wrong, whatever the code"
            ));
        }
        if ones < n {
            return refuse(format!("every worker holds a partition: at least n = {n} ones, not {ones}"));
        }
        if max_load == 0 || max_load > MAX_SIZE {
            return refuse(format!("max-load = {max_load}: expected a whole number from 1 to {MAX_SIZE}"));
        }
        if self.qs.is_empty() || self.qs.iter().any(|&q| !(q > 0.0 && q < 0.5)) {
            return refuse("q: expected probabilities above 0 and below 0.5".to_owned());
        }
        if self.liars == Liars::Fixed && super::loss::choose(n, b) > MOST_SETS {
            return refuse(format!(
                "--liars fixed: the sets of {b} of {n} workers are more than {MOST_SETS}; adaptive liars are at least as bad as any of them"
            ));
        }
        Ok(())
    }

    /// As a state or a matrix file says it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "n": self.n, "k": self.k, "b": self.b, "stragglers": self.stragglers, "ones": self.ones,
            "max_load": self.heaviest(), "q": self.qs, "liars": self.liars.name(), "seed": self.seed,
        })
    }
}
