//! Inequalities over 0/1 variables in normal form, and a set of them with unit propagation.
//!
//! # What is promised
//! The cutting-planes operations keep every 0/1 solution. [`Database::propagate`] assigns only what the
//! stored inequalities force under what was assumed, and reports a conflict only when one of them can no
//! longer hold. Overflow is an error, never a wrong number.

use ecode_core::Inequality;

/// A variable x, numbered from 1, or its negation: 2·(x − 1), plus 1 for the negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal(u32);

impl Literal {
    pub(super) fn new(variable: usize, positive: bool) -> Self {
        Self(2 * (variable as u32 - 1) + u32::from(!positive))
    }

    pub(super) fn variable(self) -> usize {
        self.0 as usize / 2 + 1
    }

    pub(super) fn positive(self) -> bool {
        self.0 % 2 == 0
    }

    pub(super) fn negated(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// A number grew beyond 64 bits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// Σ coefficient · literal ≥ degree, coefficients positive, one term a variable, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Normal {
    pub(super) terms: Vec<(i64, Literal)>,
    pub(super) degree: i64,
}

impl Normal {
    /// From terms in any order, coefficients of any sign, variables that may repeat.
    pub(super) fn new(
        terms: impl IntoIterator<Item = (i64, Literal)>,
        degree: i64,
    ) -> Result<Self, Overflow> {
        let mut terms: Vec<(i64, Literal)> = terms.into_iter().collect();
        terms.sort_unstable_by_key(|&(_, literal)| literal.variable());
        let mut wide = i128::from(degree);
        let mut normal: Vec<(i64, Literal)> = Vec::with_capacity(terms.len());
        for group in terms.chunk_by(|a, b| a.1.variable() == b.1.variable()) {
            // a·¬x is a − a·x: everything in terms of x first.
            let mut coefficient = 0_i128;
            for &(a, literal) in group {
                let a = i128::from(a);
                if literal.positive() {
                    coefficient += a;
                } else {
                    coefficient -= a;
                    wide -= a;
                }
            }
            let variable = group[0].1.variable();
            if coefficient < 0 {
                wide -= coefficient;
            }
            if coefficient != 0 {
                let a = i64::try_from(coefficient.abs()).map_err(|_| Overflow)?;
                normal.push((a, Literal::new(variable, coefficient > 0)));
            }
        }
        let normal = Self { terms: normal, degree: i64::try_from(wide).map_err(|_| Overflow)? };
        normal.sum().map(|_| normal)
    }

    /// An inequality of the formula.
    pub(super) fn of(inequality: &Inequality) -> Result<Self, Overflow> {
        let terms = inequality.terms.iter().map(|&(a, x)| (a, Literal::new(x, true)));
        Self::new(terms, inequality.at_least)
    }

    /// "At least one of these literals".
    pub(super) fn clause(literals: impl IntoIterator<Item = Literal>) -> Self {
        let mut terms: Vec<_> = literals.into_iter().map(|literal| (1, literal)).collect();
        terms.sort_unstable_by_key(|&(_, literal)| literal);
        Self { terms, degree: 1 }
    }

