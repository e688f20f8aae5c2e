//! Random codes: what a draw from Bernoulli(p) is worth, on average and how often.
//!
//! # What is promised
//! - [`Ensemble`]'s averages over all draws *and* messages are exact but for rounding: given the message's
//!   weight, the rows of a random matrix vote independently, and alike.
//! - [`RadiusDraws`] counts draws, each verified; its probabilities come with an interval.

use rayon::prelude::*;

use super::enumerator::majority_of_weight;
use super::errors::{Adversary, Kind, ProfileError, interval};
use super::numbers::LnFactorials;
use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::{Control, Method, Radius, verify};

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
pub enum EnsembleError {
    /// n or k is out of range.
    #[error("n and k must be from 1 to {MOST}, but {0} × {1} was asked for", MOST = Ensemble::MOST)]
    Size(usize, usize),
    /// p is no probability of a one.
    #[error("the probability of a one must be above 0 and at most 1, but p = {0}")]
    Density(f64),
}

impl Ensemble {
    /// The most workers and partitions: the averages take n²·k steps.
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

    /// The probability of an error for b = 0, …, n, averaged over all matrices, for both true signs (τ = 0
    /// first). `Random` liars are any set that was fixed before the draw: all are alike.
    ///
    /// # Errors
    /// [`ProfileError::Probability`] when q is not from 0 to 1.
    pub fn errors(
        &self,
        kind: Kind,
        adversary: Adversary,
        ties: TieRule,
        q: f64,
    ) -> Result<[Vec<f64>; 2], ProfileError> {
        if !(0.0..=1.0).contains(&q) {
            return Err(ProfileError::Probability(q));
        }
        let k = self.k;
        let votes: Vec<Votes> = (0..=k).map(|v| self.votes(v)).collect();
        Ok([false, true].map(|sign| {
            let likely = |v: usize| self.ln_factorials.binomial(k, q, if sign { k - v } else { v });
            let parts: Vec<Vec<f64>> = (0..=k)
                .into_par_iter()
                .map(|v| {
                    let likely = likely(v);
                    let asked = if kind == Kind::Decode { majority_of_weight(k, v) } else { sign };
                    let mut row = vec![0.0; self.n + 1];
                    if likely > 0.0 {
                        self.beaten(votes[v], adversary, ties, asked, &mut row);
                    }
                    for part in &mut row {
                        *part *= likely;
                    }
                    row
                })
                .collect();
            let sum = |b: usize| parts.iter().map(|part| part[b]).sum::<f64>().min(1.0);
            (0..=self.n).map(sum).collect()
        }))
    }

    /// How one random row votes on a message of weight v.
    fn votes(&self, v: usize) -> Votes {
        let ln = &self.ln_factorials;
        let (mut above, mut tied, mut fewer) = (0.0, 0.0, 0.0);
        for seen in 0..=v {
            // `fewer`: less than `seen` of the zeros.
            let ones = ln.binomial(v, self.p, seen);
            let zeros = ln.binomial(self.k - v, self.p, seen);
            above += ones * fewer;
            tied += ones * zeros;
            fewer += zeros;
        }
        Votes { above, tied, below: (1.0 - above - tied).max(0.0) }
    }

    /// For each b, the probability that b liars beat the answer that is asked about.
    fn beaten(&self, votes: Votes, adversary: Adversary, ties: TieRule, asked: bool, row: &mut [f64]) {
        let n = self.n;
        let clear = if asked { votes.above } else { votes.below };
        let (right, silent) = match (ties, asked) {
            (TieRule::Abstain, _) => (clear, votes.tied),
            (TieRule::Zero, false) | (TieRule::One, true) => (clear + votes.tied, 0.0),
            _ => (clear, 0.0),
        };
        // P[2R + S = x] for so many honest workers.
        let leads = |honest: usize| -> Vec<f64> {
            let mut leads = vec![0.0; 2 * honest + 1];
            for s in 0..=if silent > 0.0 { honest } else { 0 } {
                let silent_ones = self.ln_factorials.binomial(honest, silent, s);
                let rest = if silent < 1.0 { (right / (1.0 - silent)).min(1.0) } else { 0.0 };
                for r in 0..=honest - s {
                    leads[2 * r + s] += silent_ones * self.ln_factorials.binomial(honest - s, rest, r);
                }
            }
            leads
        };
        let adaptive = leads(n);
        for (b, sum) in row.iter_mut().enumerate() {
            // The decode is wrong when 2R + S < n + [answer 1], after the lies.
            let needed = n + usize::from(asked);
            *sum = match adversary {
                Adversary::Adaptive => adaptive.iter().take(needed + 2 * b).sum(),
                Adversary::Random => leads(n - b).iter().take(needed).sum(),
            };
        }
    }
}

#[derive(Clone, Copy)]
struct Votes {
    above: f64,
    tied: f64,
    below: f64,
}

/// How many of some draws have which radius.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RadiusDraws {
    /// How many draws have no radius: they fail without liars.
    pub none: u64,
    /// How many have the radius 0, 1, ….
    pub by_radius: Vec<u64>,
}

impl RadiusDraws {
    /// Verifies `draw(0)`, `draw(1)`, …; fewer than asked when the control says stop.
    ///
    /// # Errors
    /// The first error of `draw`.
    pub fn of<E: Send>(
        draw: impl Fn(u64) -> Result<AllocationMatrix, E> + Sync,
        draws: u64,
        ties: TieRule,
        control: &Control,
    ) -> Result<Self, E> {
        control.begin(draws);
        let radii: Vec<Radius> = (0..draws)
            .into_par_iter()
            .map(|number| {
                if control.stopped() {
                    return Ok(Radius::Unknown);
                }
                let g = draw(number)?;
                // A control of its own: the shared one counts draws.
                let verdict = verify(&g, None, ties, Method::Auto, &control.unwatched()).ok();
                control.advance(1);
                Ok(verdict.map_or(Radius::Unknown, |verdict| verdict.radius()))
            })
            .collect::<Result<_, E>>()?;
        let mut found = Self { none: 0, by_radius: Vec::new() };
        for radius in radii {
            match radius {
                // What was not settled counts neither way.
                Radius::AtLeast(_) | Radius::Unknown => {}
                Radius::FailsWithoutLiars => found.none += 1,
                Radius::Exactly(radius) => {
                    if found.by_radius.len() <= radius {
                        found.by_radius.resize(radius + 1, 0);
                    }
                    found.by_radius[radius] += 1;
                }
            }
        }
        Ok(found)
    }

    /// How many draws were verified.
    #[must_use]
    pub fn draws(&self) -> u64 {
        self.none + self.by_radius.iter().sum::<u64>()
    }

    /// How many of them tolerate b liars.
    #[must_use]
    pub fn tolerant(&self, b: usize) -> u64 {
        self.by_radius.iter().skip(b).sum()
    }

    /// The part of `hits` in the draws, and an interval that holds its probability with 95% confidence.
    #[must_use]
    pub fn part(&self, hits: u64) -> (f64, f64, f64) {
        let draws = self.draws();
        let met = hits as f64 / draws.max(1) as f64;
        let (low, high) = if draws == 0 { (0.0, 1.0) } else { interval(met, draws, 0.05) };
        (met, low, high)
    }
}
