//! DIMACS CNF, the SAT solvers' format: the claim "G is not b-tolerant", one side a file.

use super::claim::claim_lines;
use ecode_core::{Claim, Clauses, Formula};

/// The side's clauses with comments that say what they mean.
#[must_use]
pub fn dimacs(claim: &Claim, correct: bool) -> String {
    let formula = Formula::new(&claim.matrix, claim.ties, claim.b, correct);
    let comments: Vec<String> =
        claim_lines(claim, &formula).iter().map(|line| format!("c {line}\n")).collect();
    comments.concat() + &Clauses::of(&claim.matrix, &formula).dimacs()
}
