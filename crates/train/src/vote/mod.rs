//! Votes on packed signs: every worker's majority over its partitions, what liars make of theirs, and the
//! server's majority, 512 coordinates at a time.
//!
//! # What is promised
//! - On every coordinate the result is that of [`honest_vote`](ecode_core::honest_vote) and
//!   [`decode`](ecode_core::decode), under every tie rule.
//! - The messages are read from memory once and nothing but the result is written. docs/performance.md says how near a
//!   round is to the time that the reading alone takes.

mod apart;
mod plan;
mod round;

use std::collections::HashMap;

use crate::bits::Bits;
use ecode_core::{AllocationMatrix, TieRule};

pub use ecode_lanes::Instructions;

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
    /// The first worker with equal partitions.
    same: Vec<usize>,
    k: usize,
    ties: TieRule,
}

impl VoteEngine {
    /// The engine for a matrix.
    #[must_use]
    pub fn new(g: &AllocationMatrix, ties: TieRule) -> Self {
        let rows: Vec<Vec<usize>> = (0..g.n()).map(|j| g.support(j).collect()).collect();
        let mut first = HashMap::new();
        let same = rows.iter().enumerate().map(|(j, row)| *first.entry(row).or_insert(j)).collect();
        Self { same, rows, k: g.k(), ties }
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

    /// Whether worker j's honest vote is the majority itself: it holds all partitions, and their number is odd.
    pub(crate) fn holds_all(&self, j: usize) -> bool {
        self.rows[j].len() == self.k && self.k % 2 == 1
    }

    /// k.
    #[cfg(feature = "grpc")]
    pub(crate) fn partitions(&self) -> usize {
        self.k
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
}
