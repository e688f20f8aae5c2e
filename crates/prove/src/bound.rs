//! Bounds for a branch of the search: a non-negative combination of inequalities that the branch's
//! assignment contradicts.
//!
//! # How
//! The linear relaxation "how many units can be turned at most" over *cuts*: from a worker's inequality
//! Σ x + h·¬y ≥ h (x over its row) any w < h partitions may be weakened away, and what is left saturates to
//! Σ x + (h − w)·¬y ≥ h − w. Cuts that the relaxation's optimum violates are added until there is none; they
//! hold everywhere, so later branches start from them. The optimum's multipliers, times a whole number and
//! rounded, give the combination. It is computed in whole numbers and looked at again: rounding errors
//! can lose a bound, never make a wrong one.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::database::Database;
use super::inequality::{Literal, Normal, Overflow};
use super::simplex::{Row, maximise};
use ecode_core::Formula;

/// A worker's inequality after weakening, and its number in the proof once it stands there.
struct Cut {
    /// The entry of [`Formula::turned`].
    place: usize,
    /// The partitions that are left.
    kept: Vec<usize>,
    /// h − w.
    needed: usize,
    id: Option<usize>,
}

/// What the relaxation says of a branch.
pub(super) enum Bound {
    /// Nothing is left in it: these multiples of inequalities, by number, contradict the assignment.
    Refuted(Vec<(usize, i64)>),
    /// Not refuted; this literal is the one to decide next.
    Open(Literal),
    /// All that is open is whole, and enough is turned: a solution, as far as floating point goes.
    Solution,
}

/// The relaxation and its cuts.
pub(super) struct Relaxation<'a> {
    formula: &'a Formula,
    stopped: &'a dyn Fn() -> bool,
    cuts: Vec<Cut>,
    present: HashSet<(usize, Vec<usize>)>,
    /// For each entry of `turned`, the partitions of its row and its inequality's number, where it has one.
    rows: Vec<Option<(Vec<usize>, usize)>>,
}

/// What a decided worker's unit weighs more in the relaxation, to keep it turned there.
const DECIDED: f64 = 64.0;

/// Cuts are added in at most so many rounds a branch.
const ROUNDS: usize = 60;

impl<'a> Relaxation<'a> {
    pub(super) fn new(formula: &'a Formula, stopped: &'a dyn Fn() -> bool) -> Self {
        let mut rows = vec![None; formula.turned.len()];
        let (inequalities, _) = formula.inequalities.split_at(formula.inequalities.len() - 2);
        for (at, inequality) in inequalities.iter().enumerate() {
            if let Some((&(_, y), row)) = inequality.terms.split_last() {
                rows[y - formula.k - 1] = Some((row.iter().map(|&(_, x)| x).collect(), at + 1));
            }
        }
        let mut relaxation = Self { formula, stopped, cuts: Vec::new(), present: HashSet::new(), rows };
        for place in 0..formula.turned.len() {
            if let Some((row, id)) = relaxation.rows[place].clone() {
                let needed = formula.turned[place].needed;
                relaxation.cuts.push(Cut { place, kept: row, needed, id: Some(id) });
            }
        }
        relaxation
    }

    /// Bounds the branch that the database's assignment describes. Cuts that a bound needs are written to
    /// `text` and added to the database.
    pub(super) fn bound(&mut self, database: &mut Database, text: &mut String) -> Result<Bound, Overflow> {
        let mut open = Bound::Solution;
        for _ in 0..ROUNDS {
            let Some((value, point, multipliers)) = self.solve(database) else { break };
            open = self.choose(database, &point);
            let constant: f64 = self.constant(database);
            if value + constant < self.formula.overturn as f64 - 1e-3
                && let Some(combination) = self.whole(database, text, &multipliers)?
            {
                return Ok(Bound::Refuted(combination));
            }
            if !self.separate(&point) {
                break;
            }
        }
        Ok(open)
    }

