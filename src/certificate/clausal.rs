//! Replays a DRAT proof that clauses have no solution.
//!
//! # What is promised
//! `Ok` means that the empty clause follows. Every added clause is checked by unit propagation alone; the
//! format's further rule (resolution asymmetric tautologies) is not needed by the proofs written here, and a
//! proof that uses it is refused.

use std::collections::HashMap;

use super::inequality::{Database, Literal, Normal};
use super::replay::ProofError;
use crate::code::Clauses;

/// Checks that `proof` shows the clauses unsatisfiable, and returns how many clauses it adds.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay_drat(clauses: &Clauses, proof: &str) -> Result<usize, ProofError> {
    let mut known = Database::new(clauses.variables);
    let mut numbers: HashMap<Normal, Vec<usize>> = HashMap::new();
    let normal = |literals: &[i32]| {
        let mut literals: Vec<Literal> =
            literals.iter().map(|&l| Literal::new(l.unsigned_abs() as usize, l > 0)).collect();
        literals.sort_unstable();
        literals.dedup();
        // A variable with its negation: always true.
        let always = literals.windows(2).any(|pair| pair[0].variable() == pair[1].variable());
        (!always).then(|| Normal::clause(literals))
    };
    for clause in clauses.clauses.iter().filter_map(|clause| normal(clause)) {
        numbers.entry(clause.clone()).or_default().push(known.add(clause));
    }
    let mut added = 0;
    for (place, line) in proof.lines().enumerate() {
        let malformed = |what: String| Err(ProofError::Malformed { line: place + 1, what });
        let (deletes, rest) = line.strip_prefix("d ").map_or((false, line), |rest| (true, rest));
        let mut literals = Vec::new();
        let mut ended = false;
        for token in rest.split_whitespace() {
            match token.parse::<i32>() {
                _ if ended => return malformed(format!("'{token}' after the clause's 0")),
                Ok(0) => ended = true,
                Ok(literal) if literal.unsigned_abs() as usize <= clauses.variables => literals.push(literal),
                _ => return malformed(format!("'{token}' is no literal of the formula")),
            }
        }
        if !ended {
            return malformed("a clause ends with 0".to_owned());
        }
        let Some(clause) = normal(&literals) else { continue };
        if deletes {
            // To keep a clause is always sound. Single literals are kept: solvers delete clauses that such
            // a literal satisfies, and go on using the literal.
            if clause.terms.len() > 1
                && let Some(id) = numbers.get_mut(&clause).and_then(Vec::pop)
            {
                known.remove(id);
            }
            continue;
        }
        let denial = clause.terms.iter().map(|&(_, literal)| Normal::clause([literal.negated()])).collect();
        if !known.contradicts(denial) {
            let what = "unit propagation does not lead to a conflict".to_owned();
            return Err(ProofError::Rejected { line: place + 1, what });
        }
        added += 1;
        if clause.terms.is_empty() {
            return Ok(added);
        }
        numbers.entry(clause.clone()).or_default().push(known.add(clause));
    }
    Err(ProofError::Malformed {
        line: proof.lines().count(),
        what: "the empty clause is not reached".to_owned(),
    })
}
