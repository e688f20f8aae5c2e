//! OPB, the pseudo-Boolean solvers' format: the claim "G is not b-tolerant", one side a file.

use super::claim::claim_lines;
use ecode_core::{Claim, Formula};

/// The side's formula with comments that say what it means. Without its comment lines it is
/// [`Formula::opb`].
#[must_use]
pub fn opb(claim: &Claim, correct: bool) -> String {
    let formula = Formula::new(&claim.matrix, claim.ties, claim.b, correct);
    let text = formula.opb();
    let (header, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let comments: Vec<String> =
        claim_lines(claim, &formula).iter().map(|line| format!("* {line}\n")).collect();
    format!("{header}\n{}{rest}", comments.concat())
}
