//! Why a construction has no code.

use ecode_core::MatrixError;

/// Why a construction cannot be made with these parameters.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstructError {
    /// A parameter outside its domain; the text says which and what is allowed.
    #[error("{0}")]
    Parameter(String),
    /// The sizes are not those of a matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}

pub(crate) fn refuse<T>(text: impl Into<String>) -> Result<T, ConstructError> {
    Err(ConstructError::Parameter(text.into()))
}
