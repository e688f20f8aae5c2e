//! Promise: over gRPC, with processes of their own, reactive redundancy comes to the parameters of one process, bit for bit,
//! and names whom it names there, by the same rules: whatever liars do, whoever is killed or stopped, and the server too, in
//! the middle of a dispute. What names is signed by the workers' keys.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod processes;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use processes::{Deployment, Process, ecode};
use serde_json::Value;

/// Nine workers of which two lie.
fn training<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut training =
        vec!["--scheme", "reactive", "--n", "9", "--b", "2", "--byzantine-set", "2,5", "--batch", "8"];
    training.extend(more);
    training
}

/// Whoever was named has a certificate that holds, under the key of its row.
fn assert_certificates(deployment: &Deployment, named: &Value) {
    let rows = std::fs::read_to_string(deployment.keys("server").join("rows.toml")).unwrap();
    let rows: toml::Table = rows.parse().unwrap();
    for worker in named.as_array().unwrap() {
        let worker = worker["worker"].as_u64().unwrap();
        let file = deployment.run().join(format!("naming-{worker}.json"));
        let checked = Command::new(ecode()).arg("check").arg(&file).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
        let certificate: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for (row, key) in certificate["keys"].as_object().unwrap() {
            let row: usize = row.parse().unwrap();
            assert_eq!(
                rows["rows"][row]["key"].as_str(),
                key.as_str(),
                "signed by the key that the list has"
            );
        }
    }
}

/// Each kind of lie that needs no clock: the same parameters, the same namings, the same cost.
#[test]
fn processes_name_whom_one_process_names() {
    // Of the others `silent`, `withhold` and `flap` have deadlines: another test.
    let adversaries = [
        "always",
        "different",
        "rare",
        "primary",
        "digest-only",
        "vector-only",
        "equivocate",
        "frame",
        "helpers",
        "drip",
        "once",
        "honest",
    ];
    for adversary in adversaries {
        let steps = if adversary == "once" { "52" } else { "40" };
        let training = training(&["--adversary", adversary, "--steps", steps, "--evaluate-every", "10"]);
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        let (mut server, address) = deployment.serve(&["--wait", "all"]);
        let _workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
        assert_eq!(server.ends(), Some(0), "{adversary}: {:#?}", server.said());
        let summary = deployment.summary();
        assert_eq!(summary["parameters_digest"], expected["parameters_digest"], "{adversary}");
        assert_eq!(summary["unverified"], Value::Null);
        let (ours, theirs) = (&summary, &expected);
        for what in
            ["named", "label", "extra_gradients", "extra_trips", "timeouts", "disputes", "heaviest_load"]
        {
            assert_eq!(ours[what], theirs[what], "{adversary}: {what}");
        }
        if ["always", "vector-only", "helpers", "equivocate"].contains(&adversary) {
            assert_eq!(ours["named"].as_array().unwrap().len(), 2, "{adversary}");
        }
        deployment.assert_same_log();
        assert_certificates(&deployment, &ours["named"]);
        for worker in ours["named"].as_array().unwrap() {
            let line = format!("worker {} is named (rule ", worker["worker"]);
            assert!(server.said().iter().any(|said| said.contains(&line)), "{:#?}", server.said());
        }
    }
}

/// Vectors in shares: with 2b + 1 holders no trip at all, with spare holders none for a missing vector. The same
/// parameters and namings as in one process.
#[test]
fn shares_travel_between_processes() {
    for (more, named) in [
        (&["--scheme", "one-round", "--adversary", "always"][..], 2),
        (&["--scheme", "one-round", "--adversary", "vector-only"], 2),
        (&["--scheme", "one-round", "--adversary", "digest-only"], 2),
        (&["--scheme", "reactive", "--spare", "2", "--adversary", "always"], 2),
        (&["--scheme", "reactive", "--spare", "2", "--adversary", "vector-only", "--budget", "total"], 2),
        (&["--scheme", "reactive", "--spare", "2", "--adversary", "honest"], 0),
    ] {
        let mut training = vec!["--n", "9", "--b", "2", "--byzantine-set", "2,5", "--batch", "8"];
        training.extend(["--steps", "30", "--evaluate-every", "10"]);
        training.extend(more);
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        let (mut server, address) = deployment.serve(&["--wait", "all"]);
        let _workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
        assert_eq!(server.ends(), Some(0), "{more:?}: {:#?}", server.said());
        let summary = deployment.summary();
        for what in ["parameters_digest", "named", "label", "extra_gradients", "extra_trips", "heaviest_load"]
        {
            assert_eq!(summary[what], expected[what], "{more:?}: {what}");
        }
        assert_eq!(summary["named"].as_array().unwrap().len(), named, "{more:?}");
        // Also by a wrong share.
        assert_certificates(&deployment, &summary["named"]);
        deployment.assert_same_log();
    }
}

