//! The messages that matter, and which of them win a row, as bit sets.

/// The messages of weight t, and for each row the set of those that win it.
pub(super) struct Messages {
    words: usize,
    wins: Vec<u64>,
}

impl Messages {
    pub(super) fn new(n: usize) -> Self {
        let t = (n - 1) / 2;
        let messages: Vec<u16> = (0..1_u16 << n).filter(|m| m.count_ones() as usize == t).collect();
        let words = messages.len().div_ceil(64);
        let mut wins = vec![0; words << n];
        for row in 0..1_usize << n {
            for (x, message) in messages.iter().enumerate() {
                let won = 2 * (row as u16 & message).count_ones() >= (row as u16).count_ones();
                wins[row * words + x / 64] |= u64::from(won) << (x % 64);
            }
        }
        Self { words, wins }
    }

    /// The messages with j of these partitions.
    pub(super) fn with(&self, n: usize, partitions: u16, j: usize) -> Vec<u64> {
        let mut set = vec![0; self.words];
        let messages = (0..1_u16 << n).filter(|m| m.count_ones() as usize == (n - 1) / 2);
        for (x, _) in messages.enumerate().filter(|(_, m)| (m & partitions).count_ones() as usize == j) {
            set[x / 64] |= 1 << (x % 64);
        }
        set
    }

    pub(super) fn of(&self, row: u16) -> &[u64] {
        &self.wins[usize::from(row) * self.words..][..self.words]
    }

    /// The messages that win at least `budget` of the rows.
    pub(super) fn tight(&self, rows: &[u16], budget: usize) -> Vec<u64> {
        // more[c] holds the messages that win more than c of the rows so far.
        let mut more = vec![vec![0_u64; self.words]; budget];
        for &row in rows {
            let mut carry = self.of(row).to_vec();
            for level in &mut more {
                for (held, carry) in level.iter_mut().zip(&mut carry) {
                    let both = *held & *carry;
                    *held |= *carry;
                    *carry = both;
                }
            }
        }
        more.pop().unwrap_or_else(|| vec![u64::MAX; self.words])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tight_messages_are_those_that_win_the_budget() {
        let messages = Messages::new(7);
        let rows = [0b1, 0b111, 0b1_1100, 0b111_1110, 0];
        let all: Vec<u16> = (0..128_u16).filter(|m| m.count_ones() == 3).collect();
        for budget in 0..=4 {
            let tight = messages.tight(&rows, budget);
            for (x, message) in all.iter().enumerate() {
                let won =
                    rows.iter().filter(|&row| 2 * (row & message).count_ones() >= row.count_ones()).count();
                assert_eq!(tight[x / 64] >> (x % 64) & 1 == 1, won >= budget, "budget {budget}, {message:b}");
            }
        }
    }
}