    /// The sum of the coefficients.
    fn sum(&self) -> Result<i64, Overflow> {
        self.terms.iter().try_fold(0_i64, |sum, &(a, _)| sum.checked_add(a)).ok_or(Overflow)
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, Overflow> {
        let degree = self.degree.checked_add(other.degree).ok_or(Overflow)?;
        Self::new(self.terms.iter().chain(&other.terms).copied(), degree)
    }

    pub(super) fn times(&self, factor: i64) -> Result<Self, Overflow> {
        let degree = self.degree.checked_mul(factor).ok_or(Overflow)?;
        let terms = self.terms.iter().map(|&(a, literal)| Some((a.checked_mul(factor)?, literal)));
        Self::new(terms.collect::<Option<Vec<_>>>().ok_or(Overflow)?, degree)
    }

    /// How far the largest left-hand side exceeds the degree.
    fn slack(&self) -> i64 {
        // `new` has seen that the sum fits; a difference beyond 64 bits counts as the nearest number.
        self.terms.iter().fold(0_i64, |sum, &(a, _)| sum.saturating_add(a)).saturating_sub(self.degree)
    }
}

struct Stored {
    normal: Normal,
    /// Σ of the coefficients whose literal is not false, less the degree.
    slack: i64,
    /// The largest coefficient: above the slack, a literal may be forced.
    largest: i64,
}

/// Where a conflict was met.
#[derive(Clone, Copy)]
enum Broken {
    /// This inequality cannot hold.
    Inequality(usize),
    /// This literal was decided, but is false already.
    Decided(Literal),
}

/// Inequalities numbered from 1 in the order in which they came, and a partial assignment.
#[derive(Default)]
pub(super) struct Database {
    stored: Vec<Option<Stored>>,
    /// For each literal, where it occurs, with its coefficient.
    occurs: Vec<Vec<(usize, i64)>>,
    assigned: Vec<Option<bool>>,
    trail: Vec<Literal>,
    /// For each variable with a value, its place in the trail and the inequality that forced it; none was decided.
    why: Vec<(usize, Option<usize>)>,
    queue: Vec<usize>,
    conflict: bool,
    /// What cannot hold any more.
    broken: Option<Broken>,
    /// Those that force something, or cannot hold, with nothing assigned.
    eager: std::collections::BTreeSet<usize>,
}

impl Database {
    pub(super) fn new(variables: usize) -> Self {
        Self {
            occurs: vec![Vec::new(); 2 * variables],
            assigned: vec![None; variables],
            why: vec![(0, None); variables],
            ..Self::default()
        }
    }

    /// How many inequalities there ever were: the last one's number.
    pub(super) fn last(&self) -> usize {
        self.stored.len()
    }

    pub(super) fn get(&self, id: usize) -> Option<&Normal> {
        self.stored.get(id.checked_sub(1)?)?.as_ref().map(|stored| &stored.normal)
    }

    fn falsified(&self, literal: Literal) -> bool {
        self.assigned[literal.variable() - 1] == Some(!literal.positive())
    }

    pub(super) fn is_assigned(&self, variable: usize) -> bool {
        self.assigned[variable - 1].is_some()
    }

    pub(super) fn value(&self, variable: usize) -> Option<bool> {
        self.assigned[variable - 1]
    }

    /// Whether the present assignment leaves the inequality no way to hold.
    pub(super) fn contradicted(&self, normal: &Normal) -> bool {
        let lost = normal.terms.iter().filter(|&&(_, literal)| self.falsified(literal)).map(|&(a, _)| a);
        normal.slack().saturating_sub(lost.sum()) < 0
    }

    pub(super) fn add(&mut self, normal: Normal) -> usize {
        let place = self.stored.len();
        let mut slack = normal.slack();
        let largest = normal.terms.iter().map(|&(a, _)| a).max().unwrap_or(0);
        if slack < largest {
            self.eager.insert(place);
        }
        for &(a, literal) in &normal.terms {
            self.occurs[literal.0 as usize].push((place, a));
            if self.falsified(literal) {
                slack -= a;
            }
        }
        if slack < largest || slack < 0 {
            self.queue.push(place);
        }
        self.stored.push(Some(Stored { normal, slack, largest }));
        place + 1
    }

    /// Removes one; false when there is none of this number.
    pub(super) fn remove(&mut self, id: usize) -> bool {
        let Some(stored) = id.checked_sub(1).and_then(|place| self.stored.get_mut(place)?.take()) else {
            return false;
        };
        for &(_, literal) in &stored.normal.terms {
            let list = &mut self.occurs[literal.0 as usize];
            // Most are removed soon after they came.
            if let Some(at) = list.iter().rposition(|&(place, _)| place == id - 1) {
                list.swap_remove(at);
            }
        }
        self.eager.remove(&(id - 1));
        true
    }

