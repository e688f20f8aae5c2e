//! Training with reactive redundancy: holders of a partition send digests of their sign vectors, and only a detected lie
//! is corrected (docs/reactive.md, docs/theory/reactive.md).
//!
//! The decisions are those of [`ecode_server::reactive`]. Here are the vectors and their digests, liars that claim what an
//! [`Attack`](crate::Attack) makes, and the accounts. All workers are simulated in one process, so each partition's
//! gradient is computed once; the gradients that are *counted* are those that the workers of a deployment compute.
//!
//! # What is promised
//! While at most b workers lie:
//! - with the schemes `reactive` and `one-round` the parameters are those of the honest run, bit for bit, also after
//!   interruptions; nobody honest is named;
//! - a worker that was named stays named when a run goes on, also from a checkpoint before its naming;
//! - with scheme `checked` the same holds but for the stated risk.
//!
//! # References
//! docs/theory/reactive.md, Theorems 18 to 24.

mod account;
mod crowd;
mod journal;
mod kinds;
mod ledger;
mod lies;
mod minutes;
mod plan;
mod probe;
mod report;
mod settle;
mod shares;

pub use account::Account;
pub use ecode_server::reactive::{Certificate, NamingError, assign_apart};
pub(crate) use journal::hexadecimal;
pub use journal::{Journal, Naming};
pub use kinds::Hardware;
pub use ledger::{FellBack, Identity, Ledger};
pub use plan::{Plan, checked_risk, least_holders};
#[cfg(feature = "grpc")]
pub(crate) use probe::fingerprint;
pub use probe::{Order, probe};
pub use report::{NamedWorker, Report};

pub(crate) use crowd::Crowd;
pub(crate) use kinds::{OtherBits, Others};
pub(crate) use lies::Lies;
#[cfg(feature = "grpc")]
pub(crate) use minutes::Minutes;
#[cfg(feature = "grpc")]
pub(crate) use plan::HEADER;
#[cfg(feature = "grpc")]
pub(crate) use settle::QUESTION;
pub(crate) use settle::{Course, Failure, Table, settle};
#[cfg(feature = "grpc")]
pub(crate) use shares::Cut;
