//! `ecode/certificate/1`.

mod fields;
mod kind;
mod read;
mod write;

use serde::Deserialize;

use super::budget::MAX_FILE;
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

/// Whether a file is an object that names this schema.
pub(crate) fn has_schema(schema: &str, bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        schema: String,
    }
    bytes.len() as u64 <= MAX_FILE
        && bytes.trim_ascii_start().first() == Some(&b'{')
        && serde_json::from_slice::<Named>(bytes).is_ok_and(|file| file.schema == schema)
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
