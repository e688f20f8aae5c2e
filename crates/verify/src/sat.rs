//! "Some message of the right weight makes this many workers wrong", as a propositional formula for
//! the SAT solver varisat, and where it was built in (feature `cadical`) for CaDiCaL.
//!
//! # What is promised
//! A satisfying assignment is turned into a message and counted again by the definitions; the answer
//! "unsatisfiable" is the solver's, and raises the proven floor. The search climbs: each message found
//! asks for a strictly larger loss, until the solver says that there is none.
//!
//! # The formula
//! A variable per partition, one per voter. "At most v partitions are chosen" over the partitions,
//! "a voter that counts as turned sees at least `needed` of them" per voter, "the turned voters' units
//! reach T" over the voters. Only the directions that a maximisation needs are encoded.
//!
//! It is made once, for all T: "at least T" is one literal, which the solver *assumes*, so whatever it learns in
//! one step of the climb serves the next. Symmetries are broken before and in it: workers with equal rows are one
//! voter of several units, and equal partitions are chosen in order of their index, so that one message stands
//! for all its permutations. Certificates are proofs about the plain formula, without either.
//!
//! # References
//! The encodings of "at least so many" are those of `ecode_core::Clauses`, with their sources there.

use std::io;

use varisat::{CnfFormula, ExtendFormula as _, Lit, ProofFormat, Solver};

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::exhaustive::unit;
use super::instance::Instance;
use super::reduce::{Side, Voter};
use ecode_core::{Clauses, Encoding, MOST_CLAUSES, Message, Outcome};

/// Which program library solves the formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Library {
    /// varisat, always there.
    #[default]
    Varisat,
    /// CaDiCaL, of the feature of this name.
    #[cfg(feature = "cadical")]
    Cadical,
}

/// The SAT engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sat {
    /// Who solves.
    pub library: Library,
    /// How cardinalities are encoded.
    pub encoding: Encoding,
    /// Let varisat check its own proof of every "unsatisfiable" with its independent checker.
    pub self_check: bool,
}

impl super::engine::Sealed for Sat {}

impl Engine for Sat {
    fn name(&self) -> &'static str {
        match self.library {
            Library::Varisat => "sat",
            #[cfg(feature = "cadical")]
            Library::Cadical => "cadical",
        }
    }

    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable> {
        let sides = instance.sides();
        let clauses = sides.iter().map(|side| Formula::size(side, self.encoding)).max().unwrap_or(0);
        if clauses <= MOST_CLAUSES {
            return Ok(());
        }
        let name = self.name();
        Err(Unsuitable(format!("'{name}' takes formulas of up to {MOST_CLAUSES} clauses; here {clauses}")))
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        goal: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        control.begin(0);
        let mut finding = Finding { worst: start.cloned(), ..Finding::default() };
        let mut floor = i64::MAX;
        for side in instance.sides() {
            match self.climb(instance, &side, goal, control, &mut finding) {
                Some(margin) => floor = floor.min(margin),
                None => return finding,
            }
        }
        finding.floor = Some(floor);
        finding
    }
}

/// What the solver answers.
enum Answer {
    Message(Message),
    None,
    Failed,
}

impl Sat {
    /// Raises the loss until there is no larger one; returns the proven floor of this side's margins,
    /// `None` when stopped first.
    fn climb(
        self,
        instance: Instance<'_>,
        side: &Side,
        goal: Goal,
        control: &Control,
        finding: &mut Finding,
    ) -> Option<i64> {
        // Any message is a start: the first partitions, where none is known.
        let start = finding.worst.as_ref().filter(|worst| worst.correct == side.correct);
        let mut loss = if let Some(counts) = start.and_then(|worst| side.counts(&worst.message)) {
            side.loss(&counts)
        } else {
            let counts = side.first();
            finding.keep_worse(instance.outcome(&side.message(&counts)));
            side.loss(&counts)
        };
        // The loss that is worth looking for: that of a smaller margin than what was met, or than b.
        let target = |loss: usize| {
            let next = loss as i64 + 1;
            match goal {
                Goal::Radius => next,
                Goal::Tolerates(b) => next.max(side.loss_for(b as i64 - 1)),
            }
        };
        let formula = Formula::of(side, self.encoding, control)?;
        let mut solving = self.solving(&formula, control);
        loop {
            let wanted = target(loss);
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) || control.stopped() {
                return None;
            }
            let beyond = usize::try_from(wanted - side.constant as i64).ok().filter(|&beyond| beyond > 0)?;
            let answer = match formula.reached.get(beyond.div_ceil(formula.unit) - 1) {
                // More units than all voters have.
                None => Answer::None,
                Some(&reached) => solving.solve(reached, &formula, side),
            };
            match answer {
                // No choice has a loss of `wanted` or more.
                Answer::None => return Some(side.margin((wanted - 1) as usize)),
                Answer::Failed => return None,
                Answer::Message(message) => {
                    // Where the solver's model does not mean what it should, nothing follows from it.
                    let found = side.counts(&message).map(|counts| side.loss(&counts))?;
                    if (found as i64) < wanted {
                        return None;
                    }
                    loss = found;
                    finding.keep_worse(instance.outcome(&message));
                }
            }
        }
    }
}

