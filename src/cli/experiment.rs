//! `ecode experiment`: the paper's experiments.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets};
use ecode::report::{Times, sweep_table, times_table};
use ecode::train::experiment::{Experiment, Part, Scale, names, reached};
use ecode::train::sweep::GridRun;
use serde_json::{Value, json};

use super::common::Common;
use super::ending::Ending;
use super::flags::ChangeFlags;
use super::grid::{Ended, train_all};
use super::sweep::{cell_json, cells};
use super::{output, plot, values};

/// Run the paper's experiments: their codes, attacks and hyper-parameters
#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    command: Which,
}

#[derive(Subcommand)]
enum Which {
    List(List),
    Run(Box<RunOne>),
}

/// What experiments there are
#[derive(Args)]
struct List {
    /// Print them as one JSON document
    #[arg(long)]
    json: bool,
}

/// Run one, and make its table and figure
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode experiment list\n  ecode experiment run table-a1\n  \
                  ecode experiment run table-a1 --data mnist:data/mnist --model cnn --lr 1e-4 --steps 300 --seeds 0,1,2\n  \
                  ecode experiment run table-a1 --scale paper --data cifar10:data/cifar10 --device cuda:0\n\n\
                  Runs that are finished are not run again, interrupted ones go on. The folder then holds \
                  table.md and figure.svg (the first seed's curves) beside the runs.")]
struct RunOne {
    /// The experiment
    #[arg(value_parser = values::Suggested(names().to_vec()))]
    name: String,
    /// smoke: logistic regression on synthetic data, seconds a run; paper: ResNet on CIFAR-10, as published
    #[arg(long, value_enum, default_value = "smoke")]
    scale: Size,
    #[command(flatten)]
    changes: ChangeFlags,
    /// The seeds, one run of everything each
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0",
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seeds: Vec<u64>,
    /// The folder of all runs [default: runs/NAME-SCALE]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Print the tables as one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Smoke,
    Paper,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        match self.command {
            Which::List(args) => args.run(),
            Which::Run(args) => args.run(common),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<Ending> {
        let mut all = Vec::new();
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["name", "paper", "shows", "runs a seed"]);
        for name in names() {
            let experiment = Experiment::named(name)?;
            let runs = experiment.runs(Scale::Paper, &[0], &toml::Table::new())?;
            let Experiment { title, place, notes, .. } = &experiment;
            table.add_row([name, place, title, &runs.len().to_string()]);
            let runs: Vec<_> =
                runs.iter().map(|run| json!({"name": run.name, "config": run.config})).collect();
            all.push(json!({"name": name, "place": place, "title": title, "notes": notes, "paper": runs}));
        }
        if self.json {
            let document = json!({"schema": "ecode/experiments/1", "experiments": all});
            output::print(&document.to_string())?;
        } else {
            output::print(&table.to_string())?;
        }
        Ok(Ending::Done)
    }
}

impl RunOne {
    fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let experiment = Experiment::named(&self.name)?;
        let (scale, size) = match self.scale {
            Size::Smoke => (Scale::Smoke, "smoke"),
            Size::Paper => (Scale::Paper, "paper"),
        };
        let runs = experiment.runs(scale, &self.seeds, &self.changes.0)?;
        let folder = self.run.unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-{size}", self.name)));
        let control = common.control();
        let asked = runs.len();
        let finished = train_all(common, &control, &runs, &folder)?;
        let report = Report::of(&experiment, &finished, &runs, scale == Scale::Paper);
        report.keep(&folder, &finished)?;
        if self.json {
            output::print(&report.json(&experiment, size).to_string())?;
        } else {
            output::print(&report.text)?;
        }
        if !common.quiet {
            output::remark!("kept in {}: table.md, figure.svg, and the runs", folder.display());
        }
        if finished.len() < asked {
            output::remark!(
                "stopped after {} of {asked} runs; the same command goes on with what is missing",
                finished.len()
            );
            return Ok(Ending::Undecided);
        }
        Ok(Ending::Done)
    }
}

/// What came of an experiment.
struct Report {
    text: String,
    cells: Vec<Value>,
    times: Vec<Value>,
}

