//! Promise: `ecode serve` serves only what is verified, says what it holds when it is stopped, goes on in its folder, and is
//! no server for workers that want a model of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod processes;

use std::process::Command;

use processes::{Deployment, Process};

fn serve(deployment: &Deployment, more: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
    command
        .args(["serve", "--dimension", "1000", "--listen", "127.0.0.1:0", "--keys"])
        .arg(deployment.keys("server"));
    command.arg("--run").arg(deployment.run()).args(more);
    command
}

#[test]
fn a_server_that_is_stopped_says_what_is_done_and_goes_on_later() {
    let deployment = Deployment::new(5, &[]);
    for (more, code, says) in [
        (&["--timeout", "300ms"][..], 0, "Decoded 0 steps of 1000 coordinates: every decode is proved"),
        (&["--timeout", "300ms", "--steps", "9"], 3, "Decoded 0 steps of 1000 coordinates"),
        (&["--timeout", "300ms", "--steps", "9", "--json"], 3, "\"unverified_from\":null"),
        (&["--worker-timeout", "300ms"], 3, "stopped before step 0: 5 votes are missing, and 2 may be"),
    ] {
        let output = serve(&deployment, &[&["--code", "best:n=5,b=2", "--byzantine", "1"], more].concat())
            .output()
            .unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{more:?}: {out}{error}");
        assert!(out.contains(says), "{more:?}: {out}{error}");
    }
    let mut server = Process::start(
        "the server",
        &mut serve(&deployment, &["--code", "best:n=5,b=2", "--byzantine", "1", "--steps", "9"]),
    );
    server.hears("that it goes on", |line| {
        line.starts_with("goes on at step 0 with the run in ").then_some(())
    });
    server.signal("TERM");
    assert_eq!(server.ends(), Some(3), "{:#?}", server.said());
}

#[test]
fn what_cannot_be_served_is_one_line() {
    let deployment = Deployment::new(5, &[]);
    std::fs::write(deployment.folder.path().join("none.txt"), "110\n011\n101\n").unwrap();
    let none = deployment.folder.path().join("none.txt");
    for (more, says) in [
        (
            &["--code", "uncoded:n=5", "--byzantine", "1"][..],
            "1 liars are declared, the code is verified for 0",
        ),
        (&["--code", none.to_str().unwrap()], "is not verified"),
        (&["--code", "best:n=3,b=1"], "row 3 is listed, but the matrix has 3 rows"),
        (&["--code", "best:n=5,b=1", "--keys-of", "x"], "unexpected argument"),
    ] {
        let output = serve(&deployment, more).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {error}");
        assert!(error.contains(says), "{more:?}: {error}");
    }
}

#[test]
fn a_worker_that_wants_a_model_is_told_that_there_is_none() {
    let deployment = Deployment::new(5, &[]);
    let mut server = Process::start("the server", &mut serve(&deployment, &["--code", "best:n=5,b=1"]));
    let address =
        server.hears("where it listens", |line| line.strip_prefix("listening on ").map(str::to_owned));
    let mut worker = deployment.work(&address, 2);
    assert_eq!(worker.ends(), Some(2));
    assert!(worker.said().iter().any(|line| line.contains("which holds no model")), "{:#?}", worker.said());
}
