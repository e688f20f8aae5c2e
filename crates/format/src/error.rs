//! Why a file is not a matrix, in one line.

use std::fmt;

use ecode_core::{MatrixError, shown_sentence};

/// Why a file is not a matrix: the place, what is there, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    found: String,
    expected: String,
    hint: Option<String>,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.found, self.expected)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for FormatError {}

impl FormatError {
    /// What was found may quote the file: it is escaped and cut, so that the error stays a short line.
    pub(crate) fn new(found: impl AsRef<str>, expected: impl Into<String>) -> Self {
        Self { found: one_line(found.as_ref()), expected: expected.into(), hint: None }
    }

    /// The same with what helps.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Whether it says what helps.
    pub(crate) fn has_hint(&self) -> bool {
        self.hint.is_some()
    }
}

impl From<MatrixError> for FormatError {
    fn from(error: MatrixError) -> Self {
        Self::new(error.to_string(), "a matrix of n rows of k entries")
    }
}

/// Longer quotations of a file are cut, in characters.
const LONGEST: usize = 240;
/// What is left of their end, where serde says the place.
const END: usize = 60;

/// A text as an error can quote it: without line ends and other control characters, and cut in its middle where
/// it is long.
fn one_line(text: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return shown_sentence(text);
    }
    let start: String = text.chars().take(LONGEST - END).collect();
    let end: String = text.chars().skip(length - END).collect();
    shown_sentence(&format!("{start} … {end}"))
}
