//! Any SAT solver that speaks DIMACS, run as a program of its own, and never trusted.
//!
//! # What is promised
//! - A satisfying assignment becomes a message, which is counted by the definitions; where it does not do what the
//!   formula asks for, nothing follows from it.
//! - "Unsatisfiable" counts only with a DRAT proof that [`replay_full_drat`] accepts, checked against clauses that
//!   are made here. Without one the claim stays undecided, and the reason says why.
//! - A solver that ends in any other way, or has to be stopped, proves nothing.
//!
//! # The formula
//! [`Clauses`] of the claim's formula, and for every two partitions with the same column "the lower one is chosen
//! first": exchanging two such partitions changes nobody's vote, so one message stands for all its permutations.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use super::MOST_BYTES;
use ecode_check::{ProofError, replay_full_drat};
use ecode_core::{
    AllocationMatrix, Clauses, Formula, MOST_CLAUSES, Message, Outcome, TieRule, deciding_sides,
};
use ecode_verify::{
    Control, Engine, Finding, Goal, LocalSearch, Unsuitable, Verdict, VerifyError, verify_by,
};

/// The most that a solver may print.
const MOST_OUTPUT: u64 = 64 << 20;
/// How often a running solver is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// How a solver is called: a program and its arguments, among them the names of the formula and the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolverCommand {
    program: PathBuf,
    arguments: Vec<String>,
}

/// Why a text is no solver's command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSolver {
    /// Nothing but spaces.
    #[error("expected a program and its options, as in \"kissat -q\"")]
    Empty,
    /// Only one of the two files is named.
    #[error("name both {{cnf}} and {{proof}}, or neither: then both are put at the end, in this order")]
    HalfNamed,
    /// There is no such program.
    #[error("there is no program '{0}'; `ecode doctor` says which solvers are here")]
    NotFound(String),
}

impl FromStr for SolverCommand {
    type Err = NoSolver;

    /// Words separated by spaces. `{cnf}` and `{proof}` stand for the files; without them both are put at the
    /// end, as CaDiCaL and Kissat expect them.
    fn from_str(text: &str) -> Result<Self, NoSolver> {
        let mut words = text.split_whitespace().map(str::to_owned);
        let name = words.next().ok_or(NoSolver::Empty)?;
        let mut arguments: Vec<String> = words.collect();
        let named = |mark: &str| arguments.iter().any(|word| word.contains(mark));
        match (named("{cnf}"), named("{proof}")) {
            (true, true) => {}
            (false, false) => arguments.extend(["{cnf}".to_owned(), "{proof}".to_owned()]),
            _ => return Err(NoSolver::HalfNamed),
        }
        let program = find_program(&name).ok_or(NoSolver::NotFound(name))?;
        Ok(Self { program, arguments })
    }
}

/// Where a program is: a path as it stands, a name in one of the folders of `PATH`.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(name));
    places.find(|path| path.is_file())
}

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
    let engine = External { solver, remark: Mutex::new(String::new()) };
    let mut verdict = verify_by(&engine, g, b, ties, control)?;
    verdict.reason = engine.remark.into_inner().ok().filter(|remark| !remark.is_empty());
    Ok(verdict)
}

struct External<'a> {
    solver: &'a SolverCommand,
    remark: Mutex<String>,
}

impl Engine for External<'_> {
    fn name(&self) -> &'static str {
        "solver"
    }

    fn suits(&self, g: &AllocationMatrix, ties: TieRule) -> Result<(), Unsuitable> {
        // The formula grows with the loss that is asked for, at most to that of every worker.
        let sides = deciding_sides(g, ties).into_iter();
        let least = -(g.n() as i64) / 2;
        let size = |correct| Clauses::count(g, &Formula::below(g, ties, least, correct));
        let clauses = sides.map(size).max().unwrap_or(0);
        if clauses <= MOST_CLAUSES {
            return Ok(());
        }
        Err(Unsuitable(format!("a solver gets formulas of up to {MOST_CLAUSES} clauses; here {clauses}")))
    }

    fn examine(&self, g: &AllocationMatrix, ties: TieRule, goal: Goal, control: &Control) -> Finding {
        let mut finding = LocalSearch::default().examine(g, ties, goal, control);
        let mut steps = 0;
        let mut floor = i64::MAX;
        for correct in deciding_sides(g, ties) {
            loop {
                let Some(worst) = &finding.worst else { return finding };
                let below = match goal {
                    Goal::Tolerates(b) if worst.margin < b as i64 => return finding,
                    Goal::Tolerates(b) => b as i64,
                    Goal::Radius => worst.margin,
                };
                match self.ask(g, ties, below, correct, control) {
                    Ok(Answer::Message(outcome)) => finding.worst = Some(outcome),
                    Ok(Answer::Refuted { lines }) => {
                        steps += lines;
                        floor = floor.min(below);
                        break;
                    }
                    Err(why) => {
                        self.say(why);
                        return finding;
                    }
                }
            }
        }
        finding.floor = Some(floor);
        self.say(format!("the solver's proofs, {steps} steps in all, were checked"));
        finding
    }
}

enum Answer {
    /// A message with a smaller margin than asked for.
    Message(Outcome),
    /// There is none: a proof of so many steps was accepted.
    Refuted { lines: usize },
}

