//! Why a run cannot start or go on.

use super::config::ConfigError;
use super::config::text::plain;
use super::model::ModelError;
use super::standing::Excess;

/// Why a run cannot start or go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration cannot be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// With `audit`: the decode was not the majority of the message.
    #[error(
        "audit: in step {step} the decode is wrong on {wrong} of {dimension} coordinates, with {byzantine} \
         Byzantine workers; {promise}"
    )]
    Audit {
        /// The step, from 0.
        step: u64,
        /// Wrong coordinates.
        wrong: u64,
        /// d.
        dimension: usize,
        /// How many workers lied.
        byzantine: usize,
        /// What was known of the code.
        promise: String,
    },
    /// The loss is not a number any more.
    #[error("the run diverged: the training loss is {loss} in step {step}; try a smaller learning rate (lr is {})",
            plain(f64::from(*lr)))]
    Diverged {
        /// The step, from 0.
        step: u64,
        /// The loss.
        loss: f64,
        /// The learning rate.
        lr: f32,
    },
    /// With `on-excess stop`: a step that no proof covers.
    #[error("stopped before step {}: {}", .0.step, .0.why)]
    Excess(Excess),
    /// The processes of a deployment do not fit, or one is gone.
    #[error("{0}")]
    Transport(String),
    /// The server has stopped this worker, and says why.
    #[error("{0}")]
    Dismissed(String),
    /// Stopped in the middle of a step; the state is that before it.
    #[error("stopped")]
    Interrupted,
    /// The model cannot be computed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A checkpoint that does not fit.
    #[error("the checkpoint {0}")]
    Checkpoint(String),
}
