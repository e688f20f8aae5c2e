//! What a file is that is no certificate, as far as its beginning tells.

use serde::Deserialize;

/// The fields by which a JSON document of another kind is known.
#[derive(Deserialize)]
struct Known {
    schema: Option<String>,
    #[serde(rename = "G")]
    g: Option<serde::de::IgnoredAny>,
    step: Option<serde::de::IgnoredAny>,
}

/// What the file seems to be, and what reads it; `None` where nothing is known, or it says that it is a certificate.
pub(super) fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    let first = bytes.trim_ascii_start().first().copied();
    if first == Some(b'{') {
        // Of a log the first line is a document.
        let document = serde_json::Deserializer::from_slice(bytes).into_iter::<Known>().next()?.ok()?;
        return match (document.schema.as_deref(), document.g, document.step) {
            (Some("ecode/matrix/1"), ..) | (None, Some(_), _) => Some(
                "this is a matrix; `ecode verify` decides about it, with --certificate FILE it writes one",
            ),
            (Some("ecode/part/1"), ..) => Some(
                "this is a part of an enumeration; `ecode merge` puts parts together, with --certificate FILE it writes one",
            ),
            (Some("ecode/verdict/1" | "ecode/domain-verdict/1"), ..) => Some(
                "this is a verdict, which nothing can be checked by; `ecode verify --certificate FILE` writes one",
            ),
            (Some("ecode/run/1"), ..) => {
                Some("this is the summary of a training run; `ecode plot` reads run folders")
            }
            (None, None, Some(_)) => {
                Some("this is the log of a training run; `ecode plot` reads run folders")
            }
            (Some("ecode/check/1"), ..) => Some("this is what `ecode check` said about a certificate"),
            (Some("ecode/distortion/1"), ..) => {
                Some("this is what `ecode distortion` found; with --certificate FILE it writes a certificate")
            }
            (Some("ecode/analysis/1"), ..) => Some("this is an analysis"),
            (Some("ecode/search/1"), ..) => {
                Some("this is the state of a search; `ecode search --state` goes on with it")
            }
            _ => None,
        };
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return Some("this is a NumPy array; `ecode verify` reads matrices");
    }
    let line =
        bytes.split(|&byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty())?;
    let begins = |start: &[u8]| line.trim_ascii_start().starts_with(start);
    if begins(b"* #variable=") {
        return Some("this is a formula for pseudo-Boolean solvers; a certificate is the JSON file");
    }
    if begins(b"p cnf") || begins(b"c ") {
        return Some("this is a formula for SAT solvers; a certificate is the JSON file");
    }
    if begins(b"pseudo-Boolean proof") {
        return Some("this is a proof alone; a certificate is the JSON file that holds it");
    }
    let digits = line.iter().all(|byte| matches!(byte, b'0' | b'1' | b',' | b';' | b' ' | b'\t'));
    if digits || begins(b"[[") || begins(b"[ [") {
        return Some(
            "this is a matrix; `ecode verify` decides about it, with --certificate FILE it writes one",
        );
    }
    None
}