/// A worker that is stopped costs no trip where each partition has a spare holder: its share is not needed.
#[test]
fn a_spare_holder_takes_the_place_of_one_that_is_silent() {
    let training = ["--scheme", "reactive", "--spare", "1", "--n", "9", "--b", "2", "--attack", "none"];
    let more = ["--batch", "8", "--steps", "60", "--evaluate-every", "10"];
    let deployment = Deployment::new(9, &[&training[..], &more[..]].concat());
    let expected = deployment.alone_summary();
    let (mut server, address) = deployment.serve(&["--wait", "3s"]);
    let workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
    server.reaches(20);
    workers[7].signal("STOP");
    server.reaches(40);
    workers[7].signal("CONT");
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    let summary = deployment.summary();
    assert_eq!(summary["parameters_digest"], expected["parameters_digest"]);
    assert!(summary["timeouts"].as_u64().unwrap() > 0, "it was missed");
    assert_eq!(summary["extra_trips"], 0, "and nobody had to step in");
    assert_eq!(summary["named"].as_array().map(Vec::len), Some(0));
}

/// A way to a server on which everything that it says comes so much later.
fn slowed(server: &str, late: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, server) = (listener.local_addr().unwrap(), server.to_owned());
    let carry = |mut from: TcpStream, mut to: TcpStream, late: Duration| {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count) = from.read(&mut bytes)
            && count > 0
        {
            std::thread::sleep(late);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    };
    std::thread::spawn(move || {
        for worker in listener.incoming().map_while(Result::ok) {
            // No server, no way.
            let Ok(server) = TcpStream::connect(&server) else { continue };
            let (up, down) = (worker.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || carry(down, worker, late));
            std::thread::spawn(move || carry(up, server, Duration::ZERO));
        }
    });
    address.to_string()
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}

/// Honest workers are killed, stopped and come back while liars are silent now and then: silence names nobody.
#[test]
fn workers_are_killed_and_stopped_and_nobody_honest_is_named() {
    let training = training(&["--adversary", "flap", "--steps", "150", "--evaluate-every", "5"]);
    let deployment = Deployment::new(9, &training);
    let expected = deployment.alone_summary();
    let (mut server, address) = deployment.serve(&["--worker-timeout", "10s"]);
    let mut workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
    server.reaches(20);
    workers[7].signal("STOP");
    server.reaches(40);
    workers[7].signal("CONT");
    workers[0].kill();
    server.reaches(60);
    workers[0] = deployment.work(&address, 0);
    server.hears("that worker 0 is back", |line| line.contains("worker 0 has joined").then_some(()));
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    let summary = summary(&deployment.run());
    assert_eq!(summary["parameters_digest"], expected["parameters_digest"]);
    assert_eq!(summary["unverified"], Value::Null);
    assert!(
        summary["named"]
            .as_array()
            .unwrap()
            .iter()
            .all(|named| { [2, 5].contains(&named["worker"].as_u64().unwrap()) })
    );
    assert!(summary["timeouts"].as_u64().unwrap() > 0);
    deployment.assert_same_log();
}

/// The server is killed while a helper computes, after the first naming of the step. It goes on from its checkpoint; who was
/// named stays named, and the end is that of a quiet run.
#[test]
fn a_server_that_is_killed_in_a_dispute_goes_on_to_the_same_end() {
    let training =
        ["--adversary", "helpers", "--steps", "9", "--evaluate-every", "1", "--checkpoint-every=4"];
    let deployment = Deployment::new(9, &self::training(&training));
    let expected = deployment.alone_summary();
    let (mut server, address) = deployment.serve(&["--wait", "all"]);
    // A helper hears late that it is asked: before that the server is killed.
    let slow = slowed(&address, Duration::from_millis(150));
    let mut workers: Vec<Process> = (0..9).map(|row| deployment.work(&slow, row)).collect();
    server.hears("a helper that is asked", |line| {
        (line.contains("extra trip 1: worker") && line.contains("is asked for partition")).then_some(())
    });
    server.kill();
    assert!(!server.said().iter().any(|line| line.contains("the step took")), "killed in the dispute");
    let mut server = deployment.resume(&address, &["--wait", "all"]);
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    let summary = deployment.summary();
    assert_eq!(summary["parameters_digest"], expected["parameters_digest"]);
    assert_eq!(summary["named"].as_array().unwrap().len(), 2);
    deployment.assert_same_log();
    for row in [0, 1, 3] {
        assert_eq!(workers[row].ends(), Some(0), "{:#?}", workers[row].said());
    }
    assert_certificates(&deployment, &summary["named"]);
}

