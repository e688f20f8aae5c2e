//! `ecode sweep`: a grid of training runs.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use ecode::report::{Cell, sweep_table};
use ecode::train::Status;
use ecode::train::sweep::{Grid, GridRun};
use serde_json::json;

use super::common::Common;
use super::ending::Ending;
use super::grid::{Ended, train_all};
use super::{input, output, plot};

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
    All runs are checked before the first one starts. Runs that have ended are not run again, interrupted ones go \
    on, and a run that diverges is a result. Several processes, also on several machines with one folder, share the \
    runs of a grid: start the same command in each. Prints mean and standard deviation over the seeds.")]
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
        let control = common.control();
        let text = input::text(&self.grid, input::SMALL, &control)?;
        let runs = Grid::from_toml(&text).and_then(|grid| grid.runs()).with_context(|| name.clone())?;
        let stem = self.grid.file_stem().unwrap_or_default();
        let base = self.run.unwrap_or_else(|| PathBuf::from("runs").join(stem));
        let ended = train_all(common, &control, &runs, &base)?;
        let curves: Vec<_> = ended.iter().map(|run| run.curve.clone()).collect();
        if let Some(file) = self.plot.as_ref().filter(|_| !curves.is_empty()) {
            plot::draw(&curves, file)?;
            if !common.quiet {
                output::remark!("curves: {}", file.display());
            }
        }
        let cells = cells(&ended, &runs);
        if self.json {
            let cells: Vec<_> = cells.iter().map(cell_json).collect();
            output::print(&json!({"schema": "ecode/sweep/1", "cells": cells}).to_string())?;
        } else {
            output::print(&sweep_table(&cells))?;
        }
        if ended.len() < runs.len() {
            let (known, asked) = (ended.len(), runs.len());
            output::remark!(
                "stopped after {known} of {asked} runs; the same command goes on with what is missing"
            );
            return Ok(Ending::Undecided);
        }
        Ok(Ending::Done)
    }
}

/// The runs that differ in their seed only, together: all that were asked for, and what came of those that ended.
pub(crate) fn cells<'a>(ended: impl IntoIterator<Item = &'a Ended>, asked: &[GridRun]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let place = |cells: &mut Vec<Cell>, run: &GridRun| {
        let (n, b, byzantine) = (run.setting.n, run.setting.b, run.setting.liars());
        let attack = run.config.attack.name();
        let same = |cell: &Cell| {
            (cell.n, cell.b, cell.byzantine) == (n, b, byzantine)
                && cell.scheme == run.scheme
                && cell.attack == attack
        };
        cells.iter().position(same).unwrap_or_else(|| {
            let (attack, scheme) = (attack.to_owned(), run.scheme.clone());
            let metric = "test accuracy, %";
            let (values, asked, diverged, failed) = (Vec::new(), 0, 0, 0);
            cells.push(Cell { n, b, byzantine, attack, scheme, metric, values, asked, diverged, failed });
            cells.len() - 1
        })
    };
    for run in asked {
        let place = place(&mut cells, run);
        cells[place].asked += 1;
    }
    for Ended { run, summary, .. } in ended {
        let place = place(&mut cells, run);
        let cell = &mut cells[place];
        match summary.status {
            Status::Diverged => cell.diverged += 1,
            Status::Failed => cell.failed += 1,
            _ => {
                if summary.last.test_auc.is_some() {
                    cell.metric = "test AUC";
                }
                cell.values.push(summary.last.test_auc.unwrap_or(100.0 * summary.last.test_accuracy));
            }
        }
    }
    cells
}

pub(crate) fn cell_json(cell: &Cell) -> serde_json::Value {
    let statistics = cell.statistics();
    json!({
        "n": cell.n, "b": cell.b, "byzantine": cell.byzantine, "attack": cell.attack, "scheme": cell.scheme,
        "metric": cell.metric,
        "mean": statistics.map(|(mean, _)| rounded(mean)),
        "deviation": statistics.and_then(|(_, deviation)| deviation).map(rounded),
        "values": cell.values.iter().copied().map(rounded).collect::<Vec<_>>(),
        "asked": cell.asked, "diverged": cell.diverged, "failed": cell.failed,
    })
}

/// Without the digits that only binary fractions have: twelve decimals, far more than were measured.
fn rounded(value: f64) -> f64 {
    format!("{value:.12}").parse().unwrap_or(value)
}
