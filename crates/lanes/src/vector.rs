//! 512 choices as one value, and sums of many of them as bit planes, a vector register at a time.
//!
//! # How
//! A sum over 512 choices is worked out in pieces of W words: whole where a register holds 512 bits, in halves
//! where it holds 256. Then the planes of a sum and the eight inputs that are added to it stay in registers.

/// 512 choices, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Lanes(pub [u64; Self::COUNT / 64]);

impl Lanes {
    /// No bit set.
    pub const ZERO: Self = Self([0; 8]);
    /// How many choices one value carries.
    pub const COUNT: usize = 512;

    /// Word by word.
    #[inline(always)]
    #[must_use]
    pub fn map2(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    /// Whether no bit is set.
    #[inline(always)]
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    /// Sets the bit of one choice.
    ///
    /// # Panics
    /// When `lane` is not below [`Self::COUNT`].
    #[inline]
    pub fn set(&mut self, lane: usize) {
        self.0[lane / 64] |= 1 << (lane % 64);
    }

    #[inline]
    pub(crate) fn get(self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }

    /// Lane by lane, a or b.
    #[inline(always)]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.map2(other, |a, b| a | b)
    }
}

/// W·64 of the choices of a [`Lanes`], as many as one register holds.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Piece<const W: usize>(pub(crate) [u64; W]);

impl<const W: usize> Piece<W> {
    pub(crate) const ZERO: Self = Self([0; W]);
    pub(crate) const ONES: Self = Self([u64::MAX; W]);
    /// How many pieces there are.
    pub(crate) const COUNT: usize = Lanes::COUNT / 64 / W;
    /// How many choices one carries.
    pub(crate) const CHOICES: usize = 64 * W;

    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        self.map2(other, |a, b| a & b)
    }

    /// The bits that `other` does not have.
    #[inline(always)]
    pub(crate) fn and_not(self, other: Self) -> Self {
        self.map2(other, |a, b| a & !b)
    }

    #[inline(always)]
    pub(crate) fn xor(self, other: Self) -> Self {
        self.map2(other, |a, b| a ^ b)
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    #[inline]
    pub(crate) fn get(self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }
}

/// How three bits a lane are added, W words at a time.
pub(crate) trait Adder<const W: usize> {
    /// a + b + c in each lane: (sum bit, carry bit).
    fn add(a: Piece<W>, b: Piece<W>, c: Piece<W>) -> (Piece<W>, Piece<W>);
}

/// Two-operand logic: five operations.
pub(crate) struct Portable;

impl<const W: usize> Adder<W> for Portable {
    #[inline(always)]
    fn add(a: Piece<W>, b: Piece<W>, c: Piece<W>) -> (Piece<W>, Piece<W>) {
        let sum = Piece(std::array::from_fn(|i| a.0[i] ^ b.0[i] ^ c.0[i]));
        let carry = Piece(std::array::from_fn(|i| (a.0[i] & b.0[i]) | (c.0[i] & (a.0[i] ^ b.0[i]))));
        (sum, carry)
    }
}

/// Ternary logic: two operations. Only for functions that run with AVX-512F.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Ternary;

#[cfg(target_arch = "x86_64")]
impl Adder<8> for Ternary {
    #[inline(always)]
    fn add(a: Piece<8>, b: Piece<8>, c: Piece<8>) -> (Piece<8>, Piece<8>) {
        use std::arch::x86_64::{__m512i, _mm512_ternarylogic_epi64};
        use std::mem::transmute;
        // The tables of a ^ b ^ c and of the majority of a, b and c.
        const SUM: i32 = 0b1001_0110;
        const MAJORITY: i32 = 0b1110_1000;
        // SAFETY: eight words and `__m512i` are 64 bytes of plain bits each, and `Ternary` is named only in
        // functions that run only where AVX-512F was found.
        unsafe {
            let vector = |piece: Piece<8>| transmute::<[u64; 8], __m512i>(piece.0);
            let (a, b, c) = (vector(a), vector(b), vector(c));
            let sum = _mm512_ternarylogic_epi64::<SUM>(a, b, c);
            let carry = _mm512_ternarylogic_epi64::<MAJORITY>(a, b, c);
            (Piece(transmute::<__m512i, [u64; 8]>(sum)), Piece(transmute::<__m512i, [u64; 8]>(carry)))
        }
    }
}

