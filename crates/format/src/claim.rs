//! What an exported formula means, in words.

use ecode_core::{Claim, Formula, deciding_sides};

/// The words, a line each.
pub(crate) fn claim_lines(claim: &Claim, formula: &Formula) -> Vec<String> {
    let Claim { matrix: g, b, ties } = claim;
    let (k, answer) = (formula.k, u8::from(formula.correct));
    let sides: Vec<String> =
        deciding_sides(g, *ties).iter().map(|&side| u8::from(side).to_string()).collect();
    vec![
        format!("{}: {} workers, {k} partitions", g.digest(), g.n()),
        format!(
            "the claim: with {b} Byzantine workers (ties: {ties}) a message whose answer is {answer} is decoded wrong"
        ),
        format!("x1 to x{k}: the bit of partition 0 to {} is {}", k - 1, 1 - answer),
        format!("x{} to x{}: a worker counts as turned", k + 1, formula.variables()),
        format!(
            "the matrix tolerates b = {b} if and only if this is unsatisfiable for --side {}",
            sides.join(" and ")
        ),
    ]
}
