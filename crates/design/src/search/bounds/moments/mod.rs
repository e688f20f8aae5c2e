//! Theorem 32 of docs/theory/bounds.md: forced wins, ties that have to be paid for, and second moments.
//!
//! # What is promised
//! - A total is excluded only where every choice of loads with it fails one of the three tests, each
//!   worked out in integers that are rounded against the claim.
//! - What is excluded by second moments is listed with the weights that show it, so that others can check it.

mod exclusion;
mod kernel;
mod shares;
mod totals;
mod weights;

pub use exclusion::Multipliers;
pub use totals::{Case, SecondMoment, second_moment};
pub use weights::{LeftOut, Weighed};
