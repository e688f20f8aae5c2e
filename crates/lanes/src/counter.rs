//! Weighted sums over blocks of 512 choices, and the choice with the largest one.

use super::instructions::Instructions;
use super::vector::{Adder, Lanes, PLANES, Piece, Portable, above, add};
#[cfg(target_arch = "x86_64")]
use super::vector::{Halves, Ternary};

/// How many words are added at a time where nothing is known of the processor: baseline registers hold two.
pub(crate) const PORTABLE: usize = 2;

/// The choices whose loss is larger than any before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// The largest loss met, −1 before the first.
    pub loss: i64,
    /// Where it was met first: block and lane within the blocks that were scanned.
    pub place: (usize, usize),
}

/// Adds up weighted voters over blocks of 512 choices.
#[derive(Clone, Debug)]
pub struct Counter {
    /// For each bit plane of the weights, how many inputs (a multiple of 8) it takes.
    inputs: Vec<usize>,
    /// Bit planes that the largest sum needs.
    planes: usize,
}

impl Counter {
    /// A counter for voters of these weights. `order` says which voter each input row belongs to;
    /// `None` is padding, to be fed with zeros.
    ///
    /// # Panics
    /// When the weights add up to 2^14 or more.
    #[must_use]
    pub fn new(weights: &[usize]) -> (Self, Vec<Option<usize>>) {
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
    pub fn scan(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        self.scan_by(Instructions::widest(), table, starts, blocks, best)
    }

    /// As [`Self::scan`], by these instructions.
    ///
    /// # Panics
    /// Also when the processor does not have them.
    pub fn scan_by(
        &self,
        instructions: Instructions,
        table: &[Lanes],
        starts: &[u32],
        blocks: usize,
        best: &mut Best,
    ) -> bool {
        // What the versions below rely on when they read without a check.
        let last = starts.iter().max().map_or(0, |&start| start as usize + blocks);
        assert!(last <= table.len(), "an input reaches beyond the table");
        assert_eq!(starts.len(), self.inputs(), "one start an input");
        assert!(instructions.here(), "this processor does not have {instructions:?}");
        // SAFETY: the processor has the instructions, and the bounds hold.
        unsafe {
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => self.scan_avx512(table, starts, blocks, best),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => self.scan_avx2(table, starts, blocks, best),
                _ => self.scan_with::<Portable, PORTABLE>(table, starts, blocks, best),
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512F, and the bounds that `scan` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn scan_avx512(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        // SAFETY: as promised to this function.
        unsafe { self.scan_with::<Ternary, 8>(table, starts, blocks, best) }
    }

    /// # Safety
    /// The processor has AVX2, and the bounds that `scan` checks hold.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn scan_avx2(&self, table: &[Lanes], starts: &[u32], blocks: usize, best: &mut Best) -> bool {
        // SAFETY: as promised to this function.
        unsafe { self.scan_with::<Halves, 4>(table, starts, blocks, best) }
    }

    /// How many starts a sum takes.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs.iter().sum()
    }

    /// How many bit planes the largest sum needs.
    #[must_use]
    pub fn planes(&self) -> usize {
        self.planes
    }

    /// Picks the loop that is compiled for this many planes, so that small sums stay in registers.
    ///
    /// # Safety
    /// The bounds that `scan` checks hold.
    #[inline(always)]
    unsafe fn scan_with<A: Adder<W>, const W: usize>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        blocks: usize,
        best: &mut Best,
    ) -> bool {
        // SAFETY: as promised to this function.
        unsafe {
            match (self.planes, self.inputs[1..].iter().all(|&count| count == 0)) {
                (1..=3, true) => self.scan_planes::<A, W, 3, true>(table, starts, blocks, best),
                (4, true) => self.scan_planes::<A, W, 4, true>(table, starts, blocks, best),
                (5, true) => self.scan_planes::<A, W, 5, true>(table, starts, blocks, best),
                (6, true) => self.scan_planes::<A, W, 6, true>(table, starts, blocks, best),
                (7, true) => self.scan_planes::<A, W, 7, true>(table, starts, blocks, best),
                _ => self.scan_planes::<A, W, PLANES, false>(table, starts, blocks, best),
            }
        }
    }

    /// Scans with sums of P planes; UNITS: every weight is 1.
    ///
    /// # Safety
    /// The bounds that `scan` checks hold; the sums fit P planes.
    #[inline(always)]
    unsafe fn scan_planes<A: Adder<W>, const W: usize, const P: usize, const UNITS: bool>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        blocks: usize,
        best: &mut Best,
    ) -> bool {
        let mut raised = false;
        for block in 0..blocks {
            for part in 0..Piece::<W>::COUNT {
                // SAFETY: block < blocks, and the bounds hold.
                let sums = unsafe {
                    if UNITS {
                        let mut sums = [Piece::ZERO; P];
                        add::<A, W, P>(&mut sums, 0, table, starts, (block, part));
                        sums
                    } else {
                        self.weighted::<A, W, P>(table, starts, (block, part))
                    }
                };
                if best.loss < 0 || !above::<A, W, P>(&sums, best.loss as u64).is_zero() {
                    raised |= raise(&sums, (block, part), best);
                }
            }
        }
        raised
    }

    /// The bit planes of the weighted sums over one part of a block.
    ///
    /// # Safety
    /// `table[start + block]` exists for every start, and there are as many as `inputs` says.
    #[inline(always)]
    pub(crate) unsafe fn weighted<A: Adder<W>, const W: usize, const P: usize>(
        &self,
        table: &[Lanes],
        starts: &[u32],
        place: (usize, usize),
    ) -> [Piece<W>; P] {
        let mut sums = [Piece::ZERO; P];
        let mut rest = starts;
        for (plane, &count) in self.inputs.iter().enumerate() {
            let (list, after) = rest.split_at(count);
            rest = after;
            if count > 0 {
                // SAFETY: promised by the caller.
                unsafe { add::<A, W, P>(&mut sums, plane, table, list, place) };
            }
        }
        sums
    }
}

/// The rare path: reads every lane's sum.
#[cold]
#[inline(never)]
fn raise<const W: usize, const P: usize>(
    sums: &[Piece<W>; P],
    (block, part): (usize, usize),
    best: &mut Best,
) -> bool {
    let mut raised = false;
    for lane in 0..Piece::<W>::CHOICES {
        let sum = sums.iter().enumerate().map(|(plane, s)| i64::from(s.get(lane)) << plane).sum();
        if sum > best.loss {
            *best = Best { loss: sum, place: (block, part * Piece::<W>::CHOICES + lane) };
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
        let mut random = crate::vector::pseudo_random(1);
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
            for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
                let mut best = fresh;
                counter.scan_by(instructions, &table, &starts, blocks, &mut best);
                assert_eq!(best, expected, "{instructions:?}");
            }
        }
    }
}
