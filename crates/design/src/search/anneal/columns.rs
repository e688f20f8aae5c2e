//! The tests of a problem as bit columns, so that a row is evaluated on all tests with a few word operations.

use super::problem::{Problem, Row};

/// Words of 64 bits that are added up at once: two registers of 256 bits.
const LANES: usize = 8;

/// The tests as bit columns.
pub(super) struct Columns {
    pub(super) words: usize,
    /// `points` columns, then `old` columns: bit x of old column y says that test x holds more than y.
    bits: Vec<u64>,
    points: usize,
}

impl Columns {
    pub(super) fn new(problem: &Problem) -> Self {
        let words = problem.tests.len().div_ceil(64);
        let columns = problem.points + usize::from(problem.old);
        let mut bits = vec![0_u64; words * columns];
        for (x, test) in problem.tests.iter().enumerate() {
            for i in 0..problem.points {
                bits[i * words + x / 64] |= u64::from(test.points >> i & 1) << (x % 64);
            }
            for y in 0..usize::from(problem.old.min(test.old)) {
                bits[(problem.points + y) * words + x / 64] |= 1 << (x % 64);
            }
        }
        Self { words, bits, points: problem.points }
    }

    /// Where the row is won: a counter of five planes a word, begun at 32 − needed, overflows.
    #[inline(always)]
    pub(super) fn wins(&self, row: Row, out: &mut [u64]) {
        let start = 32 - row.needed();
        let begin: [u64; 5] = std::array::from_fn(|plane| if start >> plane & 1 == 1 { u64::MAX } else { 0 });
        let mut held = [0_usize; 64];
        let mut count = 0;
        for i in (0..self.points).filter(|i| row.points >> i & 1 == 1) {
            held[count] = i * self.words;
            count += 1;
        }
        for y in 0..usize::from(row.old) {
            held[count] = (self.points + y) * self.words;
            count += 1;
        }
        let mut at = 0;
        while at < self.words {
            let lanes = LANES.min(self.words - at);
            let mut planes = [[0_u64; LANES]; 5];
            for plane in 0..5 {
                planes[plane] = [begin[plane]; LANES];
            }
            let mut won = [0_u64; LANES];
            for &column in &held[..count] {
                let column = &self.bits[column + at..column + at + lanes];
                let mut carry = [0_u64; LANES];
                carry[..lanes].copy_from_slice(column);
                for plane in &mut planes {
                    for lane in 0..LANES {
                        let sum = plane[lane] ^ carry[lane];
                        carry[lane] &= plane[lane];
                        plane[lane] = sum;
                    }
                }
                for lane in 0..LANES {
                    won[lane] |= carry[lane];
                }
            }
            out[at..at + lanes].copy_from_slice(&won[..lanes]);
            at += lanes;
        }
    }
}
