//! Promise: a run that is killed at any moment and resumed ends with the parameters and the log of one that
//! never was; it goes on with exactly what it began with, or names what differs.
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
        for time in ["wall_s", "deployed_s", "gradient_s"] {
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
    // What is reported was tested at another step than the last, and says so.
    assert!(text.contains(", where it was tested last"), "{text}");
    let summary = std::fs::read_to_string(folder.path().join("run/summary.json")).unwrap();
    assert!(summary.contains("\"status\": \"interrupted\""));
    assert!(folder.path().join("run/checkpoint/state.safetensors").exists());
}

/// A long run that was killed after its first checkpoint.
fn interrupted(folder: &Path) -> std::path::PathBuf {
    let run = folder.join("run");
    let options =
        ["--code", "algorithm1:n=5,b=1", "--steps", "9000000", "--batch", "4", "--evaluate-every", "50"];
    let more = ["--checkpoint-every", "100", "--run", "run", "-q"];
    let mut child = train(folder, &[&options[..], &more[..]].concat()).spawn().unwrap();
    while !run.join("checkpoint/state.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it is not over yet");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    run
}

/// What `--resume` says, and its exit code. It is stopped soon where it goes on.
fn resumed(folder: &Path) -> (Option<i32>, String) {
    let output = train(folder, &["--run", "run", "--resume", "--timeout", "2s"]).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Another configuration, matrix, checkpoint or run is refused by name; put back, the run goes on.
#[test]
fn what_differs_from_the_beginning_is_named_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = interrupted(folder.path());
    let read = |name: &str| std::fs::read(run.join(name)).unwrap();
    let refused = |name: &str, bytes: &[u8], expected: &str| {
        let whole = read(name);
        assert_ne!(whole, bytes, "{name}");
        std::fs::write(run.join(name), bytes).unwrap();
        let (status, error) = resumed(folder.path());
        assert_eq!(status, Some(2), "{name}: {error}");
        assert!(error.contains(expected) && error.lines().count() == 1, "{name}: {error}");
        std::fs::write(run.join(name), whole).unwrap();
    };
    let config = String::from_utf8(read("config.toml")).unwrap();
    for (line, other, expected) in [
        ("seed = 0", "seed = 1", "seed was 0, and is 1 in config.toml"),
        ("batch = 4", "batch = 5", "batch was 4, and is 5 in config.toml"),
        ("steps = 9000000", "epochs = 3.0", "steps was 9000000, and is not given in config.toml"),
        (
            "attack = \"reverse\"",
            "attack = \"none\"",
            "attack was \"reverse\", and is \"none\" in config.toml",
        ),
    ] {
        assert!(config.contains(line), "{config}");
        refused("config.toml", config.replace(line, other).as_bytes(), expected);
    }
    let other = ecode::format::MatrixFile::plain(ecode::construct::full(5, 5).unwrap());
    refused("matrix.json", &other.to_bytes(ecode::format::Format::Json), "the matrix was sha256:");
    let place = "checkpoint/state.safetensors";
    let whole = read(place);
    for bit in [8 * (whole.len() - 3), 8 * (whole.len() / 2) + 5] {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(
            place,
            &flipped,
            "state.safetensors: not a checkpoint of this program (its checksum is another",
        );
    }
    for broken in [&whole[..whole.len() - 1], &whole[..100], b"", b"not a checkpoint at all"] {
        refused(place, broken, "state.safetensors: not a checkpoint");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let options = ["--code", "algorithm1:n=5,b=1", "--steps", "3", "--run", "run", "-q"];
    assert!(train(elsewhere.path(), &options).status().unwrap().success());
    let other = std::fs::read(elsewhere.path().join("run").join(place)).unwrap();
    refused(place, &other, "state.safetensors: the checkpoint of another run");
    std::fs::rename(run.join("run.json"), run.join("gone")).unwrap();
    assert!(resumed(folder.path()).1.contains("run.json, which says what it began with, is missing"));
    std::fs::rename(run.join("gone"), run.join("run.json")).unwrap();
    assert_eq!(resumed(folder.path()).0, Some(3), "nothing differs any more");
}

/// Data that are others than at the beginning are refused; the same data elsewhere are not.
#[test]
fn other_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let header = "ACTION,RESOURCE,MGR_ID,ROLE_ROLLUP_1,ROLE_ROLLUP_2,ROLE_DEPTNAME,ROLE_TITLE,ROLE_FAMILY_DESC,ROLE_FAMILY,ROLE_CODE\n";
    let lines: String = (0..300).map(|i| format!("{},{},{},1,2,3,4,5,6,7\n", i % 2, i % 7, i % 5)).collect();
    let data = folder.path().join("data.csv");
    std::fs::write(&data, format!("{header}{lines}")).unwrap();
    let options =
        ["--code", "algorithm1:n=5,b=1", "--steps", "5", "--batch", "4", "--data", "amazon:data.csv"];
    assert!(
        train(folder.path(), &[&options[..], &["--run", "run", "-q"]].concat()).status().unwrap().success()
    );
    assert_eq!(resumed(folder.path()).0, Some(0));
    std::fs::write(&data, format!("{header}{lines}").replacen("0,0,0", "1,0,0", 1)).unwrap();
    let (status, error) = resumed(folder.path());
    assert_eq!(status, Some(2));
    assert!(
        error.contains("run cannot go on: the samples of amazon:") && error.contains("are others now"),
        "{error}"
    );
}

/// Lines that a log lost, or has twice, are mended or named, and training ends at the same parameters.
#[test]
fn a_log_that_lost_or_doubled_lines_is_mended_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = interrupted(folder.path());
    let place = run.join("metrics.jsonl");
    let before = std::fs::read_to_string(&place).unwrap();
    let lines: Vec<&str> = before.lines().collect();
    assert!(lines.len() >= 3, "{before}");
    // Twice, and then rubbish and half a line: mended without a word.
    let doubled: String = lines.iter().flat_map(|line| [line, "\n", line, "\n"]).collect();
    std::fs::write(&place, format!("{doubled}not a line\n{}", &lines[0][..20])).unwrap();
    let (status, error) = resumed(folder.path());
    assert_eq!((status, error.contains("lines up to step")), (Some(3), false), "{error}");
    let after = std::fs::read_to_string(&place).unwrap();
    assert!(after.starts_with(&format!("{}\n{}\n", lines[0], lines[1])), "{after}");
    let steps = |text: &str| -> Vec<u64> {
        let step =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].as_u64().unwrap();
        text.lines().map(step).collect()
    };
    assert!(steps(&after).windows(2).all(|pair| pair[0] < pair[1]), "{after}");
    // A line that is gone cannot come back: named, and the run goes on.
    let lost: String = after.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&place, lost).unwrap();
    let (status, error) = resumed(folder.path());
    assert_eq!(status, Some(3), "{error}");
    assert!(error.contains("note: run/metrics.jsonl: ") && error.contains(" lines up to step "), "{error}");
}
