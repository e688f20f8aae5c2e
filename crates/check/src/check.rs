//! The checker. It imports the definitions, the formula that they give, and the replay of each kind of evidence.

use super::budget::{Budget, MOST_TERMS};
use super::certificate::{Certificate, Evidence, SideProof, System, WorstCase};
use super::cutting_planes::replay;
use super::drat::replay_drat;
use super::options::Options;
use super::outcome::{Accepted, Refused, Strength, invalid};
use super::proof::ProofError;
use super::sides::{complete, overturns, reductions};
use super::{gluing, record};
use ecode_core::{Clauses, Formula, MOST_CLAUSES, Outcome, TieRule, shown};

/// Checks a certificate.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check(certificate: &Certificate) -> Result<Accepted, Refused> {
    check_with(certificate, Options::default())
}

/// Checks a certificate as the options say.
///
/// # Errors
/// [`Refused`] with the reason.
#[allow(clippy::too_many_lines, reason = "one arm for each kind of evidence, and what all kinds share")]
pub fn check_with(certificate: &Certificate, options: Options) -> Result<Accepted, Refused> {
    let Certificate { claim, evidence, tight, .. } = certificate;
    let g = &claim.matrix;
    if certificate.digest != g.digest() {
        return invalid(format!("the digest is {}, but G's is {}", shown(&certificate.digest), g.digest()));
    }
    if claim.b > g.n() {
        return invalid(format!("b is {}, but there are only {} workers", claim.b, g.n()));
    }
    let alone = |name: &str| match tight {
        Some(_) => invalid(format!("a {name} has no 'tight'")),
        None => Ok(()),
    };
    let proved =
        |margin, sides, system, checked: &mut _| proved(certificate, margin, sides, system, options, checked);
    let mut checked = Vec::new();
    let mut radius = None;
    let (mut strength, mut note) = (Strength::Proved, None);
    let mut unproved = None;
    let tolerant = match evidence {
        Evidence::Enumeration(record) => {
            alone("record")?;
            let counted = record::check(certificate, record, options, &mut checked)?;
            (radius, note) = (counted.radius, Some(counted.note));
            match (counted.again, counted.tolerant) {
                (true, _) => strength = Strength::Recounted,
                // The counterexample is a proof; that no message is worse is not proved.
                (false, false) => {}
                (false, true) => unproved.clone_from(&note),
            }
            counted.tolerant
        }
        Evidence::Refutation { attack, worst } => {
            alone("refutation")?;
            overturns(claim, claim.b, attack, "counterexample")?;
            checked.push(format!(
                "the counterexample replays: {} of at most {} Byzantine workers turn the answer {} into {}",
                attack.byzantine.count(),
                claim.b,
                u8::from(attack.correct),
                u8::from(attack.decoded)
            ));
            if let Some(WorstCase { margin, sides }) = worst {
                let attained = Outcome::of(g, claim.ties, &attack.message).margin;
                if attained != *margin {
                    return invalid(format!(
                        "the smallest margin is said to be {margin}, but the message's is {attained}"
                    ));
                }
                proved(*margin, sides, System::CuttingPlanes, &mut checked)?;
                checked.push(format!("no message has a smaller margin than the counterexample's, {margin}"));
            } else if !certificate.reductions.is_empty() {
                return invalid("a refutation without proofs has no reductions");
            }
            false
        }
        Evidence::CuttingPlanes(sides) => {
            proved(claim.b as i64, sides, System::CuttingPlanes, &mut checked)?;
            true
        }
        Evidence::Drat(sides) => {
            proved(claim.b as i64, sides, System::Drat, &mut checked)?;
            true
        }
        Evidence::Gluing(shape) => {
            if !certificate.reductions.is_empty() {
                return invalid("a certificate by the gluing theorem has no reductions");
            }
            let choices = gluing::premises(g, claim.b, shape, &Budget::new(options.stopped))?;
            checked.push(format!(
                "the premises of the gluing theorem hold on the matrix: {} workers hold one partition each, the \
                 rows on the other {} are valid part by part ({choices} choices of points)",
                (g.n() - 1) / 2 - claim.b,
                g.n().div_ceil(2) + claim.b
            ));
            strength = Strength::Theorem;
            note = Some(
                "proved by a theorem of docs/theory/lighter.md: its proof is there to be read".to_owned(),
            );
            true
        }
    };
    if certificate.tolerant != tolerant {
        let word = |tolerant| if tolerant { "tolerant" } else { "refuted" };
        return invalid(format!(
            "the verdict is \"{}\", but the evidence says {}",
            word(certificate.tolerant),
            word(tolerant)
        ));
    }
    if let Some(attack) = tight {
        overturns(claim, claim.b + 1, attack, "tight")?;
        checked
            .push(format!("not more: an attack by {} Byzantine workers replays", attack.byzantine.count()));
        radius = Some(claim.b);
    }
    if certificate.radius != radius {
        return invalid(match (evidence, certificate.radius) {
            (Evidence::Enumeration(_), _) => {
                "the radius is not the smallest margin that was counted".to_owned()
            }
            (_, Some(stated)) => {
                format!("the radius {stated} is not shown: 'tight' must refute b + 1, and b be the radius")
            }
            (_, None) => "'tight' shows that the radius is b, but the claim does not name it".to_owned(),
        });
    }
    if let Some(note) = unproved {
        return Err(Refused::Unproved(Box::new(super::outcome::Unproved { radius, checked, note })));
    }
    if matches!(evidence, Evidence::Enumeration(_)) && strength == Strength::Proved {
        radius = None;
    }
    Ok(Accepted { tolerant, radius, checked, strength, note })
}

