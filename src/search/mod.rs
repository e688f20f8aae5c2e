//! Finding codes with fewer ones.
//!
//! # What is promised
//! A search returns only families that pass every test of their kind; that a code made from one is
//! tolerant is then for [`crate::verify`] to say.

pub mod anneal;
mod family;

pub use family::{Effort, Quest, improve};
