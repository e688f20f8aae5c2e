//! Promise: a judge that is told everything names whoever lies and nobody else, accepts what is right, hands out certificates that
//! hold, says the same as any judge that hears the same, and goes on where another one stopped.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ecode_judge::{Budget, Digest, Event, Judge, JudgeError, Next, Signer};

const EVERYBODY: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];

fn signer(worker: usize) -> Signer {
    Signer::new([worker as u8 + 1; 32])
}

/// One step, in which `lie` says what a liar makes of a partition; returns what was accepted.
fn play(judges: &mut [Judge], lie: &dyn Fn(usize, usize) -> u8) -> Vec<Digest> {
    let holders: Vec<_> = judges.iter_mut().map(|judge| judge.open(&EVERYBODY).unwrap()).collect();
    assert!(holders.iter().all(|one| *one == holders[0]), "all draw the same");
    let mut asked: Vec<(usize, usize)> = (holders[0].iter().enumerate())
        .flat_map(|(partition, list)| list.iter().map(move |&worker| (partition, worker)))
        .collect();
    loop {
        let mut said = Vec::new();
        for judge in judges.iter_mut() {
            for &(partition, worker) in &asked {
                let digest = judge.header().digest(partition, &[lie(worker, partition)]);
                judge.tell(Event::Answer { worker, partition, digest }).unwrap();
                judge.tell(Event::Available { partition, digest }).unwrap();
            }
            said.push(judge.next().unwrap());
        }
        assert!(said.iter().all(|next| *next == said[0]), "all say the same");
        match said.swap_remove(0) {
            Next::Trip { asks, .. } => asked = asks.iter().map(|ask| (ask.partition, ask.worker)).collect(),
            Next::Settled(accepted) => return accepted,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn liars_are_named_with_certificates_and_nobody_else() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut certified = 0;
    for round in 0..300 {
        let run = [round as u8];
        let new = || Judge::new(7, 5, 2, Budget::AtOnce, 0, &run).unwrap();
        let mut judges = [new(), new()];
        let liars: BTreeSet<usize> = (0..2).map(|_| rng.usize(..7)).collect();
        for step in 0..3_u64 {
            let lies: Vec<u8> = (0..35).map(|_| rng.u8(..3)).collect();
            let lie = |worker: usize, partition: usize| {
                if liars.contains(&worker) { lies[worker * 5 + partition] } else { 0 }
            };
            let accepted = play(&mut judges, &lie);
            let header = judges[0].header();
            assert_eq!(header.step, step);
            assert!((0..5).all(|partition| accepted[partition] == header.digest(partition, &[0])));
            let signed = |worker: usize, partition: usize, digest: &Digest, of_vector: bool| {
                let signer = signer(worker);
                Some((signer.key(), signer.sign(&header, partition, digest, of_vector)))
            };
            for certificate in judges[0].certificates(&signed) {
                certificate.check().unwrap();
                assert!(liars.contains(&certificate.worker));
                certified += 1;
            }
            assert_eq!(judges[0].state(), Err(JudgeError::Open));
            judges.iter_mut().for_each(|judge| judge.close(&[1, 2]));
            // The second judge is another one that goes on from its state.
            let state = judges[1].state().unwrap();
            judges[1] = new();
            judges[1].resume(state).unwrap();
        }
        assert!(judges[0].named().iter().all(|named| liars.contains(&named.0)));
        assert_eq!(judges[0].named(), judges[1].named());
    }
    assert!(certified > 300, "{certified} namings were shown");
}

#[test]
fn what_makes_no_sense_is_said() {
    assert!(matches!(Judge::new(3, 3, 3, Budget::AtOnce, 0, b""), Err(JudgeError::Numbers(_))));
    let mut judge = Judge::new(3, 3, 1, Budget::AtOnce, 0, b"one").unwrap();
    let answer = Event::Answer { worker: 0, partition: 0, digest: [0; 32] };
    assert_eq!(judge.tell(answer), Err(JudgeError::Closed));
    assert_eq!(judge.open(&[2]), Err(JudgeError::TooFew { left: 1, needed: 2 }));
    assert_eq!(judge.open_with(&[0, 1], vec![vec![0, 2]; 3]), Err(JudgeError::Holders(3)));
    judge.open(&[0, 1, 2]).unwrap();
    let unknown = Event::Silent { worker: 3 };
    assert_eq!(judge.tell(unknown), Err(JudgeError::Unknown { what: "worker", index: 3, count: 3 }));
    let other = Judge::new(3, 3, 1, Budget::AtOnce, 0, b"another").unwrap();
    assert_eq!(judge.resume(other.state().unwrap()), Err(JudgeError::OtherRun));
}
