//! 512 coordinates at once, and what is done with them.

use crate::bits::{BLOCK, Bits};

/// 512 coordinates.
pub(super) type Block = [u64; BLOCK];

/// Zeros everywhere.
pub(super) const NONE: Block = [0; BLOCK];

/// Ones everywhere.
pub(super) const ALL: Block = [u64::MAX; BLOCK];

// Plain loops: a closure that is not inlined would be compiled for the narrowest registers.

#[inline(always)]
pub(super) fn load(bits: &Bits, at: usize) -> Block {
    let mut block = NONE;
    block.copy_from_slice(&bits.words()[at..at + BLOCK]);
    block
}

#[inline(always)]
pub(super) fn and(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] &= b[lane];
    }
    a
}

#[inline(always)]
pub(super) fn or(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] |= b[lane];
    }
    a
}

#[inline(always)]
pub(super) fn xor(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] ^= b[lane];
    }
    a
}

#[inline(always)]
pub(super) fn not(mut a: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] = !a[lane];
    }
    a
}

/// Ones on all coordinates of a block but the last `padding`.
pub(super) fn real(padding: usize) -> Block {
    let held = 64 * BLOCK - padding;
    std::array::from_fn(|lane| match held.saturating_sub(64 * lane) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}
