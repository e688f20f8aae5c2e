//! Counting votes on 512 coordinates at once.

use super::block::{ALL, Block, NONE, and, load, not, or, xor};
use crate::bits::Bits;

/// A count of up to 4096 votes of weight 1 or 2 needs this many binary digits, and one to compare.
const DIGITS: usize = 15;

/// Where a worker's partitions have a majority of ones, and where they tie.
#[inline(always)]
pub(super) fn worker(row: &[usize], messages: &[Bits], at: usize, counter: &mut Counter) -> (Block, Block) {
    match *row {
        [] => (NONE, ALL),
        [x] => (load(&messages[x], at), NONE),
        [x, y] => {
            let (x, y) = (load(&messages[x], at), load(&messages[y], at));
            (and(x, y), xor(x, y))
        }
        [x, y, z] => {
            let (x, y, z) = (load(&messages[x], at), load(&messages[y], at), load(&messages[z], at));
            (or(and(x, y), and(z, or(x, y))), NONE)
        }
        _ => {
            counter.start(row.len() / 2 + 1, row.len());
            for &i in row {
                counter.add(0, load(&messages[i], at));
            }
            (counter.at_least(), if row.len() % 2 == 0 { counter.just_below() } else { NONE })
        }
    }
}

/// Counts votes on 512 coordinates at once, in binary, one block a digit, by carry-save adders: of three
/// blocks of one weight, two are left, so that a vote costs about five operations whatever their number.
///
/// The count starts at 2^top − threshold, so that digit `top` is 1 exactly where the threshold is met.
pub(super) struct Counter {
    digits: [Block; DIGITS],
    /// A block of this weight that waits for a second one.
    waiting: [Block; DIGITS],
    waits: u32,
    top: usize,
}

impl Counter {
    pub(super) fn new() -> Self {
        Self { digits: [NONE; DIGITS], waiting: [NONE; DIGITS], waits: 0, top: 0 }
    }

    /// Starts to count up to `most` against a threshold of at least 1.
    #[inline(always)]
    pub(super) fn start(&mut self, threshold: usize, most: usize) {
        let room = threshold.max(most.saturating_sub(threshold) + 1);
        self.top = room.next_power_of_two().trailing_zeros() as usize;
        let offset = (1 << self.top) - threshold;
        for digit in 0..=self.top {
            self.digits[digit] = if offset >> digit & 1 == 1 { ALL } else { NONE };
        }
        self.waits = 0;
    }

    /// Adds 2^digit on the coordinates of a block.
    #[inline(always)]
    pub(super) fn add(&mut self, mut digit: usize, mut block: Block) {
        while self.waits >> digit & 1 == 1 {
            self.waits &= !(1 << digit);
            let sum = self.digits[digit];
            let two = xor(sum, block);
            let carry = or(and(sum, block), and(two, self.waiting[digit]));
            self.digits[digit] = xor(two, self.waiting[digit]);
            if digit == self.top {
                return;
            }
            block = carry;
            digit += 1;
        }
        self.waiting[digit] = block;
        self.waits |= 1 << digit;
    }

    /// Adds what waits, and says where the threshold is met.
    #[inline(always)]
    pub(super) fn at_least(&mut self) -> Block {
        let mut carry = NONE;
        let mut carries = false;
        for digit in 0..=self.top {
            let sum = self.digits[digit];
            let waits = self.waits >> digit & 1 == 1;
            let block = self.waiting[digit];
            let (rest, next) = match (waits, carries) {
                (false, false) => continue,
                (true, false) => (xor(sum, block), and(sum, block)),
                (false, true) => (xor(sum, carry), and(sum, carry)),
                (true, true) => {
                    let two = xor(sum, block);
                    (xor(two, carry), or(and(sum, block), and(two, carry)))
                }
            };
            self.digits[digit] = rest;
            (carry, carries) = (next, true);
        }
        self.waits = 0;
        self.digits[self.top]
    }

    /// After [`Self::at_least`]: where the count is the threshold less one.
    #[inline(always)]
    pub(super) fn just_below(&self) -> Block {
        let mut low = not(self.digits[self.top]);
        for digit in 0..self.top {
            low = and(low, self.digits[digit]);
        }
        low
    }
}
