//! What liars draw.

use rand_chacha::rand_core::Rng as _;

use crate::bits::Bits;
use crate::random::{Purpose, stream};

/// Fair coins of a Byzantine worker in a step.
#[must_use]
pub(crate) fn coins(d: usize, seed: u64, step: u64, worker: usize) -> Bits {
    let mut random = stream(seed, Purpose::Attack, step, worker);
    let mut bits = Bits::zeros(d);
    for word in bits.words_mut() {
        *word = random.next_u64();
    }
    bits.clear_padding();
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coins are fair, differ by worker and step, and leave no bit beyond the last coordinate.
    #[test]
    fn coins_are_fair() {
        let d = 10_007;
        let ones = coins(d, 1, 2, 3).count();
        assert!((4_700..5_300).contains(&ones), "{ones}");
        assert_ne!(coins(d, 1, 2, 3), coins(d, 1, 2, 4));
        assert_ne!(coins(d, 1, 2, 3), coins(d, 1, 3, 3));
        assert_eq!(coins(d, 1, 2, 3).words()[d / 64] >> (d % 64), 0);
    }
}
