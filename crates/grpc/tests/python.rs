//! Promise: docs/worker.py, a worker in another language, votes in every step. It needs grpcio: `scripts/test-grpc` gets it,
//! and names a Python that has it in `ECODE_PYTHON`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{blocks, honest, join, made, serve, settings};
use ecode_grpc::{Server, Settings, Vote};
use ecode_server::Rules;

#[test]
fn a_worker_in_python_votes_in_every_step() {
    let Some(python) = std::env::var_os("ECODE_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "ECODE_PYTHON names no Python with grpcio");
        eprintln!("skipped: ECODE_PYTHON names no Python with grpcio");
        return;
    };
    // With as many liars as the code tolerates every vote is needed.
    let rules = Rules { window: 2, ..Rules::new(3, 1, 1).unwrap() };
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(Settings { ..settings(rules) }, &server_keys).unwrap();
    let address = server.address().to_string();
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/worker.py");
    let mut snake = Command::new(python).arg(worker).arg(&address).arg(keys_of(2)).spawn().unwrap();
    let steps = 30;
    std::thread::scope(|scope| {
        for row in 0..2 {
            let (address, keys) = (&address, keys_of(row));
            scope.spawn(move || {
                let (mut client, _) = join(address, &keys, (0, 0)).unwrap();
                for step in 0..steps {
                    for block in 0..blocks() {
                        let vote = Vote { negative: honest(step, block), silent: None };
                        client.vote(step, block, vote, None).unwrap();
                    }
                    for _ in 0..blocks() {
                        client.next(Duration::from_secs(60)).unwrap().unwrap();
                    }
                }
            });
        }
        serve(&server, steps, |step, block, votes| {
            assert_eq!(votes[2].as_ref().unwrap().negative, honest(step, block), "step {step}");
        });
    });
    server.stop("all steps are done", true);
    assert!(snake.wait().unwrap().success());
}
