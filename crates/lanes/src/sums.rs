//! Sums over blocks of 512 choices that are kept, so that looking at a change of a few inputs costs a few operations.
//!
//! # What is promised
//! The counts are the same on every processor, as everywhere in this crate.
//!
//! # How
//! The digits of a block's sums lie side by side. Looking at a change reads them, takes some rows of bits off, puts
//! others on, and counts the lanes that reach each threshold, without writing anything.

use std::ops::Range;

use super::counter::PORTABLE;
use super::instructions::Instructions;
use super::vector::{Adder, Lanes, PLANES, Piece, Portable, above};
#[cfg(target_arch = "x86_64")]
use super::vector::{Halves, Ternary};

/// For each lane, how many rows of bits are set there.
///
/// ```
/// use ecode_lanes::{Change, Lanes, Sums};
/// let mut sums = Sums::new(1, 3);
/// let [mut a, mut b] = [[Lanes::ZERO]; 2];
/// [3, 5].map(|lane| a[0].set(lane));
/// b[0].set(5);
/// sums.apply(&Change { less: &[], more: &[&a, &b] });
/// let mut counts = [0; 2];
/// sums.count(&Change::NONE, 0..1, &[1, 2], &mut counts);
/// assert_eq!(counts, [2, 1]);
/// ```
#[derive(Clone, Debug)]
pub struct Sums {
    planes: usize,
    /// `[block·planes + plane]`.
    digits: Vec<Lanes>,
}

/// Rows that are taken off, of those that were put on before, and rows that are put on. Each has a block for every
/// block of the sums.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Taken off.
    pub less: &'a [&'a [Lanes]],
    /// Put on.
    pub more: &'a [&'a [Lanes]],
}

impl Change<'_> {
    /// Nothing changes.
    pub const NONE: Self = Self { less: &[], more: &[] };
}

impl Sums {
    /// Sums of nothing over so many blocks, with room for up to `most` rows.
    ///
    /// # Panics
    /// When `most` is 2^14 or more.
    #[must_use]
    pub fn new(blocks: usize, most: usize) -> Self {
        let planes = ((usize::BITS - most.leading_zeros()) as usize).max(1);
        assert!(planes <= PLANES, "at most 2^14 − 1 rows");
        // As the loops are compiled.
        let planes = [3, 4, 5, 6].into_iter().find(|&compiled| planes <= compiled).unwrap_or(PLANES);
        Self { planes, digits: vec![Lanes::ZERO; blocks * planes] }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.digits.len() / self.planes
    }

    /// Changes the sums.
    ///
    /// # Panics
    /// When a row has not as many blocks as the sums.
    pub fn apply(&mut self, change: &Change) {
        for row in change.less.iter().chain(change.more) {
            assert_eq!(row.len(), self.blocks(), "a block for every block");
        }
        for (block, digits) in self.digits.chunks_exact_mut(self.planes).enumerate() {
            for word in 0..Lanes::COUNT / 64 {
                for row in change.more {
                    let mut carry = row[block].0[word];
                    for digit in digits.iter_mut() {
                        let old = digit.0[word];
                        digit.0[word] = old ^ carry;
                        carry &= old;
                    }
                }
                for row in change.less {
                    let mut borrow = row[block].0[word];
                    for digit in digits.iter_mut() {
                        let old = digit.0[word];
                        digit.0[word] = old ^ borrow;
                        borrow &= !old;
                    }
                }
            }
        }
    }

    /// In how many lanes of these blocks the changed sums reach each of the thresholds: written to `counts`. The
    /// sums themselves stay.
    ///
    /// # Panics
    /// When the blocks are none of the sums, a row has not as many blocks as the sums, a threshold is 0, or there are
    /// not as many counts as thresholds.
    pub fn count(&self, change: &Change, blocks: Range<usize>, thresholds: &[usize], counts: &mut [u64]) {
        self.count_by(Instructions::widest(), change, blocks, thresholds, counts);
    }

