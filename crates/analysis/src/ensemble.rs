//! Bernoulli codes: matrices whose entries are 1 independently with probability p.
//!
//! # What is promised
//! The averages over all matrices are exact but for rounding.
//!
//! # References
//! The paper's Bernoulli allocation, and its section 4.1.

use super::numbers::LnFactorials;

/// All n × k matrices whose entries are 1 independently with probability p.
#[derive(Clone, Debug)]
pub struct Ensemble {
    n: usize,
    k: usize,
    p: f64,
    ln_factorials: LnFactorials,
}

/// What is wrong with what was asked of an ensemble.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// n or k is out of range.
    #[error("n and k must be from 1 to {MOST}, but {0} × {1} was asked for", MOST = Ensemble::MOST)]
    Size(usize, usize),
    /// p is no probability of a one.
    #[error("the probability of a one must be above 0 and at most 1, but p = {0}")]
    Density(f64),
}

impl Ensemble {
    /// The most workers and partitions: the averages take 2·n²·k steps.
    pub const MOST: usize = 512;

    /// The ensemble of n workers, k partitions and density p.
    ///
    /// # Errors
    /// [`EnsembleError`]: sizes from 1 to 512, p above 0 and at most 1.
    pub fn new(n: usize, k: usize, p: f64) -> Result<Self, EnsembleError> {
        if !(1..=Self::MOST).contains(&n) || !(1..=Self::MOST).contains(&k) {
            return Err(EnsembleError::Size(n, k));
        }
        if !(p > 0.0 && p <= 1.0) {
            return Err(EnsembleError::Density(p));
        }
        Ok(Self { n, k, p, ln_factorials: LnFactorials::up_to(n.max(k)) })
    }

    /// The mean redundancy: the mean number of partitions a worker holds, k·p.
    #[must_use]
    pub fn mean_redundancy(&self) -> f64 {
        self.k as f64 * self.p
    }

    /// The expected number of workers without a partition.
    #[must_use]
    pub fn empty_workers(&self) -> f64 {
        self.n as f64 * self.load(0)
    }

    /// P[some worker has no partition].
    #[must_use]
    pub fn some_empty_worker(&self) -> f64 {
        -(self.n as f64 * (-self.load(0)).ln_1p()).exp_m1()
    }

    /// P[a worker holds exactly this many partitions].
    #[must_use]
    pub fn load(&self, load: usize) -> f64 {
        self.ln_factorials.binomial(self.k, self.p, load)
    }

    /// How one random row votes on a message of weight v.
    pub(super) fn votes(&self, v: usize) -> Votes {
        let ln = &self.ln_factorials;
        let mut votes = Votes { above: 0.0, tied: 0.0, below: 0.0 };
        // The probabilities of fewer than `seen` ones, and zeros.
        let (mut fewer_ones, mut fewer_zeros) = (0.0, 0.0);
        for seen in 0..=v.max(self.k - v) {
            let ones = ln.binomial(v, self.p, seen);
            let zeros = ln.binomial(self.k - v, self.p, seen);
            votes.above += ones * fewer_zeros;
            votes.tied += ones * zeros;
            votes.below += zeros * fewer_ones;
            fewer_ones += ones;
            fewer_zeros += zeros;
        }
        votes
    }

    /// The number of workers, and of partitions.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.n, self.k)
    }

    pub(super) fn ln_factorials(&self) -> &LnFactorials {
        &self.ln_factorials
    }
}

/// The probabilities that a random row sees more ones than zeros, as many, fewer.
#[derive(Clone, Copy)]
pub(super) struct Votes {
    pub(super) above: f64,
    pub(super) tied: f64,
    pub(super) below: f64,
}
