//! Promise: over gRPC, with processes of their own, steps that are open while their digests are on the way close as in one
//! process: the same parameters, namings, helpers, trips and steps done again, whoever is killed or stopped, and the server,
//! too, while steps are open. Checkers that are drawn in secret find who lies.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod processes;

use processes::{Deployment, Process};
use serde_json::Value;

/// Nine workers of which two lie, and up to five open steps.
fn training<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut training = vec!["--n", "9", "--b", "2", "--byzantine-set", "2,5", "--batch", "8"];
    training.extend(["--evaluate-every", "10"]);
    training.extend(more);
    training
}

/// A whole run between processes.
fn served(deployment: &Deployment, wait: &str) -> Value {
    let (mut server, address) = deployment.serve(&["--wait", wait]);
    let _workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    deployment.summary()
}

#[test]
fn open_steps_close_as_in_one_process() {
    for adversary in
        ["always", "different", "rare", "primary", "digest-only", "vector-only", "helpers", "drip", "honest"]
    {
        let training =
            training(&["--scheme", "reactive", "--window", "5", "--adversary", adversary, "--steps", "40"]);
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        let summary = served(&deployment, "all");
        for what in [
            "parameters_digest",
            "named",
            "label",
            "extra_gradients",
            "extra_trips",
            "steps_redone",
            "timeouts",
            "disputes",
        ] {
            assert_eq!(summary[what], expected[what], "{adversary}: {what}");
        }
        if ["always", "primary", "vector-only"].contains(&adversary) {
            assert!(summary["steps_redone"].as_u64().unwrap() > 0, "{adversary}: the run went back");
        }
        deployment.assert_same_log();
    }
}

/// A silent primary costs a deadline, and the next holder sends its vector.
#[test]
fn silent_primaries_are_replaced() {
    for adversary in ["silent", "withhold"] {
        let training =
            training(&["--scheme", "reactive", "--window", "3", "--adversary", adversary, "--steps", "10"]);
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        let summary = served(&deployment, "4s");
        for what in ["parameters_digest", "named", "label", "timeouts", "steps_redone"] {
            assert_eq!(summary[what], expected[what], "{adversary}: {what}");
        }
        assert!(summary["timeouts"].as_u64().unwrap() > 0);
    }
}

/// Workers are stopped and killed while steps are open, the server as well: it goes on before the oldest open step, and comes to
/// the end of a quiet run.
#[test]
fn a_server_that_is_killed_while_steps_are_open_goes_on_to_the_same_end() {
    let more = [
        "--scheme",
        "reactive",
        "--window",
        "6",
        "--adversary",
        "drip",
        "--steps",
        "80",
        "--checkpoint-every=8",
    ];
    let deployment = Deployment::new(9, &training(&more));
    let expected = deployment.alone_summary();
    let (mut server, address) = deployment.serve(&["--worker-timeout", "10s"]);
    let mut workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
    server.reaches(20);
    workers[7].signal("STOP");
    server.reaches(30);
    workers[7].signal("CONT");
    workers[0].kill();
    workers[0] = deployment.work(&address, 0);
    server.reaches(40);
    server.kill();
    let mut server = deployment.resume(&address, &["--worker-timeout", "10s"]);
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    let summary = deployment.summary();
    assert_eq!(summary["parameters_digest"], expected["parameters_digest"]);
    assert_eq!(summary["unverified"], Value::Null);
    for named in summary["named"].as_array().unwrap() {
        assert!([2, 5].contains(&named["worker"].as_u64().unwrap()), "{named}");
    }
    deployment.assert_same_log();
}

/// With b + 1 holders drawn in secret nothing stays unseen: the parameters are those of a run in which nobody lies. With fewer
/// the label has the risk, and who was seen to lie is named.
#[test]
fn checkers_are_drawn_after_the_vectors() {
    for adversary in ["always", "primary", "rare", "digest-only", "honest"] {
        for window in ["1", "4"] {
            let more =
                ["--scheme", "checked", "--risk", "1e-9", "--window", window, "--adversary", adversary];
            let deployment = Deployment::new(9, &training(&[&more[..], &["--steps", "30"]].concat()));
            let expected = deployment.alone_summary();
            let summary = served(&deployment, "all");
            assert_eq!(summary["parameters_digest"], expected["parameters_digest"], "{adversary}, {window}");
            assert!(
                summary["label"].as_str().unwrap().starts_with("exact (b = 2, named"),
                "{}",
                summary["label"]
            );
            let named: Vec<u64> = summary["named"]
                .as_array()
                .unwrap()
                .iter()
                .map(|named| named["worker"].as_u64().unwrap())
                .collect();
            assert!(named.iter().all(|worker| [2, 5].contains(worker)), "{named:?}");
            assert_eq!(
                named.len(),
                if ["always", "digest-only"].contains(&adversary) { 2 } else { named.len() }
            );
            deployment.assert_same_log();
        }
    }
    let more = ["--scheme", "checked", "--risk", "0.3", "--adversary", "always", "--steps", "20"];
    let deployment = Deployment::new(9, &training(&more));
    let summary = served(&deployment, "all");
    assert!(summary["label"].as_str().unwrap().starts_with("checked (P[wrong] <= "), "{}", summary["label"]);
    assert_eq!(summary["named"].as_array().unwrap().len(), 2);
}