    /// As [`Self::count`], by these instructions.
    ///
    /// # Panics
    /// Also when the processor does not have them.
    pub fn count_by(
        &self,
        instructions: Instructions,
        change: &Change,
        blocks: Range<usize>,
        thresholds: &[usize],
        counts: &mut [u64],
    ) {
        // What the versions below rely on when they read without a check.
        assert!(blocks.start <= blocks.end && blocks.end <= self.blocks(), "blocks of the sums");
        for row in change.less.iter().chain(change.more) {
            assert_eq!(row.len(), self.blocks(), "a block for every block");
        }
        assert_eq!(thresholds.len(), counts.len(), "a count for every threshold");
        assert!(!thresholds.contains(&0), "a threshold that is always met is no sum");
        assert!(instructions.here(), "this processor does not have {instructions:?}");
        // Few at a time, so that their counts stay in registers.
        for (thresholds, counts) in thresholds.chunks(MOST).zip(counts.chunks_mut(MOST)) {
            let asked = Asked { sums: self, change, blocks: blocks.clone(), thresholds };
            // SAFETY: the processor has the instructions, and the bounds hold.
            unsafe {
                match instructions {
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx512 => count_avx512(&asked, counts),
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Avx2 => count_avx2(&asked, counts),
                    _ => count_with::<Portable, PORTABLE>(&asked, counts),
                }
            }
        }
    }
}

/// So many thresholds are counted at a time.
const MOST: usize = 4;

struct Asked<'a> {
    sums: &'a Sums,
    change: &'a Change<'a>,
    blocks: Range<usize>,
    /// At most [`MOST`].
    thresholds: &'a [usize],
}

/// # Safety
/// The processor has AVX-512F, VPOPCNTDQ and POPCNT, and the bounds that `count_by` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
unsafe fn count_avx512(asked: &Asked, counts: &mut [u64]) {
    // SAFETY: as promised to this function.
    unsafe { count_with::<Ternary, 8>(asked, counts) }
}

/// # Safety
/// The processor has AVX2 and POPCNT, and the bounds that `count_by` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn count_avx2(asked: &Asked, counts: &mut [u64]) {
    // SAFETY: as promised to this function.
    unsafe { count_with::<Halves, 4>(asked, counts) }
}

/// Picks the loop that is compiled for these sizes.
///
/// # Safety
/// The bounds that `count_by` checks hold.
#[inline(always)]
unsafe fn count_with<A: Adder<W>, const W: usize>(asked: &Asked, counts: &mut [u64]) {
    // SAFETY: as promised to this function; there are as many planes.
    unsafe {
        match (asked.sums.planes, asked.thresholds.len()) {
            (3, 0..=2) => count_planes::<A, W, 3, 2>(asked, counts),
            (3, _) => count_planes::<A, W, 3, MOST>(asked, counts),
            (4, 0..=2) => count_planes::<A, W, 4, 2>(asked, counts),
            (4, _) => count_planes::<A, W, 4, MOST>(asked, counts),
            (5, 0..=2) => count_planes::<A, W, 5, 2>(asked, counts),
            (5, _) => count_planes::<A, W, 5, MOST>(asked, counts),
            (6, 0..=2) => count_planes::<A, W, 6, 2>(asked, counts),
            (6, _) => count_planes::<A, W, 6, MOST>(asked, counts),
            _ => count_planes::<A, W, PLANES, MOST>(asked, counts),
        }
    }
}

