//! `ecode sweep`: a grid of training runs.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use ecode::report::{Cell, Curve, sweep_table};
use ecode::train::data::Data;
use ecode::train::sweep::{Grid, GridRun};
use ecode::train::{Config, RunFolder, Summary};
use ecode::verify::Control;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

use super::train::Session;
use super::{Common, Ending, code, output, plot};

/// Train a grid of runs: settings × schemes × attacks × seeds
#[derive(Args)]
#[command(after_help = "A grid.toml:\n\n  \
    settings = [{ n = 5, b = 1 }, { n = 9, b = 2 }]\n  \
    schemes = [\"algorithm1\", \"bernoulli:r=2\", \"uncoded\", \"uncoded+median\"]\n  \
    attacks = [\"reverse\"]\n  \
    seeds = [0, 1, 2]\n  \
    [base]                       # as in the config.toml of a run\n  \
    data = \"mnist:DIR\"\n  \
    [overrides.\"uncoded+median\"] # what a scheme has instead\n  \
    lr = 0.1\n\n\
    Runs that are finished are not run again, interrupted ones go on. Prints mean and standard deviation over \
    the seeds.")]
pub(crate) struct Sweep {
    /// The grid
    grid: PathBuf,
    /// The folder of all runs [default: runs/NAME-OF-THE-GRID]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Draw the curves of all finished runs: .svg, .png or .html
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print the table as one JSON document
    #[arg(long)]
    json: bool,
}

impl Sweep {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        if let Some(file) = &self.plot {
            plot::kind(file)?;
        }
        let name = self.grid.display().to_string();
        let text = std::fs::read_to_string(&self.grid).with_context(|| name.clone())?;
        let runs = Grid::from_toml(&text).and_then(|grid| grid.runs()).with_context(|| name.clone())?;
        let stem = self.grid.file_stem().unwrap_or_default();
        let base = self.run.unwrap_or_else(|| PathBuf::from("runs").join(stem));
        let control = common.control();
        let finished = train_all(common, &control, runs, &base)?;
        let curves: Vec<_> = finished.iter().map(|run| run.curve.clone()).collect();
        if let Some(file) = self.plot.as_ref().filter(|_| !curves.is_empty()) {
            plot::draw(&curves, file)?;
            if !common.quiet {
                output::remark!("curves: {}", file.display());
            }
        }
        let cells = cells(&finished);
        if self.json {
            let cells: Vec<_> = cells.iter().map(cell_json).collect();
            output::print(&json!({"schema": "ecode/sweep/1", "cells": cells}).to_string())?;
        } else {
            output::print(&sweep_table(&cells))?;
        }
        if control.stopped() {
            output::remark!("stopped; the same command goes on with what is missing");
            return Ok(Ending::Undecided);
        }
        Ok(Ending::Done)
    }
}

/// A run of a grid that is finished.
pub(crate) struct Finished {
    pub(crate) run: GridRun,
    pub(crate) summary: Summary,
    pub(crate) curve: Curve,
}

/// Trains all runs, each in a folder of `base`, but those that are finished; until stopped. Returns the finished.
pub(crate) fn train_all(
    common: &Common,
    control: &Control,
    runs: Vec<GridRun>,
    base: &Path,
) -> anyhow::Result<Vec<Finished>> {
    let bars = MultiProgress::new();
    let bar = if common.quiet || !std::io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        let template = "{bar:30} run {pos} of {len}, {eta} left  {msg}";
        let bar = bars.add(ProgressBar::new(runs.len() as u64));
        ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
    };
    let session = Session { common, control, speak: false, bars };
    let mut data: HashMap<String, Data> = HashMap::new();
    let mut finished = Vec::new();
    for run in runs {
        if control.stopped() {
            break;
        }
        bar.set_message(run.name.clone());
        let source = run.config.data.to_string();
        let samples = match data.entry(source) {
            std::collections::hash_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => free.insert(run.config.data.load()?),
        };
        let place = base.join(&run.name);
        let summary = one(&session, &run, &place, samples).with_context(|| run.name.clone())?;
        if summary.status == "finished" {
            let (_, curve) = plot::read(&place)?;
            finished.push(Finished { run, summary, curve });
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(finished)
}

/// Trains a run, goes on with it, or reads what came of it.
fn one(session: &Session<'_>, run: &GridRun, place: &Path, data: &Data) -> anyhow::Result<Summary> {
    let file = code::resolve(&run.config.code)?;
    let mut config = run.config.clone();
    let mut resumed = None;
    if place.join("config.toml").exists() {
        let (folder, kept) = RunFolder::open(place)?;
        let asked = config.clone().settle(&file.matrix, file.b, data.train.len())?;
        let comparable =
            |config: &Config| Config { code: String::new(), data: config.data.absolute(), ..config.clone() };
        anyhow::ensure!(
            comparable(&kept) == comparable(&asked) && code::resolve(&kept.code)?.matrix == file.matrix,
            "{} holds a run of another configuration; --run DIR puts this grid elsewhere",
            place.display()
        );
        if let Some(summary) = folder.summary()?.filter(|summary| summary.status == "finished") {
            return Ok(summary);
        }
        config = kept;
        resumed = Some(folder);
    }
    let outcome = session.train(config, &file, data, |_, _| place.to_owned(), resumed, None)?;
    Ok(outcome.summary)
}

/// The runs that differ in their seed only, together.
pub(crate) fn cells<'a>(finished: impl IntoIterator<Item = &'a Finished>) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for Finished { run, summary, .. } in finished {
        let byzantine = summary.config.liars();
        let attack = run.config.attack.name();
        let value = summary.last.test_auc.unwrap_or(100.0 * summary.last.test_accuracy);
        let found = cells.iter_mut().find(|cell| {
            (cell.n, cell.b, cell.byzantine) == (run.setting.n, run.setting.b, byzantine)
                && cell.scheme == run.scheme
                && cell.attack == attack
        });
        match found {
            Some(cell) => cell.values.push(value),
            None => cells.push(Cell {
                n: run.setting.n,
                b: run.setting.b,
                byzantine,
                attack: attack.to_owned(),
                scheme: run.scheme.clone(),
                metric: if summary.last.test_auc.is_some() { "test AUC" } else { "test accuracy, %" },
                values: vec![value],
            }),
        }
    }
    cells
}

pub(crate) fn cell_json(cell: &Cell) -> serde_json::Value {
    let (mean, deviation) = cell.statistics();
    json!({
        "n": cell.n, "b": cell.b, "byzantine": cell.byzantine, "attack": cell.attack, "scheme": cell.scheme,
        "metric": cell.metric, "mean": mean, "deviation": deviation, "values": cell.values,
    })
}
