//! `ecode-verified`, the checker of certificates that is proved in Coq: where it is, and what it says.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecode::certificate::{NoOpinion, Opinion, Shown, find_program, second_opinion};
use ecode::verify::Control;

use super::ending::Contradiction;
use super::output;

/// The program's name.
const NAME: &str = "ecode-verified";

/// Where it is: in `PATH`, beside this program, or where `scripts/verified` puts it when this program stands in
/// `target/debug` or `target/release`.
pub(super) fn find() -> Option<PathBuf> {
    let built = || {
        let folder = std::env::current_exe().ok()?.parent()?.to_owned();
        let places = [folder.join(NAME), folder.parent()?.join("verified").join(NAME)];
        places.into_iter().find(|place| place.is_file())
    };
    find_program(NAME).or_else(built)
}

/// As [`find`].
///
/// # Errors
/// Where it is nowhere, with the way to get it.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    find().with_context(|| {
        format!(
            "--verified: there is no program {NAME} in PATH; scripts/verified builds it from the folder coq"
        )
    })
}

/// Its line about a certificate that was accepted here, where it says the same. Where it does not decide, what it says is
/// remarked, and there is no line.
///
/// # Errors
/// [`Contradiction`] where it says something else; what kept it from an answer.
pub(super) fn opinion(
    name: &str,
    program: &Path,
    bytes: &[u8],
    shown: Shown<'_>,
    control: &Control,
) -> anyhow::Result<Option<String>> {
    match second_opinion(program, bytes, shown, control) {
        Ok(Opinion::Agrees(line)) => Ok(Some(line)),
        Ok(Opinion::Undecided(line)) => {
            output::remark!("{name}: valid by `ecode check`, but {NAME} does not decide it: {line}");
            Ok(None)
        }
        Ok(Opinion::Differs(line)) => Err(Contradiction(format!(
            "{name}: `ecode check` accepts it, but {NAME} says \"{line}\": one of the two is wrong"
        ))
        .into()),
        Err(NoOpinion::Stopped) => {
            output::remark!("{name}: stopped before {NAME} had checked it");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("--verified: {name}")),
    }
}

/// A report's line about the second opinion, where there is one.
pub(super) fn agreed(opinion: Option<String>) -> String {
    opinion.map(|line| format!("agrees   {NAME}: {line}\n")).unwrap_or_default()
}

/// A document with the second opinion, where there is one.
pub(super) fn noted(mut document: serde_json::Value, opinion: Option<String>) -> serde_json::Value {
    if let Some(line) = opinion {
        document["second_opinion"] = line.into();
    }
    document
}
