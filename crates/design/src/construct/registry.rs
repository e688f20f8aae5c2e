//! The registry of constructions: one entry each, from which the flags of `ecode design`, `NAME:key=value,…` after
//! `--code`, the provenance in matrix files, help texts and completions are made.
//!
//! # Adding a construction
//! 1. Write a file beside this one: a function that makes the matrix, and a [`Construction`] that describes it;
//!    `cyclic.rs` is a short one to start from.
//! 2. Name the file in `mod.rs` and the entry in [`CONSTRUCTIONS`].
//!
//! What `tests/constructions.rs` asks of every entry, it asks of the new one.

use super::construction::Construction;
use super::error::{ConstructError, refuse};

/// All constructions.
pub static CONSTRUCTIONS: [&Construction; 17] = [
    &super::best::CONSTRUCTION,
    &super::algorithm1::CONSTRUCTION,
    &super::gluing::CONSTRUCTION,
    &super::disjoint::CONSTRUCTION,
    &super::listed::CONSTRUCTION,
    &super::resized::CONSTRUCTION,
    &super::budget::CONSTRUCTION,
    &super::bernoulli::CONSTRUCTION,
    &super::uncoded::CONSTRUCTION,
    &super::full::CONSTRUCTION,
    &super::repetition::CONSTRUCTION,
    &super::cyclic::CONSTRUCTION,
    &super::groups::CONSTRUCTION,
    &super::mols::CONSTRUCTION,
    &super::ramanujan::CONSTRUCTION,
    &super::subsets::CONSTRUCTION,
    &super::assigned::CONSTRUCTION,
];

/// The construction of a name.
///
/// ```
/// use ecode_design::construct::{Argument, construction};
/// let group = construction("repetition")?.parameter("group").ok_or("no group")?;
/// assert_eq!(group.parse("3")?, Argument::Whole(3));
/// let error = group.parse("0").map_err(|error| error.to_string());
/// assert_eq!(error, Err("group = 0: expected a whole number from 1 to 4096".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is none, with the names that there are.
pub fn construction(name: &str) -> Result<&'static Construction, ConstructError> {
    CONSTRUCTIONS.into_iter().find(|construction| construction.name == name).map_or_else(
        || {
            let names: Vec<&str> = CONSTRUCTIONS.iter().map(|construction| construction.name).collect();
            let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
            refuse(format!("no construction is named '{shown}'; there are {}", names.join(", ")))
        },
        Ok,
    )
}
