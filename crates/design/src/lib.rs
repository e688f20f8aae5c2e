//! Making codes: constructions, the search for codes with fewer ones, and how few there can be.
//!
//! # What is promised
//! What is made here is a plain allocation matrix. That it is tolerant is for `ecode_verify` to say.

pub mod construct;
pub mod search;
