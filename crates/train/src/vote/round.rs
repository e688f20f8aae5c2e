//! A round of votes where all messages are known: every worker's majority over its partitions, what liars make of
//! theirs, and the server's majority.

use rayon::prelude::*;

use super::block::{ALL, NONE, and, load, not, or, real, xor};
use super::counter::{Counter, worker};
use super::{Conduct, Decoded, VoteEngine};
use crate::bits::{BLOCK, Bits};
use ecode_core::TieRule;

/// Blocks that one task takes: 65,536 coordinates, small enough for the cache beside the others.
const BLOCKS: usize = 128;

/// Some of the coordinates of a round: whole blocks from word `first` on, of which the last `padding`
/// coordinates do not exist and come out as zero.
#[derive(Clone, Copy)]
struct Task<'a> {
    messages: &'a [Bits],
    conduct: &'a [Conduct<'a>],
    first: usize,
    padding: usize,
}

/// Which instructions a round is computed by. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instructions {
    /// Those that every processor has.
    Portable,
    /// AVX2, 256 bits at once.
    Avx2,
    /// AVX-512F, 512 bits at once.
    Avx512,
}

impl Instructions {
    /// Those of this processor, the widest last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f") {
                all.push(Self::Avx512);
            }
        }
        all
    }

    fn widest() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }
}

impl VoteEngine {
    /// One whole round: `messages` are the k messages, `conduct` says what each of the n workers does.
    ///
    /// # Panics
    /// When there are not k messages and n workers, or lengths differ.
    #[must_use]
    pub fn round(&self, messages: &[Bits], conduct: &[Conduct<'_>]) -> Decoded {
        self.round_with(Instructions::widest(), messages, conduct)
    }

    /// The same by chosen instructions: for tests, which take all that there are, and for measurements.
    ///
    /// # Panics
    /// As [`Self::round`], and when this processor does not have the instructions.
    #[must_use]
    pub fn round_with(
        &self,
        instructions: Instructions,
        messages: &[Bits],
        conduct: &[Conduct<'_>],
    ) -> Decoded {
        assert!(Instructions::available().contains(&instructions), "{instructions:?} is not here");
        assert_eq!((messages.len(), conduct.len()), (self.k, self.rows.len()), "k messages, n workers");
        let d = messages.first().map_or(0, Bits::len);
        assert!(messages.iter().all(|message| message.len() == d), "messages of one length");
        for (row, conduct) in self.rows.iter().zip(conduct) {
            match conduct {
                Conduct::Sends(bits) => assert_eq!(bits.len(), d, "one bit a coordinate"),
                Conduct::Instead(other) => {
                    assert!(row.iter().all(|&i| other[i].len() == d), "messages of one length");
                }
                _ => {}
            }
        }
        let mut negative = Bits::zeros(d);
        let mut tied = Bits::zeros(d);
        let tasks = negative.words_mut().par_chunks_mut(BLOCK * BLOCKS);
        let wrong = tasks
            .zip(tied.words_mut().par_chunks_mut(BLOCK * BLOCKS))
            .enumerate()
            .map(|(task, (negative, tied))| {
                let first = task * BLOCK * BLOCKS;
                let padding = (64 * (first + negative.len())).saturating_sub(d);
                self.part_by(instructions, &Task { messages, conduct, first, padding }, negative, tied)
            })
            .sum();
        Decoded { negative, tied: self.can_tie().then_some(tied), wrong }
    }

    /// Runs [`Self::part`] compiled for some instructions, which this processor has.
    fn part_by(
        &self,
        instructions: Instructions,
        task: &Task<'_>,
        negative: &mut [u64],
        tied: &mut [u64],
    ) -> u64 {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `round_with` has made sure that the processor has AVX-512F.
            Instructions::Avx512 => unsafe { self.part_avx512(task, negative, tied) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `round_with` has made sure that the processor has AVX2.
            Instructions::Avx2 => unsafe { self.part_avx2(task, negative, tied) },
            _ => self.part(task, negative, tied),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn part_avx512(&self, task: &Task<'_>, negative: &mut [u64], tied: &mut [u64]) -> u64 {
        self.part(task, negative, tied)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn part_avx2(&self, task: &Task<'_>, negative: &mut [u64], tied: &mut [u64]) -> u64 {
        self.part(task, negative, tied)
    }

    /// Votes on the coordinates of a task, and returns how many were decoded wrong.
    #[inline(always)]
    fn part(&self, task: &Task<'_>, negative: &mut [u64], tied: &mut [u64]) -> u64 {
        let Task { messages, conduct, first, padding } = *task;
        let can_tie = self.can_tie();
        let mut wrong = 0;
        let (mut votes, mut inner) = (Counter::new(), Counter::new());
        let last = negative.len() / BLOCK - 1;
        let blocks = negative.as_chunks_mut::<BLOCK>().0.iter_mut().zip(tied.as_chunks_mut::<BLOCK>().0);
        for (place, (negative, tied)) in blocks.enumerate() {
            let at = first + place * BLOCK;
            // μ: the bit of a majority of the messages.
            inner.start(self.k / 2 + 1, self.k);
            for message in messages {
                inner.add(0, load(message, at));
            }
            let majority = inner.at_least();
            // Twice the ones plus the silent exceeds n exactly where the ones outnumber the zeros.
            let n = self.rows.len();
            if can_tie {
                votes.start(n + 1, 2 * n);
            } else {
                votes.start(n / 2 + 1, n);
            }
            for (row, conduct) in self.rows.iter().zip(conduct) {
                let source = if let Conduct::Instead(other) = conduct { other } else { messages };
                let (won, tie) = match conduct {
                    Conduct::Constant(_) | Conduct::Omniscient | Conduct::Sends(_) => (NONE, NONE),
                    _ => worker(row, source, at, &mut inner),
                };
                let (honest, silent) = match self.ties {
                    TieRule::Zero => (won, NONE),
                    TieRule::One => (or(won, tie), NONE),
                    TieRule::Adversarial => (or(won, and(tie, not(majority))), NONE),
                    TieRule::Abstain => (won, tie),
                };
                let (sent, silent) = match conduct {
                    Conduct::Honest | Conduct::Instead(_) => (honest, silent),
                    Conduct::Reverse => (not(or(honest, silent)), silent),
                    Conduct::Constant(bit) => (if *bit { ALL } else { NONE }, NONE),
                    Conduct::Omniscient => (not(majority), NONE),
                    Conduct::Sends(bits) => (load(bits, at), NONE),
                };
                if can_tie {
                    votes.add(1, sent);
                    if self.ties == TieRule::Abstain && row.len() % 2 == 0 {
                        votes.add(0, silent);
                    }
                } else {
                    votes.add(0, sent);
                }
            }
            let real = if place == last { real(padding) } else { ALL };
            let won = and(votes.at_least(), real);
            *negative = won;
            if can_tie {
                *tied = and(votes.just_below(), real);
            }
            for word in xor(won, and(majority, real)) {
                wrong += u64::from(word.count_ones());
            }
        }
        wrong
    }
}
