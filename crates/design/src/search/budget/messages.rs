//! The messages over which votes are counted, as columns of bits: all of small weight, or some of each weight.
//!
//! # How
//! Messages stand sorted by weight, each weight in blocks of its own, padded with the message 0 on which no worker is
//! wrong. A message and its complement turn complementary sets of workers, since all loads are odd, so that only
//! weights up to k/2 are listed.

use std::ops::Range;

use ecode_lanes::Lanes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::loss::choose;

/// All messages are counted for up to so many partitions: 2^24 of them with their complements, 52 MB of columns.
pub(super) const MOST_COUNTED: usize = 25;

/// The messages of one weight.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) weight: usize,
    pub(super) blocks: Range<usize>,
    /// How many messages are listed.
    pub(super) listed: u64,
    /// How many there are for each that is listed.
    pub(super) each: f64,
}

/// Messages of the weights 0 to at most k/2.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    pub(super) k: usize,
    pub(super) blocks: usize,
    pub(super) classes: Vec<Class>,
    /// `[i·blocks + block]`: where partition i is wrong.
    columns: Vec<Lanes>,
}

impl Messages {
    /// The messages of weights up to `last`: all, or at most `most` random ones of each weight.
    pub(super) fn new(k: usize, last: usize, most: u64, seed: u64) -> Self {
        let mut classes = Vec::new();
        let mut blocks = 0;
        for weight in 0..=last.min(k / 2) {
            let all = choose(k, weight);
            let listed = if all <= most as f64 { all as u64 } else { most };
            let here = listed.div_ceil(Lanes::COUNT as u64) as usize;
            classes.push(Class { weight, blocks: blocks..blocks + here, listed, each: all / listed as f64 });
            blocks += here;
        }
        let mut messages = Self { k, blocks, classes, columns: vec![Lanes::ZERO; k * blocks] };
        for at in 0..messages.classes.len() {
            let Class { weight, ref blocks, listed, .. } = messages.classes[at];
            let first = blocks.start * Lanes::COUNT;
            if choose(k, weight) <= most as f64 {
                let mut ones: Vec<usize> = (0..weight).collect();
                for place in first..first + listed as usize {
                    messages.put(place, &ones);
                    following(&mut ones, k);
                }
            } else {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(weight as u64);
                let mut order: Vec<usize> = (0..k).collect();
                for place in first..first + listed as usize {
                    for i in 0..weight {
                        order.swap(i, i + below(&mut random, k - i));
                    }
                    messages.put(place, &order[..weight]);
                }
            }
        }
        messages
    }

    fn put(&mut self, place: usize, ones: &[usize]) {
        for &i in ones {
            self.columns[i * self.blocks + place / Lanes::COUNT].set(place % Lanes::COUNT);
        }
    }

    /// The columns of some blocks: column i starts at the place that [`Self::start`] gives.
    pub(super) fn columns(&self, blocks: &Range<usize>) -> &[Lanes] {
        &self.columns[blocks.start..]
    }

    /// Where column i starts.
    pub(super) fn start(&self, i: usize) -> u32 {
        (i * self.blocks) as u32
    }
}

/// The next set of as many numbers below k, in the order of its largest element, then the next one, and so on.
fn following(ones: &mut [usize], k: usize) {
    let count = ones.len();
    for at in 0..count {
        let room = if at + 1 < count { ones[at + 1] } else { k };
        if ones[at] + 1 < room {
            ones[at] += 1;
            for (low, one) in ones[..at].iter_mut().enumerate() {
                *one = low;
            }
            return;
        }
    }
}

/// A uniform number below `bound`, which is at most 2^32: off by less than 2^−32.
pub(super) fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    (((random.next_u64() >> 32) * bound as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(messages: &Messages, class: &Class) -> Vec<u64> {
        let first = class.blocks.start * Lanes::COUNT;
        let bit = |i: usize, place: usize| {
            messages.columns[i * messages.blocks + place / 512].0[place % 512 / 64] >> (place % 64) & 1
        };
        let message = |place: usize| (0..messages.k).map(|i| bit(i, place) << i).sum();
        (first..first + class.listed as usize).map(message).collect()
    }

    #[test]
    fn every_message_of_a_weight_is_listed_once() {
        for k in [1, 2, 5, 10, 15] {
            let messages = Messages::new(k, k / 2, u64::MAX, 0);
            for class in &messages.classes {
                let mut all = listed(&messages, class);
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), choose(k, class.weight) as usize, "{k} {class:?}");
                assert!(all.iter().all(|message| message.count_ones() as usize == class.weight));
            }
        }
    }

    #[test]
    fn drawn_messages_have_their_weight_and_stand_for_all() {
        let messages = Messages::new(40, 6, 1000, 3);
        for class in &messages.classes {
            let drawn = listed(&messages, class);
            assert!(drawn.iter().all(|message| message.count_ones() as usize == class.weight));
            assert!((class.each * class.listed as f64 / choose(40, class.weight) - 1.0).abs() < 1e-12);
        }
        assert_eq!(messages.classes[6].listed, 1000);
        assert_eq!(messages.classes[2].listed, 780);
    }
}
