//! What became of a claim about failure domains, with its evidence.

use std::time::Duration;

use crate::verdict::{Radius, Verdict};
use ecode_core::{DomainCounterexample, DomainSet, Outcome, TieRule};

/// What became of a claim about failure domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainConclusion {
    /// For every message and every set of b domains the decode is right.
    Tolerant,
    /// It is not; here is how.
    Refuted(Box<DomainCounterexample>),
    /// Neither was shown before the work had to stop.
    Undecided,
}

/// What a tolerant verdict rests on.
#[derive(Clone, Debug)]
pub enum DomainEvidence {
    /// The matrix tolerates as many workers as the b largest domains have.
    BySize(Box<Verdict>),
    /// Each set of b domains that matters was proved.
    EachSet(Vec<DomainCase>),
    /// Every message, set of b domains and reply was tried.
    Definition,
}

/// One set of lying domains, and the verdict on the others' claim ([`Rest`](super::Rest)).
#[derive(Clone, Debug)]
pub struct DomainCase {
    /// The domains that lie.
    pub lying: DomainSet,
    /// The others tolerate them.
    pub verdict: Verdict,
}

/// The answer to a claim about failure domains. Only this crate makes one.
#[derive(Clone, Debug)]
pub struct DomainVerdict {
    pub(super) b: Option<usize>,
    pub(super) ties: TieRule,
    pub(super) conclusion: DomainConclusion,
    pub(super) at_least: Option<usize>,
    /// A message with the smallest margin in domains that was met.
    pub(super) worst: Option<(i64, Outcome)>,
    pub(super) evidence: Option<DomainEvidence>,
    pub(super) sets: u64,
    pub(super) reason: Option<String>,
    pub(super) elapsed: Duration,
}

impl DomainVerdict {
    /// The number of domains that the verdict is about: as asked, else the radius (0 where even that fails); `None` where the
    /// radius was asked for and not found.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        self.b
    }

    /// The tie rule that it is about.
    #[must_use]
    pub fn ties(&self) -> TieRule {
        self.ties
    }

    /// Tolerant, refuted with a counterexample, or undecided.
    #[must_use]
    pub fn conclusion(&self) -> &DomainConclusion {
        &self.conclusion
    }

    /// Whether the claim was proved.
    #[must_use]
    pub fn is_tolerant(&self) -> bool {
        self.conclusion == DomainConclusion::Tolerant
    }

    /// Whether the claim was refuted.
    #[must_use]
    pub fn is_refuted(&self) -> bool {
        self.attack().is_some()
    }

    /// The counterexample of a refuted claim.
    #[must_use]
    pub fn attack(&self) -> Option<&DomainCounterexample> {
        match &self.conclusion {
            DomainConclusion::Refuted(attack) => Some(attack),
            DomainConclusion::Tolerant | DomainConclusion::Undecided => None,
        }
    }

    /// What a tolerant verdict rests on.
    #[must_use]
    pub fn evidence(&self) -> Option<&DomainEvidence> {
        self.evidence.as_ref()
    }

    /// The message met that survives the fewest domains, with its votes.
    #[must_use]
    pub fn worst(&self) -> Option<&Outcome> {
        self.worst.as_ref().map(|(_, outcome)| outcome)
    }

    /// The radius in domains, as far as it is known.
    #[must_use]
    pub fn radius(&self) -> Radius {
        let margin = self.worst.as_ref().map(|(margin, _)| *margin);
        match (margin, self.at_least) {
            (Some(margin), _) if margin < 0 => Radius::FailsWithoutLiars,
            (Some(margin), Some(low)) if margin == low as i64 => Radius::Exactly(low),
            (_, Some(low)) => Radius::AtLeast(low),
            (_, None) => Radius::Unknown,
        }
    }

    /// The most domains that are proven to be tolerated.
    #[must_use]
    pub fn radius_at_least(&self) -> Option<usize> {
        self.at_least
    }

    /// The fewest domains that are proven not to be tolerated.
    #[must_use]
    pub fn radius_below(&self) -> Option<usize> {
        self.worst.as_ref().map(|(margin, _)| usize::try_from(margin + 1).unwrap_or(0))
    }

    /// How many sets of domains were looked at one by one.
    #[must_use]
    pub fn sets(&self) -> u64 {
        self.sets
    }

    /// How it was decided: `largest domains`, `each set`, `definition` or, where a message refutes the claim, `message`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match (&self.conclusion, &self.evidence) {
            (_, Some(DomainEvidence::BySize(_))) => "largest domains",
            (_, Some(DomainEvidence::EachSet(_))) => "each set",
            (_, Some(DomainEvidence::Definition)) => "definition",
            (DomainConclusion::Refuted(_), None) => "message",
            (_, None) => "none",
        }
    }

    /// Why nothing was decided.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Wall time of all of it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// `tolerant`, `refuted` or `undecided`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.conclusion {
            DomainConclusion::Tolerant => "tolerant",
            DomainConclusion::Refuted(_) => "refuted",
            DomainConclusion::Undecided => "undecided",
        }
    }
}
