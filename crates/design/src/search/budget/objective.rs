//! From counts of messages to the probability of a wrong sign, and what is minimised.

use super::loss::{Loss, binomial, choose};
use super::messages::Messages;
use super::request::BudgetRequest;

/// What the counts of a set of messages are worth.
#[derive(Clone, Debug)]
pub(super) struct Objective {
    loss: Loss,
    /// The sums that are counted: those of the loss's steps, then those that a complement must not reach.
    pub(super) thresholds: Vec<usize>,
    /// `[q][class]`: the probability of one listed message, with those that it stands for; and of its complement.
    likely: Vec<Vec<[f64; 2]>>,
    listed: Vec<u64>,
}

impl Objective {
    pub(super) fn new(request: &BudgetRequest, messages: &Messages) -> Self {
        let (k, loss) = (messages.k, Loss::of(request));
        let below = loss.steps.iter().map(|step| step.0);
        let above = loss.steps.iter().map(|step| loss.rows - step.0 + 1);
        let thresholds = below.chain(above).collect();
        let of = |&q: &f64| {
            let classes = messages.classes.iter().map(|class| {
                let one = |v: usize| binomial(k, q, v) / choose(k, class.weight) * class.each;
                // Weight k/2 holds its own complements.
                [one(class.weight), if 2 * class.weight == k { 0.0 } else { one(k - class.weight) }]
            });
            classes.collect()
        };
        let listed = messages.classes.iter().map(|class| class.listed).collect();
        Self { thresholds, likely: request.qs.iter().map(of).collect(), listed, loss }
    }

    /// How many q there are.
    pub(super) fn qs(&self) -> usize {
        self.likely.len()
    }

    /// What the messages of one class and their complements add to the error at each q.
    pub(super) fn add(&self, class: usize, counts: &[u64], errors: &mut [f64]) {
        let (reached, missed) = counts.split_at(self.loss.steps.len());
        let (mut low, mut high) = (0.0, 0.0);
        for ((&(_, jump), &reached), &missed) in self.loss.steps.iter().zip(reached).zip(missed) {
            low += jump * reached as f64;
            high += jump * (self.listed[class] - missed) as f64;
        }
        for (error, likely) in errors.iter_mut().zip(&self.likely) {
            *error += low * likely[class][0] + high * likely[class][1];
        }
    }
}

/// The geometric mean of the errors.
pub(super) fn mean(errors: &[f64]) -> f64 {
    match errors {
        [one] => *one,
        _ => (errors.iter().map(|error| error.ln()).sum::<f64>() / errors.len() as f64).exp(),
    }
}

/// P[more than `last` and fewer than k − `last` of k signs are wrong]: what the messages between are worth at most.
pub(super) fn between(k: usize, q: f64, last: usize) -> f64 {
    (last + 1..k.saturating_sub(last)).map(|v| binomial(k, q, v)).sum()
}
