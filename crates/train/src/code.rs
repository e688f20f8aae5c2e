//! The code that a run trains with, and what was proved of it.

use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::{Distortion, VerifiedCode, VerifiedDomains};

/// The code that a run trains with: verified, or said not to be.
#[derive(Clone, Debug)]
pub struct TrainingCode {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Verified(Box<VerifiedCode>),
    /// Verified for any b failure domains.
    Domains(Box<VerifiedDomains>),
    Unverified {
        matrix: AllocationMatrix,
        b: Option<usize>,
    },
    /// A code that is made to decode wrong seldom, and tolerates nothing.
    Budgeted {
        matrix: AllocationMatrix,
        b: usize,
        promise: String,
    },
    /// Holders of partitions under a scheme that detects lies for b.
    Holders {
        matrix: AllocationMatrix,
        b: usize,
    },
    /// Holders of files of which each gets a majority, and what liars overturn.
    Files {
        matrix: AllocationMatrix,
        worst: Box<Distortion>,
    },
}

impl TrainingCode {
    /// A code that was verified in this process.
    #[must_use]
    pub fn verified(code: VerifiedCode, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Verified(Box::new(code)) }
    }

    /// A code of which it was verified in this process that any b of its workers' failure domains may lie.
    #[must_use]
    pub fn verified_domains(code: VerifiedDomains, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Domains(Box::new(code)) }
    }

    /// A matrix made for b liars of which nothing is proven. Everything that shows it says so.
    #[must_use]
    pub fn unverified(matrix: AllocationMatrix, b: Option<usize>, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Unverified { matrix, b } }
    }

    /// A matrix that decodes wrong seldom against b liars, and is not tolerant: `promise` says how seldom.
    #[must_use]
    pub fn budgeted(matrix: AllocationMatrix, b: usize, promise: String, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Budgeted { matrix, b, promise } }
    }

    /// How seldom a budgeted code decodes wrong; none of other codes.
    #[must_use]
    pub fn budget(&self) -> Option<&str> {
        match &self.kind {
            Kind::Budgeted { promise, .. } => Some(promise),
            _ => None,
        }
    }

    /// Who holds what under a scheme that detects lies of b workers (docs/theory/reactive.md): not a code of votes.
    #[must_use]
    pub fn holders(matrix: AllocationMatrix, b: usize, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Holders { matrix, b } }
    }

    /// Who holds which file, where a majority is taken for each; `worst` is what so many liars overturn at the most.
    ///
    /// # Panics
    /// When the worst set is none of this matrix's workers.
    #[must_use]
    pub fn files(matrix: AllocationMatrix, worst: Distortion, name: impl Into<String>) -> Self {
        assert_eq!((worst.worst.len(), worst.worst.count()), (matrix.n(), worst.liars), "a set of workers");
        Self { name: name.into(), kind: Kind::Files { matrix, worst: Box::new(worst) } }
    }

    /// What liars overturn of files, where a majority is taken for each.
    #[must_use]
    pub fn distortion(&self) -> Option<&Distortion> {
        match &self.kind {
            Kind::Files { worst, .. } => Some(worst),
            _ => None,
        }
    }

    /// Whether this is for a scheme that detects lies, not for votes.
    #[must_use]
    pub fn detects(&self) -> bool {
        matches!(self.kind, Kind::Holders { .. })
    }

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        match &self.kind {
            Kind::Verified(code) => code.matrix(),
            Kind::Domains(code) => code.matrix(),
            Kind::Unverified { matrix, .. }
            | Kind::Budgeted { matrix, .. }
            | Kind::Holders { matrix, .. }
            | Kind::Files { matrix, .. } => matrix,
        }
    }

    /// How it was made, in a word.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The b that it was made for: workers, whatever else was verified.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        match &self.kind {
            Kind::Verified(code) => Some(code.claim().b),
            Kind::Domains(code) => Some(code.b()),
            Kind::Unverified { b, .. } => *b,
            Kind::Budgeted { b, .. } | Kind::Holders { b, .. } => Some(*b),
            Kind::Files { worst, .. } => Some(worst.liars),
        }
    }

    /// The proof, where there is one: it knows the matrix, b and the tie rule.
    #[must_use]
    pub fn proof(&self) -> Option<&VerifiedCode> {
        match &self.kind {
            Kind::Verified(code) => Some(code),
            _ => None,
        }
    }

    /// What was verified of failure domains, where they are named.
    #[must_use]
    pub fn domains(&self) -> Option<&VerifiedDomains> {
        match &self.kind {
            Kind::Domains(code) => Some(code),
            _ => None,
        }
    }

    /// The number of workers that was verified, or that a scheme provides for. Any b workers stand in b domains at most, so
    /// what was verified for b domains holds for b workers. Of files, the number of liars that overturn none.
    #[must_use]
    pub fn tolerates(&self) -> Option<usize> {
        match &self.kind {
            Kind::Verified(code) => Some(code.claim().b),
            Kind::Domains(code) => Some(code.b()),
            Kind::Holders { b, .. } => Some(*b),
            Kind::Files { worst, .. } => (worst.at_most == 0).then_some(worst.liars),
            Kind::Unverified { .. } | Kind::Budgeted { .. } => None,
        }
    }

    /// The tie rule under which it was verified.
    #[must_use]
    pub fn verified_ties(&self) -> Option<TieRule> {
        match &self.kind {
            Kind::Verified(code) => Some(code.claim().ties),
            Kind::Domains(code) => Some(code.ties()),
            _ => None,
        }
    }
}
