//! Whether any of many choices sets enough inputs.

use super::counter::PORTABLE;
use super::instructions::Instructions;
use super::vector::{Adder, Lanes, PLANES, Piece, Portable, above, add};
#[cfg(target_arch = "x86_64")]
use super::vector::{Halves, Ternary};

/// A choice of one block, and how many inputs are set there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The number of inputs set, each worth 1.
    pub sum: i64,
    /// The choice within the block.
    pub lane: usize,
}

/// The first lane with the largest sum in one block: plain counting, for the rare case.
#[cold]
#[must_use]
pub fn largest(table: &[Lanes], starts: &[u32], block: usize) -> Hit {
    let mut best = Hit { sum: -1, lane: 0 };
    for lane in 0..Lanes::COUNT {
        let set = starts.iter().filter(|&&start| table[start as usize + block].get(lane));
        let sum = set.count() as i64;
        if sum > best.sum {
            best = Hit { sum, lane };
        }
    }
    best
}

/// The first of `blocks` blocks with a choice where at least `wanted` of the inputs are set. Input i
/// of block x is `table[starts[i] + x]`; `starts` is padded to a multiple of 8 with rows of zeros, and its
/// first `inputs` are real. A block is left as soon as too few inputs remain, so those that are set most
/// rarely should come first.
///
/// # Panics
/// When an input reaches beyond the table, or `starts` is not padded.
#[must_use]
pub fn reaches(table: &[Lanes], starts: &[u32], inputs: usize, blocks: usize, wanted: i64) -> Option<usize> {
    let asked = Asked { table, starts, inputs, blocks, wanted };
    asked.by(Instructions::widest())
}

/// What [`reaches`] is asked.
struct Asked<'a> {
    table: &'a [Lanes],
    starts: &'a [u32],
    inputs: usize,
    blocks: usize,
    wanted: i64,
}

impl Asked<'_> {
    fn by(&self, instructions: Instructions) -> Option<usize> {
        let &Self { table, starts, inputs, blocks, wanted } = self;
        // What the versions below rely on when they read without a check.
        let last = starts.iter().max().map_or(0, |&start| start as usize + blocks);
        assert!(last <= table.len(), "an input reaches beyond the table");
        assert!(starts.len() % 8 == 0 && inputs <= starts.len(), "inputs come in eights");
        assert!(instructions.here(), "this processor does not have {instructions:?}");
        if wanted > inputs as i64 {
            return None;
        }
        if wanted <= 0 {
            return (blocks > 0).then_some(0);
        }
        // SAFETY: the processor has the instructions, and the bounds hold.
        unsafe {
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => reaches_avx512(self),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => reaches_avx2(self),
                _ => reaches_with::<Portable, PORTABLE>(self),
            }
        }
    }
}

/// # Safety
/// The processor has AVX-512F, and the bounds that `reaches` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn reaches_avx512(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function.
    unsafe { reaches_with::<Ternary, 8>(asked) }
}

/// # Safety
/// The processor has AVX2, and the bounds that `reaches` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn reaches_avx2(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function.
    unsafe { reaches_with::<Halves, 4>(asked) }
}

/// # Safety
/// The bounds that `reaches` checks hold.
#[inline(always)]
unsafe fn reaches_with<A: Adder<W>, const W: usize>(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function; the planes hold every sum.
    unsafe {
        match asked.inputs {
            0..=31 => reaches_planes::<A, W, 5>(asked),
            32..=63 => reaches_planes::<A, W, 6>(asked),
            64..=127 => reaches_planes::<A, W, 7>(asked),
            _ => reaches_planes::<A, W, PLANES>(asked),
        }
    }
}

/// # Safety
/// The bounds that `reaches` checks hold; the sums fit P planes.
#[inline(always)]
unsafe fn reaches_planes<A: Adder<W>, const W: usize, const P: usize>(asked: &Asked) -> Option<usize> {
    // SAFETY: the block and the part exist, and the bounds hold.
    let reached = |block, part| unsafe { part_reaches::<A, W, P>(asked, (block, part)) };
    (0..asked.blocks).find(|&block| (0..Piece::<W>::COUNT).any(|part| reached(block, part)))
}

/// Whether any choice of a part of a block has enough inputs.
///
/// # Safety
/// As for `reaches_planes`; the block is one of `asked.blocks`.
#[inline(always)]
unsafe fn part_reaches<A: Adder<W>, const W: usize, const P: usize>(
    asked: &Asked,
    place: (usize, usize),
) -> bool {
    let &Asked { table, starts, inputs, wanted, .. } = asked;
    let mut sums = [Piece::ZERO; P];
    let mut rest = inputs as i64;
    for eight in starts.chunks_exact(8) {
        // SAFETY: promised by the caller.
        unsafe { add::<A, W, P>(&mut sums, 0, table, eight, place) };
        rest = (rest - 8).max(0);
        let bound = wanted - rest - 1;
        if bound >= 0 && above::<A, W, P>(&sums, bound as u64).is_zero() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every compiled version finds the block that a plain count finds, for sums of few and many planes.
    #[test]
    fn every_version_reaches_alike() {
        let mut random = crate::vector::pseudo_random(5);
        let (mut hits, mut misses) = (0, 0);
        for inputs in [1, 7, 8, 9, 31, 32, 40, 63, 64, 100, 127, 130] {
            let blocks = 4;
            // Few bits in the first blocks, so that the answer is not always the first.
            let mut table = vec![Lanes::ZERO; (inputs + 1) * blocks];
            for (place, lanes) in table.iter_mut().enumerate().skip(blocks) {
                let dense = place % blocks >= 2;
                *lanes = Lanes(std::array::from_fn(|_| if dense { random() } else { random() & random() }));
            }
            let mut starts: Vec<u32> = (1..=inputs).map(|input| (input * blocks) as u32).collect();
            starts.resize(inputs.next_multiple_of(8), 0);
            let most: Vec<i64> = (0..blocks).map(|block| largest(&table, &starts, block).sum).collect();
            for wanted in 0..=inputs as i64 + 1 {
                let expected = most.iter().position(|&most| most >= wanted);
                if expected.is_some() {
                    hits += 1;
                } else {
                    misses += 1;
                }
                assert_eq!(reaches(&table, &starts, inputs, blocks, wanted), expected);
                let asked = Asked { table: &table, starts: &starts, inputs, blocks, wanted };
                for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
                    assert_eq!(
                        asked.by(instructions),
                        expected,
                        "{instructions:?}, {inputs} inputs, {wanted}"
                    );
                }
            }
        }
        assert!(hits > 100 && misses > 50, "{hits} and {misses}");
    }
}
