//! From a verdict to its certificate.

use super::prove::{NoProof, refute};
use super::{Certificate, Evidence, SideProof, reductions};
use crate::code::{AllocationMatrix, Claim, Formula, deciding_sides};
use crate::verify::{Conclusion, Control, Verdict};

/// Why a verdict has no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCertificate {
    /// Nothing was decided.
    #[error("an undecided claim has no certificate")]
    Undecided,
    /// No proof was found.
    #[error(transparent)]
    NoProof(#[from] NoProof),
    /// The engine said tolerant, the formula has a solution.
    #[error("the engine says tolerant, but the claim's formula has a solution; please report this matrix")]
    Contradiction,
}

/// Writes down what a verdict rests on. For a tolerant one a proof is searched anew.
///
/// ```
/// use ecode::certificate::{Certificate, certify, check};
/// use ecode::code::TieRule;
/// use ecode::verify::{Control, Method, verify};
///
/// let g = ecode::construct::algorithm1(7, 2)?;
/// let control = Control::default();
/// let verdict = verify(&g, Some(2), TieRule::Zero, &Method::Auto, &control)?;
/// let text = certify(&g, &verdict, &control)?.to_json();
/// // Anyone who has the text can check it.
/// let accepted = check(&Certificate::parse(text.as_bytes())?)?;
/// assert_eq!((accepted.tolerant, accepted.radius), (true, Some(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`NoCertificate`].
pub fn certify(
    g: &AllocationMatrix,
    verdict: &Verdict,
    control: &Control,
) -> Result<Certificate, NoCertificate> {
    let claim = Claim { matrix: g.clone(), b: verdict.b, ties: verdict.ties };
    let mut tight = None;
    let (evidence, reductions) = match &verdict.conclusion {
        Conclusion::Undecided => return Err(NoCertificate::Undecided),
        Conclusion::Refuted(attack) => (Evidence::Refutation((**attack).clone()), Vec::new()),
        Conclusion::Tolerant => {
            let mut sides = Vec::new();
            for correct in deciding_sides(g, claim.ties) {
                let formula = Formula::new(g, claim.ties, claim.b, correct);
                let proof = refute(&formula, &|| control.stopped()).map_err(|error| match error {
                    NoProof::Satisfiable => NoCertificate::Contradiction,
                    error => error.into(),
                })?;
                sides.push(SideProof { correct, formula: formula.digest(), proof });
            }
            tight = verdict.worst.as_ref().and_then(|worst| worst.attack(g, claim.ties, claim.b + 1));
            (Evidence::CuttingPlanes(sides), reductions(&claim))
        }
    };
    Ok(Certificate {
        program: concat!("ecode ", env!("CARGO_PKG_VERSION")).to_owned(),
        tolerant: verdict.conclusion == Conclusion::Tolerant,
        radius: tight.as_ref().map(|_| claim.b),
        digest: g.digest(),
        claim,
        evidence,
        tight,
        reductions,
    })
}