/// Where varisat writes its proof: nowhere. It cannot be told to stop, but it gives up when its proof cannot be
/// written, and it writes a step for every clause that it learns. That keeps it in the caller's thread, and
/// costs less than a process of its own.
struct Interrupt(Control);

impl io::Write for Interrupt {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.stopped() { Err(io::Error::other("stopped")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A solver that holds the formula.
enum Solving {
    Varisat(Box<Solver<'static>>),
    #[cfg(feature = "cadical")]
    Cadical(cadical::Solver<Watch>),
}

/// Lets CaDiCaL look now and then whether it should stop.
#[cfg(feature = "cadical")]
struct Watch(Control);

#[cfg(feature = "cadical")]
impl cadical::Callbacks for Watch {
    fn terminate(&mut self) -> bool {
        self.0.stopped()
    }
}

impl Sat {
    fn solving(self, formula: &Formula, control: &Control) -> Solving {
        let clauses = &formula.clauses;
        match self.library {
            Library::Varisat => {
                let mut solver = Solver::new();
                solver.write_proof(Interrupt(control.clone()), ProofFormat::Varisat);
                if self.self_check {
                    solver.enable_self_checking();
                }
                let mut cnf = CnfFormula::new();
                for clause in &clauses.clauses {
                    cnf.add_clause(&clause.iter().map(|&l| Lit::from_dimacs(l as isize)).collect::<Vec<_>>());
                }
                solver.add_formula(&cnf);
                Solving::Varisat(Box::new(solver))
            }
            #[cfg(feature = "cadical")]
            Library::Cadical => {
                let mut solver = cadical::Solver::new();
                solver.set_callbacks(Some(Watch(control.clone())));
                for clause in &clauses.clauses {
                    solver.add_clause(clause.iter().copied());
                }
                Solving::Cadical(solver)
            }
        }
    }
}

impl Solving {
    /// A message that satisfies the formula with this literal assumed.
    fn solve(&mut self, assumed: i32, formula: &Formula, side: &Side) -> Answer {
        let mut values = vec![false; formula.partitions];
        match self {
            Self::Varisat(solver) => {
                solver.assume(&[Lit::from_dimacs(assumed as isize)]);
                match solver.solve() {
                    Ok(true) => {}
                    Ok(false) => return Answer::None,
                    Err(_) => return Answer::Failed,
                }
                for lit in solver.model().unwrap_or_default() {
                    if let Some(value) = values.get_mut(lit.var().index()) {
                        *value = lit.is_positive();
                    }
                }
            }
            #[cfg(feature = "cadical")]
            Self::Cadical(solver) => {
                match solver.solve_with(std::iter::once(assumed)) {
                    Some(true) => {}
                    Some(false) => return Answer::None,
                    None => return Answer::Failed,
                }
                for (value, variable) in values.iter_mut().zip(1..) {
                    *value = solver.value(variable) == Some(true);
                }
            }
        }
        formula.read(side, &values)
    }
}

/// The formula of one side.
pub(crate) struct Formula {
    clauses: Clauses,
    /// Variable i + 1, for i below this, says that partition i is chosen.
    partitions: usize,
    /// What divides every voter's units.
    unit: usize,
    /// `reached[t]`: assumed, it forces the turned voters' units beyond the constant to (t + 1)·unit.
    reached: Vec<i32>,
}

impl Formula {
    /// About how many clauses there are.
    fn size(side: &Side, encoding: Encoding) -> u64 {
        let row = |voter: &Voter| -> usize {
            let held = side.classes.iter().zip(&voter.holds).filter(|(_, holds)| **holds);
            held.map(|(class, _)| class.len()).sum()
        };
        let k: usize = side.classes.iter().map(Vec::len).sum();
        let units = side.voters.iter().map(|voter| voter.units).sum::<usize>() / unit(side);
        let rows = side.voters.iter().map(|voter| Clauses::demanded(encoding, row(voter), voter.needed));
        Clauses::demanded(encoding, k, k - side.weight)
            + Clauses::demanded(encoding, units, units)
            + rows.sum::<u64>()
    }

    /// `None` where the control says stop.
    fn of(side: &Side, encoding: Encoding, control: &Control) -> Option<Self> {
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
        let unit = unit(side);
        let mut turned = Vec::new();
        for voter in &side.voters {
            if control.stopped() {
                return None;
            }
            let held = side.classes.iter().zip(&voter.holds).filter(|(_, holds)| **holds);
            let row: Vec<i32> = held.flat_map(|(class, _)| class.iter().map(|&i| chosen(i))).collect();
            let demands = clauses.demands(&row, voter.needed);
            turned.extend(std::iter::repeat_n(demands[voter.needed - 1], voter.units / unit));
        }
        let all = turned.len();
        let reached = clauses.demands(&turned, all);
        Some(Self { clauses, partitions: k, unit, reached })
    }

    fn read(&self, side: &Side, values: &[bool]) -> Answer {
        let k = self.partitions;
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
