//! `ecode analyze`: what a code is worth.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use ecode::analysis::{Analysis, AnalysisError, Options};
use ecode::code::TieRule;
use ecode::format::MatrixFile;
use ecode::report::{analysis_json, analysis_page, analysis_text, plain};
use ecode::verify::Shape;

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::stragglers::Missing;
use super::{input, output, values, watch};

/// How often a decode is wrong: exact error probabilities beyond the radius, with noisy gradients
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode analyze matrix.json\n  ecode analyze matrix.json --q 0.05,0.1,0.2 --coordinates 11173962\n  \
                  ecode analyze matrix.json --stragglers 2    with two votes missing, too\n  ecode analyze matrix.json --html report.html\n  ecode analyze matrix.json --json | jq .margins\n\n\
                  Each partition's sign is wrong independently with probability q. The liars are chosen at random, \
                  or fixed before the message (the worst set), or after it (adaptive). Up to about 37 partitions, \
                  or where the matrix has structure, all 2^k messages are counted and every figure is exact; \
                  beyond that messages are drawn, and every figure comes with its interval."
)]
pub(crate) struct Analyze {
    /// The matrix file (json, csv, tsv, txt, npy, npz, mtx, alist by extension), or - for standard input
    file: PathBuf,
    #[command(flatten)]
    what: What,
    /// Coordinates of the model: also report the expected number of wrong signs a step
    #[arg(long, value_name = "D")]
    coordinates: Option<u64>,
    /// So many votes are missing besides, the worst ones for each message: report how often a decode is wrong, at most
    #[arg(long, value_name = "S")]
    stragglers: Option<usize>,
    #[command(flatten)]
    reading: input::Reading,
    /// Also write a page for the browser here, with pictures; complete in itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the analysis as one JSON document
    #[arg(long)]
    json: bool,
}

/// What is computed for each code.
#[derive(Args, Clone)]
pub(crate) struct What {
    /// Probabilities that one partition's sign is wrong
    #[arg(long, value_name = "Q,…", value_delimiter = ',', default_value = "0.01,0.05,0.1,0.2,0.3")]
    pub(crate) q: Vec<f64>,
    /// What a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    ties: TieRule,
    /// Draw random messages even where all could be counted
    #[arg(long)]
    sample: bool,
    /// Messages to draw where they cannot be counted
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    draws: u64,
    /// The seed of those draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl What {
    /// The library's options.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        for q in &self.q {
            ensure!((0.0..=1.0).contains(q), "--q {}: a probability is from 0 to 1", plain(*q));
        }
        let Self { q, ties, sample, draws, seed } = self.clone();
        Ok(Options { ties, qs: q, draws, seed, sample, ..Options::default() })
    }
}

/// The parts that a file says its code is glued of, and its b.
pub(crate) fn parts(file: &MatrixFile) -> Option<(Shape, usize)> {
    super::verify::shape(file.construction.as_ref()).zip(file.b)
}

/// A contradiction has its own exit code.
pub(crate) fn told(error: AnalysisError) -> anyhow::Error {
    match error {
        AnalysisError::Contradiction { .. } => Contradiction(error.to_string()).into(),
        AnalysisError::Verify(error) => super::verify::known(error),
        error => error.into(),
    }
}

impl Analyze {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents =
            output::Documents::new(&[output::Documents::json(self.json), ("--html", self.html.as_deref())])?;
        let mut options = self.what.options()?;
        let file = self.reading.matrix(&self.file, &common.control())?;
        if let Some(missing) = self.stragglers {
            let n = file.matrix.n();
            ensure!(missing <= n, "--stragglers {missing}: there are only n = {n} workers");
        }
        options.time = common.timeout;
        options.parts = parts(&file);
        if self.html.is_some() {
            options.curves = (0..=100).map(|step| f64::from(step) / 200.0).collect();
        }
        let control = common.control();
        let analysis =
            watch::with_progress(&control, common.quiet, || Analysis::of(&file.matrix, &options, &control))
                .map_err(told)?;
        if let Some(path) = &self.html {
            let page = analysis_page(&input::name(&self.file), &analysis, self.coordinates);
            output::write(path, page.as_bytes())?;
        }
        let missing = self.stragglers.map(|missing| Missing::of(&analysis, missing));
        if self.json {
            let mut document = analysis_json(&analysis, self.coordinates);
            if let (Some(missing), Some(fields)) = (&missing, document.as_object_mut()) {
                fields.insert("stragglers".into(), missing.to_json());
            }
            output::print(&document.to_string())?;
        } else {
            let text = analysis_text(&analysis, self.coordinates, output::glyphs());
            documents.report(&(text + &missing.map_or(String::new(), |missing| missing.to_string())))?;
        }
        Ok(if analysis.complete { Ending::Done } else { Ending::Undecided })
    }
}