impl External<'_> {
    fn say(&self, remark: String) {
        if let Ok(mut place) = self.remark.lock() {
            *place = remark;
        }
    }

    /// Asks for a message of this side with a margin below `below`. The error says why nothing follows.
    fn ask(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        below: i64,
        correct: bool,
        control: &Control,
    ) -> Result<Answer, String> {
        let formula = Formula::below(g, ties, below, correct);
        let mut clauses = Clauses::of(g, &formula);
        for [first, second] in equal_partitions(g) {
            clauses.add(vec![first as i32 + 1, -(second as i32 + 1)]);
        }
        // What propagation alone refutes needs no solver.
        if let Ok(lines) = replay_full_drat(&clauses, b"", &|| control.stopped()) {
            return Ok(Answer::Refuted { lines });
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
                match replay_full_drat(&clauses, &proof, &|| control.stopped()) {
                    Ok(lines) => Ok(Answer::Refuted { lines }),
                    Err(ProofError::Stopped) => Err("its proof was not replayed in time".to_owned()),
                    Err(why) => {
                        Err(format!("the solver says unsatisfiable, but its proof is not accepted: {why}"))
                    }
                }
            }
            _ if control.stopped() => Err("the solver was stopped".to_owned()),
            _ => Err(format!("the solver gave no answer ({})", run.ended)),
        }
    }
}

/// Pairs of partitions with the same column, so that all such are in a chain.
fn equal_partitions(g: &AllocationMatrix) -> Vec<[usize; 2]> {
    let mut last: HashMap<Vec<bool>, usize> = HashMap::new();
    let column = |i: usize| (0..g.n()).map(|j| g.holds(j, i)).collect();
    (0..g.k()).filter_map(|i| last.insert(column(i), i).map(|before| [before, i])).collect()
}

/// The message that an assignment stands for, filled up to the side's weight: more never turns fewer.
fn message(g: &AllocationMatrix, formula: &Formula, values: &[bool]) -> Message {
    let k = g.k();
    let chosen = |i: usize| values.get(i + 1).copied().unwrap_or(false);
    let (first, rest): (Vec<usize>, Vec<usize>) = (0..k).partition(|&i| chosen(i));
    let picked = Message::from_indices(k, first.into_iter().chain(rest).take(formula.weight));
    if formula.correct { picked.complement() } else { picked }
}

/// What a solver left behind.
struct Run {
    /// Its status line.
    answer: Option<String>,
    /// The variables that it makes true, by number.
    values: Vec<bool>,
    /// The DRAT proof, text or binary, or why there is none.
    proof: Result<Vec<u8>, String>,
    /// How it ended, in words.
    ended: String,
}

impl SolverCommand {
    fn run(&self, clauses: &Clauses, control: &Control) -> Result<Run, String> {
        let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        let folder = tempfile::tempdir().map_err(failed("no temporary folder"))?;
        let at = |name: &str| folder.path().join(name);
        let (cnf, proof, output) = (at("formula.cnf"), at("proof.drat"), at("output"));
        std::fs::write(&cnf, clauses.dimacs()).map_err(failed("cannot write the formula"))?;
        let named = |word: &String| {
            word.replace("{cnf}", &cnf.to_string_lossy()).replace("{proof}", &proof.to_string_lossy())
        };
        let stdout = File::create(&output).map_err(failed("cannot write the solver's output"))?;
        let mut child = Command::new(&self.program)
            .args(self.arguments.iter().map(named))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed("the solver cannot be started"))?;
        let too_long = |path: &Path, most: u64| path.metadata().is_ok_and(|file| file.len() > most);
        let ended = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if control.stopped() => break "stopped".to_owned(),
                Ok(None) if too_long(&proof, MOST_BYTES as u64) => break "its proof is too long".to_owned(),
                Ok(None) if too_long(&output, MOST_OUTPUT) => break "it prints too much".to_owned(),
                Ok(None) => std::thread::sleep(GLANCE),
                Err(error) => break error.to_string(),
            }
        };
        // Where it has ended already, these two do nothing.
        let _ = child.kill();
        let _ = child.wait();
        let mut text = Vec::new();
        let file = File::open(&output).map_err(failed("cannot read the solver's output"))?;
        file.take(MOST_OUTPUT).read_to_end(&mut text).map_err(failed("cannot read the solver's output"))?;
        let text = String::from_utf8_lossy(&text);
        let answer = text.lines().map(str::trim_end).find(|line| line.starts_with("s ")).map(str::to_owned);
        let mut values = vec![false; clauses.variables + 1];
        for word in text.lines().filter_map(|line| line.strip_prefix("v ")).flat_map(str::split_whitespace) {
            if let Ok(variable) = word.parse::<usize>()
                && let Some(value) = values.get_mut(variable)
            {
                *value = true;
            }
        }
        Ok(Run { answer, values, proof: read_proof(&proof), ended })
    }
}

/// Reads a DRAT proof, text or binary.
fn read_proof(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|_| "wrote no proof".to_owned())?;
    // A pipe or a device would be read for ever.
    if !about.is_file() {
        return Err("what it left as its proof is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("its proof cannot be read: {error}"))?;
    let read = file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("its proof cannot be read: {error}"))?;
    if bytes.len() > MOST_BYTES {
        return Err(format!("its proof has more than {} MiB", MOST_BYTES >> 20));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_both_files_or_neither() {
        assert_eq!("  ".parse::<SolverCommand>(), Err(NoSolver::Empty));
        assert_eq!("sh -c {cnf}".parse::<SolverCommand>(), Err(NoSolver::HalfNamed));
        assert!(matches!("no-such-solver -q".parse::<SolverCommand>(), Err(NoSolver::NotFound(_))));
        let Ok(command) = "sh -q".parse::<SolverCommand>() else { panic!("a shell is everywhere") };
        assert_eq!(command.arguments, ["-q", "{cnf}", "{proof}"]);
    }
}
