//! Promise: a sweep's schemes get what is best for them under their worst attack, by samples that were held out of the training
//! samples; nothing is chosen before all was tried, and every run behind the tables is told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use assert_cmd::cargo::cargo_bin_cmd;
use ecode::construct::uncoded;
use ecode::train::data::DataSource;
use ecode::train::{Config, Trainer, TrainingCode};
use serde_json::Value;

const GRID: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"best\", \"uncoded@large\", \"uncoded+median\"]\n\
    attacks = [\"reverse\", \"omniscient\"]\nseeds = [1, 2]\ntune-seeds = [0]\n\
    [base]\nsteps = 20\nbatch = 8\nvalidation = 0.2\n[overrides.\"uncoded@large\"]\nbatch = 30\n\
    [axes]\ngradient-noise = [0.0, 0.5]\n\
    [[tune]]\nschemes = [\"best\", \"uncoded@large\"]\nlr = [1e-5, 1e-2]\nmomentum-at = [\"server\", \"worker\"]\n\
    [[tune]]\nlr = [0.1, 1e38]\n";

fn sweep(folder: &Path, grid: &str, more: &[&str]) -> Output {
    std::fs::write(folder.join("grid.toml"), grid).unwrap();
    cargo_bin_cmd!("ecode")
        .current_dir(folder)
        .args(["sweep", "grid.toml", "-q"])
        .args(more)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The lines of the table of all runs, by column.
fn lines(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("runs/grid/runs.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn the_best_under_the_worst_attack_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Nothing is chosen before all was tried.
    let output = sweep(folder, GRID, &["--timeout", "0s"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("before anything is chosen"), "{}", text(&output.stderr));
    let output = sweep(folder, GRID, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = lines(folder);
    // Per value of the axis: (4 + 4 + 2) choices, 2 attacks, one seed; then 3 schemes, 2 attacks, 2 seeds.
    assert_eq!(runs.len(), 2 * (10 * 2 + 3 * 2 * 2));
    let number = |run: &BTreeMap<String, String>, column: &str| run[column].parse::<f64>().unwrap();
    for chosen in document["chosen"].as_array().unwrap() {
        let noise = format!(
            "gradient-noise {}",
            chosen["axes"]["gradient-noise"].as_str().unwrap().trim_end_matches(".0")
        );
        let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
        let tried = runs
            .iter()
            .filter(|run| run["seed"] == "0" && run["scheme"] == chosen["scheme"] && run["axes"] == noise);
        for run in tried {
            let value =
                if run["status"] == "finished" { number(run, "validation") } else { f64::NEG_INFINITY };
            let least = worst.entry(&run["choice"]).or_insert(f64::INFINITY);
            *least = least.min(value);
        }
        let best = worst.values().copied().fold(f64::NEG_INFINITY, f64::max);
        let lr: f64 = chosen["choice"]["lr"].as_str().unwrap().parse().unwrap();
        let said = worst
            .iter()
            .find(|(choice, value)| **value == best && choice.contains(&ecode::report::plain(lr)));
        assert!(said.is_some(), "{chosen} {worst:?}");
        assert!((chosen["validation"].as_f64().unwrap() - 100.0 * best).abs() < 1e-9, "{chosen} {worst:?}");
    }
    assert_eq!(document["chosen"].as_array().unwrap().len(), 6);
    // What diverges is not chosen, and the table rests on the other seeds only.
    assert!(runs.iter().any(|run| run["status"] == "diverged"));
    for run in runs.iter().filter(|run| run["in_table"] == "true") {
        assert!(run["seed"] != "0" && run["status"] == "finished", "{run:?}");
    }
    for cell in document["cells"].as_array().unwrap() {
        assert_eq!(cell["values"].as_array().unwrap().len(), 2, "{cell}");
    }
    let large =
        document["cells"].as_array().unwrap().iter().find(|cell| cell["scheme"] == "uncoded@large").unwrap();
    assert_eq!(large["cost"]["samples_per_step"], 150.0);
    // A second sweep trains nothing, and says the same.
    let again = sweep(folder, GRID, &["--json"]);
    assert_eq!(text(&again.stdout), text(&output.stdout));
}

/// What is held out is neither trained on nor tested on, and is the same for the same seed.
#[test]
fn what_is_held_out_is_not_trained_on() {
    let data = DataSource::Synthetic.load().unwrap();
    let (trained, tested) = (data.train.len(), data.test.len());
    let trainer = |seed| {
        let code = TrainingCode::unverified(uncoded(5).unwrap(), None, "uncoded");
        let config = Config { validation: 0.3, seed, ..Config::default() };
        Trainer::new(config, code, data.clone()).unwrap()
    };
    let one = trainer(1);
    let held_out = one.validation().unwrap();
    assert_eq!(
        (held_out.len(), one.data().train.len(), one.data().test.len()),
        (1500, trained - 1500, tested)
    );
    assert_eq!(one.schedule().per_epoch, 3500 / (5 * 32));
    let rows = |samples: &ecode::train::data::Samples| -> Vec<Vec<u32>> {
        let mut row = vec![0.0; samples.width()];
        (0..samples.len())
            .map(|sample| {
                samples.write_row(sample, ecode::train::data::Crop::default(), &mut row);
                row.iter().map(|value| value.to_bits()).collect()
            })
            .collect()
    };
    let trained_on: std::collections::HashSet<_> = rows(&one.data().train).into_iter().collect();
    assert!(rows(held_out).iter().all(|row| !trained_on.contains(row)));
    assert_eq!(rows(trainer(1).validation().unwrap()), rows(held_out));
    assert_ne!(rows(trainer(2).validation().unwrap()), rows(held_out));
}

#[test]
fn a_grid_that_could_not_choose_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        ("validation = 0.2", "", "tune chooses by samples that are held out"),
        ("[[tune]]\nlr = [0.1, 1e38]\n", "[[tune]]\nlr = []\n", "tune: lr is empty"),
        ("batch = 8\n", "batch = 8\nlr = 0.1\n", "base: lr has no effect here, tune decides it"),
        (
            "batch = 30",
            "batch = 30\nlr = 0.1\n",
            "overrides.\"uncoded@large\": lr has no effect here, tune decides it",
        ),
        ("gradient-noise = [0.0, 0.5]", "seed = [1, 2]", "axes: seed has no effect here, seeds decides it"),
        ("gradient-noise = [0.0, 0.5]", "gradient-noise = [0.0, -1.0]", "gradient-noise is -1"),
        ("gradient-noise = [0.0, 0.5]", "lr = [0.1]", "tune: lr is one of the axes"),
        (
            "[\"best\", \"uncoded@large\"]",
            "[\"best\", \"other\"]",
            "tune names 'other', which is none of the schemes",
        ),
        ("momentum-at = [\"server\", \"worker\"]", "momentum-at = [\"moon\"]", "momentum-at"),
        ("validation = 0.2", "validation = 1.0", "validation is 1; expected 0 or more, below 1"),
    ] {
        let grid = GRID.replacen(from, to, 1);
        assert_ne!(grid, GRID, "{from}");
        let output = sweep(folder.path(), &grid, &[]);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", text(&output.stderr));
        let error = text(&output.stderr);
        assert!(error.contains(expected) && error.lines().count() == 1, "{to}: {error}");
        assert!(!folder.path().join("runs").exists(), "{to}");
    }
}