impl Report {
    fn of(experiment: &Experiment, finished: &[Ended], asked: &[GridRun], published: bool) -> Self {
        let accuracies = cells(finished, asked);
        let mut text =
            format!("{} ({} of the paper)\n{}\n", experiment.title, experiment.place, what_ran(finished));
        let mut times = Vec::new();
        let (timed, drawn): (Vec<&Part>, Vec<&Part>) =
            experiment.parts.iter().partition(|part| !part.targets.is_empty());
        for part in &timed {
            let rows = rows(part, finished, published);
            text += &format!("\n{}\n", times_table(&part.targets, &rows));
            times.extend(rows.iter().map(|row| times_json(part, row)));
        }
        if !timed.is_empty() {
            text += "\nTime to each test accuracy: estimated deployed time, mean over the seeds; ∞ where not every seed gets there.\n";
        }
        for part in drawn {
            let asked: Vec<GridRun> = asked.iter().filter(|run| part.has(run)).cloned().collect();
            let cells = cells(finished.iter().filter(|one| part.has(&one.run)), &asked);
            text += &format!("\n{}\n", sweep_table(&cells));
        }
        text.push('\n');
        for note in &experiment.notes {
            text += &format!("- {note}\n");
        }
        Self { text, cells: accuracies.iter().map(cell_json).collect(), times }
    }

    /// Writes the table and the figure beside the runs.
    fn keep(&self, folder: &Path, finished: &[Ended]) -> anyhow::Result<()> {
        if finished.is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        output::write(&folder.join("table.md"), self.text.as_bytes())?;
        // One seed's: with all of them nobody could tell the curves apart.
        let seed = finished.first().map(|one| one.run.config.seed);
        let first = finished.iter().filter(|one| Some(one.run.config.seed) == seed);
        let curves: Vec<_> = first.map(|one| one.curve.clone()).collect();
        plot::draw(&curves, &folder.join("figure.svg"))
    }

    fn json(&self, experiment: &Experiment, scale: &str) -> Value {
        json!({
            "schema": "ecode/experiment/1",
            "name": experiment.name,
            "place": experiment.place,
            "scale": scale,
            "cells": self.cells,
            "times": self.times,
            "notes": experiment.notes,
        })
    }
}

/// One line on what all runs have in common.
fn what_ran(finished: &[Ended]) -> String {
    let Some(first) = finished.first() else { return "no run is finished yet".into() };
    let range = |value: fn(&Ended) -> u64| {
        let (least, most) = finished.iter().map(value).fold((u64::MAX, 0), |(a, b), x| (a.min(x), b.max(x)));
        if least == most { least.to_string() } else { format!("{least} to {most}") }
    };
    format!(
        "{} on {}, {} steps of {} samples a partition before reduction, {} attack",
        first.run.config.model.name(),
        first.run.config.data.kind(),
        range(|one| one.summary.steps),
        range(|one| one.summary.config.batch as u64),
        first.run.config.attack.name(),
    )
}

fn times_json(part: &Part, row: &Times) -> Value {
    let each = |value: fn((f64, u64)) -> Value| -> Vec<Vec<Value>> {
        row.reached
            .iter()
            .map(|seeds| seeds.iter().map(|at| at.map_or(Value::Null, value)).collect())
            .collect()
    };
    json!({
        "scheme": row.label,
        "targets": part.targets,
        "deployed_s": each(|(seconds, _)| json!(seconds)),
        "steps": each(|(_, steps)| json!(steps)),
        "final": row.last,
    })
}

/// What each scheme of a part needs to its targets.
fn rows(part: &Part, finished: &[Ended], published: bool) -> Vec<Times> {
    let mut rows = Vec::new();
    for &setting in &part.grid.settings {
        for scheme in &part.grid.schemes {
            let runs: Vec<_> = finished
                .iter()
                .filter(|one| one.run.setting == setting && one.run.scheme == *scheme)
                .collect();
            let Some(first) = runs.first() else { continue };
            let (n, liars) = (setting.n, first.summary.config.liars());
            let r = first.summary.code["r_eff"].as_f64().unwrap_or(0.0);
            let reached = part.targets.iter().map(|&target| {
                let needed =
                    |one: &&Ended| reached(&one.curve.log, target).map(|line| (line.deployed_s, line.step));
                runs.iter().map(needed).collect()
            });
            rows.push(Times {
                label: format!("{liars} of {n} lie: {scheme} (r {r:.2})"),
                last: runs.iter().map(|one| 100.0 * one.summary.last.test_accuracy).collect(),
                reached: reached.collect(),
                published: if published {
                    part.published.get(scheme).cloned().unwrap_or_default()
                } else {
                    Vec::new()
                },
            });
        }
    }
    rows
}
