//! Promise: over real sockets with mutual TLS, every worker sees the decodes of a quiet run, whatever is lost within the
//! proof; who is not on the list gets no further than the handshake; rubbish costs its sender the connection.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::{blocks, honest, join, made, serve, settings};
use ecode_grpc::{ClientError, Greeting, Happening, Line, News, Report, Server, Settings, Vote};
use ecode_server::{Cut, Rules, Wait};

/// Works until the server stops the run; returns how many decodes were right.
fn work(address: &str, keys: &Path, lies: bool, leave_at: Option<u64>) -> Result<u64, ClientError> {
    let (mut client, welcome) = join(address, keys, (0, 0))?;
    assert_eq!((welcome.run, welcome.incarnation, welcome.dimension, welcome.behind), (7, 1, 77, false));
    let (mut step, mut right, mut seen) = (0, 0, 0);
    loop {
        // Votes for steps that are over are of no use, and of no harm.
        for block in 0..blocks() {
            let mut negative = honest(step, block).to_vec();
            if lies {
                let last = negative.len() - 1;
                negative[..last].iter_mut().for_each(|byte| *byte = !*byte);
            }
            let report = Report { losses: vec![f32::NAN, 1.0], gradient_s: 0.1 };
            let report = (block == 0).then_some(&report);
            client.vote(step, block, Vote { negative: negative.into(), silent: None }, report)?;
        }
        while seen < blocks() {
            match client.next(Duration::from_secs(30))? {
                Some(News::Decode { step: of, block, negative, .. }) => {
                    assert_eq!(of, step, "decodes come in order");
                    right += u64::from(negative == honest(step, block));
                    seen += 1;
                }
                Some(News::Stop { done, .. }) => {
                    assert!(done);
                    return Ok(right);
                }
                other => panic!("{other:?}"),
            }
        }
        (step, seen) = (step + 1, 0);
        if leave_at == Some(step) {
            return Ok(right);
        }
    }
}

/// Five workers, radius 2, one liar: two may be missing. One never comes, one leaves and comes back.
#[test]
fn every_decode_is_right_whoever_leaves_and_comes_back() {
    let rules =
        Rules { wait: Wait::Soft(Duration::from_millis(50)), window: 2, ..Rules::new(5, 2, 1).unwrap() };
    let (_folder, keys_of, server_keys) = made(5);
    let server = Server::start(settings(rules), &server_keys).unwrap();
    let address = server.address().to_string();
    let steps = 200;
    let right = AtomicU64::new(0);
    let happened = std::thread::scope(|scope| {
        for row in 0..4 {
            let (address, keys, right) = (address.clone(), keys_of(row), &right);
            scope.spawn(move || {
                let leave = (row == 3).then_some(20);
                let first = work(&address, &keys, row == 0, leave).unwrap();
                right.fetch_add(first, Ordering::Relaxed);
                if leave.is_some() {
                    // It begins from nothing: all decodes are still kept.
                    right.fetch_add(work(&address, &keys, false, None).unwrap() - first, Ordering::Relaxed);
                }
            });
        }
        let happened = serve(&server, steps, |_, _, _| {});
        server.stop("all steps are done", true);
        happened
    });
    assert_eq!(right.into_inner(), 4 * steps * blocks() as u64);
    assert!(
        happened.iter().any(|happening| matches!(happening, Happening::Lost { row: 4, .. })),
        "{happened:?}"
    );
    assert!(happened.iter().any(|happening| matches!(happening, Happening::Lost { row: 3, .. })));
    assert_eq!(
        happened.iter().filter(|happening| matches!(happening, Happening::Joined { row: 3, .. })).count(),
        2
    );
    let reported = happened.iter().find_map(|happening| match happening {
        Happening::Reported { report, .. } => Some(report.losses.len()),
        _ => None,
    });
    assert_eq!(reported, Some(2));
}

#[test]
fn strangers_other_runs_and_rubbish_get_nowhere() {
    let rules = Rules { wait: Wait::Quorum, ..Rules::new(3, 1, 0).unwrap() };
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(settings(rules), &server_keys).unwrap();
    let address = server.address().to_string();

    // Keys of another authority.
    let (_other, other_keys, _) = made(3);
    let stranger = join(&address, &other_keys(0), (0, 0));
    assert!(matches!(stranger, Err(ClientError::Gone(_))), "{stranger:?}");
    // The right authority, but no row of the list.
    let lines = std::fs::read_to_string(server_keys.join("rows.toml")).unwrap();
    let two: String = lines.split_inclusive("[[rows]]").take(3).collect();
    let two = two.trim_end_matches("[[rows]]").to_owned();
    std::fs::write(server_keys.join("rows.toml"), two).unwrap();
    let fewer = Server::start(settings(rules), &server_keys).unwrap();
    let revoked = join(&fewer.address().to_string(), &keys_of(2), (0, 0));
    assert!(matches!(revoked, Err(ClientError::Gone(_))), "{revoked:?}");
    // Another matrix.
    let other = Greeting { matrix: "x".into(), ..Greeting::default() };
    let refused = Line::connect(&address, &keys_of(0)).unwrap().join(&other);
    assert!(
        matches!(&refused, Err(ClientError::Refused(why)) if why.contains("the matrix differs")),
        "{refused:?}"
    );
    // No TLS at all.
    let mut raw = TcpStream::connect(server.address()).unwrap();
    raw.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    raw.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer);
    assert!(answer.len() < 64, "an alert at most: {answer:?}");

    // A vote of a wrong length, and one with padding bits.
    for negative in [vec![1, 2, 3], vec![0, 255]] {
        let block = usize::from(negative.len() == 2) * (blocks() - 1);
        let rules = Rules { window: 9, ..rules };
        let server = Server::start(settings(rules), &server_keys).unwrap();
        let (mut client, _) = join(&server.address().to_string(), &keys_of(1), (0, 0)).unwrap();
        let vote = Vote { negative: negative.into(), silent: None };
        client.vote(0, block, vote, None).unwrap();
        let ended = client.next(Duration::from_secs(20));
        assert!(matches!(ended, Err(ClientError::Gone(_))), "{ended:?}");
        let cut =
            std::iter::from_fn(|| server.next(Duration::from_secs(5))).find_map(
                |happening| match happening {
                    Happening::Cut { row, why } => Some((row, why)),
                    _ => None,
                },
            );
        assert_eq!(cut, Some((1, Cut::Rubbish)));
    }
}

