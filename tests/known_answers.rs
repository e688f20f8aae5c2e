//! Promise: what the paper proves, the engines find.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Bernoulli, algorithm1, bernoulli, cyclic, full, repetition, uncoded};
use ecode::verify::{Control, Method, verify};

fn radius(g: &AllocationMatrix) -> Option<usize> {
    let verdict = verify(g, None, TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    let radius = verdict.radius();
    assert!(radius.is_determined());
    radius.exactly()
}

/// Theorem 3 of the paper, and that it is tight.
#[test]
fn algorithm_1_has_radius_exactly_b() {
    for n in (3..=15).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            assert_eq!(radius(&algorithm1(n, b).unwrap()), Some(b), "n = {n}, b = {b}");
        }
    }
    // Figure D.7's setting.
    assert_eq!(radius(&algorithm1(17, 2).unwrap()), Some(2));
}

#[test]
fn algorithm_1_has_the_ones_of_its_closed_form() {
    let known = [(5, 1, 19), (7, 1, 29), (7, 2, 41), (9, 1, 45), (9, 2, 61), (9, 3, 71)];
    for (n, b, ones) in known {
        assert_eq!(algorithm1(n, b).unwrap().ones(), ones, "n = {n}, b = {b}");
    }
    for n in (3..200).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            let code = Algorithm1::new(n, b).unwrap();
            let matrix = algorithm1(n, b).unwrap();
            assert_eq!(matrix.ones(), code.ones());
            assert!((matrix.redundancy() - code.redundancy()).abs() < 1e-9, "n = {n}, b = {b}");
        }
    }
}

/// Section D.3: the fewest ones outside the dictators' partitions that win q chain rows,
/// v*_q = (b+1)(q+1)/2 for odd q and 1 + (b+1)q/2 for even q ≥ 2, and b for q = 0, by enumeration.
#[test]
fn the_proofs_v_star_is_the_enumerated_minimum() {
    for (n, b) in [(3, 1), (9, 1), (11, 1), (13, 1), (13, 2), (13, 6), (17, 1), (17, 2), (19, 2), (19, 3)] {
        let Algorithm1 { s, l, .. } = Algorithm1::new(n, b).unwrap();
        let g = algorithm1(n, b).unwrap();
        let width = n - s;
        let mut fewest = vec![usize::MAX; l + 1];
        for bits in 0_u32..1 << width {
            let ones = bits.count_ones() as usize;
            // The other (n − 1)/2 − ones are the dictators', of which there are s.
            if !((n - 1) / 2 - s..=(n - 1) / 2).contains(&ones) {
                continue;
            }
            let wins = (s..s + l)
                .filter(|&j| {
                    let row = (g.row(j)[0] >> s) as u32;
                    (row & bits).count_ones() as usize > b
                })
                .count();
            for q in 0..=wins {
                fewest[q] = fewest[q].min(ones);
            }
        }
        for (q, &fewest) in fewest.iter().enumerate() {
            let closed = match q {
                0 => b,
                q if q % 2 == 1 => (b + 1) * q.div_ceil(2),
                q => 1 + (b + 1) * q / 2,
            };
            // For b = (n − 1)/2 the one chain row is full, and never turned.
            let exists = q == 0 || b < (n - 1) / 2;
            assert_eq!(fewest, if exists { closed } else { usize::MAX }, "n = {n}, b = {b}, q = {q}");
        }
    }
}

#[test]
fn classical_allocations_have_their_known_radii() {
    assert_eq!(radius(&uncoded(9).unwrap()), Some(0));
    assert_eq!(radius(&full(9, 5).unwrap()), Some(4));
    assert_eq!(repetition(6, 3).unwrap().worker_loads(), [3; 6]);
    assert_eq!(cyclic(5, 2).unwrap().partition_loads(), [2; 5]);
    // Three groups of three: two groups won with two ones each already decide for four ones of nine.
    assert_eq!(radius(&repetition(9, 3).unwrap()), None);
}

#[test]
fn a_bernoulli_draw_depends_on_its_seed_alone() {
    let how = Bernoulli { n: 9, k: 9, p: 0.3, seed: 7, draw: 0, redraw_empty: true, odd_rows: true };
    let g = bernoulli(how).unwrap();
    assert_eq!(g, bernoulli(how).unwrap());
    assert_ne!(g, bernoulli(Bernoulli { draw: 1, ..how }).unwrap());
    assert_ne!(g, bernoulli(Bernoulli { seed: 8, ..how }).unwrap());
    assert!(g.all_loads_odd());
    assert_eq!(bernoulli(Bernoulli { p: 1.0, odd_rows: false, ..how }).unwrap().ones(), 81);
    // The law of large numbers: 4 standard deviations of 200 · 200 draws.
    let ones =
        bernoulli(Bernoulli { n: 200, k: 200, redraw_empty: false, odd_rows: false, ..how }).unwrap().ones();
    assert!((ones as f64 - 12_000.0).abs() < 4.0 * (40_000.0_f64 * 0.21).sqrt(), "{ones}");
}
