//! Promise: branch and bound finds what the enumeration finds, also where its covering families decide;
//! and a large claim that is wrong is refuted at once.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Bernoulli, bernoulli};
use ecode::verify::{Branch, Control, Engine, Exhaustive, Goal, Method, verify};

fn random(n: usize, k: usize, p: f64, draw: u64, odd_rows: bool) -> AllocationMatrix {
    bernoulli(Bernoulli { n, k, p, seed: 7, draw, redraw_empty: false, odd_rows }).unwrap()
}

/// Matrices of 2^24 messages and more, where families of larger choices stand for the completions.
#[test]
fn covers_give_the_enumerations_answer() {
    let shapes = [(27, 27), (27, 28), (20, 29), (33, 27), (28, 28)];
    for draw in 0..20 {
        let (n, k) = shapes[draw as usize % shapes.len()];
        let p = [0.15, 0.3, 0.5, 0.7, 0.9][draw as usize / 4];
        let ties = TieRule::ALL[draw as usize % 4];
        let g = random(n, k, p, draw, draw % 3 == 0);
        // Some columns alike: classes of several partitions.
        let g = AllocationMatrix::from_fn(n, k, |j, i| {
            g.holds(j, if draw % 5 == 4 && i < 4 { i / 2 } else { i })
        });
        let g = g.unwrap();
        let listed = Exhaustive.examine(&g, ties, Goal::Radius, &Control::default());
        let found = Branch.examine(&g, ties, Goal::Radius, &Control::default());
        assert_eq!(found.floor, listed.floor, "n {n} k {k} p {p} draw {draw} {ties}");
        assert_eq!(found.worst.map(|worst| worst.margin), listed.worst.as_ref().map(|worst| worst.margin));
        // As a claim, at the radius and beyond.
        let radius = listed.floor.unwrap();
        for b in [radius, radius + 1].into_iter().filter_map(|b| usize::try_from(b).ok()) {
            let method = Method::Branch;
            let verdict = verify(&g, Some(b), ties, method, &Control::default()).unwrap();
            assert_eq!(verdict.word(), if b as i64 <= radius { "tolerant" } else { "refuted" });
        }
    }
}

/// Everything but the time is the same, whoever works on it.
#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let g = random(28, 28, 0.5, 1, true);
    let examine = || Branch.examine(&g, TieRule::Adversarial, Goal::Radius, &Control::default());
    let all: Vec<_> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(examine);
            (found.worst.unwrap().message, found.floor, found.evaluated)
        })
        .collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
}

#[test]
fn a_large_wrong_claim_is_refuted_at_once() {
    let g = random(201, 201, 0.05, 1, true);
    let start = Instant::now();
    let verdict = verify(&g, Some(1), TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    assert!(verdict.is_refuted());
    assert_eq!(verdict.method(), "local search");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
