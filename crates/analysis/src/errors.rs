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
//!
//! # How
//! P(error) = Σᵥ P(the message has weight v) · P(error | weight v). The second factor does not know q: it is
//! worked out once for each weight and every b, and summed up for all q at once.
//!
//! # References
//! The weight enumerator of a linear code gives its error probability in the same way: F. J. MacWilliams and
//! N. J. A. Sloane, "The Theory of Error-Correcting Codes" (1977), chapter 1, section 5.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rayon::prelude::*;

use super::cell::{Cell, majority_of_weight};
use super::enumerator::Enumerator;
use super::estimate::{Estimate, interval};
use super::grace::Grace;
use super::liars::Tally;
use super::numbers::{LnFactorials, ratio};
use super::sample::Sample;
use ecode_core::TieRule;
use ecode_verify::{Control, binomials};

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

/// Why there are no probabilities.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// q is no probability.
    #[error("the probability of a wrong sign must be from 0 to 1, but q = {0}")]
    Probability(f64),
    /// The control said stop.
    #[error("stopped before the probabilities were worked out")]
    Stopped,
}

/// How the votes fall for each weight of the message, ready to be asked for probabilities.
#[derive(Clone, Debug)]
pub struct Profile {
    n: usize,
    k: usize,
    ties: TieRule,
    /// By weight: the fraction of the weight's messages that fall into each cell.
    weights: Vec<Vec<(Cell, f64)>>,
    /// For a sample: how many messages of each weight were drawn (none where all were looked at), and the
    /// probability δ that is allowed for one weight's interval to miss.
    drawn: Option<(Vec<Option<u64>>, f64)>,
    ln_factorials: LnFactorials,
}

/// The most numbers that are kept of what sets of liars do: 128 MB.
const MOST_KEPT: usize = 1 << 24;
/// So many weights are worked on side by side before they are added up, in their order.
const BLOCK: usize = 64;

/// The probability of an error given the weight, met and its interval's ends, for b = 0, …, n.
type Given = Vec<[f64; 3]>;

impl Profile {
    /// The exact profile of a code.
    #[must_use]
    pub fn exact(enumerator: &Enumerator, ties: TieRule) -> Self {
        let (n, k) = (enumerator.n(), enumerator.k());
        let all = binomials(k);
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

    /// The probability of an error for each q, each number of liars and each true sign.
    ///
    /// # Errors
    /// [`ProfileError`]: a q that is not from 0 to 1; the control said stop.
    pub fn errors(
        &self,
        kind: Kind,
        adversary: Adversary,
        qs: &[f64],
        control: &Control,
    ) -> Result<Vec<Errors>, ProfileError> {
        self.errors_until(kind, adversary, qs, 0..self.n + 1, &Grace::none(control))
    }

    /// The same, a little beyond the control's end, with intervals for these numbers of liars only.
    pub(super) fn errors_until(
        &self,
        kind: Kind,
        adversary: Adversary,
        qs: &[f64],
        wanted: Range<usize>,
        grace: &Grace,
    ) -> Result<Vec<Errors>, ProfileError> {
        if let Some(&q) = qs.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(ProfileError::Probability(q));
        }
        let (n, k) = (self.n, self.k);
        let random = match adversary {
            Adversary::Adaptive => None,
            Adversary::Random => Some(self.sets_that_prevent(grace)?),
        };
        // A message of weight v has v wrong partitions where τ = 0, and k − v where τ = 1.
        let likely: Vec<Vec<f64>> =
            qs.iter().map(|&q| (0..=k).map(|v| self.ln_factorials.binomial(k, q, v)).collect()).collect();
        let mut sums = vec![[vec![[0.0; 3]; n + 1], vec![[0.0; 3]; n + 1]]; qs.len()];
        let weights: Vec<usize> = (0..=k).collect();
        for block in weights.chunks(BLOCK) {
            let given: Vec<[Option<Given>; 2]> = block
                .par_iter()
                .map(|&v| {
                    let asked = |answer: bool| kind == Kind::Sign || majority_of_weight(k, v) == answer;
                    [false, true].map(|answer| {
                        asked(answer).then(|| self.given((v, answer), random.as_ref(), &wanted, grace))
                    })
                })
                .collect();
            if grace.over() {
                return Err(ProfileError::Stopped);
            }
            for (&v, given) in block.iter().zip(&given) {
                for (likely, sums) in likely.iter().zip(&mut sums) {
                    for sign in [false, true] {
                        let answer = if kind == Kind::Sign { sign } else { majority_of_weight(k, v) };
                        let likely = likely[if sign { k - v } else { v }];
                        let Some(given) = given[usize::from(answer)].as_ref().filter(|_| likely > 0.0) else {
                            continue;
                        };
                        for (sum, part) in sums[usize::from(sign)].iter_mut().zip(given) {
                            for (sum, part) in sum.iter_mut().zip(part) {
                                *sum += likely * part;
                            }
                        }
                    }
                }
            }
        }
        let estimate = |[frequency, low, high]: [f64; 3]| {
            if self.drawn.is_none() {
                Estimate::Exact(frequency.min(1.0))
            } else {
                Estimate::Sampled { frequency: frequency.min(1.0), low: low.min(1.0), high: high.min(1.0) }
            }
        };
        let errors = |(&q, sums): (&f64, [Given; 2])| Errors {
            q,
            by_sign: sums.map(|sums| sums.into_iter().map(estimate).collect()),
        };
        Ok(qs.iter().zip(sums).map(errors).collect())
    }

