//! `ecode merge`: from the parts of an enumeration to the verdict, or to the worst-case distortion.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use ecode::certificate::record;
use ecode::code::{TieRule, shown};
use ecode::format::verdict_json;
use ecode::verify::part::{Asked, PartError, Whole, merge};

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::output::Documents;
use super::verify::{ending, known, report};
use super::{code, distortion_parts, enumerate, input, output};

/// Put the parts that `--shard` of `verify` or `distortion` wrote together: the answer, when they cover everything
#[derive(Args)]
#[command(
    after_help = "Examples:\n  for i in 0 1 2 3; do ecode verify matrix.json --shard $i/4 -o part-$i.json; done\n  \
                  ecode merge part-*.json\n  ecode merge part-*.json --certificate record.json && ecode check record.json\n  \
                  ecode merge files-*.json --matrix mols:l=7,r=5      parts of `ecode distortion --shard`\n\n\
                  Every part is checked: its digests, that it counts as many messages as it should, and that its\n\
                  worst message replays. Parts of another claim, gaps and overlaps are refused.\n\
                  Exit codes: 0 tolerant, 1 refuted, 2 the parts do not fit together, 4 a part does not hold what it says"
)]
pub(crate) struct Merge {
    /// The parts, in any order
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// The matrix that they must be about: a file, or a construction, as in mols:l=7,r=5
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Print the answer as one JSON document
    #[arg(long)]
    json: bool,
    /// Write what was counted, as an enumeration record for `ecode check`; of a distortion, a proof
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

/// Who counted, and in how many parts.
pub(super) fn counted(whole: &Whole) -> String {
    let parts = whole.parts().len();
    format!(
        "Counted by {} in {parts} {}, which cover every choice exactly once.",
        shown(whole.program()),
        if parts == 1 { "part" } else { "parts" }
    )
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
            let matrix = code::resolve_path(path, TieRule::Adversarial, &control)?.matrix;
            anyhow::ensure!(
                matrix == *g,
                "the parts are about another matrix, {}; {} has {}",
                g.digest(),
                path.display(),
                matrix.digest()
            );
        }
        if let Asked::Distortion { .. } = whole.question().asked {
            let to = distortion_parts::To { json: self.json, certificate: self.certificate.as_deref() };
            let name = self.matrix.as_deref().map_or_else(|| g.digest(), input::name);
            return distortion_parts::merged(&whole, name, &to, &documents, &control, common);
        }
        let verdict = whole.verdict(begun.elapsed()).map_err(known)?;
        if self.json {
            output::print_verdict(&verdict_json(&verdict, g).to_string());
        } else {
            let remark = counted(&whole);
            let text = report(g, &verdict, whole.question().b(), Some(&remark));
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
