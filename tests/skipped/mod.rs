//! A test that cannot run here says so. In continuous integration it fails: a skip is never silent.

use std::io::Write as _;

/// Notes that a test, or a part of it, was left out and why. Add the line to the file that `ECODE_SKIPPED` names,
/// which `scripts/test` prints at its end.
///
/// # Panics
/// Where `CI` is set.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "skipped in continuous integration: {what}");
    eprintln!("skipped: {what}");
    let Some(list) = std::env::var_os("ECODE_SKIPPED") else { return };
    let list = std::fs::OpenOptions::new().create(true).append(true).open(list);
    let written = list.and_then(|mut list| list.write_all(format!("{what}\n").as_bytes()));
    assert!(written.is_ok(), "the list of skipped tests cannot be written");
}
