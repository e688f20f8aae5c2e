//! Promise: peers that are silent, flood, flap, send rubbish or hang in the handshake change no decode, a row that never
//! votes in time costs one deadline in a whole run, and steps come at a rate that compares with that of a quiet run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{blocks, honest, join, made, serve, settings};
use ecode_grpc::{Client, Happening, News, Server, Vote};
use ecode_server::{Cut, Rules, Wait};

const STEPS: u64 = 150;

fn vote(client: &mut Client, step: u64, block: usize, negative: Bytes) -> bool {
    client.vote(step, block, Vote { negative, silent: None }, None).is_ok()
}

/// Reads until the connection ends.
fn drain(client: &mut Client) {
    while matches!(client.next(Duration::from_secs(20)), Ok(Some(_))) {}
}

/// Eight honest rows, then one for each way to be hostile.
const HONEST: usize = 8;
const HOSTILE: usize = 7;

/// One way to be hostile with a certificate; the connection ends by the server's hand, or by the peer's.
fn attack(kind: usize, client: &mut Client, step: u64) {
    match kind {
        // Steps that are not there yet.
        0 => {
            for ahead in 1..500 {
                if !vote(client, step + ahead, 0, honest(step, 0)) {
                    break;
                }
            }
            drain(client);
        }
        // The same vote again and again.
        1 => {
            while vote(client, step, 0, honest(step, 0)) {}
            drain(client);
        }
        // A message of 1 MiB where four bytes are right.
        2 => {
            vote(client, step, 0, vec![7; 1 << 20].into());
            drain(client);
        }
        // No bytes at all.
        3 => {
            vote(client, step, 0, Bytes::new());
            drain(client);
        }
        // A block that there is not.
        4 => {
            vote(client, step, 1 << 20, honest(step, 0));
            drain(client);
        }
        // It votes once, for the last step that can be written.
        _ => {
            vote(client, u64::MAX, 0, honest(step, 0));
            drain(client);
        }
    }
}

/// How long a block waits for votes that it does not need.
const GRACE: Duration = Duration::from_millis(100);

/// One run with hostile peers, or without them: what happened, and how long it took from the second step on.
fn run(hostile: usize) -> (Vec<Happening>, Duration) {
    let n = HONEST + HOSTILE;
    let rules = Rules { wait: Wait::Soft(GRACE), window: 2, ..Rules::new(n, 7, 3).unwrap() };
    let (_folder, keys_of, server_keys) = made(n);
    let server = Server::start(settings(rules), &server_keys).unwrap();
    let address = server.address().to_string();
    let over = AtomicBool::new(false);
    // The honest begin when every hostile one has struck once.
    let begun = Barrier::new(HONEST + hostile);
    std::thread::scope(|scope| {
        for row in 0..HONEST {
            let (begun, address, keys) = (&begun, &address, keys_of(row));
            scope.spawn(move || {
                let (mut client, _) = join(address, &keys, (0, 0)).unwrap();
                begun.wait();
                for step in 0..STEPS {
                    for block in 0..blocks() {
                        assert!(vote(&mut client, step, block, honest(step, block)));
                    }
                    for _ in 0..blocks() {
                        let news = client.next(Duration::from_secs(60)).unwrap();
                        let Some(News::Decode { step: of, block, negative, .. }) = news else {
                            panic!("{news:?}")
                        };
                        assert!(of == step && negative == honest(step, block), "step {step}");
                    }
                }
            });
        }
        for kind in 0..hostile {
            let (over, begun, address, keys) = (&over, &begun, &address, keys_of(HONEST + kind));
            let mut struck = false;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if let Ok((mut client, welcome)) = join(address, &keys, (0, 0)) {
                        if kind < 6 {
                            attack(kind, &mut client, welcome.step);
                        }
                        if !std::mem::replace(&mut struck, true) {
                            begun.wait();
                        }
                        drain(&mut client);
                    } else {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        // Strangers: silent ones, more than handshakes are taken at a time, and some that talk of other things.
        let strangers = if hostile > 0 { 12 } else { 0 };
        let _silent: Vec<TcpStream> = (0..strangers).map(|_| TcpStream::connect(&address).unwrap()).collect();
        for _ in 0..2 * strangers {
            let mut stream = TcpStream::connect(&address).unwrap();
            let _ = stream.write_all(&[0x16; 4096]);
        }
        let mut since = None;
        let happened = serve(&server, STEPS, |step, _, _| {
            if step == 1 {
                since.get_or_insert_with(Instant::now);
            }
        });
        let took = since.unwrap().elapsed();
        over.store(true, Ordering::Relaxed);
        server.stop("all steps are done", true);
        (happened, took)
    })
}

#[test]
fn hostile_peers_cost_one_deadline() {
    let (_, quiet) = run(0);
    let (happened, took) = run(HOSTILE);
    let n = HONEST + HOSTILE;
    // A deadline in every block would be dozens of times this.
    let deadlines = GRACE * (STEPS as u32) * (blocks() as u32);
    assert!(took < 10 * quiet + deadlines / 5, "{took:?}, and {quiet:?} without them");
    for row in HONEST..n {
        let lost =
            |happening: &&Happening| matches!(happening, Happening::Lost { row: of, .. } if *of == row);
        assert_eq!(happened.iter().filter(lost).count(), 1, "row {row} is waited for once: {happened:?}");
        let cut = |happening: &Happening| matches!(happening, Happening::Cut { row: of, why: Cut::Rubbish } if *of == row);
        // The last kind is connected and never says a word.
        assert_eq!(happened.iter().any(cut), row < HONEST + 6, "row {row}: {happened:?}");
    }
    assert!(!happened.iter().any(|happening| matches!(happening, Happening::Cut { row: 0..HONEST, .. })));
}
