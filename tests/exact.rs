//! Promise: what exhaustion proves is so, and what the program keeps of it can be repeated.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::construct::best;
use ecode::search::{bounds, exhausted, minimum};
use serde_json::Value;

/// The strongest bound by a theorem.
fn start(n: usize, b: usize) -> usize {
    bounds(n, b).unwrap().iter().filter(|bound| !bound.by_search()).map(|bound| bound.least).max().unwrap()
}

#[test]
fn what_is_kept_can_be_repeated() {
    for kept in exhausted() {
        let (n, b) = (kept.n, kept.b);
        // The others take from half a second to half a minute.
        if n > 11 && (n, b) != (13, 3) {
            continue;
        }
        let found = minimum(n, b, start(n, b), kept.at_least, &|| false).unwrap();
        let families: u64 = found.tried.iter().map(|(_, families)| families).sum();
        assert_eq!(
            (found.at_least, found.matrix, families),
            (kept.at_least, None, kept.families),
            "({n}, {b})"
        );
    }
}

#[test]
fn the_fewest_ones_of_small_codes() {
    let known = [
        (5, 1, 19),
        (5, 2, 25),
        (7, 1, 29),
        (7, 2, 41),
        (9, 1, 41),
        (9, 2, 59),
        (9, 3, 71),
        (11, 3, 95),
        (11, 4, 109),
    ];
    for (n, b, ones) in known {
        // From half of the bound on: the search alone excludes what the theorems exclude.
        let found = minimum(n, b, n, ones + 2, &|| false).unwrap();
        let matrix = found.matrix.unwrap();
        assert_eq!((found.at_least, matrix.ones()), (ones, ones), "n = {n}, b = {b}");
        assert_eq!(best(n, b).unwrap().matrix.ones(), ones, "n = {n}, b = {b}");
    }
}

/// Every family of seven workers' odd rows, names and all, by nothing but the definition.
#[test]
fn plain_enumeration_agrees_for_seven_workers() {
    type Row = (u128, usize);
    // `won` holds two bits a message, 3 − (t − b) at the start: a message whose bits are full may win no more.
    fn grow(rows: &[Row], won: u128, places: u128, left: usize, ones: usize, fewest: &mut usize) {
        *fewest = (*fewest).min(ones + 7 * left);
        if left == 0 {
            return;
        }
        for (j, &(wins, weight)) in rows.iter().enumerate() {
            if won & (won >> 1) & wins & places == 0 {
                grow(&rows[j..], won + wins, places, left - 1, ones + weight, fewest);
            }
        }
    }
    let messages: Vec<u32> = (0..128_u32).filter(|m| m.count_ones() == 3).collect();
    let places = (0..messages.len()).fold(0, |places, x| places | 1_u128 << (2 * x));
    let rows: Vec<Row> = (1..128_u32)
        .filter(|row| [1, 3, 5].contains(&row.count_ones()))
        .map(|row| {
            let won = |m: &u32| 2 * (row & m).count_ones() > row.count_ones();
            let wins = messages.iter().enumerate().map(|(x, m)| u128::from(won(m)) << (2 * x)).sum();
            (wins, row.count_ones() as usize)
        })
        .collect();
    for (b, ones) in [(1, 29), (2, 41), (3, 49)] {
        let mut fewest = usize::MAX;
        // t − b = 3 − b, so that b is what the bits start from.
        grow(&rows, places * b, places, 7, 0, &mut fewest);
        assert_eq!(fewest, ones, "b = {b}");
        assert_eq!(minimum(7, b as usize, 7, 99, &|| false).unwrap().at_least, ones, "b = {b}");
    }
}

#[test]
fn the_command_says_what_it_excluded() {
    let run = |args: &[&str]| Command::cargo_bin("ecode").unwrap().args(args).output().unwrap();
    let output = run(&["search", "--exact", "--n", "9", "--b", "1", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((document["lower_bound"].as_u64(), document["minimal"].as_bool()), (Some(41), Some(true)));
    assert_eq!(document["tried"].as_array().unwrap().len(), 41 - start(9, 1));
    // Stopped before the end: what is known so far, and exit code 3.
    let output = run(&["search", "--exact", "--n", "15", "--b", "1", "--timeout", "300ms", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["lower_bound"].as_u64() >= Some(75) && document["minimal"] == false);
    for wrong in [["17", "1"], ["8", "1"], ["9", "0"], ["9", "5"]] {
        let output = run(&["search", "--exact", "--n", wrong[0], "--b", wrong[1]]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}");
    }
}
