//! Bit-sliced histograms: 512 messages at once, their numbers of won and tied workers counted as bit
//! planes, and then how often each pair of numbers occurs.
//!
//! # What is promised
//! The counts are the same on every processor: as in [`ecode_lanes`], the same code is compiled
//! three times, and the widest version that the processor has is called.

use super::counter::Counter;
use super::counter::PORTABLE;
use super::instructions::Instructions;
use super::vector::{Adder, Lanes, PLANES, Piece, Portable};
#[cfg(target_arch = "x86_64")]
use super::vector::{Halves, Ternary};

/// Up to 512 patterns of one weight, each standing for as many messages.
pub struct Block {
    /// Which block of the table's rows the patterns stand in.
    pub place: usize,
    /// The lanes that hold a pattern.
    pub filled: Lanes,
    /// The patterns' own ones.
    pub weight: usize,
    /// How many messages each pattern stands for.
    pub messages: u128,
}

/// What is counted over the blocks: voters that are won, and voters that tie.
pub struct Tally {
    /// Adds up the voters that are won.
    pub above: Counter,
    /// `None` where no voter can tie.
    pub tied: Option<Counter>,
    /// How many numbers of tied workers there are, at least 1.
    pub width: usize,
    /// How many pairs of numbers there are: (most won + 1)·width.
    pub cells: usize,
}

/// The counts of one thread, and its scratch memory.
pub struct Counts {
    /// `[weight·cells + above·width + tied]`.
    pub messages: Vec<u128>,
    split: Vec<(Lanes, u32)>,
}

impl Counts {
    /// No messages yet, of weights up to `half`.
    #[must_use]
    pub fn new(tally: &Tally, half: usize) -> Self {
        Self { messages: vec![0; (half + 1) * tally.cells], split: Vec::with_capacity(Lanes::COUNT) }
    }
}

/// Where the inputs of one choice of the outer classes start in the table.
pub struct Starts<'a> {
    /// One start for each input of [`Tally::above`].
    pub above: &'a [u32],
    /// One start for each input of [`Tally::tied`].
    pub tied: &'a [u32],
    /// The outer classes' own ones.
    pub weight: usize,
    /// How many messages each pattern's count is multiplied by.
    pub messages: u128,
}

impl Tally {
    /// Adds the messages of these blocks to the counts.
    ///
    /// # Panics
    /// When an input reaches beyond the table, or there are not as many as the counters ordered.
    pub fn count(&self, table: &[Lanes], starts: &Starts, blocks: &[Block], counts: &mut Counts) {
        self.count_by(Instructions::widest(), table, starts, blocks, counts);
    }

