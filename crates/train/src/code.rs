//! The code that a run trains with, and what was proved of it.

use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::VerifiedCode;

/// The code that a run trains with: verified, or said not to be.
#[derive(Clone, Debug)]
pub struct TrainingCode {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Verified(Box<VerifiedCode>),
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
}

impl TrainingCode {
    /// A code that was verified in this process.
    #[must_use]
    pub fn verified(code: VerifiedCode, name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Verified(Box::new(code)) }
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
            Kind::Unverified { matrix, .. }
            | Kind::Budgeted { matrix, .. }
            | Kind::Holders { matrix, .. } => matrix,
        }
    }

    /// How it was made, in a word.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The b that it was made for.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        match &self.kind {
            Kind::Verified(code) => Some(code.claim().b),
            Kind::Unverified { b, .. } => *b,
            Kind::Budgeted { b, .. } | Kind::Holders { b, .. } => Some(*b),
        }
    }

    /// The proof, where there is one: it knows the matrix, b and the tie rule.
    #[must_use]
    pub fn proof(&self) -> Option<&VerifiedCode> {
        match &self.kind {
            Kind::Verified(code) => Some(code),
            Kind::Unverified { .. } | Kind::Budgeted { .. } | Kind::Holders { .. } => None,
        }
    }

    /// The b that was verified, or that a scheme provides for.
    #[must_use]
    pub fn tolerates(&self) -> Option<usize> {
        match &self.kind {
            Kind::Holders { b, .. } => Some(*b),
            _ => self.proof().map(|code| code.claim().b),
        }
    }

    /// The tie rule under which it was verified.
    #[must_use]
    pub fn verified_ties(&self) -> Option<TieRule> {
        self.proof().map(|code| code.claim().ties)
    }
}
