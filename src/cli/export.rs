//! `ecode export`: the same matrix in another format, or the claim about it as a formula.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use clap::Args;
use ecode::code::{Claim, Clauses, Formula, TieRule, deciding_sides};
use ecode::format::{Format, dimacs, opb};

use super::common::Common;
use super::ending::Ending;
use super::{input, output, values};

/// Write a matrix in another format, or the claim about it as a formula for other solvers
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode export matrix.json --to npy -o matrix.npy\n  \
                  ecode export matrix.json --to csv > matrix.csv\n  \
                  ecode export matrix.json --to opb --b 2 -o claim.opb\n  \
                  ecode export matrix.json --to dimacs -o claim.cnf\n\n\
                  opb and dimacs write the claim \"the matrix is NOT b-tolerant\": a solver that says\n\
                  unsatisfiable has shown that it is. The files' comments name the variables.")]
pub(crate) struct Export {
    /// The matrix file, or - for standard input
    file: PathBuf,
    /// What to write: the matrix in a format, or opb or dimacs, the claim that it is not b-tolerant
    #[arg(long, value_name = "FORMAT", value_parser = values::formats_and::<Target>(&["opb", "dimacs"]))]
    to: Target,
    /// Where to; - is standard output
    #[arg(long, short, default_value = "-", value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    reading: input::Reading,
    /// opb, dimacs: the number of Byzantine workers [default: the file's b]
    #[arg(long)]
    b: Option<usize>,
    /// opb, dimacs: what a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    ties: TieRule,
    /// opb, dimacs: the messages whose correct answer is 0 or 1; needed where neither stands for both
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=1), value_name = "ANSWER")]
    side: Option<u8>,
}

/// More clauses than this would not fit two gigabytes.
const MOST_EXPORTED: u64 = 1 << 23;

#[derive(Clone, Copy)]
enum Target {
    Matrix(Format),
    Opb,
    Dimacs,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "opb" => Ok(Self::Opb),
            "dimacs" => Ok(Self::Dimacs),
            _ => {
                text.parse().map(Self::Matrix).map_err(|error: ecode::format::FormatError| error.to_string())
            }
        }
    }
}

impl Export {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let file = self.reading.matrix(&self.file, &common.control())?;
        let text = match self.to {
            Target::Matrix(format) => file.to_bytes(format),
            Target::Opb | Target::Dimacs => {
                let b = self.b.or(file.b).context("the file names no b: give --b")?;
                let claim = Claim { matrix: file.matrix, b, ties: self.ties };
                anyhow::ensure!(
                    b <= claim.matrix.n(),
                    "--b {b}: there are only n = {} workers",
                    claim.matrix.n()
                );
                let correct = match (self.side, deciding_sides(&claim.matrix, self.ties).as_slice()) {
                    (Some(side), _) => side == 1,
                    (None, &[side]) => side,
                    (None, _) => anyhow::bail!(
                        "here the messages with answer 0 and those with answer 1 are two formulas: \
                         export both, with --side 0 and --side 1; b is tolerated when both are unsatisfiable"
                    ),
                };
                let clauses =
                    Clauses::count(&claim.matrix, &Formula::new(&claim.matrix, self.ties, b, correct));
                anyhow::ensure!(
                    matches!(self.to, Target::Opb) || clauses <= MOST_EXPORTED,
                    "{clauses} clauses are too many (at most {MOST_EXPORTED}); --to opb needs one line a worker"
                );
                match self.to {
                    Target::Opb => opb(&claim, correct),
                    _ => dimacs(&claim, correct),
                }
                .into_bytes()
            }
        };
        output::write(&self.output, &text)?;
        Ok(Ending::Done)
    }
}
