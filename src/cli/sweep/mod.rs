//! `ecode sweep`: a grid of training runs.

mod cells;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use ecode::report::{Cell, comparison_tables, sweep_table, swept_csv, worth_svg};
use ecode::train::sweep::{Choice, Grid, GridRun, Validated, choices};
use ecode::verify::Control;
use serde_json::json;

use super::common::Common;
use super::ending::Ending;
use super::grid::{Ended, train_all};
use super::{input, output, plot};

pub(crate) use cells::{cell_json, cells};

/// Train a grid of runs: settings × axes × schemes × choices × attacks × seeds
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
    What every scheme meets, any key of a configuration, and what each scheme gets the best of, chosen by samples that are held \
    out of the training samples, under the attack that is worst for it, with the seeds tune-seeds:\n\n  \
    tune-seeds = [0]\n  \
    [base]\n  \
    validation = 0.1\n  \
    [axes]\n  \
    gradient-noise = [0.0, 0.1]\n  \
    [[tune]]\n  \
    schemes = [\"algorithm1\", \"uncoded\"]\n  \
    lr = [1e-4, 1e-3]\n  \
    momentum-at = [\"server\", \"worker\"]\n\n\
    All runs are checked before the first one starts. Runs that have ended are not run again, interrupted ones go \
    on, and a run that diverges is a result. Several processes, also on several machines with one folder, share the \
    runs of a grid: start the same command in each. Prints mean and standard deviation over the seeds; runs.csv in the folder has \
    every run behind them.")]
pub(crate) struct Sweep {
    /// The grid
    grid: PathBuf,
    /// The folder of all runs [default: runs/NAME-OF-THE-GRID]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Draw the curves of all finished runs behind the table: .svg, .png, .pdf or .html
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Draw what each scheme gives under its worst attack, beside what it computes, as SVG
    #[arg(long, value_name = "FILE")]
    worth: Option<PathBuf>,
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
        let grid = Grid::from_toml(&text).with_context(|| name.clone())?;
        let stem = self.grid.file_stem().unwrap_or_default();
        let base = self.run.clone().unwrap_or_else(|| PathBuf::from("runs").join(stem));
        let swept = Swept::of(common, &control, &grid, &base).with_context(|| name.clone())?;
        let shown = |run: &GridRun| swept.shown.iter().any(|shown| shown.name == run.name);
        let curves: Vec<_> =
            swept.ended.iter().filter(|run| shown(&run.run)).map(|run| run.curve.clone()).collect();
        if let Some(file) = self.plot.as_ref().filter(|_| !curves.is_empty()) {
            plot::draw(&curves, file)?;
            if !common.quiet {
                output::remark!("curves: {}", file.display());
            }
        }
        swept.keep(&base)?;
        let cells = cells(swept.ended.iter().filter(|run| shown(&run.run)), &swept.shown);
        if let Some(file) = &self.worth
            && let Some(picture) = worth_svg(&cells)
        {
            output::write(file, picture.as_bytes())?;
        }
        if self.json {
            output::print(&swept.json(&cells).to_string())?;
        } else if grid.axes.is_empty() && grid.tune.is_empty() {
            output::print(&sweep_table(&cells))?;
        } else {
            output::print(&comparison_tables(&cells))?;
        }
        if swept.ended.len() < swept.asked {
            let (known, asked) = (swept.ended.len(), swept.asked);
            let more = if swept.choosing { ", before anything is chosen" } else { "" };
            output::remark!(
                "stopped after {known} of {asked} runs{more}; the same command goes on with what is missing"
            );
            return Ok(Ending::Undecided);
        }
        Ok(Ending::Done)
    }
}

/// What came of a grid.
struct Swept {
    /// All runs that have ended.
    ended: Vec<Ended>,
    /// The runs behind the table: those with what was chosen, and those of schemes without a choice.
    shown: Vec<GridRun>,
    /// What was chosen.
    chosen: Vec<Choice>,
    /// Runs that there are to be, as far as that is known: what is chosen is known last.
    asked: usize,
    /// Whether choices are still being tried.
    choosing: bool,
}

impl Swept {
    /// Tries all choices, then trains with what was chosen.
    fn of(common: &Common, control: &Control, grid: &Grid, base: &Path) -> anyhow::Result<Self> {
        let first = grid.runs()?;
        let mut ended = train_all(common, control, &first, base)?;
        if grid.tune.is_empty() {
            let asked = first.len();
            return Ok(Self { ended, shown: first, chosen: Vec::new(), asked, choosing: false });
        }
        let choosing = ended.len() < first.len();
        // Choices that were not all tried are not compared.
        let tried: Vec<_> = ended.iter().filter_map(|run| Validated::of(&run.run, &run.summary)).collect();
        let chosen = if choosing { Vec::new() } else { choices(&tried) };
        let shown = grid.chosen(|setting, axes, scheme, choice| {
            chosen.iter().any(|chosen| {
                (chosen.setting, &chosen.axes, chosen.scheme.as_str(), &chosen.choice)
                    == (setting, axes, scheme, choice)
            })
        })?;
        let mut asked = first.len();
        if !choosing {
            let known: HashSet<String> = ended.iter().map(|run| run.run.name.clone()).collect();
            let second: Vec<GridRun> =
                shown.iter().filter(|run| !known.contains(&run.name)).cloned().collect();
            asked += second.len();
            ended.extend(train_all(common, control, &second, base)?);
        }
        Ok(Self { ended, shown, chosen, asked, choosing })
    }

    /// Writes every run behind the tables beside them.
    fn keep(&self, base: &Path) -> anyhow::Result<()> {
        if self.ended.is_empty() {
            return Ok(());
        }
        let shown: HashSet<&str> = self.shown.iter().map(|run| run.name.as_str()).collect();
        let runs: Vec<_> =
            self.ended.iter().map(|run| cells::swept(run, shown.contains(run.run.name.as_str()))).collect();
        output::write(&base.join("runs.csv"), swept_csv(&runs).as_bytes())
    }

    fn json(&self, cells: &[Cell]) -> serde_json::Value {
        let cells: Vec<_> = cells.iter().map(cell_json).collect();
        if self.chosen.is_empty() {
            return json!({"schema": "ecode/sweep/1", "cells": cells});
        }
        let chosen: Vec<_> = self.chosen.iter().map(cells::choice_json).collect();
        json!({"schema": "ecode/sweep/1", "cells": cells, "chosen": chosen})
    }
}
