//! From counts to probabilities: how likely a decode is wrong when every partition's sign is wrong
//! independently with probability q.
//!
//! # The model
//! The coordinate's true sign bit is τ. Each of the k partitions has the bit τ with probability 1 − q and
//! the other one with probability q, independently. There are b Byzantine workers, who know the message,
//! the matrix and the tie rule, and send whatever serves them best. Two things can go wrong:
//!
//! - [`Kind::Decode`]: μ̂ ≠ μ, the decode is not the majority of the message. This is the code's doing.
//! - [`Kind::Sign`]: μ̂ ≠ τ, the decode is not the true sign. This is what the training sees, and what the
//!   paper bounds in its Theorem 1.
//!
//! # What is promised
//! From an exact [`Enumerator`], exact probabilities ([`Profile::exact`]); from a [`Sample`] intervals that
//! hold with the stated confidence ([`Profile::sampled`]). Which of the two is in the type of the answer.

use std::collections::BTreeMap;

use super::enumerator::{Cell, Enumerator, majority_of_weight};
use super::numbers::{LnFactorials, binomials, ratio};
use super::sample::Sample;
use ecode_core::TieRule;

/// How the b Byzantine workers are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adversary {
    /// After the message: the workers whose lies hurt the most.
    Adaptive,
    /// Uniformly at random among the C(n, b) sets, independently of the message.
    Random,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The decode is not the majority of the message.
    Decode,
    /// The decode is not the true sign.
    Sign,
}

/// A probability, or an estimate of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// Exact but for rounding.
    Exact(f64),
    /// From a sample: the value met, and an interval that holds the true one with the sample's confidence.
    Sampled {
        /// The value in the sample.
        met: f64,
        /// The interval's lower end.
        low: f64,
        /// The interval's upper end.
        high: f64,
    },
}

impl Estimate {
    /// The exact value or the one met.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Exact(value) => value,
            Self::Sampled { met, .. } => met,
        }
    }

    /// The larger of two, of the same sort.
    #[must_use]
    pub fn or_larger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => Self::Exact(a.max(b)),
            (a, b) => {
                let (Self::Sampled { met, low, high }, Self::Sampled { met: m, low: l, high: h }) =
                    (a.interval(), b.interval())
                else {
                    return a;
                };
                Self::Sampled { met: met.max(m), low: low.max(l), high: high.max(h) }
            }
        }
    }

    fn interval(self) -> Self {
        match self {
            Self::Exact(value) => Self::Sampled { met: value, low: value, high: value },
            sampled @ Self::Sampled { .. } => sampled,
        }
    }
}

/// The probability of an error for every number of liars, at one q.
#[derive(Clone, Debug, PartialEq)]
pub struct Errors {
    /// The probability that one partition's sign is wrong.
    pub q: f64,
    /// By τ: for b = 0, …, n.
    pub by_sign: [Vec<Estimate>; 2],
}

impl Errors {
    /// The larger of the two true signs' probabilities, for b = 0, …, n. They differ only where ties are
    /// possible.
    #[must_use]
    pub fn worst(&self) -> Vec<Estimate> {
        self.by_sign[0].iter().zip(&self.by_sign[1]).map(|(&a, &b)| a.or_larger(b)).collect()
    }
}

/// What is wrong with what was asked.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ProfileError {
    /// q is no probability.
    #[error("the probability of a wrong sign must be from 0 to 1, but q = {0}")]
    Probability(f64),
}

/// The fraction of a weight's messages that fall into a cell.
type Fractions = BTreeMap<Cell, f64>;

/// How the votes fall for each weight of the message, ready to be asked for probabilities.
#[derive(Clone, Debug)]
pub struct Profile {
    n: usize,
    k: usize,
    ties: TieRule,
    weights: Vec<Fractions>,
    /// For a sample: how many messages of each weight were drawn (none where all were looked at), and the
    /// probability δ that is allowed for one weight's interval to miss.
    drawn: Option<(Vec<Option<u64>>, f64)>,
    ln_factorials: LnFactorials,
}

impl Profile {
    /// The exact profile of a code.
    #[must_use]
    pub fn exact(enumerator: &Enumerator, ties: TieRule) -> Self {
        let (n, k) = (enumerator.n(), enumerator.k());
        let all = binomials(k, k);
        let weights = (0..=k)
            .map(|v| enumerator.cells(v).map(|(cell, count)| (cell, ratio(count, &all[v]))).collect())
            .collect();
        Self { n, k, ties, weights, drawn: None, ln_factorials: LnFactorials::up_to(n.max(k)) }
    }

