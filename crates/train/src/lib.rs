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
//! - A matrix that was not verified is labelled so wherever it is shown.

mod aggregate;
mod attack;
mod bits;
mod config;
pub mod data;
pub mod experiment;
mod folder;
pub mod model;
mod random;
pub mod sweep;
mod trainer;
pub mod transport;
mod vote;

pub use aggregate::Aggregator;
pub use attack::{Attack, ByzantineSet, Scene, UnknownSet, hidden_deviations};
pub use bits::Bits;
pub use config::{Config, ConfigError, Device, ModelKind, MomentumAt, ZeroSign};
pub use folder::{FolderError, RunFolder, Summary};
pub use random::{Purpose, stream};
pub use trainer::{Metrics, State, Totals, TrainError, Trainer, TrainingCode};
pub use vote::{Conduct, Decoded, Vote, VoteEngine};
