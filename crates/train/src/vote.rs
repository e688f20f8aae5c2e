//! Votes on packed signs: every worker's majority over its partitions, what liars make of theirs, and the
//! server's majority, 512 coordinates at a time.
//!
//! # What is promised
//! - On every coordinate the result is that of [`honest_vote`](ecode_core::honest_vote) and
//!   [`decode`](ecode_core::decode), under every tie rule.
//! - The messages are read once and nothing but the result is written: a round is close to as fast as its
//!   input can be read from memory (docs/performance.md).

use rayon::prelude::*;

use super::bits::{BLOCK, Bits};
use ecode_core::{AllocationMatrix, TieRule};

/// 512 coordinates.
type Block = [u64; BLOCK];

const NONE: Block = [0; BLOCK];
const ALL: Block = [u64::MAX; BLOCK];

/// Blocks that one task takes: 65,536 coordinates, small enough for the cache beside the others.
const BLOCKS: usize = 128;

/// A count of up to 4096 votes of weight 1 or 2 needs this many binary digits, and one to compare.
const DIGITS: usize = 15;

/// What a worker does with its vote.
#[derive(Clone, Copy, Debug, Default)]
pub enum Conduct<'a> {
    /// Sends it.
    #[default]
    Honest,
    /// Sends the opposite; a silent worker stays silent.
    Reverse,
    /// Always sends this bit.
    Constant(bool),
    /// Sends the opposite of the true majority μ.
    Omniscient,
    /// Sends these bits instead.
    Sends(&'a Bits),
    /// Votes over these messages instead, one a partition (partitions that it does not hold may be empty).
    Instead(&'a [Bits]),
}

/// A worker's vote: what it sends on each coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The bits sent, 1 for negative; 0 where silent.
    pub bits: Bits,
    /// Where it sends nothing, when that can happen at all: rule `abstain` with an even load.
    pub silent: Option<Bits>,
}

/// The server's decode of one round.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decoded {
    /// μ̂ as a bit: 1 where the negative votes outnumber the others.
    pub negative: Bits,
    /// Where as many voted one way as the other (`negative` is 0 there), when that can happen at all.
    pub tied: Option<Bits>,
    /// Coordinates on which `negative` is not the majority of the message; known where the messages are.
    pub wrong: u64,
}

impl Decoded {
    /// μ̂ as a number: −1, +1, or 0 on a tied vote.
    #[must_use]
    pub fn sign(&self, i: usize) -> f32 {
        match (self.negative.get(i), self.tied.as_ref().is_some_and(|tied| tied.get(i))) {
            (true, _) => -1.0,
            (false, true) => 0.0,
            (false, false) => 1.0,
        }
    }
}

/// Some of the coordinates of a round: whole blocks from word `first` on, of which the last `padding`
/// coordinates do not exist and come out as zero.
#[derive(Clone, Copy)]
struct Task<'a> {
    messages: &'a [Bits],
    conduct: &'a [Conduct<'a>],
    first: usize,
    padding: usize,
}

/// The votes of one allocation matrix under one tie rule.
///
/// ```
/// use ecode_core::TieRule;
/// use ecode_train::{Bits, Conduct, VoteEngine};
///
/// // Nine workers, one coordinate, partitions 0 to 3 negative: the majority is positive …
/// let g = ecode_design::construct::algorithm1(9, 2)?;
/// let messages: Vec<Bits> = (0..9).map(|i| Bits::from_fn(1, |_| i < 4)).collect();
/// let engine = VoteEngine::new(&g, TieRule::Abstain);
/// // … and stays so with two liars.
/// let mut conduct = [Conduct::Honest; 9];
/// (conduct[7], conduct[8]) = (Conduct::Reverse, Conduct::Omniscient);
/// let decoded = engine.round(&messages, &conduct);
/// assert_eq!((decoded.sign(0), decoded.wrong), (1.0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct VoteEngine {
    rows: Vec<Vec<usize>>,
    k: usize,
    ties: TieRule,
}

