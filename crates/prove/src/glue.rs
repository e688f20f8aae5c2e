//! A certificate of a tolerant verdict by the gluing theorem: no proof, but the cut into parts that its premises need.

use super::make::{NoCertificate, PROGRAM};
use ecode_check::{Certificate, Evidence, GluedPart};
use ecode_core::{AllocationMatrix, Claim};
use ecode_verify::{Part, Shape, Verdict};

/// Writes down by which cut into parts the gluing theorem (docs/theory/lighter.md) shows a tolerant verdict.
///
/// ```
/// use ecode_check::{Certificate, Strength, check};
/// use ecode_core::TieRule;
/// use ecode_design::construct::Gluing;
/// use ecode_prove::certify_gluing;
/// use ecode_verify::{Control, verify_by_gluing};
///
/// let code = Gluing::new(101, 10)?;
/// let control = Control::default();
/// let verdict = verify_by_gluing(&code.matrix, &code.shape, 10, TieRule::Zero, &control)??;
/// let text = certify_gluing(&code.matrix, &verdict, &code.shape)?.to_json();
/// let accepted = check(&Certificate::parse(text.as_bytes())?)?;
/// assert_eq!((accepted.tolerant, accepted.strength), (true, Strength::Theorem));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`NoCertificate`]: the verdict is not tolerant, or a premise does not hold.
pub fn certify_gluing(
    g: &AllocationMatrix,
    verdict: &Verdict,
    shape: &Shape,
) -> Result<Certificate, NoCertificate> {
    let b = verdict.b().filter(|_| verdict.is_tolerant()).ok_or(NoCertificate::Undecided)?;
    if g.n() != g.k() {
        // The engine also takes one worker more; the checker does not.
        let why = "such a certificate is for as many partitions as workers";
        return Err(NoCertificate::Gluing(why.to_owned()));
    }
    shape.prove(g, b).map_err(|premise| NoCertificate::Gluing(premise.to_string()))?;
    let tight = verdict.worst().and_then(|worst| worst.attack(g, verdict.ties(), b + 1));
    Ok(Certificate {
        program: PROGRAM.to_owned(),
        tolerant: true,
        radius: tight.as_ref().map(|_| b),
        digest: g.digest(),
        claim: Claim { matrix: g.clone(), b, ties: verdict.ties() },
        evidence: Evidence::Gluing(parts(shape)),
        tight,
        reductions: Vec::new(),
    })
}

fn parts(shape: &Shape) -> Vec<GluedPart> {
    let part = |part: &Part| match part {
        Part::Enumerated(points) => GluedPart::Enumerated(*points),
        Part::Counted(points) => GluedPart::Counted(*points),
        Part::Lemma(inner) => GluedPart::Lemma(parts(inner)),
    };
    shape.0.iter().map(part).collect()
}
