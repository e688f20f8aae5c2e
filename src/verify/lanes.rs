//! Bit-sliced counting: 512 choices at once, their losses kept as bit planes.
//!
//! # What is promised
//! [`Counter::scan`] gives the same answer on every processor: the portable code below is compiled
//! three times (AVX-512, AVX2, baseline) and the widest version that the processor has is called.
//! The cost is about two logic operations per voter and 512 choices (a carry-save adder takes two
//! voters off the list for each of the five operations it needs, two where ternary logic exists).

/// 512 choices, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Lanes(pub(crate) [u64; 8]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0; 8]);
    /// How many choices one value carries.
    pub(crate) const COUNT: usize = 512;

    #[inline(always)]
    pub(crate) fn map2(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    pub(crate) fn set(&mut self, lane: usize) {
        self.0[lane / 64] |= 1 << (lane % 64);
    }

    fn get(self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn or(self, other: Self) -> Self {
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

/// The choices whose loss is larger than any before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Best {
    /// The largest loss met, −1 before the first.
    pub(crate) loss: i64,
    /// Where it was met first: block and lane within the blocks that were scanned.
    pub(crate) place: (usize, usize),
}

/// Adds up weighted voters over blocks of 512 choices.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    /// For each bit plane of the weights, how many inputs (a multiple of 8) it takes.
    inputs: Vec<usize>,
    /// Bit planes that the largest sum needs.
    planes: usize,
}

impl Counter {
    /// A counter for voters of these weights. `order` says which voter each input row belongs to;
    /// `None` is padding, to be fed with zeros.
    pub(crate) fn new(weights: &[usize]) -> (Self, Vec<Option<usize>>) {
        let total: usize = weights.iter().sum();
        let planes = (usize::BITS - total.leading_zeros()).max(1) as usize;
        assert!(planes <= PLANES, "at most 4096 workers");
        let mut order = Vec::new();
        let mut inputs = Vec::new();
        for plane in 0..planes {
            let start = order.len();
            order.extend((0..weights.len()).filter(|&j| weights[j] >> plane & 1 == 1).map(Some));
            while (order.len() - start) % 8 != 0 {
                order.push(None);
            }
            inputs.push(order.len() - start);
        }
        (Self { inputs, planes }, order)
    }

    /// Scans `blocks` blocks and raises `best` to the first choice with the largest sum, when it beats
    /// what `best` holds. Input i of block x is `table[starts[i] + x]`. Returns whether it did.
    ///
    /// # Panics
    /// When an input reaches beyond the table, or there are not as many as [`Counter::new`] ordered.
    pub(crate) fn scan(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        // What the versions below rely on when they read without a check.
        let last = starts.iter().max().map_or(0, |&start| start as usize + blocks);
        assert!(last <= table.len(), "an input reaches beyond the table");
        assert_eq!(starts.len(), self.inputs(), "one start an input");
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor was just found to have AVX-512F; the bounds hold.
                return unsafe { self.scan_avx512(table, starts, blocks, best) };
            }
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor was just found to have AVX2; the bounds hold.
                return unsafe { self.scan_avx2(table, starts, blocks, best) };
            }
        }
        // SAFETY: the bounds hold.
        unsafe { self.scan_with::<Portable>(table, starts, blocks, best) }
    }

    /// # Safety
    /// The processor has AVX-512F, and the bounds that `scan` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn scan_avx512(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        // SAFETY: as promised to this function.
        unsafe { self.scan_with::<Ternary>(table, starts, blocks, best) }
    }

    /// # Safety
    /// The processor has AVX2, and the bounds that `scan` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn scan_avx2(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        // SAFETY: as promised to this function.
        unsafe { self.scan_with::<Portable>(table, starts, blocks, best) }
    }

    /// How many starts a sum takes.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs.iter().sum()
    }

    /// How many bit planes the largest sum needs.
    pub(crate) fn planes(&self) -> usize {
        self.planes
    }

    /// Picks the loop that is compiled for this many planes, so that small sums stay in registers.
    ///
    /// # Safety
    /// The bounds that `scan` checks hold.
    #[inline(always)]
    unsafe fn scan_with<A: Adder>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        blocks: usize,
        best: &mut Best,
    ) -> bool {
        // SAFETY: as promised to this function.
        unsafe {
            match (self.planes, self.inputs[1..].iter().all(|&count| count == 0)) {
                (1..=3, true) => self.scan_planes::<A, 3, true>(table, starts, blocks, best),
                (4, true) => self.scan_planes::<A, 4, true>(table, starts, blocks, best),
                (5, true) => self.scan_planes::<A, 5, true>(table, starts, blocks, best),
                (6, true) => self.scan_planes::<A, 6, true>(table, starts, blocks, best),
                (7, true) => self.scan_planes::<A, 7, true>(table, starts, blocks, best),
                _ => self.scan_planes::<A, PLANES, false>(table, starts, blocks, best),
            }
        }
    }

    /// Scans with sums of P planes; UNITS: every weight is 1.
    ///
    /// # Safety
    /// The bounds that `scan` checks hold; the sums fit P planes.
    #[inline(always)]
    unsafe fn scan_planes<A: Adder, const P: usize, const UNITS: bool>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        blocks: usize,
        best: &mut Best,
    ) -> bool {
        let mut raised = false;
        for block in 0..blocks {
            // SAFETY: block < blocks, and the bounds hold.
            let sums = unsafe {
                if UNITS {
                    let mut sums = [Lanes::ZERO; P];
                    add::<A, P>(&mut sums, 0, table, starts, block);
                    sums
                } else {
                    self.weighted::<A, P>(table, starts, block)
                }
            };
            if best.loss < 0 || !above(&sums, best.loss as u64).is_zero() {
                raised |= raise(&sums, block, best);
            }
        }
        raised
    }

    /// The bit planes of the weighted sums over one block.
    ///
    /// # Safety
    /// `table[start + block]` exists for every start, and there are as many as `inputs` says.
    #[inline(always)]
    pub(crate) unsafe fn weighted<A: Adder, const P: usize>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        block: usize,
    ) -> [Lanes; P] {
        let mut sums = [Lanes::ZERO; P];
        let mut rest = starts;
        for (plane, &count) in self.inputs.iter().enumerate() {
            let (list, after) = rest.split_at(count);
            rest = after;
            if count > 0 {
                // SAFETY: promised by the caller.
                unsafe { add::<A, P>(&mut sums, plane, table, list, block) };
            }
        }
        sums
    }
}

