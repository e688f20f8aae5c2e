//! From a verdict to its certificate.

use super::prove::{NoProof, refute};
#[cfg(feature = "sat")]
use super::solve::refute_clauses;
use ecode_check::{
    Certificate, DistortionCertificate, Evidence, Record, RecordedPart, SideCount, SideProof, System,
    WorstCase, reductions,
};
use ecode_core::{AllocationMatrix, Claim, Clauses, Formula, MOST_CLAUSES, Workers, deciding_sides};
use ecode_verify::part::Whole;
use ecode_verify::{Conclusion, Control, Verdict};

/// Who makes certificates, as they name it.
pub(super) const PROGRAM: &str = concat!("ecode ", env!("CARGO_PKG_VERSION"));

/// Why a verdict has no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCertificate {
    /// Nothing was decided.
    #[error("an undecided claim has no certificate")]
    Undecided,
    /// The claim is refuted, but how bad the worst message is was not determined.
    #[error("the worst case was not determined: give it more time, or leave --worst-case out")]
    WorstCaseUnknown,
    /// A refutation's worst case is proved by cutting planes only.
    #[error("how bad a refuted claim gets is proved by cutting planes: leave --proof drat out")]
    WorstCaseInDrat,
    /// The formula is too large to be given as clauses.
    #[error("{0} clauses are too many for a DRAT proof: leave --proof drat out")]
    TooManyClauses(u64),
    /// No proof was found.
    #[error(transparent)]
    NoProof(#[from] NoProof),
    /// This build has no SAT solver.
    #[error("this build has no SAT solver for --proof drat: it was built without the feature sat")]
    NoSat,
    /// A premise of the gluing theorem does not hold.
    #[error("the gluing theorem does not apply: {0}")]
    Gluing(String),
    /// Everything was tried by the definition, which leaves nothing that can be replayed.
    #[error("what the definition tried has no certificate: leave --method definition out")]
    NotProved,
    /// The engine said tolerant, the formula has a solution.
    #[error("the engine says tolerant, but the claim's formula has a solution; please report this matrix")]
    Contradiction,
}

/// How much a certificate is to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The claim.
    #[default]
    Claim,
    /// Of a refuted claim also that no message is worse than the counterexample's.
    WorstCase,
}

/// Writes down what a verdict rests on. For a tolerant one a proof is searched anew.
///
/// ```
/// use ecode_check::{Certificate, System, check};
/// use ecode_prove::{Scope, certify};
/// use ecode_core::TieRule;
/// use ecode_verify::{Control, Method, verify};
///
/// let g = ecode_design::construct::algorithm1(7, 2)?;
/// let control = Control::default();
/// let verdict = verify(&g, Some(2), TieRule::Zero, Method::Auto, &control)?;
/// let text = certify(&g, &verdict, Scope::Claim, System::CuttingPlanes, &control)?.to_json();
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
    scope: Scope,
    system: System,
    control: &Control,
) -> Result<Certificate, NoCertificate> {
    let b = verdict.b().ok_or(NoCertificate::Undecided)?;
    let claim = Claim { matrix: g.clone(), b, ties: verdict.ties() };
    let mut tight = None;
    let prove = |margin: i64| -> Result<Vec<SideProof>, NoCertificate> {
        let side = |correct| {
            let formula = Formula::below(g, claim.ties, margin, correct);
            let (formula, proof) = match system {
                System::CuttingPlanes => (formula.digest(), refute(&formula, &|| control.stopped())),
                System::Drat if Clauses::count(g, &formula) > MOST_CLAUSES => {
                    return Err(NoCertificate::TooManyClauses(Clauses::count(g, &formula)));
                }
                #[cfg(not(feature = "sat"))]
                System::Drat => return Err(NoCertificate::NoSat),
                #[cfg(feature = "sat")]
                System::Drat => {
                    let clauses = Clauses::of(g, &formula);
                    (clauses.digest(), refute_clauses(&clauses, &|| control.stopped()))
                }
            };
            let proof = proof.map_err(|error| match error {
                NoProof::Satisfiable => NoCertificate::Contradiction,
                error => error.into(),
            })?;
            Ok(SideProof { correct, formula, proof })
        };
        deciding_sides(g, claim.ties).into_iter().map(side).collect()
    };
    let (evidence, reductions) = match (verdict.conclusion(), verdict.worst()) {
        (Conclusion::Undecided, _) => return Err(NoCertificate::Undecided),
        (Conclusion::Refuted(_), Some(worst)) if scope == Scope::WorstCase => {
            if system == System::Drat {
                return Err(NoCertificate::WorstCaseInDrat);
            }
            if verdict.worst_case().is_none() {
                return Err(NoCertificate::WorstCaseUnknown);
            }
            let attack = worst.attack(g, claim.ties, claim.b).ok_or(NoCertificate::WorstCaseUnknown)?;
            let worst = Some(WorstCase { margin: worst.margin, sides: prove(worst.margin)? });
            (Evidence::Refutation { attack, worst }, reductions(&claim))
        }
        (Conclusion::Refuted(attack), _) => {
            (Evidence::Refutation { attack: (**attack).clone(), worst: None }, Vec::new())
        }
        (Conclusion::Tolerant, _) => {
            tight = verdict.worst().and_then(|worst| worst.attack(g, claim.ties, claim.b + 1));
            let sides = prove(claim.b as i64)?;
            let evidence = match system {
                System::CuttingPlanes => Evidence::CuttingPlanes(sides),
                System::Drat => Evidence::Drat(sides),
            };
            (evidence, reductions(&claim))
        }
    };
    Ok(Certificate {
        program: PROGRAM.to_owned(),
        tolerant: verdict.is_tolerant(),
        radius: tight.as_ref().map(|_| claim.b),
        digest: g.digest(),
        claim,
        evidence,
        tight,
        reductions,
    })
}

