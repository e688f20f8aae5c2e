//! What a check says.

/// What a valid certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whether the code tolerates b Byzantine workers.
    pub tolerant: bool,
    /// The radius, where the certificate shows it.
    pub radius: Option<usize>,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
    /// What that rests on.
    pub strength: Strength,
    /// What a reader must know besides.
    pub note: Option<String>,
}

/// What an accepted certificate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// A proof or an attack that was replayed.
    Proved,
    /// The premises of a theorem of docs/theory.md, which were checked on the matrix.
    Theorem,
    /// A count of all messages, which the checker did again.
    Recounted,
}

impl Strength {
    /// Its name in documents: `proved`, `theorem` or `recounted`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Theorem => "theorem",
            Self::Recounted => "recounted",
        }
    }
}

/// A certificate without a contradiction that shows nothing: a count whose result would have to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// What the radius is said to be.
    pub radius: Option<usize>,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
    /// Why it shows nothing, and what would.
    pub note: String,
}

/// Why a certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A part of it is not what it should be at all.
    #[error("{0}")]
    Malformed(String),
    /// It does not show what it claims.
    #[error("{0}")]
    Invalid(String),
    /// It may be right, and shows nothing: a tolerant claim that rests on a count.
    #[error("consistent, but not proved: {}", .0.note)]
    Unproved(Box<Unproved>),
    /// It may be right: to check it takes more memory than a check may take.
    #[error("{0}")]
    TooLarge(String),
    /// The check was stopped.
    #[error("stopped before everything was checked")]
    Stopped,
}

impl Refused {
    /// The exit code of a checker that says so: 2 not a certificate, 3 not proved, 4 it does not show what it claims.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Malformed(_) => 2,
            Self::Unproved(_) | Self::TooLarge(_) | Self::Stopped => 3,
            Self::Invalid(_) => 4,
        }
    }
}

impl From<super::budget::Stopped> for Refused {
    fn from(_: super::budget::Stopped) -> Self {
        Self::Stopped
    }
}

pub(crate) fn invalid<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Invalid(what.into()))
}
