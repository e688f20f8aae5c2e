//! Weighted sums over blocks of 512 choices, and the choice with the largest one.

#[cfg(target_arch = "x86_64")]
use super::vector::Ternary;
use super::vector::{Adder, Lanes, PLANES, Portable, above, add};

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
