//! What a server is started with, and what its caller hears.

use std::net::SocketAddr;

use bytes::Bytes;
use ecode_server::reactive::Header;
use ecode_server::{Cut, Rules};

use super::keys::KeysError;
use super::scheme::Heard;

/// What the server and its workers must agree on.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The program and its version.
    pub version: String,
    /// The matrix's digest.
    pub matrix: String,
    /// The configuration's digest.
    pub config: String,
    /// The data's digest.
    pub data: String,
    /// The configuration itself, in TOML.
    pub config_text: String,
    /// The matrix itself, in JSON.
    pub matrix_text: String,
    /// Where the server's data lie.
    pub data_text: String,
    /// Under a scheme: what workers must get where they compute the same gradients as the server; none compares nothing.
    pub probe: Option<[u8; 32]>,
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The rules of the election. The number of blocks follows from `dimension` and `block_bytes`.
    pub rules: Rules,
    /// Coordinates of a vote.
    pub dimension: usize,
    /// Bytes of a block's bits, at most 1 MiB.
    pub block_bytes: usize,
    /// The step to begin with.
    pub step: u64,
    /// The run, for people and for workers that serve many.
    pub run: u64,
    /// Another number each time that the server is started.
    pub incarnation: u64,
    /// What is agreed on.
    pub offer: Offer,
    /// The most losses that a worker reports: partitions of a row.
    pub most_losses: usize,
    /// Whether each row can be silent on a coordinate. The votes of such a row have a second plane of bits.
    pub can_be_silent: Vec<bool>,
    /// Under a scheme that detects lies: how many partitions there are. Then no votes are taken, and the caller asks.
    pub partitions: Option<usize>,
}

/// What a server that holds no model is started with besides: the decodes that it has told before.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The first step whose decodes are all here; those of the steps from then on, up to [`Settings::step`].
    pub from: u64,
    /// In their order.
    pub decodes: Vec<Decode>,
    /// So many bytes of decodes are kept for workers that come back.
    pub most: usize,
}

/// What came out of a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decode {
    /// The step.
    pub step: u64,
    /// The block.
    pub block: usize,
    /// Where the decode is negative, a bit a coordinate.
    pub negative: Bytes,
    /// Where the vote was a tie; empty where it never was.
    pub tied: Bytes,
    /// The mean loss, as far as workers said it.
    pub loss: f64,
    /// How the step came about; in its last block, where somebody wants to know.
    pub account: Option<Account>,
}

/// How a step came about and where the workers stand: for logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The most votes that were missing in a block of the step.
    pub missing: usize,
    /// Whether every block of it is proved to be the majority.
    pub verified: bool,
    /// Rows that nobody waits for, and since which step.
    pub lost: Vec<(usize, u64)>,
    /// Rows that were proved to lie or to compute wrong, and in which step.
    pub named: Vec<(usize, u64)>,
    /// Rows that differ from the decodes unusually often among those of their load. Statistics, no proof.
    pub unusual: Vec<usize>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The keys are not usable.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// TLS cannot be set up with them.
    #[error("the keys cannot be used: {0}")]
    Tls(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
}

/// A worker's vote on a block: a bit a coordinate, packed, lowest first; bits beyond the last coordinate are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Where the sign is negative.
    pub negative: Bytes,
    /// Where the worker sends nothing; none where it votes on all.
    pub silent: Option<Bytes>,
}

/// What a worker said beside its vote. Nothing of a run may rest on it: any number may be in it, NaN too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The loss of each partition of its row.
    pub losses: Vec<f32>,
    /// Seconds of a gradient.
    pub gradient_s: f32,
}

/// What a server's caller hears.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// A block is closed: decode it and [`Server::announce`](super::Server::announce) what came out.
    Closed {
        /// The step.
        step: u64,
        /// The block.
        block: usize,
        /// Each row's vote.
        votes: Vec<Option<Vote>>,
        /// Whether the decode is proved exact.
        verified: bool,
    },
    /// A row has connected.
    Joined {
        /// The row.
        row: usize,
        /// The program that it says it is.
        version: String,
        /// What came of the gradients that all compute when they join, as it says.
        probe: Bytes,
    },
    /// Nobody waits for a row any more.
    Lost {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
    },
    /// A row is awaited again.
    Back {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
    },
    /// A connection of a row was ended, and why.
    Cut {
        /// The row.
        row: usize,
        /// Why.
        why: Cut,
    },
    /// A worker reported.
    Reported {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
        /// What it said.
        report: Report,
    },
    /// Under a scheme: a row's connection has ended, and it has no other.
    Left {
        /// The row.
        row: usize,
    },
    /// Under a scheme: a row that was asked has been heard.
    Heard {
        /// The row.
        row: usize,
        /// The step that it is of. The caller may be in a later one by now, of which it says nothing.
        of: Header,
        /// What it sent.
        heard: Heard,
    },
    /// A worker needs a state: call [`Server::keep_state`](super::Server::keep_state) with that before the present
    /// step. It waits.
    StateWanted,
    /// More votes are missing than the proof allows; the run is over.
    Stopped {
        /// The step, which was not done.
        step: u64,
        /// Missing votes.
        missing: usize,
        /// So many may miss.
        may_miss: usize,
    },
}
