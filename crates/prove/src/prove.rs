//! Finds a proof that a formula has no solution, in the format that [`ecode_check::replay`] checks.
//!
//! # What is promised
//! A text that is returned shows what it should, or the replay refuses it: nothing here is trusted.
//!
//! # How
//! Depth first over the partitions. A branch is given up as soon as propagation contradicts it, and
//! leaves one line, "not all of these partitions are chosen", with the inequalities that show it as hints: who checks
//! the line need not search for them. For every worker the sum of its own
//! inequality and the bound on the message's weight is added first: a worker is out as soon as too many
//! partitions outside its row are chosen.
//!
//! Where that takes many lines, the branches are bounded by a linear relaxation instead ([`super::bound`]),
//! and the search decides what the relaxation leaves fractional, workers first.
//!
//! # References
//! E. Goldberg and Y. Novikov, *Verification of Proofs of Unsatisfiability for CNF Formulas*, DATE 2003: lines that
//! propagation alone shows.

use std::fmt::Write as _;

use super::bound::{Bound, Relaxation};
use super::database::Database;
use super::inequality::{Literal, Normal, Overflow};
use ecode_core::Formula;

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// The work was stopped.
    #[error("stopped before the proof was complete")]
    Stopped,
    /// The proof grew beyond the limit.
    #[error("the proof would be longer than {0} bytes")]
    TooLong(usize),
    /// The formula has a solution: there is nothing to prove.
    #[error("the formula has a solution")]
    Satisfiable,
    /// The numbers grew beyond 64 bits.
    #[error("the numbers grow beyond 64 bits")]
    Overflow,
}

impl From<Overflow> for NoProof {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

/// The longest proof that is written, in bytes: it must be read back with the rest of its file.
pub const MOST_BYTES: usize = 96 << 20;

/// A proof by propagation alone that stays below this is not worth a search for a shorter one.
const SHORT: usize = 256 << 10;

/// So many branches are bounded by the relaxation before propagation alone is tried again.
const MOST_BRANCHES: usize = 2000;

/// Proves that the formula has no solution; asks `stopped` now and then whether to go on.
///
/// # Errors
/// [`NoProof`].
pub fn refute(formula: &Formula, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    match by_propagation(formula, stopped, SHORT) {
        Err(NoProof::TooLong(_)) => {}
        other => return other,
    }
    match by_bounds(formula, stopped) {
        Err(NoProof::TooLong(_) | NoProof::Overflow) => {}
        other => return other,
    }
    match by_propagation(formula, stopped, MOST_BYTES) {
        // Hints double a proof's length, and may be left out.
        Err(NoProof::TooLong(_)) => by_plain_propagation(formula, stopped),
        other => other,
    }
}

fn by_propagation(formula: &Formula, stopped: &dyn Fn() -> bool, most: usize) -> Result<String, NoProof> {
    propagated(formula, Prover::new(formula, stopped, most)?)
}

/// The same without hints.
fn by_plain_propagation(formula: &Formula, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    let prover = Prover::new(formula, stopped, MOST_BYTES)?;
    propagated(formula, Prover { hinted: false, ..prover })
}

fn propagated(formula: &Formula, mut prover: Prover<'_>) -> Result<String, NoProof> {
    let order = order(formula);
    if prover.database.propagate() {
        prover.descend(&order, &mut Vec::new())?;
    } else {
        let hints = prover.database.explain();
        prover.clause(&[], &hints)?;
    }
    Ok(prover.conclude())
}

/// A proof by branches that the linear relaxation bounds.
pub(super) fn by_bounds(formula: &Formula, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    let mut prover = Prover::new(formula, stopped, MOST_BYTES)?;
    let mut relaxation = Relaxation::new(formula, stopped);
    if prover.database.propagate() {
        let mut branches = MOST_BRANCHES;
        prover.bounded(&mut relaxation, &mut branches, &mut Vec::new())?;
    } else {
        let hints = prover.database.explain();
        prover.clause(&[], &hints)?;
    }
    Ok(prover.conclude())
}

/// The partitions, those in the most rows first: they decide the most.
fn order(formula: &Formula) -> Vec<usize> {
    let mut rows = vec![0_usize; formula.k];
    for inequality in &formula.inequalities[..formula.inequalities.len() - 2] {
        for &(_, variable) in inequality.terms.iter().filter(|(_, variable)| *variable <= formula.k) {
            rows[variable - 1] += 1;
        }
    }
    let mut order: Vec<usize> = (1..=formula.k).collect();
    order.sort_by_key(|&variable| std::cmp::Reverse(rows[variable - 1]));
    order
}

struct Prover<'a> {
    database: Database,
    text: String,
    stopped: &'a dyn Fn() -> bool,
    most: usize,
    /// Whether each step names the inequalities that show it.
    hinted: bool,
}

