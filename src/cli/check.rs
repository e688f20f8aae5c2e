//! `ecode check`: replay a certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use ecode::certificate::{
    Certificate, Evidence, Options, Refused, Shown, check_with, is_bound, is_distortion, is_domains,
};
use ecode::code::{AllocationMatrix, Clauses, Formula};
use ecode::format::{Format, clear_leftovers};
use ecode::train::data::DataSource;
use ecode::verify::Control;

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::{bound_certificate, check_distortion, check_domains, detect, input, output, recompute, verified};

/// Replay a certificate, with code that shares nothing with the engines
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode verify matrix.json --certificate claim.json\n  ecode check claim.json\n  \
                  ecode check claim.json --matrix matrix.json   it must be about this matrix\n  \
                  ecode check claim.json --extract proof        proof/side-0.opb, side-0.pbp for other checkers\n  \
                  veripb proof/side-0.opb proof/side-0.pbp\n  \
                  ecode check record.json --recount             count again what an enumeration counted\n  \
                  ecode check distortion.json                   what `ecode distortion --certificate` wrote\n  \
                  ecode check bound.json                        what `ecode bounds --certificate` wrote\n  \
                  ecode check runs/r/naming-3.json              why a worker was named in a run\n  \
                  ecode check runs/r/naming-3.json --data mnist:DIR   compute again what it computed wrong\n  \
                  ecode check claim.json --verified             a second opinion, by the checker proved in Coq\n\n\
                  Exit codes: 0 valid, 2 not a certificate, 3 consistent but not proved, or stopped,\n\
                  4 it does not show what it claims"
)]
pub(crate) struct Check {
    /// The certificate, or - for standard input
    file: PathBuf,
    /// The matrix that it must be about
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Write the formulas and proofs into this folder, which holds nothing else yet, for other checkers
    #[arg(long, value_name = "FOLDER")]
    extract: Option<PathBuf>,
    /// Count every message of an enumeration record again, however many there are
    #[arg(long)]
    recount: bool,
    /// Ask ecode-verified as well, the checker that is proved in Coq; valid is only what both accept
    #[arg(long)]
    verified: bool,
    /// Of a naming certificate: train again with these data up to its step, without liars, and compute what it is about
    #[arg(long, value_name = "SPEC")]
    data: Option<DataSource>,
    /// With --data: the run's folder [default: that of the certificate]
    #[arg(long, value_name = "DIR", requires = "data", value_hint = clap::ValueHint::DirPath)]
    run: Option<PathBuf>,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let name = input::name(&self.file);
        let control = common.control();
        let bytes = input::bytes(&self.file, &control)?;
        if let Some(naming) = detect::naming(&bytes) {
            let naming = naming.with_context(|| name.clone())?;
            detect::replay(&naming, &name)?;
            let with = |data| recompute::With { data, run: self.run.clone() };
            let recomputed = match &self.data {
                Some(data) => match recompute::run(&naming, &self.file, &name, &with(data), common)? {
                    Ok(partition) => Some(partition),
                    Err(ending) => return Ok(ending),
                },
                None => None,
            };
            return detect::told_naming(&naming, recomputed, self.json);
        }
        ensure!(self.data.is_none(), "--data: {name} is no naming certificate, which alone is about data");
        if is_bound(&bytes) {
            let alone = self.matrix.is_none() && self.extract.is_none();
            ensure!(alone, "{name}: a lower bound is about no matrix, and has no proof to extract");
            let program = self.verified.then(verified::program).transpose()?;
            return bound_certificate::check(&bytes, &name, (self.json, program), &control);
        }
        if is_distortion(&bytes) {
            let program = self.verified.then(verified::program).transpose()?;
            let to = check_distortion::To { extract: self.extract.as_deref(), json: self.json, program };
            return check_distortion::run(&bytes, &name, self.matrix.as_deref(), &to, &control);
        }
        if is_domains(&bytes) {
            ensure!(self.extract.is_none(), "--extract: not from a certificate about failure domains");
            let program = self.verified.then(verified::program).transpose()?;
            return check_domains::run(&bytes, &name, self.matrix.as_deref(), (self.json, program), &control);
        }
        // Before the work, which may be long: there is nothing to do without it.
        let program = self.verified.then(verified::program).transpose()?;
        let certificate = Certificate::parse(&bytes).with_context(|| name.clone())?;
        let claim = &certificate.claim;
        is_about(&name, &claim.matrix, self.matrix.as_deref(), &control)?;
        let options = Options { stopped: &|| control.stopped(), recount: self.recount };
        let outcome = check_with(&certificate, options);
        let ending = ending(&name, &outcome)?;
        let opinion = match (&program, &outcome) {
            (Some(program), Ok(accepted)) => {
                match verified::opinion(
                    &name,
                    program,
                    &bytes,
                    Shown::Tolerance(&certificate, accepted),
                    &control,
                )? {
                    Some(line) => Some(line),
                    None => return Ok(Ending::Undecided),
                }
            }
            _ => None,
        };
        if let Some(folder) = &self.extract {
            extract(&certificate, folder)?;
        }
        match (certificate.report(&outcome), &outcome) {
            _ if self.json => {
                output::print_verdict(&verified::noted(certificate.document(&outcome), opinion).to_string());
            }
            (Some(report), _) => output::print_verdict(&(report + &verified::agreed(opinion))),
            (None, Err(refused)) => output::remark!("{name}: {refused}"),
            (None, Ok(_)) => {}
        }
        Ok(ending)
    }
}