    /// Units of workers that are turned without any partition, or decided: the latter's extra weight is
    /// taken off again.
    fn constant(&self, database: &Database) -> f64 {
        let mut sum = 0.0;
        for (place, turned) in self.formula.turned.iter().enumerate() {
            match database.value(self.formula.k + 1 + place) {
                Some(true) if self.rows[place].is_some() => sum -= DECIDED,
                Some(true) => sum += turned.units as f64,
                None if self.rows[place].is_none() => sum += turned.units as f64,
                _ => {}
            }
        }
        sum
    }

    /// The relaxation's optimum: its value, the values of all variables, and the multipliers of the bound on
    /// the weight (first) and of every cut.
    fn solve(&self, database: &Database) -> Option<(f64, Vec<f64>, Vec<f64>)> {
        let k = self.formula.k;
        let mut column = vec![None; self.formula.variables() + 1];
        let mut columns = Vec::new();
        let mut objective = Vec::new();
        for x in 1..=k {
            if database.value(x).is_none() {
                column[x] = Some(columns.len());
                columns.push(x);
                objective.push(0.0);
            }
        }
        for (place, turned) in self.formula.turned.iter().enumerate() {
            let y = k + 1 + place;
            if self.rows[place].is_some() && database.value(y) != Some(false) {
                column[y] = Some(columns.len());
                columns.push(y);
                let extra = if database.value(y) == Some(true) { DECIDED } else { 0.0 };
                objective.push(turned.units as f64 + extra);
            }
        }
        let chosen = |x: &usize| database.value(*x) == Some(true);
        let free: Vec<(usize, f64)> = (1..=k).filter_map(|x| Some((column[x]?, 1.0))).collect();
        let left = self.formula.weight as f64 - (1..=k).filter(chosen).count() as f64;
        let mut rows = vec![Row { terms: free, most: left.max(0.0) }];
        let mut used = Vec::new();
        for (at, cut) in self.cuts.iter().enumerate() {
            if let Some(y) = column[k + 1 + cut.place] {
                let mut terms: Vec<(usize, f64)> =
                    cut.kept.iter().filter_map(|&x| Some((column[x]?, -1.0))).collect();
                terms.push((y, cut.needed as f64));
                rows.push(Row { terms, most: cut.kept.iter().filter(|x| chosen(x)).count() as f64 });
                used.push(at);
            }
        }
        rows.extend((0..columns.len()).map(|j| Row { terms: vec![(j, 1.0)], most: 1.0 }));
        let best = maximise(&objective, &rows, self.stopped)?;
        let mut point: Vec<f64> = (0..=self.formula.variables())
            .map(|v| if v > 0 && database.value(v) == Some(true) { 1.0 } else { 0.0 })
            .collect();
        for (&variable, &value) in columns.iter().zip(&best.point) {
            point[variable] = value;
        }
        let mut multipliers = vec![0.0; self.cuts.len() + 1];
        multipliers[0] = best.multipliers[0];
        for (place, &at) in used.iter().enumerate() {
            multipliers[at + 1] = best.multipliers[place + 1];
        }
        Some((best.value, point, multipliers))
    }

    /// Adds for each worker the cut that the point violates most; whether there was any.
    fn separate(&mut self, point: &[f64]) -> bool {
        let before = self.cuts.len();
        for (place, row) in self.rows.iter().enumerate() {
            let Some((row, _)) = row else { continue };
            let turned = point[self.formula.k + 1 + place];
            if turned < 1e-6 {
                continue;
            }
            let mut sorted = row.clone();
            sorted.sort_by(|&a, &b| point[b].total_cmp(&point[a]).then(a.cmp(&b)));
            let needed = self.formula.turned[place].needed;
            let mut rest: f64 = sorted.iter().map(|&x| point[x]).sum();
            let mut best: Option<(f64, usize)> = None;
            for dropped in 0..needed.min(sorted.len()) {
                let violation = turned - rest / (needed - dropped) as f64;
                if violation > 1e-5 && best.is_none_or(|(most, _)| violation > most + 1e-9) {
                    best = Some((violation, dropped));
                }
                rest -= point[sorted[dropped]];
            }
            if let Some((_, dropped)) = best {
                let mut kept = sorted.split_off(dropped);
                kept.sort_unstable();
                if self.present.insert((place, kept.clone())) {
                    self.cuts.push(Cut { place, kept, needed: needed - dropped, id: None });
                }
            }
        }
        self.cuts.len() > before
    }

