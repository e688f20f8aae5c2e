//! Estimates where there are too many messages to count: random messages, equally many of each weight, and
//! all messages of those weights that have no more.
//!
//! # What is promised
//! The draws are independent and uniform over the messages of their weight; the same seed gives the same
//! sample at any number of threads. Messages heavier than half are the complements of the lighter ones.
//!
//! # References
//! W. G. Cochran, *Sampling Techniques*, third edition, 1977, chapter 5: stratified sampling.

use std::collections::BTreeMap;

use itertools::Itertools as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::cell::Cell;
use ecode_core::{AllocationMatrix, Message};
use ecode_verify::{Control, binomials};

/// How the votes fell on random messages, by weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    n: usize,
    k: usize,
    /// By weight up to k/2.
    hits: Vec<BTreeMap<Cell, u64>>,
    drawn: Vec<u64>,
    /// The weights of which all messages were looked at.
    complete: Vec<bool>,
}

/// Draws that one task makes.
const CHUNK: u64 = 256;

impl Sample {
    /// With this probability all intervals that come from one sample at one q and b hold at once.
    pub const CONFIDENCE: f64 = 0.95;

    /// Draws about `draws` messages, the same number of each weight up to k/2 (at least 1), or looks at all
    /// where a weight has no more. Stopped early, it has drawn fewer, but of every weight at least one.
    #[must_use]
    pub fn draw(g: &AllocationMatrix, draws: u64, seed: u64, control: &Control) -> Self {
        let (n, k) = (g.n(), g.k());
        let half = k / 2;
        let each = (draws / (half as u64 + 1)).max(1);
        control.begin(each * (half as u64 + 1));
        let mut hits = vec![BTreeMap::new(); half + 1];
        let mut drawn = vec![0; half + 1];
        let all: Vec<Option<u64>> = binomials(k)
            .into_iter()
            .take(half + 1)
            .map(|all| u64::try_from(all).ok().filter(|&all| all <= each))
            .collect();
        let loads = g.worker_loads();
        let listed: Vec<Option<BTreeMap<Cell, u64>>> = (0..=half)
            .into_par_iter()
            .map(|weight| listed(g, &loads, weight, all[weight]?, control))
            .collect();
        let complete: Vec<bool> = listed.iter().map(Option::is_some).collect();
        // Rounds over all weights, so that stopping leaves every weight with about as many.
        for round in 0..each.div_ceil(CHUNK) {
            if round > 0 && control.stopped() {
                break;
            }
            let here = CHUNK.min(each - round * CHUNK);
            let parts: Vec<Option<BTreeMap<Cell, u64>>> = (0..=half)
                .into_par_iter()
                .map(|weight| {
                    if complete[weight] || round > 0 && control.stopped() {
                        return None;
                    }
                    let mut random = ChaCha8Rng::seed_from_u64(seed);
                    random.set_stream((weight as u64) << 40 | round);
                    let mut cells = BTreeMap::new();
                    let mut order: Vec<usize> = (0..k).collect();
                    // Stopped in the first round: one draw of each weight.
                    let mut done = 0;
                    while done < here && !(done > 0 && control.stopped()) {
                        *cells.entry(one(g, &loads, weight, &mut order, &mut random)).or_insert(0) += 1;
                        done += 1;
                    }
                    control.advance(done);
                    Some(cells)
                })
                .collect();
            for (weight, cells) in parts.into_iter().enumerate() {
                for (cell, count) in cells.into_iter().flatten() {
                    *hits[weight].entry(cell).or_insert(0) += count;
                    drawn[weight] += count;
                }
            }
        }
        for (weight, cells) in listed.into_iter().enumerate() {
            if let Some(cells) = cells {
                drawn[weight] = cells.values().sum();
                hits[weight] = cells;
            }
        }
        Self { n, k, hits, drawn, complete }
    }