/// Adds the listed inputs, each worth 2^plane, to the sums. Carries beyond P planes are dropped: the
/// caller knows that the sums fit.
///
/// # Safety
/// `table[start + block]` exists for every start.
#[inline(always)]
unsafe fn add<A: Adder, const P: usize>(
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

/// A choice of one block, and how many inputs are set there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) sum: i64,
    pub(crate) lane: usize,
}

/// The first lane with the largest sum in one block: plain counting, for the rare case.
#[cold]
pub(crate) fn largest(table: &[Lanes], starts: &[u32], block: usize) -> Hit {
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
pub(crate) fn reaches(
    table: &[Lanes],
    starts: &[u32],
    inputs: usize,
    blocks: usize,
    wanted: i64,
) -> Option<usize> {
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

/// The lanes whose sum exceeds `bound`.
#[inline(always)]
fn above<const P: usize>(sums: &[Lanes; P], bound: u64) -> Lanes {
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

/// The rare path: reads every lane's sum.
#[cold]
#[inline(never)]
fn raise<const P: usize>(sums: &[Lanes; P], block: usize, best: &mut Best) -> bool {
    let mut raised = false;
    for lane in 0..Lanes::COUNT {
        let sum = sums.iter().enumerate().map(|(plane, s)| i64::from(s.get(lane)) << plane).sum();
        if sum > best.loss {
            *best = Best { loss: sum, place: (block, lane) };
            raised = true;
        }
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every compiled version equals a plain sum, for weights that fill many planes.
    #[test]
    fn every_version_counts_alike() {
        let mut state = 1_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // All weights 1 takes the loops of few planes, other weights the general one.
        let sizes = [0, 1, 2, 7, 8, 9, 15, 31, 64, 127, 128, 200];
        for (voters, most) in sizes.into_iter().flat_map(|voters| [(voters, 1), (voters, 5)]) {
            let weights: Vec<usize> = (0..voters).map(|_| 1 + (random() % most) as usize).collect();
            let blocks = 3;
            // One table: a row of zeros for the padding, then a row a voter.
            let table: Vec<Lanes> = (0..(voters + 1) * blocks)
                .map(
                    |place| {
                        if place < blocks { Lanes::ZERO } else { Lanes(std::array::from_fn(|_| random())) }
                    },
                )
                .collect();
            let (counter, order) = Counter::new(&weights);
            let starts: Vec<u32> =
                order.iter().map(|voter| voter.map_or(0, |j| ((j + 1) * blocks) as u32)).collect();
            let mut expected = Best { loss: -1, place: (0, 0) };
            for block in 0..blocks {
                for lane in 0..Lanes::COUNT {
                    let turned = (0..voters).filter(|&j| table[(j + 1) * blocks + block].get(lane));
                    let loss = turned.map(|j| weights[j] as i64).sum();
                    if loss > expected.loss {
                        expected = Best { loss, place: (block, lane) };
                    }
                }
            }
            let fresh = Best { loss: -1, place: (0, 0) };
            let mut best = fresh;
            counter.scan(&table, &starts, blocks, &mut best);
            assert_eq!(best, expected);
            best = fresh;
            // SAFETY: `scan` has just checked the same bounds.
            unsafe { counter.scan_with::<Portable>(&table, &starts, blocks, &mut best) };
            assert_eq!(best, expected);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                best = fresh;
                // SAFETY: the processor was just found to have AVX2; the bounds were checked above.
                unsafe { counter.scan_avx2(&table, &starts, blocks, &mut best) };
                assert_eq!(best, expected);
            }
        }
    }
}
