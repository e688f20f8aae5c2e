//! From a claim to a verdict. Several engines, one technique a file, answer the same question: what is
//! the smallest margin over all messages? The claim "b-tolerant" holds exactly when it is at least b.
//!
//! # What is promised
//! - A `refuted` verdict holds a counterexample that was replayed through the definitions in
//!   [`ecode_core`] before it was returned.
//! - A `tolerant` verdict comes only from an engine that says it has covered every message, from the gluing
//!   theorem with every premise checked, or from proofs that were replayed here. Nobody else can make one:
//!   the fields of [`Verdict`] are private, and [`Engine`] is sealed.
//! - What is not known is said so: [`Conclusion::Undecided`] carries the bounds found so far.
//! - [`VerifiedCode`] and [`VerifiedDomains`] can be made only here.

mod bound;
mod branch;
mod control;
mod count;
mod definition;
mod distortion;
mod domains;
mod engine;
mod engines;
mod exhaustive;
mod gluing;
mod instance;
mod local;
mod method;
mod order;
pub mod part;
mod plan;
#[cfg(feature = "drat")]
mod proved;
mod race;
pub mod reduce;
#[cfg(feature = "sat")]
mod sat;
mod structure;
mod symmetry;
mod verdict;
mod verified;

pub use branch::Branch;
pub use control::Control;
pub use count::{Count, Enumeration, binomials};
pub use definition::{Definition, overturned_with_missing};
pub use distortion::{Assignment, Distortion, NoHolder};
pub use domains::{
    DomainCase, DomainConclusion, DomainDistortion, DomainEvidence, DomainRequest, DomainVerdict, Exchanges,
    Rest, Tried, VerifiedDomains, overturned_by_domains,
};
pub use ecode_core::Encoding;
pub use engine::{Engine, Finding, Goal, Unsuitable};
pub use engines::engines;
pub use exhaustive::Exhaustive;
pub use gluing::{Part, Premise, Proof, Shape, verify_by_gluing};
pub use instance::Instance;
pub use local::LocalSearch;
pub use method::{Method, UnknownMethod};
pub use order::{Component, components, narrow_order};
pub use plan::{Request, verify};
#[cfg(feature = "drat")]
pub use proved::{ProvedSide, SolverEvidence, conclude_from};
#[cfg(feature = "sat")]
pub use sat::{Library, Sat};
pub use structure::Structure;
pub use symmetry::Symmetry;
pub use verdict::{Conclusion, Radius, Verdict, VerifyError};
pub use verified::{Verified, VerifiedCode};
