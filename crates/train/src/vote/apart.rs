//! Votes where every worker is a process of its own: each computes its own, and the server sees nothing else.

use std::borrow::Borrow;

use super::block::{NONE, and, load, not, or};
use super::counter::{Counter, worker};
use super::{Decoded, Vote, VoteEngine};
use crate::bits::{BLOCK, Bits};
use ecode_core::TieRule;

impl VoteEngine {
    /// The honest vote of worker j alone, as a deployment computes it.
    ///
    /// Rule `adversarial` looks at all messages for the majority that a tied worker opposes; under the other
    /// rules partitions that j does not hold may be empty.
    #[must_use]
    pub fn worker_vote(&self, j: usize, messages: &[Bits]) -> Vote {
        self.vote_over(j, messages, messages)
    }

    /// The vote of worker j over other messages than the true ones, whose majority a tied worker opposes under
    /// rule `adversarial`.
    pub(crate) fn vote_over(&self, j: usize, source: &[Bits], messages: &[Bits]) -> Vote {
        let row = &self.rows[j];
        let d = row.first().map_or_else(|| messages.first().map_or(0, Bits::len), |&i| source[i].len());
        let (mut bits, mut silent) = (Bits::zeros(d), Bits::zeros(d));
        let mut counter = Counter::new();
        let blocks = bits.words_mut().as_chunks_mut::<BLOCK>().0.iter_mut();
        for (place, (bits, silent)) in blocks.zip(silent.words_mut().as_chunks_mut::<BLOCK>().0).enumerate() {
            let (won, tie) = worker(row, source, place * BLOCK, &mut counter);
            *bits = match self.ties {
                TieRule::Zero | TieRule::Abstain => won,
                TieRule::One => or(won, tie),
                TieRule::Adversarial if row.len() % 2 == 1 => won,
                TieRule::Adversarial => {
                    counter.start(self.k / 2 + 1, self.k);
                    for message in messages {
                        counter.add(0, load(message, place * BLOCK));
                    }
                    or(won, and(tie, not(counter.at_least())))
                }
            };
            *silent = tie;
        }
        bits.clear_padding();
        silent.clear_padding();
        Vote { bits, silent: self.can_be_silent(j).then_some(silent) }
    }

    /// μ: where a majority of all k messages is negative; a tie is not.
    #[must_use]
    pub fn majority(&self, messages: &[Bits]) -> Bits {
        let mut bits = Bits::zeros(messages.first().map_or(0, Bits::len));
        let mut counter = Counter::new();
        for (place, bits) in bits.words_mut().as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            counter.start(self.k / 2 + 1, self.k);
            for message in messages {
                counter.add(0, load(message, place * BLOCK));
            }
            *bits = counter.at_least();
        }
        bits.clear_padding();
        bits
    }

    /// The server's decode of d coordinates from the votes that it received; a vote that is missing is silence
    /// everywhere. `wrong` is left at 0, as it sees no message.
    ///
    /// # Panics
    /// When there are not n places for votes, or a vote has not d coordinates.
    #[must_use]
    pub fn decode<V: Borrow<Vote>>(&self, d: usize, votes: &[Option<V>]) -> Decoded {
        let n = self.rows.len();
        assert_eq!(votes.len(), n, "a place a worker");
        let present: Vec<&Vote> = votes.iter().flatten().map(Borrow::borrow).collect();
        assert!(present.iter().all(|vote| vote.bits.len() == d), "votes on d coordinates");
        let (mut negative, mut tied) = (Bits::zeros(d), Bits::zeros(d));
        let mut counter = Counter::new();
        let blocks = negative.words_mut().as_chunks_mut::<BLOCK>().0.iter_mut();
        for (place, (negative, tied)) in blocks.zip(tied.words_mut().as_chunks_mut::<BLOCK>().0).enumerate() {
            // Twice the ones and the silent, against all that may be.
            counter.start(present.len() + 1, 2 * present.len().max(1));
            for vote in &present {
                let silent = vote.silent.as_ref().map_or(NONE, |silent| load(silent, place * BLOCK));
                counter.add(1, and(load(&vote.bits, place * BLOCK), not(silent)));
                counter.add(0, silent);
            }
            *negative = counter.at_least();
            *tied = counter.just_below();
        }
        negative.clear_padding();
        tied.clear_padding();
        let can_tie = present.len() % 2 == 0 || present.iter().any(|vote| vote.silent.is_some());
        Decoded { negative, tied: can_tie.then_some(tied), wrong: 0 }
    }
}
