//! Promise: under a scheme a row is heard only of what it was asked, in the step that it is of, and where it signed it; what
//! is not signed by its key costs it the connection and shows nothing of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{join, made, settings};
use ecode_grpc::{Client, Happening, Heard, News, Report, Server, Settings, Signed, Task, keys};
use ecode_server::reactive::{Header, Signer};
use ecode_server::{Cut, Rules};

fn header(step: u64) -> Header {
    Header { run: [1; 32], step, state: [step as u8; 32] }
}

fn signed(signer: &Signer, step: u64, partition: usize, story: u8) -> Signed {
    let digest = [story; 32];
    Signed {
        partition,
        digest,
        signature: signer.sign(&header(step), partition, &digest, false),
        again: false,
    }
}

fn answer(client: &mut Client, step: u64, digests: &[Signed]) {
    client.answer(step, &header(step).state, digests, &Report::default()).unwrap();
}

/// What happens next but for who joins and leaves; none where nothing does for a while.
fn next(server: &Server) -> Option<Happening> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        match server.next(Duration::from_millis(50)) {
            None | Some(Happening::Joined { .. } | Happening::Lost { .. }) => {}
            happening => return happening,
        }
    }
    None
}

#[test]
fn a_row_is_heard_of_what_it_was_asked_and_signed() {
    let (_folder, keys_of, server_keys) = made(2);
    let rules = Rules::new(2, 0, 0).unwrap();
    let server = Server::start(Settings { partitions: Some(3), ..settings(rules) }, &server_keys).unwrap();
    let address = server.address().to_string();
    let (mut client, _) = join(&address, &keys_of(0), (0, 0)).unwrap();
    let signer = keys::signer(&keys_of(0)).unwrap();
    server.convene(header(0), None);
    let task = Task { run: [1; 32], partitions: vec![0, 2], vectors: vec![2], ..Task::default() };
    assert!(server.ask(0, task.clone()));
    assert!(!server.ask(1, task.clone()), "nobody is there");
    assert_eq!(client.next(Duration::from_secs(30)).unwrap(), Some(News::Task(task)));
    let digests = [signed(&signer, 0, 0, 5), signed(&signer, 0, 2, 6)];
    answer(&mut client, 0, &digests);
    let Some(Happening::Heard {
        row: 0,
        of: Header { step: 0, .. },
        heard: Heard::Answer { digests: heard, .. },
    }) = next(&server)
    else {
        panic!("an answer is heard");
    };
    assert_eq!(heard, digests);
    // What comes of a step that is over is not heard, and no rubbish either.
    server.convene(header(1), None);
    answer(&mut client, 0, &digests[..1]);
    assert_eq!(next(&server), None);
    // Signed for another step.
    assert!(
        server.ask(0, Task { step: 1, run: [1; 32], state: [1; 32], partitions: vec![0], ..Task::default() })
    );
    answer(&mut client, 1, &[signed(&signer, 0, 0, 5)]);
    assert_eq!(next(&server), Some(Happening::Cut { row: 0, why: Cut::Rubbish }));
}

/// The state is many megabytes: a row has it once each time that it needs it, and cannot have it sent for ever.
#[test]
fn the_state_is_had_once_each_time_that_it_is_needed() {
    let (_folder, keys_of, server_keys) = made(2);
    let rules = Rules::new(2, 0, 0).unwrap();
    let server = Server::start(Settings { partitions: Some(3), ..settings(rules) }, &server_keys).unwrap();
    server.convene(header(0), None);
    server.keep_state(0, vec![7; 100].into());
    let (mut client, welcome) = join(&server.address().to_string(), &keys_of(0), (0, 0)).unwrap();
    assert!(!welcome.behind);
    assert!(client.state().is_err(), "nobody has told it to");
    let task = Task { run: [1; 32], state: [0; 32], partitions: vec![0], ..Task::default() };
    assert!(server.ask(0, task));
    client.answer(0, &[9; 32], &[], &Report::default()).unwrap();
    assert!(matches!(next(&server), Some(Happening::Heard { .. })));
    assert_eq!(client.state().unwrap(), (0, vec![7; 100]), "it has said that its own is another one");
    assert!(client.state().is_err(), "it has had it");
}

/// Who was not asked, and who votes where nobody takes votes, is cut.
#[test]
fn nobody_is_heard_unasked() {
    let (_folder, keys_of, server_keys) = made(2);
    let rules = Rules::new(2, 0, 0).unwrap();
    let server = Server::start(Settings { partitions: Some(3), ..settings(rules) }, &server_keys).unwrap();
    let address = server.address().to_string();
    server.convene(header(0), None);
    for row in 0..2 {
        let (mut client, _) = join(&address, &keys_of(row), (0, 0)).unwrap();
        if row == 0 {
            let signer = keys::signer(&keys_of(0)).unwrap();
            answer(&mut client, 0, &[signed(&signer, 0, 0, 5)]);
        } else {
            let vote = ecode_grpc::Vote { negative: common::honest(0, 0), silent: None };
            client.vote(0, 0, vote, None).unwrap();
        }
        assert_eq!(next(&server), Some(Happening::Cut { row, why: Cut::Rubbish }));
    }
}
