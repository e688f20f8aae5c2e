//! Families of choices: all of a weight, or larger ones such that each of the weight lies within one.

use crate::reduce::choices_by_weight;

/// Every vector 0 ≤ xᵢ ≤ `sizes[i]` of the sum `sum`.
pub(super) fn vectors(sizes: &[usize], sum: usize) -> Vec<Vec<u16>> {
    let mut all = vec![(Vec::new(), sum)];
    for (place, &size) in sizes.iter().enumerate() {
        let beyond: usize = sizes[place + 1..].iter().sum();
        all = all
            .into_iter()
            .flat_map(|(vector, left)| {
                (left.saturating_sub(beyond)..=size.min(left)).map(move |count| {
                    let mut longer: Vec<u16> = vector.clone();
                    longer.push(count as u16);
                    (longer, left - count)
                })
            })
            .collect();
    }
    all.into_iter().filter(|(_, left)| *left == 0).map(|(vector, _)| vector).collect()
}

/// A family of vectors such that each one of the sum `sum` is, place by place, at most some member:
/// a covering design of about `members` members, greedily made. At most 31 partitions.
pub(super) fn cover(sizes: &[usize], sum: usize, members: u128) -> Vec<Vec<u16>> {
    let m: usize = sizes.iter().sum();
    // The fewest extra partitions that let the family be small: a greedy one is about twice the bound.
    let binomial = |n: usize, r: usize| choices_by_weight(&vec![1; n], r)[r];
    let extra = (0..=m - sum)
        .find(|&extra| 2 * binomial(m, sum) / binomial(sum + extra, sum) <= members)
        .unwrap_or(m - sum);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let mut covered = vec![0_u64; (1_usize << m).div_ceil(64)];
    let mut family = Vec::new();
    for set in subsets((1 << m) - 1, sum) {
        if covered[set as usize / 64] >> (set % 64) & 1 == 1 {
            continue;
        }
        // Of some larger sets the one that covers the most that is new.
        let mut best = (0, 0_u32);
        for _ in 0..3 {
            let mut larger = set;
            while larger.count_ones() as usize != sum + extra {
                larger |= 1 << draw(m);
            }
            let new = subsets(larger, sum)
                .filter(|&inner| covered[inner as usize / 64] >> (inner % 64) & 1 == 0)
                .count();
            if new > best.0 {
                best = (new, larger);
            }
        }
        for inner in subsets(best.1, sum) {
            covered[inner as usize / 64] |= 1 << (inner % 64);
        }
        let mut place = 0;
        family.push(
            sizes
                .iter()
                .map(|&size| {
                    let mask = ((1_u64 << size) - 1) << place;
                    place += size;
                    (u64::from(best.1) & mask).count_ones() as u16
                })
                .collect::<Vec<u16>>(),
        );
    }
    family.sort_unstable();
    family.dedup();
    family
}

/// The subsets of `of` with `size` members, as bit masks.
pub(super) fn subsets(of: u32, size: usize) -> impl Iterator<Item = u32> {
    let bits: Vec<u32> = (0..32).filter(|bit| of >> bit & 1 == 1).map(|bit| 1 << bit).collect();
    let end = 1_u64 << bits.len();
    let mut next = (1_u64 << size) - 1;
    std::iter::from_fn(move || {
        if next >= end {
            return None;
        }
        let here = next;
        // Gosper: the next larger number with as many ones.
        next = if here == 0 {
            end
        } else {
            let low = here & here.wrapping_neg();
            let ripple = here + low;
            ripple | (((here ^ ripple) >> 2) / low)
        };
        let mut set = 0;
        let mut rest = here;
        while rest > 0 {
            set |= bits[rest.trailing_zeros() as usize];
            rest &= rest - 1;
        }
        Some(set)
    })
}
