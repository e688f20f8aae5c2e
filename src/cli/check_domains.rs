//! `ecode check` on a certificate that `ecode verify --domains` wrote.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecode::certificate::{DomainCertificate, Options, Shown, check_domains};
use ecode::verify::Control;

use super::ending::Ending;
use super::{check, output, verified};

/// Replays the certificate; `matrix` is what it must be about, and `program` the checker proved in Coq that must say the same,
/// where these are asked.
pub(super) fn run(
    bytes: &[u8],
    name: &str,
    matrix: Option<&Path>,
    (json, program): (bool, Option<PathBuf>),
    control: &Control,
) -> anyhow::Result<Ending> {
    let certificate = DomainCertificate::parse(bytes).with_context(|| name.to_owned())?;
    check::is_about(name, &certificate.matrix, matrix, control)?;
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_domains(&certificate, options);
    let ending = check::ending(name, &outcome)?;
    let opinion = match (&program, &outcome) {
        (Some(program), Ok(accepted)) => {
            match verified::opinion(name, program, bytes, Shown::Domains(&certificate, accepted), control)? {
                Some(line) => Some(line),
                None => return Ok(Ending::Undecided),
            }
        }
        _ => None,
    };
    match &outcome {
        _ if json => {
            output::print_verdict(&verified::noted(certificate.document(&outcome), opinion).to_string());
        }
        Ok(accepted) => {
            output::print_verdict(&(certificate.report(accepted) + &verified::agreed(opinion)));
        }
        Err(refused) => output::remark!("{name}: {refused}"),
    }
    Ok(ending)
}
