//! `ecode/certificate/1`.

mod fields;
mod kind;
mod read;
mod write;

use super::certificate::Certificate;
use ecode_core::shown_sentence;

const SCHEMA: &str = "ecode/certificate/1";

/// Why a file is no certificate, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate: {0}")]
pub struct MalformedCertificate(String);

pub(crate) use fields::{AtMost, Attack, Indices, Named, Side};
pub(crate) use read::{bit, increasing, matrix};
pub(crate) use write::rows;

pub(crate) fn malformed<T>(what: impl AsRef<str>) -> Result<T, MalformedCertificate> {
    Err(MalformedCertificate(shown_sentence(what.as_ref())))
}

impl Certificate {
    /// Reads `ecode/certificate/1`.
    ///
    /// # Errors
    /// [`MalformedCertificate`] with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedCertificate> {
        read::parse(bytes)
    }

    /// Writes `ecode/certificate/1`.
    #[must_use]
    pub fn to_json(&self) -> String {
        write::write(self)
    }
}
