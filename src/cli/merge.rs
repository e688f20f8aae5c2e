//! `ecode merge`: from the parts of an enumeration to the verdict.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use ecode::certificate::record;
use ecode::code::shown;
use ecode::format::{Format, verdict_json};
use ecode::verify::part::{PartError, merge};

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::output::Documents;
use super::verify::{ending, known, report};
use super::{enumerate, input, output};

/// Put the parts that `verify --shard` wrote together: the verdict, when they cover everything
#[derive(Args)]
#[command(
    after_help = "Examples:\n  for i in 0 1 2 3; do ecode verify matrix.json --shard $i/4 -o part-$i.json; done\n  \
                  ecode merge part-*.json\n  ecode merge part-*.json --certificate record.json && ecode check record.json\n\n\
                  Every part is checked: its digests, that it counts as many messages as it should, and that its\n\
                  worst message replays. Parts of another claim, gaps and overlaps are refused.\n\
                  Exit codes: 0 tolerant, 1 refuted, 2 the parts do not fit together, 4 a part does not hold what it says"
)]
pub(crate) struct Merge {
    /// The parts, in any order
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// The matrix that they must be about
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Print the verdict as one JSON document
    #[arg(long)]
    json: bool,
    /// Write what was counted, as an enumeration record for `ecode check`
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Merge {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents =
            Documents::new(&[Documents::json(self.json), ("--certificate", self.certificate.as_deref())])?;
        let begun = Instant::now();
        let control = common.control();
        let mut parts = Vec::new();
        for path in &self.parts {
            parts.push((path.display().to_string(), enumerate::read(path, &control)?));
        }
        let whole = merge(parts).map_err(|error| match error {
            PartError::Invalid(why) => anyhow::Error::new(Contradiction(why)),
            error => error.into(),
        })?;
        let g = &whole.question().matrix;
        if let Some(path) = &self.matrix {
            let matrix = input::matrix(path, Format::of_path(path), &control)?.matrix;
            anyhow::ensure!(
                matrix == *g,
                "the parts are about another matrix, {}; {} has {}",
                g.digest(),
                path.display(),
                matrix.digest()
            );
        }
        let verdict = whole.verdict(begun.elapsed()).map_err(known)?;
        if self.json {
            output::print_verdict(&verdict_json(&verdict, g).to_string());
        } else {
            let parts = whole.parts().len();
            let remark = format!(
                "Counted by {} in {parts} {}, which cover every choice exactly once.",
                shown(whole.program()),
                if parts == 1 { "part" } else { "parts" }
            );
            let text = report(g, &verdict, whole.question().b, Some(&remark));
            if documents.on_stdout() {
                documents.report(&text)?;
            } else {
                output::print_verdict(&text);
            }
        }
        if let Some(path) = &self.certificate {
            output::write(path, record(&whole, &verdict).to_json().as_bytes())?;
        }
        Ok(ending(&verdict))
    }
}
