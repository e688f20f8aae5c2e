//! `--stragglers`: liars and missing votes together, by the theorem of docs/theory/errors.md.
//!
//! # What is promised
//! What is called tolerant follows from the theorem for every matrix and rule; what is called refuted, from the cases in
//! which its bound is also needed. Everything else is undecided.

use ecode::code::{AllocationMatrix, TieRule};
use ecode::verify::{Conclusion, Verdict};
use serde_json::{Value, json};

use super::ending::Ending;

/// B liars and s missing votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stragglers {
    pub(crate) liars: usize,
    pub(crate) missing: usize,
}

impl Stragglers {
    /// As many liars alone are as much to ask: 2·liars + missing ≤ 2·radius is this number ≤ radius.
    pub(crate) fn as_liars(self) -> usize {
        self.liars + self.missing.div_ceil(2)
    }

    /// Whether 2·liars + missing ≤ 2·radius is also needed (Theorem 17 b).
    fn needed(self, g: &AllocationMatrix, ties: TieRule) -> bool {
        let rule = matches!(ties, TieRule::Adversarial | TieRule::Zero) || g.all_loads_odd();
        g.n() % 2 == 1 && g.k() % 2 == 1 && rule && self.liars + self.missing <= g.n()
    }

    /// What a verdict on [`Self::as_liars`] says of these; none where it says nothing.
    fn tolerated(self, g: &AllocationMatrix, verdict: &Verdict) -> Option<bool> {
        match verdict.conclusion() {
            Conclusion::Tolerant => Some(true),
            Conclusion::Refuted(_) if self.needed(g, verdict.ties()) => Some(false),
            _ => None,
        }
    }

    /// The exit code's meaning.
    pub(crate) fn ending(self, g: &AllocationMatrix, verdict: &Verdict) -> Ending {
        match self.tolerated(g, verdict) {
            Some(true) => Ending::Done,
            Some(false) => Ending::Refuted,
            None => Ending::Undecided,
        }
    }

    /// In words.
    pub(crate) fn sentence(self, g: &AllocationMatrix, verdict: &Verdict) -> String {
        let Self { liars, missing } = self;
        let together = format!("{liars} liars and {missing} missing votes, whoever they are");
        let rule = format!("2·{liars} + {missing} ≤ 2·radius (docs/theory/errors.md)");
        match self.tolerated(g, verdict) {
            Some(true) => format!("Tolerant of {together}: {rule}."),
            Some(false) => format!("Refuted for {together}: {rule} does not hold, and is needed here."),
            None => format!("Undecided for {together}: {rule} is not shown, and need not hold for it."),
        }
    }

    /// For documents.
    pub(crate) fn to_json(self, g: &AllocationMatrix, verdict: &Verdict) -> Value {
        json!({ "b": self.liars, "missing": self.missing, "tolerant": self.tolerated(g, verdict) })
    }
}
