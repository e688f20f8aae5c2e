//! Constructions of allocation matrices, one a file, and the registry of them all ([`CONSTRUCTIONS`]).
//!
//! A construction promises a shape, never a tolerance: what it makes is a plain
//! [`AllocationMatrix`](ecode_core::AllocationMatrix) until [`ecode_verify`] has looked at it. How to add one is told in
//! `registry.rs`.

mod algorithm1;
mod arguments;
mod assigned;
mod bernoulli;
mod best;
mod block;
mod block_text;
mod budget;
mod construction;
mod cyclic;
mod demand;
mod disjoint;
mod error;
mod field;
mod full;
mod gluing;
mod groups;
mod known;
mod listed;
mod mols;
mod parameter;
mod ramanujan;
mod registry;
mod repetition;
mod resized;
mod row_orders;
mod specification;
mod square;
mod subsets;
mod uncoded;

pub use algorithm1::{Algorithm1, algorithm1};
pub use arguments::Arguments;
pub use bernoulli::{Bernoulli, bernoulli};
pub use best::best_for;
pub use block::{Block, Placement};
pub use block_text::{BlockError, blocks, parse_blocks};
pub use construction::Construction;
pub use cyclic::cyclic;
pub use demand::{Demand, Objective, default_partitions};
pub use disjoint::Disjoint;
pub use error::ConstructError;
pub(crate) use error::refuse;
pub use full::full;
pub use gluing::{Gluing, part_with_most_rows};
pub use groups::groups;
pub use known::{KnownCode, Provenance};
pub use mols::mols;
pub use parameter::{Argument, Domain, Fallback, Parameter};
pub use ramanujan::ramanujan;
pub use registry::{CONSTRUCTIONS, construction};
pub use repetition::repetition;
pub use row_orders::row_orders;
pub use specification::{Built, Specification};
pub use square::{best, best_with};
pub use subsets::subsets;
pub use uncoded::uncoded;
