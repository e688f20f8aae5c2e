//! Promise: the constructions of redundancy schemes have the parameters that their papers give.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::AllocationMatrix;
use ecode_design::construct::{groups, mols, ramanujan, subsets};

/// Workers, files, load and copies, where every worker and every file is like any other.
fn parameters(g: &AllocationMatrix) -> (usize, usize, usize, usize) {
    let (loads, copies) = (g.worker_loads(), g.partition_loads());
    assert!(loads.iter().all(|load| *load == loads[0]) && copies.iter().all(|some| *some == copies[0]));
    (g.n(), g.k(), loads[0], copies[0])
}

/// The most files that two workers share.
fn shared(g: &AllocationMatrix) -> usize {
    let both = |a: usize, b: usize| (0..g.k()).filter(|&i| g.holds(a, i) && g.holds(b, i)).count();
    (0..g.n()).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| both(a, b)).max().unwrap()
}

#[test]
fn squares_of_every_order_are_orthogonal() {
    for l in [2, 3, 4, 5, 7, 8, 9, 11, 16] {
        for r in 1..=l.min(6) {
            let g = mols(l, r).unwrap();
            assert_eq!((parameters(&g), shared(&g)), ((l * r, l * l, l, r), usize::from(r > 1)), "{l} {r}");
        }
    }
    // Worker 0 of the first square holds the cells with i + j = 0, worker 1 of the second those with 2i + j = 1.
    let g = mols(5, 3).unwrap();
    assert_eq!(g.support(0).collect::<Vec<_>>(), [0, 9, 13, 17, 21]);
    assert_eq!(g.support(6).collect::<Vec<_>>(), [1, 9, 12, 15, 23]);
    assert_eq!(parameters(&mols(7, 7).unwrap()), (49, 49, 7, 7));
    assert_eq!(shared(&mols(7, 7).unwrap()), 1);
}

#[test]
fn ramanujan_bigraphs_are_as_the_paper_has_them() {
    for (m, s) in [(1, 2), (2, 3), (3, 5), (4, 5), (5, 7), (10, 11)] {
        let g = ramanujan(m, s).unwrap();
        assert_eq!(
            (parameters(&g), shared(&g)),
            ((m * s, s * s, s, m), usize::from(m > 1)),
            "case 1, {m} {s}"
        );
    }
    for (m, s) in [(2, 2), (3, 3), (6, 3), (5, 5), (10, 5), (7, 7), (21, 7)] {
        let g = ramanujan(m, s).unwrap();
        assert_eq!((parameters(&g), shared(&g)), ((s * s, m * s, m, s), m / s), "case 2, {m} {s}");
    }
}

#[test]
fn groups_and_subsets_are_as_they_are_named() {
    assert_eq!(parameters(&groups(15, 3).unwrap()), (15, 5, 1, 3));
    assert_eq!(parameters(&subsets(6, 3).unwrap()), (6, 20, 10, 3));
    // A file for each pair of four: 01, 02, 03, 12, 13, 23.
    assert_eq!(subsets(4, 2).unwrap().support(0).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn what_does_not_exist_is_refused_with_the_reason() {
    let why = |made: Result<AllocationMatrix, _>| match made {
        Ok(g) => panic!("{g:?}"),
        Err(error) => ecode_design::construct::ConstructError::to_string(&error),
    };
    for (made, reason) in [
        (mols(6, 2), "a power of a prime"),
        (mols(1, 1), "a power of a prime"),
        (mols(5, 6), "5 orthogonal squares"),
        (mols(5, 0), "r = 0"),
        (ramanujan(3, 4), "a prime s"),
        (ramanujan(7, 5), "below s = 5 or a multiple"),
        (ramanujan(0, 5), "m = 0"),
        (groups(10, 3), "divides n = 10"),
        (groups(10, 0), "r = 0"),
        (subsets(5, 6), "r = 6"),
        (subsets(40, 20), "more than 4096"),
        (subsets(100_000, 2), "more than 4096"),
    ] {
        let error = why(made);
        assert!(error.contains(reason), "{error}");
    }
}
