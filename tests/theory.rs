//! Promise: what docs/theory.md proves holds on every matrix of up to four workers and partitions.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, Outcome, TieRule};
use ecode::verify::{Control, Method, reduce, verify};
use itertools::Itertools as _;

use TieRule::{Abstain, Adversarial, One, Zero};

/// The partitions of each worker.
type Rows = &'static [&'static [usize]];

fn matrix(k: usize, rows: Rows) -> AllocationMatrix {
    AllocationMatrix::from_supports(k, rows).unwrap()
}

/// Every n × k matrix, up to the order of its rows.
fn all_matrices(n: usize, k: usize) -> impl Iterator<Item = AllocationMatrix> {
    (0..1_usize << k)
        .combinations_with_replacement(n)
        .map(move |rows| AllocationMatrix::from_fn(n, k, |j, i| rows[j] >> i & 1 == 1).unwrap())
}

/// Every matrix with 1 ≤ n, k ≤ `most`, up to the order of its rows.
fn small_matrices(most: usize) -> impl Iterator<Item = AllocationMatrix> {
    (1..=most).cartesian_product(1..=most).flat_map(|(n, k)| all_matrices(n, k))
}

fn messages(k: usize) -> impl Iterator<Item = Message> {
    (0..1_usize << k).map(move |bits| Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1)))
}

/// The smallest margin over the messages with the correct answer `side`, or over all.
fn smallest_margin(g: &AllocationMatrix, ties: TieRule, side: Option<bool>) -> i64 {
    messages(g.k())
        .map(|message| Outcome::of(g, ties, &message))
        .filter(|outcome| side.is_none_or(|correct| outcome.correct == correct))
        .map(|outcome| outcome.margin)
        .min()
        .unwrap()
}

fn radius(g: &AllocationMatrix, ties: TieRule) -> Option<usize> {
    usize::try_from(smallest_margin(g, ties, None)).ok()
}

/// Theorem 1: against every set of workers and everything that they may send.
#[test]
fn the_smallest_margin_is_the_radius() {
    let definition = Method::Definition;
    for g in small_matrices(3) {
        for ties in TieRule::ALL {
            let verdict = verify(&g, None, ties, definition, &Control::default()).unwrap();
            assert_eq!(verdict.radius().exactly(), radius(&g, ties), "{g:?} {ties}");
        }
    }
}

/// Theorems 2 and 3 and Proposition 7: the engine sees the sides' weights only, after merging.
#[test]
fn one_weight_a_side_decides_for_all_messages() {
    let exhaustive = Method::Exhaustive;
    for g in small_matrices(4) {
        for ties in TieRule::ALL {
            let verdict = verify(&g, None, ties, exhaustive, &Control::default()).unwrap();
            assert_eq!(verdict.floor(), Some(smallest_margin(&g, ties, None)), "{g:?} {ties}");
        }
    }
}

/// Theorem 3: one side is enumerated where one is enough, and nowhere else.
#[test]
fn one_side_is_enough_exactly_where_the_theory_says() {
    for g in small_matrices(4) {
        let odd = g.all_loads_odd();
        for ties in TieRule::ALL {
            let first = g.n() % 2 == 1 && (odd || ties == Adversarial || ties == One);
            let second = g.k() % 2 == 1 && (odd || ties != One);
            assert_eq!(reduce::sides(&g, ties).len(), if first || second { 1 } else { 2 });
        }
    }
    // (rule, k, rows, the side that alone shows the smallest margin), for every rule, parity of n and
    // parity of the loads that Theorem 3 leaves.
    let needed: [(TieRule, usize, Rows, bool); 14] = [
        (Adversarial, 2, &[&[0], &[0, 1]], false),
        (Adversarial, 2, &[&[], &[]], true),
        (Adversarial, 2, &[&[0], &[0]], false),
        (Adversarial, 4, &[&[0], &[0]], true),
        (Zero, 2, &[&[], &[0], &[0], &[0]], false),
        (Zero, 2, &[&[], &[]], true),
        (Zero, 2, &[&[], &[0], &[0]], false),
        (Zero, 2, &[&[]], true),
        (One, 2, &[&[], &[]], false),
        (One, 6, &[&[0, 1], &[0, 1]], true),
        (One, 1, &[&[], &[]], false),
        (One, 3, &[&[0], &[1, 2]], true),
        (Abstain, 2, &[&[], &[], &[0]], false),
        (Abstain, 2, &[&[]], true),
    ];
    for (ties, k, rows, side) in needed {
        let g = matrix(k, rows);
        assert_eq!(reduce::sides(&g, ties).len(), 2);
        let (here, there) = (smallest_margin(&g, ties, Some(side)), smallest_margin(&g, ties, Some(!side)));
        assert!(here < there, "{g:?} {ties}: {here} on this side, {there} on the other");
    }
}

