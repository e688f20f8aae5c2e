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
    Unverified { matrix: AllocationMatrix, b: Option<usize> },
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

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        match &self.kind {
            Kind::Verified(code) => code.matrix(),
            Kind::Unverified { matrix, .. } => matrix,
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
        }
    }

    /// The proof, where there is one: it knows the matrix, b and the tie rule.
    #[must_use]
    pub fn proof(&self) -> Option<&VerifiedCode> {
        match &self.kind {
            Kind::Verified(code) => Some(code),
            Kind::Unverified { .. } => None,
        }
    }

    /// The b that was verified.
    #[must_use]
    pub fn tolerates(&self) -> Option<usize> {
        self.proof().map(|code| code.claim().b)
    }

    /// The tie rule under which it was verified.
    #[must_use]
    pub fn verified_ties(&self) -> Option<TieRule> {
        self.proof().map(|code| code.claim().ties)
    }
}