impl<'a> Prover<'a> {
    fn new(formula: &Formula, stopped: &'a dyn Fn() -> bool, most: usize) -> Result<Self, NoProof> {
        let mut database = Database::new(formula.variables());
        for inequality in &formula.inequalities {
            database.add(Normal::of(inequality)?);
        }
        let text = format!("pseudo-Boolean proof version 3.0\nf {};\n", database.last());
        let mut prover = Self { database, text, stopped, most, hinted: true };
        prover.add_weight_bound(formula)?;
        Ok(prover)
    }

    /// Adds the bound on the weight to every worker's inequality.
    fn add_weight_bound(&mut self, formula: &Formula) -> Result<(), NoProof> {
        let weight = formula.inequalities.len() - 1;
        for id in 1..weight {
            if let (Some(row), Some(bound)) = (self.database.get(id), self.database.get(weight)) {
                let sum = row.plus(bound)?;
                let _ = writeln!(self.text, "pol {id} {weight} +;");
                self.database.add(sum);
            }
        }
        Ok(())
    }

    /// Refutes what was decided, and returns the number of the clause that says so. Nothing contradicts
    /// the decisions yet.
    fn descend(&mut self, order: &[usize], decided: &mut Vec<Literal>) -> Result<usize, NoProof> {
        let mut refuted = Vec::new();
        loop {
            if (self.stopped)() {
                return Err(NoProof::Stopped);
            }
            let open = order.iter().find(|&&variable| !self.database.is_assigned(variable));
            let Some(&variable) = open else { return Err(NoProof::Satisfiable) };
            let mark = self.database.mark();
            let literal = Literal::new(variable, true);
            decided.push(literal);
            let id = if self.database.assume(literal) {
                let id = self.descend(order, decided)?;
                self.database.undo(mark);
                self.database.wake(id);
                id
            } else {
                let hints = self.database.explain();
                self.database.undo(mark);
                self.clause(decided, &hints)?
            };
            decided.pop();
            refuted.push(id);
            if !self.database.propagate() {
                break;
            }
        }
        let hints = self.database.explain();
        let id = self.clause(decided, &hints)?;
        self.forget(&refuted);
        Ok(id)
    }

    /// The same, where the relaxation bounds every branch and says what to decide.
    fn bounded(
        &mut self,
        relaxation: &mut Relaxation,
        branches: &mut usize,
        decided: &mut Vec<Literal>,
    ) -> Result<usize, NoProof> {
        let mut refuted = Vec::new();
        loop {
            if (self.stopped)() {
                return Err(NoProof::Stopped);
            }
            *branches = branches.checked_sub(1).ok_or(NoProof::TooLong(self.most))?;
            let literal = match relaxation.bound(&mut self.database, &mut self.text)? {
                Bound::Refuted(combination) => {
                    refuted.push(self.combine(&combination)?);
                    // It cannot hold under what was decided.
                    self.database.propagate();
                    break;
                }
                Bound::Open(literal) => literal,
                // Floating point may be mistaken, propagation is not.
                Bound::Solution => return Err(NoProof::TooLong(self.most)),
            };
            let mark = self.database.mark();
            decided.push(literal);
            let id = if self.database.assume(literal) {
                let id = self.bounded(relaxation, branches, decided)?;
                self.database.undo(mark);
                self.database.wake(id);
                id
            } else {
                let hints = self.database.explain();
                self.database.undo(mark);
                self.clause(decided, &hints)?
            };
            decided.pop();
            refuted.push(id);
            if !self.database.propagate() {
                break;
            }
        }
        let hints = self.database.explain();
        let id = self.clause(decided, &hints)?;
        self.forget(&refuted);
        Ok(id)
    }

