//! The search for assignments of files of which liars overturn few, where a majority is taken for each file.
//!
//! # What is promised
//! What is returned was judged by an engine of [`ecode_verify`]: that no set of liars overturns more files than is said is
//! proved where [`Assigned::is_exact`] says so. That nothing better exists is said only where a bound is met.

mod catalogue;
mod pool;
mod request;
mod rotation;
mod run;
mod walk;

pub use catalogue::{AssignedEntry, assigned_catalogue};
pub use request::AssignRequest;
pub use run::{AssignError, AssignRun, Assigned};
