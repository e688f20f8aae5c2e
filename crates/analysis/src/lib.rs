//! What a code is worth beyond yes and no: how many messages turn how many workers, and from it the
//! probability of a wrong decode against every kind of adversary.
//!
//! # What is promised
//! - An [`Enumerator`] counts *all* 2^k messages, in integers of any size. Probabilities that are computed
//!   from it are exact but for the rounding of double precision (relative error below 10⁻⁹).
//! - A [`Sample`] is an estimate, and so is whatever comes from it: it carries intervals, and no type
//!   here holds either an exact figure or an estimate without saying which.

mod cell;
mod detection;
mod distortion;
mod draws;
mod ensemble;
mod enumeration;
mod enumerator;
mod errors;
mod estimate;
mod grace;
mod liars;
mod mean;
mod numbers;
mod radius;
mod reduce;
mod rows;
mod sample;
mod sets;
mod summary;
pub mod theory;
mod transfer;

pub use cell::{Cell, majority_of_weight};
pub use detection::{Detection, Worlds};
pub use distortion::{Spectrum, distribution, mean_distortion};
pub use draws::{DrawError, RadiusDraws};
pub use ensemble::{Ensemble, EnsembleError};
pub use enumerator::{Enumerator, How, Margins, Uncountable, enumerate};
pub use errors::{Adversary, Errors, Kind, Profile, ProfileError};
pub use estimate::Estimate;
pub use mean::MeanErrors;
pub use radius::RadiusBounds;
pub use rows::{AtQ, CurvesAtQ, Fixed, Row};
pub use sample::Sample;
pub use sets::{SetErrors, Sets, WorstSet};
pub use summary::{Analysis, AnalysisError, Evidence, Options};
