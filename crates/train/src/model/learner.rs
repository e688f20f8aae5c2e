//! Whoever computes the partitions' gradients, behind two traits, and what is asked and answered.

use crate::config::Config;
use crate::data::{Crop, Samples};
use crate::state::State;
use crate::vote::VoteEngine;
use ecode_core::Workers;

/// What failed while a model was computing: libtorch ran out of memory, most often.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(pub String);

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

/// What there is to say of a job that was computed, beside its gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Computed {
    /// The mean loss of the job's samples, in nats.
    pub loss: f64,
    /// Seconds of processor time that one thread took for it ([`ThreadClock`](crate::ThreadClock)); seconds of wall
    /// time where a device computes.
    pub seconds: f64,
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

/// Takes a computed gradient: the number of its job, and the gradient, which it may change, in pieces as
/// the model keeps it: together they are d numbers in order.
pub type Take<'a> = &'a (dyn Fn(usize, &mut [&mut [f32]]) + Sync);

/// A model whose parameters are d numbers in a stated order.
///
/// # What is promised
/// The same parameters and jobs give the same gradients, bit for bit, on the CPU however many threads work.
pub trait Learner {
    /// The model's name.
    fn name(&self) -> &'static str;

    /// Where it computes, as `--device` says it.
    fn device(&self) -> String {
        "cpu".into()
    }

    /// This learner as one that also votes where it computes, if it does.
    fn resident(&mut self) -> Option<&mut dyn Resident> {
        None
    }

    /// d, the number of parameters.
    fn dimension(&self) -> usize;

    /// The parameters before training, a function of the seed.
    fn initial(&self, seed: u64) -> Vec<f32>;

    /// Computes every job's gradient once, in any order and on any threads, and hands each to `take`.
    /// Returns what there is to say of each job, in their order.
    ///
    /// # Errors
    /// [`ModelError`].
    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError>;

    /// Tests the model.
    ///
    /// # Errors
    /// [`ModelError`].
    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError>;

    /// Computes anew, from some batches of training samples, the statistics that only the evaluation needs:
    /// for a server that computes no gradients.
    ///
    /// # Errors
    /// [`ModelError`].
    fn recalibrate(
        &mut self,
        _parameters: &[f32],
        _train: &Samples,
        _batches: &[&[u32]],
    ) -> Result<(), ModelError> {
        Ok(())
    }

    /// What must be kept besides the parameters, by name (the statistics of batch normalisation).
    ///
    /// # Errors
    /// [`ModelError`].
    fn state(&self) -> Result<Vec<(String, Vec<f32>)>, ModelError> {
        Ok(Vec::new())
    }

    /// Takes back what [`Self::state`] gave. False when it does not fit this model.
    ///
    /// # Errors
    /// [`ModelError`].
    fn restore(&mut self, state: &[(String, Vec<f32>)]) -> Result<bool, ModelError> {
        Ok(state.is_empty())
    }
}

/// What a round is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The gradients to compute: of the k partitions, then of `flipped`.
    pub jobs: &'a [Job<'a>],
    /// k.
    pub partitions: usize,
    /// The partitions of the jobs beyond the first k.
    pub flipped: &'a [usize],
    /// The step, from 0.
    pub step: u64,
    /// The rules.
    pub config: &'a Config,
    /// Who votes over what.
    pub engine: &'a VoteEngine,
    /// Who lies.
    pub liars: &'a Workers,
}

/// What came of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Each job's mean loss.
    pub losses: Vec<f64>,
    /// Wrongly decoded coordinates.
    pub wrong: u64,
    /// Mean seconds that one job took.
    pub gradient_s: f64,
}

/// A learner that keeps parameters and momentum where it computes, and votes there.
pub trait Resident {
    /// Takes over a state.
    ///
    /// # Errors
    /// [`ModelError`], as in all that follows.
    fn enter(&mut self, state: &State) -> Result<(), ModelError>;

    /// Writes what has become of it into a state of the same sizes.
    ///
    /// # Errors
    /// [`ModelError`].
    fn leave(&self, state: &mut State) -> Result<(), ModelError>;

    /// Computes gradients, signs, votes and decode, and keeps the decode until [`Self::apply`].
    ///
    /// # Errors
    /// [`ModelError`].
    fn round(&mut self, train: &Samples, request: &Request<'_>) -> Result<Report, ModelError>;

    /// Moves the parameters by the decode of the last round.
    ///
    /// # Errors
    /// [`ModelError`].
    fn apply(&mut self, lr: f32, momentum: f32, decay: f32) -> Result<(), ModelError>;
}
