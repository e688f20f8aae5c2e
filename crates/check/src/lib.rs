//! What a verdict leaves behind for others to check, and the checker.
//!
//! # What is promised
//! - [`check`] imports the definitions in [`ecode_core`] and nothing from the engines. What it accepts
//!   follows from those definitions, from the theorems that docs/certificates.md names, and from the replay
//!   of the evidence; whatever the file merely says is compared with what is computed.
//! - The arithmetic, the propagation, the counting and the premises of the gluing theorem are written here anew. Engines
//!   and provers have their own on purpose: one mistake must not be able to hide on both sides.
//! - Files come from strangers. Memory stays below 2 GiB for a file of 128 MiB, every check can be stopped, and what
//!   is quoted from a file is one line that a terminal does not obey.

mod budget;
mod certificate;
mod check;
mod cutting_planes;
mod database;
mod distortion;
mod domains;
mod drat;
mod fewest;
mod gluing;
mod hints;
mod inequality;
mod json;
mod options;
mod outcome;
mod proof;
mod record;
mod recount;
mod report;
mod search;
mod sides;

pub use budget::{INEQUALITY, MAX_FILE, MOST_DRAT_CLAUSES, MOST_DRAT_VARIABLES, MOST_TERMS};
pub use certificate::{
    Certificate, Evidence, GluedPart, Record, RecordedPart, SideCount, SideProof, System, UnknownSystem,
    WorstCase,
};
pub use check::{check, check_with};
pub use cutting_planes::replay;
pub use distortion::{AcceptedDistortion, DistortionCertificate, check_distortion, is_distortion};
pub use domains::{AcceptedDomains, DomainCertificate, DomainProof, Proofs, check_domains, is_domains};
pub use drat::{replay_drat, replay_full_drat};
pub use fewest::{AcceptedBound, BoundCase, BoundCertificate, BoundRule, Closed, check_bound, is_bound};
pub use json::MalformedCertificate;
pub use options::Options;
pub use outcome::{Accepted, Refused, Strength, Unproved};
pub use proof::ProofError;
pub use sides::reductions;
