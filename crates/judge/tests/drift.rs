//! Promise: who is right and computes other bits is not named, b' is lowered by proofs only, and a liar that hides behind the
//! same rules is out, or shown, all the same.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use ecode_judge::{
    Assignment, Budget, Digest, Doubt, Drift, Evidence, Excess, Next, Roster, Settlement, assign,
};

/// The digest of a vector that differs from the usual one in some coordinates.
fn value(partition: usize, coordinates: u8) -> Digest {
    let mut digest = [0; 32];
    (digest[0], digest[1]) = (partition as u8, coordinates);
    digest
}

/// What one worker does.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// How far its answer is.
    first: u8,
    /// The same when it computes again; none where it is silent then.
    again: Option<u8>,
    /// Whether it withholds vectors.
    withholds: bool,
}

fn steady(first: u8) -> Manner {
    Manner { first, again: Some(first), withholds: false }
}

/// Plays a step in which everybody answers; workers that are not in the list compute the usual values.
fn play(
    mut settlement: Settlement,
    assignment: &Assignment,
    manners: &BTreeMap<usize, Manner>,
) -> (Settlement, Next) {
    let manner = |worker: usize| manners.get(&worker).copied().unwrap_or(steady(0));
    let send = |settlement: &mut Settlement, worker: usize, partition: usize| {
        if manner(worker).withholds {
            settlement.silent(worker);
        } else {
            settlement.vector(worker, partition, value(partition, manner(worker).first));
        }
    };
    for (partition, holders) in assignment.holders.iter().enumerate() {
        for &worker in holders {
            settlement.digest(worker, partition, value(partition, manner(worker).first));
        }
        send(&mut settlement, holders[0], partition);
    }
    for _ in 0..40 {
        match settlement.next(&mut |_| 0) {
            Next::Trip { asks, fetches } => {
                for ask in asks {
                    settlement.digest(
                        ask.worker,
                        ask.partition,
                        value(ask.partition, manner(ask.worker).first),
                    );
                    if ask.vector {
                        send(&mut settlement, ask.worker, ask.partition);
                    }
                }
                for fetch in fetches {
                    send(&mut settlement, fetch.worker, fetch.partition);
                }
            }
            Next::Again(asks) => {
                for ask in asks {
                    match manner(ask.worker).again {
                        Some(again) => {
                            settlement.digest(ask.worker, ask.partition, value(ask.partition, again));
                        }
                        None => settlement.silent(ask.worker),
                    }
                }
            }
            Next::Compare(pairs) => {
                for pair in pairs {
                    let coordinates = pair.accepted[1].abs_diff(pair.other[1]);
                    settlement.compared(&pair, usize::from(coordinates));
                }
            }
            ended => return (settlement, ended),
        }
    }
    panic!("it does not end");
}

fn step(n: usize, b: usize, drift: Drift, manners: &[(usize, Manner)]) -> (Settlement, Next) {
    let present: Vec<usize> = (0..n).collect();
    let assignment = assign(&present, n, b + 1);
    let settlement = Settlement::new(&assignment, &present, b).drifting(drift);
    play(settlement, &assignment, &manners.iter().copied().collect())
}

fn settled(next: &Next, k: usize) {
    let usual: Vec<Digest> = (0..k).map(|i| value(i, 0)).collect();
    assert_eq!(*next, Next::Settled(usual));
}

