//! Replays a proof that a formula has no solution, line by line: a part of the VeriPB proof format 3.0.
//!
//! # What is promised
//! `Ok` means that every line was checked and that a contradiction was derived from the formula. The
//! rules, as docs/certificates.md describes them:
//!
//! - `pol`: sums, multiples, rounded quotients and saturations of what is known. All keep every solution.
//! - `rup`: what unit propagation shows to follow; with hints, what the inequalities named show, in that order.
//! - `red`: what some solution satisfies if there is any, because solutions can be rewritten by the
//!   substitution given (redundance-based strengthening).
//! - `del id`: forgets.

use std::collections::HashSet;

use super::hints;
use super::inequality::{Database, Literal, Normal, Overflow};
use ecode_core::Formula;

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is not a proof in this format.
    #[error("line {line} is no line of a proof: {what}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A line does not follow.
    #[error("line {line} does not follow: {what}")]
    Rejected {
        /// The line, from 1.
        line: usize,
        /// What does not hold.
        what: String,
    },
}

/// What goes wrong within a line.
enum Wrong {
    Malformed(String),
    Rejected(String),
}

impl From<Overflow> for Wrong {
    fn from(_: Overflow) -> Self {
        Self::Rejected("a number grows beyond 64 bits".to_owned())
    }
}

fn malformed<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Malformed(what.into()))
}

fn rejected<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Rejected(what.into()))
}

/// Checks that `proof` shows the formula unsatisfiable, and returns how many steps it took.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay(formula: &Formula, proof: &str) -> Result<usize, ProofError> {
    let mut checker = Checker { known: Database::new(formula.variables()), steps: 0, stage: Stage::Start };
    let fail = |line: usize, wrong: Wrong| match wrong {
        Wrong::Malformed(what) => ProofError::Malformed { line, what },
        Wrong::Rejected(what) => ProofError::Rejected { line, what },
    };
    for inequality in &formula.inequalities {
        checker.known.add(Normal::of(inequality).map_err(|overflow| fail(0, overflow.into()))?);
    }
    let mut last = 0;
    for (place, line) in proof.lines().enumerate() {
        last = place + 1;
        checker.line(line.trim()).map_err(|wrong| fail(last, wrong))?;
    }
    match checker.stage {
        Stage::End => Ok(checker.steps),
        _ => {
            Err(ProofError::Malformed { line: last, what: "the proof ends before its conclusion".to_owned() })
        }
    }
}

#[derive(PartialEq)]
enum Stage {
    Start,
    Steps,
    Output,
    Concluded,
    End,
}

struct Checker {
    known: Database,
    steps: usize,
    stage: Stage,
}

