//! Promise: a server that holds no model, killed and started anew, goes on from the decodes on its disk, and workers with
//! models of their own that come back, too, come to the decodes of a run in which nobody lies and nobody is lost.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecode_core::{AllocationMatrix, Claim, TieRule};
use ecode_train::transport::grpc::{Join, Listen, Member, Run, Settled, Terms, VoteServer, Wait, keys};
use ecode_train::{Bits, TrainError, TrainingCode, Vote, VoteEngine};
use ecode_verify::{Control, Method, Verified, VerifiedCode};

/// Coordinates: three blocks, the last one no multiple of 8.
const D: usize = 150;
const STEPS: u64 = 60;

fn code(b: usize) -> TrainingCode {
    let matrix = ecode_design::construct::algorithm1(5, 2).unwrap();
    let claim = Claim { matrix, b, ties: TieRule::Adversarial };
    match VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap() {
        Verified::Yes(code) => TrainingCode::verified(code, "algorithm1"),
        Verified::No(verdict) => panic!("{verdict:?}"),
    }
}

fn listen(keys: &Path, address: &str) -> Listen {
    Listen {
        address: address.parse().unwrap(),
        keys: keys.join("server"),
        wait: Wait::Quorum,
        patience: Duration::from_secs(60),
        quarantine: false,
        status: None,
        block_bytes: 8,
    }
}

fn matrix_text(g: &AllocationMatrix) -> String {
    use ecode_format::{Format, MatrixFile};
    String::from_utf8(MatrixFile::plain(g.clone()).to_bytes(Format::Json)).unwrap()
}

/// Opens a server that says where it listens.
fn open(
    folder: &Path,
    keys: &Path,
    address: &str,
    control: &Control,
) -> Result<(VoteServer, String), String> {
    let code = code(2);
    let terms = Terms { dimension: D, liars: 1, go_on: false, keep: 1 << 20 };
    let (said, heard) = std::sync::mpsc::channel();
    let say = move |text: &str| drop(said.send(text.to_owned()));
    let matrix = matrix_text(code.matrix());
    let server = VoteServer::open(
        folder,
        &code,
        terms,
        &listen(keys, address),
        matrix,
        control.clone(),
        Box::new(say),
    )
    .map_err(|error| error.to_string())?;
    let address = heard.iter().find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned())).unwrap();
    Ok((server, address))
}

/// The signs of all partitions in a step.
fn signs(step: u64) -> Vec<Bits> {
    let sign = |i: usize, c: usize| (step as usize * 31 + (i + 1) * (c + 3) * (c + 3) * 7 + i) % 11 < 5;
    (0..5).map(|i| Bits::from_fn(D, |c| sign(i, c))).collect()
}

/// What row j votes.
fn vote(engine: &VoteEngine, step: u64, j: usize) -> Bits {
    engine.worker_vote(j, &signs(step)).bits
}

/// The decodes of a run in which nobody lies or is lost.
fn expected(engine: &VoteEngine) -> Vec<Bits> {
    let all = |step| -> Vec<Option<Vote>> {
        (0..5).map(|j| Some(Vote { bits: vote(engine, step, j), silent: None })).collect()
    };
    (0..STEPS).map(|step| engine.decode(D, &all(step)).negative).collect()
}

struct Worker<'a> {
    engine: &'a VoteEngine,
    join: Join,
    row: usize,
    /// What is decided, as far as this worker knows: its model.
    model: Vec<Bits>,
    run: u64,
    /// Steps that it got without a vote.
    followed: u64,
}

impl Worker<'_> {
    fn take(&mut self, settled: &Settled) {
        assert!(settled.account.verified);
        self.model.push(settled.decoded.negative.clone());
    }

    /// Works until a step is done, or until it is told that all is.
    fn work(&mut self, until: u64, control: &Control) -> Result<(), TrainError> {
        let digest = code(2).matrix().digest();
        let have = (self.model.len() as u64, self.run);
        let say = Box::new(|_: &str| ());
        let mut member = Member::new(self.join.clone(), "test".into(), digest, D, have, say);
        while (self.model.len() as u64) < until {
            let step = self.model.len() as u64;
            if let Some(settled) = member.decided(step, control)? {
                self.take(&settled);
                self.followed += 1;
                continue;
            }
            let mut bits = vote(self.engine, step, self.row);
            if self.row == 0 {
                bits = Bits::from_fn(D, |i| !bits.get(i));
            }
            let settled = member.vote(step, bits, control)?;
            self.take(&settled);
            self.run = member.run();
        }
        Ok(())
    }
}