/// Workers that cannot come to a decision stop the run before the step; with one more it goes on.
#[test]
fn too_few_workers_stop_the_run() {
    let training = training(&["--attack", "none", "--steps", "30"]);
    let deployment = Deployment::new(9, &training);
    let (mut server, address) = deployment.serve(&["--worker-timeout", "2s"]);
    let mut workers: Vec<Process> = (0..2).map(|row| deployment.work(&address, row)).collect();
    assert_eq!(server.ends(), Some(3), "{:#?}", server.said());
    workers.push(deployment.work(&address, 2));
    workers.push(deployment.work(&address, 3));
    workers.push(deployment.work(&address, 4));
    let mut server = deployment.resume(&address, &["--wait", "quorum"]);
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    assert_eq!(deployment.summary()["parameters_digest"], deployment.alone_summary()["parameters_digest"]);
    assert_eq!(deployment.summary()["label"], "exact (b = 2, named 0, r 3.00)");
}

/// Liars that say nothing, or withhold their vectors, cost their deadlines: as many as in one process, with the same helpers.
#[test]
fn silence_costs_what_it_costs_in_one_process() {
    for adversary in ["silent", "withhold", "flap"] {
        let training = training(&["--adversary", adversary, "--steps", "20", "--evaluate-every", "10"]);
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        // Honest workers answer within a few milliseconds, or a few hundred on a busy machine.
        let (mut server, address) = deployment.serve(&["--wait", "4s"]);
        let _workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
        assert_eq!(server.ends(), Some(0), "{adversary}: {:#?}", server.said());
        let summary = deployment.summary();
        for what in ["parameters_digest", "named", "label", "extra_gradients", "extra_trips", "timeouts"] {
            assert_eq!(summary[what], expected[what], "{adversary}: {what}: {:#?}", server.said());
        }
        assert!(summary["timeouts"].as_u64().unwrap() > 0, "{adversary}");
        deployment.assert_same_log();
    }
}

/// Where more lie than the scheme provides for, the votes of a code decode from that step on, as in one process; who was named
/// has none. A server that is killed after that goes on with votes.
#[test]
fn votes_take_over_between_processes() {
    let code = ["--on-excess", "code:best:n=9,b=4", "--steps", "40", "--evaluate-every", "10"];
    for (more, why) in [
        (
            &["--byzantine", "3", "--byzantine-set", "2,5,6", "--adversary", "vector-only"][..],
            "condemns 3 workers",
        ),
        (
            &[
                "--byzantine",
                "3",
                "--byzantine-set",
                "2,5,6",
                "--adversary",
                "different",
                "--attack",
                "label-flip",
            ],
            "condemns 3 workers",
        ),
        (
            &["--byzantine", "1", "--byzantine-set", "random-per-step", "--adversary", "always"],
            "cannot be settled",
        ),
    ] {
        let training =
            [&["--scheme", "reactive", "--n", "9", "--b", "2", "--batch", "8"], more, &code].concat();
        let deployment = Deployment::new(9, &training);
        let expected = deployment.alone_summary();
        assert!(expected["fell_back"]["why"].as_str().unwrap().contains(why), "{expected}");
        let (mut server, address) = deployment.serve(&["--wait", "all"]);
        let _workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
        if why.contains("condemns") {
            server.reaches(20);
            server.kill();
            server = deployment.resume(&address, &["--wait", "all"]);
        }
        assert_eq!(server.ends(), Some(0), "{more:?}: {:#?}", server.said());
        let summary = deployment.summary();
        for what in ["parameters_digest", "named", "extra_gradients", "extra_trips"] {
            assert_eq!(summary[what], expected[what], "{more:?}: {what}");
        }
        // The code of a folder has another name than the one that was asked for.
        for what in ["step", "why", "b"] {
            assert_eq!(summary["fell_back"][what], expected["fell_back"][what], "{more:?}: {what}");
        }
        deployment.assert_same_log();
    }
}

/// What no scheme has between processes is refused in a line, before anything is written.
#[test]
fn what_is_for_one_process_is_refused() {
    let deployment = Deployment::new(9, &[]);
    let run = deployment.run();
    let refused = Command::new(ecode())
        .args(["train", "--transport", "grpc", "--listen", "127.0.0.1:0", "--n", "9", "--b", "2", "--keys"])
        .arg(deployment.keys("server"))
        .arg("--run")
        .arg(&run)
        .args(["--scheme", "reactive", "--audit"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(error.contains("audit needs all messages"), "{error}");
    assert!(!run.exists());
}
