//! A set of inequalities, and what follows from it by propagation.
//!
//! # What is promised
//! [`Database::contradicts`] starts from nothing assigned, assigns only what the inequalities force, and says yes only
//! when one of them can no longer hold. Nothing is assigned between two calls, so that what is stored is the
//! inequalities and nothing else.

use std::collections::BTreeSet;

use super::budget::{Budget, INEQUALITY, Stopped};
use super::inequality::{Literal, Normal};

struct Stored {
    normal: Normal,
    /// The sum of the coefficients whose literal is not false, less the degree.
    slack: i64,
    /// The largest coefficient: above the slack, a literal may be forced.
    largest: i64,
}

/// Inequalities numbered from 1 in the order in which they came.
#[derive(Default)]
pub(crate) struct Database {
    // One word for an inequality that is gone.
    stored: Vec<Option<Box<Stored>>>,
    /// For each literal, where it occurs, with its coefficient.
    occurs: Vec<Vec<(u32, i64)>>,
    /// Those that force something, or cannot hold, with nothing assigned.
    eager: BTreeSet<u32>,
    /// The terms of all that are stored, and [`INEQUALITY`] for each.
    size: usize,
    /// Values, and what is to be looked at: empty between two calls of [`Self::contradicts`].
    assigned: Vec<Option<bool>>,
    trail: Vec<Literal>,
    queue: Vec<u32>,
}

/// What an inequality counts against the limit.
pub(crate) fn size(normal: &Normal) -> usize {
    normal.terms.len() + INEQUALITY
}

impl Database {
    pub(crate) fn new(variables: usize) -> Self {
        Self { occurs: vec![Vec::new(); 2 * variables], assigned: vec![None; variables], ..Self::default() }
    }

    pub(crate) fn variables(&self) -> usize {
        self.assigned.len()
    }

    /// How many inequalities there ever were: the last one's number.
    pub(crate) fn last(&self) -> usize {
        self.stored.len()
    }

    /// The terms of all that are stored, and [`INEQUALITY`] for each.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn get(&self, id: usize) -> Option<&Normal> {
        self.stored.get(id.checked_sub(1)?)?.as_ref().map(|stored| &stored.normal)
    }

    /// All that were not removed.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Normal> {
        self.stored.iter().flatten().map(|stored| &stored.normal)
    }

    pub(crate) fn add(&mut self, normal: Normal) {
        let place = self.stored.len() as u32;
        let slack = normal.slack();
        let largest = normal.terms.iter().map(|&(a, _)| a).max().unwrap_or(0);
        if slack < largest {
            self.eager.insert(place);
        }
        for &(a, literal) in &normal.terms {
            self.occurs[literal.place()].push((place, a));
        }
        self.size += size(&normal);
        self.stored.push(Some(Box::new(Stored { normal, slack, largest })));
    }

    /// Removes the inequality of this number, if it is there.
    pub(crate) fn remove(&mut self, id: usize) {
        let Some(stored) = id.checked_sub(1).and_then(|place| self.stored.get_mut(place)?.take()) else {
            return;
        };
        let place = id as u32 - 1;
        for &(_, literal) in &stored.normal.terms {
            let list = &mut self.occurs[literal.place()];
            // Most are removed soon after they came.
            if let Some(at) = list.iter().rposition(|&(other, _)| other == place) {
                list.swap_remove(at);
            }
        }
        self.eager.remove(&place);
        self.size -= size(&stored.normal);
    }

    /// Whether what is stored and what is assumed leads to a conflict by propagation alone.
    pub(crate) fn contradicts(&mut self, assumed: Vec<Normal>, budget: &Budget) -> Result<bool, Stopped> {
        let last = self.stored.len();
        for normal in assumed {
            self.add(normal);
        }
        self.queue.extend(&self.eager);
        let refuted = self.propagate(budget);
        self.clear();
        while self.stored.len() > last {
            self.remove(self.stored.len());
            self.stored.pop();
        }
        refuted
    }

    /// Assigns what is forced; whether that ends in a conflict.
    fn propagate(&mut self, budget: &Budget) -> Result<bool, Stopped> {
        budget.spend(self.queue.len())?;
        while let Some(place) = self.queue.pop() {
            let Some(stored) = &self.stored[place as usize] else { continue };
            if stored.slack < 0 {
                return Ok(true);
            }
            let slack = stored.slack;
            let terms = &stored.normal.terms;
            budget.spend(terms.len())?;
            let forced: Vec<Literal> = terms
                .iter()
                .filter(|&&(a, literal)| a > slack && self.assigned[literal.variable() - 1].is_none())
                .map(|&(_, literal)| literal)
                .collect();
            for literal in forced {
                self.assign(literal);
                budget.spend(self.occurs[literal.negated().place()].len())?;
            }
        }
        Ok(false)
    }

    /// Makes a literal of no value true.
    fn assign(&mut self, literal: Literal) {
        self.assigned[literal.variable() - 1] = Some(literal.positive());
        self.trail.push(literal);
        for &(place, a) in &self.occurs[literal.negated().place()] {
            if let Some(stored) = &mut self.stored[place as usize] {
                stored.slack -= a;
                if stored.slack < stored.largest {
                    self.queue.push(place);
                }
            }
        }
    }

    /// Takes every value back.
    fn clear(&mut self) {
        self.queue.clear();
        while let Some(literal) = self.trail.pop() {
            self.assigned[literal.variable() - 1] = None;
            for &(place, a) in &self.occurs[literal.negated().place()] {
                if let Some(stored) = &mut self.stored[place as usize] {
                    stored.slack += a;
                }
            }
        }
    }
}
