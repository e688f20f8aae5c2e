//! A server and workers whose votes are known, for the tests.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "not every test needs all of it, and a test may panic"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_grpc::keys;
use ecode_grpc::{Client, ClientError, Greeting, Happening, Line, Offer, Server, Settings, Vote, Welcome};
use ecode_server::Rules;

pub const DIMENSION: usize = 77;
pub const BLOCK: usize = 4;

pub fn offer() -> Offer {
    Offer {
        version: "v".into(),
        matrix: "m".into(),
        config: "c".into(),
        data: "d".into(),
        config_text: "steps = 9".into(),
        matrix_text: "{}".into(),
        data_text: "synthetic".into(),
        probe: None,
    }
}

pub fn settings(rules: Rules) -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        rules,
        dimension: DIMENSION,
        block_bytes: BLOCK,
        step: 0,
        run: 7,
        incarnation: 1,
        offer: offer(),
        most_losses: 3,
        can_be_silent: vec![false; rules.n],
        partitions: None,
    }
}

pub fn join(address: &str, keys: &Path, have: (u64, u64)) -> Result<(Client, Welcome), ClientError> {
    let greeting = Greeting {
        version: "test".into(),
        matrix: "m".into(),
        config: "c".into(),
        data: "d".into(),
        have,
        probe: None,
    };
    Line::connect(address, keys)?.join(&greeting)
}

pub fn blocks() -> usize {
    DIMENSION.div_ceil(8 * BLOCK)
}

/// What all honest workers send for a block of a step; bits beyond the last coordinate are zero.
pub fn honest(step: u64, block: usize) -> Bytes {
    let first = 8 * BLOCK * block;
    let coordinates = (DIMENSION - first).min(8 * BLOCK);
    let mut bytes = vec![0_u8; coordinates.div_ceil(8)];
    for i in (0..coordinates).filter(|i| (31 * step as usize + (first + i) * (first + i)) % 3 == 0) {
        bytes[i / 8] |= 1 << (i % 8);
    }
    bytes.into()
}

/// The bitwise majority of what came.
pub fn majority(votes: &[Option<Vote>]) -> Bytes {
    let present: Vec<&Vote> = votes.iter().flatten().collect();
    let bits = |i: usize| present.iter().filter(|vote| vote.negative[i / 8] >> (i % 8) & 1 == 1).count();
    let mut bytes = vec![0_u8; present[0].negative.len()];
    for i in (0..8 * bytes.len()).filter(|&i| 2 * bits(i) > present.len()) {
        bytes[i / 8] |= 1 << (i % 8);
    }
    bytes.into()
}

/// Serves until so many steps are done; returns what happened besides.
pub fn serve(
    server: &Server,
    steps: u64,
    mut look: impl FnMut(u64, usize, &[Option<Vote>]),
) -> Vec<Happening> {
    let begun = Instant::now();
    let (mut rest, mut done) = (Vec::new(), 0);
    while done < steps * blocks() as u64 {
        assert!(begun.elapsed() < Duration::from_secs(100), "stuck after {done} blocks: {rest:?}");
        match server.next(Duration::from_millis(100)) {
            Some(Happening::Closed { step, block, votes, verified }) => {
                assert!(verified);
                look(step, block, &votes);
                server.announce(step, block, majority(&votes), Bytes::new(), 0.5);
                done += 1;
            }
            Some(other) => rest.push(other),
            None => {}
        }
    }
    rest
}

pub fn made(workers: usize) -> (tempfile::TempDir, impl Fn(usize) -> PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("keys");
    keys::make(&root, workers).unwrap();
    let server = root.join("server");
    (folder, move |row| root.join(format!("worker-{row}")), server)
}
