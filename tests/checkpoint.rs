//! Promise: a count that is killed at any moment goes on from its checkpoint and ends as if nothing had happened.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ecode::code::AllocationMatrix;
use ecode::construct::{Bernoulli, bernoulli};
use ecode::format::{Format, MatrixFile, write_whole};
use serde_json::Value;

/// A dense code whose enumeration takes some seconds, and full rows beside it, which are never wrong.
fn dense(n: usize, full: usize, folder: &Path) -> String {
    let how = Bernoulli { n, k: n, p: 0.5, seed: 3, draw: 0, redraw_empty: false, odd_rows: true };
    let g = bernoulli(how).unwrap();
    let g = AllocationMatrix::from_fn(n + full, n, |j, i| j >= n || g.holds(j, i)).unwrap();
    let file = MatrixFile::plain(g);
    let path = folder.join(format!("dense-{n}-{full}.npy"));
    write_whole(&path, &file.to_bytes(Format::Npy)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn verify(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
    command.current_dir(folder).arg("verify").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// How many choices a checkpoint has counted.
fn reached(path: &Path) -> u64 {
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    document["to"].as_str().unwrap().parse().unwrap()
}

/// Runs a command, killing it (SIGKILL) a little later each time, until it ends by itself; how many died.
fn killed_until_done(
    folder: &Path,
    arguments: &[&str],
    checkpoint: &Path,
    mut reached: impl FnMut(&Path),
) -> (Output, usize) {
    for deaths in 0.. {
        let mut child = verify(folder, arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(60 + 45 * deaths as u64));
        if child.try_wait().unwrap().is_some() {
            return (child.wait_with_output().unwrap(), deaths);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if checkpoint.exists() {
            reached(checkpoint);
        }
    }
    unreachable!("it ends")
}

#[test]
fn killed_counts_go_on_and_give_the_same_verdict_and_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(33, 0, folder.path());
    let options = ["--json", "--proof", "enumeration", "--certificate"];
    let whole =
        verify(folder.path(), &[&[path.as_str()], &options[..], &["whole.json"]].concat()).output().unwrap();
    assert_eq!(whole.status.code(), Some(1));
    let checkpoint = folder.path().join("count.json");
    let more = ["killed.json", "--checkpoint", "count.json", "--checkpoint-every", "20ms", "--threads", "1"];
    let arguments = [&[path.as_str()], &options[..], &more[..]].concat();
    let mut places = Vec::new();
    let (output, deaths) =
        killed_until_done(folder.path(), &arguments, &checkpoint, |file| places.push(reached(file)));
    assert!(deaths >= 3, "only {deaths} kills hit a living run");
    // Never back, and on the whole forward: what was saved is not counted again.
    assert!(places.is_sorted() && places.first() < places.last(), "{places:?}");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("going on from count.json: "), "{said}");
    let strip = |bytes: &[u8]| {
        let mut verdict: Value = serde_json::from_slice(bytes).unwrap();
        for times in ["elapsed_s", "threads"] {
            verdict.as_object_mut().unwrap().remove(times);
        }
        verdict
    };
    assert_eq!(strip(&output.stdout), strip(&whole.stdout));
    let record = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(record("killed.json"), record("whole.json"));
    // A finished count is not counted again.
    let again = verify(folder.path(), &arguments).output().unwrap();
    assert!(String::from_utf8(again.stderr).unwrap().contains("100.0% are done"));
    assert_eq!(strip(&again.stdout), strip(&whole.stdout));
}

#[test]
fn killed_shards_are_the_same_part_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(33, 0, folder.path());
    let shard = |out: &'static str| [path.as_str(), "--shard", "1/2", "-o", out].map(str::to_owned);
    let whole = shard("whole.json");
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    assert!(verify(folder.path(), &whole).status().unwrap().success());
    let killed = shard("killed.json");
    let mut killed: Vec<&str> = killed.iter().map(String::as_str).collect();
    killed.extend(["--checkpoint", "count.json", "--checkpoint-every", "20ms", "--threads", "1"]);
    let checkpoint = folder.path().join("count.json");
    let (output, deaths) = killed_until_done(folder.path(), &killed, &checkpoint, |_| ());
    assert!(output.status.success() && deaths >= 1, "{deaths} deaths");
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("killed.json"), bytes("whole.json"));
}

/// A timeout saves at once, and says how to go on.
#[test]
fn a_timeout_saves_what_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = dense(45, 60, folder.path());
    let arguments = [&path, "--json", "--checkpoint", "count.json", "--timeout", "500ms"];
    let first = verify(folder.path(), &arguments).output().unwrap();
    assert_eq!(first.status.code(), Some(3));
    let said = String::from_utf8(first.stderr).unwrap();
    assert!(said.contains("the same command goes on from count.json"), "{said}");
    let checkpoint = folder.path().join("count.json");
    let before = reached(&checkpoint);
    assert!(before > 0);
    let verdict: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(
        (&verdict["verdict"], &verdict["evaluated"]),
        (&Value::from("undecided"), &Value::from(before))
    );
    let second = verify(folder.path(), &arguments).output().unwrap();
    assert_eq!(second.status.code(), Some(3));
    assert!(reached(&checkpoint) > before);
}

/// A checkpoint of something else, or one that is broken, is neither used nor overwritten.
#[test]
fn foreign_and_broken_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (dense(21, 0, folder.path()), dense(23, 0, folder.path()));
    let checkpoint = folder.path().join("count.json");
    let run = |arguments: &[&str]| {
        let output =
            verify(folder.path(), &[arguments, &["--checkpoint", "count.json"]].concat()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&[&path, "--b", "1"]).0, Some(1));
    let whole = std::fs::read(&checkpoint).unwrap();
    let foreign: [&[&str]; 4] = [
        &[&other, "--b", "1"],
        &[&path, "--b", "2"],
        &[&path, "--b", "1", "--ties", "zero"],
        &[&path, "--b", "1", "--shard", "0/2", "-o", "part.json"],
    ];
    for arguments in foreign {
        let (code, err) = run(arguments);
        assert!(code == Some(2) && err.contains("a checkpoint of another matrix, claim or shard"), "{err}");
        assert_eq!(std::fs::read(&checkpoint).unwrap(), whole);
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    let broken = [
        (text[..text.len() - 9].to_owned(), 2, "not a part of an enumeration"),
        (String::new(), 2, "not a part of an enumeration"),
        (text.replace("\"margin\":-", "\"margin\":-1"), 4, "contents is"),
    ];
    for (text, expected, reason) in broken {
        std::fs::write(&checkpoint, &text).unwrap();
        let (code, err) = run(&[&path, "--b", "1"]);
        assert!(code == Some(expected) && err.contains(reason), "{err}");
        assert_eq!(std::fs::read_to_string(&checkpoint).unwrap(), text);
    }
    // Where it cannot be written, that is said before anything is counted.
    let output = verify(folder.path(), &[&path, "--checkpoint", "no/such/count.json"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
}
