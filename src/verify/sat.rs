//! "Some message of the right weight makes this many workers wrong", as a propositional formula for
//! the SAT solver varisat.
//!
//! # What is promised
//! A satisfying assignment is turned into a message and counted again by the definitions; the answer
//! "unsatisfiable" is varisat's, and raises the proven floor. The search climbs: each message found
//! asks for a strictly larger loss, until the solver says that there is none.
//!
//! # The formula
//! A variable per partition, one per voter. "At most v partitions are chosen" over the partitions,
//! "a voter that counts as turned sees at least `needed` of them" per voter, "the turned voters' units
//! reach T" over the voters. Only the directions that a maximisation needs are encoded. Equal
//! partitions are chosen in order of their index: one message stands for all its permutations.

use std::sync::mpsc;
use std::time::Duration;

use varisat::{CnfFormula, ExtendFormula as _, Lit, Solver};

use super::reduce::{Side, sides};
use super::{Control, Engine, Finding, Goal, Unsuitable};
use crate::code::{AllocationMatrix, Clauses, Encoding, Message, Outcome, TieRule};

/// The SAT engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sat {
    /// How cardinalities are encoded.
    pub encoding: Encoding,
    /// Let varisat check its own proof of every "unsatisfiable" with its independent checker.
    pub self_check: bool,
}

/// Above this many ones in G the formula would not fit the memory.
const MOST_ONES: usize = 1 << 20;

impl Engine for Sat {
    fn name(&self) -> &'static str {
        "sat"
    }

    fn suits(&self, g: &AllocationMatrix, _: TieRule) -> Result<(), Unsuitable> {
        if g.ones() <= MOST_ONES {
            return Ok(());
        }
        Err(Unsuitable(format!("'sat' takes matrices of up to {MOST_ONES} ones; here {}", g.ones())))
    }

    fn examine(&self, g: &AllocationMatrix, ties: TieRule, goal: Goal, control: &Control) -> Finding {
        control.begin(0);
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        for side in sides(g, ties) {
            let met = self.climb(g, ties, &side, goal, control, &mut finding);
            floor = floor.min(met);
            if floor == i64::MIN {
                return finding;
            }
        }
        finding.floor = Some(floor);
        finding
    }
}

/// What is asked of the solver's thread, and what it answers.
enum Answer {
    Message(Message),
    None,
    Failed,
}

