//! Randomness by counter: every random number of a run is a function of (seed, purpose, step, index), so
//! that a run can continue anywhere without any generator's state having been saved.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng as _};

/// What random numbers are for. Each purpose has streams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Initial parameters.
    Initial = 1,
    /// The order of the training samples in an epoch.
    Order = 2,
    /// Gaussian noise on a partition's gradient.
    Noise = 3,
    /// What a Byzantine worker sends.
    Attack = 4,
    /// Which workers are Byzantine.
    ByzantineSet = 5,
    /// Crops and flips of images.
    Augmentation = 6,
    /// Made-up data.
    Synthetic = 7,
    /// Messages on which the worst Byzantine set is looked for.
    WorstSet = 8,
    /// Which workers hold which partitions, and who helps.
    Assignment = 9,
    /// What an aggregator draws: buckets, coordinates.
    Aggregation = 10,
    /// Which partition holds which training samples.
    Split = 11,
    /// Which training samples are held out for validation.
    Validation = 16,
}

/// Steps are below this: a stream's number has 40 bits for them.
pub(super) const STEPS: u64 = 1 << 40;

/// Indices within a step are below this.
const INDICES: usize = 1 << 16;

/// The stream for a purpose at a step (below 2^40) and an index within it (below 2^16): ChaCha8, key from
/// the seed, stream number from the rest.
///
/// # Panics
/// When step or index is beyond its bound: two streams would be one. A configuration's steps are below the bound,
/// and a matrix has at most 4096 workers and partitions.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, step: u64, index: usize) -> ChaCha8Rng {
    assert!(step < STEPS && index < INDICES, "step {step}, index {index}: no stream has these numbers");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((purpose as u64) << 56 | (index as u64) << 40 | step);
    random
}

/// A uniform number in \[0, 1), a multiple of 2^-24.
#[cfg(feature = "tch")]
pub(super) fn unit(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// A uniform number in `0..bound` (bias below 2^-64 · bound).
pub(super) fn below(random: &mut impl Rng, bound: usize) -> usize {
    ((u128::from(random.next_u64()) * bound as u128) >> 64) as usize
}

/// A uniform permutation of `0..len` (Fisher and Yates).
#[must_use]
pub(super) fn permutation(random: &mut ChaCha8Rng, len: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    for place in (1..len).rev() {
        order.swap(place, below(random, place + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_functions_of_their_four_numbers() {
        let first = |seed, purpose, step, index| stream(seed, purpose, step, index).next_u64();
        let base = first(1, Purpose::Noise, 2, 3);
        assert_eq!(base, first(1, Purpose::Noise, 2, 3));
        for other in [
            first(2, Purpose::Noise, 2, 3),
            first(1, Purpose::Attack, 2, 3),
            first(1, Purpose::Noise, 3, 3),
            first(1, Purpose::Noise, 2, 4),
        ] {
            assert_ne!(base, other);
        }
    }

    /// Two streams are never one: what does not fit is refused, also at the very edge.
    #[test]
    fn numbers_beyond_the_bounds_are_refused() {
        let _ = stream(0, Purpose::Noise, STEPS - 1, INDICES - 1);
        for (step, index) in [(STEPS, 0), (0, INDICES)] {
            assert!(std::panic::catch_unwind(|| stream(0, Purpose::Noise, step, index)).is_err());
        }
    }

    #[test]
    fn permutations_hold_every_index_once() {
        let mut order = permutation(&mut stream(5, Purpose::Order, 0, 0), 1000);
        assert_ne!(order[..5], [0, 1, 2, 3, 4]);
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..1000));
    }
}