/// What a server offers can be asked for with a certificate alone.
#[test]
fn a_worker_is_told_what_is_run() {
    let rules = Rules::new(3, 1, 0).unwrap();
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(settings(rules), &server_keys).unwrap();
    let described = Line::connect(&server.address().to_string(), &keys_of(2)).unwrap().describe().unwrap();
    assert_eq!((described.row, described.config.as_str(), described.matrix.as_str()), (2, "steps = 9", "{}"));
    let digests = [described.matrix_digest, described.config_digest, described.data_digest];
    assert_eq!(digests, ["m", "c", "d"]);
}

/// A worker whose state is of no use is given the state: where it is too old, from a server that was started anew, or
/// ahead of one.
#[test]
fn who_is_too_far_behind_or_ahead_takes_the_state() {
    let rules = Rules { wait: Wait::Quorum, ..Rules::new(3, 1, 0).unwrap() };
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(Settings { step: 40, ..settings(rules) }, &server_keys).unwrap();
    let address = server.address().to_string();
    let state: Bytes = (0..3_000_000_u32).map(|i| (i * 7) as u8).collect::<Vec<_>>().into();
    std::thread::scope(|scope| {
        for have in [(3, 1), (0, 0), (40, 9), (50, 1)] {
            let (address, keys, state) = (&address, keys_of(have.0 as usize % 3), &state);
            scope.spawn(move || {
                let (mut client, welcome) = join(address, &keys, have).unwrap();
                assert_eq!((welcome.step, welcome.behind), (40, true), "{have:?}");
                let (step, bytes) = client.state().unwrap();
                assert!(step == 40 && bytes == *state);
            });
        }
        let wanted = std::iter::from_fn(|| server.next(Duration::from_secs(20)));
        assert!(wanted.into_iter().any(|happening| happening == Happening::StateWanted));
        server.keep_state(40, state.clone());
    });
    // The state of this very step and start is as good as the server's.
    let (_client, welcome) = join(&address, &keys_of(1), (40, 1)).unwrap();
    assert!(!welcome.behind);
}

/// A worker that does not read holds nobody back, and is told when it has fallen behind.
#[test]
fn who_does_not_read_holds_nobody_back() {
    let rules = Rules { wait: Wait::Quorum, ..Rules::new(3, 1, 0).unwrap() };
    let (_folder, keys_of, server_keys) = made(3);
    // Blocks of 1 MiB, so that the decodes that are kept are some seventy.
    let block = 1 << 20;
    let settings = Settings { dimension: 8 * block, block_bytes: block, ..settings(rules) };
    let server = Server::start(settings, &server_keys).unwrap();
    let address = server.address().to_string();
    let (mut idle, _) = join(&address, &keys_of(2), (0, 0)).unwrap();
    let steps = 90;
    std::thread::scope(|scope| {
        for row in 0..2 {
            let (address, keys) = (&address, keys_of(row));
            scope.spawn(move || {
                let (mut client, _) = join(address, &keys, (0, 0)).unwrap();
                for step in 0..steps {
                    let negative = Bytes::from(vec![step as u8; block]);
                    client.vote(step, 0, Vote { negative, silent: None }, None).unwrap();
                    let news = client.next(Duration::from_secs(30)).unwrap();
                    assert!(matches!(news, Some(News::Decode { step: of, .. }) if of == step), "in order");
                }
            });
        }
        let mut done = 0;
        while done < steps {
            if let Some(Happening::Closed { step, votes, .. }) = server.next(Duration::from_secs(30)) {
                let negative = votes[0].as_ref().or(votes[1].as_ref()).unwrap().negative.clone();
                server.announce(step, 0, negative, Bytes::new(), 0.0);
                done += 1;
            }
        }
    });
    let news = std::iter::from_fn(|| idle.next(Duration::from_secs(9)).unwrap());
    let behind = news.take(20).position(|news| news == News::Behind { step: steps });
    assert!(behind.is_some(), "a few decodes were on their way; then it is told");
}

/// Votes that do not come in order are no honest worker's.
#[test]
fn a_vote_twice_is_rubbish() {
    let rules = Rules { wait: Wait::Quorum, ..Rules::new(3, 1, 0).unwrap() };
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(settings(Rules { window: 9, ..rules }), &server_keys).unwrap();
    let (mut client, _) = join(&server.address().to_string(), &keys_of(1), (0, 0)).unwrap();
    for block in [0, 1, 0] {
        let vote = Vote { negative: honest(0, block), silent: None };
        client.vote(0, block, vote, None).unwrap();
    }
    assert!(matches!(client.next(Duration::from_secs(20)), Err(ClientError::Gone(_))));
    // Who was cut once may come back at once, and then not.
    let again = |_| join(&server.address().to_string(), &keys_of(1), (0, 0)).map(drop);
    let ends: Vec<Result<(), ClientError>> = (0..4).map(again).collect();
    assert!(matches!(&ends[3], Err(ClientError::Gone(why)) if why.contains("a moment ago")), "{ends:?}");
}
