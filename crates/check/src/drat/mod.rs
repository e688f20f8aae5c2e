//! Replays a DRAT proof that clauses have no solution.
//!
//! # What is promised
//! `Ok` means that the clauses have no solution. Every added clause is checked by unit propagation alone
//! ([`replay_drat`]): certificates need no more, and one that uses more is refused. Proofs by outside solvers may
//! also use the format's further rule ([`replay_full_drat`]): a clause may be added when its first literal p makes
//! every resolvent on p follow by unit propagation (a resolution asymmetric tautology), also one with a variable
//! that was not there before. It loses no solution for good: where the new clause fails, p can be flipped.
//!
//! # Deletions
//! A clause that makes a literal true by itself, given what is true anyway, is kept when the proof deletes it: solvers of
//! the Glucose family delete such clauses and go on using the literal. To keep a clause is always sound.
//!
//! Memory is bounded by [`MOST_DRAT_CLAUSES`] and [`MOST_DRAT_VARIABLES`]; the time is that of the propagations, and
//! can be ended at any moment.
//!
//! [`MOST_DRAT_CLAUSES`]: super::MOST_DRAT_CLAUSES
//! [`MOST_DRAT_VARIABLES`]: super::MOST_DRAT_VARIABLES
//!
//! # References
//! N. Wetzler, M. J. H. Heule, W. A. Hunt Jr., *DRAT-trim: Efficient checking and trimming using expressive clausal
//! proofs*, SAT 2014.

mod clauses;
mod steps;

use super::budget::{Budget, MOST_DRAT_VARIABLES};
use super::proof::{ProofError, Wrong, rejected};
use clauses::ClauseSet;
use ecode_core::Clauses;
use std::collections::HashMap;
use steps::{Reader, Step};

/// Checks that `proof` shows the clauses unsatisfiable, and returns how many clauses it adds. Asks `stopped` now and
/// then whether to end.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay_drat(clauses: &Clauses, proof: &str, stopped: &dyn Fn() -> bool) -> Result<usize, ProofError> {
    let budget = Budget::new(stopped);
    let mut replay = Replay::new(clauses, &budget, false).map_err(|wrong| wrong.at(0))?;
    let mut reader = Reader::certificate(proof.as_bytes(), clauses.variables);
    while reader.next(&budget).map_err(|wrong| wrong.at(reader.line()))? {
        let followed = replay.step(reader.step()).map_err(|wrong| wrong.at(reader.line()))?;
        if followed && reader.step().literals.is_empty() {
            return Ok(replay.added);
        }
    }
    Err(Wrong::Malformed("the empty clause is not reached".to_owned()).at(reader.line()))
}

/// As [`replay_drat`], with all rules of the format, text or binary, as outside solvers write it: with comments, and
/// with a last line that may be cut off or missing where what is known already contradicts itself.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay_full_drat(
    clauses: &Clauses,
    proof: &[u8],
    stopped: &dyn Fn() -> bool,
) -> Result<usize, ProofError> {
    let budget = Budget::new(stopped);
    let mut replay = Replay::new(clauses, &budget, true).map_err(|wrong| wrong.at(0))?;
    let mut reader = Reader::outside(proof);
    while !replay.set.is_refuted() {
        if !reader.next(&budget).map_err(|wrong| wrong.at(reader.line()))? {
            let what = "the empty clause is not reached".to_owned();
            return Err(Wrong::Malformed(what).at(reader.line()));
        }
        replay.step(reader.step()).map_err(|wrong| wrong.at(reader.line()))?;
    }
    Ok(replay.added)
}

struct Replay<'a> {
    set: ClauseSet<'a>,
    /// All rules, and new variables.
    full: bool,
    /// Our numbers of variables that the formula does not have.
    fresh: HashMap<u32, u32>,
    added: usize,
}

impl<'a> Replay<'a> {
    fn new(clauses: &Clauses, budget: &'a Budget<'a>, full: bool) -> Result<Self, Wrong> {
        let set = ClauseSet::new(clauses.variables, budget);
        let mut replay = Self { set, full, fresh: HashMap::new(), added: 0 };
        for clause in &clauses.clauses {
            if let Some(literals) = replay.literals(clause)? {
                replay.set.add(&literals)?;
            }
        }
        Ok(replay)
    }

    /// A clause in our numbers, in order and without repetitions; `None` where it always holds.
    fn literals(&mut self, clause: &[i32]) -> Result<Option<Vec<u32>>, Wrong> {
        let mut literals = Vec::with_capacity(clause.len());
        for &literal in clause {
            literals.push(self.literal(literal)?);
        }
        literals.sort_unstable();
        literals.dedup();
        // A variable beside its negation.
        let always = literals.windows(2).any(|pair| pair[0] ^ 1 == pair[1]);
        Ok((!always).then_some(literals))
    }

    /// Two times the variable, from 0, and 1 more for the negation.
    fn literal(&mut self, literal: i32) -> Result<u32, Wrong> {
        let formula = self.set.variables() - self.fresh.len();
        let mut variable = literal.unsigned_abs() - 1;
        if variable as usize >= formula {
            variable = match self.fresh.get(&variable) {
                Some(&renamed) => renamed,
                None if self.set.variables() >= MOST_DRAT_VARIABLES => {
                    return Err(Wrong::TooLarge(format!("more than {MOST_DRAT_VARIABLES} variables")));
                }
                None => {
                    let new = self.set.fresh();
                    self.fresh.insert(variable, new);
                    new
                }
            };
        }
        Ok(2 * variable + u32::from(literal < 0))
    }

