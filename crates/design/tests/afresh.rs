//! Promise: a search that knows nothing of what earlier searches found comes to the codes of the catalogue.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Instant;

use ecode_design::construct::{Demand, best_for};
use ecode_design::search::{SearchRequest, SearchRun, catalogue};

/// Rounds until the search has a code as light as the catalogue's, if at most so many are enough.
fn rounds(n: usize, b: usize, ones: usize, most: u64) -> Option<u64> {
    let demand = Demand::square(n, b);
    let request = SearchRequest { demand, disjoint_loads: Vec::new(), part: None, local: None, seed: 1 };
    let mut run = SearchRun::new(request, &[]).unwrap();
    let lightest = |run: &SearchRun| {
        let found: Vec<_> = run.best().cloned().into_iter().collect();
        best_for(&demand, &found).unwrap().unwrap().matrix.ones()
    };
    while lightest(&run) > ones {
        if run.rounds() == most {
            return None;
        }
        run.advance(&|| false).unwrap();
    }
    Some(run.rounds())
}

/// The rounds that each entry of the catalogue with so many workers takes.
fn all(sizes: &[usize], most: u64) {
    for entry in catalogue(sizes, None, None).unwrap() {
        let (n, b, ones) = (entry.n(), entry.b, entry.ones());
        let begun = Instant::now();
        let rounds = rounds(n, b, ones, most);
        println!("({n}, {b}): {ones} ones after {rounds:?} rounds, {:.1} s", begun.elapsed().as_secs_f64());
        assert!(rounds.is_some(), "({n}, {b}): {ones} ones not found in {most} rounds");
    }
}

#[test]
fn up_to_13_workers_within_a_few_rounds() {
    all(&[3, 5, 7, 9, 11, 13], 8);
}

#[test]
#[ignore = "minutes: scripts/test-long"]
fn up_to_21_workers() {
    all(&[15, 17, 19, 21], 40);
}
