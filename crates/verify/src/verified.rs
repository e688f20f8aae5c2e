//! A code whose tolerance was verified: the one thing by which tolerance is claimed.

use super::control::Control;
use super::gluing::Shape;
use super::method::Method;
use super::plan::Request;
use super::verdict::{Conclusion, Verdict, VerifyError};
use ecode_core::{AllocationMatrix, Claim, TieRule};

/// A code whose b-Byzantine tolerance was verified in this process. There is no other way to get one.
///
/// ```
/// use ecode_core::{AllocationMatrix, Claim, TieRule};
/// use ecode_verify::{Control, Method, Verified, VerifiedCode};
/// let matrix = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let claim = Claim { matrix, b: 1, ties: TieRule::Zero };
/// let Verified::Yes(code) = VerifiedCode::verify(claim, Method::Auto, &Control::default())? else {
///     panic!("one of three is outvoted");
/// };
/// assert_eq!((code.b(), code.ties()), (1, TieRule::Zero));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail,E0451
/// use ecode_core::{AllocationMatrix, Claim, TieRule};
/// use ecode_verify::{Control, Method, VerifiedCode, verify};
/// let matrix = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let verdict = verify(&matrix, Some(2), TieRule::Zero, Method::Auto, &Control::default())?;
/// let claim = Claim { matrix, b: 2, ties: TieRule::Zero };
/// let forged = VerifiedCode { claim, verdict };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedCode {
    claim: Claim,
    verdict: Verdict,
}

/// What became of a claim that was to be verified.
#[derive(Clone, Debug)]
pub enum Verified {
    /// It holds.
    Yes(VerifiedCode),
    /// It was refuted, or nothing was settled: the verdict says which.
    No(Verdict),
}

impl Verified {
    /// The code, where the claim holds.
    #[must_use]
    pub fn code(self) -> Option<VerifiedCode> {
        match self {
            Self::Yes(code) => Some(code),
            Self::No(_) => None,
        }
    }

    fn of(claim: Claim, verdict: Verdict) -> Self {
        match verdict.conclusion() {
            Conclusion::Tolerant => Self::Yes(VerifiedCode { claim, verdict }),
            Conclusion::Refuted(_) | Conclusion::Undecided => Self::No(verdict),
        }
    }
}

impl VerifiedCode {
    /// Verifies a claim.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(claim: Claim, method: Method, control: &Control) -> Result<Verified, VerifyError> {
        Self::verify_shaped(claim, None, method, control)
    }

    /// As [`Self::verify`], where the shape of a glued code is known ([`Request::shape`]).
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify_shaped(
        claim: Claim,
        shape: Option<&Shape>,
        method: Method,
        control: &Control,
    ) -> Result<Verified, VerifyError> {
        let request = Request::new(&claim.matrix).b(claim.b).ties(claim.ties).method(method).shape(shape);
        let verdict = request.decide(control)?;
        Ok(Verified::of(claim, verdict))
    }

    /// The claim that was verified.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        &self.claim.matrix
    }

    /// How many Byzantine workers it tolerates: what was claimed, which may be less than its radius.
    #[must_use]
    pub fn b(&self) -> usize {
        self.claim.b
    }

    /// The tie rule under which it does.
    #[must_use]
    pub fn ties(&self) -> TieRule {
        self.claim.ties
    }

    /// The matrix's digest ([`AllocationMatrix::digest`]).
    #[must_use]
    pub fn digest(&self) -> String {
        self.claim.matrix.digest()
    }

    /// The verdict that stands for it.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}
