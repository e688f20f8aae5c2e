//! Promise: the commands of reactive redundancy say what is true, refuse what is wrong in a line, and a run that is killed in
//! the middle, with a naming on the disk, goes on to the end of the honest run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;

fn ecode(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_detection_radius_comes_with_the_two_worlds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("holders.json");
    let file = file.to_str().unwrap();
    let (code, text, _) = ecode(&["design", "--n", "9", "--b", "2", "--detect", "-o", file]);
    assert_eq!(code, 0);
    assert!(text.starts_with("3 holders of each partition detect every lie of 2 of 9 workers"), "{text}");
    for (b, expected) in [("2", 0), ("3", 1)] {
        let (code, text, _) = ecode(&["verify", file, "--detect", "--b", b, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(code, expected);
        assert_eq!(document["detection_radius"], 2);
        assert_eq!(document["one_round_radius"], 1);
        assert_eq!(document["detects"], expected == 0);
        assert_eq!(document["worlds"].is_null(), expected == 0);
        if expected == 1 {
            assert_ne!(document["worlds"]["answer_honest"], document["worlds"]["answer_lied"]);
        }
    }
    // Every b-tolerant code detects 2b.
    let (_, text, _) = ecode(&["design", "--n", "9", "--b", "2", "-o", file]);
    assert!(text.starts_with("Tolerant"), "{text}");
    let (code, ..) = ecode(&["verify", file, "--detect", "--b", "4"]);
    assert_eq!(code, 0);
    // One holder is all: 0. None at all: null.
    for (rows, expected) in [("1 0\n1 1\n", Value::from(0)), ("1 0\n1 0\n", Value::Null)] {
        let file = folder.path().join("small.txt");
        std::fs::write(&file, rows).unwrap();
        let (code, text, _) = ecode(&["verify", file.to_str().unwrap(), "--detect", "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (code, &document["detection_radius"], &document["weakest_partition"]),
            (0, &expected, &1.into())
        );
    }
}

/// Eight workers of which one may be wrong: two gradients a partition.
#[test]
fn even_numbers_of_workers_are_ordinary() {
    let (code, text, _) = ecode(&["design", "--n", "8", "--b", "1", "--detect", "--json", "-q"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &document["k"], &document["holders"]), (0, &7.into(), &2.into()));
    let costs = document["costs"].as_array().unwrap();
    let of = |name: &str| costs.iter().find(|cost| cost["scheme"] == name).unwrap();
    assert_eq!(of("reactive")["gradients_per_partition"], 2.0);
    assert_eq!(of("reactive")["heaviest_load"], 2);
    assert_eq!(of("one-round")["heaviest_load"], 3);
    assert_eq!(of("vote code, best known")["heaviest_load"], 7);
}

#[test]
fn schemes_stand_beside_codes_in_a_comparison() {
    let (code, text, _) = ecode(&["compare", "best:n=9,b=2", "reactive:n=9,b=2", "--json", "-q"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 0);
    assert_eq!(document["codes"].as_array().unwrap().len(), 1);
    assert_eq!(document["schemes"][0]["gradients_per_partition"], 3.0);
    for (wrong, expected) in [
        ("reactive:n=9", "--n and --b"),
        ("reactive:n=9,b=x", "b is 'x'; expected a number"),
        ("checked:n=9,b=2,c=1", "expected n, b, k, spare or risk"),
        ("reactive:n=4,b=2", "needs 5 workers"),
    ] {
        let (code, _, error) = ecode(&["compare", wrong]);
        assert_eq!(code, 2);
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn what_belongs_to_schemes_is_refused_with_votes() {
    for (arguments, expected) in [
        (&["train", "--n", "9"][..], "--n belongs to --scheme"),
        (&["train", "--scheme", "reactive", "--n", "9"], "takes --n and --b"),
        (
            &["train", "--scheme", "reactive", "--n", "9", "--b", "2", "--code", "uncoded:n=9"],
            "give one of them",
        ),
        (&["train", "--scheme", "reactive", "--code", "uncoded:n=9"], "has 1 holders; scheme reactive needs"),
        (&["train", "--code", "best:n=9,b=2", "--window", "3"], "window belongs to the schemes"),
        (&["train", "--scheme", "checked", "--n", "9", "--b", "2", "--risk", "2"], "risk is 2"),
    ] {
        let (code, _, error) = ecode(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

/// The run of a code's votes and of reactive redundancy over the same partitions end with the same parameters, and a
/// naming is checked by whoever was not there.
#[test]
fn a_run_names_liars_and_its_certificates_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (votes, reactive) = (path("votes"), path("reactive"));
    let (code, ..) = ecode(&["train", "--code", "best:n=9,b=2", "--steps", "40", "--run", &votes, "-q"]);
    assert_eq!(code, 0);
    let arguments =
        ["train", "--scheme", "reactive", "--n", "9", "--b", "2", "--steps", "40", "--run", &reactive];
    let (code, text, log) = ecode(&arguments);
    assert_eq!(code, 0, "{log}");
    assert!(text.contains("reactive: exact (b = 2, named 2, r 3."), "{text}");
    assert!(log.contains("step 0: worker 5 is named (rule "), "{log}");
    let votes_path = votes.clone();
    let (votes, run) = (summary(Path::new(&votes)), summary(Path::new(&reactive)));
    assert_eq!(votes["parameters_digest"], run["parameters_digest"]);
    assert_eq!(run["code"]["verified"], true);
    let named: Vec<u64> =
        run["named"].as_array().unwrap().iter().map(|named| named["worker"].as_u64().unwrap()).collect();
    assert_eq!(named.len(), 2);
    for worker in named {
        let place = Path::new(&reactive).join(format!("naming-{worker}.json"));
        let (code, text, error) = ecode(&["check", place.to_str().unwrap()]);
        assert_eq!(code, 0, "{error}");
        assert!(text.starts_with(&format!("Valid: worker {worker} was faulty in step 0")), "{text}");
        assert!(text.contains("if at most 2 of the owners of these keys are faulty"), "{text}");
        let (code, text, error) = ecode(&["check", place.to_str().unwrap(), "--data", "synthetic"]);
        assert_eq!(code, 0, "{error}");
        assert!(
            text.contains("whoever else is faulty") && text.contains("Recomputed: what it signed"),
            "{text}"
        );
        let elsewhere = ["check", place.to_str().unwrap(), "--data", "synthetic", "--run", &votes_path];
        let (code, _, error) = ecode(&elsewhere);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains("holds a run of votes"), "{error}");
        let mut document: Value = serde_json::from_slice(&std::fs::read(&place).unwrap()).unwrap();
        document["step"] = 1.into();
        std::fs::write(&place, document.to_string()).unwrap();
        let (code, _, error) = ecode(&["check", place.to_str().unwrap()]);
        assert_eq!(code, 4, "{error}");
        assert!(error.contains("signature"), "{error}");
    }
}

/// More liars than promised: the code's votes correct what cannot be settled. The folder holds the code, so that it alone
/// says how to go on.
#[test]
fn a_run_falls_back_on_the_votes_of_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let place = run.to_str().unwrap();
    let scheme =
        ["train", "--scheme", "reactive", "--n", "9", "--b", "2", "--byzantine", "3", "--budget", "total"];
    let rest = ["--adversary", "drip", "--steps", "90", "--checkpoint-every", "30", "--run", place];
    let started = |code: &str| {
        let on_excess = ["--on-excess", code];
        let all: Vec<&str> = scheme.iter().chain(&on_excess).chain(&rest).copied().collect();
        ecode(&all)
    };
    for (code, expected) in [
        ("code:uncoded:n=9", "the code is verified for b = 0; the scheme provides for 2"),
        ("code:best:n=7,b=2", "the code has 7 workers and 7 partitions; the scheme has 9 and 9"),
        ("sing", "expected warn, stop or code:CODE"),
    ] {
        let (status, _, error) = started(code);
        assert_eq!(status, 2, "{code}: {error}");
        assert!(error.contains(expected) && error.lines().count() == 1, "{code}: {error}");
    }
    let (status, text, log) = started("code:best:n=9,b=2");
    assert_eq!(status, 0, "{log}");
    assert!(
        log.contains("from this step on the votes of ")
            && log.contains(" are taken, a code verified for b = 2"),
        "{log}"
    );
    assert!(
        text.contains("reactive: UNVERIFIED; votes of ")
            && text.contains(", verified for b = 2, from step 59 on"),
        "{text}"
    );
    let written = summary(&run);
    assert_eq!(written["fell_back"]["step"], 59);
    assert_eq!(written["code"]["verified"], false);
    assert_eq!(written["config"]["on-excess"], "code:fallback.json");
    // From the last checkpoint, in step 60, on.
    std::fs::remove_file(run.join("summary.json")).unwrap();
    let (status, _, error) = ecode(&["train", "--run", place, "--resume", "-q"]);
    assert_eq!(status, 0, "{error}");
    let again = summary(&run);
    assert_eq!(again["parameters_digest"], written["parameters_digest"]);
    assert_eq!(again["fell_back"], written["fell_back"]);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    std::fs::copy(run.join("matrix.json"), run.join("fallback.json")).unwrap();
    let (status, _, error) = ecode(&["train", "--run", place, "--resume", "-q"]);
    assert_eq!(status, 2, "{error}");
}

/// Killed without warning after a naming; the checkpoint is from before it.
#[test]
fn a_killed_run_goes_on_with_its_namings() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let common =
        ["train", "--scheme", "reactive", "--n", "9", "--b", "2", "--budget", "total", "--adversary", "drip"];
    let more = ["--steps", "3000", "--evaluate-every", "3000", "--checkpoint-every", "15", "-q", "--run"];
    let arguments = |run: &str| -> Vec<String> {
        common.iter().chain(&more).map(|text| (*text).to_owned()).chain([run.to_owned()]).collect()
    };
    let run = |name: &str, honest: bool| {
        let place = path(name).to_str().unwrap().to_owned();
        let mut all = arguments(&place);
        if honest {
            all.extend(["--byzantine".to_owned(), "0".to_owned()]);
        }
        all
    };
    let all = run("honest", true);
    let (code, ..) = ecode(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, 0);
    let killed = path("killed");
    let program = Command::cargo_bin("ecode").unwrap().get_program().to_owned();
    let mut child = Process::new(program)
        .args(run("killed", false))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !killed.join("namings.jsonl").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A line that was cut short when the machine failed is dropped.
    let namings = killed.join("namings.jsonl");
    let mut bytes = std::fs::read(&namings).unwrap();
    let whole = bytes.iter().filter(|&&byte| byte == b'\n').count();
    bytes.extend(b"{\"run\":\"7");
    std::fs::write(&namings, bytes).unwrap();
    let (code, _, error) = ecode(&["train", "--run", killed.to_str().unwrap(), "--resume", "-q"]);
    assert_eq!(code, 0, "{error}");
    let (honest, lied) = (summary(&path("honest")), summary(&killed));
    assert_eq!(honest["parameters_digest"], lied["parameters_digest"]);
    assert_eq!(lied["named"].as_array().unwrap().len(), 2);
    let lines = std::fs::read_to_string(&namings).unwrap();
    assert_eq!(lines.lines().count(), 2, "{whole} before the kill; nobody is named twice");
}

#[test]
fn this_machine_reproduces_its_gradients() {
    let (code, text, error) = ecode(&["doctor", "--reproducible"]);
    assert_eq!(code, 0, "{error}");
    for way in ["again", "on one thread", "on seven threads", "in another order", "in another process"] {
        assert!(text.contains(&format!("{way}: the same")), "{text}");
    }
}
