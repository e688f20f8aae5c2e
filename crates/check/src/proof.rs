//! What is common to both kinds of proofs: how they fail, and how numbers stand in them.

use ecode_core::shown;

use super::budget::Stopped;
use super::inequality::Overflow;

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The text is not a proof in this format.
    #[error("line {line} is no line of a proof: {what}")]
    Malformed {
        /// The line, from 1; in a binary proof the step.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A line does not follow.
    #[error("line {line} does not follow: {what}")]
    Rejected {
        /// The line, from 1; in a binary proof the step.
        line: usize,
        /// What does not hold.
        what: String,
    },
    /// The proof needs more memory than a check may take. It may be right.
    #[error("line {line} goes beyond a limit: {what}")]
    TooLarge {
        /// The line, from 1; in a binary proof the step.
        line: usize,
        /// Which limit.
        what: String,
    },
    /// The check was stopped.
    #[error("stopped before the proof was replayed")]
    Stopped,
}

/// What goes wrong within a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Malformed(String),
    Rejected(String),
    TooLarge(String),
    Stopped,
}

impl Wrong {
    pub(crate) fn at(self, line: usize) -> ProofError {
        match self {
            Self::Malformed(what) => ProofError::Malformed { line, what },
            Self::Rejected(what) => ProofError::Rejected { line, what },
            Self::TooLarge(what) => ProofError::TooLarge { line, what },
            Self::Stopped => ProofError::Stopped,
        }
    }
}

impl From<Overflow> for Wrong {
    fn from(_: Overflow) -> Self {
        Self::Rejected("a number grows beyond 64 bits".to_owned())
    }
}

impl From<Stopped> for Wrong {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

pub(crate) fn malformed<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Malformed(what.into()))
}

pub(crate) fn rejected<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Rejected(what.into()))
}

/// A token in quotes, as an error says it.
pub(crate) fn quoted(token: &[u8]) -> String {
    format!("'{}'", shown(&String::from_utf8_lossy(token)))
}

/// A number without a sign: decimal digits and nothing else.
pub(crate) fn natural(text: &[u8]) -> Option<usize> {
    usize::try_from(integer(text).filter(|_| text[0] != b'-')?).ok()
}

/// A whole number of 64 bits: decimal digits, with a minus before them where it is negative.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits() {
        assert_eq!(natural(b"0120"), Some(120));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        for bad in ["", "-", "+1", "1_0", " 1", "1.0", "9223372036854775808", "٣"] {
            assert_eq!(integer(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(natural(b"-0"), None);
        assert_eq!(integer(&b"9".repeat(10_000_000)), None);
    }
}