    /// Whether all messages of this weight were looked at.
    #[must_use]
    pub fn is_complete(&self, weight: usize) -> bool {
        self.complete[weight.min(self.k - weight.min(self.k))]
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The number of partitions.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// How many messages of this weight, or of its complement's, were drawn.
    #[must_use]
    pub fn drawn(&self, weight: usize) -> u64 {
        self.drawn[weight.min(self.k - weight.min(self.k))]
    }

    /// The cells that messages of this weight fell into, with how many did.
    pub fn cells(&self, weight: usize) -> impl Iterator<Item = (Cell, u64)> {
        let mirrored = 2 * weight > self.k;
        let row = &self.hits[weight.min(self.k - weight.min(self.k))];
        row.iter().map(move |(&cell, &count)| {
            let below = self.n - cell.above - cell.tied;
            (if mirrored { Cell { above: below, ..cell } } else { cell }, count)
        })
    }

    /// The smallest margin that was met: the radius is at most this.
    #[must_use]
    pub fn smallest_margin(&self, ties: ecode_core::TieRule) -> Option<i64> {
        let weights = 0..=self.k;
        let margins = weights.flat_map(|v| {
            let correct = super::cell::majority_of_weight(self.k, v);
            self.cells(v).map(move |(cell, _)| cell.margin(self.n, ties, correct))
        });
        margins.min()
    }
}

/// All messages of this weight, of which there are `all`; `None` when it had to stop.
fn listed(
    g: &AllocationMatrix,
    loads: &[usize],
    weight: usize,
    all: u64,
    control: &Control,
) -> Option<BTreeMap<Cell, u64>> {
    let mut cells = BTreeMap::new();
    for (place, ones) in (0..g.k()).combinations(weight).enumerate() {
        if place % 256 == 0 && control.stopped() {
            return None;
        }
        *cells.entry(cell(g, loads, &Message::from_indices(g.k(), ones))).or_insert(0) += 1;
    }
    control.advance(all);
    Some(cells)
}

/// One message of this weight, uniformly: the first places of a random order.
fn one(
    g: &AllocationMatrix,
    loads: &[usize],
    weight: usize,
    order: &mut [usize],
    random: &mut ChaCha8Rng,
) -> Cell {
    let k = order.len();
    for place in 0..weight {
        let other = place + below((k - place) as u64, random) as usize;
        order.swap(place, other);
    }
    cell(g, loads, &Message::from_indices(k, order[..weight].iter().copied()))
}

fn cell(g: &AllocationMatrix, loads: &[usize], message: &Message) -> Cell {
    let mut cell = Cell { above: 0, tied: 0 };
    for (j, &load) in loads.iter().enumerate() {
        let seen = 2 * g.ones_seen(j, message);
        cell.above += usize::from(seen > load);
        cell.tied += usize::from(seen == load);
    }
    cell
}

/// A uniform number below `bound` (Lemire's multiplication, with rejection).
fn below(bound: u64, random: &mut ChaCha8Rng) -> u64 {
    loop {
        let wide = u128::from(random.next_u64()) * u128::from(bound);
        if (wide as u64) >= bound.wrapping_neg() % bound {
            return (wide >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partition i is held by 2^i workers alone, so the number of won workers names the message.
    #[test]
    fn a_drawn_message_is_uniform_and_independent_of_the_order_before() {
        let holder = |j: usize| (j + 1).ilog2() as usize;
        let Ok(g) = AllocationMatrix::from_fn(31, 5, |j, i| holder(j) == i) else { panic!("31 × 5") };
        let loads = g.worker_loads();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut found: BTreeMap<usize, u64> = BTreeMap::new();
        for _ in 0..20_000 {
            let mut order = [0, 1, 2, 3, 4];
            let cell = one(&g, &loads, 2, &mut order, &mut random);
            assert_eq!(cell.tied, 0);
            *found.entry(cell.above).or_default() += 1;
        }
        // 2000 of each of the 10 messages; the standard deviation is 42.
        assert_eq!(found.len(), 10);
        assert!(
            found.iter().all(|(above, count)| above.count_ones() == 2 && count.abs_diff(2000) < 200),
            "{found:?}"
        );
    }
}
