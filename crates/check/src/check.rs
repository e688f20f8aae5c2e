//! The checker. It imports the definitions, the formula that they give, and the replay of proofs.

use super::clausal::replay_drat;
use super::recount::recount;
use super::replay::{ProofError, replay};
use super::{Certificate, Evidence, SideProof, Strength, System, WorstCase};
use ecode_core::{Claim, Clauses, Counterexample, Formula, MOST_CLAUSES, Outcome, deciding_sides};

/// What a valid certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whether the code tolerates b Byzantine workers.
    pub tolerant: bool,
    /// The radius, where the certificate shows it.
    pub radius: Option<usize>,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
    /// How much that shows.
    pub strength: Strength,
    /// What a reader must know besides.
    pub note: Option<String>,
}

/// Why a certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part of it is not what it should be at all.
    #[error("{0}")]
    Malformed(String),
    /// It does not show what it claims.
    #[error("{0}")]
    Invalid(String),
}

/// What may be left out of a claim's evidence, in the words in which a certificate must say it.
#[must_use]
pub fn reductions(claim: &Claim) -> Vec<String> {
    let (g, ties) = (&claim.matrix, claim.ties);
    let sizes = |letter, size: usize| format!("{letter} = {size} is odd");
    let because = if g.all_loads_odd() { "all loads are odd".to_owned() } else { format!("ties: {ties}") };
    match deciding_sides(g, ties).as_slice() {
        [false] => vec![format!("side 0 stands for both: {} and {because}", sizes("n", g.n()))],
        [true] => vec![format!("side 1 stands for both: {} and {because}", sizes("k", g.k()))],
        _ => Vec::new(),
    }
}

/// Checks a certificate.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check(certificate: &Certificate) -> Result<Accepted, Refused> {
    let invalid = |what: String| Err(Refused::Invalid(what));
    let Certificate { claim, evidence, tight, .. } = certificate;
    let g = &claim.matrix;
    if certificate.digest != g.digest() {
        return invalid(format!("the digest is {}, but G's is {}", certificate.digest, g.digest()));
    }
    if claim.b > g.n() {
        return invalid(format!("b is {}, but there are only {} workers", claim.b, g.n()));
    }
    let mut checked = Vec::new();
    let mut radius = None;
    let (mut strength, mut note) = (Strength::Proved, None);
    let tolerant = match evidence {
        Evidence::Enumeration(record) => {
            if tight.is_some() {
                return invalid("a record has no 'tight'".to_owned());
            }
            let recounted = recount(certificate, record, &mut checked)?;
            (radius, strength, note) = (recounted.radius, recounted.strength, recounted.note);
            recounted.tolerant
        }
        Evidence::Refutation { attack, worst } => {
            if tight.is_some() {
                return invalid("a refutation has no 'tight'".to_owned());
            }
            overturns(claim, claim.b, attack)
                .map_err(|why| Refused::Invalid(format!("counterexample: {why}")))?;
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
                proved(certificate, *margin, sides, System::CuttingPlanes, &mut checked)?;
                checked.push(format!("no message has a smaller margin than the counterexample's, {margin}"));
            } else if !certificate.reductions.is_empty() {
                return invalid("a refutation without proofs has no reductions".to_owned());
            }
            false
        }
        Evidence::CuttingPlanes(sides) => {
            proved(certificate, claim.b as i64, sides, System::CuttingPlanes, &mut checked)?;
            true
        }
        Evidence::Drat(sides) => {
            proved(certificate, claim.b as i64, sides, System::Drat, &mut checked)?;
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
        overturns(claim, claim.b + 1, attack).map_err(|why| Refused::Invalid(format!("tight: {why}")))?;
        checked
            .push(format!("not more: an attack by {} Byzantine workers replays", attack.byzantine.count()));
        radius = Some(claim.b);
    }
    if certificate.radius != radius {
        return invalid(match certificate.radius {
            Some(stated) if strength == Strength::Proved => {
                format!("the radius {stated} is not shown: 'tight' must refute b + 1, and b be the radius")
            }
            _ if strength != Strength::Proved => {
                "the radius is not the smallest margin that was counted".to_owned()
            }
            _ => "'tight' shows that the radius is b, but the claim does not name it".to_owned(),
        });
    }
    Ok(Accepted { tolerant, radius, checked, strength, note })
}

/// Whether the sides' proofs show that every message has at least this margin.
fn proved(
    certificate: &Certificate,
    margin: i64,
    sides: &[SideProof],
    system: System,
    checked: &mut Vec<String>,
) -> Result<(), Refused> {
    let invalid = |what: String| Err(Refused::Invalid(what));
    let (g, ties) = (&certificate.claim.matrix, certificate.claim.ties);
    let needed = deciding_sides(g, ties);
    if sides.iter().map(|side| side.correct).ne(needed.iter().copied()) {
        let needed: Vec<String> = needed.iter().map(|&side| u8::from(side).to_string()).collect();
        return invalid(format!("this claim needs exactly the sides {}, in order", needed.join(", ")));
    }
    let expected = reductions(&certificate.claim);
    if certificate.reductions != expected {
        return invalid(format!("reductions: expected {expected:?}, found {:?}", certificate.reductions));
    }
    for side in sides {
        let formula = Formula::below(g, ties, margin, side.correct);
        let name = format!("side {}", u8::from(side.correct));
        let (digest, size, replayed) = match system {
            System::CuttingPlanes => {
                let size = (formula.variables(), formula.inequalities.len(), "inequalities");
                (formula.digest(), size, replay(&formula, &side.proof))
            }
            System::Drat => {
                let count = Clauses::count(g, &formula);
                if count > MOST_CLAUSES {
                    return invalid(format!(
                        "{name}: {count} clauses, but at most {MOST_CLAUSES} are replayed"
                    ));
                }
                let clauses = Clauses::of(g, &formula);
                let size = (clauses.variables, clauses.clauses.len(), "clauses");
                (clauses.digest(), size, replay_drat(&clauses, &side.proof))
            }
        };
        if side.formula != digest {
            return invalid(format!(
                "{name}: the formula's digest is {}, but that of the claim's formula is {digest}",
                side.formula
            ));
        }
        let steps = replayed.map_err(|error| match error {
            ProofError::Malformed { .. } => Refused::Malformed(format!("{name}: {error}")),
            ProofError::Rejected { .. } => Refused::Invalid(format!("{name}: {error}")),
        })?;
        let (variables, count, of) = size;
        checked.push(format!(
            "{name}: {steps} steps prove that the formula of {variables} variables and {count} {of} has no solution"
        ));
    }
    checked.extend(expected);
    Ok(())
}

/// Whether the attack shows that b Byzantine workers overturn a message.
pub(super) fn overturns(claim: &Claim, b: usize, attack: &Counterexample) -> Result<(), String> {
    if attack.byzantine.count() > b {
        return Err(format!("{} Byzantine workers are more than {b}", attack.byzantine.count()));
    }
    if attack.replays(&claim.matrix, claim.ties, b) {
        return Ok(());
    }
    Err("it does not replay through the definitions".to_owned())
}
