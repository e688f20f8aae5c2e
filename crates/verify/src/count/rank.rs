//! A side's choices in order, and the way from a choice to its rank and back.
//!
//! # References
//! D. E. Knuth, *The Art of Computer Programming*, volume 4A, 7.2.1.3: ranks of combinations.

use std::ops::Range;

use num_bigint::BigUint;

use crate::reduce::Side;

/// A side with its choices in order.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub(super) side: Side,
    /// Where its ranks begin.
    pub(super) start: u64,
    /// The classes, the largest first.
    pub(super) order: Vec<usize>,
    /// `ways[place][count]` = C(size, count).
    pub(super) ways: Vec<Vec<BigUint>>,
    /// `choices[place][left]`: count vectors of the classes from this place on with this sum.
    pub(super) choices: Vec<Vec<u128>>,
    /// The same, in messages.
    pub(super) messages: Vec<Vec<BigUint>>,
}

impl Ranked {
    pub(super) fn new(side: Side, start: u64) -> Self {
        let mut order: Vec<usize> = (0..side.classes.len()).collect();
        // The sort is stable, and classes come in the order of their lowest partitions.
        order.sort_by_key(|&class| std::cmp::Reverse(side.classes[class].len()));
        let ways: Vec<Vec<BigUint>> =
            order.iter().map(|&class| binomials(side.classes[class].len())).collect();
        let mut choices = vec![vec![0; side.weight + 1]; order.len() + 1];
        let mut messages = vec![vec![BigUint::ZERO; side.weight + 1]; order.len() + 1];
        choices[order.len()][0] = 1;
        messages[order.len()][0] = BigUint::from(1_u32);
        for place in (0..order.len()).rev() {
            for left in 0..=side.weight {
                let counts = 0..ways[place].len().min(left + 1);
                choices[place][left] = counts
                    .clone()
                    .fold(0_u128, |sum, count| sum.saturating_add(choices[place + 1][left - count]));
                messages[place][left] =
                    counts.map(|count| &ways[place][count] * &messages[place + 1][left - count]).sum();
            }
        }
        Self { side, start, order, ways, choices, messages }
    }

    pub(super) fn total(&self) -> u64 {
        self.choices[0][self.side.weight] as u64
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.total()
    }

    /// The part of a range of ranks that lies on this side, from 0 on.
    pub(super) fn own(&self, range: &Range<u64>) -> Range<u64> {
        let inside = |rank: u64| rank.clamp(self.start, self.end()) - self.start;
        inside(range.start)..inside(range.end)
    }

    /// How many messages the choices before this rank stand for.
    pub(super) fn messages_before(&self, rank: u64) -> BigUint {
        if rank >= self.total() {
            return self.messages[0][self.side.weight].clone();
        }
        let (mut rest, mut left) = (u128::from(rank), self.side.weight);
        let (mut ways, mut sum) = (BigUint::from(1_u32), BigUint::ZERO);
        for place in 0..self.order.len() {
            for count in 0..self.ways[place].len().min(left + 1) {
                let below = self.choices[place + 1][left - count];
                let each = &ways * &self.ways[place][count];
                if rest < below {
                    (ways, left) = (each, left - count);
                    break;
                }
                rest -= below;
                sum += each * &self.messages[place + 1][left - count];
            }
        }
        sum
    }

    /// The rank of the first choice that agrees with the one of this rank on the first `depth` classes.
    pub(super) fn first_alike(&self, rank: u64, depth: usize) -> u64 {
        let (mut rest, mut left) = (u128::from(rank), self.side.weight);
        for place in 0..depth {
            for count in 0..self.ways[place].len().min(left + 1) {
                let below = self.choices[place + 1][left - count];
                if rest < below {
                    left -= count;
                    break;
                }
                rest -= below;
            }
        }
        rank - rest as u64
    }

    /// The rank of a choice, given by its count for each class of the side.
    pub(super) fn rank(&self, counts: &[usize]) -> u64 {
        let (mut rank, mut left) = (0, self.side.weight);
        for (place, &class) in self.order.iter().enumerate() {
            rank += (0..counts[class]).map(|count| self.choices[place + 1][left - count]).sum::<u128>();
            left -= counts[class];
        }
        rank as u64
    }
}

/// C(size, 0), …, C(size, size).
#[must_use]
pub fn binomials(size: usize) -> Vec<BigUint> {
    let mut row = vec![BigUint::from(1_u32)];
    for x in 0..size {
        row.push(&row[x] * (size - x) / (x + 1));
    }
    row
}
