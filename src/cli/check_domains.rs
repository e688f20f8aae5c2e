//! `ecode check` on a certificate that `ecode verify --domains` wrote.

use std::path::Path;

use anyhow::Context as _;
use ecode::certificate::{DomainCertificate, Options, check_domains};
use ecode::verify::Control;

use super::ending::Ending;
use super::{check, output};

/// Replays the certificate; `matrix` is what it must be about, where that is asked.
pub(super) fn run(
    bytes: &[u8],
    name: &str,
    matrix: Option<&Path>,
    json: bool,
    control: &Control,
) -> anyhow::Result<Ending> {
    let certificate = DomainCertificate::parse(bytes).with_context(|| name.to_owned())?;
    check::is_about(name, &certificate.matrix, matrix, control)?;
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_domains(&certificate, options);
    let ending = check::ending(name, &outcome)?;
    match &outcome {
        _ if json => output::print_verdict(&certificate.document(&outcome).to_string()),
        Ok(accepted) => output::print_verdict(&certificate.report(accepted)),
        Err(refused) => output::remark!("{name}: {refused}"),
    }
    Ok(ending)
}
