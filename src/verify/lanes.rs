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
pub(super) struct Lanes(pub(super) [u64; 8]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0; 8]);
    /// How many choices one value carries.
    pub(super) const COUNT: usize = 512;

    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    pub(super) fn set(&mut self, lane: usize) {
        self.0[lane / 64] |= 1 << (lane % 64);
    }

    fn get(self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }

    #[inline(always)]
    pub(super) fn or(self, other: Self) -> Self {
        self.map2(other, |a, b| a | b)
    }
}

/// a + b + c in each lane: (sum bit, carry bit).
#[inline(always)]
fn full_adder(a: Lanes, b: Lanes, c: Lanes) -> (Lanes, Lanes) {
    let sum = Lanes(std::array::from_fn(|i| a.0[i] ^ b.0[i] ^ c.0[i]));
    let carry = Lanes(std::array::from_fn(|i| (a.0[i] & b.0[i]) | (c.0[i] & (a.0[i] ^ b.0[i]))));
    (sum, carry)
}

/// The most bit planes of a loss: enough for 2 units from each of 4096 workers.
const PLANES: usize = 14;

/// The choices whose loss is larger than any before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Best {
    /// The largest loss met, −1 before the first.
    pub(super) loss: i64,
    /// Where it was met first: block and lane within the blocks that were scanned.
    pub(super) place: (usize, usize),
}

/// Adds up weighted voters over blocks of 512 choices.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    /// For each bit plane of the weights, how many inputs (a multiple of 8) it takes.
    inputs: Vec<usize>,
    /// Bit planes that the largest sum needs.
    planes: usize,
}

impl Counter {
    /// A counter for voters of these weights. `order` says which voter each input row belongs to;
    /// `None` is padding, to be fed with zeros.
    pub(super) fn new(weights: &[usize]) -> (Self, Vec<Option<usize>>) {
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

    /// Scans blocks `0..blocks` of the input rows and raises `best` to the first choice with the
    /// largest sum, when it beats what `best` holds. Returns whether it did.
    pub(super) fn scan(&self, rows: &[&[Lanes]], blocks: usize, best: &mut Best) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor was just found to have AVX-512F.
                return unsafe { self.scan_avx512(rows, blocks, best) };
            }
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor was just found to have AVX2.
                return unsafe { self.scan_avx2(rows, blocks, best) };
            }
        }
        self.scan_portable(rows, blocks, best)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn scan_avx512(&self, rows: &[&[Lanes]], blocks: usize, best: &mut Best) -> bool {
        self.scan_portable(rows, blocks, best)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn scan_avx2(&self, rows: &[&[Lanes]], blocks: usize, best: &mut Best) -> bool {
        self.scan_portable(rows, blocks, best)
    }

    #[inline(always)]
    fn scan_portable(&self, rows: &[&[Lanes]], blocks: usize, best: &mut Best) -> bool {
        let mut raised = false;
        for block in 0..blocks {
            let sums = self.add(rows, block);
            if best.loss < 0 || !self.above(&sums, best.loss as u64).is_zero() {
                raised |= self.raise(&sums, block, best);
            }
        }
        raised
    }

    /// The bit planes of the weighted sums over one block.
    #[inline(always)]
    fn add(&self, rows: &[&[Lanes]], block: usize) -> [Lanes; PLANES] {
        let mut sums = [Lanes::ZERO; PLANES];
        let mut rest = rows;
        for (plane, &count) in self.inputs.iter().enumerate() {
            let (list, after) = rest.split_at(count);
            rest = after;
            // A last plane without room for its carries never has any: the sum fits `planes`.
            let at = |p: usize| p.min(PLANES - 1);
            let (mut ones, mut twos, mut fours) = (sums[plane], sums[at(plane + 1)], sums[at(plane + 2)]);
            for eight in list.chunks_exact(8) {
                let x: [Lanes; 8] = std::array::from_fn(|i| eight[i][block]);
                let (s, two_a) = full_adder(ones, x[0], x[1]);
                let (s, two_b) = full_adder(s, x[2], x[3]);
                let (t, four_a) = full_adder(twos, two_a, two_b);
                let (s, two_a) = full_adder(s, x[4], x[5]);
                let (s, two_b) = full_adder(s, x[6], x[7]);
                let (t, four_b) = full_adder(t, two_a, two_b);
                let (f, mut carry) = full_adder(fours, four_a, four_b);
                (ones, twos, fours) = (s, t, f);
                for sum in sums.iter_mut().take(self.planes).skip(plane + 3) {
                    let next = sum.map2(carry, |a, b| a & b);
                    *sum = sum.map2(carry, |a, b| a ^ b);
                    carry = next;
                }
            }
            if count > 0 {
                sums[plane] = ones;
                if plane + 1 < PLANES {
                    sums[plane + 1] = twos;
                }
                if plane + 2 < PLANES {
                    sums[plane + 2] = fours;
                }
            }
        }
        sums
    }

    /// The lanes whose sum exceeds `bound`.
    #[inline(always)]
    fn above(&self, sums: &[Lanes; PLANES], bound: u64) -> Lanes {
        let mut above = Lanes::ZERO;
        let mut equal = Lanes([u64::MAX; 8]);
        for plane in (0..self.planes).rev() {
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
    fn raise(&self, sums: &[Lanes; PLANES], block: usize, best: &mut Best) -> bool {
        let mut raised = false;
        for lane in 0..Lanes::COUNT {
            let sum = (0..self.planes).map(|plane| i64::from(sums[plane].get(lane)) << plane).sum();
            if sum > best.loss {
                *best = Best { loss: sum, place: (block, lane) };
                raised = true;
            }
        }
        raised
    }
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
        for voters in [0, 1, 2, 7, 8, 9, 31, 64, 200] {
            let weights: Vec<usize> = (0..voters).map(|_| 1 + (random() % 5) as usize).collect();
            let blocks = 3;
            let data: Vec<Vec<Lanes>> = (0..voters)
                .map(|_| (0..blocks).map(|_| Lanes(std::array::from_fn(|_| random()))).collect())
                .collect();
            let zeros = vec![Lanes::ZERO; blocks];
            let (counter, order) = Counter::new(&weights);
            let rows: Vec<&[Lanes]> =
                order.iter().map(|voter| voter.map_or(&zeros[..], |j| &data[j][..])).collect();
            let mut expected = Best { loss: -1, place: (0, 0) };
            for block in 0..blocks {
                for lane in 0..Lanes::COUNT {
                    let turned = (0..voters).filter(|&j| data[j][block].get(lane));
                    let loss = turned.map(|j| weights[j] as i64).sum();
                    if loss > expected.loss {
                        expected = Best { loss, place: (block, lane) };
                    }
                }
            }
            let fresh = Best { loss: -1, place: (0, 0) };
            let mut best = fresh;
            counter.scan(&rows, blocks, &mut best);
            assert_eq!(best, expected);
            best = fresh;
            counter.scan_portable(&rows, blocks, &mut best);
            assert_eq!(best, expected);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                best = fresh;
                // SAFETY: the processor was just found to have AVX2.
                unsafe { counter.scan_avx2(&rows, blocks, &mut best) };
                assert_eq!(best, expected);
            }
        }
    }
}
