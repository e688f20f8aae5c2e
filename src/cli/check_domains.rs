//! `ecode check` on a certificate that `ecode verify --domains` wrote.

use std::path::Path;

use anyhow::Context as _;
use ecode::certificate::{DomainCertificate, Options, Refused, check_domains};
use ecode::format::Format;
use ecode::verify::Control;

use super::ending::{Contradiction, Ending};
use super::{input, output};

/// Replays the certificate; `matrix` is what it must be about, where that is asked.
pub(super) fn run(
    bytes: &[u8],
    name: &str,
    matrix: Option<&Path>,
    json: bool,
    control: &Control,
) -> anyhow::Result<Ending> {
    let certificate = DomainCertificate::parse(bytes).with_context(|| name.to_owned())?;
    if let Some(path) = matrix {
        let other = input::matrix(path, Format::of_path(path), control)?.matrix;
        if other != certificate.matrix {
            return Err(Contradiction(format!(
                "{name}: it is about another matrix, {}; {} has {}",
                certificate.matrix.digest(),
                path.display(),
                other.digest()
            ))
            .into());
        }
    }
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_domains(&certificate, options);
    let ending = match &outcome {
        Ok(_) => Ending::Done,
        Err(refused) if refused.exit_code() == 3 => Ending::Undecided,
        Err(Refused::Malformed(why)) => anyhow::bail!("{name}: {why}"),
        Err(refused) => return Err(Contradiction(format!("{name}: {refused}")).into()),
    };
    match &outcome {
        _ if json => output::print_verdict(&certificate.document(&outcome).to_string()),
        Ok(accepted) => output::print_verdict(&certificate.report(accepted)),
        Err(refused) => output::remark!("{name}: {refused}"),
    }
    Ok(ending)
}
