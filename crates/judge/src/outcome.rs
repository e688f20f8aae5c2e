//! What a settlement says: who is named and why, what is to be asked, and when it must stop.

use crate::{Digest, Pair};

/// By which rule a worker was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// (a) Its digest of this partition differs from the accepted one.
    Differs(usize),
    /// (b) So many workers contradict it.
    Contradicted(usize),
    /// (c) Its vector of this partition is not that of its digest.
    Vector(usize),
    /// (d) It sent two digests for this partition.
    TwoDigests(usize),
    /// Where right workers may differ a little: its vector of this partition is that of its digest, and differs from the
    /// accepted one in so many coordinates.
    Far(usize, usize),
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differs(partition) => {
                write!(f, "rule a: its digest of partition {partition} differs from the accepted one")
            }
            Self::Contradicted(workers) => write!(f, "rule b: {workers} workers contradict it"),
            Self::Vector(partition) => {
                write!(f, "rule c: its vector of partition {partition} is not that of its digest")
            }
            Self::TwoDigests(partition) => write!(f, "rule d: it sent two digests of partition {partition}"),
            Self::Far(partition, coordinates) => write!(
                f,
                "its vector of partition {partition} differs from the accepted one in {coordinates} coordinates"
            ),
        }
    }
}

/// A worker that was named, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The worker.
    pub worker: usize,
    /// The rule.
    pub evidence: Evidence,
}

/// More faulty workers than the promise allows: the step must not be decoded. Nobody is named by this evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Excess {
    /// The rules condemn so many workers at once, where `left` can be faulty.
    #[error("the evidence condemns {workers} workers where at most {left} can be faulty")]
    Condemned {
        /// How many.
        workers: usize,
        /// b' at that moment.
        left: usize,
    },
    /// Two digests of a partition have b' + 1 supporters each.
    #[error("two values of partition {partition} have enough supporters to be accepted")]
    TwoValues {
        /// The partition.
        partition: usize,
    },
}

/// Compute a partition and send its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The partition.
    pub partition: usize,
    /// The helper.
    pub worker: usize,
    /// Whether it is to send the vector as well: nobody else is left who could.
    pub vector: bool,
}

/// Send the vector of this digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The partition.
    pub partition: usize,
    /// The digest whose vector is meant.
    pub digest: Digest,
    /// A supporter of it.
    pub worker: usize,
}

/// What is to be done after a round trip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// One round trip with these questions.
    Trip {
        /// Gradients to compute.
        asks: Vec<Ask>,
        /// Vectors to send.
        fetches: Vec<Fetch>,
    },
    /// One round trip in which these workers compute what they have answered before once more: nothing else is asked, and
    /// nobody is named, before they have. Only with [`Drift::Repeat`](crate::Drift::Repeat).
    Again(Vec<Ask>),
    /// These vectors are there and are to be compared ([`Settlement::compared`](crate::Settlement::compared)) before this is
    /// asked again: no round trip. Only with [`Drift::Close`](crate::Drift::Close).
    Compare(Vec<Pair>),
    /// Every partition's digest is accepted, and its vector is there.
    Settled(Vec<Digest>),
    /// These partitions cannot be settled with the workers that are left: [`Settlement::admit`] more of them, or
    /// compute the partitions at the server ([`Settlement::referee`]), or stop.
    ///
    /// [`Settlement::admit`]: crate::Settlement::admit
    /// [`Settlement::referee`]: crate::Settlement::referee
    Short(Vec<usize>),
    /// The promise is void.
    Stop(Excess),
}