impl VoteEngine {
    /// The engine for a matrix.
    #[must_use]
    pub fn new(g: &AllocationMatrix, ties: TieRule) -> Self {
        Self { rows: (0..g.n()).map(|j| g.support(j).collect()).collect(), k: g.k(), ties }
    }

    /// Each worker's partitions.
    #[must_use]
    pub fn rows(&self) -> &[Vec<usize>] {
        &self.rows
    }

    /// What a tied worker does.
    #[must_use]
    pub fn ties(&self) -> TieRule {
        self.ties
    }

    /// Whether worker j can have nothing to send: rule `abstain` with an even load.
    #[must_use]
    pub fn can_be_silent(&self, j: usize) -> bool {
        self.ties == TieRule::Abstain && self.rows[j].len() % 2 == 0
    }

    /// Whether the server's vote can tie.
    #[must_use]
    pub fn can_tie(&self) -> bool {
        self.rows.len() % 2 == 0 || (0..self.rows.len()).any(|j| self.can_be_silent(j))
    }

    /// One whole round: `messages` are the k messages, `conduct` says what each of the n workers does.
    ///
    /// # Panics
    /// When there are not k messages and n workers, or lengths differ.
    #[must_use]
    pub fn round(&self, messages: &[Bits], conduct: &[Conduct<'_>]) -> Decoded {
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
                self.widest(&Task { messages, conduct, first, padding }, negative, tied)
            })
            .sum();
        Decoded { negative, tied: self.can_tie().then_some(tied), wrong }
    }

    /// Runs [`Self::part`] compiled for the widest registers that this processor has.
    fn widest(&self, task: &Task<'_>, negative: &mut [u64], tied: &mut [u64]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor has AVX-512F.
                return unsafe { self.part_avx512(task, negative, tied) };
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2.
                return unsafe { self.part_avx2(task, negative, tied) };
            }
        }
        self.part(task, negative, tied)
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
    pub(super) fn vote_over(&self, j: usize, source: &[Bits], messages: &[Bits]) -> Vote {
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

    /// The server's decode of the n votes that it received; `wrong` is left at 0, as it sees no message.
    ///
    /// # Panics
    /// When there are not n votes of one length.
    #[must_use]
    pub fn decode(&self, votes: &[Vote]) -> Decoded {
        let n = self.rows.len();
        assert_eq!(votes.len(), n, "a vote a worker");
        let d = votes[0].bits.len();
        let (mut negative, mut tied) = (Bits::zeros(d), Bits::zeros(d));
        let mut counter = Counter::new();
        let blocks = negative.words_mut().as_chunks_mut::<BLOCK>().0.iter_mut();
        for (place, (negative, tied)) in blocks.zip(tied.words_mut().as_chunks_mut::<BLOCK>().0).enumerate() {
            counter.start(n + 1, 2 * n);
            for vote in votes {
                let silent = vote.silent.as_ref().map_or(NONE, |silent| load(silent, place * BLOCK));
                counter.add(1, and(load(&vote.bits, place * BLOCK), not(silent)));
                counter.add(0, silent);
            }
            *negative = counter.at_least();
            *tied = counter.just_below();
        }
        negative.clear_padding();
        tied.clear_padding();
        let can_tie = n % 2 == 0 || votes.iter().any(|vote| vote.silent.is_some());
        Decoded { negative, tied: can_tie.then_some(tied), wrong: 0 }
    }
}

/// Where a worker's partitions have a majority of ones, and where they tie.
#[inline(always)]
fn worker(row: &[usize], messages: &[Bits], at: usize, counter: &mut Counter) -> (Block, Block) {
    match *row {
        [] => (NONE, ALL),
        [x] => (load(&messages[x], at), NONE),
        [x, y] => {
            let (x, y) = (load(&messages[x], at), load(&messages[y], at));
            (and(x, y), xor(x, y))
        }
        [x, y, z] => {
            let (x, y, z) = (load(&messages[x], at), load(&messages[y], at), load(&messages[z], at));
            (or(and(x, y), and(z, or(x, y))), NONE)
        }
        _ => {
            counter.start(row.len() / 2 + 1, row.len());
            for &i in row {
                counter.add(0, load(&messages[i], at));
            }
            (counter.at_least(), if row.len() % 2 == 0 { counter.just_below() } else { NONE })
        }
    }
}