    /// The profile of a sample.
    #[must_use]
    pub fn sampled(sample: &Sample, ties: TieRule) -> Self {
        let (n, k) = (sample.n(), sample.k());
        let weights = (0..=k)
            .map(|v| {
                let drawn = sample.drawn(v) as f64;
                sample.cells(v).map(|(cell, hits)| (cell, hits as f64 / drawn)).collect()
            })
            .collect();
        let drawn = (0..=k).map(|v| (!sample.is_complete(v)).then(|| sample.drawn(v))).collect();
        // One interval for each weight up to half: the others mirror them.
        let delta = (1.0 - Sample::CONFIDENCE) / (k / 2 + 1) as f64;
        let ln_factorials = LnFactorials::up_to(n.max(k));
        Self { n, k, ties, weights, drawn: Some((drawn, delta)), ln_factorials }
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The probability of an error for each number of liars and each true sign.
    ///
    /// # Errors
    /// [`ProfileError::Probability`] when q is not from 0 to 1.
    pub fn errors(&self, kind: Kind, adversary: Adversary, q: f64) -> Result<Errors, ProfileError> {
        if !(0.0..=1.0).contains(&q) {
            return Err(ProfileError::Probability(q));
        }
        let by_sign = [false, true].map(|sign| self.with_sign(kind, adversary, q, sign));
        Ok(Errors { q, by_sign })
    }

    fn with_sign(&self, kind: Kind, adversary: Adversary, q: f64, sign: bool) -> Vec<Estimate> {
        let (n, k) = (self.n, self.k);
        // A message of weight v has v wrong partitions where τ = 0, and k − v where τ = 1.
        let likely = |v: usize| self.ln_factorials.binomial(k, q, if sign { k - v } else { v });
        let mut total = vec![(0.0, 0.0, 0.0); n + 1];
        // Exact fractions are merged over the weights before the liars are looked at.
        let mut merged: BTreeMap<(usize, usize, bool), f64> = BTreeMap::new();
        for (v, cells) in self.weights.iter().enumerate() {
            let likely = likely(v);
            let asked = match kind {
                Kind::Decode => majority_of_weight(k, v),
                Kind::Sign => sign,
            };
            if self.drawn.is_none() && likely == 0.0 {
                continue;
            }
            let mut votes: BTreeMap<(usize, usize, bool), f64> = BTreeMap::new();
            for (cell, fraction) in cells {
                let (right, silent) = cell.votes(n, self.ties, asked);
                *votes.entry((right, silent, asked)).or_default() += fraction;
            }
            let Some((drawn, delta)) = &self.drawn else {
                for (key, fraction) in votes {
                    *merged.entry(key).or_default() += fraction * likely;
                }
                continue;
            };
            let mut beaten = vec![0.0; n + 1];
            for (key, fraction) in votes {
                self.beaten(key, adversary, fraction, &mut beaten);
            }
            for (sum, met) in total.iter_mut().zip(beaten) {
                let (low, high) = drawn[v].map_or((met, met), |drawn| interval(met, drawn, *delta));
                *sum = (sum.0 + likely * met, sum.1 + likely * low, sum.2 + likely * high);
            }
        }
        if self.drawn.is_some() {
            let end = |(met, low, high): (f64, f64, f64)| Estimate::Sampled {
                met: met.min(1.0),
                low: low.min(1.0),
                high: high.min(1.0),
            };
            return total.into_iter().map(end).collect();
        }
        let mut beaten = vec![0.0; n + 1];
        for (key, mass) in merged {
            self.beaten(key, adversary, mass, &mut beaten);
        }
        beaten.into_iter().map(|p: f64| Estimate::Exact(p.min(1.0))).collect()
    }

    /// Adds to each number of liars the part of `mass` that it beats, where so many workers vote right and
    /// so many are silent.
    fn beaten(
        &self,
        (right, silent, asked): (usize, usize, bool),
        adversary: Adversary,
        mass: f64,
        beaten: &mut [f64],
    ) {
        let n = self.n;
        let lead = 2 * right as i64 + silent as i64 - n as i64 - i64::from(asked);
        match adversary {
            Adversary::Adaptive => {
                let from = (lead.div_euclid(2) + 1).max(0) as usize;
                beaten.iter_mut().skip(from).for_each(|sum| *sum += mass);
            }
            Adversary::Random => {
                for (b, sum) in beaten.iter_mut().enumerate() {
                    *sum += mass * self.sets_that_beat(right, silent, b, lead);
                }
            }
        }
    }

    /// The fraction of the sets of b workers whose lies overcome a lead: 2x + y > lead for x right and y
    /// silent workers in the set.
    fn sets_that_beat(&self, right: usize, silent: usize, b: usize, lead: i64) -> f64 {
        if lead < 0 {
            return 1.0;
        }
        let n = self.n;
        let wrong = n - right - silent;
        let ln = &self.ln_factorials;
        let all = ln.choose(n, b);
        let mut sum = 0.0;
        for y in 0..=silent.min(b) {
            let least = ((lead - y as i64).div_euclid(2) + 1).max(0) as usize;
            // x right, y silent and b − x − y wrong workers.
            for x in least.max((b - y).saturating_sub(wrong))..=right.min(b - y) {
                let sets = ln.choose(right, x) + ln.choose(silent, y) + ln.choose(wrong, b - x - y);
                sum += (sets - all).exp();
            }
        }
        sum.min(1.0)
    }
}

/// An interval that holds the mean of a quantity in [0, 1] with probability at least 1 − δ, from the mean of
/// `drawn` independent draws: all p with drawn·KL(met, p) ≤ ln(2/δ) (Hoeffding 1963, inequality 2.1).
pub(super) fn interval(met: f64, drawn: u64, delta: f64) -> (f64, f64) {
    let met = met.clamp(0.0, 1.0);
    let most = (2.0 / delta).ln() / drawn.max(1) as f64;
    let part = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    let near = |p: f64| part(met, p) + part(1.0 - met, 1.0 - p) <= most;
    let search = |mut inside: f64, mut outside: f64| {
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            if near(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        outside
    };
    (search(met, 0.0), search(met, 1.0))
}
