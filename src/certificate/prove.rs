//! Finds a proof that a formula has no solution, in the format that [`super::replay`] checks.
//!
//! # What is promised
//! A text that is returned shows what it should, or the replay refuses it: nothing here is trusted.
//!
//! # How
//! Depth first over the partitions. A branch is given up as soon as propagation contradicts it, and
//! leaves one line, "not all of these partitions are chosen". For every worker the sum of its own
//! inequality and the bound on the message's weight is added first: a worker is out as soon as too many
//! partitions outside its row are chosen.

use std::fmt::Write as _;

use super::inequality::{Database, Literal, Normal, Overflow};
use crate::code::Formula;

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

/// Proves that the formula has no solution; asks `stopped` now and then whether to go on.
///
/// # Errors
/// [`NoProof`].
pub fn refute(formula: &Formula, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    let mut prover = Prover::new(formula, stopped)?;
    prover.weigh(formula)?;
    let order = order(formula);
    if prover.known.propagate() {
        prover.descend(&order, &mut Vec::new())?;
    } else {
        prover.clause(&[])?;
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
    known: Database,
    text: String,
    stopped: &'a dyn Fn() -> bool,
}

impl<'a> Prover<'a> {
    fn new(formula: &Formula, stopped: &'a dyn Fn() -> bool) -> Result<Self, NoProof> {
        let mut known = Database::new(formula.variables());
        for inequality in &formula.inequalities {
            known.add(Normal::of(inequality)?);
        }
        let text = format!("pseudo-Boolean proof version 3.0\nf {};\n", known.last());
        Ok(Self { known, text, stopped })
    }

    /// Adds the bound on the weight to every worker's inequality.
    fn weigh(&mut self, formula: &Formula) -> Result<(), NoProof> {
        let weight = formula.inequalities.len() - 1;
        for id in 1..weight {
            if let (Some(row), Some(bound)) = (self.known.get(id), self.known.get(weight)) {
                let sum = row.plus(bound)?;
                let _ = writeln!(self.text, "pol {id} {weight} +;");
                self.known.add(sum);
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
            let open = order.iter().find(|&&variable| !self.known.is_assigned(variable));
            let Some(&variable) = open else { return Err(NoProof::Satisfiable) };
            let mark = self.known.mark();
            let literal = Literal::new(variable, true);
            decided.push(literal);
            let id = if self.known.assume(literal) {
                let id = self.descend(order, decided)?;
                self.known.undo(mark);
                self.known.wake(id);
                id
            } else {
                self.known.undo(mark);
                self.clause(decided)?
            };
            decided.pop();
            refuted.push(id);
            if !self.known.propagate() {
                break;
            }
        }
        let id = self.clause(decided)?;
        self.text += "del id";
        for id in refuted {
            let _ = write!(self.text, " {id}");
            self.known.remove(id);
        }
        self.text += ";\n";
        Ok(id)
    }

    /// "Not all of these": follows by propagation.
    fn clause(&mut self, decided: &[Literal]) -> Result<usize, NoProof> {
        self.text += "rup ";
        for literal in decided {
            let _ = write!(self.text, "1 ~x{} ", literal.variable());
        }
        self.text += ">= 1;\n";
        if self.text.len() > MOST_BYTES {
            return Err(NoProof::TooLong(MOST_BYTES));
        }
        Ok(self.known.add(Normal::clause(decided.iter().map(|literal| literal.negated()))))
    }

    fn conclude(mut self) -> String {
        let last = self.known.last();
        let _ = write!(self.text, "output NONE;\nconclusion UNSAT : {last};\nend pseudo-Boolean proof;\n");
        self.text
    }
}
