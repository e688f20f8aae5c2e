//! Error probabilities of a Bernoulli code, averaged over all matrices and messages.
//!
//! # What is promised
//! Exact but for rounding: given the message's weight, the rows of a random matrix vote independently, and
//! alike. The distribution of the honest votes is the n-fold convolution of one vote's; all terms are positive,
//! so nothing cancels.

use rayon::prelude::*;

use super::cell::majority_of_weight;
use super::ensemble::{Ensemble, Votes};
use super::errors::{Adversary, Kind, ProfileError};
use super::numbers::LnFactorials;
use ecode_core::TieRule;
use ecode_verify::Control;

/// The probability of an error given the weight, for b = 0, …, n.
struct Given {
    adaptive: Vec<f64>,
    /// The liars are any set that was fixed before the draw: all are alike.
    random: Vec<f64>,
}

/// For every weight of the message, the probability of an error averaged over all matrices.
pub struct MeanErrors {
    n: usize,
    /// By weight, and by the answer that is asked about.
    given: Vec<[Given; 2]>,
    ln_factorials: LnFactorials,
}

impl MeanErrors {
    /// Works them out for every weight; `None` when it had to stop.
    #[must_use]
    pub fn of(ensemble: &Ensemble, ties: TieRule, control: &Control) -> Option<Self> {
        let (n, k) = ensemble.size();
        let of_weight = |v: usize| {
            let votes = ensemble.votes(v);
            let given = |answer| (!control.stopped()).then(|| given(n, votes, ties, answer));
            Some([given(false)?, given(true)?])
        };
        let given: Option<Vec<_>> = (0..=k).into_par_iter().map(of_weight).collect();
        Some(Self { n, given: given?, ln_factorials: ensemble.ln_factorials().clone() })
    }

    /// The probability of an error for b = 0, …, n, averaged over all matrices and messages, for both true
    /// signs (τ = 0 first). `Random` liars are any set that was fixed before the draw: all are alike.
    ///
    /// # Errors
    /// [`ProfileError::Probability`] when q is not from 0 to 1.
    pub fn errors(&self, kind: Kind, adversary: Adversary, q: f64) -> Result<[Vec<f64>; 2], ProfileError> {
        if !(0.0..=1.0).contains(&q) {
            return Err(ProfileError::Probability(q));
        }
        let k = self.given.len() - 1;
        Ok([false, true].map(|sign| {
            let mut sums = vec![0.0_f64; self.n + 1];
            for (v, given) in self.given.iter().enumerate() {
                let likely = self.ln_factorials.binomial(k, q, if sign { k - v } else { v });
                let answer = if kind == Kind::Decode { majority_of_weight(k, v) } else { sign };
                let given = &given[usize::from(answer)];
                let given = if adversary == Adversary::Adaptive { &given.adaptive } else { &given.random };
                sums.iter_mut().zip(given).for_each(|(sum, part)| *sum += likely * part);
            }
            sums.into_iter().map(|sum| sum.min(1.0)).collect()
        }))
    }
}

/// For each b, the probability that b liars prevent the answer.
fn given(n: usize, votes: Votes, ties: TieRule, answer: bool) -> Given {
    let (clear, against) = if answer { (votes.above, votes.below) } else { (votes.below, votes.above) };
    let (right, silent, wrong) = match (ties, answer) {
        (TieRule::Abstain, _) => (clear, votes.tied, against),
        (TieRule::Zero, false) | (TieRule::One, true) => (clear + votes.tied, 0.0, against),
        _ => (clear, 0.0, against + votes.tied),
    };
    // The decode is another one when 2R + S < n + [answer 1], after the lies.
    let needed = n + usize::from(answer);
    let mut random = vec![0.0; n + 1];
    // leads[x] = P[2R + S = x] for so many honest workers.
    let mut leads = vec![1.0];
    for honest in 0..=n {
        random[n - honest] = leads.iter().take(needed).sum();
        if honest < n {
            let mut next = vec![0.0; leads.len() + 2];
            for (x, lead) in leads.iter().enumerate() {
                next[x] += lead * wrong;
                next[x + 1] += lead * silent;
                next[x + 2] += lead * right;
            }
            leads = next;
        }
    }
    let adaptive = (0..=n).map(|b| leads.iter().take(needed + 2 * b).sum()).collect();
    Given { adaptive, random }
}