/// Proves that no q workers overturn more files than the worst set that is known, which `worst` may name.
///
/// # Errors
/// [`NoCertificate`]: the proof was not found, or there is a worse set.
pub fn certify_distortion(
    g: &AllocationMatrix,
    liars: usize,
    files: usize,
    worst: Option<&Workers>,
    control: &Control,
) -> Result<DistortionCertificate, NoCertificate> {
    let formula = Formula::distortion(g, liars, files);
    let proof = refute(&formula, &|| control.stopped()).map_err(|error| match error {
        NoProof::Satisfiable => NoCertificate::Contradiction,
        error => error.into(),
    })?;
    Ok(DistortionCertificate {
        program: PROGRAM.to_owned(),
        digest: g.digest(),
        matrix: g.clone(),
        liars,
        files,
        worst: worst.cloned(),
        formula: formula.digest(),
        proof,
    })
}

/// Writes down what an enumeration counted, beside the verdict that it gave.
///
/// # Panics
/// When the verdict is not that of the enumeration.
#[must_use]
pub fn record(whole: &Whole, verdict: &Verdict) -> Certificate {
    let worst = whole.count().worst.as_ref().filter(|worst| verdict.worst() == Some(worst));
    let (Some(worst), Some(b)) = (worst, verdict.b()) else {
        panic!("a verdict on this enumeration has its worst message");
    };
    let claim = Claim { matrix: whole.question().matrix.clone(), b, ties: verdict.ties() };
    let attack = verdict.attack().cloned();
    let sides = whole.sides().iter().zip(&whole.count().margins);
    let parts = whole
        .parts()
        .iter()
        .map(|(range, digest)| RecordedPart { range: range.clone(), digest: digest.clone() });
    Certificate {
        program: whole.program().to_owned(),
        tolerant: verdict.is_tolerant(),
        radius: usize::try_from(worst.margin).ok(),
        digest: claim.matrix.digest(),
        reductions: reductions(&claim),
        evidence: Evidence::Enumeration(Record {
            attack,
            margin: worst.margin,
            worst: worst.message.clone(),
            sides: sides.map(|(&correct, margins)| SideCount { correct, margins: margins.clone() }).collect(),
            choices: whole.total(),
            parts: parts.collect(),
        }),
        claim,
        tight: None,
    }
}
