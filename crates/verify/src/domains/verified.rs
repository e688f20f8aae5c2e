//! A code whose tolerance of failure domains was verified.

use super::request::DomainRequest;
use super::verdict::DomainVerdict;
use crate::control::Control;
use crate::gluing::Shape;
use crate::method::Method;
use crate::verdict::VerifyError;
use ecode_core::{AllocationMatrix, Domains, TieRule, Workers};

/// A code of which it was verified in this process that it tolerates any b of these domains. There is no other way to get one.
///
/// ```
/// use ecode_core::{AllocationMatrix, Domains, TieRule, Workers};
/// use ecode_verify::{Control, Method, VerifiedDomains};
/// // Five workers hold everything; two of them stand in one host.
/// let g = AllocationMatrix::from_fn(5, 5, |_, _| true)?;
/// let hosts = Domains::of_workers(&["a", "a", "b", "c", "d"])?;
/// let verified = VerifiedDomains::verify(g, TieRule::Zero, hosts, 1, Method::Auto, &Control::default())?;
/// let code = verified.map_err(|verdict| verdict.word())?;
/// assert!(code.covers(&Workers::from_indices(5, [0, 1]), &Workers::empty(5)));
/// assert!(!code.covers(&Workers::from_indices(5, [0, 2]), &Workers::empty(5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail,E0451
/// use ecode_core::{AllocationMatrix, Domains, TieRule};
/// use ecode_verify::{Control, DomainRequest, VerifiedDomains};
/// let matrix = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let domains = Domains::of_workers(&["a", "a", "b"])?;
/// let verdict = DomainRequest::new(&matrix, &domains).b(0).decide(&Control::default())?;
/// let forged = VerifiedDomains { matrix, ties: TieRule::Zero, domains, b: 1, verdict };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedDomains {
    matrix: AllocationMatrix,
    ties: TieRule,
    domains: Domains,
    b: usize,
    verdict: DomainVerdict,
}

impl VerifiedDomains {
    /// Verifies that any b of the domains are tolerated. The inner error is the verdict where that was not proved.
    ///
    /// # Errors
    /// [`VerifyError`].
    ///
    /// # Panics
    /// When the domains are of other workers, or fewer than b.
    pub fn verify(
        matrix: AllocationMatrix,
        ties: TieRule,
        domains: Domains,
        b: usize,
        method: Method,
        control: &Control,
    ) -> Result<Result<Self, DomainVerdict>, VerifyError> {
        Self::verify_shaped(matrix, ties, domains, b, None, method, control)
    }

    /// As [`Self::verify`], where the shape of a glued code is known ([`DomainRequest::shape`]).
    ///
    /// # Errors
    /// [`VerifyError`].
    ///
    /// # Panics
    /// When the domains are of other workers, or fewer than b.
    pub fn verify_shaped(
        matrix: AllocationMatrix,
        ties: TieRule,
        domains: Domains,
        b: usize,
        shape: Option<&Shape>,
        method: Method,
        control: &Control,
    ) -> Result<Result<Self, DomainVerdict>, VerifyError> {
        let request = DomainRequest::new(&matrix, &domains).b(b).ties(ties).method(method).shape(shape);
        let verdict = request.decide(control)?;
        Ok(if verdict.is_tolerant() { Ok(Self { matrix, ties, domains, b, verdict }) } else { Err(verdict) })
    }

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        &self.matrix
    }

    /// The tie rule under which it is tolerant.
    #[must_use]
    pub fn ties(&self) -> TieRule {
        self.ties
    }

    /// The domains.
    #[must_use]
    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    /// How many of them are tolerated.
    #[must_use]
    pub fn b(&self) -> usize {
        self.b
    }

    /// The verdict that stands for it.
    #[must_use]
    pub fn verdict(&self) -> &DomainVerdict {
        &self.verdict
    }

    /// Whether what was verified covers a step in which some workers lie and others' votes are missing: no more than b domains
    /// hold any of them. A missing vote costs no more than a lie (docs/theory/domains.md, Theorem 40).
    ///
    /// # Panics
    /// When the sets are not of the matrix's workers.
    #[must_use]
    pub fn covers(&self, liars: &Workers, missing: &Workers) -> bool {
        assert_eq!((liars.len(), missing.len()), (self.matrix.n(), self.matrix.n()), "sets of the workers");
        let either = liars.indices().chain(missing.indices());
        self.domains.touched(&Workers::from_indices(self.matrix.n(), either)).count() <= self.b
    }
}