/// Theorem 4.
#[test]
fn an_even_number_of_partitions_leaves_room_for_liars_under_zero_only() {
    for g in (1..=4).cartesian_product([2, 4]).flat_map(|(n, k)| all_matrices(n, k)) {
        let (n, k) = (g.n(), g.k());
        let halves = || messages(k).filter(|message| 2 * message.count() == k);
        for ties in TieRule::ALL {
            let Some(b) = radius(&g, ties) else { continue };
            let one_votes = |m: &Message| Outcome::of(&g, ties, m).wrong.count();
            if g.all_loads_odd() || ties == Adversarial || ties == One {
                assert!(b == 0 && n % 2 == 0 && g.all_loads_odd(), "{g:?} {ties}");
                assert!(halves().all(|message| 2 * one_votes(&message) == n), "{g:?} {ties}");
            } else if ties == Abstain {
                let silent = |m: &Message| Outcome::of(&g, ties, m).silent.count();
                assert!(b == 0 && halves().all(|m| 2 * one_votes(&m) + silent(&m) == n), "{g:?} {ties}");
            } else {
                let tied =
                    |m: &Message| (0..n).filter(|&j| 2 * g.ones_seen(j, m) == g.worker_load(j)).count();
                assert!(halves().all(|m| tied(&m) >= 2 * b + n % 2), "{g:?} {ties}");
            }
        }
    }
    for (n, k) in (1..=6).cartesian_product([2, 4, 6]) {
        let full = AllocationMatrix::from_fn(n, k, |_, _| true).unwrap();
        assert_eq!(radius(&full, Zero), Some((n - 1) / 2));
    }
}

/// Theorem 5: who implies whom, by the parities of n and k.
#[test]
fn tie_rules_imply_each_other_as_stated() {
    for g in small_matrices(4) {
        let [adversarial, zero, one, abstain] = TieRule::ALL.map(|ties| radius(&g, ties));
        assert!(adversarial <= zero && adversarial <= one && adversarial <= abstain, "{g:?}");
        assert!(one <= abstain, "{g:?}");
        if g.n() % 2 == 1 {
            assert_eq!(one, adversarial, "{g:?}");
        }
        if g.k() % 2 == 1 {
            assert_eq!(zero, adversarial, "{g:?}");
        } else {
            assert_eq!(one, adversarial, "{g:?}");
        }
    }
    // In the order adversarial, zero, one, abstain: whether b = 0 is tolerated.
    let strict: [(usize, Rows, [bool; 4]); 9] = [
        (1, &[&[], &[], &[0]], [false, false, false, true]),
        (1, &[&[], &[0]], [false, false, true, true]),
        (1, &[&[], &[], &[], &[0]], [false, false, false, true]),
        (2, &[&[0, 1]], [false, true, false, true]),
        (2, &[&[], &[], &[0, 1]], [false, false, false, true]),
        (2, &[&[], &[0], &[0, 1]], [false, true, false, false]),
        (2, &[&[], &[0, 1]], [false, false, false, true]),
        (2, &[&[0], &[0, 1]], [false, true, false, false]),
        (3, &[&[0], &[1, 2], &[1, 2]], [false, false, false, true]),
    ];
    for (k, rows, tolerant) in strict {
        let g = matrix(k, rows);
        assert_eq!(TieRule::ALL.map(|ties| radius(&g, ties).is_some()), tolerant, "{g:?}");
    }
}

/// Theorem 6, and the two families that attain it.
#[test]
fn a_tolerant_code_has_every_partition_at_2b_plus_1_workers() {
    for g in small_matrices(4) {
        let rarest = g.partition_loads().into_iter().min().unwrap();
        for ties in TieRule::ALL {
            if let Some(b) = radius(&g, ties) {
                assert!(rarest > 2 * b, "{g:?} {ties}: b = {b}, but a partition is at {rarest} workers");
            }
        }
    }
    for b in 0..3 {
        let full = AllocationMatrix::from_fn(2 * b + 1, 5, |_, _| true).unwrap();
        assert_eq!(radius(&full, Adversarial), Some(b));
        let alone = AllocationMatrix::from_fn(2 * b + 4, 1, |j, _| j <= 2 * b).unwrap();
        assert_eq!((radius(&alone, Abstain), alone.ones()), (Some(b), 2 * b + 1));
    }
}