    /// Does a step; whether it was an addition.
    fn step(&mut self, step: &Step) -> Result<bool, Wrong> {
        let Some(clause) = self.literals(&step.literals)? else { return Ok(false) };
        if step.deletes {
            self.set.delete(&clause);
            return Ok(false);
        }
        let follows = if self.full
            && let Some(&pivot) = step.literals.first()
        {
            let pivot = self.literal(pivot)?;
            self.set.follows_with(&clause, pivot)?
        } else {
            self.set.follows(&clause)?
        };
        if !follows {
            return rejected("unit propagation does not lead to a conflict");
        }
        self.set.add(&clause)?;
        self.added += 1;
        Ok(true)
    }
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

    fn full(clauses: &Clauses, proof: &str) -> Result<usize, ProofError> {
        replay_full_drat(clauses, proof.as_bytes(), &|| false)
    }

    fn strict(clauses: &Clauses, proof: &str) -> Result<usize, ProofError> {
        replay_drat(clauses, proof, &|| false)
    }

    /// Every clause over two variables, with two new ones in the proof that stand for conjunctions.
    #[test]
    fn new_variables_are_checked() {
        let all = clauses(2, &[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]]);
        // 3 is "1 and 2": not a consequence, and no loss.
        let proof = "3 -1 -2 0\n-3 1 0\n-3 2 0\n1 0\n0\n";
        // What is known contradicts itself as soon as 1 is.
        assert_eq!(full(&all, proof), Ok(4));
        assert!(matches!(strict(&all, proof), Err(ProofError::Malformed { line: 1, .. })));
        assert_eq!(strict(&all, "1 0\n0\n"), Ok(2));
        // The pivot comes first: with another one the clause is a restriction.
        let some = clauses(2, &[&[1, 2], &[-1, 2]]);
        assert!(matches!(full(&some, "3 0\n2 0\n"), Err(ProofError::Malformed { line: 2, .. })));
        assert!(matches!(full(&some, "-2 0\n0\n"), Err(ProofError::Rejected { line: 1, .. })));
        assert!(matches!(full(&some, "3 0\n-3 0\n0\n"), Err(ProofError::Rejected { line: 2, .. })));
        // Numbers may be anything, and cost nothing.
        assert!(matches!(
            full(&some, "2147483647 0\n-2147483647 0\n"),
            Err(ProofError::Rejected { line: 2, .. })
        ));
    }

    /// The unit clause 1 makes 2 true by "2 or not 1": that clause is deleted, and 2 is used afterwards.
    #[test]
    fn what_makes_a_literal_true_is_kept() {
        let list = clauses(4, &[&[1], &[-1, 2], &[-2, 3, 4], &[-2, 3, -4], &[-3, 4], &[-3, -4]]);
        assert_eq!(full(&list, "d -1 2 0\nd 1 0\n3 0\n"), Ok(1));
        assert_eq!(strict(&list, "d -1 2 0\nd 1 0\n3 0\n0\n"), Ok(2));
        // Another clause that is deleted is gone.
        assert!(matches!(full(&list, "d -2 3 4 0\n3 0\n"), Err(ProofError::Rejected { line: 2, .. })));
        // One that stands twice is there until both are deleted.
        let twice = clauses(2, &[&[1, 2], &[2, 1], &[1, -2], &[-1, 2], &[-1, -2]]);
        assert_eq!(full(&twice, "d 2 1 0\n1 0\n"), Ok(1));
        assert!(full(&twice, "d 2 1 0\nd 1 2 0\n1 0\n").is_err());
    }

    #[test]
    fn comments_and_a_cut_last_line_are_for_outside_proofs() {
        let all = clauses(2, &[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]]);
        for proof in ["c a comment\n\n1 0\n", "1", "1\n", "1 0", "\r\n1 0\r\n"] {
            assert_eq!(full(&all, proof), Ok(1), "{proof:?}");
            assert!(matches!(strict(&all, proof), Err(ProofError::Malformed { .. })), "{proof:?}");
        }
        assert_eq!(replay_full_drat(&all, b"a\x02\0", &|| false), Ok(1));
        assert!(replay_full_drat(&all, b"a\x02", &|| false).is_err());
        assert!(replay_full_drat(&all, b"a\x02\0", &|| true).is_ok(), "too short to be stopped");
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
        let (mut accepted_steps, mut deletions) = (0, 0);
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
            for round in 0..12 {
                let line: Vec<String> = clause(6, 3).iter().map(ToString::to_string).collect();
                let step = format!("{} 0\n", line.join(" "));
                // Steps that do not follow are left out, so that proofs grow long.
                let tried = full(&formula, &(proof.clone() + &step));
                assert!(tried.is_err(), "{list:?}\n{proof}{step}");
                if matches!(tried, Err(ProofError::Malformed { .. })) {
                    proof += &step;
                    accepted_steps += 1;
                }
                if round % 3 == 2 {
                    let gone = match list.get(round / 3) {
                        Some(clause) => clause.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                        None => proof.lines().next().unwrap_or_default().trim_end_matches(" 0").to_owned(),
                    };
                    if !gone.starts_with('d') {
                        proof += &format!("d {gone} 0\n");
                        deletions += 1;
                    }
                }
            }
            assert!(full(&formula, &(proof.clone() + "0\n")).is_err(), "{list:?}\n{proof}");
        }
        assert!(accepted_steps > 3000 && deletions > 3000, "{accepted_steps} {deletions}");
    }
}
