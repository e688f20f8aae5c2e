//! Where at least so many of some rows of bits are set: the majority of many streams, a strip of blocks at a time.
//!
//! # How
//! A row is a stretch of 512-bit blocks in one table that fits the first cache. The sum of a block starts at
//! 2^top − threshold, so that its highest digit says whether the threshold is met, and no comparison follows. Eight
//! inputs are taken off the list at a time, with all digits in registers; the majority of 1, 3, 5 or 7 rows, as most
//! workers hold them, has a network of its own without any digits.

use super::counter::PORTABLE;
use super::instructions::Instructions;
use super::vector::{Adder, Lanes, PLANES, Piece, Portable, add};
#[cfg(target_arch = "x86_64")]
use super::vector::{Halves, Ternary};

/// Rows whose bits are added up, and the sum that is asked for.
///
/// ```
/// use ecode_lanes::{Lanes, Threshold};
/// // Three rows of one block: the lanes where two of three are set.
/// let mut table = [Lanes::ZERO; 3];
/// [(0, 5), (1, 5), (1, 6), (2, 7)].map(|(row, lane): (usize, usize)| table[row].set(lane));
/// let mut met = [Lanes::ZERO];
/// Threshold::new(vec![0, 1, 2], vec![], 2).strip(&table, &mut met, None);
/// assert_eq!(met[0].0[0], 1 << 5);
/// ```
#[derive(Clone, Debug)]
pub struct Threshold {
    ones: Vec<u32>,
    twos: Vec<u32>,
    asked: usize,
    /// Digits that the sums need.
    planes: usize,
}

impl Threshold {
    /// Rows that start at these places of the table: those of `ones` count 1 where they are set, those of `twos` 2.
    ///
    /// # Panics
    /// When the threshold is 0, or the sum can reach 2^14.
    #[must_use]
    pub fn new(ones: Vec<u32>, twos: Vec<u32>, threshold: usize) -> Self {
        assert!(threshold > 0, "a threshold that is always met is no sum");
        let most = ones.len() + 2 * twos.len();
        // 2^top is at least the threshold, and 2^top − threshold + most is below 2^(top + 1).
        let room = threshold.max(most.saturating_sub(threshold) + 1);
        let planes = room.next_power_of_two().trailing_zeros() as usize + 1;
        assert!(planes <= PLANES, "at most 4096 voters");
        Self { ones, twos, asked: threshold, planes }
    }

    /// Writes to `met` where the threshold is met, block by block, and to `below` where the sum is one less.
    /// Block x of an input is `table[start + x]`.
    ///
    /// # Panics
    /// When an input reaches beyond the table, or `below` has another length than `met`.
    pub fn strip(&self, table: &[Lanes], met: &mut [Lanes], below: Option<&mut [Lanes]>) {
        self.strip_by(Instructions::widest(), table, met, below);
    }

