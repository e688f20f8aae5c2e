//! Where a run stands: what a checkpoint keeps.

use serde::{Deserialize, Serialize};

use super::blame::Named;
use super::metrics::Best;
use super::reactive::Ledger;
use super::standing::{Excess, Lost};

/// What has been counted since the start, and since the last evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes from all workers to the server.
    pub bytes_up: u64,
    /// Bytes from the server to all workers.
    pub bytes_down: u64,
    /// Wrongly decoded coordinates in all steps.
    pub wrong: u64,
    /// The same since the last evaluation.
    pub wrong_lately: u64,
    /// Sum of the steps' losses since the last evaluation, in nats.
    pub loss_lately: f64,
    /// Steps since the last evaluation.
    pub steps_lately: u64,
    /// Seconds of training here.
    pub wall_s: f64,
    /// Estimated seconds of a deployment.
    pub deployed_s: f64,
    /// Gradients of one partition that the heaviest worker has computed.
    pub gradients: u64,
    /// Whether wrong coordinates were not counted in some steps: where nobody knows all messages, or the server
    /// takes no votes.
    pub uncounted: bool,
}

/// What must be kept to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// The d parameters.
    pub parameters: Vec<f32>,
    /// The server's momentum, d numbers.
    pub velocity: Vec<f32>,
    /// Each partition's momentum, k times d numbers; empty unless momentum is at the workers.
    pub momentum: Vec<Vec<f32>>,
    /// What the aggregator gave in the last step, d numbers; empty unless it remembers, and before the first step.
    pub joined: Vec<f32>,
    /// What the model keeps besides, by name.
    pub model: Vec<(String, Vec<f32>)>,
    /// The counts.
    pub totals: Totals,
    /// The best test so far.
    pub best: Option<Best>,
    /// The first step that no proof covers.
    pub excess: Option<Excess>,
    /// The workers that were lost, in the order of their steps.
    pub lost: Vec<Lost>,
    /// What a scheme that detects lies keeps; none with votes.
    pub ledger: Option<Ledger>,
    /// The workers that were proved to lie or to compute wrong, in the order of their steps.
    pub named: Vec<Named>,
}