impl Checker {
    fn line(&mut self, line: &str) -> Result<(), Wrong> {
        if line.is_empty() || line.starts_with('%') {
            return Ok(());
        }
        if self.stage == Stage::Start {
            if line != "pseudo-Boolean proof version 3.0" {
                return malformed("expected 'pseudo-Boolean proof version 3.0'");
            }
            self.stage = Stage::Steps;
            return Ok(());
        }
        let Some(line) = line.strip_suffix(';') else { return malformed("it does not end with ';'") };
        let (rule, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (&self.stage, rule) {
            (Stage::Steps, "f") => {
                if rest.trim().parse() != Ok(self.known.last()) {
                    return rejected(format!("the formula has {} inequalities", self.known.last()));
                }
            }
            (Stage::Steps, "pol") => {
                let derived = self.pol(rest)?;
                self.known.add(derived);
                self.steps += 1;
            }
            (Stage::Steps, "rup") => {
                let (claimed, hints) = match rest.split_once(" : ") {
                    Some((claimed, hints)) => (claimed, Some(self.hints(hints)?)),
                    None => (rest, None),
                };
                let claimed = self.inequality(claimed)?;
                let denied = claimed.denied()?;
                let refuted = match hints {
                    Some(hints) => hints::conflict(&self.known, &denied, &hints),
                    None => self.known.contradicts(vec![denied]),
                };
                if !refuted {
                    return rejected("unit propagation does not lead to a conflict");
                }
                self.known.add(claimed);
                self.steps += 1;
            }
            (Stage::Steps, "red") => {
                let claimed = self.red(rest)?;
                self.known.add(claimed);
                self.steps += 1;
            }
            (Stage::Steps, "del") => {
                let Some(ids) = rest.strip_prefix("id ") else { return malformed("expected 'del id'") };
                for id in ids.split_whitespace() {
                    let id = self.id(id)?;
                    self.known.remove(id);
                }
            }
            (Stage::Steps, "output") if rest.trim() == "NONE" => self.stage = Stage::Output,
            (Stage::Output, "conclusion") => {
                let Some(id) = rest.strip_prefix("UNSAT :") else {
                    return malformed("expected 'conclusion UNSAT : ' and a number");
                };
                let id = self.id(id.trim())?;
                if !self.known.get(id).is_some_and(Normal::is_contradiction) {
                    return rejected(format!("inequality {id} is no contradiction"));
                }
                self.stage = Stage::Concluded;
            }
            (Stage::Concluded, "end") if rest.trim() == "pseudo-Boolean proof" => self.stage = Stage::End,
            _ => return malformed(format!("'{rule}' is not expected here")),
        }
        Ok(())
    }

    /// The numbers of known inequalities, and `~` for the denied one.
    fn hints(&self, text: &str) -> Result<Vec<Option<usize>>, Wrong> {
        let hint = |word| if word == "~" { Ok(None) } else { self.id(word).map(Some) };
        text.split_ascii_whitespace().map(hint).collect()
    }

    /// The number of an inequality that is known.
    fn id(&self, text: &str) -> Result<usize, Wrong> {
        let Ok(id) = text.parse::<usize>() else {
            return malformed(format!("'{text}' is no inequality's number"));
        };
        if self.known.get(id).is_none() {
            return rejected(format!("there is no inequality {id}"));
        }
        Ok(id)
    }

    fn literal(&self, text: &str) -> Result<Literal, Wrong> {
        let (positive, name) = text.strip_prefix('~').map_or((true, text), |name| (false, name));
        match name.strip_prefix('x').and_then(|number| number.parse::<usize>().ok()) {
            Some(variable) if (1..=self.known.variables()).contains(&variable) => {
                Ok(Literal::new(variable, positive))
            }
            _ => malformed(format!("'{text}' is no variable of the formula")),
        }
    }

    /// `1 x1 2 ~x3 >= 2`.
    fn inequality(&self, text: &str) -> Result<Normal, Wrong> {
        let Some((left, right)) = text.split_once(">=") else { return malformed("expected '>='") };
        let Ok(degree) = right.trim().parse::<i64>() else {
            return malformed("expected a number after '>='");
        };
        let tokens: Vec<&str> = left.split_whitespace().collect();
        let mut terms = Vec::with_capacity(tokens.len() / 2);
        for pair in tokens.chunks(2) {
            let (Ok(coefficient), Some(name)) = (pair[0].parse::<i64>(), pair.get(1)) else {
                return malformed("expected coefficients and variables in turn");
            };
            terms.push((coefficient, self.literal(name)?));
        }
        Ok(Normal::new(terms, degree)?)
    }

    /// Operations in reverse Polish notation.
    fn pol(&self, text: &str) -> Result<Normal, Wrong> {
        // A number is an inequality's, unless '*' or 'd' follows.
        let tokens: Vec<&str> = text.split_whitespace().collect();
        let mut stack: Vec<Normal> = Vec::new();
        let mut at = 0;
        while let Some(&token) = tokens.get(at) {
            at += 1;
            let operation = tokens.get(at).filter(|next| matches!(**next, "*" | "d"));
            let result = match (token, operation) {
                (number, Some(&operation)) => {
                    at += 1;
                    let (Ok(number), Some(top)) = (number.parse::<i64>(), stack.pop()) else {
                        return malformed(format!("'{operation}' needs an inequality and a number"));
                    };
                    if number <= 0 {
                        return malformed(format!("'{operation}' needs a positive number"));
                    }
                    if operation == "*" { top.times(number)? } else { top.divided(number) }
                }
                ("+", None) => match (stack.pop(), stack.pop()) {
                    (Some(a), Some(b)) => b.plus(&a)?,
                    _ => return malformed("'+' needs two inequalities"),
                },
                ("s", None) => match stack.pop() {
                    Some(top) => top.saturated(),
                    None => return malformed("'s' needs an inequality"),
                },
                (token, None) if token.starts_with(['x', '~']) => Normal::axiom(self.literal(token)?),
                (token, None) => {
                    let id = self.id(token)?;
                    self.known.get(id).cloned().unwrap_or(Normal { terms: Vec::new(), degree: 0 })
                }
            };
            stack.push(result);
        }
        match (stack.pop(), stack.is_empty()) {
            (Some(result), true) => Ok(result),
            _ => malformed("one inequality should remain"),
        }
    }

    /// `1 x1 1 ~x2 >= 1 : x1 -> x2 x2 -> x1`. Holds when the claimed inequality and every known one, all
    /// rewritten by the substitution, follow from the known ones and the claimed one's denial.
    fn red(&mut self, text: &str) -> Result<Normal, Wrong> {
        let Some((claimed, substitution)) = text.split_once(" : ") else {
            return malformed("expected an inequality, ':' and a substitution");
        };
        let claimed = self.inequality(claimed)?;
        let mut image: Vec<Literal> =
            (1..=self.known.variables()).map(|variable| Literal::new(variable, true)).collect();
        let tokens: Vec<&str> = substitution.split_whitespace().collect();
        for triple in tokens.chunks(3) {
            let [from, "->", to] = triple else { return malformed("expected 'x1 -> x2' and so on") };
            let (from, to) = (self.literal(from)?, self.literal(to)?);
            if !from.positive() {
                return malformed("only variables are replaced");
            }
            image[from.variable() - 1] = to;
        }
        let replace = |literal: Literal| {
            let to = image[literal.variable() - 1];
            if literal.positive() { to } else { to.negated() }
        };
        let denied = claimed.denied()?;
        let mut goals = vec![claimed.replaced(replace)?];
        let known: HashSet<&Normal> = self.known.live().collect();
        for normal in self.known.live() {
            if normal.terms.iter().any(|&(_, literal)| replace(literal) != literal) {
                let goal = normal.replaced(replace)?;
                if !known.contains(&goal) {
                    goals.push(goal);
                }
            }
        }
        for goal in goals {
            if !self.known.contradicts(vec![denied.clone(), goal.denied()?]) {
                return rejected("the substitution does not keep every inequality");
            }
        }
        Ok(claimed)
    }
}
