//! `ecode/certificate/1`.

mod fields;
mod kind;
mod read;
mod write;

pub(super) use read::parse;
pub(super) use write::write;

use ecode_core::shown_sentence;

const SCHEMA: &str = "ecode/certificate/1";

/// Why a file is no certificate, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate: {0}")]
pub struct MalformedCertificate(String);

fn malformed<T>(what: impl AsRef<str>) -> Result<T, MalformedCertificate> {
    Err(MalformedCertificate(shown_sentence(what.as_ref())))
}
