//! `ecode check`: replay a certificate.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use ecode::certificate::{Accepted, Certificate, Evidence, Refused, Strength, check};
use ecode::code::{Clauses, Formula};
use ecode::format::{Format, read_all};
use serde_json::json;

use super::{Contradiction, Ending, input, output};

/// Replay a certificate, with code that shares nothing with the engines
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode verify matrix.json --certificate claim.json\n  ecode check claim.json\n  \
                  ecode check claim.json --matrix matrix.json   it must be about this matrix\n  \
                  ecode check claim.json --extract proof        proof/side-0.opb, side-0.pbp for other checkers\n  \
                  veripb proof/side-0.opb proof/side-0.pbp\n\n\
                  Exit codes: 0 valid, 2 not a certificate, 4 it does not show what it claims"
)]
pub(crate) struct Check {
    /// The certificate, or - for standard input
    file: PathBuf,
    /// The matrix that it must be about
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Write the formulas and proofs into this folder, for other checkers
    #[arg(long, value_name = "FOLDER")]
    extract: Option<PathBuf>,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let name = if self.file.as_os_str() == "-" {
            "standard input".to_owned()
        } else {
            self.file.display().to_string()
        };
        let bytes = if self.file.as_os_str() == "-" {
            read_all(std::io::stdin().lock())
        } else {
            File::open(&self.file).and_then(read_all)
        }
        .with_context(|| name.clone())?;
        let certificate = Certificate::parse(&bytes).with_context(|| name.clone())?;
        let claim = &certificate.claim;
        if let Some(path) = &self.matrix {
            let matrix = input::matrix(path, Format::of_path(path))?.matrix;
            if matrix != claim.matrix {
                let (theirs, ours) = (matrix.digest(), claim.matrix.digest());
                return Err(Contradiction(format!(
                    "{name}: it is about another matrix, {ours}; {} has {theirs}",
                    path.display()
                ))
                .into());
            }
        }
        let accepted = check(&certificate).map_err(|refused| match refused {
            Refused::Invalid(why) => anyhow::Error::new(Contradiction(format!("{name}: {why}"))),
            Refused::Malformed(why) => anyhow::anyhow!("{name}: {why}"),
        })?;
        if let Some(folder) = &self.extract {
            extract(&certificate, folder)?;
        }
        if self.json {
            let document = json!({
                "schema": "ecode/check/1",
                "valid": true,
                "digest": certificate.digest,
                "n": claim.matrix.n(),
                "k": claim.matrix.k(),
                "b": claim.b,
                "ties": claim.ties.name(),
                "verdict": if accepted.tolerant { "tolerant" } else { "refuted" },
                "radius": accepted.radius,
                "checked": accepted.checked,
                "strength": match accepted.strength {
                    Strength::Proved => "proved",
                    Strength::Recounted => "recounted",
                    Strength::Stated => "stated",
                },
                "note": accepted.note,
            });
            output::print_verdict(&document.to_string());
        } else {
            output::print_verdict(&report(&certificate, &accepted));
        }
        Ok(Ending::Done)
    }
}

fn report(certificate: &Certificate, accepted: &Accepted) -> String {
    let claim = &certificate.claim;
    let can = if accepted.tolerant { "cannot overturn any vote" } else { "can overturn a vote" };
    let radius = accepted.radius.map_or(String::new(), |radius| format!(" (radius {radius})"));
    let workers = if claim.b == 1 { "worker" } else { "workers" };
    // A refutation needs no count: its counterexample was replayed.
    let (valid, condition) = match accepted.strength {
        Strength::Stated if accepted.tolerant => ("Consistent, but not proved", ", if the count is right"),
        _ => ("Valid", ""),
    };
    let mut text = format!(
        "{valid}: {} Byzantine {workers} of {} {can}{radius}{condition}.\n\nmatrix   {} × {}, {}\nties     {}\nmade by  {}\n",
        claim.b,
        claim.matrix.n(),
        claim.matrix.n(),
        claim.matrix.k(),
        certificate.digest,
        claim.ties,
        certificate.program,
    );
    for line in &accepted.checked {
        text += &format!("checked  {line}\n");
    }
    if let Some(note) = &accepted.note {
        text += &format!("note     {note}\n");
    }
    text
}

/// The formulas, made anew from the matrix, beside the proofs.
fn extract(certificate: &Certificate, folder: &std::path::Path) -> anyhow::Result<()> {
    let Some((margin, sides)) = certificate.evidence.proofs(certificate.claim.b) else {
        anyhow::bail!("--extract: this certificate has no proof to extract");
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let claim = &certificate.claim;
    for side in sides {
        let formula = Formula::below(&claim.matrix, claim.ties, margin, side.correct);
        let files = match &certificate.evidence {
            Evidence::Drat(_) => {
                [("cnf", Clauses::of(&claim.matrix, &formula).dimacs()), ("drat", side.proof.clone())]
            }
            _ => [("opb", formula.opb()), ("pbp", side.proof.clone())],
        };
        for (end, text) in files {
            let path = folder.join(format!("side-{}.{end}", u8::from(side.correct)));
            output::write(&path, text.as_bytes())?;
        }
    }
    Ok(())
}
