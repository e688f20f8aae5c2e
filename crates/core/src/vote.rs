//! What a message does to the votes, by the definitions: one worker's vote, the server's decode, the margin of one
//! message, and an attack on it.
//!
//! # What is promised
//! A [`Counterexample`] that [`replays`](Counterexample::replays) is a wrong decode: each of its fields is computed
//! again from the definitions.
//!
//! # References
//! Propositions 2 and 3 of the paper; Theorem 1 of docs/theory.md.

use std::fmt;
use std::str::FromStr;

use super::bits::{Message, Workers};
use super::matrix::AllocationMatrix;

/// What an honest worker sends when its vote ties: half of its partitions are ones, or it holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TieRule {
    /// A tied worker sends the wrong bit, whatever the correct answer is. What is tolerant under this rule is so under
    /// the other three (Theorem 5 of docs/theory.md).
    #[default]
    Adversarial,
    /// A tied worker sends bit 0, as the paper's formula 1{2·Σm > weight} does.
    Zero,
    /// A tied worker sends bit 1.
    One,
    /// A tied worker sends nothing. The server counts the others only.
    Abstain,
}

impl TieRule {
    /// The four rules, the default first.
    pub const ALL: [Self; 4] = [Self::Adversarial, Self::Zero, Self::One, Self::Abstain];

    /// The rule's name in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adversarial => "adversarial",
            Self::Zero => "zero",
            Self::One => "one",
            Self::Abstain => "abstain",
        }
    }
}

impl fmt::Display for TieRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the four tie rules'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown tie rule '{0}': expected adversarial, zero, one or abstain")]
pub struct UnknownTieRule(String);

impl FromStr for TieRule {
    type Err = UnknownTieRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|rule| rule.name() == text).ok_or_else(|| UnknownTieRule(text.to_owned()))
    }
}

/// μ, the majority of the message: 1 when more than half of its k bits are 1. A tie is 0.
#[must_use]
pub fn majority(message: &Message) -> bool {
    2 * message.count() > message.len()
}

/// c_j, what honest worker j sends on a message: a bit, or nothing (`None`, rule `abstain` only).
#[must_use]
pub fn honest_vote(g: &AllocationMatrix, ties: TieRule, j: usize, message: &Message) -> Option<bool> {
    vote(g, ties, j, message, majority(message))
}

/// The same where the correct answer is given: the rule `adversarial` speaks against it.
fn vote(g: &AllocationMatrix, ties: TieRule, j: usize, message: &Message, correct: bool) -> Option<bool> {
    let (seen, load) = (2 * g.ones_seen(j, message), g.worker_load(j));
    if seen != load {
        return Some(seen > load);
    }
    match ties {
        TieRule::Adversarial => Some(!correct),
        TieRule::Zero => Some(false),
        TieRule::One => Some(true),
        TieRule::Abstain => None,
    }
}

/// μ̂, the server's decode of what it received: 1 when the ones outnumber the zeros. A tie is 0.
#[must_use]
pub fn decode(received: &[Option<bool>]) -> bool {
    let ones = received.iter().filter(|&&bit| bit == Some(true)).count();
    let zeros = received.iter().filter(|&&bit| bit == Some(false)).count();
    ones > zeros
}

/// A message, and what it does to workers that are all honest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The message.
    pub message: Message,
    /// μ, the correct answer.
    pub correct: bool,
    /// The workers that send the wrong bit; W(m) is their number.
    pub wrong: Workers,
    /// The workers that send nothing (rule `abstain` only).
    pub silent: Workers,
    /// How many Byzantine workers this message survives; negative when it is decoded wrong with none.
    /// When no worker is silent, it is (largest number of wrong votes that is still decoded right) − W(m).
    pub margin: i64,
}

impl Outcome {
    /// Counts the votes on one message.
    ///
    /// Let R workers be right and W wrong. A Byzantine worker does most harm when it turns a right vote wrong, which
    /// lowers R − W by two. The decode is right while R − W is at least 1 (correct answer 1) or at least 0 (correct
    /// answer 0, which is also what a tie is decoded to).
    ///
    /// # Panics
    /// When the message is not of length k.
    #[must_use]
    pub fn of(g: &AllocationMatrix, ties: TieRule, message: &Message) -> Self {
        Self::against(g, ties, message, majority(message))
    }

    /// Counts the votes on a message whose correct answer is given, whatever its majority. With the rule
    /// `adversarial` and the answer 0, the wrong workers are those of whose partitions at least half are ones.
    ///
    /// # Panics
    /// When the message is not of length k.
    #[must_use]
    pub fn against(g: &AllocationMatrix, ties: TieRule, message: &Message, correct: bool) -> Self {
        assert_eq!(message.len(), g.k(), "a message has one bit a partition");
        let mut wrong = Workers::empty(g.n());
        let mut silent = Workers::empty(g.n());
        for j in 0..g.n() {
            match vote(g, ties, j, message, correct) {
                Some(bit) if bit == correct => {}
                Some(_) => wrong.insert(j),
                None => silent.insert(j),
            }
        }
        let lead = g.n() as i64 - silent.count() as i64 - 2 * wrong.count() as i64;
        let margin = (lead - i64::from(correct)).div_euclid(2);
        Self { message: message.clone(), correct, wrong, silent, margin }
    }

    /// A successful attack on this message by at most b Byzantine workers, when there is one.
    #[must_use]
    pub fn attack(&self, g: &AllocationMatrix, ties: TieRule, b: usize) -> Option<Counterexample> {
        if self.margin >= b as i64 {
            return None;
        }
        let vote = |j| honest_vote(g, ties, j, &self.message);
        // Right votes first: turning one costs two. Silent workers come after them, for they cost one.
        let right = (0..g.n()).filter(|&j| vote(j) == Some(self.correct));
        let turned: Vec<usize> = right.chain(self.silent.indices()).collect();
        // The fewest liars that overturn this message, never more than b.
        for count in 0..=b.min(turned.len()) {
            let byzantine = Workers::from_indices(g.n(), turned[..count].iter().copied());
            let sent: Vec<_> = (0..g.n())
                .map(|j| if byzantine.contains(j) { Some(!self.correct) } else { vote(j) })
                .collect();
            let decoded = decode(&sent);
            if decoded != self.correct {
                return Some(Counterexample {
                    message: self.message.clone(),
                    byzantine,
                    sent,
                    decoded,
                    correct: self.correct,
                });
            }
        }
        None
    }
}

/// A wrong decode that at most b Byzantine workers bring about. It is a whole refutation, and can be checked by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The message m.
    pub message: Message,
    /// The Byzantine workers.
    pub byzantine: Workers,
    /// What each of the n workers sends; `None` is silence (rule `abstain` only).
    pub sent: Vec<Option<bool>>,
    /// μ̂, what the server decodes.
    pub decoded: bool,
    /// μ, what it should have decoded.
    pub correct: bool,
}

impl Counterexample {
    /// Whether this refutes "G tolerates b": each field is computed again from the definitions.
    #[must_use]
    pub fn replays(&self, g: &AllocationMatrix, ties: TieRule, b: usize) -> bool {
        self.message.len() == g.k()
            && self.byzantine.len() == g.n()
            && self.sent.len() == g.n()
            && self.byzantine.count() <= b
            && self.correct == majority(&self.message)
            && (0..g.n()).all(|j| {
                let sent = self.sent[j];
                if self.byzantine.contains(j) {
                    sent.is_some() || ties == TieRule::Abstain
                } else {
                    sent == honest_vote(g, ties, j, &self.message)
                }
            })
            && self.decoded == decode(&self.sent)
            && self.decoded != self.correct
    }
}
