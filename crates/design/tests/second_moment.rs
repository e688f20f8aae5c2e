//! Promise: the bounds by forced wins, ties and second moments (Theorem 32) are these numbers, and no code is below one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_design::search::{bounds, exhausted, second_moment};

/// n, and the bounds for b = 1, 2, … in turn; a second program of ours, in C++, has the same.
const TABLE: [(usize, &[usize]); 10] = [
    (13, &[61, 87, 113, 135]),
    (15, &[75, 103, 133, 161, 185]),
    (17, &[85, 119, 153, 185, 217, 245]),
    (19, &[95, 133, 171, 209, 247, 281, 311]),
    (21, &[105, 147, 189, 231, 273, 315, 353, 387]),
    (23, &[115, 161, 207, 253, 299, 345, 391, 433, 469]),
    (25, &[125, 175, 225, 277, 327, 377, 425, 475, 521, 561]),
    (27, &[141, 193, 245, 301, 355, 409, 461, 515, 567, 617, 659]),
    (29, &[157, 215, 271, 329, 385, 441, 497, 557, 611, 667, 721, 767]),
    (31, &[169, 233, 293, 353, 413, 473, 533, 593, 659, 717, 775, 833, 881]),
];

#[test]
fn the_table_is_reproduced() {
    for (n, row) in TABLE {
        let fresh: Vec<usize> = (1..=row.len()).map(|b| second_moment(n, b, n * n).at_least).collect();
        assert_eq!(fresh, row, "n = {n}");
    }
}

/// Exhaustion knows nothing of these tests.
#[test]
fn what_exhaustion_found_is_not_excluded() {
    let known = [
        (5, 1, 19),
        (7, 1, 29),
        (7, 2, 41),
        (9, 1, 41),
        (9, 2, 59),
        (9, 3, 71),
        (11, 3, 95),
        (11, 4, 109),
        (13, 4, 139),
        (15, 5, 191),
    ];
    let kept = exhausted().map(|kept| (kept.n, kept.b, kept.at_least));
    let mut met = 0;
    for (n, b, fewest) in known.into_iter().chain(kept) {
        let bound = second_moment(n, b, n * n).at_least;
        assert!(bound <= fewest, "({n}, {b}): {bound}");
        met += usize::from(bound == fewest);
    }
    assert_eq!(met, 5);
}

/// A limit ends the work there, and what lies below it is the same.
#[test]
fn a_limit_only_ends_the_work() {
    let whole = second_moment(15, 2, 225);
    let part = second_moment(15, 2, 99);
    assert_eq!((whole.at_least, part.at_least), (103, 99));
    assert_eq!(whole.cases[..part.cases.len()], part.cases);
}

#[test]
fn the_strongest_bounds_of_the_table() {
    let strongest = |n, b| bounds(n, b).unwrap().pop().unwrap();
    assert_eq!((strongest(21, 1).least, strongest(21, 1).name), (105, "second moment"));
    assert_eq!((strongest(13, 1).least, strongest(13, 1).name), (67, "exhaustion"));
    // Theorem 33 for b = t − 2.
    for (n, least) in
        [(9, 59), (17, 251), (19, 319), (21, 395), (23, 479), (25, 571), (27, 671), (29, 779), (31, 895)]
    {
        let bound = strongest(n, (n - 5) / 2);
        assert_eq!((bound.least, bound.name), (least, "three rows"), "n = {n}");
    }
}
