//! Design and verify allocation matrices for distributed SignSGD with majority vote.
//!
//! n workers each send one sign bit a coordinate and a server takes the majority; b Byzantine workers
//! can overturn it. *Election Coding* (Sohn, Han, Choi and Moon, NeurIPS 2020) gives each worker several
//! data partitions, by an allocation matrix G, and lets it vote over them first. Some G tolerate any b
//! liars *perfectly*: for every input, whatever they send. This crate makes such G and proves it.
//!
//! ```
//! use ecode::code::{Claim, TieRule};
//! use ecode::verify::{Control, Method, VerifiedCode};
//!
//! // The paper's deterministic code for 9 workers of which 2 may lie …
//! let matrix = ecode::construct::algorithm1(9, 2)?;
//! assert_eq!(matrix.ones(), 61);
//! // … and the proof that it holds what it promises: all C(9,4) messages that matter.
//! let claim = Claim { matrix, b: 2, ties: TieRule::Adversarial };
//! let code = VerifiedCode::verify(claim, &Method::Auto, &Control::default())?.expect("tolerant");
//! assert_eq!(code.verdict().radius(), Some(Some(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rooms, imports pointing downwards only: [`report`] and [`format`](mod@format) show and store,
//! [`certificate`] keeps the evidence and checks it, [`analysis`] counts, [`verify`] decides, [`construct`]
//! makes, [`code`] is what all of it is about.
//! [`train`] learns with a code under attack,
//! [`verify`] decides, [`construct`] makes, [`code`] is what all of it is about.

pub mod analysis;
pub mod certificate;
pub mod code;
pub mod construct;
pub mod format;
pub mod report;
pub mod search;
pub mod train;
pub mod verify;
