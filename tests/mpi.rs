//! Promise: `mpirun` of a server and n workers reaches the parameters of one process, bit for bit; ranks that
//! differ stop with one clear message, and so does what none of them can start; what is interrupted can be resumed; a
//! worker that hangs is one Byzantine worker, and a server that hangs is noticed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn program() -> std::path::PathBuf {
    assert_cmd::cargo::cargo_bin("ecode")
}

/// `mpirun` for a machine with fewer cores than ranks.
fn mpirun(folder: &Path) -> Command {
    let mut command = Command::new("mpirun");
    command.current_dir(folder);
    for (name, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ] {
        command.env(name, value);
    }
    command
}

fn train(folder: &Path, ranks: &str, arguments: &[&str]) -> Output {
    let mut command = mpirun(folder);
    command.args(["-n", ranks]).arg(program()).args(["train", "--transport", "mpi", "--threads", "1"]);
    command.args(arguments).output().unwrap()
}

fn digest(run: &Path) -> String {
    let text = std::fs::read_to_string(run.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["status"], "finished");
    summary["parameters_digest"].as_str().unwrap().to_owned()
}

fn alone(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program());
    command.current_dir(folder).args(["train", "--threads", "1", "-q"]);
    let output = command.args(arguments).args(["--run", "alone"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    digest(&folder.join("alone"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SMALL: [&str; 8] =
    ["--code", "algorithm1:n=5,b=1", "--steps", "40", "--batch", "8", "--attack", "omniscient"];

#[test]
fn mpirun_reaches_the_parameters_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let expected = alone(folder.path(), &SMALL);
    let output = train(folder.path(), "6", &[&SMALL[..], &["--run", "many"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(digest(&folder.path().join("many")), expected);
    // One rank speaks.
    assert_eq!(text(&output.stdout).matches("Trained 40 steps").count(), 1, "{}", text(&output.stdout));
}

/// Every rank of the deployment has a network of its own, and another number of threads than one process.
#[cfg(feature = "tch")]
#[test]
fn mpirun_reaches_the_parameters_of_one_process_with_a_residual_network() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data");
    let data = format!("cifar10:{}", data.display());
    let network = ["--code", "best:n=5,b=2", "--model", "resnet18", "--device", "cpu", "--data", &data];
    let arguments =
        [&network[..], &["--steps", "2", "--evaluate-every", "2", "--batch", "2", "--attack", "omniscient"]];
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.current_dir(folder.path()).args(["train", "--threads", "2", "-q", "--run", "alone"]);
    assert!(command.args(arguments.concat()).output().unwrap().status.success());
    let output = train(folder.path(), "6", &[&arguments.concat()[..], &["--run", "many"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(digest(&folder.path().join("many")), digest(&folder.path().join("alone")));
}

#[test]
fn a_wrong_number_of_ranks_and_different_ranks_are_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = train(folder.path(), "4", &[&SMALL[..], &["--run", "few"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("4 processes for 5 workers"), "{}", text(&output.stderr));

    let mut command = mpirun(folder.path());
    for (place, (ranks, seed)) in [("3", "0"), ("3", "1")].into_iter().enumerate() {
        if place > 0 {
            command.arg(":");
        }
        command.args(["-n", ranks]);
        command
            .arg(program())
            .args(["train", "--transport", "mpi", "--run", "differ", "--seed", seed])
            .args(SMALL);
    }
    let output = command.output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(
        error.matches("rank 3 differs from rank 0: it has 'seed = 1', rank 0 has 'seed = 0'").count(),
        1
    );
    assert_eq!(error.matches("error:").count(), 1, "{error}");
    assert!(!folder.path().join("differ").exists());
}

/// An error that every rank meets, or one only, is said once.
#[test]
fn what_cannot_start_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["--code", "missing.json"][..], "missing.json"),
        (&["--code", "algorithm1:n=5,b=1", "--data", "mnist:nowhere"], "nowhere"),
        (&["--code", "algorithm1:n=5,b=1", "--aggregator", "median"], "transport mpi carries votes"),
        (&["--run", "none", "--resume"], "none holds no run"),
    ] {
        let output = train(folder.path(), "6", arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.matches("error:").count(), 1, "{error}");
        assert!(error.contains(expected), "{error}");
    }
    // One rank alone: the server says what it is told.
    let mut command = mpirun(folder.path());
    for (place, (ranks, batch)) in [("4", "8"), ("2", "5000")].into_iter().enumerate() {
        if place > 0 {
            command.arg(":");
        }
        command.args(["-n", ranks]).arg(program()).args(["train", "--transport", "mpi", "--run", "one"]);
        command.args(["--code", "algorithm1:n=5,b=1", "--batch", batch]);
    }
    let output = command.output().unwrap();
    let error = text(&output.stderr);
    assert!(error.contains("rank 4: 5 partitions of 5000 samples a step"), "{error}");
    assert_eq!(error.matches("error:").count(), 1, "{error}");
}

/// The pid of a rank of a run in this folder, by its environment.
fn rank_of(folder: &Path, rank: &str) -> Option<String> {
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).find_map(|entry| {
        let place = entry.path();
        let here = std::fs::read_link(place.join("cwd")).is_ok_and(|cwd| cwd == folder);
        let environment = std::fs::read(place.join("environ")).unwrap_or_default();
        let is = here && environment.split(|byte| *byte == 0).any(|line| line == wanted.as_bytes());
        is.then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..600 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing happened");
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([name, process]).status().unwrap().success());
}

const LONG: [&str; 10] = [
    "--code",
    "algorithm1:n=5,b=1",
    "--steps",
    "4000",
    "--batch",
    "8",
    "--checkpoint-every",
    "50",
    "--evaluate-every",
    "500",
];

fn start(folder: &Path, arguments: &[&str]) -> std::process::Child {
    let mut command = mpirun(folder);
    command.args(["-n", "6"]).arg(program()).args([
        "train",
        "--transport",
        "mpi",
        "--threads",
        "1",
        "--run",
        "many",
    ]);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A worker is killed: Open MPI ends the job, and the checkpoint goes on to the same end.
#[test]
fn a_killed_job_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let expected = alone(&path, &LONG);
    let mut job = start(&path, &LONG);
    wait_for(|| path.join("many/checkpoint/state.safetensors").exists());
    signal("-KILL", &rank_of(&path, "3").unwrap());
    assert!(!job.wait().unwrap().success());
    assert!(!path.join("many/summary.json").exists() || digest_is_missing(&path.join("many")));
    let output = train(&path, "6", &["--run", "many", "--resume"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(digest(&path.join("many")), expected);
}

fn digest_is_missing(run: &Path) -> bool {
    std::fs::read_to_string(run.join("summary.json")).is_ok_and(|text| text.contains("interrupted"))
}

/// A worker is stopped, as one that hangs: the others go on without it.
#[test]
fn a_worker_that_hangs_is_a_byzantine_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let honest = [&LONG[..], &["--byzantine", "0"]].concat();
    let expected = alone(&path, &honest);
    let job = start(&path, &[&honest[..], &["--worker-timeout", "2s"]].concat());
    wait_for(|| path.join("many/checkpoint/state.safetensors").exists());
    let hung = rank_of(&path, "4").unwrap();
    signal("-STOP", &hung);
    let output = job.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert!(error.contains("worker 3 does not answer: its vote is missing from step "), "{error}");
    assert_eq!(digest(&path.join("many")), expected);
}

/// A worker pauses for longer than it is waited for, and goes on: it leaves, and the job ends in order, with the right
/// parameters.
#[test]
fn a_worker_that_comes_back_too_late_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let honest = [&LONG[..], &["--byzantine", "0"]].concat();
    let expected = alone(&path, &honest);
    let paused = ["--worker-timeout", "1s", "--server-timeout", "4s"];
    let mut job = start(&path, &[&honest[..], &paused].concat());
    wait_for(|| path.join("many/checkpoint/state.safetensors").exists());
    let hung = rank_of(&path, "4").unwrap();
    signal("-STOP", &hung);
    let mut lines = BufReader::new(job.stderr.take().unwrap()).lines();
    let given_up = "worker 3 does not answer: its vote is missing from step ";
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains(given_up)));
    signal("-CONT", &hung);
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(job.wait().unwrap().success(), "{rest:#?}");
    assert!(!rest.iter().any(|line| line.contains("the server has said nothing")), "{rest:#?}");
    assert_eq!(digest(&path.join("many")), expected);
}

/// A server is stopped: the workers notice, and one of them says so.
#[test]
fn a_server_that_hangs_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let job = start(&path, &[&LONG[..], &["--worker-timeout", "1s", "--server-timeout", "3s"]].concat());
    wait_for(|| path.join("many/checkpoint/state.safetensors").exists());
    let server = rank_of(&path, "0").unwrap();
    signal("-STOP", &server);
    let output = job.wait_with_output();
    // Open MPI ends the job, the stopped process with it.
    let error = text(&output.unwrap().stderr);
    assert_eq!(error.matches("the server has said nothing for 3 s").count(), 1, "{error}");
}
