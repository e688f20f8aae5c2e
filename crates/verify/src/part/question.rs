//! What an enumeration is asked: what a code tolerates, or how much liars distort.

use std::time::Duration;

use num_bigint::BigUint;

use super::PartError;
use crate::count::{Count, Enumeration};
use crate::distortion::{Assignment, Distortion};
use crate::engine::{Finding, Unsuitable};
use crate::instance::Instance;
use crate::verdict::{Verdict, VerifyError, conclude};
use ecode_core::{AllocationMatrix, TieRule, deciding_sides};

/// What a part, or a whole enumeration, is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The allocation matrix: workers × partitions.
    pub matrix: AllocationMatrix,
    /// What is asked about it.
    pub asked: Asked,
}

/// What is asked about a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Which messages are decoded wrong, by votes.
    Tolerance {
        /// The number of Byzantine workers; `None` asks for the radius.
        b: Option<usize>,
        /// What a worker does whose own vote ties.
        ties: TieRule,
    },
    /// How many files q liars overturn, by a majority for each file ([`Assignment`]).
    Distortion {
        /// q.
        liars: usize,
    },
}

impl Asked {
    /// In words, what two questions differ in.
    pub(super) fn differs(&self, other: &Self) -> Option<(String, String)> {
        let whole = |asked: &Self| match *asked {
            Self::Tolerance { .. } => "what its votes tolerate".to_owned(),
            Self::Distortion { liars } => format!("the files that {liars} liars overturn"),
        };
        let claim = |b: Option<usize>| b.map_or("the radius".to_owned(), |b| format!("b = {b}"));
        match (*self, *other) {
            (Self::Tolerance { ties, .. }, Self::Tolerance { ties: theirs, .. }) if ties != theirs => {
                Some((format!("ties {ties}"), format!("ties {theirs}")))
            }
            (Self::Tolerance { b, .. }, Self::Tolerance { b: theirs, .. }) if b != theirs => {
                Some((claim(b), claim(theirs)))
            }
            (ours, theirs) => (ours != theirs).then(|| (whole(&ours), whole(&theirs))),
        }
    }
}

impl Question {
    /// The question which messages are decoded wrong.
    #[must_use]
    pub fn tolerance(matrix: AllocationMatrix, b: Option<usize>, ties: TieRule) -> Self {
        Self { matrix, asked: Asked::Tolerance { b, ties } }
    }

    /// The b that is asked about, where there is one.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        match self.asked {
            Asked::Tolerance { b, .. } => b,
            Asked::Distortion { .. } => None,
        }
    }

    /// Lists what there is to count: messages, or sets of liars.
    ///
    /// # Errors
    /// [`Unsuitable`] where there are more than 2^63 choices.
    ///
    /// # Panics
    /// When there are fewer workers than liars.
    pub fn enumeration(&self) -> Result<Enumeration, Unsuitable> {
        match self.asked {
            Asked::Tolerance { ties, .. } => Enumeration::new(&self.matrix, ties),
            Asked::Distortion { liars } => {
                let files = self.matrix.transposed();
                Enumeration::of(Instance::of_weight(&files, liars))
            }
        }
    }

    /// How many numbers a choice picks from: partitions of a message, or workers.
    pub(super) fn width(&self) -> usize {
        match self.asked {
            Asked::Tolerance { .. } => self.matrix.k(),
            Asked::Distortion { .. } => self.matrix.n(),
        }
    }

    /// μ on each deciding side.
    pub(super) fn sides(&self) -> Vec<bool> {
        match self.asked {
            Asked::Tolerance { ties, .. } => deciding_sides(&self.matrix, ties),
            Asked::Distortion { .. } => vec![false],
        }
    }

    /// Whether it can be asked at all.
    pub(super) fn check(&self) -> Result<(), PartError> {
        let n = self.matrix.n();
        let invalid = |what: String| Err(PartError::Invalid(what));
        match self.asked {
            Asked::Tolerance { b: Some(b), .. } if b > n => {
                invalid(format!("b is {b}, but there are only {n} workers"))
            }
            Asked::Distortion { liars } if liars > n => {
                invalid(format!("liars is {liars}, but there are only {n} workers"))
            }
            Asked::Distortion { .. } => {
                Assignment::new(&self.matrix).map(drop).map_err(|error| PartError::Invalid(error.to_string()))
            }
            Asked::Tolerance { .. } => Ok(()),
        }
    }

    /// The verdict on what was counted: the floor only where it was everything.
    pub(super) fn verdict(
        &self,
        count: &Count,
        choices: u64,
        complete: bool,
        elapsed: Duration,
    ) -> Result<Verdict, VerifyError> {
        let Asked::Tolerance { b, ties } = self.asked else {
            return Err(Unsuitable("the parts are about files that liars overturn".to_owned()).into());
        };
        conclude(
            "exhaustive",
            Instance::new(&self.matrix, ties),
            b,
            finding(count, choices, complete),
            elapsed,
        )
    }

    /// The distortion that was counted: exact only where it was everything.
    pub(super) fn distortion(
        &self,
        count: &Count,
        choices: u64,
        complete: bool,
        elapsed: Duration,
    ) -> Result<Distortion, VerifyError> {
        let Asked::Distortion { liars } = self.asked else {
            return Err(Unsuitable("the parts are about what votes tolerate".to_owned()).into());
        };
        let assignment = Assignment::new(&self.matrix).map_err(|error| Unsuitable(error.to_string()))?;
        let instance = assignment.instance(liars);
        let verdict = conclude("exhaustive", instance, None, finding(count, choices, complete), elapsed)?;
        assignment.of_verdict(&verdict, liars)
    }
}

fn finding(count: &Count, choices: u64, complete: bool) -> Finding {
    let messages: BigUint = count.margins.iter().flat_map(|margins| margins.values()).sum();
    Finding {
        worst: count.worst.clone(),
        floor: count.worst.as_ref().filter(|_| complete).map(|worst| worst.margin),
        messages: u128::try_from(messages).unwrap_or(u128::MAX),
        evaluated: u128::from(choices),
    }
}
