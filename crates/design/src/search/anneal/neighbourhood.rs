//! The rows that a move can make of a row, and rows to start from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

use super::problem::{Problem, Row};

/// Draws below `n`.
pub(in crate::search) fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    ((u64::from(random.next_u32()) * n as u64) >> 32) as usize
}

pub(super) fn random_row(problem: &Problem, random: &mut ChaCha8Rng) -> Row {
    let most = problem.heaviest.min(problem.points);
    let least = problem.lightest.min(most) | 1;
    let weight = least + 2 * below(random, (most + 2 - least) / 2);
    loop {
        let mut row = Row { points: 0, old: 0 };
        while row.weight() < weight {
            row.points |= 1 << below(random, problem.points);
        }
        if row.load(problem.free) > 0 {
            return row;
        }
    }
}

/// A neighbour of the row: a point exchanged, two added or two removed, or the like with old points.
pub(super) fn neighbour(problem: &Problem, row: Row, random: &mut ChaCha8Rng) -> Option<Row> {
    let mut next = row;
    let choice = below(random, if problem.old > 0 { 5 } else { 3 });
    match choice {
        0..=2 => {
            next.points ^= 1 << below(random, problem.points);
            next.points ^= 1 << below(random, problem.points);
        }
        3 => {
            next.points ^= 1 << below(random, problem.points);
            next.old = if random.next_u32() & 1 == 0 { row.old.checked_sub(1)? } else { row.old + 1 };
        }
        _ => next.old = if random.next_u32() & 1 == 0 { row.old.checked_sub(2)? } else { row.old + 2 },
    }
    (next != row && next.fits(problem)).then_some(next)
}
