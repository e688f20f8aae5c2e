//! What a certificate holds.

use std::collections::BTreeMap;
use std::ops::Range;

use num_bigint::BigUint;

use ecode_core::{Claim, Counterexample, Message, shown};

/// A claim with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The program that made it.
    pub program: String,
    /// The matrix, b and the tie rule.
    pub claim: Claim,
    /// Whether the claim is said to hold.
    pub tolerant: bool,
    /// What the radius is said to be.
    pub radius: Option<usize>,
    /// What the digest is said to be.
    pub digest: String,
    /// What shows that the claim holds or does not.
    pub evidence: Evidence,
    /// An attack by b + 1 workers, which makes b the radius.
    pub tight: Option<Counterexample>,
    /// What was left out, and why it may be.
    pub reductions: Vec<String>,
}

/// What shows that a claim holds or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It does not hold: an attack. With proofs that no message is worse, where these were asked for.
    Refutation {
        /// The attack.
        attack: Counterexample,
        /// The smallest margin of all messages, that of the attack's.
        worst: Option<WorstCase>,
    },
    /// It holds: each side's formula has no solution, by a cutting-planes proof.
    CuttingPlanes(Vec<SideProof>),
    /// It holds: each side's clauses have no solution, by a DRAT proof.
    Drat(Vec<SideProof>),
    /// It holds: the premises of the gluing theorem (docs/theory/lighter.md), for this cut into parts.
    Gluing(Vec<GluedPart>),
    /// Every message was counted. Not proved: whoever doubts it counts again.
    Enumeration(Record),
}

/// A part of the partitions that no worker holds alone: the next so many, and how it is shown to be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GluedPart {
    /// This many points: every choice of them is looked at.
    Enumerated(usize),
    /// This many points: rows that lie inside and are heavy enough.
    Counted(usize),
    /// b rows over the whole part, and inside it rows that are valid for this cut.
    Lemma(Vec<GluedPart>),
}

impl GluedPart {
    /// How many points the part has.
    #[must_use]
    pub fn points(&self) -> usize {
        match self {
            Self::Enumerated(points) | Self::Counted(points) => *points,
            Self::Lemma(inner) => inner.iter().map(Self::points).sum(),
        }
    }
}

/// What an enumeration counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The attack, where the claim is refuted.
    pub attack: Option<Counterexample>,
    /// The smallest margin of all messages.
    pub margin: i64,
    /// A message that has it.
    pub worst: Message,
    /// The deciding sides' messages by their margins.
    pub sides: Vec<SideCount>,
    /// How many choices were counted after merging equal partitions; nothing rests on it.
    pub choices: u64,
    /// The parts in which they were counted.
    pub parts: Vec<RecordedPart>,
}

/// How many messages of a side leave which margin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideCount {
    /// μ on this side.
    pub correct: bool,
    /// Margin → messages of the side's weight, all above zero.
    pub margins: BTreeMap<i64, BigUint>,
}

/// One part of an enumeration: what another one of the same range must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPart {
    /// The ranks of its choices.
    pub range: Range<u64>,
    /// The `contents` of its file.
    pub digest: String,
}

/// The smallest margin of all messages, and proofs that it is not smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorstCase {
    /// What the smallest margin is said to be: negative where a message decodes wrong when nobody lies.
    pub margin: i64,
    /// That no message of a side has a smaller one.
    pub sides: Vec<SideProof>,
}

/// A proof that one side's formula has no solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideProof {
    /// μ on this side.
    pub correct: bool,
    /// What the formula's digest is said to be.
    pub formula: String,
    /// The text of the proof.
    pub proof: String,
}

/// In which system a tolerant verdict is proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// Cutting planes over inequalities, in the VeriPB format.
    #[default]
    CuttingPlanes,
    /// Clauses, in the DRAT format, by a SAT solver.
    Drat,
}

/// The name of a proof system that is none of the two.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown proof '{}': expected cutting-planes or drat", shown(.0))]
pub struct UnknownSystem(String);

impl std::str::FromStr for System {
    type Err = UnknownSystem;

    fn from_str(text: &str) -> Result<Self, UnknownSystem> {
        match text {
            "cutting-planes" => Ok(Self::CuttingPlanes),
            "drat" => Ok(Self::Drat),
            _ => Err(UnknownSystem(text.to_owned())),
        }
    }
}

impl Evidence {
    /// The smallest margin that the proofs are about, and the proofs.
    #[must_use]
    pub fn proofs(&self, b: usize) -> Option<(i64, &[SideProof])> {
        match self {
            Self::Refutation { worst, .. } => worst.as_ref().map(|worst| (worst.margin, &worst.sides[..])),
            Self::CuttingPlanes(sides) | Self::Drat(sides) => Some((b as i64, sides)),
            Self::Enumeration(_) | Self::Gluing(_) => None,
        }
    }
}
