//! What an engine maximises: over which choices of partitions the most workers are to be turned.
//!
//! # What is promised
//! Engines know of an instance only its [`Side`]s and how a message is counted, so that one code path answers both
//! questions of this project:
//! - *Does G tolerate b Byzantine workers?* All messages; by Theorems 1 to 3 of docs/theory.md it is enough to
//!   choose ⌊k/2⌋ or ⌊(k − 1)/2⌋ partitions.
//! - *How many rows can q columns win?* All choices of exactly q partitions. With the files of a redundancy scheme
//!   as rows and its workers as columns, that is the worst-case distortion ([`crate::Distortion`]).

use super::reduce::{Side, sides};
use ecode_core::{AllocationMatrix, Message, Outcome, TieRule};

/// A matrix, a rule for ties, and the choices that are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    pub(crate) matrix: &'a AllocationMatrix,
    pub(crate) ties: TieRule,
    weight: Option<usize>,
}

impl<'a> Instance<'a> {
    /// All messages.
    #[must_use]
    pub fn new(matrix: &'a AllocationMatrix, ties: TieRule) -> Self {
        Self { matrix, ties, weight: None }
    }

    /// The choices of exactly `weight` partitions, whatever majority that is: a row is won where at least half of its
    /// partitions are chosen.
    ///
    /// # Panics
    /// When there are fewer partitions.
    #[must_use]
    pub fn of_weight(matrix: &'a AllocationMatrix, weight: usize) -> Self {
        assert!(weight <= matrix.k(), "{weight} of {} partitions", matrix.k());
        Self { matrix, ties: TieRule::Adversarial, weight: Some(weight) }
    }

    /// How many partitions are chosen, where that is fixed.
    #[must_use]
    pub fn weight(&self) -> Option<usize> {
        self.weight
    }

    /// The maximisation problems that decide it.
    #[must_use]
    pub fn sides(&self) -> Vec<Side> {
        match self.weight {
            None => sides(self.matrix, self.ties),
            Some(weight) => vec![Side::of_weight(self.matrix, weight)],
        }
    }

    /// Counts one message by the definitions.
    ///
    /// # Panics
    /// When the message is not of length k.
    #[must_use]
    pub fn outcome(&self, message: &Message) -> Outcome {
        match self.weight {
            None => Outcome::of(self.matrix, self.ties, message),
            Some(_) => Outcome::against(self.matrix, self.ties, message, false),
        }
    }
}
