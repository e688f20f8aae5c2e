//! Failure domains: whether G tolerates any b domains whose workers all lie.
//!
//! # How
//! Where the workers of a set L of domains lie, the others must lead by |L|. That is a claim about the matrix without L
//! ([`Rest`]), which every engine takes as it takes any other. Of the sets of b domains only those are looked at that no
//! exchange of domains makes worse ([`Exchanges`]); and often one claim about the whole matrix stands for all of them: that it
//! tolerates as many workers as the b largest domains have.
//!
//! # What is promised
//! - *Refuted* holds a counterexample that was replayed by the definitions in [`ecode_core`], and names the domains.
//! - *Tolerant* is said where every set that matters was proved by a [`Verdict`](crate::Verdict) of its own, or one claim
//!   about the whole matrix that stands for all was, or the definition was tried in full. Nobody else makes a
//!   [`DomainVerdict`], nor a [`VerifiedDomains`].
//!
//! # References
//! docs/theory/domains.md, Theorems 40 to 43.

mod files;
mod oracle;
mod request;
mod rest;
mod sets;
mod verdict;
mod verified;

pub use files::DomainDistortion;
pub use oracle::{Tried, overturned_by_domains};
pub use request::DomainRequest;
pub use rest::Rest;
pub use sets::Exchanges;
pub use verdict::{DomainCase, DomainConclusion, DomainEvidence, DomainVerdict};
pub use verified::VerifiedDomains;
