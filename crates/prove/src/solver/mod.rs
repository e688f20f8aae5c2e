//! Any SAT solver that speaks DIMACS, run as a program of its own, and never trusted.
//!
//! # What is promised
//! - A satisfying assignment becomes a message, which is counted by the definitions; where it does not do what the
//!   formula asks for, nothing follows from it.
//! - "Unsatisfiable" counts only with a DRAT proof that [`ProvedSide::replay`] accepts. Without one the claim
//!   stays undecided, and the reason says why.
//! - A solver that ends in any other way, or has to be stopped, proves nothing. Nothing of it runs on afterwards.

mod command;
mod run;

use std::time::Instant;

pub use command::{NoSolver, SolverCommand, find_program};
use ecode_core::{AllocationMatrix, Formula, Message, Outcome, TieRule, deciding_sides};
use ecode_verify::{
    Control, Engine as _, Goal, LocalSearch, ProvedSide, SolverEvidence, Verdict, VerifyError, conclude_from,
};

/// Decides a claim, or finds the radius, with an outside solver. The verdict's reason says what it rests on.
///
/// # Errors
/// [`VerifyError`]: a matrix that is too large.
pub fn verify_with_solver(
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    solver: &SolverCommand,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    let start = Instant::now();
    ProvedSide::suits(g, ties)?;
    let mut climb = Climb { g, ties, solver, control, worst: None, proved: Vec::new() };
    let reason = match climb.run(b) {
        Ok(()) if climb.proved.is_empty() => None,
        Ok(()) => {
            let steps: usize = climb.proved.iter().map(ProvedSide::steps).sum();
            Some(format!("the solver's proofs, {steps} steps in all, were checked"))
        }
        Err(why) => Some(why),
    };
    let message = climb.worst.map(|worst| worst.message);
    let evidence = SolverEvidence { message, proved: climb.proved, reason, elapsed: start.elapsed() };
    conclude_from(g, b, ties, evidence)
}

/// Raises what is asked for until the solver proves that there is no more.
struct Climb<'a> {
    g: &'a AllocationMatrix,
    ties: TieRule,
    solver: &'a SolverCommand,
    control: &'a Control,
    /// The worst message met.
    worst: Option<Outcome>,
    /// What was proved of the sides.
    proved: Vec<ProvedSide>,
}

enum Answer {
    /// A message with a smaller margin than asked for.
    Message(Outcome),
    /// There is none: a proof was accepted.
    Proved(ProvedSide),
}

impl Climb<'_> {
    /// Goes on until the claim, or the radius, is settled. The error says why it is not.
    fn run(&mut self, b: Option<usize>) -> Result<(), String> {
        let goal = b.map_or(Goal::Radius, Goal::Tolerates);
        self.worst = LocalSearch::default().examine(self.g, self.ties, goal, self.control).worst;
        for correct in deciding_sides(self.g, self.ties) {
            loop {
                let Some(worst) = &self.worst else { return Err("stopped".to_owned()) };
                let below = match b {
                    Some(b) if worst.margin < b as i64 => {
                        // A message refutes the claim; what was proved of the other side does not matter.
                        self.proved.clear();
                        return Ok(());
                    }
                    Some(b) => b as i64,
                    None => worst.margin,
                };
                match self.ask(below, correct)? {
                    Answer::Message(outcome) => self.worst = Some(outcome),
                    Answer::Proved(side) => {
                        self.proved.push(side);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for a message of this side with a margin below `below`. The error says why nothing follows.
    fn ask(&self, below: i64, correct: bool) -> Result<Answer, String> {
        let Self { g, ties, control, .. } = *self;
        let formula = Formula::below(g, ties, below, correct);
        let clauses = ProvedSide::clauses(g, ties, below, correct).map_err(|error| error.to_string())?;
        let stopped = || control.stopped();
        let replay = |proof: &[u8]| match ProvedSide::replay(g, ties, below, correct, proof, &stopped) {
            Ok(replayed) => replayed.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        // What propagation alone refutes needs no solver.
        if let Ok(side) = replay(b"") {
            return Ok(Answer::Proved(side));
        }
        let run = self.solver.run(&clauses, control)?;
        match run.answer.as_deref() {
            Some("s SATISFIABLE") => {
                let outcome = Outcome::of(g, ties, &message(g, &formula, &run.values));
                if outcome.margin < below {
                    Ok(Answer::Message(outcome))
                } else {
                    Err("the solver says satisfiable, but its assignment does not satisfy the formula"
                        .to_owned())
                }
            }
            Some("s UNSATISFIABLE") => {
                let proof = run.proof.map_err(|why| format!("the solver says unsatisfiable, but {why}"))?;
                replay(&proof).map(Answer::Proved).map_err(|why| {
                    format!("the solver says unsatisfiable, but its proof is not accepted: {why}")
                })
            }
            _ if control.stopped() => Err("the solver was stopped".to_owned()),
            _ => Err(format!("the solver gave no answer ({})", run.ended)),
        }
    }
}

/// The message that an assignment stands for, filled up to the side's weight: more never turns fewer.
fn message(g: &AllocationMatrix, formula: &Formula, values: &[bool]) -> Message {
    let k = g.k();
    let chosen = |i: usize| values.get(i + 1).copied().unwrap_or(false);
    let (first, rest): (Vec<usize>, Vec<usize>) = (0..k).partition(|&i| chosen(i));
    let picked = Message::from_indices(k, first.into_iter().chain(rest).take(formula.weight));
    if formula.correct { picked.complement() } else { picked }
}
