//! How a command ends; `run` turns it into an exit code.

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Refuted,
    Undecided,
}

/// Two engines, or an engine and the replay, contradict each other.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Contradiction(pub(crate) String);

/// What another process has said already.
#[derive(Debug, thiserror::Error)]
#[error("stopped by rank 0")]
pub(crate) struct Silent;

/// The time was up, or the user said stop, before there was anything to say.
#[derive(Debug, thiserror::Error)]
#[error("stopped before {0}")]
pub(crate) struct Stopped(pub(crate) String);
