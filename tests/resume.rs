//! Promise: a run that is killed at any moment and resumed ends with the parameters and the log of one that
//! never was.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const OPTIONS: [&str; 17] = [
    "--code",
    "algorithm1:n=5,b=1",
    "--steps",
    "400",
    "--batch",
    "16",
    "--gradient-noise",
    "1e-4",
    "--byzantine-set",
    "random-per-step",
    "--attack",
    "random",
    "--byzantine",
    "2",
    "--checkpoint-every",
    "7",
    "-q",
];

fn train(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("ecode"));
    command.current_dir(folder).arg("train").args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What must not differ: the end, and the log without its times.
fn result(run: &Path) -> (serde_json::Value, Vec<serde_json::Value>) {
    let without_times = |text: &str| {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        for time in ["wall_s", "deployed_s"] {
            value.as_object_mut().unwrap().remove(time);
        }
        value
    };
    let summary = std::fs::read_to_string(run.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let log = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    (summary["parameters_digest"].clone(), log.lines().map(without_times).collect())
}

#[test]
fn killed_runs_end_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    for momentum in ["server", "worker"] {
        let options = [&OPTIONS[..], &["--momentum-at", momentum]].concat();
        let whole = format!("whole-{momentum}");
        assert!(
            train(folder.path(), &[&options[..], &["--run", &whole]].concat()).status().unwrap().success()
        );
        let expected = result(&folder.path().join(&whole));
        let mut kills = 0;
        for attempt in 0..6_u64 {
            let run = format!("killed-{momentum}-{attempt}");
            let mut arguments = [&options[..], &["--run", &run]].concat();
            for death in 0.. {
                let mut child = train(folder.path(), &arguments).spawn().unwrap();
                // Each time a little later, so that the run gets on; a different moment in every attempt.
                std::thread::sleep(Duration::from_millis(15 + 13 * attempt + 20 * death));
                let begun = folder.path().join(&run).join("config.toml").exists();
                if child.try_wait().unwrap().is_some() {
                    let output = child.wait_with_output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    break;
                }
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                if begun {
                    arguments = vec!["--run", &run, "--resume", "-q"];
                }
            }
            assert_eq!(result(&folder.path().join(&run)), expected, "{run}");
        }
        assert!(kills >= 6, "only {kills} kills hit a living run");
    }
}

/// Ctrl-C saves at once, says how to go on, and exits with 3.
#[cfg(unix)]
#[test]
fn interrupted_runs_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--code", "algorithm1:n=5,b=1", "--steps", "100000", "--run", "run", "-q"];
    let child = train(folder.path(), &options).stdout(Stdio::piped()).spawn().unwrap();
    while !folder.path().join("run/config.toml").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ecode train --run run --resume goes on"), "{text}");
    let summary = std::fs::read_to_string(folder.path().join("run/summary.json")).unwrap();
    assert!(summary.contains("\"status\": \"interrupted\""));
    assert!(folder.path().join("run/checkpoint/state.safetensors").exists());
}

/// A checkpoint that is broken is refused by name.
#[test]
fn broken_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--code", "algorithm1:n=5,b=1", "--steps", "20", "--run", "run", "-q"];
    assert!(train(folder.path(), &options).status().unwrap().success());
    let place = folder.path().join("run/checkpoint/state.safetensors");
    let whole = std::fs::read(&place).unwrap();
    for broken in [&whole[..whole.len() - 1], &whole[..100], b"", b"not a checkpoint at all"] {
        std::fs::write(&place, broken).unwrap();
        let output = train(folder.path(), &["--run", "run", "--resume"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("state.safetensors: not a checkpoint") && error.lines().count() == 1,
            "{error}"
        );
    }
}
