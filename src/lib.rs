//! Design and verify allocation matrices for distributed SignSGD with majority vote.
//!
//! n workers each send one sign bit a coordinate and a server takes the majority; b Byzantine workers
//! can overturn it. *Election Coding* (Sohn, Han, Choi and Moon, NeurIPS 2020) gives each worker several
//! data partitions, by an allocation matrix G, and lets it vote over them first. Some G tolerate any b
//! liars *perfectly*: for every input, whatever they send. This crate makes such G and proves it.
//!
//! ```
//! use ecode::code::{Claim, TieRule};
//! use ecode::verify::{Control, Method, Radius, Verified, VerifiedCode};
//!
//! // The paper's deterministic code for 9 workers of which 2 may lie …
//! let matrix = ecode::construct::algorithm1(9, 2)?;
//! assert_eq!(matrix.ones(), 61);
//! // … and the proof that it holds what it promises: all C(9,4) messages that matter.
//! let claim = Claim { matrix, b: 2, ties: TieRule::Adversarial };
//! let Verified::Yes(code) = VerifiedCode::verify(claim, Method::Auto, &Control::default())? else {
//!     panic!("two of nine are outvoted");
//! };
//! assert_eq!((code.b(), code.verdict().radius()), (2, Radius::Exactly(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate is a facade: each module is a crate of its own, and a program that needs one of them depends on
//! that one alone. ARCHITECTURE.md has the map.

#[cfg(feature = "cli")]
extern crate self as ecode;

mod bound_certificate;
#[cfg(feature = "cli")]
pub mod cli;

pub use ecode_analysis as analysis;
pub use ecode_core as code;
pub use ecode_design::{construct, search};
pub use ecode_format as format;
pub use ecode_report as report;
pub use ecode_train as train;
pub use ecode_verify as verify;

/// Certificates: what a verdict leaves behind for others to check, how it is made, and the checker.
pub mod certificate {
    pub use crate::bound_certificate::certify_bound;
    pub use ecode_check::*;
    pub use ecode_prove::*;
}