    /// As [`Self::strip`], by these instructions.
    ///
    /// # Panics
    /// Also when the processor does not have them.
    #[inline]
    pub fn strip_by(
        &self,
        instructions: Instructions,
        table: &[Lanes],
        met: &mut [Lanes],
        below: Option<&mut [Lanes]>,
    ) {
        // What the versions below rely on when they read and write without a check.
        let last = self.ones.iter().chain(&self.twos).max().map_or(0, |&start| start as usize + met.len());
        assert!(last <= table.len(), "an input reaches beyond the table");
        assert!(below.as_ref().is_none_or(|below| below.len() == met.len()), "as many blocks");
        assert!(instructions.here(), "this processor does not have {instructions:?}");
        // SAFETY: the processor has the instructions, and the bounds hold.
        unsafe {
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => self.strip_avx512(table, met, below),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => self.strip_avx2(table, met, below),
                _ => self.strip_with::<Portable, PORTABLE>(table, met, below),
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512F, and the bounds that `strip_by` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn strip_avx512(&self, table: &[Lanes], met: &mut [Lanes], below: Option<&mut [Lanes]>) {
        // SAFETY: as promised to this function.
        unsafe { self.strip_with::<Ternary, 8>(table, met, below) }
    }

    /// # Safety
    /// The processor has AVX2, and the bounds that `strip_by` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn strip_avx2(&self, table: &[Lanes], met: &mut [Lanes], below: Option<&mut [Lanes]>) {
        // SAFETY: as promised to this function.
        unsafe { self.strip_with::<Halves, 4>(table, met, below) }
    }

    /// Picks the network, or the loop that is compiled for this many digits.
    ///
    /// # Safety
    /// The bounds that `strip_by` checks hold.
    #[inline(always)]
    unsafe fn strip_with<A: Adder<W>, const W: usize>(
        &self,
        table: &[Lanes],
        met: &mut [Lanes],
        below: Option<&mut [Lanes]>,
    ) {
        let majority = self.twos.is_empty() && below.is_none() && self.ones.len() + 1 == 2 * self.asked;
        // SAFETY: as promised to this function; the digits hold every sum.
        unsafe {
            match (majority, &self.ones[..], self.planes) {
                (true, &[a], _) => of_few::<W, 1>(table, [a], met, |[a]| a),
                (true, &[a, b, c], _) => {
                    of_few::<W, 3>(table, [a, b, c], met, |[a, b, c]| A::add(a, b, c).1);
                }
                (true, &[a, b, c, d, e], _) => of_few::<W, 5>(table, [a, b, c, d, e], met, of_five::<A, W>),
                (true, &[a, b, c, d, e, f, g], _) => {
                    of_few::<W, 7>(table, [a, b, c, d, e, f, g], met, of_seven::<A, W>);
                }
                (_, _, 1..=4) => self.sums::<A, W, 4>(table, met, below),
                (_, _, 5) => self.sums::<A, W, 5>(table, met, below),
                (_, _, 6) => self.sums::<A, W, 6>(table, met, below),
                (_, _, 7) => self.sums::<A, W, 7>(table, met, below),
                _ => self.sums::<A, W, PLANES>(table, met, below),
            }
        }
    }

    /// Sums of P digits, of which the highest says that the threshold is met.
    ///
    /// # Safety
    /// The bounds that `strip_by` checks hold; the sums fit P digits.
    #[inline(always)]
    unsafe fn sums<A: Adder<W>, const W: usize, const P: usize>(
        &self,
        table: &[Lanes],
        met: &mut [Lanes],
        mut below: Option<&mut [Lanes]>,
    ) {
        let offset = (1 << (P - 1)) - self.asked;
        let start: [Piece<W>; P] =
            std::array::from_fn(|digit| if offset >> digit & 1 == 1 { Piece::ONES } else { Piece::ZERO });
        for block in 0..met.len() {
            for part in 0..Piece::<W>::COUNT {
                let mut sums = start;
                // SAFETY: the block is one of `met`, and the bounds hold.
                unsafe {
                    all::<A, W, P, 0>(&mut sums, table, &self.ones, (block, part));
                    if !self.twos.is_empty() {
                        all::<A, W, P, 1>(&mut sums, table, &self.twos, (block, part));
                    }
                    put(met, (block, part), sums[P - 1]);
                }
                if let Some(below) = below.as_deref_mut() {
                    let mut low = Piece::ONES;
                    for digit in &sums[..P - 1] {
                        low = A::and(low, *digit);
                    }
                    // SAFETY: `below` has as many blocks as `met`.
                    unsafe { put(below, (block, part), A::and_not(low, sums[P - 1])) };
                }
            }
        }
    }
}

/// Adds all inputs of weight 2^D: in eights, and the rest as one eight, four or two with zeros.
///
/// # Safety
/// `table[start + block]` exists for every start, and the sums fit P digits.
#[inline(always)]
unsafe fn all<A: Adder<W>, const W: usize, const P: usize, const D: usize>(
    sums: &mut [Piece<W>; P],
    table: &[Lanes],
    starts: &[u32],
    place: (usize, usize),
) {
    let (eights, rest) = starts.split_at(starts.len() / 8 * 8);
    // SAFETY: as promised to this function.
    unsafe {
        add::<A, W, P>(sums, D, table, eights, place);
        let at = |index: usize| match rest.get(index) {
            Some(&start) => get::<W>(table, start, place),
            None => Piece::ZERO,
        };
        match rest.len() {
            0 => {}
            1 => carry_on::<A, W, P>(sums, D, at(0)),
            2 => {
                let (one, carry) = A::add(sums[D], at(0), at(1));
                sums[D] = one;
                carry_on::<A, W, P>(sums, D + 1, carry);
            }
            3 | 4 => {
                let (one, two_a) = A::add(sums[D], at(0), at(1));
                let (one, two_b) = A::add(one, at(2), at(3));
                let (two, carry) = A::add(sums[D + 1], two_a, two_b);
                (sums[D], sums[D + 1]) = (one, two);
                carry_on::<A, W, P>(sums, D + 2, carry);
            }
            _ => {
                let (one, two_a) = A::add(sums[D], at(0), at(1));
                let (one, two_b) = A::add(one, at(2), at(3));
                let (two, four_a) = A::add(sums[D + 1], two_a, two_b);
                let (one, two_a) = A::add(one, at(4), at(5));
                // There is no eighth.
                let (one, two_b) = (A::xor(one, at(6)), A::and(one, at(6)));
                let (two, four_b) = A::add(two, two_a, two_b);
                let (four, carry) = A::add(sums[D + 2], four_a, four_b);
                (sums[D], sums[D + 1], sums[D + 2]) = (one, two, four);
                carry_on::<A, W, P>(sums, D + 3, carry);
            }
        }
    }
}

/// Adds one bit a lane from a digit on.
#[inline(always)]
fn carry_on<A: Adder<W>, const W: usize, const P: usize>(
    sums: &mut [Piece<W>; P],
    from: usize,
    mut carry: Piece<W>,
) {
    for digit in 0..P {
        if digit >= from {
            (sums[digit], carry) = (A::xor(sums[digit], carry), A::and(sums[digit], carry));
        }
    }
}

/// What a network says of N rows.
///
/// # Safety
/// `table[start + block]` exists for every start and every block of `met`.
#[inline(always)]
unsafe fn of_few<const W: usize, const N: usize>(
    table: &[Lanes],
    starts: [u32; N],
    met: &mut [Lanes],
    network: impl Fn([Piece<W>; N]) -> Piece<W>,
) {
    for block in 0..met.len() {
        for part in 0..Piece::<W>::COUNT {
            // SAFETY: as promised to this function.
            unsafe {
                let mut inputs = [Piece::ZERO; N];
                for (input, &start) in inputs.iter_mut().zip(&starts) {
                    *input = get::<W>(table, start, (block, part));
                }
                put(met, (block, part), network(inputs));
            }
        }
    }
}

/// a + b + c + d + e = s + 2·(t + u), which is at least 3 where two of s, t and u are set.
#[inline(always)]
fn of_five<A: Adder<W>, const W: usize>([a, b, c, d, e]: [Piece<W>; 5]) -> Piece<W> {
    let (s, t) = A::add(a, b, c);
    let (s, u) = A::add(s, d, e);
    A::add(s, t, u).1
}

/// The sum of seven is s + 2·(t + u + v), which is at least 4 where two of t, u and v are set.
#[inline(always)]
fn of_seven<A: Adder<W>, const W: usize>([a, b, c, d, e, f, g]: [Piece<W>; 7]) -> Piece<W> {
    let (s, t) = A::add(a, b, c);
    let (r, u) = A::add(d, e, f);
    let (_, v) = A::add(s, r, g);
    A::add(t, u, v).1
}

/// # Safety
/// `table[start + block]` exists, and the part is one of a block.
#[inline(always)]
unsafe fn get<const W: usize>(table: &[Lanes], start: u32, (block, part): (usize, usize)) -> Piece<W> {
    // SAFETY: pieces follow each other as the words of the lanes do.
    unsafe { *table.as_ptr().cast::<Piece<W>>().add((start as usize + block) * Piece::<W>::COUNT + part) }
}

/// # Safety
/// The block is one of `to`, and the part one of a block.
#[inline(always)]
unsafe fn put<const W: usize>(to: &mut [Lanes], (block, part): (usize, usize), piece: Piece<W>) {
    // SAFETY: as in `get`.
    unsafe { *to.as_mut_ptr().cast::<Piece<W>>().add(block * Piece::<W>::COUNT + part) = piece }
}

/// In how many lanes two strips differ.
///
/// # Panics
/// When they have other lengths, or the processor does not have the instructions.
#[must_use]
pub fn differing(instructions: Instructions, a: &[Lanes], b: &[Lanes]) -> u64 {
    assert_eq!(a.len(), b.len(), "strips of one length");
    assert!(instructions.here(), "this processor does not have {instructions:?}");
    // SAFETY: the processor has the instructions.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => differing_avx512(a, b),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => differing_avx2(a, b),
            _ => differing_with(a, b),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn differing_avx512(a: &[Lanes], b: &[Lanes]) -> u64 {
    differing_with(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn differing_avx2(a: &[Lanes], b: &[Lanes]) -> u64 {
    differing_with(a, b)
}

#[inline(always)]
fn differing_with(a: &[Lanes], b: &[Lanes]) -> u64 {
    let mut count = 0;
    for (a, b) in a.iter().zip(b) {
        for word in 0..a.0.len() {
            count += u64::from((a.0[word] ^ b.0[word]).count_ones());
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every compiled version finds what a plain sum finds, for every number of inputs around the groups of eight, and
    /// every threshold.
    #[test]
    fn every_version_sums_alike() {
        let mut random = crate::vector::pseudo_random(7);
        let blocks = 2;
        let rows = 70;
        let table: Vec<Lanes> =
            (0..rows * blocks).map(|_| Lanes(std::array::from_fn(|_| random()))).collect();
        let sizes = (0..=17).flat_map(|ones| [(ones, 0), (ones, 3), (0, ones), (ones, ones)]);
        for (ones, twos) in sizes.chain([(31, 0), (33, 31), (64, 4), (70, 0), (70, 70)]) {
            let mut starts =
                |count| (0..count).map(|_| (random() as usize % rows * blocks) as u32).collect::<Vec<_>>();
            let (ones, twos) = (starts(ones), starts(twos));
            let most = ones.len() + 2 * twos.len();
            for threshold in 1..=most + 2 {
                if most > 40 && threshold % 7 != 3 && threshold != most / 2 + 1 {
                    continue;
                }
                let sum = |block: usize, lane: usize| {
                    let set = |starts: &[u32]| {
                        starts.iter().filter(|&&start| table[start as usize + block].get(lane)).count()
                    };
                    set(&ones) + 2 * set(&twos)
                };
                let asked = Threshold::new(ones.clone(), twos.clone(), threshold);
                for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
                    let (mut met, mut below) = (vec![Lanes::ZERO; blocks], vec![Lanes::ZERO; blocks]);
                    asked.strip_by(instructions, &table, &mut met, Some(&mut below));
                    let mut alone = vec![Lanes::ZERO; blocks];
                    asked.strip_by(instructions, &table, &mut alone, None);
                    assert_eq!(alone, met, "{instructions:?}: {most} against {threshold}");
                    for (block, lane) in (0..blocks).flat_map(|b| (0..Lanes::COUNT).map(move |l| (b, l))) {
                        let sum = sum(block, lane);
                        assert_eq!(met[block].get(lane), sum >= threshold, "{instructions:?}, {most}");
                        assert_eq!(below[block].get(lane), sum + 1 == threshold, "{instructions:?}, {most}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_version_counts_differences_alike() {
        let mut random = crate::vector::pseudo_random(3);
        let mut strip =
            || -> Vec<Lanes> { (0..5).map(|_| Lanes(std::array::from_fn(|_| random()))).collect() };
        let (a, b) = (strip(), strip());
        let plain =
            (0..5).map(|x| (0..512).filter(|&lane| a[x].get(lane) != b[x].get(lane)).count()).sum::<usize>();
        for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
            assert_eq!(differing(instructions, &a, &b), plain as u64, "{instructions:?}");
        }
    }

    /// The largest code: every worker's word worth 2.
    #[test]
    fn four_thousand_voters_are_summed() {
        let table = [Lanes([u64::MAX; 8])];
        for (voters, threshold, met) in [(4096, 8192, true), (4095, 8192, false), (4096, 4097, true)] {
            let mut out = [Lanes::ZERO];
            Threshold::new(vec![], vec![0; voters], threshold).strip(&table, &mut out, None);
            assert_eq!(out[0].get(100), met, "{threshold}");
        }
    }
}