#[test]
fn a_killed_server_and_a_killed_worker_come_back_to_the_same_decodes() {
    let place = tempfile::tempdir().unwrap();
    let (keys, folder) = (place.path().join("keys"), place.path().join("run"));
    keys::make(&keys, 5).unwrap();
    let engine = VoteEngine::new(code(2).matrix(), TieRule::Zero);
    let right = expected(&engine);
    let stop = Control::default();
    let (server, address) = open(&folder, &keys, "127.0.0.1:0", &stop).unwrap();
    let progress = AtomicU64::new(0);
    let named = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for row in 0..5 {
            let join = Join {
                server: address.clone(),
                keys: keys.join(format!("worker-{row}")),
                give_up_after: Duration::from_secs(60),
            };
            let mut worker = Worker { engine: &engine, join, row, model: Vec::new(), run: 0, followed: 0 };
            let (right, progress) = (&right, &progress);
            scope.spawn(move || {
                let control = Control::default();
                if row == 3 {
                    // It is gone after ten steps, and comes back later with a model of then.
                    worker.work(10, &control).unwrap();
                    while progress.load(Ordering::Relaxed) < 30 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    worker.work(STEPS, &control).unwrap();
                    assert!(worker.followed >= 20, "{}", worker.followed);
                } else {
                    worker.work(STEPS, &control).unwrap();
                }
                assert!(worker.model == *right, "worker {row}");
            });
        }
        // The server is dropped in the middle of a step, three times, and once a torn decode lies in its log.
        let mut server = Some(server);
        for until in [7, 20, 40, STEPS] {
            let mut running =
                server.take().unwrap_or_else(|| open(&folder, &keys, &address, &stop).unwrap().0);
            while running.step() < until {
                running.advance().unwrap();
                progress.store(running.step(), Ordering::Relaxed);
            }
            if until == 20 {
                drop(running);
                let log = std::fs::read_dir(folder.join("decodes")).unwrap().next().unwrap().unwrap().path();
                let whole = std::fs::read(&log).unwrap();
                std::fs::write(&log, [&whole[..], &whole[..33]].concat()).unwrap();
            } else if until == STEPS {
                named.lock().unwrap().extend_from_slice(running.named());
                running.close(true).unwrap();
            }
        }
    });
    let named = named.into_inner().unwrap();
    assert_eq!(named.iter().map(|named| named.worker).collect::<Vec<_>>(), [0], "it holds every partition");
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (keys, folder) = (place.path().join("keys"), place.path().join("run"));
    keys::make(&keys, 5).unwrap();
    let control = Control::default();
    let (server, address) = open(&folder, &keys, "127.0.0.1:0", &control).unwrap();
    // One folder, one server.
    let error = open(&folder, &keys, "127.0.0.1:0", &control).err().unwrap();
    assert!(error.contains("is in use by process"), "{error}");
    let join = |row: usize| Join {
        server: address.clone(),
        keys: keys.join(format!("worker-{row}")),
        give_up_after: Duration::from_secs(1),
    };
    let run = Run::ask(&join(2), &control, &mut |_| ()).unwrap();
    assert_eq!((run.row, run.brought), (2, Some(D as u64)));
    let member = |row, d, have, digest: &str| {
        let say = Box::new(|_: &str| ());
        let mut member = Member::new(join(row), "test".into(), digest.to_owned(), d, have, say);
        member.decided(have.0, &control).unwrap_err().to_string()
    };
    let digest = code(2).matrix().digest();
    assert!(member(0, D + 1, (0, 0), &digest).contains("votes on 150 coordinates, this worker on 151"));
    assert!(member(1, D, (0, 0), "another").contains("matrix differs"));
    let ahead = member(2, D, (9, 77), &digest);
    assert!(ahead.contains("before step 9, and the server is before step 0 only"), "{ahead}");
    drop(server);
    let matrix = matrix_text(code(2).matrix());
    let other = |terms: Terms, code: &TrainingCode| {
        let say = Box::new(|_: &str| ());
        let listen = listen(&keys, "127.0.0.1:0");
        let opened = VoteServer::open(&folder, code, terms, &listen, matrix.clone(), control.clone(), say);
        opened.err().unwrap().to_string()
    };
    let terms = Terms { dimension: D, liars: 1, go_on: false, keep: 1 << 20 };
    assert!(other(Terms { dimension: 7, ..terms }, &code(2)).contains("a run with another dimension"));
    assert!(other(Terms { liars: 3, ..terms }, &code(2)).contains("verified for 2"));
    let unverified = TrainingCode::unverified(code(2).matrix().clone(), Some(2), "x");
    assert!(other(terms, &unverified).contains("only a verified code is served"));
}