/// # Safety
/// The bounds that `count_by` checks hold, and the sums have P planes.
#[inline(always)]
unsafe fn count_planes<A: Adder<W>, const W: usize, const P: usize, const T: usize>(
    asked: &Asked,
    counts: &mut [u64],
) {
    let Asked { sums, change, blocks, thresholds } = asked;
    let mut totals = [[0_u64; W]; T];
    for block in blocks.clone() {
        for part in 0..Piece::<W>::COUNT {
            // SAFETY: the block is one of the sums and of every row, and the part one of a block.
            let mut digits: [Piece<W>; P] =
                std::array::from_fn(|plane| unsafe { get(&sums.digits, block * P + plane, part) });
            for row in change.more {
                // SAFETY: as above.
                let mut carry = unsafe { get(row, block, part) };
                for digit in &mut digits {
                    (*digit, carry) = (A::xor(*digit, carry), A::and(*digit, carry));
                }
            }
            for row in change.less {
                // SAFETY: as above.
                let mut borrow = unsafe { get(row, block, part) };
                for digit in &mut digits {
                    (*digit, borrow) = (A::xor(*digit, borrow), A::and_not(borrow, *digit));
                }
            }
            for (total, &threshold) in totals.iter_mut().zip(*thresholds) {
                let met = above::<A, W, P>(&digits, threshold as u64 - 1);
                for (total, word) in total.iter_mut().zip(met.0) {
                    *total += u64::from(word.count_ones());
                }
            }
        }
    }
    for (count, total) in counts.iter_mut().zip(totals) {
        *count = total.iter().sum();
    }
}

/// # Safety
/// `lanes[at]` exists, and the part is one of a block.
#[inline(always)]
unsafe fn get<const W: usize>(lanes: &[Lanes], at: usize, part: usize) -> Piece<W> {
    // SAFETY: pieces follow each other as the words of the lanes do.
    unsafe { *lanes.as_ptr().cast::<Piece<W>>().add(at * Piece::<W>::COUNT + part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every compiled version equals a plain count, before and after the change is made, for sums of few and many planes.
    #[test]
    fn every_version_counts_alike() {
        let mut random = crate::vector::pseudo_random(9);
        for voters in [1, 5, 7, 12, 15, 16, 31, 40, 63, 70] {
            let blocks = 3;
            let mut row =
                || -> Vec<Lanes> { (0..blocks).map(|_| Lanes(std::array::from_fn(|_| random()))).collect() };
            let rows: Vec<Vec<Lanes>> = (0..voters + 2).map(|_| row()).collect();
            let rows: Vec<&[Lanes]> = rows.iter().map(Vec::as_slice).collect();
            let mut sums = Sums::new(blocks, voters);
            sums.apply(&Change { less: &[], more: &rows[..voters] });
            let thresholds: Vec<usize> = (1..=voters + 1).collect();
            let two = voters.min(2);
            let changes = [
                (&rows[..0], &rows[..0], &rows[..voters]),
                // One row for another, two for two others, and some taken off only.
                (&rows[..1], &rows[voters..=voters], &rows[1..=voters]),
                (&rows[..two], &rows[voters..voters + two], &rows[two..voters + two]),
                (&rows[..two], &rows[..0], &rows[two..voters]),
            ];
            for (less, more, left) in changes {
                let change = Change { less, more };
                for range in [0..blocks, 1..2, 2..2] {
                    let reached = |threshold: usize| -> u64 {
                        let lanes = range.clone().flat_map(|block| (0..512).map(move |lane| (block, lane)));
                        let sum = |(block, lane): (usize, usize)| {
                            left.iter().filter(|row| row[block].get(lane)).count()
                        };
                        lanes.filter(|&place| sum(place) >= threshold).count() as u64
                    };
                    let expected: Vec<u64> = thresholds.iter().map(|&threshold| reached(threshold)).collect();
                    for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
                        let mut counts = vec![7; thresholds.len()];
                        sums.count_by(instructions, &change, range.clone(), &thresholds, &mut counts);
                        assert_eq!(counts, expected, "{instructions:?}, {voters} voters");
                        let mut changed = sums.clone();
                        changed.apply(&change);
                        changed.count_by(
                            instructions,
                            &Change::NONE,
                            range.clone(),
                            &thresholds,
                            &mut counts,
                        );
                        assert_eq!(counts, expected, "{instructions:?}, {voters} voters, changed");
                    }
                }
            }
        }
    }
}
