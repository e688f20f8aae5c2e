//! Promise: a refutation is checked by the definitions alone, and nothing that was tampered with passes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{
    AllocationMatrix, Claim, Counterexample, Message, Outcome, TieRule, Workers, decode, honest_vote,
    majority,
};
use ecode::verify::{Control, Method, Radius, Verified, VerifiedCode, verify};
use proptest::prelude::*;

/// Three workers: {0}, {1, 2}, {}; on the message {0} the second votes 0, the third always ties.
fn small() -> AllocationMatrix {
    AllocationMatrix::from_supports(3, &[vec![0], vec![1, 2], vec![]]).unwrap()
}

fn message(k: usize, ones: &[usize]) -> Message {
    Message::from_indices(k, ones.iter().copied())
}

#[test]
fn every_tie_rule_has_its_name_and_no_other_name_is_taken() {
    for rule in TieRule::ALL {
        assert_eq!(rule.name().parse(), Ok(rule));
        assert_eq!(rule.to_string(), rule.name());
    }
    let error = "tie".parse::<TieRule>().unwrap_err().to_string();
    assert_eq!(error, "unknown tie rule 'tie': expected adversarial, zero, one or abstain");
}

#[test]
fn votes_and_ties_are_as_the_definitions_say() {
    let g = small();
    let votes = |ties, ones: &[usize]| -> Vec<Option<bool>> {
        (0..3).map(|j| honest_vote(&g, ties, j, &message(3, ones))).collect()
    };
    // On {1} the second worker sees one of two and ties; the answer is 0.
    assert_eq!(votes(TieRule::Adversarial, &[1]), [Some(false), Some(true), Some(true)]);
    assert_eq!(votes(TieRule::Zero, &[1]), [Some(false), Some(false), Some(false)]);
    assert_eq!(votes(TieRule::One, &[1]), [Some(false), Some(true), Some(true)]);
    assert_eq!(votes(TieRule::Abstain, &[1]), [Some(false), None, None]);
    // On {0, 1} the answer is 1, so an adversarial tie sends 0.
    assert_eq!(votes(TieRule::Adversarial, &[0, 1]), [Some(true), Some(false), Some(false)]);
    // A tied message and a tied server are 0.
    assert!(!majority(&message(4, &[0, 3])) && majority(&message(4, &[0, 1, 3])));
    assert!(!decode(&[Some(true), Some(false), None]) && decode(&[Some(true), None]));
}

/// An attack on three workers that hold everything: two of them lie.
fn attack() -> (AllocationMatrix, Counterexample) {
    let g = AllocationMatrix::from_fn(3, 3, |_, _| true).unwrap();
    let verdict = verify(&g, Some(2), TieRule::Abstain, Method::Auto, &Control::default()).unwrap();
    let Some(attack) = verdict.attack() else { panic!("two of three liars win") };
    (g, attack.clone())
}

#[test]
fn a_refutation_with_any_field_changed_does_not_replay() {
    let (g, honest) = attack();
    assert!(honest.replays(&g, TieRule::Abstain, 2));
    assert!(!honest.replays(&g, TieRule::Abstain, 1), "more liars than allowed");
    let changed = |change: &dyn Fn(&mut Counterexample)| {
        let mut attack = honest.clone();
        change(&mut attack);
        attack.replays(&g, TieRule::Abstain, 2)
    };
    assert!(!changed(&|a| a.message = message(4, &[0])), "a message of another length");
    assert!(!changed(&|a| a.byzantine = Workers::from_indices(4, a.byzantine.indices())), "other workers");
    assert!(!changed(&|a| a.sent.push(None)), "too many replies");
    assert!(!changed(&|a| a.correct = !a.correct), "the wrong answer");
    assert!(!changed(&|a| a.decoded = !a.decoded), "the wrong decode");
    assert!(!changed(&|a| a.byzantine = Workers::empty(3)), "honest workers that lie");
    // All that is sent is honest, so the decode is right: nothing is refuted.
    assert!(!changed(&|a| {
        a.byzantine = Workers::empty(3);
        a.sent = vec![Some(a.correct); 3];
        a.decoded = a.correct;
    }));
    // A liar's silence is possible where silence exists, and only there.
    let silent = |a: &mut Counterexample| {
        let liar = a.byzantine.indices().next().unwrap();
        a.sent[liar] = None;
        a.decoded = decode(&a.sent);
    };
    let mut quiet = honest.clone();
    silent(&mut quiet);
    assert_eq!(quiet.replays(&g, TieRule::Abstain, 2), quiet.decoded != quiet.correct);
    assert!(!quiet.replays(&g, TieRule::Zero, 2));
}

