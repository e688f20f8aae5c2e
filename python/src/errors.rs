//! What Python is told when something is wrong.

use std::fmt::Display;

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use ecode::code::TieRule;

create_exception!(
    election_coding,
    EcodeError,
    PyValueError,
    "An argument, a file or a demand that cannot be met; the text says what is wrong and where."
);
create_exception!(
    election_coding,
    Undecided,
    PyRuntimeError,
    "A verdict that is neither tolerant nor refuted was asked for its truth."
);

create_exception!(
    election_coding,
    Impossible,
    EcodeError,
    "No code can do what was asked for; the text has the theorem."
);

/// The error for this text.
pub(crate) fn bad(error: impl Display) -> PyErr {
    EcodeError::new_err(error.to_string())
}

/// The tie rule of this name.
pub(crate) fn ties(name: &str) -> PyResult<TieRule> {
    name.parse().map_err(bad)
}
