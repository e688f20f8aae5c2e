//! `--domains FILE`: failure domains, and `verify` of a code for them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use ecode::certificate::{NoCertificate, System, certify_domains};
use ecode::code::{AllocationMatrix, Domains, TieRule, shown_sentence};
use ecode::format::{domain_verdict_json, parse_domains};
use ecode::report::domain_report;
use ecode::verify::{Control, DomainConclusion, DomainRequest, DomainVerdict, Method, Shape};

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::output::Documents;
use super::{input, output, verify, watch};

/// The flag of all commands that know failure domains.
#[derive(Args, Clone, Default)]
pub(crate) struct DomainsFlag {
    /// Failure domains: a line for each worker, the name of its host, rack or switch. Numbers of liars then count domains,
    /// of which any may lie with all their workers
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) domains: Option<PathBuf>,
}

impl DomainsFlag {
    /// The domains of n workers, where they are named.
    pub(crate) fn read(&self, n: usize, control: &Control) -> anyhow::Result<Option<Domains>> {
        self.domains.as_deref().map(|path| read(path, n, control)).transpose()
    }
}

/// Reads the domains of n workers.
pub(crate) fn read(path: &Path, n: usize, control: &Control) -> anyhow::Result<Domains> {
    let text = input::text(path, input::SMALL, control)?;
    parse_domains(&text, n).with_context(|| input::name(path))
}

/// That there are b domains.
pub(crate) fn enough(b: usize, domains: &Domains) -> anyhow::Result<()> {
    ensure!(b <= domains.len(), "--b {b}: there are only {} domains", domains.len());
    Ok(())
}

/// Decides, watched.
pub(crate) fn decide(
    g: &AllocationMatrix,
    domains: &Domains,
    b: Option<usize>,
    (ties, method): (TieRule, Method),
    shape: Option<&Shape>,
    control: &Control,
    quiet: bool,
) -> anyhow::Result<DomainVerdict> {
    let request = DomainRequest::new(g, domains).b(b).ties(ties).method(method).shape(shape);
    watch::with_unit(control, quiet, "sets of domains", || request.decide(control)).map_err(verify::known)
}

/// Writes the certificate of a verdict.
pub(crate) fn certify(
    path: &Path,
    g: &AllocationMatrix,
    domains: &Domains,
    verdict: &DomainVerdict,
    system: System,
    control: &Control,
    common: &Common,
) -> anyhow::Result<Ending> {
    let made =
        watch::with_progress(control, common.quiet, || certify_domains(g, domains, verdict, system, control));
    match made {
        Ok(certificate) => {
            output::write(path, certificate.to_json().as_bytes())?;
            Ok(ending(verdict))
        }
        Err(NoCertificate::Contradiction) => {
            Err(Contradiction(NoCertificate::Contradiction.to_string()).into())
        }
        Err(error) => {
            output::remark!("{} was not written: {error}", path.display());
            Ok(Ending::Undecided)
        }
    }
}

/// The exit code's meaning of a verdict.
pub(crate) fn ending(verdict: &DomainVerdict) -> Ending {
    match verdict.conclusion() {
        DomainConclusion::Tolerant => Ending::Done,
        DomainConclusion::Refuted(_) => Ending::Refuted,
        DomainConclusion::Undecided => Ending::Undecided,
    }
}

/// Gives the verdict to whoever asked.
pub(crate) fn publish(
    g: &AllocationMatrix,
    domains: &Domains,
    verdict: &DomainVerdict,
    asked: Option<usize>,
    json: bool,
    common: &Common,
    documents: &Documents,
) -> anyhow::Result<()> {
    let undecided = matches!(verdict.conclusion(), DomainConclusion::Undecided);
    if let Some(reason) = verdict.reason().filter(|_| common.verbose || undecided) {
        output::remark!("{}", shown_sentence(reason));
    }
    if json {
        output::print_verdict(&domain_verdict_json(verdict, g, domains).to_string());
    } else if documents.on_stdout() {
        documents.report(&domain_report(g, domains, verdict, asked))?;
    } else {
        output::print_verdict(&domain_report(g, domains, verdict, asked));
    }
    Ok(())
}