#[test]
fn who_contradicts_itself_is_dismissed_and_who_insists_is_named() {
    // Worker 3 computes other bits once: without the repeat it is named, with it only dismissed.
    let unsteady = Manner { first: 7, again: Some(0), withholds: false };
    let (without, next) = step(9, 2, Drift::None, &[(3, unsteady)]);
    settled(&next, 9);
    assert_eq!(without.named().map(|named| named.worker).collect::<Vec<_>>(), [3], "the test sees a framing");
    for (again, doubt) in
        [(Some(0), Doubt::Differs(0)), (Some(9), Doubt::Differs(0)), (None, Doubt::Unanswered(0))]
    {
        let manner = Manner { first: 7, again, withholds: false };
        let (after, next) = step(9, 2, Drift::Repeat, &[(3, manner)]);
        settled(&next, 9);
        assert_eq!((after.named().count(), after.left()), (0, 2), "b' stays");
        let dismissed: Vec<(usize, Doubt)> = after.dismissed().collect();
        assert_eq!(dismissed.len(), 1);
        assert_eq!(
            (dismissed[0].0, std::mem::discriminant(&dismissed[0].1)),
            (3, std::mem::discriminant(&doubt))
        );
    }
    // A liar that insists is named, and b' falls; two of them with one story, too.
    for liars in [&[3][..], &[3, 4]] {
        let manners: Vec<(usize, Manner)> = liars.iter().map(|&liar| (liar, steady(7))).collect();
        let (after, next) = step(9, 2, Drift::Repeat, &manners);
        settled(&next, 9);
        assert_eq!(after.named().map(|named| named.worker).collect::<Vec<_>>(), liars);
        assert_eq!((after.left(), after.dismissed().count()), (2 - liars.len(), 0));
        assert!(after.trips() <= 2 * liars.len(), "{} trips", after.trips());
    }
    // A caught liar that contradicts itself escapes its name, not its place; b' still counts it.
    let escapes = Manner { first: 7, again: Some(8), withholds: false };
    let (after, next) = step(9, 2, Drift::Repeat, &[(3, escapes), (6, steady(5))]);
    settled(&next, 9);
    assert_eq!(after.named().map(|named| named.worker).collect::<Vec<_>>(), [6]);
    let mut roster = Roster::new(9, 2, Budget::Total, 2, 0);
    roster.note(0, after.asked(), &after);
    assert_eq!(roster.left(), Some(1), "one was named");
    assert_eq!(roster.present(1, 0..9), [0, 1, 2, 4, 5, 7, 8]);
}

/// More liars that insist than b: nobody is named by it, also where one of them was heard before the others.
#[test]
fn too_many_that_insist_stop_the_step() {
    let manners: Vec<(usize, Manner)> = (0..3).map(|liar| (liar, steady(liar as u8 + 1))).collect();
    let (after, next) = step(9, 2, Drift::Repeat, &manners);
    assert!(matches!(next, Next::Stop(Excess::Condemned { left: 2, .. })), "{next:?}");
    assert_eq!(after.named().count(), 0);
}

/// τ = 8. Within it the losers are suspended; beyond it they are named; who withholds the losing vector is silent. b' falls by
/// what is shown to be far alone.
#[test]
fn close_disputes_suspend_and_far_ones_name() {
    let close = Drift::Close(8);
    let (near, next) = step(9, 2, close, &[(3, steady(8))]);
    settled(&next, 9);
    assert_eq!((near.named().count(), near.left(), near.close()), (0, 2, vec![3]));
    let mut roster = Roster::new(9, 2, Budget::Total, 2, 0);
    roster.note(0, near.asked(), &near);
    assert!(!roster.present(1, 0..9).contains(&3) && roster.records()[3].takes_part());

    let (far, next) = step(9, 2, close, &[(3, steady(9))]);
    settled(&next, 9);
    let named: Vec<(usize, Evidence)> = far.named().map(|named| (named.worker, named.evidence)).collect();
    assert!(matches!(named[..], [(3, Evidence::Far(_, 9))]), "{named:?}");
    assert_eq!((far.left(), far.close()), (1, vec![]));

    let hides = Manner { first: 200, again: None, withholds: true };
    let (hidden, next) = step(9, 2, close, &[(3, hides)]);
    settled(&next, 9);
    assert_eq!((hidden.named().count(), hidden.left()), (0, 2), "a withheld loser proves nothing");
    assert_eq!(hidden.silents().collect::<Vec<_>>(), [3]);

    // Two digests, or a vector that is not its digest's, show no far vector: it is out, and b' stays.
    let present: Vec<usize> = (0..5).collect();
    let assignment = assign(&present, 5, 2);
    for two in [false, true] {
        let mut settlement = Settlement::new(&assignment, &present, 1).drifting(close);
        let liar = assignment.holders[0][0];
        settlement.digest(liar, 0, value(0, 0));
        if two {
            settlement.digest(liar, 0, value(0, 99));
        } else {
            settlement.vector(liar, 0, value(0, 99));
        }
        let (after, next) = play(settlement, &assignment, &BTreeMap::new());
        settled(&next, 5);
        assert_eq!((after.named().count(), after.left()), (0, 1));
        assert_eq!(after.dismissed().map(|(worker, _)| worker).collect::<Vec<_>>(), [liar]);
    }
}

