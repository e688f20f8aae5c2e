//! Certificates of lower bounds: `ecode bounds --certificate` makes them, `ecode check` reads them.

use std::path::Path;

use anyhow::Context as _;
use ecode::certificate::{BoundCertificate, Options, certify_bound, check_bound};
use ecode::verify::Control;

use super::ending::Ending;
use super::{check, output};

/// Checks the certificate and says what came of it.
pub(super) fn check(bytes: &[u8], name: &str, json: bool, control: &Control) -> anyhow::Result<Ending> {
    let certificate = BoundCertificate::parse(bytes).with_context(|| name.to_owned())?;
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_bound(&certificate, options);
    let ending = check::ending(name, &outcome)?;
    match &outcome {
        _ if json => output::print_verdict(&certificate.document(&outcome).to_string()),
        Ok(accepted) => output::print_verdict(&certificate.report(accepted)),
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