#[test]
fn bounds_on_the_radius_are_those_of_the_evidence() {
    let full = AllocationMatrix::from_fn(5, 5, |_, _| true).unwrap();
    for method in [Method::Definition, Method::Exhaustive, Method::Structure, Method::Sat] {
        let verdict = verify(&full, None, TieRule::Zero, method, &Control::default()).unwrap();
        assert_eq!(verdict.radius(), Radius::Exactly(2));
        assert_eq!((verdict.radius_at_least(), verdict.radius_below()), (Some(2), Some(3)));
        assert_eq!((verdict.b(), verdict.word()), (Some(2), "tolerant"));
    }
    // An empty row that always lies: not even zero liars are tolerated, and there is no radius.
    let empty = AllocationMatrix::from_supports(1, &[vec![]]).unwrap();
    let verdict = verify(&empty, None, TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    assert_eq!(verdict.radius(), Radius::FailsWithoutLiars);
    assert_eq!((verdict.radius_at_least(), verdict.radius_below()), (None, Some(0)));
    assert_eq!((verdict.b(), verdict.word()), (Some(0), "refuted"));
}

#[test]
fn a_verified_code_is_made_of_a_tolerant_verdict_only() {
    let claim = |b| Claim {
        matrix: AllocationMatrix::from_fn(5, 5, |_, _| true).unwrap(),
        b,
        ties: TieRule::default(),
    };
    let word = |b, control: &Control| match VerifiedCode::verify(claim(b), Method::Auto, control).unwrap() {
        Verified::Yes(code) => {
            assert_eq!((code.b(), code.ties()), (b, TieRule::default()));
            assert_eq!(code.digest(), claim(b).matrix.digest());
            "made"
        }
        Verified::No(verdict) => verdict.word(),
    };
    assert_eq!(word(2, &Control::default()), "made");
    assert_eq!(word(3, &Control::default()), "refuted");
    let stopped = Control::default();
    stopped.stop();
    assert_eq!(word(2, &stopped), "undecided");
}

proptest! {
    /// The margin is where attacks begin: an attack exists for exactly every b above it, and replays.
    #[test]
    fn attacks_begin_above_the_margin(
        (n, k, entries, ones) in (1..=6_usize, 1..=6_usize).prop_flat_map(|(n, k)| {
            (Just(n), Just(k), prop::collection::vec(any::<bool>(), n * k), prop::collection::vec(any::<bool>(), k))
        }),
    ) {
        let g = AllocationMatrix::from_fn(n, k, |j, i| entries[j * k + i]).unwrap();
        let m = Message::from_indices(k, (0..k).filter(|&i| ones[i]));
        for ties in TieRule::ALL {
            let outcome = Outcome::of(&g, ties, &m);
            for b in 0..=n {
                let attack = outcome.attack(&g, ties, b);
                prop_assert_eq!(attack.is_some(), outcome.margin < b as i64);
                prop_assert!(attack.is_none_or(|attack| attack.replays(&g, ties, b)));
            }
        }
    }
}

/// Random rows of odd load that nothing takes apart, then full ones.
fn dense_and_full(dense: usize, full: usize) -> AllocationMatrix {
    let mut state = 7_u64;
    let mut bit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 40 & 1 == 1
    };
    let rows: Vec<Vec<bool>> = (0..dense + full)
        .map(|j| {
            let mut row: Vec<bool> = (0..dense).map(|_| j >= dense || bit()).collect();
            row[0] ^= row.iter().filter(|&&entry| entry).count() % 2 == 0;
            row
        })
        .collect();
    AllocationMatrix::from_rows(&rows).unwrap()
}

/// Where no engine takes the matrix the answer is what a search met, and no more.
#[test]
fn a_matrix_that_no_engine_takes_is_decided_only_by_a_message() {
    let stop = Control::with_timeout(Some(std::time::Duration::from_secs(60)));
    let ask = |full, b| verify(&dense_and_full(801, full), b, TieRule::Zero, Method::Auto, &stop).unwrap();
    // So many full rows that nothing is wrong with it, but nobody can tell.
    let verdict = ask(1000, None);
    assert_eq!((verdict.method(), verdict.word(), verdict.floor()), ("local search", "undecided", None));
    assert_eq!(verdict.b(), None, "none was asked and none was found");
    assert!(verdict.reason().unwrap().contains("too large for every engine"), "{:?}", verdict.reason());
    assert_eq!((verdict.radius(), verdict.radius_at_least()), (Radius::Unknown, None));
    assert!(verdict.radius_below() > Some(0) && verdict.worst_case().is_none());
    // Without them a message shows that there is no radius; how bad it gets stays open.
    let verdict = ask(0, None);
    assert_eq!(
        (verdict.b(), verdict.word(), verdict.radius()),
        (Some(0), "refuted", Radius::FailsWithoutLiars)
    );
    assert_eq!((verdict.radius_below(), verdict.worst_case().is_none()), (Some(0), true));
    assert!(verdict.worst().unwrap().margin < -1);
}
