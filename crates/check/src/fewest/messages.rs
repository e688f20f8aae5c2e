//! The messages of weight t, and which of them win a row, as bit sets.

pub(super) struct Messages {
    all: Vec<u16>,
    /// For each row, a stretch of words: a bit for each message.
    wins: Vec<u64>,
    words: usize,
}

/// How many messages are in a set.
pub(super) fn many(set: &[u64]) -> u64 {
    set.iter().map(|word| u64::from(word.count_ones())).sum()
}

impl Messages {
    /// For n ≤ 15.
    pub(super) fn new(n: usize) -> Self {
        let t = n / 2;
        let messages: Vec<u16> =
            (0..1_u16 << n).filter(|message| message.count_ones() as usize == t).collect();
        let words = messages.len().div_ceil(64);
        let wins = (0..1_u16 << n).flat_map(|row| {
            let won = |message: &u16| 2 * (message & row).count_ones() >= row.count_ones();
            set(&messages, won)
        });
        Self { wins: wins.collect(), all: messages, words }
    }

    /// The messages of which something is true.
    pub(super) fn those(&self, is: impl Fn(u16) -> bool) -> Vec<u64> {
        set(&self.all, |&message| is(message))
    }

    fn of(&self, row: u16) -> &[u64] {
        &self.wins[usize::from(row) * self.words..][..self.words]
    }

    /// How many messages of a set win a row.
    pub(super) fn wins_among(&self, row: u16, class: &[u64]) -> u64 {
        self.of(row).iter().zip(class).map(|(wins, class)| u64::from((wins & class).count_ones())).sum()
    }

    /// Whether some message of a set wins a row.
    pub(super) fn wins_one(&self, row: u16, class: &[u64]) -> bool {
        self.of(row).iter().zip(class).any(|(wins, class)| wins & class != 0)
    }

    /// The messages that win at least so many of the rows.
    pub(super) fn won_by(&self, rows: &[u16], least: usize) -> Vec<u64> {
        // reached[c]: the messages that win at least c of the rows so far.
        let mut reached = vec![vec![0; self.words]; least + 1];
        reached[0] = self.those(|_| true);
        for &row in rows {
            for c in (0..least).rev() {
                for (word, wins) in self.of(row).iter().enumerate() {
                    let more = reached[c][word] & wins;
                    reached[c + 1][word] |= more;
                }
            }
        }
        reached.swap_remove(least)
    }
}

fn set(messages: &[u16], is: impl Fn(&u16) -> bool) -> Vec<u64> {
    let word = |messages: &[u16]| {
        messages.iter().enumerate().fold(0, |word, (at, message)| word | u64::from(is(message)) << at)
    };
    messages.chunks(64).map(word).collect()
}
