//! Promise: work that is stopped says what it knows, exits 3, and never claims more; the answer does
//! not depend on the number of threads.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use ecode::code::AllocationMatrix;
use ecode::construct::{Bernoulli, bernoulli};
use ecode::format::{Format, MatrixFile, write_whole};
use serde_json::Value;

/// A dense code with too many messages to enumerate in a test, and full rows beside it, which are never wrong.
fn dense(n: usize, full: usize, folder: &tempfile::TempDir) -> String {
    let how = Bernoulli { n, k: n, p: 0.5, seed: 3, draw: 0, redraw_empty: false, odd_rows: true };
    let g = bernoulli(how).unwrap();
    let g = AllocationMatrix::from_fn(n + full, n, |j, i| j >= n || g.holds(j, i)).unwrap();
    let file = MatrixFile::plain(g);
    let path = folder.path().join(format!("dense-{n}-{full}.npy"));
    write_whole(&path, &file.to_bytes(Format::Npy)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn verify(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::cargo_bin("ecode").unwrap().arg("verify").args(arguments).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_timeout_gives_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(45, 60, &folder);
    for method in ["exhaustive", "sat"] {
        let start = Instant::now();
        let (code, verdict) = verify(&[&path, "--json", "--method", method, "--timeout", "300ms"]);
        assert_eq!((code, &verdict["verdict"]), (Some(3), &Value::from("undecided")), "{method}");
        assert!(start.elapsed() < Duration::from_secs(20), "{method} did not stop");
        assert_eq!(verdict["radius"], Value::Null);
        // A message that was met bounds the radius from above, whatever else is unknown.
        assert!(verdict["worst"]["message"].is_array(), "{method}: {verdict}");
        assert!(verdict["radius_below"].as_u64() > Some(0), "{method}: {verdict}");
    }
}

/// A refutation needs one message only: it is valid however early the work was stopped.
#[test]
fn a_refutation_met_before_the_timeout_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(45, 0, &folder);
    let (code, verdict) =
        verify(&[&path, "--json", "--b", "20", "--method", "exhaustive", "--timeout", "300ms"]);
    assert_eq!((code, &verdict["verdict"]), (Some(1), &Value::from("refuted")));
    assert!(verdict["counterexample"]["byzantine"].is_array());
    // Nor need it have a b: where a message is decoded wrong without liars, there is no radius.
    let (code, verdict) = verify(&[&path, "--json", "--method", "exhaustive", "--timeout", "300ms"]);
    assert_eq!((code, &verdict["verdict"], &verdict["b"]), (Some(1), &"refuted".into(), &0.into()));
    assert_eq!(verdict["counterexample"]["byzantine"], Value::from(Vec::<u64>::new()));
    assert!(verdict["radius"].is_null() && verdict.get("radius_below").is_none(), "{verdict}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_what_is_known_and_exits_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(45, 60, &folder);
    let child = Process::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .args(["verify", &path, "--json", "--method", "exhaustive"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let killed = Process::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["verdict"], "undecided");
    assert!(verdict["evaluated"].as_u64() > Some(0));
}

#[test]
fn the_verdict_is_the_same_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(21, 0, &folder);
    let strip = |threads: &str| {
        let (code, mut verdict) = verify(&[&path, "--json", "--threads", threads]);
        assert_eq!(verdict["threads"], threads.parse::<u64>().unwrap());
        for times in ["elapsed_s", "threads"] {
            verdict.as_object_mut().unwrap().remove(times);
        }
        (code, verdict)
    };
    let one = strip("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(strip(threads), one);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(63, 0, &folder);
    let mut child = Process::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .args(["show", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
