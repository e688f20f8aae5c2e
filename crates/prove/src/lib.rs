//! From a verdict to its certificate: proofs in cutting planes and DRAT, records of enumerations, and
//! programs that are installed on the machine: solvers, and the checker that is proved in Coq.
//!
//! # What is promised
//! Nothing that is made here is trusted: `ecode_check` reads it as it would read a stranger's, and shares no
//! code with this crate but the definitions and the certificate's types.

mod bound;
mod database;
mod domains;
mod glue;
mod group;
mod inequality;
mod make;
mod opinion;
mod prove;
mod simplex;
#[cfg(feature = "sat")]
mod solve;
mod solver;
mod usual;

pub use domains::certify_domains;
pub use glue::certify_gluing;
pub use make::{NoCertificate, Scope, certify, certify_distortion, record};
pub use opinion::{NoOpinion, Opinion, Shown, second_opinion};
pub use prove::{MOST_BYTES, NoProof, refute};
#[cfg(feature = "sat")]
pub use solve::refute_clauses;
pub use solver::{NoSolver, SolverCommand, find_program, verify_with_solver};
pub use usual::certify_usual;