    /// As [`Self::count`], by these instructions.
    ///
    /// # Panics
    /// Also when the processor does not have them.
    pub fn count_by(
        &self,
        instructions: Instructions,
        table: &[Lanes],
        starts: &Starts,
        blocks: &[Block],
        counts: &mut Counts,
    ) {
        // What the versions below rely on when they read without a check.
        let end = blocks.iter().map(|block| block.place + 1).max().unwrap_or(0);
        let last = starts.above.iter().chain(starts.tied).max().map_or(0, |&start| start as usize + end);
        assert!(last <= table.len(), "an input reaches beyond the table");
        assert_eq!(starts.above.len(), self.above.inputs(), "one start an input");
        assert_eq!(starts.tied.len(), self.tied.as_ref().map_or(0, Counter::inputs), "one start an input");
        assert!(instructions.here(), "this processor does not have {instructions:?}");
        // SAFETY: the processor has the instructions, and the bounds hold.
        unsafe {
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => self.count_avx512(table, starts, blocks, counts),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => self.count_avx2(table, starts, blocks, counts),
                _ => self.count_with::<Portable, PORTABLE>(table, starts, blocks, counts),
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512F, VPOPCNTDQ and POPCNT, and the bounds that `count` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
    unsafe fn count_avx512(&self, table: &[Lanes], starts: &Starts, blocks: &[Block], counts: &mut Counts) {
        // SAFETY: as promised to this function.
        unsafe { self.count_with::<Ternary, 8>(table, starts, blocks, counts) }
    }

    /// # Safety
    /// The processor has AVX2 and POPCNT, and the bounds that `count` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    unsafe fn count_avx2(&self, table: &[Lanes], starts: &Starts, blocks: &[Block], counts: &mut Counts) {
        // SAFETY: as promised to this function.
        unsafe { self.count_with::<Halves, 4>(table, starts, blocks, counts) }
    }

    /// Picks the loop that is compiled for this many planes, so that small sums stay in registers.
    ///
    /// # Safety
    /// The bounds that `count` checks hold.
    #[inline(always)]
    unsafe fn count_with<A: Adder<W>, const W: usize>(
        &self,
        table: &[Lanes],
        starts: &Starts,
        blocks: &[Block],
        counts: &mut Counts,
    ) {
        let planes = self.above.planes().max(self.tied.as_ref().map_or(0, Counter::planes));
        // SAFETY: as promised to this function; the planes hold every sum.
        unsafe {
            match planes {
                0..=4 => self.count_planes::<A, W, 4>(table, starts, blocks, counts),
                5 | 6 => self.count_planes::<A, W, 6>(table, starts, blocks, counts),
                _ => self.count_planes::<A, W, PLANES>(table, starts, blocks, counts),
            }
        }
    }

    /// # Safety
    /// The bounds that `count` checks hold; the sums fit P planes.
    #[inline(always)]
    unsafe fn count_planes<A: Adder<W>, const W: usize, const P: usize>(
        &self,
        table: &[Lanes],
        starts: &Starts,
        blocks: &[Block],
        counts: &mut Counts,
    ) {
        let Counts { messages, split } = counts;
        for block in blocks {
            let place = block.place;
            split.clear();
            split.push((block.filled, 0));
            // SAFETY: the place is one of a block, and the bounds hold.
            let sums = unsafe { whole::<A, W, P>(&self.above, table, starts.above, place) };
            part(split, &sums[..self.above.planes()], self.width as u32);
            if let Some(tied) = &self.tied {
                // SAFETY: the place is one of a block, and the bounds hold.
                let sums = unsafe { whole::<A, W, P>(tied, table, starts.tied, place) };
                part(split, &sums[..tied.planes()], 1);
            }
            let row = (starts.weight + block.weight) * self.cells;
            let each = starts.messages * block.messages;
            for &(lanes, cell) in split.iter() {
                let hits: u32 = lanes.0.iter().map(|word| word.count_ones()).sum();
                messages[row + cell as usize] += u128::from(hits) * each;
            }
        }
    }
}

/// The bit planes of the weighted sums over one block, its parts put together.
///
/// # Safety
/// `table[start + block]` exists for every start, and there are as many as the counter takes.
#[inline(always)]
unsafe fn whole<A: Adder<W>, const W: usize, const P: usize>(
    counter: &Counter,
    table: &[Lanes],
    starts: &[u32],
    block: usize,
) -> [Lanes; P] {
    let mut whole = [Lanes::ZERO; P];
    for part in 0..Piece::<W>::COUNT {
        // SAFETY: promised by the caller.
        let sums = unsafe { counter.weighted::<A, W, P>(table, starts, (block, part)) };
        for (lanes, sum) in whole.iter_mut().zip(sums) {
            lanes.0[part * W..(part + 1) * W].copy_from_slice(&sum.0);
        }
    }
    whole
}

/// Splits every group of lanes by the value of a sum, given as bit planes; a value counts `scale` cells.
#[inline(always)]
fn part(split: &mut Vec<(Lanes, u32)>, planes: &[Lanes], scale: u32) {
    for (plane, bits) in planes.iter().enumerate().rev() {
        let worth = scale << plane;
        for group in 0..split.len() {
            let (lanes, cell) = split[group];
            let high = lanes.map2(*bits, |lanes, bit| lanes & bit);
            if high.is_zero() {
                continue;
            }
            let low = lanes.map2(*bits, |lanes, bit| lanes & !bit);
            if low.is_zero() {
                split[group].1 = cell + worth;
            } else {
                split[group].0 = low;
                split.push((high, cell + worth));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every compiled version equals a plain count, with and without ties, for sums of few and many planes.
    #[test]
    fn every_version_counts_alike() {
        let mut random = crate::vector::pseudo_random(3);
        for (voters, units, ties) in [
            (0, 1, false),
            (1, 1, true),
            (7, 1, true),
            (9, 3, false),
            (20, 1, true),
            (40, 2, true),
            (90, 1, false),
        ] {
            let weights: Vec<usize> = (0..voters).map(|_| 1 + (random() % units) as usize).collect();
            let blocks = 3;
            let rows = 1 + 2 * voters;
            let table: Vec<Lanes> = (0..rows * blocks)
                .map(
                    |place| {
                        if place < blocks { Lanes::ZERO } else { Lanes(std::array::from_fn(|_| random())) }
                    },
                )
                .collect();
            let (above, order) = Counter::new(&weights);
            let (tied, tied_order) = Counter::new(&weights);
            let starts = |order: &[Option<usize>], from: usize| -> Vec<u32> {
                order.iter().map(|voter| voter.map_or(0, |j| ((1 + from + j) * blocks) as u32)).collect()
            };
            let (won, drawn) = (starts(&order, 0), starts(&tied_order, voters));
            let width = if ties { 1 + weights.iter().sum::<usize>() } else { 1 };
            let cells = (1 + weights.iter().sum::<usize>()) * width;
            let tally = Tally { above, tied: ties.then_some(tied), width, cells };
            let filled: Vec<Block> = (0..blocks)
                .map(|weight| Block {
                    place: weight,
                    filled: Lanes(std::array::from_fn(|_| random())),
                    weight,
                    messages: 1 + weight as u128,
                })
                .collect();
            let bit = |row: usize, block: usize, lane: usize| {
                table[row * blocks + block].0[lane / 64] >> (lane % 64) & 1 == 1
            };
            let mut expected = vec![0_u128; 4 * cells];
            for (place, block) in filled.iter().enumerate() {
                for lane in (0..Lanes::COUNT).filter(|lane| block.filled.0[lane / 64] >> (lane % 64) & 1 == 1)
                {
                    let sum = |from: usize| -> usize {
                        (0..voters).filter(|j| bit(1 + from + j, place, lane)).map(|j| weights[j]).sum()
                    };
                    let cell = sum(0) * width + if ties { sum(voters) } else { 0 };
                    expected[(1 + block.weight) * cells + cell] += 5 * block.messages;
                }
            }
            let tied: &[u32] = if ties { &drawn } else { &[] };
            let starts = Starts { above: &won, tied, weight: 1, messages: 5 };
            for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
                let mut counts = Counts::new(&tally, 3);
                tally.count_by(instructions, &table, &starts, &filled, &mut counts);
                assert_eq!(counts.messages, expected, "{instructions:?}");
            }
        }
    }
}
