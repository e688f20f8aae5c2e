//! A code to train with: from a file, or made on the spot, and verified.

use std::path::Path;

use anyhow::{Context as _, bail};
use ecode::code::{Claim, TieRule};
use ecode::construct::{Built, Specification};
use ecode::format::MatrixFile;
use ecode::train::{Config, TrainingCode};
use ecode::verify::{Control, Method, Radius, Verified, VerifiedCode, verify};

use super::ending::Stopped;
use super::{budget, construct, domains_train, input, output, watch};

/// The matrix that a `--code` names, with what is said of it. `ties` is the tie rule of those who use it.
pub(crate) fn resolve(text: &str, ties: TieRule, control: &Control) -> anyhow::Result<MatrixFile> {
    if text.is_empty() {
        bail!("no code: --code takes {}", construct::examples());
    }
    if !construct::is_specification(text) {
        return input::matrix(Path::new(text), None, control);
    }
    let made = || -> anyhow::Result<MatrixFile> {
        let specification: Specification = text.parse()?;
        let Built { matrix, b, provenance } = construct::build(&specification, ties, control)?;
        Ok(MatrixFile { b, construction: Some(provenance), ..MatrixFile::plain(matrix) })
    };
    made().with_context(|| text.to_owned())
}

/// The same of a path, which need not be a text.
pub(crate) fn resolve_path(path: &Path, ties: TieRule, control: &Control) -> anyhow::Result<MatrixFile> {
    path.to_str().map_or_else(|| input::matrix(path, None, control), |text| resolve(text, ties, control))
}

/// What is to be said of a `--code` before it is used: that an even number of workers gets one partition fewer.
pub(crate) fn remark(text: &str) -> Option<String> {
    let specification: Specification =
        construct::is_specification(text).then(|| text.parse().ok()).flatten()?;
    construct::remark_on_partitions(specification.arguments.reduced_from(), "k=…")
}

/// How a matrix was made, in a word; else the file's name.
pub(crate) fn name(file: &MatrixFile, text: &str) -> String {
    let made = file.construction.as_ref().and_then(|made| made.get("name")?.as_str().map(str::to_owned));
    made.unwrap_or_else(|| {
        Path::new(text)
            .file_stem()
            .map_or_else(|| text.to_owned(), |stem| stem.to_string_lossy().into_owned())
    })
}

/// With leave to train unverified, no more is spent on a proof than this.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Verifies the matrix of a configuration: for its own b, or the b that it tolerates where it names none; for failure
/// domains, where the configuration names them.
pub(crate) fn verified(
    file: &MatrixFile,
    config: &Config,
    control: &Control,
    quiet: bool,
) -> anyhow::Result<TrainingCode> {
    let Config { code: text, ties, allow_unverified, .. } = config;
    let (ties, allow_unverified) = (*ties, *allow_unverified);
    let name = name(file, text);
    if let Some(b) = budget::liars(file) {
        let control = control.within(PATIENCE);
        let promise = watch::with_progress(&control, quiet, || budget::promise(file, b, &control));
        if !quiet {
            output::remark!("note: training with a budgeted code, which is not tolerant: {promise}");
        }
        return Ok(TrainingCode::budgeted(file.matrix.clone(), b, promise, name));
    }
    let limited = if allow_unverified { control.within(PATIENCE) } else { control.clone() };
    let domains = config.failure_domains(file.matrix.n())?;
    let code = |code| TrainingCode::verified(code, name.clone());
    let work = || -> anyhow::Result<Result<TrainingCode, String>> {
        if let Some(domains) = &domains {
            let found = domains_train::verified(file, domains, ties, &limited)?;
            return Ok(found.map(|code| TrainingCode::verified_domains(code, name.clone())));
        }
        let found = || -> anyhow::Result<Result<usize, String>> {
            let verdict = verify(&file.matrix, None, ties, Method::Auto, &limited)?;
            Ok(match verdict.radius() {
                Radius::Exactly(radius) | Radius::AtLeast(radius) => Ok(radius),
                Radius::FailsWithoutLiars => {
                    Err("some message is decoded wrong even when nobody lies".into())
                }
                Radius::Unknown => Err("what it tolerates could not be decided in time".into()),
            })
        };
        let b = match file.b.map_or_else(found, |b| Ok(Ok(b)))? {
            Ok(b) => b,
            Err(why) => return Ok(Err(why)),
        };
        let claim = Claim { matrix: file.matrix.clone(), b, ties };
        let shape = super::verify::shape(file.construction.as_ref());
        match VerifiedCode::verify_shaped(claim, shape.as_ref(), Method::Auto, &limited)? {
            Verified::Yes(found) => Ok(Ok(code(found))),
            Verified::No(verdict) if verdict.is_refuted() => {
                Ok(Err(format!("it does not tolerate its b = {b} under the tie rule {ties}")))
            }
            Verified::No(_) => {
                Ok(Err(format!("whether it tolerates its b = {b} could not be decided in time")))
            }
        }
    };
    match watch::with_progress(&limited, quiet, work)? {
        Ok(code) => Ok(code),
        Err(why) if allow_unverified => {
            if !quiet {
                output::remark!("note: training with an UNVERIFIED code: {why}");
            }
            Ok(TrainingCode::unverified(file.matrix.clone(), file.b, name))
        }
        Err(_) if control.stopped() => Err(Stopped(format!("{text} was verified")).into()),
        Err(why) => bail!(
            "{text} is not verified: {why}. `ecode verify` tells more; --allow-unverified trains with it all the same"
        ),
    }
}
