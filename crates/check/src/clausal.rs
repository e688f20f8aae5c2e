//! Replays a DRAT proof that clauses have no solution.
//!
//! # What is promised
//! `Ok` means that the clauses have no solution. Every added clause is checked by unit propagation alone
//! ([`replay_drat`]): certificates need no more, and one that uses more is refused. Proofs by outside solvers may
//! also use the format's further rule ([`replay_full_drat`]): a clause may be added when its first literal p makes
//! every resolvent on p follow by unit propagation (a resolution asymmetric tautology), also one with a variable
//! that was not there before. It loses no solution for good: where the new clause fails, p can be flipped.

use std::collections::HashMap;

use super::inequality::{Database, Literal, Normal};
use super::replay::ProofError;
use ecode_core::Clauses;

/// Checks that `proof` shows the clauses unsatisfiable, and returns how many clauses it adds.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay_drat(clauses: &Clauses, proof: &str) -> Result<usize, ProofError> {
    replay(clauses, proof, false)
}

/// As [`replay_drat`], with all rules of the format.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay_full_drat(clauses: &Clauses, proof: &str) -> Result<usize, ProofError> {
    replay(clauses, proof, true)
}

fn replay(clauses: &Clauses, proof: &str, full: bool) -> Result<usize, ProofError> {
    // A proof has at most one new variable a line.
    let variables = clauses.variables + if full { proof.lines().count() } else { 0 };
    let mut known = Database::new(variables);
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
                Ok(literal) if literal.unsigned_abs() as usize <= variables => literals.push(literal),
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
        let denial: Vec<Literal> = clause.terms.iter().map(|&(_, literal)| literal.negated()).collect();
        let follows = propagates(&mut known, &denial) || {
            let pivot = literals.first().map(|&l| Literal::new(l.unsigned_abs() as usize, l > 0));
            full && pivot.is_some_and(|pivot| resolvents_follow(&mut known, &denial, pivot))
        };
        if !follows {
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

/// Whether these literals together lead to a conflict by unit propagation.
fn propagates(known: &mut Database, assumed: &[Literal]) -> bool {
    known.contradicts(assumed.iter().map(|&literal| Normal::clause([literal])).collect())
}

/// Whether every resolvent on the pivot of the clause that `denial` denies follows by unit propagation.
fn resolvents_follow(known: &mut Database, denial: &[Literal], pivot: Literal) -> bool {
    known.with(pivot.negated()).into_iter().all(|other| {
        let rest =
            other.terms.iter().map(|&(_, literal)| literal).filter(|&literal| literal != pivot.negated());
        // A literal of the clause and its negation in the other: the resolvent always holds.
        let mut assumed = denial.to_vec();
        for literal in rest {
            if denial.contains(&literal) {
                return true;
            }
            assumed.push(literal.negated());
        }
        assumed.sort_unstable();
        assumed.dedup();
        propagates(known, &assumed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::Encoding;

    fn clauses(variables: usize, list: &[&[i32]]) -> Clauses {
        let mut clauses = Clauses::new(variables, Encoding::default());
        for clause in list {
            clauses.add(clause.to_vec());
        }
        clauses
    }

    /// Every clause over two variables, with two new ones in the proof that stand for conjunctions.
    #[test]
    fn new_variables_are_checked() {
        let all = clauses(2, &[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]]);
        // 3 is "1 and 2": not a consequence, and no loss.
        let proof = "3 -1 -2 0\n-3 1 0\n-3 2 0\n1 0\n0\n";
        assert_eq!(replay_full_drat(&all, proof), Ok(5));
        assert!(matches!(replay_drat(&all, proof), Err(ProofError::Malformed { line: 1, .. })));
        // The pivot comes first: with another one the clause is a restriction.
        let some = clauses(2, &[&[1, 2], &[-1, 2]]);
        assert!(matches!(replay_full_drat(&some, "3 0\n2 0\n"), Err(ProofError::Malformed { line: 2, .. })));
        assert!(matches!(replay_full_drat(&some, "-2 0\n0\n"), Err(ProofError::Rejected { line: 1, .. })));
        assert!(matches!(
            replay_full_drat(&some, "3 0\n-3 0\n0\n"),
            Err(ProofError::Rejected { line: 2, .. })
        ));
    }

    /// Random proofs over satisfiable clauses: none of them is ever accepted.
    #[test]
    fn nothing_refutes_clauses_with_a_solution() {
        let mut state = 11_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut accepted_steps = 0;
        for _ in 0..3000 {
            let mut clause = |variables: u64, most: u64| -> Vec<i32> {
                let len = 1 + random(most);
                (0..len)
                    .map(|_| (1 + random(variables) as i32) * if random(2) == 0 { 1 } else { -1 })
                    .collect()
            };
            // Every clause has a true literal under "all true", so there is a solution.
            let list: Vec<Vec<i32>> =
                (0..8).map(|_| clause(4, 3)).filter(|clause| clause.iter().any(|&l| l > 0)).collect();
            let list: Vec<&[i32]> = list.iter().map(Vec::as_slice).collect();
            let formula = clauses(4, &list);
            let mut proof = String::new();
            for _ in 0..12 {
                let line: Vec<String> = clause(6, 3).iter().map(ToString::to_string).collect();
                let step = format!("{} 0\n", line.join(" "));
                // Steps that do not follow are left out, so that proofs grow long.
                let tried = replay_full_drat(&formula, &(proof.clone() + &step));
                if matches!(tried, Err(ProofError::Malformed { .. })) {
                    proof += &step;
                    accepted_steps += 1;
                }
                assert!(tried.is_err(), "{list:?}\n{proof}{step}");
            }
            assert!(replay_full_drat(&formula, &(proof.clone() + "0\n")).is_err(), "{list:?}\n{proof}");
        }
        assert!(accepted_steps > 3000, "{accepted_steps}");
    }
}