/// Half of the workers compute other bits, always the same ones. In one class they would be named; in a class of their own
/// nobody is, also when a liar's partition needs helpers, which are of its class.
#[test]
fn a_partition_is_of_one_class() {
    let of = |worker: usize| worker / 5;
    let classes: Vec<usize> = (0..10).map(of).collect();
    let mut assignment = Assignment { holders: vec![Vec::new(); 9] };
    let partitions: Vec<usize> = (0..9).map(|i| usize::from(i >= 5)).collect();
    for class in 0..2 {
        let mine: Vec<usize> = (0..9).filter(|&i| partitions[i] == class).collect();
        let members: Vec<usize> = (0..10).filter(|&worker| of(worker) == class).collect();
        for (holders, i) in assign(&members, mine.len(), 3).holders.into_iter().zip(mine) {
            assignment.holders[i] = holders;
        }
    }
    let present: Vec<usize> = (0..10).collect();
    let mut manners: BTreeMap<usize, Manner> = (5..10).map(|worker| (worker, steady(1))).collect();
    manners.insert(2, steady(77));
    manners.insert(8, steady(78));
    let settlement = Settlement::new(&assignment, &present, 2).of_classes(classes, partitions.clone());
    let (after, next) = play(settlement, &assignment, &manners);
    let expected: Vec<Digest> =
        partitions.iter().enumerate().map(|(i, &class)| value(i, class as u8)).collect();
    assert_eq!(next, Next::Settled(expected));
    assert_eq!(after.named().map(|named| named.worker).collect::<Vec<_>>(), [2, 8]);
    // The same workers in one class: most of them are condemned, which stops the step.
    let assignment = assign(&present, 9, 3);
    let (_, next) = play(Settlement::new(&assignment, &present, 2), &assignment, &manners);
    assert!(matches!(next, Next::Stop(_)), "{next:?}");
}

/// Worker 0 wavers on partition 1, where two others contradict it; a liar contradicts it on partition 0, where it is right.
/// It has to compute both again: what it says of partition 0 alone would be the same, and name it.
#[test]
fn everything_that_is_contradicted_is_computed_again() {
    let assignment = Assignment { holders: vec![vec![0, 3], vec![1, 0, 2], vec![4, 1]] };
    let present: Vec<usize> = (0..5).collect();
    let mut settlement = Settlement::new(&assignment, &present, 1).drifting(Drift::Repeat);
    for (worker, partition, said) in
        [(0, 0, 0), (3, 0, 9), (0, 1, 5), (1, 1, 0), (2, 1, 0), (4, 2, 0), (1, 2, 0)]
    {
        settlement.digest(worker, partition, value(partition, said));
    }
    let Next::Again(asks) = settlement.next(&mut |_| 0) else { panic!("nobody is to compute again") };
    let of = |worker: usize| {
        asks.iter().filter(|ask| ask.worker == worker).map(|ask| ask.partition).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [0, 1]);
    for ask in &asks {
        let said = if ask.worker == 3 { 9 } else { 0 };
        settlement.digest(ask.worker, ask.partition, value(ask.partition, said));
    }
    settlement.next(&mut |_| 0);
    assert_eq!(settlement.dismissed().collect::<Vec<_>>(), [(0, Doubt::Differs(1))]);
    assert!(
        settlement.named().all(|named| named.worker == 3),
        "{:?}",
        settlement.named().collect::<Vec<_>>()
    );
}
