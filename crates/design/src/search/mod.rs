//! Finding codes with fewer ones, and how few there can be.
//!
//! # What is promised
//! A search returns only families that pass every test of their kind; that a code made from one is
//! tolerant is then for [`ecode_verify`] to say.

pub mod anneal;
mod bounds;
mod catalogue;
mod exact;
mod family;
mod hunt;
mod pursue;

pub use bounds::{Bound, Exhausted, bounds, exhausted};
pub use catalogue::{CATALOGUE, Entry, catalogue};
pub use exact::{Exact, minimum, minimum_within};
pub use family::{Effort, Quest, improve, improve_beside, lighten};
pub use hunt::{Hunt, HuntError, Prey};
pub use pursue::{Limit, LimitError, Limits, limits, pursue};