    /// Adds multiples of inequalities up.
    fn combine(&mut self, combination: &[(usize, i64)]) -> Result<usize, NoProof> {
        let mut sum: Option<Normal> = None;
        self.text += "pol";
        for &(id, factor) in combination {
            let Some(normal) = self.database.get(id) else { continue };
            let multiple = normal.times(factor)?;
            let _ = write!(self.text, " {id}");
            if factor > 1 {
                let _ = write!(self.text, " {factor} *");
            }
            sum = Some(match sum {
                Some(sum) => {
                    self.text += " +";
                    sum.plus(&multiple)?
                }
                None => multiple,
            });
        }
        self.text += ";\n";
        let sum = sum.ok_or(NoProof::Overflow)?;
        Ok(self.database.add(sum))
    }

    fn forget(&mut self, ids: &[usize]) {
        if ids.is_empty() {
            return;
        }
        self.text += "del id";
        for &id in ids {
            let _ = write!(self.text, " {id}");
            self.database.remove(id);
        }
        self.text += ";\n";
    }

    /// "Not all of these": follows by propagation of the inequalities of these numbers, in this order, from its denial.
    fn clause(&mut self, decided: &[Literal], hints: &[usize]) -> Result<usize, NoProof> {
        self.text += "rup ";
        for literal in decided {
            let sign = if literal.positive() { "~" } else { "" };
            let _ = write!(self.text, "1 {sign}x{} ", literal.variable());
        }
        self.text += ">= 1";
        if self.hinted && !hints.is_empty() {
            self.text += " : ~";
            for hint in hints {
                let _ = write!(self.text, " {hint}");
            }
        }
        self.text += ";\n";
        if self.text.len() > self.most {
            return Err(NoProof::TooLong(self.most));
        }
        Ok(self.database.add(Normal::clause(decided.iter().map(|literal| literal.negated()))))
    }

    fn conclude(mut self) -> String {
        let last = self.database.last();
        let _ = write!(self.text, "output NONE;\nconclusion UNSAT : {last};\nend pseudo-Boolean proof;\n");
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_check::replay;
    use ecode_core::{AllocationMatrix, Message, Outcome, TieRule};

    /// On small formulas both searches find proofs of the same: what the definitions say. (The relaxation
    /// is used only where propagation takes many lines, so it would hardly be met in small cases.)
    #[test]
    fn both_searches_prove_what_holds_and_nothing_else() {
        let mut state = 1_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) % below
        };
        let mut proofs = 0;
        for _ in 0..400 {
            let (n, k, tenths) = (1 + random(7) as usize, 1 + random(8) as usize, 2 + random(9));
            let Ok(g) = AllocationMatrix::from_fn(n, k, |_, _| random(10) < tenths) else { panic!("small") };
            let ties = TieRule::ALL[random(4) as usize];
            let margin = random(5) as i64 - 2;
            for correct in [false, true] {
                let formula = Formula::below(&g, ties, margin, correct);
                let below = (0..1_u32 << k).any(|bits| {
                    let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                    let outcome = Outcome::of(&g, ties, &message);
                    outcome.correct == correct && outcome.margin < margin
                });
                let found = [by_propagation(&formula, &|| false, MOST_BYTES), by_bounds(&formula, &|| false)];
                for (name, found) in ["propagation", "bounds"].iter().zip(found) {
                    match found {
                        Ok(proof) => {
                            let checked = replay(&formula, &proof, &|| false);
                            assert!(checked.is_ok() && !below, "{name}: {checked:?}\n{g:?}{proof}");
                            proofs += 1;
                        }
                        // The relaxation may meet a solution, or miss that there is none.
                        Err(_) => assert!(below, "{name}: {g:?} {ties} {margin} {correct}"),
                    }
                }
            }
        }
        assert!(proofs > 400, "{proofs}");
    }
}
