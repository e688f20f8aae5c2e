//! What a run comes to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::blame::{Agreement, Named};
use crate::config::Config;
use crate::error::TrainError;
use crate::metrics::{Best, Metrics};
use crate::names::named;
use crate::reactive::Report;
use crate::standing::Lost;
use crate::trainer::Trainer;

/// `ecode/run/1`, the schema of a run's folder.
pub(super) const SCHEMA: &str = "ecode/run/1";

named! {
    /// How a run stands.
    pub enum Status {
        /// All steps are done.
        Finished = "finished",
        /// It was stopped, and can go on.
        #[default]
        Interrupted = "interrupted",
        /// The loss became infinite or no number: that is its result.
        Diverged = "diverged",
        /// With `audit`: a decode was wrong, which is its result.
        Failed = "failed",
        /// With `on-excess stop`: more workers lie or are lost than the code is verified for. It can go on.
        Stopped = "stopped",
    }
}

impl Status {
    /// Whether nothing more will come of the run.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Diverged | Self::Failed)
    }

    /// What an error in the middle of a run makes of it; none where it says nothing about the run.
    #[must_use]
    pub fn after(error: &TrainError) -> Option<Self> {
        match error {
            TrainError::Diverged { .. } => Some(Self::Diverged),
            TrainError::Audit { .. } => Some(Self::Failed),
            TrainError::Excess(_) => Some(Self::Stopped),
            TrainError::Transport(_) => Some(Self::Interrupted),
            _ => None,
        }
    }
}

/// The program that made something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The revision of its source, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// What a finished run, or one on its way, comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `ecode/run/1`.
    pub schema: String,
    /// The program that ran it last.
    #[serde(default)]
    pub program: Program,
    /// How it stands.
    pub status: Status,
    /// Why it ended early, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Steps done.
    pub steps: u64,
    /// The code: digest, name, n, k, b (verified), r, load; and `verified`, whether the proof covers this run.
    pub code: Value,
    /// From which step on the proof does not cover this run, and what is exceeded.
    #[serde(default)]
    pub unverified: Option<String>,
    /// The workers that were lost.
    #[serde(default)]
    pub lost: Vec<Lost>,
    /// The workers that were proved to lie or to compute wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Named>,
    /// How the votes of workers that are other processes compare with the decodes, since this server was started: in
    /// the order of the rows. Statistics, no proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreement: Vec<Agreement>,
    /// The last line of the log.
    #[serde(rename = "final")]
    pub last: Metrics,
    /// The best test: by the area under the curve where there is one, else by accuracy.
    pub best: Option<Best>,
    /// Wrongly decoded coordinates in all steps; none where they were not all counted.
    pub wrong: Option<u64>,
    /// SHA-256 of the parameters: in the model's order, four little-endian bytes each.
    pub parameters_digest: String,
    /// d.
    pub parameters: usize,
    /// Bytes that a worker sends and receives in a step (the largest of each).
    pub bytes_per_step: Value,
    /// The whole configuration, with the number of liars filled in.
    pub config: Config,
    /// What a scheme that detects lies has cost, and whom it named; none with votes.
    #[serde(flatten)]
    pub detection: Option<Report>,
}

/// The code, and whether the proof covers the run.
fn code(trainer: &Trainer) -> Value {
    let code = trainer.code();
    let g = code.matrix();
    let mut told = json!({
        "digest": g.digest(),
        "name": code.name(),
        "n": g.n(),
        "k": g.k(),
        "b": code.tolerates(),
        "ties": trainer.config().ties.name(),
        "r": g.redundancy(),
        "r_eff": trainer.config().batch_reduction * g.redundancy(),
        "max_load": g.worker_loads().into_iter().max(),
        "verified": trainer.unverified().is_none(),
    });
    if let Some(verified) = code.domains() {
        // `b` counts workers; so many domains were verified.
        told["domains"] = json!({ "b": verified.b(), "of": verified.domains().len() });
    }
    if let Some(promise) = code.budget() {
        told["budgeted"] = json!(promise);
    }
    told
}

/// Bytes that a worker sends and receives in a step, the largest of each.
fn bytes_per_step(trainer: &Trainer) -> Value {
    let bytes: Vec<(u64, u64)> =
        (0..trainer.code().matrix().n()).map(|j| trainer.bytes_per_step(j)).collect();
    json!({
        "up": bytes.iter().map(|bytes| bytes.0).max(),
        "down": bytes.iter().map(|bytes| bytes.1).max(),
    })
}

impl Trainer {
    /// What the run comes to, with the last line of its log.
    ///
    /// # Errors
    /// [`TrainError::Model`] where the parameters cannot be read from a GPU.
    pub fn summary(&mut self, last: Metrics, program: &Program) -> Result<Summary, TrainError> {
        let digest = self.parameters_digest()?;
        let state = self.state();
        Ok(Summary {
            schema: SCHEMA.into(),
            program: program.clone(),
            status: if self.finished() { Status::Finished } else { Status::Interrupted },
            reason: None,
            steps: state.step,
            code: code(self),
            unverified: self.unverified(),
            lost: state.lost.clone(),
            named: state.named.clone(),
            agreement: self.agreements().to_vec(),
            last,
            best: state.best,
            wrong: (!state.totals.uncounted).then_some(state.totals.wrong),
            parameters_digest: digest,
            parameters: self.dimension(),
            bytes_per_step: bytes_per_step(self),
            config: self.config().clone(),
            detection: self.report(),
        })
    }
}
