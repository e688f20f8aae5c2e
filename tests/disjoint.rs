//! Promise: codes of disjoint rows tolerate what their theorem says, and the search beside such rows finds
//! tolerant codes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Disjoint, best};
use ecode::search::{Effort, anneal_with_disjoint_rows};
use ecode::verify::{Control, Method, verify};
use proptest::prelude::*;
use serde_json::Value;

fn tolerates(g: &AllocationMatrix, b: usize) -> bool {
    let verdict = verify(g, Some(b), TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    verdict.is_tolerant()
}

#[test]
fn engines_confirm_the_construction() {
    let small = (3..=31).step_by(2).flat_map(|n| (1..=(n - 1) / 2).map(move |b| (n, b)));
    for (n, b) in small.chain([(101, 10), (101, 25), (101, 33), (1001, 250), (1001, 333)]) {
        let code = Disjoint::new(n, b).unwrap();
        let matrix = code.matrix().unwrap();
        assert_eq!(matrix.ones(), code.ones());
        assert!(tolerates(&matrix, b), "n = {n}, b = {b}");
        assert!(best(n, b).unwrap().matrix.ones() <= code.ones());
    }
    for (n, b) in [(8, 1), (9, 0), (9, 5), (4097, 1)] {
        assert!(Disjoint::new(n, b).is_err());
    }
}

#[test]
fn rows_of_three_settle_a_quarter_of_liars() {
    // r → 2n/3 at b = n/4, where Algorithm 1 has 3n/4.
    let (n, b) = (999, 249);
    assert!((Disjoint::new(n, b).unwrap().ones() as f64 / (n * n) as f64 - 2.0 / 3.0).abs() < 0.005);
    assert!((Algorithm1::new(n, b).unwrap().ones() as f64 / (n * n) as f64 - 0.75).abs() < 0.005);
}

#[test]
fn the_search_beside_disjoint_rows_finds_tolerant_codes() {
    let effort = Effort { moves: 20_000, restarts: 4, seed: 1, rotation: 1 };
    for (n, b, loads, most) in [
        (13, 3, &[1, 3, 3][..], 117),
        (15, 3, &[1, 1, 1], 147),
        (15, 4, &[3, 3], 165),
        (17, 4, &[1, 3, 3], 203),
    ] {
        let found = anneal_with_disjoint_rows(n, b, loads, effort, &|| false).unwrap();
        let matrix = found.code().unwrap();
        assert!(tolerates(&matrix, b) && matrix.ones() <= most, "{found}");
    }
    // Too many wins already, no partition left, more loads than partitions.
    for (n, b, loads) in [(9, 3, &[1, 1][..]), (9, 1, &[9]), (9, 1, &[5, 5])] {
        assert_eq!(anneal_with_disjoint_rows(n, b, loads, effort, &|| false), None);
    }
}

#[test]
fn what_is_found_beside_disjoint_rows_is_kept_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    let ecode = |args: &[&str]| {
        let mut command = Command::cargo_bin("ecode").unwrap();
        command.args(args).arg("--catalogue").arg(&mine).arg("--json").output().unwrap()
    };
    // A code of one's own counts like the program's, whether it is better or not.
    std::fs::write(&mine, "code 1 5 0;1,2,3 by hand\ncode 1 5 0,1,2;2,3,4 by hand\n").unwrap();
    let designed = ecode(&["design", "--n", "5", "--b", "1"]);
    let stored: Value = serde_json::from_slice(&designed.stdout).unwrap();
    assert_eq!(
        (stored["ones"].as_u64(), stored["construction"]["name"].as_str()),
        (Some(19), Some("algorithm1"))
    );
    // One that is too light is not tolerant, and the verdict says so.
    std::fs::write(&mine, "code 1 5 0;1;2 by hand\n").unwrap();
    assert_eq!(ecode(&["design", "--n", "5", "--b", "1"]).status.code(), Some(1));
    for wrong in ["code 1 5 0;1,1,2 by hand\n", "code 1 1 0;0 by hand\n", "code 1 5 0,1 by hand\n"] {
        std::fs::write(&mine, wrong).unwrap();
        assert_eq!(ecode(&["design", "--n", "5", "--b", "1"]).status.code(), Some(2), "{wrong}");
    }
    let refused = ecode(&["search", "--n", "13", "--b", "3", "--disjoint-loads", "1,2"]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The theorem is the exact condition.
    #[test]
    fn the_lightest_rows_decide(majorities in prop::collection::vec(1..=3_usize, 1..=6), b in 1..=5_usize) {
        let n = 11;
        let mut start = 0;
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut kept = Vec::new();
        for a in majorities {
            if start + 2 * a - 1 <= n {
                rows.push((start..start + 2 * a - 1).collect());
                start += 2 * a - 1;
                kept.push(a);
            }
        }
        rows.resize(n, (0..n).collect());
        kept.sort_unstable();
        let c = (n - 1) / 2 - b;
        let safe = kept.len() <= c || kept[..=c].iter().sum::<usize>() > (n - 1) / 2;
        let g = AllocationMatrix::from_supports(n, &rows).unwrap();
        prop_assert_eq!(tolerates(&g, b), safe);
    }
}
