//! Whoever computes the partitions' gradients, behind one trait.

mod logistic;

pub use logistic::Logistic;

use super::data::{Crop, Samples};

/// One gradient to compute: the mean loss of some training samples.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Indices of the samples in the training set.
    pub samples: &'a [u32],
    /// How each of them is moved; empty where nothing is.
    pub crops: &'a [Crop],
    /// Whether every label c is exchanged for (classes − 1 − c), as an attacker does who flips labels.
    pub flip_labels: bool,
}

/// How good a model is on a set of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// The share of samples whose most probable class is theirs.
    pub accuracy: f64,
    /// With two classes: the probability that a sample of class 1 is ranked above one of class 0 (ties
    /// count half), the area under the curve of true against false positives.
    pub auc: Option<f64>,
}

/// Takes a computed gradient: the number of its job, and the gradient, which it may change.
pub type Take<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// A model whose parameters are d numbers in a stated order.
///
/// # What is promised
/// The same parameters and jobs give the same gradients, bit for bit, however many threads work.
pub trait Learner {
    /// The model's name.
    fn name(&self) -> &'static str;

    /// d, the number of parameters.
    fn dimension(&self) -> usize;

    /// The parameters before training, a function of the seed.
    fn initial(&self, seed: u64) -> Vec<f32>;

    /// Computes every job's gradient once, in any order and on any threads, and hands each to `take`.
    /// Returns the jobs' mean losses.
    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Vec<f64>;

    /// Tests the model.
    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Evaluation;

    /// What must be kept besides the parameters, by name (the statistics of batch normalisation).
    fn state(&self) -> Vec<(String, Vec<f32>)> {
        Vec::new()
    }

    /// Takes back what [`Self::state`] gave. False when it does not fit this model.
    fn restore(&mut self, state: &[(String, Vec<f32>)]) -> bool {
        state.is_empty()
    }
}