impl Sat {
    /// Raises the loss until there is no larger one; returns the proven floor of this side's margins,
    /// `i64::MIN` when stopped first.
    fn climb(
        self,
        g: &AllocationMatrix,
        ties: TieRule,
        side: &Side,
        goal: Goal,
        control: &Control,
        finding: &mut Finding,
    ) -> i64 {
        let meet = |message: &Message, finding: &mut Finding| {
            let outcome = Outcome::of(g, ties, message);
            let key = |o: &Outcome| (o.margin, g.n() - o.wrong.count());
            if finding.worst.as_ref().is_none_or(|worst| key(&outcome) < key(worst)) {
                finding.worst = Some(outcome);
            }
        };
        // Any message is a start: the first partitions.
        let mut first = side.weight;
        let counts: Vec<usize> = side
            .classes
            .iter()
            .map(|class| {
                let count = class.len().min(first);
                first -= count;
                count
            })
            .collect();
        let mut loss = side.loss(&counts);
        meet(&side.message(&counts), finding);
        // The margin that is worth looking below: b − 1 for a claim, what was met for the radius.
        let target = |loss: usize| {
            let next = loss as i64 + 1;
            match goal {
                Goal::Radius => next,
                Goal::Tolerates(b) => next.max(side.loss_for(b as i64 - 1)),
            }
        };
        let (ask, questions) = mpsc::channel::<usize>();
        let (reply, answers) = mpsc::channel::<Answer>();
        let job = side.clone();
        // varisat cannot be interrupted: the thread is left behind when the work must stop.
        std::thread::spawn(move || {
            let mut formula = Formula::of(&job, self.encoding);
            let mut solver = Solver::new();
            if self.self_check {
                solver.enable_self_checking();
            }
            solver.add_formula(&formula.cnf);
            while let Ok(wanted) = questions.recv() {
                let answer = match formula.reached.get(wanted - 1) {
                    // More units than all voters have.
                    None => Answer::None,
                    Some(&reached) => {
                        solver.assume(&[reached]);
                        match solver.solve() {
                            Ok(true) => formula.read(&job, &solver.model().unwrap_or_default()),
                            Ok(false) => Answer::None,
                            Err(_) => Answer::Failed,
                        }
                    }
                };
                if reply.send(answer).is_err() {
                    return;
                }
            }
        });
        loop {
            let wanted = target(loss);
            if matches!(goal, Goal::Tolerates(b) if finding.worst.as_ref().is_some_and(|w| w.margin < b as i64))
            {
                return i64::MIN;
            }
            let Ok(beyond) = usize::try_from(wanted - side.constant as i64) else { return i64::MIN };
            if beyond == 0 || ask.send(beyond).is_err() {
                return i64::MIN;
            }
            let answer = loop {
                match answers.recv_timeout(Duration::from_millis(20)) {
                    Ok(answer) => break answer,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return i64::MIN,
                    Err(mpsc::RecvTimeoutError::Timeout) if control.stopped() => return i64::MIN,
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
            };
            match answer {
                // No choice has a loss of `wanted` or more.
                Answer::None => return side.margin((wanted - 1) as usize),
                Answer::Failed => return i64::MIN,
                Answer::Message(message) => {
                    let counts: Vec<usize> = side
                        .classes
                        .iter()
                        .map(|class| class.iter().filter(|&&i| message.contains(i) != side.correct).count())
                        .collect();
                    let found = side.loss(&counts);
                    if (found as i64) < wanted {
                        // The solver's model does not mean what it should: prove nothing from it.
                        return i64::MIN;
                    }
                    loss = found;
                    meet(&message, finding);
                }
            }
        }
    }
}

/// The formula of one side.
pub(crate) struct Formula {
    cnf: CnfFormula,
    /// Variable i, for i below this, says that partition i is chosen.
    partitions: usize,
    /// `reached[t]`: assumed, it forces the turned voters' units beyond the constant to t + 1.
    reached: Vec<Lit>,
}

impl Formula {
    pub(crate) fn of(side: &Side, encoding: Encoding) -> Self {
        let k: usize = side.classes.iter().map(Vec::len).sum();
        let mut clauses = Clauses::new(k, encoding);
        let chosen = |i: usize| i as i32 + 1;
        for class in &side.classes {
            for pair in class.windows(2) {
                // Equal partitions: the lower index first.
                clauses.add(vec![-chosen(pair[1]), chosen(pair[0])]);
            }
        }
        // Not more than `weight`: k − weight of the partitions are not chosen.
        let not_chosen: Vec<i32> = (0..k).map(|i| -chosen(i)).collect();
        if k > side.weight {
            let counts = clauses.demands(&not_chosen, k - side.weight);
            clauses.add(vec![counts[k - side.weight - 1]]);
        }
        let mut turned = Vec::new();
        for voter in &side.voters {
            let held = side.classes.iter().zip(&voter.holds).filter(|(_, holds)| **holds);
            let row: Vec<i32> = held.flat_map(|(class, _)| class.iter().map(|&i| chosen(i))).collect();
            let demands = clauses.demands(&row, voter.needed);
            turned.extend(std::iter::repeat_n(demands[voter.needed - 1], voter.units));
        }
        let all = turned.len();
        let reached = clauses.demands(&turned, all);
        let literal = |&literal: &i32| Lit::from_dimacs(literal as isize);
        let mut cnf = CnfFormula::new();
        for clause in &clauses.clauses {
            cnf.add_clause(&clause.iter().map(literal).collect::<Vec<_>>());
        }
        Self { cnf, partitions: k, reached: reached.iter().map(literal).collect() }
    }

    fn read(&mut self, side: &Side, model: &[Lit]) -> Answer {
        let k = self.partitions;
        let mut values = vec![false; k];
        for lit in model {
            if let Some(value) = values.get_mut(lit.var().index()) {
                *value = lit.is_positive();
            }
        }
        let mut picked: Vec<usize> = (0..k).filter(|&i| values[i]).collect();
        // Fewer than the weight may be chosen; more never turn fewer workers.
        for i in 0..k {
            if picked.len() >= side.weight {
                break;
            }
            if !values[i] {
                picked.push(i);
            }
        }
        let chosen = Message::from_indices(k, picked);
        Answer::Message(if side.correct { chosen.complement() } else { chosen })
    }
}
