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
//!
//! Memory is bounded by [`MOST_TERMS`]; the time is that of the propagations, and can be ended at any moment.
//!
//! # References
//! W. Cook, C. R. Coullard and G. Turán, *On the Complexity of Cutting-Plane Proofs*, Discrete Applied Mathematics 18
//! (1987), 25–38. B. Bogaerts, S. Gocht, C. McCreesh and J. Nordström, *Certified Dominance and Symmetry Breaking for
//! Combinatorial Optimisation*, Journal of Artificial Intelligence Research 77 (2023): the rules and the format.

use std::collections::HashSet;

use super::budget::{Budget, MOST_TERMS};
use super::database::{Database, size};
use super::hints::Forced;
use super::inequality::{Literal, Normal};
use super::proof::{ProofError, Wrong, integer, malformed, natural, quoted, rejected};
use ecode_core::Formula;

/// Checks that `proof` shows the formula unsatisfiable, and returns how many steps it took. Asks `stopped` now and
/// then whether to end.
///
/// # Errors
/// [`ProofError`] with the first line that is malformed or does not follow.
pub fn replay(formula: &Formula, proof: &str, stopped: &dyn Fn() -> bool) -> Result<usize, ProofError> {
    let budget = Budget::new(stopped);
    let database = Database::new(formula.variables());
    let mut checker = Checker { database, steps: 0, stage: Stage::Start, budget: &budget };
    for inequality in &formula.inequalities {
        let normal = Normal::of(inequality).map_err(|overflow| Wrong::from(overflow).at(0))?;
        checker.add(normal).map_err(|wrong| wrong.at(0))?;
    }
    let mut last = 0;
    for (place, line) in proof.lines().enumerate() {
        last = place + 1;
        budget.spend(line.len() + 1).map_err(|stopped| Wrong::from(stopped).at(last))?;
        checker.line(line.trim_ascii()).map_err(|wrong| wrong.at(last))?;
    }
    match checker.stage {
        Stage::End => Ok(checker.steps),
        _ => Err(Wrong::Malformed("the proof ends before its conclusion".to_owned()).at(last)),
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

struct Checker<'a> {
    database: Database,
    steps: usize,
    stage: Stage,
    budget: &'a Budget<'a>,
}

/// The error where so many terms would be more than are kept.
fn within(terms: usize) -> Result<(), Wrong> {
    if terms <= MOST_TERMS {
        return Ok(());
    }
    Err(Wrong::TooLarge(format!("more than {MOST_TERMS} terms are kept at the same time")))
}

impl Checker<'_> {
    fn add(&mut self, normal: Normal) -> Result<(), Wrong> {
        within(self.database.size() + size(&normal))?;
        self.database.add(normal);
        Ok(())
    }

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
        let derived = match (&self.stage, rule) {
            (Stage::Steps, "f") => {
                if natural(rest.trim_ascii().as_bytes()) != Some(self.database.last()) {
                    return rejected(format!("the formula has {} inequalities", self.database.last()));
                }
                return Ok(());
            }
            (Stage::Steps, "pol") => self.pol(rest)?,
            (Stage::Steps, "rup") => {
                let (claimed, hints) = match rest.split_once(" : ") {
                    Some((claimed, hints)) => (claimed, Some(hints)),
                    None => (rest, None),
                };
                let claimed = self.inequality(claimed)?;
                let denied = claimed.denied()?;
                let refuted = match hints {
                    Some(hints) => self.hinted(hints, &denied)?,
                    None => self.database.contradicts(vec![denied], self.budget)?,
                };
                if !refuted {
                    return rejected("unit propagation does not lead to a conflict");
                }
                claimed
            }
            (Stage::Steps, "red") => self.red(rest)?,
            (Stage::Steps, "del") => {
                let Some(ids) = rest.strip_prefix("id ") else { return malformed("expected 'del id'") };
                for id in ids.split_ascii_whitespace() {
                    let id = self.id(id)?;
                    self.database.remove(id);
                }
                return Ok(());
            }
            (Stage::Steps, "output") if rest.trim_ascii() == "NONE" => {
                self.stage = Stage::Output;
                return Ok(());
            }
            (Stage::Output, "conclusion") => {
                let Some(id) = rest.strip_prefix("UNSAT :") else {
                    return malformed("expected 'conclusion UNSAT : ' and a number");
                };
                let id = self.id(id.trim_ascii())?;
                if !self.database.get(id).is_some_and(Normal::is_contradiction) {
                    return rejected(format!("inequality {id} is no contradiction"));
                }
                self.stage = Stage::Concluded;
                return Ok(());
            }
            (Stage::Concluded, "end") if rest.trim_ascii() == "pseudo-Boolean proof" => {
                self.stage = Stage::End;
                return Ok(());
            }
            _ => return malformed(format!("{} is not expected here", quoted(rule.as_bytes()))),
        };
        self.add(derived)?;
        self.steps += 1;
        Ok(())
    }

    /// Whether the inequalities of these numbers, `~` being the denied one, lead to a conflict in this order.
    fn hinted(&self, hints: &str, denied: &Normal) -> Result<bool, Wrong> {
        let mut forced = Forced::new(self.database.variables());
        let mut refuted = false;
        for word in hints.split_ascii_whitespace() {
            let normal = if word == "~" { Some(denied) } else { self.database.get(self.id(word)?) };
            if let Some(normal) = normal.filter(|_| !refuted) {
                self.budget.spend(normal.terms.len() + 1)?;
                refuted = forced.refutes(normal);
            }
        }
        Ok(refuted)
    }

    /// The number of an inequality that is known.
    fn id(&self, text: &str) -> Result<usize, Wrong> {
        let Some(id) = natural(text.as_bytes()) else {
            return malformed(format!("{} is no inequality's number", quoted(text.as_bytes())));
        };
        if self.database.get(id).is_none() {
            return rejected(format!("there is no inequality {id}"));
        }
        Ok(id)
    }

    fn literal(&self, text: &str) -> Result<Literal, Wrong> {
        let (positive, name) = text.strip_prefix('~').map_or((true, text), |name| (false, name));
        match name.strip_prefix('x').and_then(|number| natural(number.as_bytes())) {
            Some(variable) if (1..=self.database.variables()).contains(&variable) => {
                Ok(Literal::new(variable, positive))
            }
            _ => malformed(format!("{} is no variable of the formula", quoted(text.as_bytes()))),
        }
    }

    /// `1 x1 2 ~x3 >= 2`.
    fn inequality(&self, text: &str) -> Result<Normal, Wrong> {
        let Some((left, right)) = text.split_once(">=") else { return malformed("expected '>='") };
        let Some(degree) = integer(right.trim_ascii().as_bytes()) else {
            return malformed("expected a number after '>='");
        };
        let mut tokens = left.split_ascii_whitespace();
        let mut terms = Vec::new();
        while let Some(coefficient) = tokens.next() {
            if terms.len() > 2 * self.database.variables() {
                return malformed("more terms than literals");
            }
            let (Some(coefficient), Some(name)) = (integer(coefficient.as_bytes()), tokens.next()) else {
                return malformed("expected coefficients and variables in turn");
            };
            terms.push((coefficient, self.literal(name)?));
        }
        Ok(Normal::new(terms, degree)?)
    }

    /// Operations in reverse Polish notation.
    fn pol(&self, text: &str) -> Result<Normal, Wrong> {
        // A number is an inequality's, unless '*' or 'd' follows.
        let mut tokens = text.split_ascii_whitespace().peekable();
        let mut stack: Vec<Normal> = Vec::new();
        let mut kept = self.database.size();
        while let Some(token) = tokens.next() {
            let result = if let Some(operation) = tokens.next_if(|next| matches!(*next, "*" | "d")) {
                let (Some(number), Some(top)) = (integer(token.as_bytes()), stack.pop()) else {
                    return malformed(format!("'{operation}' needs an inequality and a number"));
                };
                if number <= 0 {
                    return malformed(format!("'{operation}' needs a positive number"));
                }
                kept -= size(&top);
                if operation == "*" { top.times(number)? } else { top.divided(number) }
            } else if token == "+" {
                let (Some(second), Some(first)) = (stack.pop(), stack.pop()) else {
                    return malformed("'+' needs two inequalities");
                };
                kept -= size(&first) + size(&second);
                first.plus(&second)?
            } else if token == "s" {
                let Some(top) = stack.pop() else { return malformed("'s' needs an inequality") };
                kept -= size(&top);
                top.saturated()
            } else if token.starts_with(['x', '~']) {
                Normal::axiom(self.literal(token)?)
            } else {
                let id = self.id(token)?;
                let Some(known) = self.database.get(id) else { return rejected("it is not known") };
                known.clone()
            };
            kept += size(&result);
            within(kept)?;
            self.budget.spend(size(&result))?;
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
            (1..=self.database.variables()).map(|variable| Literal::new(variable, true)).collect();
        let mut tokens = substitution.split_ascii_whitespace();
        while let Some(from) = tokens.next() {
            let (Some("->"), Some(to)) = (tokens.next(), tokens.next()) else {
                return malformed("expected 'x1 -> x2' and so on");
            };
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
        let present: HashSet<&Normal> = self.database.live().collect();
        let mut kept = self.database.size();
        for normal in self.database.live() {
            self.budget.spend(size(normal))?;
            if normal.terms.iter().any(|&(_, literal)| replace(literal) != literal) {
                let goal = normal.replaced(replace)?;
                if !present.contains(&goal) {
                    kept += size(&goal);
                    within(kept)?;
                    goals.push(goal);
                }
            }
        }
        for goal in goals {
            if !self.database.contradicts(vec![denied.clone(), goal.denied()?], self.budget)? {
                return rejected("the substitution does not keep every inequality");
            }
        }
        Ok(claimed)
    }
}
