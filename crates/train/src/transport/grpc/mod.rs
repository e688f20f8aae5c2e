//! Processes on any machines, over gRPC: the server's desk and a worker's way to it.
//!
//! # What is promised
//! - A step is decoded block by block from the votes that the election closed with, and everything that a worker
//!   sends beside its vote ends nothing.
//! - A worker that loses its server tries again; it takes the server's state where its own is of no use.
//! - A server that holds no model ([`VoteServer`]) has every decode on its disk before anybody is told: its workers' models are
//!   never ahead of it.

mod commit;
mod decodes;
mod desk;
mod elect;
mod member;
mod panel;
mod peer;
mod records;
mod running;
mod serving;
mod sessions;
mod status;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use ecode_grpc::keys;
pub use ecode_server::Wait;

pub(crate) use commit::Opening;
pub(crate) use desk::Desk;
pub use ecode_grpc::Account;
pub(crate) use elect::Electorate;
pub use member::{Member, Settled};
pub(crate) use panel::Panel;
pub(crate) use peer::News;
pub use peer::{Peer, Run};
pub use serving::{Terms, VoteServer};
pub(crate) use sessions::{Session, Sought};

/// How a server serves.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where to listen.
    pub address: SocketAddr,
    /// The folder of the server's keys.
    pub keys: PathBuf,
    /// How long a block waits for votes that are not needed.
    pub wait: Wait,
    /// How long a block waits for votes that are.
    pub patience: Duration,
    /// Whether a worker that was proved to lie or to compute wrong is left out from then on.
    pub quarantine: bool,
    /// Where to show how it stands, without a certificate; nowhere where none is given.
    pub status: Option<SocketAddr>,
    /// Bytes of a block's bits: a multiple of 8, at most 1 MiB.
    pub block_bytes: usize,
}

/// How a worker finds its server.
#[derive(Clone, Debug)]
pub struct Join {
    /// Host and port.
    pub server: String,
    /// The folder of the worker's keys.
    pub keys: PathBuf,
    /// For so long it tries to reach a server that is gone.
    pub give_up_after: Duration,
}

/// A state as it travels: parameters, then velocity, d numbers each, four little-endian bytes a number.
pub(crate) fn state_bytes(parameters: &[f32], velocity: &[f32]) -> Vec<u8> {
    parameters.iter().chain(velocity).flat_map(|value| value.to_le_bytes()).collect()
}

/// A state that has travelled: parameters, velocity, and under a scheme that detects lies the state's digest.
pub(crate) type Arrived = (Vec<f32>, Vec<f32>, Option<[u8; 32]>);

/// A state as it was sent, with its digest where `chained`; none where it has another size.
pub(crate) fn state_of(bytes: &[u8], d: usize, chained: bool) -> Option<Arrived> {
    let (values, digest) = bytes.split_at_checked(8 * d)?;
    let chain = <[u8; 32]>::try_from(digest).ok();
    if chain.is_some() != chained || (!chained && !digest.is_empty()) {
        return None;
    }
    let mut parameters: Vec<f32> =
        values.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let velocity = parameters.split_off(d);
    Some((parameters, velocity, chain))
}
