//! What every kind of evidence needs: which sides must be shown, and attacks.

use super::outcome::{Refused, invalid};
use ecode_core::{Claim, Counterexample, deciding_sides, shown};

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

/// Whether exactly the sides are there that decide, and the reason is given where that is one.
pub(crate) fn complete(
    claim: &Claim,
    sides: impl Iterator<Item = bool>,
    stated: &[String],
) -> Result<(), Refused> {
    let needed = deciding_sides(&claim.matrix, claim.ties);
    if sides.ne(needed.iter().copied()) {
        let needed: Vec<String> = needed.iter().map(|&side| u8::from(side).to_string()).collect();
        return invalid(format!("this claim needs exactly the sides {}, in order", needed.join(", ")));
    }
    let expected = reductions(claim);
    if stated != expected {
        let stated = shown(&format!("{stated:?}"));
        return invalid(format!("reductions: expected {expected:?}, found {stated}"));
    }
    Ok(())
}

/// Whether the attack shows that b Byzantine workers overturn a message; `name` is what the file calls it.
pub(crate) fn overturns(claim: &Claim, b: usize, attack: &Counterexample, name: &str) -> Result<(), Refused> {
    if attack.byzantine.count() > b {
        return invalid(format!("{name}: {} Byzantine workers are more than {b}", attack.byzantine.count()));
    }
    if attack.replays(&claim.matrix, claim.ties, b) {
        return Ok(());
    }
    invalid(format!("{name}: it does not replay through the definitions"))
}