/// Whether the sides' proofs show that every message has at least this margin.
fn proved(
    certificate: &Certificate,
    margin: i64,
    sides: &[SideProof],
    system: System,
    options: Options,
    checked: &mut Vec<String>,
) -> Result<(), Refused> {
    let claim = &certificate.claim;
    let (g, ties) = (&claim.matrix, claim.ties);
    complete(claim, sides.iter().map(|side| side.correct), &certificate.reductions)?;
    let twice = if ties == TieRule::Abstain { 2 } else { 1 };
    if twice * g.ones() > MOST_TERMS {
        return Err(Refused::TooLarge(format!("a formula of more than {MOST_TERMS} terms is not replayed")));
    }
    for side in sides {
        let formula = Formula::below(g, ties, margin, side.correct);
        let name = format!("side {}", u8::from(side.correct));
        let differs = |digest: String| {
            let stated = shown(&side.formula);
            invalid(format!(
                "{name}: the formula's digest is {stated}, but that of the claim's formula is {digest}"
            ))
        };
        let (size, replayed) = match system {
            System::CuttingPlanes => {
                let digest = formula.digest();
                if side.formula != digest {
                    return differs(digest);
                }
                let size = (formula.variables(), formula.inequalities.len(), "inequalities");
                (size, replay(&formula, &side.proof, options.stopped))
            }
            System::Drat => {
                let count = Clauses::count(g, &formula);
                if count > MOST_CLAUSES {
                    return invalid(format!(
                        "{name}: {count} clauses, but at most {MOST_CLAUSES} are replayed"
                    ));
                }
                let clauses = Clauses::of(g, &formula);
                let digest = clauses.digest();
                if side.formula != digest {
                    return differs(digest);
                }
                let size = (clauses.variables, clauses.clauses.len(), "clauses");
                (size, replay_drat(&clauses, &side.proof, options.stopped))
            }
        };
        let steps = replayed.map_err(|error| match error {
            ProofError::Malformed { .. } => Refused::Malformed(format!("{name}: {error}")),
            ProofError::Rejected { .. } => Refused::Invalid(format!("{name}: {error}")),
            ProofError::TooLarge { .. } => Refused::TooLarge(format!("{name}: {error}")),
            ProofError::Stopped => Refused::Stopped,
        })?;
        let (variables, count, of) = size;
        checked.push(format!(
            "{name}: {steps} steps prove that the formula of {variables} variables and {count} {of} has no solution"
        ));
    }
    checked.extend(reductions(claim));
    Ok(())
}
