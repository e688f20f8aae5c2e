//! `ecode show`: the picture of G.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ecode::code::TieRule;
use ecode::format::MatrixFile;
use ecode::report::{loads, matrix_page, matrix_svg, picture, standalone};
use ecode::verify::{Method, verify};

use super::common::Common;
use super::ending::Ending;
use super::{input, output, values, watch};

/// Draw a matrix with the loads of its workers and partitions
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode show matrix.json\n  ecode show matrix.json --svg matrix.svg --html matrix.html\n\n\
                        The pictures mark the worst message and the workers that it turns wrong, where that takes no \
                        more than seconds to find."
)]
pub(crate) struct Show {
    /// The matrix file, or - for standard input
    file: PathBuf,
    #[command(flatten)]
    reading: input::Reading,
    /// Write the picture as SVG here, or - for standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the picture as a page for the browser here, or - for standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    ties: TieRule,
}

/// So long the worst message is looked for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Show {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        output::Documents::new(&[("--svg", self.svg.as_deref()), ("--html", self.html.as_deref())])?;
        let file = self.reading.matrix(&self.file, &common.control())?;
        let g = &file.matrix;
        if self.svg.is_some() || self.html.is_some() {
            return self.draw(&file, common);
        }
        let columns = g.partition_loads();
        let (least, most) = (columns.iter().min(), columns.iter().max());
        output::print(&format!(
            "n = {}, k = {}, ones = {}, r = {:.4}\nworkers' loads (workers×partitions): {}\n\
             partitions are held by {} to {} workers\n{}\n\n{}",
            g.n(),
            g.k(),
            g.ones(),
            g.redundancy(),
            loads(g),
            least.unwrap_or(&0),
            most.unwrap_or(&0),
            g.digest(),
            picture(g, None, output::glyphs())
        ))?;
        if file.verification.is_some() && !common.quiet {
            output::remark!("note: the file's verification is a claim; 'ecode verify' recomputes it");
        }
        Ok(Ending::Done)
    }

    /// The pictures as files.
    fn draw(&self, file: &MatrixFile, common: &Common) -> anyhow::Result<Ending> {
        let g = &file.matrix;
        let control = common.control().within(PATIENCE);
        let verdict = watch::with_progress(&control, common.quiet, || {
            verify(g, None, self.ties, Method::Auto, &control)
        })
        .map_err(super::verify::known)?;
        let worst = verdict.worst_case();
        if worst.is_none() && !common.quiet {
            let time = common.timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE));
            output::remark!("note: the worst message was not found in {time:?} and is not marked");
        }
        if let Some(path) = &self.svg {
            output::write(path, standalone(&matrix_svg(g, worst)).as_bytes())?;
        }
        if let Some(path) = &self.html {
            output::write(path, matrix_page(&input::name(&self.file), g, Some(&verdict)).as_bytes())?;
        }
        Ok(Ending::Done)
    }
}
