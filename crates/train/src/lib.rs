//! Training under attack with a code.
//!
//! One round: k partitions of a batch give k gradients, each computed once; their signs are the messages;
//! every worker votes over its partitions, Byzantine workers say what they like, and the server's majority
//! moves the parameters.
//!
//! # What is promised
//! - With a code that tolerates the Byzantine workers, odd rows and an odd number of workers, the parameters
//!   are those of a run without any, bit for bit.
//! - The same configuration and data give the same parameters, bit for bit, on any number of threads, and
//!   after any number of interruptions.
//! - A run is labelled verified only while what was proved of its matrix covers it: the liars and the lost workers
//!   together, the tie rule, and the vote. From the first other step on it says UNVERIFIED, and what is exceeded.

mod aggregate;
mod attack;
mod bits;
mod blame;
mod clock;
mod code;
mod config;
pub mod data;
mod error;
pub mod experiment;
mod folder;
mod identity;
mod metrics;
pub mod model;
mod names;
mod random;
pub mod reactive;
mod standing;
mod state;
pub mod sweep;
mod trainer;
pub mod transport;
mod vote;

pub use aggregate::{Aggregator, Moment, PreAggregation, Rule, UnknownPreAggregation};
pub use attack::{Attack, ByzantineSet, Damage, Knowledge, UnknownSet, hidden_deviations};
pub use bits::Bits;
pub use blame::{Agreement, Named, unusual};
pub use clock::ThreadClock;
pub use code::TrainingCode;
pub use config::{
    Classes, Config, ConfigError, Device, Field, FieldKind, ModelKind, MomentumAt, OnExcess, Referee,
    Schedule, Scheme, ZeroSign,
};
pub use error::TrainError;
pub use folder::{FolderError, NoCheckpoint, Program, RunFolder, Status, Summary};
pub use metrics::{Best, Metrics};
pub use random::{Purpose, stream};
pub use standing::{Excess, Lost};
pub use state::{State, Totals};
pub use trainer::{Finding, Trainer, check};
pub use vote::{Conduct, Decoded, Instructions, Vote, VoteEngine};

/// The bindings of libtorch that this crate was built with.
#[cfg(feature = "tch")]
pub use tch;
