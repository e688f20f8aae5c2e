//! `ecode plot`: curves from training logs.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use ecode::report::{Curve, curves_html, curves_png, curves_svg, run_table};
use ecode::train::RunFolder;

use super::{Common, Ending, output};

/// Draw the curves of training runs
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode plot runs/coded runs/uncoded -o curves.svg\n  ecode plot runs/* -o curves.html"
)]
pub(crate) struct Plot {
    /// Run folders, finished or interrupted
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The picture: .svg, .png or .html
    #[arg(long, short, value_name = "FILE", default_value = "curves.svg")]
    output: PathBuf,
}

impl Plot {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let extension = self.output.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        if !["svg", "png", "html"].contains(&extension) {
            bail!("--output {}: expected a name that ends in .svg, .png or .html", self.output.display());
        }
        let mut summaries = Vec::new();
        let mut curves = Vec::new();
        for path in &self.runs {
            let (folder, _) = RunFolder::open(path)?;
            let summary = folder.summary()?.with_context(|| {
                format!(
                    "{}: no summary yet; `ecode train --run {0} --resume` finishes the run",
                    path.display()
                )
            })?;
            curves.push(Curve::of(&summary, folder.log()?));
            summaries.push(summary);
        }
        let bytes = match extension {
            "svg" => curves_svg(&curves)?.into_bytes(),
            "png" => curves_png(&curves)?,
            _ => curves_html(&curves)?.into_bytes(),
        };
        output::write(&self.output, &bytes)?;
        output::print(&run_table(&summaries))?;
        if !common.quiet {
            eprintln!("curves: {}", self.output.display());
        }
        Ok(Ending::Done)
    }
}