/// Counts votes on 512 coordinates at once, in binary, one block a digit, by carry-save adders: of three
/// blocks of one weight, two are left, so that a vote costs about five operations whatever their number.
///
/// The count starts at 2^top − threshold, so that digit `top` is 1 exactly where the threshold is met.
struct Counter {
    digits: [Block; DIGITS],
    /// A block of this weight that waits for a second one.
    waiting: [Block; DIGITS],
    waits: u32,
    top: usize,
}

impl Counter {
    fn new() -> Self {
        Self { digits: [NONE; DIGITS], waiting: [NONE; DIGITS], waits: 0, top: 0 }
    }

    /// Starts to count up to `most` against a threshold of at least 1.
    #[inline(always)]
    fn start(&mut self, threshold: usize, most: usize) {
        let room = threshold.max(most.saturating_sub(threshold) + 1);
        self.top = room.next_power_of_two().trailing_zeros() as usize;
        let offset = (1 << self.top) - threshold;
        for digit in 0..=self.top {
            self.digits[digit] = if offset >> digit & 1 == 1 { ALL } else { NONE };
        }
        self.waits = 0;
    }

    /// Adds 2^digit on the coordinates of a block.
    #[inline(always)]
    fn add(&mut self, mut digit: usize, mut block: Block) {
        while self.waits >> digit & 1 == 1 {
            self.waits &= !(1 << digit);
            let sum = self.digits[digit];
            let two = xor(sum, block);
            let carry = or(and(sum, block), and(two, self.waiting[digit]));
            self.digits[digit] = xor(two, self.waiting[digit]);
            if digit == self.top {
                return;
            }
            block = carry;
            digit += 1;
        }
        self.waiting[digit] = block;
        self.waits |= 1 << digit;
    }

    /// Adds what waits, and says where the threshold is met.
    #[inline(always)]
    fn at_least(&mut self) -> Block {
        let mut carry = NONE;
        let mut carries = false;
        for digit in 0..=self.top {
            let sum = self.digits[digit];
            let waits = self.waits >> digit & 1 == 1;
            let block = self.waiting[digit];
            let (rest, next) = match (waits, carries) {
                (false, false) => continue,
                (true, false) => (xor(sum, block), and(sum, block)),
                (false, true) => (xor(sum, carry), and(sum, carry)),
                (true, true) => {
                    let two = xor(sum, block);
                    (xor(two, carry), or(and(sum, block), and(two, carry)))
                }
            };
            self.digits[digit] = rest;
            (carry, carries) = (next, true);
        }
        self.waits = 0;
        self.digits[self.top]
    }

    /// After [`Self::at_least`]: where the count is the threshold less one.
    #[inline(always)]
    fn just_below(&self) -> Block {
        let mut low = not(self.digits[self.top]);
        for digit in 0..self.top {
            low = and(low, self.digits[digit]);
        }
        low
    }
}

// Plain loops: a closure that is not inlined would be compiled for the narrowest registers.

#[inline(always)]
fn load(bits: &Bits, at: usize) -> Block {
    let mut block = NONE;
    block.copy_from_slice(&bits.words()[at..at + BLOCK]);
    block
}

#[inline(always)]
fn and(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] &= b[lane];
    }
    a
}

#[inline(always)]
fn or(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] |= b[lane];
    }
    a
}

#[inline(always)]
fn xor(mut a: Block, b: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] ^= b[lane];
    }
    a
}

#[inline(always)]
fn not(mut a: Block) -> Block {
    for lane in 0..BLOCK {
        a[lane] = !a[lane];
    }
    a
}

/// Ones on all coordinates of a block but the last `padding`.
fn real(padding: usize) -> Block {
    let held = 64 * BLOCK - padding;
    std::array::from_fn(|lane| match held.saturating_sub(64 * lane) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}