/// Two-operand logic on registers of 256 bits. Only for functions that run with AVX2: written out, because plain
/// loops over four words are not kept in registers by the compiler.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Halves;

#[cfg(target_arch = "x86_64")]
impl Adder<4> for Halves {
    #[inline(always)]
    fn add(a: Piece<4>, b: Piece<4>, c: Piece<4>) -> (Piece<4>, Piece<4>) {
        use std::arch::x86_64::{__m256i, _mm256_and_si256, _mm256_or_si256, _mm256_xor_si256};
        use std::mem::transmute;
        // SAFETY: four words and `__m256i` are 32 bytes of plain bits each, and `Halves` is named only in
        // functions that run only where AVX2 was found.
        unsafe {
            let vector = |piece: Piece<4>| transmute::<[u64; 4], __m256i>(piece.0);
            let (a, b, c) = (vector(a), vector(b), vector(c));
            let either = _mm256_xor_si256(a, b);
            let sum = _mm256_xor_si256(either, c);
            let carry = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, either));
            (Piece(transmute::<__m256i, [u64; 4]>(sum)), Piece(transmute::<__m256i, [u64; 4]>(carry)))
        }
    }
}

/// The most bit planes of a loss: enough for 2 units from each of 4096 workers.
pub(crate) const PLANES: usize = 14;

/// Adds the listed inputs, each worth 2^plane, to one part's sums. Carries beyond P planes are dropped: the
/// caller knows that the sums fit.
///
/// # Safety
/// `table[start + block]` exists for every start.
#[inline(always)]
pub(crate) unsafe fn add<A: Adder<W>, const W: usize, const P: usize>(
    sums: &mut [Piece<W>; P],
    plane: usize,
    table: &[Lanes],
    starts: &[u32],
    (block, part): (usize, usize),
) {
    let at = |p: usize| if p < P { p } else { P - 1 };
    let (mut ones, mut twos, mut fours) = (sums[plane], sums[at(plane + 1)], sums[at(plane + 2)]);
    let (eights, _) = starts.as_chunks::<8>();
    // SAFETY: the block is within a row, and the part within a block.
    let base = unsafe { table.as_ptr().cast::<Piece<W>>().add(block * Piece::<W>::COUNT + part) };
    for eight in eights {
        let x: [Piece<W>; 8] = std::array::from_fn(|i| {
            // SAFETY: promised by the caller; pieces follow each other as the words of the lanes do.
            unsafe { *base.add(eight[i] as usize * Piece::<W>::COUNT) }
        });
        let (s, two_a) = A::add(ones, x[0], x[1]);
        let (s, two_b) = A::add(s, x[2], x[3]);
        let (t, four_a) = A::add(twos, two_a, two_b);
        let (s, two_a) = A::add(s, x[4], x[5]);
        let (s, two_b) = A::add(s, x[6], x[7]);
        let (t, four_b) = A::add(t, two_a, two_b);
        let (f, mut carry) = A::add(fours, four_a, four_b);
        (ones, twos, fours) = (s, t, f);
        for p in 3..P {
            if plane + p < P {
                let sum = &mut sums[plane + p];
                let next = sum.map2(carry, |a, b| a & b);
                *sum = sum.map2(carry, |a, b| a ^ b);
                carry = next;
            }
        }
    }
    sums[plane] = ones;
    if plane + 1 < P {
        sums[plane + 1] = twos;
    }
    if plane + 2 < P {
        sums[plane + 2] = fours;
    }
}

/// The lanes whose sum exceeds `bound`.
#[inline(always)]
pub(crate) fn above<const W: usize, const P: usize>(sums: &[Piece<W>; P], bound: u64) -> Piece<W> {
    let mut above = Piece::ZERO;
    let mut equal = Piece::ONES;
    for plane in (0..P).rev() {
        if bound >> plane & 1 == 1 {
            equal = equal.map2(sums[plane], |e, s| e & s);
        } else {
            above = Piece(std::array::from_fn(|i| above.0[i] | (equal.0[i] & sums[plane].0[i])));
            equal = equal.map2(sums[plane], |e, s| e & !s);
        }
    }
    above
}

/// Numbers for the tests, the same every time.
#[cfg(test)]
pub(crate) fn pseudo_random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
