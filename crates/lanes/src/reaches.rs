//! Whether any of many choices sets enough inputs.

#[cfg(target_arch = "x86_64")]
use super::vector::Ternary;
use super::vector::{Adder, Lanes, PLANES, Portable, above, add};

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
    // What the versions below rely on when they read without a check.
    let last = starts.iter().max().map_or(0, |&start| start as usize + blocks);
    assert!(last <= table.len(), "an input reaches beyond the table");
    assert!(starts.len() % 8 == 0 && inputs <= starts.len(), "inputs come in eights");
    if wanted > inputs as i64 {
        return None;
    }
    if wanted <= 0 {
        return (blocks > 0).then_some(0);
    }
    let asked = Asked { table, starts, inputs, blocks, wanted };
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor was just found to have AVX-512F; the bounds hold.
            return unsafe { reaches_avx512(&asked) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just found to have AVX2; the bounds hold.
            return unsafe { reaches_avx2(&asked) };
        }
    }
    // SAFETY: the bounds hold.
    unsafe { reaches_with::<Portable>(&asked) }
}

/// What [`reaches`] is asked, its bounds checked.
struct Asked<'a> {
    table: &'a [Lanes],
    starts: &'a [u32],
    inputs: usize,
    blocks: usize,
    wanted: i64,
}

/// # Safety
/// The processor has AVX-512F, and the bounds that `reaches` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn reaches_avx512(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function.
    unsafe { reaches_with::<Ternary>(asked) }
}

/// # Safety
/// The processor has AVX2, and the bounds that `reaches` checks hold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn reaches_avx2(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function.
    unsafe { reaches_with::<Portable>(asked) }
}

/// # Safety
/// The bounds that `reaches` checks hold.
#[inline(always)]
unsafe fn reaches_with<A: Adder>(asked: &Asked) -> Option<usize> {
    // SAFETY: as promised to this function; the planes hold every sum.
    unsafe {
        match asked.inputs {
            0..=31 => reaches_planes::<A, 5>(asked),
            32..=63 => reaches_planes::<A, 6>(asked),
            64..=127 => reaches_planes::<A, 7>(asked),
            _ => reaches_planes::<A, PLANES>(asked),
        }
    }
}

/// # Safety
/// The bounds that `reaches` checks hold; the sums fit P planes.
#[inline(always)]
unsafe fn reaches_planes<A: Adder, const P: usize>(asked: &Asked) -> Option<usize> {
    let &Asked { table, starts, inputs, blocks, wanted } = asked;
    'blocks: for block in 0..blocks {
        let mut sums = [Lanes::ZERO; P];
        let mut rest = inputs as i64;
        for eight in starts.chunks_exact(8) {
            // SAFETY: block < blocks, and the bounds hold.
            unsafe { add::<A, P>(&mut sums, 0, table, eight, block) };
            rest = (rest - 8).max(0);
            let bound = wanted - rest - 1;
            if bound >= 0 && above(&sums, bound as u64).is_zero() {
                continue 'blocks;
            }
        }
        return Some(block);
    }
    None
}
