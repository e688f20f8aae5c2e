//! What a deployment asks of a code beside tolerance: its sizes, how much one worker can hold, and what is
//! to be small.

use std::str::FromStr;

use super::error::{ConstructError, refuse};
use ecode_core::{AllocationMatrix, MAX_SIZE, TieRule};

/// What is to be as small as possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// The number of ones: the work of all workers together.
    #[default]
    Ones,
    /// The load of the heaviest worker: the time of a step in which all wait for each other.
    MaxLoad,
    /// The load of the heaviest worker, and among equals the number of ones.
    Lexicographic,
}

impl Objective {
    /// The names, and what each asks to be small.
    pub const WORDS: [(&'static str, &'static str); 3] = [
        ("ones", "the work of all workers together"),
        ("max-load", "the work of the heaviest worker"),
        ("lexicographic", "the heaviest worker's, and among equals all workers' together"),
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize].0
    }
}

impl FromStr for Objective {
    type Err = ConstructError;

    fn from_str(text: &str) -> Result<Self, ConstructError> {
        let all = [Self::Ones, Self::MaxLoad, Self::Lexicographic];
        all.into_iter().find(|objective| objective.name() == text).map_or_else(
            || {
                let names = Self::WORDS.map(|(name, _)| name);
                refuse(format!("objective = {text}: expected one of {}", names.join(", ")))
            },
            Ok,
        )
    }
}

/// The number of partitions where nobody says one: n, but n − 1 for an even n and b ≥ 1, since no code with an even
/// number of partitions tolerates a liar under the default tie rule (docs/theory.md, Theorem 4).
///
/// ```
/// use ecode_design::construct::default_partitions;
/// assert_eq!([(9, 2), (8, 2), (8, 0)].map(|(n, b)| default_partitions(n, b)), [9, 7, 8]);
/// ```
#[must_use]
pub fn default_partitions(n: usize, b: usize) -> usize {
    if n % 2 == 0 && b > 0 { n.saturating_sub(1) } else { n }
}

/// A code that is asked for: n workers, k partitions, tolerant of b Byzantine workers, no load above
/// `max_load`.
///
/// ```
/// use ecode_design::construct::{Demand, best_for, blocks};
/// // Three workers for each of five partitions outvote one liar, and nobody holds more than one partition.
/// let demand = Demand { k: 5, max_load: 1, ..Demand::square(15, 1) };
/// let code = best_for(&demand, blocks())?.ok_or("none known")?;
/// assert_eq!(code.matrix.ones(), 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Workers.
    pub n: usize,
    /// Data partitions.
    pub k: usize,
    /// Byzantine workers.
    pub b: usize,
    /// What a worker does whose own vote ties.
    pub ties: TieRule,
    /// The most partitions that a worker can hold; k or more is no limit.
    pub max_load: usize,
    /// What is to be small.
    pub objective: Objective,
}

impl Demand {
    /// As many partitions as workers, the default tie rule, and the fewest ones: what [`super::best`] answers.
    #[must_use]
    pub fn square(n: usize, b: usize) -> Self {
        Self { n, k: n, b, ties: TieRule::Adversarial, max_load: n, objective: Objective::Ones }
    }

    /// Whether a limit is set on the loads.
    #[must_use]
    pub fn limited(&self) -> bool {
        self.max_load < self.k
    }

    /// The load of the heaviest worker.
    #[must_use]
    pub fn heaviest(g: &AllocationMatrix) -> usize {
        (0..g.n()).map(|j| g.worker_load(j)).max().unwrap_or(0)
    }

    /// Whether the sizes and the loads are those asked for. Says nothing about tolerance.
    #[must_use]
    pub fn fits(&self, g: &AllocationMatrix) -> bool {
        (g.n(), g.k()) == (self.n, self.k) && Self::heaviest(g) <= self.max_load
    }

    /// Of two codes the one with the smaller price is better.
    #[must_use]
    pub fn price(&self, g: &AllocationMatrix) -> (usize, usize) {
        match self.objective {
            Objective::Ones => (g.ones(), 0),
            Objective::MaxLoad => (Self::heaviest(g), 0),
            Objective::Lexicographic => (Self::heaviest(g), g.ones()),
        }
    }

    /// The sizes, or what is wrong with them.
    ///
    /// # Errors
    /// When a size is 0 or above 4096, or b > (n − 1)/2, which no code tolerates.
    pub fn check(&self) -> Result<(), ConstructError> {
        let Self { n, k, b, max_load, .. } = *self;
        if !(1..=MAX_SIZE).contains(&n) || !(1..=MAX_SIZE).contains(&k) {
            return refuse(format!("a code has 1 to {MAX_SIZE} workers and partitions, not {n} and {k}"));
        }
        if max_load == 0 {
            return refuse("a worker holds at least one partition".to_owned());
        }
        if b > (n - 1) / 2 {
            let most = (n - 1) / 2;
            return refuse(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
        }
        Ok(())
    }
}