    /// The most undecided worker that is partly turned, else the most undecided partition.
    fn choose(&self, database: &Database, point: &[f64]) -> Bound {
        let k = self.formula.k;
        let fractional = |variable: &usize| {
            database.value(*variable).is_none() && (1e-4..=1.0 - 1e-4).contains(&point[*variable])
        };
        let by_value = |a: &usize, b: &usize| point[*a].total_cmp(&point[*b]);
        let worker = (k + 1..=self.formula.variables()).filter(fractional).max_by(by_value);
        // Whole, but perhaps not decided yet.
        let whole = || (1..=k).find(|&x| database.value(x).is_none() && point[x] > 0.5);
        let variable = worker.or_else(|| (1..=k).filter(fractional).max_by(by_value)).or_else(whole);
        variable.map_or(Bound::Solution, |variable| Bound::Open(Literal::new(variable, true)))
    }

    /// The multipliers as whole numbers whose combination the assignment contradicts, where there are any.
    fn whole(
        &mut self,
        database: &mut Database,
        text: &mut String,
        multipliers: &[f64],
    ) -> Result<Option<Vec<(usize, i64)>>, Overflow> {
        let last = self.formula.inequalities.len();
        let inequality = |at: usize| Normal::of(&self.formula.inequalities[at - 1]);
        for scale in [1, 2, 3, 4, 5, 6, 8, 10, 12, 24, 60, 840, 1 << 14, 1 << 20] {
            let rounded = |value: f64| (value * f64::from(scale)).round().max(0.0) as i64;
            let mut sum = inequality(last)?.times(i64::from(scale))?;
            let weight = rounded(multipliers[0]);
            if weight > 0 {
                sum = sum.plus(&inequality(last - 1)?.times(weight)?)?;
            }
            for (cut, &multiplier) in self.cuts.iter().zip(&multipliers[1..]) {
                if rounded(multiplier) > 0 {
                    sum = sum.plus(&self.inequality(cut)?.times(rounded(multiplier))?)?;
                }
            }
            if database.contradicted(&sum) {
                let mut combination = vec![(last, i64::from(scale))];
                if weight > 0 {
                    combination.push((last - 1, weight));
                }
                for at in 0..self.cuts.len() {
                    let multiplier = rounded(multipliers[at + 1]);
                    if multiplier > 0 {
                        combination.push((self.number(at, database, text)?, multiplier));
                    }
                }
                return Ok(Some(combination));
            }
        }
        Ok(None)
    }

    fn inequality(&self, cut: &Cut) -> Result<Normal, Overflow> {
        let y = Literal::new(self.formula.k + 1 + cut.place, false);
        let terms = cut.kept.iter().map(|&x| (1, Literal::new(x, true)));
        Normal::new(terms.chain([(cut.needed as i64, y)]), cut.needed as i64)
    }

    /// The cut's number in the proof, where it is written now if it was not yet.
    fn number(&mut self, at: usize, database: &mut Database, text: &mut String) -> Result<usize, Overflow> {
        if let Some(id) = self.cuts[at].id {
            return Ok(id);
        }
        let cut = &self.cuts[at];
        if let Some((row, id)) = &self.rows[cut.place] {
            let _ = write!(text, "pol {id}");
            for x in row.iter().filter(|x| cut.kept.binary_search(x).is_err()) {
                let _ = write!(text, " ~x{x} +");
            }
            *text += " s;\n";
        }
        let id = database.add(self.inequality(cut)?);
        self.cuts[at].id = Some(id);
        Ok(id)
    }
}
