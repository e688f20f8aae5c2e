//! What a code is worth beyond yes and no: how many messages turn how many workers, and from it the
//! probability of a wrong decode against every kind of adversary.
//!
//! # What is promised
//! - An [`Enumerator`] counts *all* 2^k messages, in integers of any size. Probabilities that are computed
//!   from it are exact but for the rounding of double precision (relative error below 10⁻⁹).
//! - A [`Sample`] is an estimate, and so is whatever comes from it: it carries intervals, and no type
//!   here holds either an exact figure or an estimate without saying which.

mod ensemble;
mod enumeration;
mod enumerator;
mod errors;
mod numbers;
mod reduce;
mod sample;
mod sets;
mod summary;
pub mod theory;
mod transfer;

pub use ensemble::{Ensemble, EnsembleError, RadiusDraws};
pub use enumerator::{Cell, Enumerator, How, Margins, Uncountable, enumerate, majority_of_weight};
pub use errors::{Adversary, Errors, Estimate, Kind, Profile, ProfileError};
pub use sample::Sample;
pub use sets::{SetErrors, Sets, WorstSet};
pub use summary::{Analysis, AnalysisError, AtQ, Evidence, Fixed, Options, Row};
