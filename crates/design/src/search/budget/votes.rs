//! The votes of a code on all listed messages, and what a change of one or two rows is worth.
//!
//! # How
//! The number of wrong workers of every message is kept as digits, 512 messages side by side. Looking at a change takes
//! the rows' votes off and the new ones' on, and counts the messages beyond the thresholds, weight by weight: those
//! first that are worth most for their work, so that a bad change is seen for what it is early.

use ecode_lanes::{Change, Lanes, Sums, Threshold};
use itertools::Itertools as _;

use super::messages::Messages;
use super::objective::{Objective, mean};
use super::request::{BudgetRequest, Liars};
use super::row::Row;

/// A change exchanges at most so many rows.
pub(super) const MOST_ROWS: usize = 2;

/// The votes of a code.
pub(super) struct Votes<'a> {
    messages: &'a Messages,
    objective: &'a Objective,
    /// By worker: where its vote is wrong.
    rows: Vec<Vec<Lanes>>,
    sums: Sums,
    /// Workers whose votes do not count: each set of fixed liars, the worst first; else one empty set.
    sets: Vec<Vec<usize>>,
    /// The classes of messages, in the order in which they are looked at.
    order: Vec<usize>,
    /// Of the last change that was looked at to the end.
    seen: Seen,
    scratch: [Vec<Lanes>; MOST_ROWS],
    counts: Vec<u64>,
}

/// What the last look found.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The error at each q of the worst set.
    errors: Vec<f64>,
    /// What each class adds, for the first set and q.
    parts: Vec<f64>,
    /// The value of each set.
    sets: Vec<f64>,
}

impl<'a> Votes<'a> {
    pub(super) fn new(
        request: &BudgetRequest,
        messages: &'a Messages,
        objective: &'a Objective,
        rows: &[Row],
    ) -> Self {
        let blocks = messages.blocks;
        let sets = match request.liars {
            Liars::Fixed => (0..request.n).combinations(request.b).collect(),
            Liars::Adaptive | Liars::Random => vec![Vec::new()],
        };
        let mut votes = Self {
            messages,
            objective,
            rows: Vec::with_capacity(rows.len()),
            sums: Sums::new(blocks, rows.len()),
            sets,
            order: (0..messages.classes.len()).collect(),
            seen: Seen::default(),
            scratch: std::array::from_fn(|_| vec![Lanes::ZERO; blocks]),
            counts: vec![0; objective.thresholds.len()],
        };
        for row in rows {
            let mut vote = vec![Lanes::ZERO; blocks];
            let threshold = votes.threshold(row);
            threshold.strip(messages.columns(&(0..blocks)), &mut vote, None);
            votes.sums.apply(&Change { less: &[], more: &[&vote] });
            votes.rows.push(vote);
        }
        votes
    }

    fn threshold(&self, row: &Row) -> Threshold {
        let starts = row.held().map(|i| self.messages.start(i)).collect();
        Threshold::new(starts, Vec::new(), row.load().div_ceil(2))
    }

    /// The value of the code as it is.
    pub(super) fn value(&mut self) -> f64 {
        self.look(&[], f64::INFINITY).unwrap_or(f64::INFINITY)
    }

    /// The error at each q, as the last look to the end found it.
    pub(super) fn errors(&self) -> &[f64] {
        &self.seen.errors
    }

    /// The value once these workers hold these rows; `None` where it is above `bound`.
    pub(super) fn look(&mut self, changed: &[(usize, &Row)], bound: f64) -> Option<f64> {
        let thresholds: [Option<Threshold>; MOST_ROWS] =
            std::array::from_fn(|at| changed.get(at).map(|(_, row)| self.threshold(row)));
        let mut errors = vec![0.0; self.objective.qs()];
        let mut worst = f64::NEG_INFINITY;
        for set in 0..self.sets.len() {
            errors.fill(0.0);
            for at in 0..self.order.len() {
                let class = self.order[at];
                if set == 0 {
                    self.vote(&thresholds, class);
                }
                let before = errors[0];
                self.count(changed, set, class);
                self.objective.add(class, &self.counts, &mut errors);
                if errors.len() == 1 && errors[0] > bound {
                    return None;
                }
                if set == 0 {
                    self.seen.parts.resize(self.order.len(), 0.0);
                    self.seen.parts[class] = errors[0] - before;
                }
            }
            let value = mean(&errors);
            if value > bound {
                return None;
            }
            self.seen.sets.resize(self.sets.len(), 0.0);
            self.seen.sets[set] = value;
            if value > worst {
                worst = value;
                self.seen.errors.clone_from(&errors);
            }
        }
        Some(worst)
    }

    /// Works out the new rows' votes on a class.
    fn vote(&mut self, thresholds: &[Option<Threshold>; MOST_ROWS], class: usize) {
        let blocks = &self.messages.classes[class].blocks;
        for (threshold, vote) in thresholds.iter().zip(&mut self.scratch) {
            if let Some(threshold) = threshold {
                threshold.strip(self.messages.columns(blocks), &mut vote[blocks.clone()], None);
            }
        }
    }

    /// Counts the messages of a class beyond the thresholds, with a set of workers left out.
    fn count(&mut self, changed: &[(usize, &Row)], set: usize, class: usize) {
        let blocks = self.messages.classes[class].blocks.clone();
        let left_out = &self.sets[set];
        let thresholds = &self.objective.thresholds;
        if left_out.is_empty() {
            let less: [&[Lanes]; MOST_ROWS] =
                std::array::from_fn(|at| changed.get(at).map_or(&[][..], |&(j, _)| &self.rows[j]));
            let more = self.scratch.each_ref().map(Vec::as_slice);
            let change = Change { less: &less[..changed.len()], more: &more[..changed.len()] };
            self.sums.count(&change, blocks, thresholds, &mut self.counts);
            return;
        }
        let kept = || changed.iter().zip(&self.scratch).filter(|((j, _), _)| !left_out.contains(j));
        let less: Vec<&[Lanes]> = kept()
            .map(|(&(j, _), _)| &self.rows[j][..])
            .chain(left_out.iter().map(|&j| &self.rows[j][..]))
            .collect();
        let more: Vec<&[Lanes]> = kept().map(|(_, vote)| &vote[..]).collect();
        self.sums.count(&Change { less: &less, more: &more }, blocks, thresholds, &mut self.counts);
    }

    /// Makes the change that was looked at last, and to the end.
    pub(super) fn accept(&mut self, changed: &[usize]) {
        for (&j, vote) in changed.iter().zip(&mut self.scratch) {
            self.sums.apply(&Change { less: &[&self.rows[j]], more: &[vote] });
            std::mem::swap(&mut self.rows[j], vote);
        }
        if self.sets.len() > 1 {
            let values = std::mem::take(&mut self.seen.sets);
            let mut by_harm: Vec<(f64, Vec<usize>)> =
                values.into_iter().zip(std::mem::take(&mut self.sets)).collect();
            by_harm.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            self.sets = by_harm.into_iter().map(|(_, set)| set).collect();
        }
    }

    /// Puts the classes in front that were worth most for their work in the last look to the end.
    pub(super) fn reorder(&mut self) {
        let Self { order, seen, messages, .. } = self;
        if seen.parts.len() == order.len() {
            let worth = |class: usize| seen.parts[class] / messages.classes[class].blocks.len() as f64;
            order.sort_by(|&a, &b| worth(b).total_cmp(&worth(a)).then(a.cmp(&b)));
        }
    }
}
