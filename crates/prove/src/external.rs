//! Any SAT solver that speaks DIMACS, run as a program of its own, and never trusted.
//!
//! # What is promised
//! - A satisfying assignment becomes a message, which is counted by the definitions; where it does not do what the
//!   formula asks for, nothing follows from it.
//! - "Unsatisfiable" counts only with a DRAT proof that [`ProvedSide::replay`] accepts. Without one the claim
//!   stays undecided, and the reason says why.
//! - A solver that ends in any other way, or has to be stopped, proves nothing.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::MOST_BYTES;
use ecode_core::{AllocationMatrix, Clauses, Formula, Message, Outcome, TieRule, deciding_sides};
use ecode_verify::{
    Control, Engine as _, Goal, LocalSearch, ProvedSide, SolverEvidence, Verdict, VerifyError, conclude_from,
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
        let replay = |proof: &str| match ProvedSide::replay(g, ties, below, correct, proof) {
            Ok(replayed) => replayed.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        // What propagation alone refutes needs no solver.
        if let Ok(side) = replay("0\n") {
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
                // The last step may be left to the reader.
                replay(&(proof + "\n0\n")).map(Answer::Proved).map_err(|why| {
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

/// What a solver left behind.
struct Run {
    /// Its status line.
    answer: Option<String>,
    /// The variables that it makes true, by number.
    values: Vec<bool>,
    /// The DRAT proof as text, or why there is none.
    proof: Result<String, String>,
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
fn read_proof(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|_| "wrote no proof".to_owned())?;
    if bytes.len() > MOST_BYTES {
        return Err(format!("its proof has more than {} MiB", MOST_BYTES >> 20));
    }
    if !bytes.contains(&0) {
        return String::from_utf8(bytes).map_err(|_| "its proof is no text".to_owned());
    }
    text_of(&bytes).ok_or_else(|| "its proof is cut off".to_owned())
}

/// The text of a binary DRAT proof: `a` or `d`, then literals of seven bits a byte (2·variable, plus 1 for a
/// negation), then 0. `None` where it is cut off.
fn text_of(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut bytes = bytes.iter();
    while let Some(kind) = bytes.next() {
        match kind {
            b'a' => {}
            b'd' => text += "d ",
            _ => return None,
        }
        loop {
            let (mut number, mut shift) = (0_u64, 0);
            loop {
                let byte = *bytes.next()?;
                number |= u64::from(byte & 127) << shift;
                shift += 7;
                if byte < 128 {
                    break;
                }
                if shift > 56 {
                    return None;
                }
            }
            if number == 0 {
                text += "0\n";
                break;
            }
            text += &format!("{}{} ", if number % 2 == 1 { "-" } else { "" }, number / 2);
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_proofs_are_read() {
        // 63 is 126 = 7e; −64 is 129 = 81 01; 8193 is 16386 = 82 80 01.
        let bytes = [b'a', 0x7e, 0x81, 0x01, 0, b'd', 0x82, 0x80, 0x01, 0, b'a', 0];
        assert_eq!(text_of(&bytes).as_deref(), Some("63 -64 0\nd 8193 0\n0\n"));
        assert_eq!(text_of(&bytes[..3]), None);
        assert_eq!(text_of(&[b'x', 0]), None);
        assert_eq!(text_of(&[b'a', 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0]), None);
    }

    #[test]
    fn commands_name_both_files_or_neither() {
        assert_eq!("  ".parse::<SolverCommand>(), Err(NoSolver::Empty));
        assert_eq!("sh -c {cnf}".parse::<SolverCommand>(), Err(NoSolver::HalfNamed));
        assert!(matches!("no-such-solver -q".parse::<SolverCommand>(), Err(NoSolver::NotFound(_))));
        let Ok(command) = "sh -q".parse::<SolverCommand>() else { panic!("a shell is everywhere") };
        assert_eq!(command.arguments, ["-q", "{cnf}", "{proof}"]);
    }
}
