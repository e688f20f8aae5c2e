//! 512 choices as one value, and sums of many of them as bit planes, a vector register at a time.
//!
//! # How
//! A sum over 512 choices is worked out in pieces of W words: whole where a register holds 512 bits, in halves
//! where it holds 256. Then the planes of a sum and the eight inputs that are added to it stay in registers.
//!
//! # References
//! H. S. Warren, *Hacker's Delight*, second edition, 2012, section 5-1: sums of bits by carry-save adders (R. Seal, D.
//! Harley). D. E. Knuth, *The Art of Computer Programming*, volume 4A, 7.1.3: bit slices.

/// 512 choices, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Lanes(pub [u64; Self::COUNT / 64]);

impl Lanes {
    /// No bit set.
    pub const ZERO: Self = Self([0; 8]);
    /// How many choices one value carries.
    pub const COUNT: usize = 512;

    /// The words of blocks that follow each other.
    #[must_use]
    pub fn words(blocks: &[Self]) -> &[u64] {
        // SAFETY: a block is eight words and nothing else, aligned as a word at least.
        unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), 8 * blocks.len()) }
    }

    /// The same, to be written to.
    #[must_use]
    pub fn words_mut(blocks: &mut [Self]) -> &mut [u64] {
        // SAFETY: as above; any bits are a word.
        unsafe { std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), 8 * blocks.len()) }
    }

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
    pub(crate) fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    #[inline]
    pub(crate) fn get(self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }
}

/// How bits are combined lane by lane, W words at a time. Written out for each width: plain loops over the words of a
/// register are taken apart into words by the compiler.
pub(crate) trait Adder<const W: usize> {
    /// a + b + c in each lane: (sum bit, carry bit).
    fn add(a: Piece<W>, b: Piece<W>, c: Piece<W>) -> (Piece<W>, Piece<W>);

    /// Both.
    fn and(a: Piece<W>, b: Piece<W>) -> Piece<W>;

    /// The first without the second.
    fn and_not(a: Piece<W>, b: Piece<W>) -> Piece<W>;

    /// One of the two.
    fn xor(a: Piece<W>, b: Piece<W>) -> Piece<W>;

    /// The first, and both of the others.
    fn or_both(a: Piece<W>, b: Piece<W>, c: Piece<W>) -> Piece<W>;
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

    #[inline(always)]
    fn and(a: Piece<W>, b: Piece<W>) -> Piece<W> {
        a.map2(b, |a, b| a & b)
    }

    #[inline(always)]
    fn and_not(a: Piece<W>, b: Piece<W>) -> Piece<W> {
        a.map2(b, |a, b| a & !b)
    }

    #[inline(always)]
    fn xor(a: Piece<W>, b: Piece<W>) -> Piece<W> {
        a.map2(b, |a, b| a ^ b)
    }

    #[inline(always)]
    fn or_both(a: Piece<W>, b: Piece<W>, c: Piece<W>) -> Piece<W> {
        Piece(std::array::from_fn(|i| a.0[i] | (b.0[i] & c.0[i])))
    }
}

/// Ternary logic: two operations. Only for functions that run with AVX-512F.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Ternary;

#[cfg(target_arch = "x86_64")]
impl Ternary {
    /// One operation by its table of eight bits, that of a, b, c = 1, 1, 1 first.
    #[inline(always)]
    fn by<const TABLE: i32>(a: Piece<8>, b: Piece<8>, c: Piece<8>) -> Piece<8> {
        use std::arch::x86_64::{__m512i, _mm512_ternarylogic_epi64};
        use std::mem::transmute;
        // SAFETY: eight words and `__m512i` are 64 bytes of plain bits each, and `Ternary` is named only in
        // functions that run only where AVX-512F was found.
        unsafe {
            let vector = |piece: Piece<8>| transmute::<[u64; 8], __m512i>(piece.0);
            Piece(transmute::<__m512i, [u64; 8]>(_mm512_ternarylogic_epi64::<TABLE>(
                vector(a),
                vector(b),
                vector(c),
            )))
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Adder<8> for Ternary {
    #[inline(always)]
    fn add(a: Piece<8>, b: Piece<8>, c: Piece<8>) -> (Piece<8>, Piece<8>) {
        // a ^ b ^ c, and the majority of the three.
        (Self::by::<0b1001_0110>(a, b, c), Self::by::<0b1110_1000>(a, b, c))
    }

    #[inline(always)]
    fn and(a: Piece<8>, b: Piece<8>) -> Piece<8> {
        Self::by::<0b1100_0000>(a, b, b)
    }

    #[inline(always)]
    fn and_not(a: Piece<8>, b: Piece<8>) -> Piece<8> {
        Self::by::<0b0011_0000>(a, b, b)
    }

    #[inline(always)]
    fn xor(a: Piece<8>, b: Piece<8>) -> Piece<8> {
        Self::by::<0b0011_1100>(a, b, b)
    }

    #[inline(always)]
    fn or_both(a: Piece<8>, b: Piece<8>, c: Piece<8>) -> Piece<8> {
        Self::by::<0b1111_1000>(a, b, c)
    }
}

/// Two-operand logic on registers of 256 bits. Only for functions that run with AVX2: written out, because plain
/// loops over four words are not kept in registers by the compiler.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Halves;

#[cfg(target_arch = "x86_64")]
macro_rules! halves {
    ($(#[$doc:meta])* $name:ident, $operation:ident) => {
        $(#[$doc])*
        #[inline(always)]
        fn $name(a: Piece<4>, b: Piece<4>) -> Piece<4> {
            use std::arch::x86_64::{__m256i, $operation};
            use std::mem::transmute;
            // SAFETY: four words and `__m256i` are 32 bytes of plain bits each, and `Halves` is named only in
            // functions that run only where AVX2 was found.
            unsafe {
                let vector = |piece: Piece<4>| transmute::<[u64; 4], __m256i>(piece.0);
                Piece(transmute::<__m256i, [u64; 4]>($operation(vector(a), vector(b))))
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
impl Halves {
    halves!(or, _mm256_or_si256);
    halves!(
        /// The second without the first, as the instruction has it.
        not_and,
        _mm256_andnot_si256
    );
}

#[cfg(target_arch = "x86_64")]
impl Adder<4> for Halves {
    #[inline(always)]
    fn add(a: Piece<4>, b: Piece<4>, c: Piece<4>) -> (Piece<4>, Piece<4>) {
        let either = Self::xor(a, b);
        (Self::xor(either, c), Self::or(Self::and(a, b), Self::and(c, either)))
    }

    halves!(and, _mm256_and_si256);

    #[inline(always)]
    fn and_not(a: Piece<4>, b: Piece<4>) -> Piece<4> {
        Self::not_and(b, a)
    }

    halves!(xor, _mm256_xor_si256);

    #[inline(always)]
    fn or_both(a: Piece<4>, b: Piece<4>, c: Piece<4>) -> Piece<4> {
        Self::or(a, Self::and(b, c))
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
                (*sum, carry) = (A::xor(*sum, carry), A::and(*sum, carry));
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
pub(crate) fn above<A: Adder<W>, const W: usize, const P: usize>(
    sums: &[Piece<W>; P],
    bound: u64,
) -> Piece<W> {
    let mut above = Piece::ZERO;
    let mut equal = Piece::ONES;
    for plane in (0..P).rev() {
        if bound >> plane & 1 == 1 {
            equal = A::and(equal, sums[plane]);
        } else {
            above = A::or_both(above, equal, sums[plane]);
            equal = A::and_not(equal, sums[plane]);
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
