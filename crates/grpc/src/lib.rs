//! A coded vote between machines: gRPC with mutual TLS around the decisions of `ecode_server`.
//!
//! # What is promised
//! - Nobody without a certificate on the run's list of rows gets beyond the handshake, and no worker speaks for another.
//! - Whatever the holder of a certificate sends, it costs the run one deadline and its own connection: votes lie in one
//!   slot a row and block, sizes are bounded before anything is allocated, and no queue is shared.
//! - A worker that comes back is given what it missed, and votes again.
//!
//! The protocol is `proto/election.proto`: a worker may be written in any language. The server itself keeps no
//! parameters and decodes nothing: [`Server`] hands closed blocks to its caller, and takes decodes from it.

mod account;
mod client;
// Made from proto/election.proto; a test compares.
#[rustfmt::skip]
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    reason = "generated code, compared with its source by a test"
)]
mod generated;
mod happening;
mod health;
mod history;
pub mod keys;
mod scheme;
mod server;
mod service;
mod shared;
mod transport;

pub use client::{Client, ClientError, Description, Greeting, Line, News, Welcome};
pub use happening::{Account, Decode, Happening, Offer, Past, Report, ServerError, Settings, Vote};
pub use scheme::{Heard, Shares, Signed, Task};
pub use server::Server;

/// The version of the protocol. A worker of another one is told so.
pub const PROTOCOL: u32 = 1;