/// That a certificate is about the matrix of this file, where one is named.
///
/// # Errors
/// [`Contradiction`] where it is about another one.
pub(super) fn is_about(
    name: &str,
    ours: &AllocationMatrix,
    file: Option<&Path>,
    control: &Control,
) -> anyhow::Result<()> {
    let Some(path) = file else { return Ok(()) };
    let theirs = input::matrix(path, Format::of_path(path), control)?.matrix;
    if theirs == *ours {
        return Ok(());
    }
    let (ours, theirs) = (ours.digest(), theirs.digest());
    let path = path.display();
    Err(Contradiction(format!("{name}: it is about another matrix, {ours}; {path} has {theirs}")).into())
}

/// The exit code's meaning of what a checker found.
///
/// # Errors
/// Where the file is no certificate, and [`Contradiction`] where it does not show what it claims.
pub(super) fn ending<T>(name: &str, outcome: &Result<T, Refused>) -> anyhow::Result<Ending> {
    match outcome {
        Ok(_) => Ok(Ending::Done),
        Err(refused) if refused.exit_code() == 3 => Ok(Ending::Undecided),
        Err(Refused::Malformed(why)) => anyhow::bail!("{name}: {why}"),
        Err(refused) => Err(Contradiction(format!("{name}: {refused}")).into()),
    }
}

/// The formulas, made anew from the matrix, beside the proofs.
fn extract(certificate: &Certificate, folder: &Path) -> anyhow::Result<()> {
    let Some((margin, sides)) = certificate.evidence.proofs(certificate.claim.b) else {
        anyhow::bail!("--extract: this certificate has no proof to extract");
    };
    let claim = &certificate.claim;
    let ends: [&str; 2] = match &certificate.evidence {
        Evidence::Drat(_) => ["cnf", "drat"],
        _ => ["opb", "pbp"],
    };
    let name = |correct: bool, end: &str| format!("side-{}.{end}", u8::from(correct));
    let ours: Vec<String> = sides.iter().flat_map(|side| ends.map(|end| name(side.correct, end))).collect();
    prepare(folder, &ours)?;
    for side in sides {
        let formula = Formula::below(&claim.matrix, claim.ties, margin, side.correct);
        let formula = match &certificate.evidence {
            Evidence::Drat(_) => Clauses::of(&claim.matrix, &formula).dimacs(),
            _ => formula.opb(),
        };
        for (end, text) in ends.into_iter().zip([formula.as_bytes(), side.proof.as_bytes()]) {
            output::write(&folder.join(name(side.correct, end)), text)?;
        }
    }
    Ok(())
}

/// Makes a folder for these files, which holds no others.
pub(super) fn prepare(folder: &Path, ours: &[String]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // A proof of another certificate beside these would be taken for a part of them.
    // What a killed process left of these is ours, too.
    ours.iter().for_each(|name| clear_leftovers(&folder.join(name)));
    let entries = folder.read_dir().with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?.file_name();
        ensure!(
            ours.iter().any(|name| entry == name.as_str()),
            "--extract {}: it holds {} already; name a new folder",
            folder.display(),
            entry.to_string_lossy()
        );
    }
    Ok(())
}