    fn tally(&self, cell: Cell, answer: bool) -> Tally {
        let (right, silent) = cell.votes(self.n, self.ties, answer);
        Tally { right, silent, answer }
    }

    /// [`Tally::sets_that_prevent`] for every tally that occurs; empty where these are too many to be kept.
    fn sets_that_prevent(&self, grace: &Grace) -> Result<BTreeMap<Tally, Vec<f64>>, ProfileError> {
        let mut tallies = BTreeSet::new();
        for &(cell, _) in self.weights.iter().flatten() {
            tallies.extend([false, true].map(|answer| self.tally(cell, answer)));
        }
        if tallies.len().saturating_mul(self.n + 1) > MOST_KEPT {
            return Ok(BTreeMap::new());
        }
        let tallies: Vec<Tally> = tallies.into_iter().collect();
        let of = |&tally: &Tally| -> Option<(Tally, Vec<f64>)> {
            (!grace.over()).then(|| (tally, tally.sets_that_prevent(self.n, &self.ln_factorials)))
        };
        let fractions: Option<Vec<_>> = tallies.par_iter().map(of).collect();
        Ok(fractions.ok_or(ProfileError::Stopped)?.into_iter().collect())
    }

    /// What b liars do to the messages of one weight; meaningless once the grace is over.
    fn given(
        &self,
        (v, answer): (usize, bool),
        random: Option<&BTreeMap<Tally, Vec<f64>>>,
        wanted: &Range<usize>,
        grace: &Grace,
    ) -> Given {
        let n = self.n;
        let mut tallies: BTreeMap<Tally, f64> = BTreeMap::new();
        for &(cell, fraction) in &self.weights[v] {
            *tallies.entry(self.tally(cell, answer)).or_default() += fraction;
        }
        let mut frequency = vec![0.0; n + 1];
        for (tally, fraction) in tallies {
            if grace.over() {
                break;
            }
            let Some(kept) = random else {
                frequency.iter_mut().skip(tally.enough(n)).for_each(|sum| *sum += fraction);
                continue;
            };
            let mut add =
                |sets: &[f64]| frequency.iter_mut().zip(sets).for_each(|(sum, part)| *sum += fraction * part);
            match kept.get(&tally) {
                Some(sets) => add(sets),
                None => add(&tally.sets_that_prevent(n, &self.ln_factorials)),
            }
        }
        let drawn = self.drawn.as_ref().and_then(|(drawn, delta)| Some((drawn[v]?, *delta)));
        let mut last: Option<[f64; 3]> = None;
        frequency
            .into_iter()
            .enumerate()
            .map(|(b, frequency)| {
                if !wanted.contains(&b) {
                    return [frequency; 3];
                }
                // Adaptive liars gain in steps: most neighbours are alike.
                let same = last.filter(|last| last[0].to_bits() == frequency.to_bits());
                let (low, high) = match (same, drawn) {
                    (Some(same), _) => return same,
                    (None, Some((drawn, delta))) if !grace.over() => interval(frequency, drawn, delta),
                    (None, _) => (frequency, frequency),
                };
                *last.insert([frequency, low, high])
            })
            .collect()
    }
}
