//! What a scheme has cost.

use serde::{Deserialize, Serialize};

/// Counts over the steps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Partitions decoded: k a step.
    pub partitions: u64,
    /// Gradients of one partition that the workers computed, all together.
    pub gradients: u64,
    /// Those of them that helpers computed beyond the assignment.
    pub extra_gradients: u64,
    /// Round trips beyond the first of a step.
    pub extra_trips: u64,
    /// Answers that did not come.
    pub timeouts: u64,
    /// Gradients that the server computed as referee.
    pub referee_gradients: u64,
    /// Workers that lost a close dispute in a step, all together.
    #[serde(default)]
    pub close_disputes: u64,
    /// Partitions on which workers said different things.
    pub disputes: u64,
    /// Steps that were done again since one of their decodes was wrong.
    pub steps_redone: u64,
    /// The most gradients that one worker computed in a step.
    pub heaviest: u64,
    /// Bytes from all workers to the server.
    pub bytes_up: u64,
    /// Bytes from the server to all workers.
    pub bytes_down: u64,
}

impl Account {
    /// Adds what another part of the run has cost.
    pub fn add(&mut self, other: &Self) {
        self.partitions += other.partitions;
        self.gradients += other.gradients;
        self.extra_gradients += other.extra_gradients;
        self.extra_trips += other.extra_trips;
        self.timeouts += other.timeouts;
        self.referee_gradients += other.referee_gradients;
        self.disputes += other.disputes;
        self.close_disputes += other.close_disputes;
        self.steps_redone += other.steps_redone;
        self.heaviest = self.heaviest.max(other.heaviest);
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
    }
}
