//! 512 choices as one value, how three of them are added, and sums of many as bit planes.

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

/// How three bits a lane are added.
pub(crate) trait Adder {
    /// a + b + c in each lane: (sum bit, carry bit).
    fn add(a: Lanes, b: Lanes, c: Lanes) -> (Lanes, Lanes);
}

/// Two-operand logic: five operations.
pub(crate) struct Portable;

impl Adder for Portable {
    #[inline(always)]
    fn add(a: Lanes, b: Lanes, c: Lanes) -> (Lanes, Lanes) {
        let sum = Lanes(std::array::from_fn(|i| a.0[i] ^ b.0[i] ^ c.0[i]));
        let carry = Lanes(std::array::from_fn(|i| (a.0[i] & b.0[i]) | (c.0[i] & (a.0[i] ^ b.0[i]))));
        (sum, carry)
    }
}

/// Ternary logic: two operations. Only for functions that run with AVX-512F.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Ternary;

#[cfg(target_arch = "x86_64")]
impl Adder for Ternary {
    #[inline(always)]
    fn add(a: Lanes, b: Lanes, c: Lanes) -> (Lanes, Lanes) {
        use std::arch::x86_64::{__m512i, _mm512_ternarylogic_epi64};
        use std::mem::transmute;
        // The tables of a ^ b ^ c and of the majority of a, b and c.
        const SUM: i32 = 0b1001_0110;
        const MAJORITY: i32 = 0b1110_1000;
        // SAFETY: `Lanes` and `__m512i` are 64 bytes of plain bits each, and `Ternary` is named only in
        // functions that run only where AVX-512F was found.
        unsafe {
            let vector = |lanes| transmute::<Lanes, __m512i>(lanes);
            let (a, b, c) = (vector(a), vector(b), vector(c));
            let sum = _mm512_ternarylogic_epi64::<SUM>(a, b, c);
            let carry = _mm512_ternarylogic_epi64::<MAJORITY>(a, b, c);
            (transmute::<__m512i, Lanes>(sum), transmute::<__m512i, Lanes>(carry))
        }
    }
}

/// The most bit planes of a loss: enough for 2 units from each of 4096 workers.
pub(crate) const PLANES: usize = 14;

/// Adds the listed inputs, each worth 2^plane, to the sums. Carries beyond P planes are dropped: the
/// caller knows that the sums fit.
///
/// # Safety
/// `table[start + block]` exists for every start.
#[inline(always)]
pub(crate) unsafe fn add<A: Adder, const P: usize>(
    sums: &mut [Lanes; P],
    plane: usize,
    table: &[Lanes],
    starts: &[u32],
    block: usize,
) {
    let at = |p: usize| if p < P { p } else { P - 1 };
    let (mut ones, mut twos, mut fours) = (sums[plane], sums[at(plane + 1)], sums[at(plane + 2)]);
    let (eights, _) = starts.as_chunks::<8>();
    for eight in eights {
        let x: [Lanes; 8] = std::array::from_fn(|i| {
            // SAFETY: promised by the caller.
            unsafe { *table.get_unchecked(eight[i] as usize + block) }
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
pub(crate) fn above<const P: usize>(sums: &[Lanes; P], bound: u64) -> Lanes {
    let mut above = Lanes::ZERO;
    let mut equal = Lanes([u64::MAX; 8]);
    for plane in (0..P).rev() {
        if bound >> plane & 1 == 1 {
            equal = equal.map2(sums[plane], |e, s| e & s);
        } else {
            above = Lanes(std::array::from_fn(|i| above.0[i] | (equal.0[i] & sums[plane].0[i])));
            equal = equal.map2(sums[plane], |e, s| e & !s);
        }
    }
    above
}
