//! `ecode plot`: curves from training logs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use ecode::report::{Curve, curves_html, curves_png, curves_svg, run_table};
use ecode::train::{RunFolder, Summary};

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

/// What a picture's name may end in.
const KINDS: [&str; 3] = ["svg", "png", "html"];

/// Refuses a name that says no kind of picture, before anything is done for it.
pub(crate) fn kind(file: &Path) -> anyhow::Result<&str> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if !KINDS.contains(&extension) {
        bail!("{}: expected a name that ends in .svg, .png or .html", file.display());
    }
    Ok(extension)
}

/// Reads a run.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Summary, Curve)> {
    let (folder, _) = RunFolder::open(path)?;
    let summary = folder.summary()?.with_context(|| {
        format!("{}: no summary yet; `ecode train --run {0} --resume` finishes the run", path.display())
    })?;
    let curve = Curve::of(&summary, folder.log()?);
    Ok((summary, curve))
}

/// Writes the picture.
pub(crate) fn draw(curves: &[Curve], file: &Path) -> anyhow::Result<()> {
    let bytes = match kind(file)? {
        "svg" => curves_svg(curves)?.into_bytes(),
        "png" => curves_png(curves)?,
        _ => curves_html(curves)?.into_bytes(),
    };
    output::write(file, &bytes)
}

impl Plot {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        kind(&self.output)?;
        let documents = output::Documents::new(&[("--output", Some(&self.output))])?;
        let runs: Vec<_> = self.runs.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        let (summaries, curves): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        draw(&curves, &self.output)?;
        documents.report(&run_table(&summaries))?;
        if !common.quiet {
            output::remark!("curves: {}", self.output.display());
        }
        Ok(Ending::Done)
    }
}
