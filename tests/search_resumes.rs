//! Promise: a search that is killed at any moment and started again ends with what it would have found
//! without, and Ctrl-C prints the best so far.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecode::construct::{Demand, Objective, blocks};
use ecode::search::{SearchRequest, SearchRun, StateError};
use serde_json::Value;

fn request(demand: Demand, disjoint_loads: &[usize]) -> SearchRequest {
    SearchRequest { demand, disjoint_loads: disjoint_loads.to_vec(), part: None, local: None, seed: 7 }
}

fn all_kinds() -> Vec<SearchRequest> {
    let lighter = Demand { k: 7, max_load: 7, objective: Objective::Lexicographic, ..Demand::square(12, 1) };
    let part = SearchRequest { part: Some(9), ..request(Demand::square(101, 2), &[]) };
    vec![
        request(Demand::square(11, 2), &[]),
        request(Demand::square(13, 3), &[1, 3, 3]),
        request(lighter, &[]),
        part,
    ]
}

#[test]
fn a_state_that_is_read_again_goes_on_as_if_nothing_had_happened() {
    for request in all_kinds() {
        // Nothing known: so that there is something to find.
        let mut whole = SearchRun::new(request.clone(), &[]).unwrap();
        let mut parts = whole.clone();
        for _ in 0..3 {
            whole.advance(&|| false).unwrap();
            parts.advance(&|| false).unwrap();
            let text = parts.to_json().to_string();
            parts = SearchRun::resume(request.clone(), &[], &text).unwrap();
            // A round cut short leaves no trace.
            let before = parts.clone();
            parts.advance(&|| true).unwrap();
            assert_eq!(parts, before);
        }
        assert_eq!(whole, parts);
        assert_eq!(whole.rounds(), 3);
        // Beside these rows nothing beats disjoint ones.
        assert_eq!(whole.best().is_some(), request.disjoint_loads.is_empty(), "{request:?}");
    }
}

#[test]
fn states_of_other_searches_are_refused() {
    let [first, second, third, fourth] = &all_kinds()[..] else { panic!("four") };
    let text = SearchRun::new(first.clone(), blocks()).unwrap().to_json().to_string();
    for other in [second, third, fourth, &SearchRequest { seed: 8, ..first.clone() }] {
        assert!(matches!(SearchRun::resume(other.clone(), blocks(), &text), Err(StateError::Other { .. })));
    }
    let good: Value = serde_json::from_str(&text).unwrap();
    for (name, wrong) in [
        ("schema", Value::from("ecode/search/2")),
        ("rounds", Value::from(-1)),
        ("known", Value::from("41")),
        ("best", Value::from("whole 2 8 0,1")),
        ("best", Value::from("whole 2 9 0,1,2,3,4 me")),
        ("best", Value::from(1)),
    ] {
        let mut broken = good.clone();
        broken[name] = wrong;
        let read = SearchRun::resume(first.clone(), blocks(), &broken.to_string());
        assert!(matches!(read, Err(StateError::Broken(_))), "{name}: {read:?}");
    }
    for broken in ["", "{}", "[]", &text[..text.len() / 2]] {
        assert!(SearchRun::resume(first.clone(), blocks(), broken).is_err(), "{broken}");
    }
}

const SEARCH: [&str; 11] =
    ["search", "--n", "12", "--k", "7", "--b", "1", "--objective", "lexicographic", "--rounds", "4"];

fn search(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
    command.current_dir(folder).args(SEARCH).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn killed_searches_end_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let whole = search(folder.path(), &["-o", "whole.json"]).output().unwrap();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let mut kills = 0;
    for attempt in 0..3_u64 {
        let (state, file) = (format!("state-{attempt}.json"), format!("code-{attempt}.json"));
        for death in 0.. {
            let mut child = search(folder.path(), &["--state", &state, "-o", &file]).spawn().unwrap();
            // Later and later, so that a slow machine comes to the end, too.
            std::thread::sleep(Duration::from_millis(20 + 30 * attempt).mul_f64(1.5_f64.powi(death)));
            if child.try_wait().unwrap().is_some() {
                assert!(child.wait_with_output().unwrap().status.success());
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read(&file), read("whole.json"));
    }
    assert!(kills >= 3, "only {kills} kills hit a living search");
    // Finished: once more changes nothing, and another seed is another search.
    let again = search(folder.path(), &["--state", "state-0.json"]).output().unwrap();
    assert!(again.status.success());
    let other = search(folder.path(), &["--state", "state-0.json", "--seed", "2"]).output().unwrap();
    assert_eq!((other.status.code(), other.stdout.len()), (Some(2), 0));
    let error = String::from_utf8(other.stderr).unwrap();
    assert!(
        error.contains("state-0.json") && error.contains("seed") && error.lines().count() == 1,
        "{error}"
    );
}

#[test]
fn states_from_before_the_loads_were_renamed_are_read() {
    let request = &all_kinds()[1];
    let mut state = SearchRun::new(request.clone(), blocks()).unwrap().to_json();
    let loads = state["search"].as_object_mut().unwrap().remove("disjoint_loads").unwrap();
    state["search"]["beside"] = loads;
    assert!(SearchRun::resume(request.clone(), blocks(), &state.to_string()).is_ok());
}

/// One search at a time works on a state, and the state says which program wrote it.
#[cfg(unix)]
#[test]
fn a_state_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["search", "--n", "23", "--b", "2", "--time", "10m", "--state", "state.json", "-q"];
    let start = || {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
        command.current_dir(folder.path()).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let first = start();
    let state = folder.path().join("state.json");
    while !state.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = start().wait_with_output().unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), second.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.contains(&format!("state.json: process {} works on this search", first.id())), "{error}");
    assert!(Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap().success());
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(3));
    let written: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    let program = written["program"].as_str().unwrap();
    assert!(program.starts_with(concat!("ecode ", env!("CARGO_PKG_VERSION"))), "{program}");
    assert!(!folder.path().join("state.json.lock").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_the_best_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["search", "--n", "23", "--b", "2", "--time", "10m", "--state", "state.json", "--json"];
    let child = Command::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .current_dir(folder.path())
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !folder.path().join("state.json").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["verdict"], &document["interrupted"]), (&"tolerant".into(), &true.into()));
    assert!(document["ones"].as_u64() <= Some(211));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("goes on from state.json"), "{error}");
}
