//! Promise: no tolerant code is below a bound that the program prints.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Gluing, best};
use ecode::search::bounds;
use ecode::verify::{Control, Method, verify};
use itertools::Itertools as _;
use proptest::prelude::*;
use serde_json::Value;

fn strongest(n: usize, b: usize) -> usize {
    bounds(n, b).unwrap().last().unwrap().least
}

/// Every 5 × 5 matrix up to the order of its rows, loads of any parity, empty rows too.
#[test]
fn no_code_of_five_workers_is_below_a_bound() {
    let messages: Vec<u32> = (0..32_u32).filter(|m| m.count_ones() == 2).collect();
    // Four bits a message: the number of rows that it wins.
    let wins = |row: u32| -> u64 {
        let won = |m: &u32| 2 * (row & m).count_ones() >= row.count_ones();
        messages.iter().enumerate().map(|(x, m)| u64::from(won(m)) << (4 * x)).sum()
    };
    let rows: Vec<(u64, u32)> = (0..32_u32).map(|row| (wins(row), row.count_ones())).collect();
    let mut fewest = [u32::MAX; 3];
    for code in (0..32_usize).combinations_with_replacement(5) {
        let won: u64 = code.iter().map(|&row| rows[row].0).sum();
        let ones: u32 = code.iter().map(|&row| rows[row].1).sum();
        let worst = (0..messages.len()).map(|x| won >> (4 * x) & 15).max().unwrap() as usize;
        for b in 0..=2 - worst.min(2) {
            if worst <= 2 {
                fewest[b] = fewest[b].min(ones);
            }
        }
    }
    assert_eq!(fewest, [5, 19, 25]);
    for (b, fewest) in fewest.into_iter().enumerate() {
        for bound in bounds(5, b).unwrap() {
            assert!(bound.least <= fewest as usize, "b = {b}: {bound:?}");
        }
    }
}

#[test]
fn no_known_code_is_below_a_bound() {
    for n in (1..=41).step_by(2) {
        for b in 0..=(n - 1) / 2 {
            if n > 31 && b % 9 != 1 {
                continue;
            }
            let ones = best(n, b).unwrap().matrix.ones();
            for bound in bounds(n, b).unwrap() {
                assert!(bound.least <= ones, "n = {n}, b = {b}: {ones} ones against {bound:?}");
            }
        }
    }
    for (n, b) in [(63, 1), (101, 1), (101, 7), (101, 49), (1001, 1), (1001, 499)] {
        assert!(strongest(n, b) <= Gluing::new(n, b).unwrap().matrix.ones(), "n = {n}, b = {b}");
    }
}

/// Theorem 13: Algorithm 1 is minimal for b = t − 1, and for b = t everything is full.
#[test]
fn algorithm_1_is_minimal_where_at_most_one_row_may_be_won() {
    for n in (5..=31).step_by(2).chain([61, 255, 4095]) {
        for b in [(n - 3) / 2, (n - 1) / 2] {
            assert_eq!(strongest(n, b), Algorithm1::new(n, b).unwrap().ones(), "n = {n}, b = {b}");
        }
    }
}

#[test]
fn the_bounds_of_the_table_are_as_strong_as_ever() {
    for (n, b, ones) in
        [(5, 1, 19), (7, 1, 29), (9, 1, 39), (9, 2, 59), (11, 1, 49), (15, 1, 75), (21, 1, 105), (31, 2, 233)]
    {
        assert!(strongest(n, b) >= ones, "n = {n}, b = {b}: {}", strongest(n, b));
    }
    let sources: Vec<_> = bounds(31, 1).unwrap().into_iter().map(|bound| (bound.name, bound.least)).collect();
    assert_eq!(
        sources,
        [("columns", 93), ("averaging", 121), ("split averaging", 127), ("second moment", 169)]
    );
}

#[test]
fn bounds_are_printed_with_their_sources() {
    let run = |args: &[&str]| assert_cmd::Command::cargo_bin("ecode").unwrap().args(args).output().unwrap();
    let output = run(&["bounds", "--n", "9", "--b", "3", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((document["lower_bound"].as_u64(), document["best"]["ones"].as_u64()), (Some(71), Some(71)));
    assert_eq!(document["best"]["optimal"], true);
    let listed = document["bounds"].as_array().unwrap();
    assert_eq!(listed.len(), bounds(9, 3).unwrap().len());
    assert!(listed.iter().all(|bound| bound["source"].as_str().unwrap().starts_with("docs/theory.md, ")));
    for wrong in [["0", "1"], ["8", "4"], ["9", "5"], ["4097", "1"]] {
        let output = run(&["bounds", "--n", wrong[0], "--b", wrong[1]]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Lemma 10 (a).
    #[test]
    fn an_even_row_may_lose_an_entry(
        rows in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.6), 7), 7),
        place in 0..7_usize,
    ) {
        let g = AllocationMatrix::from_rows(&rows).unwrap();
        let radius = |g: &AllocationMatrix| {
            let verdict = verify(g, None, TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
            assert!(verdict.radius().is_determined());
            verdict.radius().exactly()
        };
        let thinned = AllocationMatrix::from_fn(7, 7, |j, i| {
            let even = g.worker_load(j) % 2 == 0;
            let load = g.worker_load(j).max(1);
            g.holds(j, i) && !(even && g.support(j).nth(place % load) == Some(i))
        }).unwrap();
        prop_assert!((0..7).all(|j| thinned.worker_load(j) % 2 == 1 || thinned.worker_load(j) == 0));
        prop_assert!(radius(&thinned) >= radius(&g));
    }
}
