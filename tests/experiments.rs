//! Promise: one command runs any experiment of the paper's supplement, makes its table and figure, does nothing twice,
//! and goes on after an interruption.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn ecode(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ecode").unwrap();
    command.args(arguments);
    command
}

fn json(arguments: &[&str]) -> Value {
    let output = ecode(arguments).assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_listed_experiment_runs_and_leaves_its_table_and_figure() {
    let listed = json(&["experiment", "list", "--json"]);
    let experiments = listed["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 8);
    for experiment in experiments {
        let name = experiment["name"].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let report = json(&[
            "experiment",
            "run",
            name,
            "--steps",
            "6",
            "--evaluate-every",
            "2",
            "--run",
            place,
            "--json",
        ]);
        let values: usize = report["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell["values"].as_array().unwrap().len())
            .sum();
        assert_eq!(values, experiment["paper"].as_array().unwrap().len(), "{name}");
        let table = text(&folder.path().join("table.md"));
        assert!(table.contains(experiment["title"].as_str().unwrap()) && table.contains("| "), "{table}");
        assert!(table.contains("logistic on synthetic, 6 steps"), "{table}");
        assert!(text(&folder.path().join("figure.svg")).contains("<svg"));
    }
}

#[test]
fn what_is_finished_is_not_run_again_and_what_is_missing_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let run = ["experiment", "run", "table-a1", "--steps", "20", "--run", place, "--json"];
    let first = json(&run);
    // A time to an accuracy is that of the log's first line that has it.
    let row = &first["times"][0];
    assert_eq!(row["scheme"], "1 of 5 lie: algorithm1 (r 3.80)");
    let log = text(&folder.path().join("n5-b1/algorithm1/reverse/seed0/metrics.jsonl"));
    let reached = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let reached = reached.into_iter().find(|line| line["test_accuracy"].as_f64().unwrap() >= 0.75);
    assert_eq!(row["steps"][0][0], reached.map_or(Value::Null, |line| line["step"].clone()));

    let one = folder.path().join("n9-b3/uncoded/reverse/seed0");
    let other = folder.path().join("n9-b3/best/reverse/seed0/summary.json");
    let (digest, before) = (digest(&one), std::fs::metadata(&other).unwrap().modified().unwrap());
    std::fs::remove_dir_all(&one).unwrap();
    // What it costs is measured anew.
    let values = |document: &Value| -> Vec<Value> {
        document["cells"].as_array().unwrap().iter().map(|cell| cell["values"].clone()).collect()
    };
    assert_eq!(values(&json(&run)), values(&first));
    assert_eq!(self::digest(&one), digest);
    assert_eq!(std::fs::metadata(&other).unwrap().modified().unwrap(), before);
}

fn digest(run: &Path) -> Value {
    serde_json::from_str::<Value>(&text(&run.join("summary.json"))).unwrap()["parameters_digest"].clone()
}

#[test]
fn an_interrupted_experiment_tells_what_is_known_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let run = ["experiment", "run", "figure-a1", "--steps", "3000000", "--timeout", "1s", "--run", place];
    let output = ecode(&run).assert().code(3).get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("stopped after 0 of 2 runs; the same command goes on"), "{message}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("no run is finished yet"));
    let state = folder.path().join("n5-b1-actual2/algorithm1/reverse/seed0/checkpoint/state.safetensors");
    assert!(state.exists());
}

#[test]
fn wrong_names_and_other_configurations_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let refused = |arguments: &[&str], expected: &str| {
        let output = ecode(arguments).assert().code(2).get_output().stderr.clone();
        let message = String::from_utf8(output).unwrap();
        assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
    };
    refused(&["experiment", "run", "table-a2"], "no experiment is called 'table-a2'; there are table-a1, ");
    let run = ["experiment", "run", "figure-a1", "--steps", "5", "--run", place];
    ecode(&run).assert().success();
    refused(
        &["experiment", "run", "figure-a1", "--steps", "6", "--run", place],
        "holds a run of another configuration; --run DIR",
    );
    refused(
        &["experiment", "run", "figure-a1", "--scale", "paper", "--data", "cifar10:nowhere", "--run", place],
        "nowhere",
    );
    refused(&["experiment", "run", "figure-a2", "--lr=-1", "--run", place], "lr is -1");
}
