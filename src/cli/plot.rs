//! `ecode plot`: curves from training logs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use ecode::report::{Curve, code_label, curves_html, curves_svg, run_table};
use ecode::train::{FolderError, RunFolder, Summary};
use ecode::verify::Control;

use super::common::Common;
use super::ending::Ending;
use super::{code, input, output};

/// Draw the curves of training runs
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode plot runs/coded runs/uncoded -o curves.svg\n  ecode plot runs/* -o curves.html\n\n\
                  Runs that differ in their seed only are one curve: their mean, with a band from the lowest to the \
                  highest. A code has one colour. More than seven curves get a panel for each attack. A run at work, or killed, is drawn as far as it came."
)]
pub(crate) struct Plot {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The picture: .svg, .png, .pdf or .html
    #[arg(long, short, value_name = "FILE", default_value = "curves.svg")]
    output: PathBuf,
}

/// What a picture's name may end in.
const KINDS: [&str; 4] = ["svg", "png", "pdf", "html"];

/// Refuses a name that says no kind of picture, before anything is done for it.
pub(crate) fn kind(file: &Path) -> anyhow::Result<&str> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if !KINDS.contains(&extension) {
        bail!("{}: expected a name that ends in .svg, .png, .pdf or .html", file.display());
    }
    Ok(extension)
}

/// Reads a finished or interrupted run.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Summary, Curve)> {
    let (folder, _) = RunFolder::open(path)?;
    let summary = folder.summary()?.with_context(|| format!("{}: no summary yet", path.display()))?;
    let curve = Curve::of(&path.to_string_lossy(), &summary, folder.log()?);
    Ok((summary, curve))
}

/// Reads whatever is there of a run: one that is at work, or was killed, has no summary.
fn look(path: &Path) -> anyhow::Result<(Option<Summary>, Curve)> {
    let (folder, config) = RunFolder::open(path)?;
    let log = folder.log()?;
    if let Some(summary) = folder.summary()? {
        let curve = Curve::of(&path.to_string_lossy(), &summary, log);
        return Ok((Some(summary), curve));
    }
    let file = input::matrix(Path::new(&config.code), None, &Control::default())?;
    let g = &file.matrix;
    let verified = log.last().is_some_and(|line| line.verified);
    let redundancy = config.batch_reduction * g.redundancy();
    let size = (g.n(), file.b.filter(|_| verified), redundancy);
    let code = code_label(&code::name(&file, &config.code), size, &config.rule(), verified);
    Ok((None, Curve::unfinished(&path.to_string_lossy(), &code, &config, log)))
}

/// Writes the picture.
pub(crate) fn draw(curves: &[Curve], file: &Path) -> anyhow::Result<()> {
    let bytes = match kind(file)? {
        "svg" => curves_svg(curves)?.into_bytes(),
        "html" => curves_html(curves)?.into_bytes(),
        kind => image(curves, kind)?,
    };
    output::write(file, &bytes)
}

#[cfg(feature = "plot")]
fn image(curves: &[Curve], kind: &str) -> anyhow::Result<Vec<u8>> {
    Ok(if kind == "pdf" { ecode::report::curves_pdf(curves)? } else { ecode::report::curves_png(curves)? })
}

#[cfg(not(feature = "plot"))]
fn image(_: &[Curve], kind: &str) -> anyhow::Result<Vec<u8>> {
    let kind = kind.to_uppercase();
    bail!("this program was built without the feature 'plot', which {kind} needs; SVG and HTML do not")
}

impl Plot {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        kind(&self.output)?;
        let (mut summaries, mut curves) = (Vec::new(), Vec::new());
        let mut strays = Vec::new();
        for path in &self.runs {
            let (summary, curve) = match look(path) {
                Ok(run) => run,
                // A shell's `runs/*` names whatever lies there.
                Err(error) if is_no_run(&error) && self.runs.len() > 1 => {
                    strays.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if summary.is_none() && !common.quiet {
                let steps = curve.log.last().map_or(0, |line| line.step);
                output::remark!(
                    "note: {} has no summary: it is at work, or was killed; drawn up to step {steps}",
                    path.display()
                );
            }
            summaries.extend(summary);
            curves.push(curve);
        }
        if curves.is_empty() {
            return Err(strays.swap_remove(0));
        }
        if !common.quiet {
            strays.iter().for_each(|error| output::remark!("note: left out: {error}"));
        }
        draw(&curves, &self.output)?;
        if !summaries.is_empty() {
            output::print(&run_table(&summaries))?;
        }
        if !common.quiet {
            output::remark!("curves: {}", self.output.display());
        }
        Ok(Ending::Done)
    }
}

/// Whether there is simply no run at a path.
fn is_no_run(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(FolderError::Empty(_)))
}
