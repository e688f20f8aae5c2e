//! From a verdict on failure domains to its certificate.

use super::make::{NoCertificate, PROGRAM, Scope, certify};
use ecode_check::{Certificate, DomainCertificate, DomainProof, Evidence, Proofs, System};
use ecode_core::{AllocationMatrix, Domains};
use ecode_verify::{Control, DomainConclusion, DomainEvidence, DomainVerdict, Rest};

/// Writes down what a verdict on failure domains rests on. For a tolerant one proofs are searched anew: one about the whole
/// matrix, or one for each set of lying domains that was looked at.
///
/// ```
/// use ecode_check::{DomainCertificate, Options, System, check_domains};
/// use ecode_core::Domains;
/// use ecode_prove::certify_domains;
/// use ecode_verify::{Control, DomainRequest};
///
/// let g = ecode_design::construct::algorithm1(9, 2)?;
/// let hosts = Domains::of_workers(&["a", "a", "b", "b", "c", "d", "e", "f", "g"])?;
/// let control = Control::default();
/// let verdict = DomainRequest::new(&g, &hosts).b(1).decide(&control)?;
/// let text = certify_domains(&g, &hosts, &verdict, System::CuttingPlanes, &control)?.to_json();
/// // Anyone who has the text can check it.
/// let accepted = check_domains(&DomainCertificate::parse(text.as_bytes())?, Options::default())?;
/// assert!(accepted.tolerant);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`NoCertificate`]; [`NoCertificate::NotProved`] for what only the definition was tried for.
pub fn certify_domains(
    g: &AllocationMatrix,
    domains: &Domains,
    verdict: &DomainVerdict,
    system: System,
    control: &Control,
) -> Result<DomainCertificate, NoCertificate> {
    let b = verdict.b().ok_or(NoCertificate::Undecided)?;
    let proofs = |matrix: &AllocationMatrix, verdict| {
        certify(matrix, verdict, Scope::Claim, system, control).and_then(|made| proofs(made, system))
    };
    let evidence = match (verdict.conclusion(), verdict.evidence()) {
        (DomainConclusion::Refuted(attack), _) => DomainProof::Refutation((**attack).clone()),
        (DomainConclusion::Tolerant, Some(DomainEvidence::BySize(whole))) => {
            DomainProof::Largest(proofs(g, whole)?)
        }
        (DomainConclusion::Tolerant, Some(DomainEvidence::EachSet(cases))) => {
            let mut all = Vec::with_capacity(cases.len());
            for case in cases {
                let rest = Rest::of(g, &domains.members_of(&case.lying)).ok().flatten();
                let rest = rest.ok_or(NoCertificate::Contradiction)?;
                all.push((case.lying.clone(), proofs(&rest.matrix, &case.verdict)?));
            }
            DomainProof::EachSet(all)
        }
        (DomainConclusion::Tolerant, _) => return Err(NoCertificate::NotProved),
        (DomainConclusion::Undecided, _) => return Err(NoCertificate::Undecided),
    };
    Ok(DomainCertificate {
        program: PROGRAM.to_owned(),
        digest: g.digest(),
        matrix: g.clone(),
        domains: domains.clone(),
        b,
        ties: verdict.ties(),
        evidence,
    })
}

/// The proofs of a certificate of a tolerant claim.
fn proofs(made: Certificate, system: System) -> Result<Proofs, NoCertificate> {
    match made.evidence {
        Evidence::CuttingPlanes(sides) | Evidence::Drat(sides) => {
            Ok(Proofs { system, sides, reductions: made.reductions })
        }
        Evidence::Refutation { .. } | Evidence::Gluing(_) | Evidence::Enumeration(_) => {
            Err(NoCertificate::Contradiction)
        }
    }
}
