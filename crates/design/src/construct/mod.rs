//! Constructions of allocation matrices, one a file. A construction promises a shape, never a
//! tolerance: what it makes is a plain [`AllocationMatrix`](ecode_core::AllocationMatrix) until
//! [`ecode_verify`] has looked at it.

mod algorithm1;
mod bernoulli;
mod best;
mod classical;
mod demand;
mod disjoint;
mod gluing;

pub use algorithm1::{Algorithm1, algorithm1};
pub use bernoulli::{Bernoulli, bernoulli};
pub use best::{Best, Made, best, best_with};
pub use classical::{cyclic, full, repetition, uncoded};
pub use demand::{Demand, Objective, best_for};
pub use disjoint::Disjoint;
pub use gluing::{Block, BlockError, Gluing, Kind, blocks, known_part, parse_blocks};

use ecode_core::MatrixError;

/// Why a construction cannot be made with these parameters.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConstructError {
    /// A parameter outside its domain; the text says which and what is allowed.
    #[error("{0}")]
    Parameter(String),
    /// The sizes are not those of a matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}

pub(crate) fn parameter<T>(text: String) -> Result<T, ConstructError> {
    Err(ConstructError::Parameter(text))
}
