//! Certificates of lower bounds: `ecode bounds --certificate` makes them, `ecode check` reads them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecode::certificate::{BoundCertificate, Options, Shown, certify_bound, check_bound};
use ecode::verify::Control;

use super::ending::Ending;
use super::{check, output, verified};

/// Checks the certificate and says what came of it; `program` is the checker proved in Coq, where it is asked as well.
pub(super) fn check(
    bytes: &[u8],
    name: &str,
    (json, program): (bool, Option<PathBuf>),
    control: &Control,
) -> anyhow::Result<Ending> {
    let certificate = BoundCertificate::parse(bytes).with_context(|| name.to_owned())?;
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_bound(&certificate, options);
    let ending = check::ending(name, &outcome)?;
    let opinion = match (&program, &outcome) {
        (Some(program), Ok(accepted)) => {
            match verified::opinion(name, program, bytes, Shown::Bound(&certificate, accepted), control)? {
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

/// Writes the certificate of the strongest bound, and says where that is not the strongest of all.
pub(super) fn write(n: usize, b: usize, strongest: usize, to: &Path, quiet: bool) -> anyhow::Result<()> {
    let certificate = certify_bound(n, b)?;
    if certificate.ones < strongest && !quiet {
        output::remark!(
            "note: the certificate shows {} ones, by the rule {}; for {strongest} there is none",
            certificate.ones,
            certificate.rule.name()
        );
    }
    output::write(to, certificate.to_json().as_bytes())
}