    /// Makes a literal true, and everything that follows from it. Whether nothing contradicts it.
    pub(super) fn assume(&mut self, literal: Literal) -> bool {
        self.assign(literal, None);
        self.propagate()
    }

    fn assign(&mut self, literal: Literal, reason: Option<usize>) {
        if let Some(value) = self.assigned[literal.variable() - 1] {
            if value != literal.positive() {
                self.conflict = true;
                self.broken = Some(reason.map_or(Broken::Decided(literal), Broken::Inequality));
            }
            return;
        }
        self.assigned[literal.variable() - 1] = Some(literal.positive());
        self.why[literal.variable() - 1] = (self.trail.len(), reason);
        self.trail.push(literal);
        for &(place, a) in &self.occurs[literal.negated().0 as usize] {
            if let Some(stored) = &mut self.stored[place] {
                stored.slack -= a;
                if stored.slack < stored.largest {
                    self.queue.push(place);
                }
            }
        }
    }

    /// Assigns what is forced; false on a conflict.
    pub(super) fn propagate(&mut self) -> bool {
        while let Some(place) = self.queue.pop() {
            let Some(stored) = &self.stored[place] else { continue };
            if stored.slack < 0 {
                self.conflict = true;
                self.broken = Some(Broken::Inequality(place));
            }
            if self.conflict {
                self.queue.clear();
                break;
            }
            let slack = stored.slack;
            let forced: Vec<Literal> = stored
                .normal
                .terms
                .iter()
                .filter(|&&(a, literal)| a > slack && self.assigned[literal.variable() - 1].is_none())
                .map(|&(_, literal)| literal)
                .collect();
            for literal in forced {
                self.assign(literal, Some(place));
            }
        }
        !self.conflict
    }

    /// After a conflict: the numbers of inequalities that lead to it, each forcing what the next ones need, from what
    /// was decided.
    pub(super) fn explain(&self) -> Vec<usize> {
        let mut needed = vec![false; self.trail.len()];
        let mut numbers: Vec<usize> = Vec::new();
        match self.broken {
            Some(Broken::Inequality(place)) => {
                numbers.push(place + 1);
                self.need(place, self.trail.len(), &mut needed);
            }
            Some(Broken::Decided(literal)) => needed[self.why[literal.variable() - 1].0] = true,
            None => {}
        }
        for at in (0..self.trail.len()).rev() {
            if let (true, (_, Some(place))) = (needed[at], self.why[self.trail[at].variable() - 1]) {
                self.need(place, at, &mut needed);
                if numbers.last() != Some(&(place + 1)) {
                    numbers.push(place + 1);
                }
            }
        }
        numbers.reverse();
        numbers
    }

    /// Marks what made the literals of an inequality false before this place of the trail.
    fn need(&self, place: usize, before: usize, needed: &mut [bool]) {
        let terms = self.stored[place].iter().flat_map(|stored| &stored.normal.terms);
        for &(_, literal) in terms.filter(|&&(_, literal)| self.falsified(literal)) {
            let (at, _) = self.why[literal.variable() - 1];
            if at < before {
                needed[at] = true;
            }
        }
    }

    /// Looks again at what an inequality forces: needed for one that was added under assignments that
    /// are taken back.
    pub(super) fn wake(&mut self, id: usize) {
        self.queue.push(id - 1);
    }

    /// How many literals are assigned: what [`Self::undo`] goes back to.
    pub(super) fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Takes back every assignment after the mark, and the conflict.
    pub(super) fn undo(&mut self, mark: usize) {
        self.conflict = false;
        self.broken = None;
        self.queue.clear();
        while self.trail.len() > mark {
            if let Some(literal) = self.trail.pop() {
                self.assigned[literal.variable() - 1] = None;
                for &(place, a) in &self.occurs[literal.negated().0 as usize] {
                    if let Some(stored) = &mut self.stored[place] {
                        stored.slack += a;
                    }
                }
            }
        }
    }
}
