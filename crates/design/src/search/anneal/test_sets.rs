//! The test sets of the three problems: what a family must not let any set of points win.

use super::problem::Test;

/// Tests of the local problem: every K of b to `most` of the points may win |K| − b rows.
#[must_use]
pub fn local_tests(points: usize, b: usize, most: usize) -> Vec<Test> {
    subsets(points)
        .filter(|set| (b.max(1)..=most).contains(&(set.count_ones() as usize)))
        .map(|points| Test { points, old: 0, allowed: (points.count_ones() as usize - b) as u8 })
        .collect()
}

/// Tests of a part that is to be glued to any family: those of the local problem for c < b old points,
/// and |L| wins for as many old points as a row can hold.
#[must_use]
pub fn part_tests(points: usize, b: usize, old: u8) -> Vec<Test> {
    let mut tests = Vec::new();
    for c in 0..b {
        tests.extend(subsets(points).filter(|&set| set != 0).map(|points| Test {
            points,
            old: c as u8,
            allowed: (points.count_ones() as usize + c).saturating_sub(b) as u8,
        }));
    }
    if usize::from(old) >= b {
        tests.extend(subsets(points).map(|points| Test { points, old, allowed: points.count_ones() as u8 }));
    }
    tests
}

/// Tests of the general problem, no shape assumed: every message of weight t may win t − b rows.
#[must_use]
pub fn message_tests(n: usize, b: usize) -> Vec<Test> {
    let t = (n - 1) / 2;
    subsets(n)
        .filter(|set| set.count_ones() as usize == t)
        .map(|points| Test { points, old: 0, allowed: (t - b) as u8 })
        .collect()
}

fn subsets(points: usize) -> impl Iterator<Item = u32> {
    0..1_u32 << points
}
