//! `ecode check` on a certificate that `ecode distortion` wrote.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecode::certificate::{DistortionCertificate, Options, Shown, check_distortion};
use ecode::code::Formula;
use ecode::verify::Control;

use super::ending::Ending;
use super::{check, output, verified};

/// What is done with it besides.
pub(super) struct To<'a> {
    /// The folder for the formula and the proof.
    pub(super) extract: Option<&'a Path>,
    /// Whether one JSON document is printed.
    pub(super) json: bool,
    /// The checker that is proved in Coq, where it is to say the same.
    pub(super) program: Option<PathBuf>,
}

/// Replays the certificate; `matrix` is what it must be about, where that is asked.
pub(super) fn run(
    bytes: &[u8],
    name: &str,
    matrix: Option<&Path>,
    to: &To<'_>,
    control: &Control,
) -> anyhow::Result<Ending> {
    let certificate = DistortionCertificate::parse(bytes).with_context(|| name.to_owned())?;
    check::is_about(name, &certificate.matrix, matrix, control)?;
    let options = Options { stopped: &|| control.stopped(), ..Options::default() };
    let outcome = check_distortion(&certificate, options);
    let ending = check::ending(name, &outcome)?;
    let mut opinion = None;
    if let (Some(program), Ok(accepted)) = (&to.program, &outcome) {
        opinion =
            verified::opinion(name, program, bytes, Shown::Distortion(&certificate, accepted), control)?;
        if opinion.is_none() {
            return Ok(Ending::Undecided);
        }
    }
    if let Some(folder) = to.extract {
        check::prepare(folder, &["opb", "pbp"].map(|end| format!("distortion.{end}")))?;
        let formula = Formula::distortion(&certificate.matrix, certificate.liars, certificate.files);
        output::write(&folder.join("distortion.opb"), formula.opb().as_bytes())?;
        output::write(&folder.join("distortion.pbp"), certificate.proof.as_bytes())?;
    }
    match &outcome {
        _ if to.json => {
            output::print_verdict(&verified::noted(certificate.document(&outcome), opinion).to_string());
        }
        Ok(accepted) => {
            output::print_verdict(&(certificate.report(accepted) + &verified::agreed(opinion)));
        }
        Err(refused) => output::remark!("{name}: {refused}"),
    }
    Ok(ending)
}
