//! How votes fall: the cells that messages are counted by.

use ecode_core::TieRule;

/// How the votes on some messages fall, before a tie rule is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Workers that see more ones than zeros.
    pub above: usize,
    /// Workers that see as many ones as zeros.
    pub tied: usize,
}

impl Cell {
    /// How many of n honest workers vote `answer`, and how many send nothing, under a tie rule.
    /// Under `adversarial` a tied worker never votes for the answer that is asked about.
    #[must_use]
    pub fn votes(self, n: usize, ties: TieRule, answer: bool) -> (usize, usize) {
        let clear = if answer { self.above } else { n - self.above - self.tied };
        match ties {
            TieRule::Adversarial => (clear, 0),
            TieRule::Zero => (clear + if answer { 0 } else { self.tied }, 0),
            TieRule::One => (clear + if answer { self.tied } else { 0 }, 0),
            TieRule::Abstain => (clear, self.tied),
        }
    }

    /// How many liars it takes *more than* to keep the server from decoding `answer`: b of them can exactly
    /// when b exceeds this (docs/theory.md, Theorem 1). Negative where nobody needs to lie.
    #[must_use]
    pub fn margin(self, n: usize, ties: TieRule, answer: bool) -> i64 {
        let (right, silent) = self.votes(n, ties, answer);
        let wrong = n - right - silent;
        (right as i64 - wrong as i64 - i64::from(answer)).div_euclid(2)
    }
}

/// The answer that is correct on messages of this weight: 1 for more than half.
#[must_use]
pub fn majority_of_weight(k: usize, weight: usize) -> bool {
    2 * weight > k
}
