//! What is kept from step to step: who was named, who is suspended, and for how long.
//!
//! # What is promised
//! - A worker is named by evidence only. Silence suspends it and lowers b' never.
//! - A worker that was silent is asked again after 2 steps; only the b' workers with the highest rate of misses wait
//!   longer, up to 256 steps, so that silent liars cost a run about b·(8 + T/256) timeouts in T steps.
//! - Suspended workers are woken only where a step needs them, and only as many as it needs.

use serde::{Deserialize, Serialize};

use crate::{Doubt, Evidence, Settlement};

/// What a naming does to the number of liars that are to be expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// b workers can be faulty at any time: named machines may be replaced by new ones, which may fail, too.
    #[default]
    AtOnce,
    /// b workers are faulty in the whole run: every naming leaves one less.
    Total,
}

/// The longest suspension, in steps, as a power of two.
const LONGEST: u32 = 8;

/// The suspension of a worker that is silent now and then, in steps.
const SHORT: u64 = 2;

/// What is known of a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The step and the evidence by which it was named.
    pub named: Option<(u64, Evidence)>,
    /// The step since when it is asked no more, though nothing proves that it lied, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<(u64, Doubt)>,
    /// Steps in which it was asked for something.
    pub asked: u64,
    /// Steps in which it was silent.
    pub missed: u64,
    /// Misses in a row, less the steps in which it answered since.
    pub strikes: u32,
    /// The first step in which it is asked again.
    pub suspended_until: u64,
}

impl Record {
    /// Whether it is asked at all: it was neither named nor dismissed.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.named.is_none() && self.dismissed.is_none()
    }

    /// Whether it misses more often than another.
    fn misses_more(&self, other: &Self) -> bool {
        u128::from(self.missed) * u128::from(other.asked.max(1))
            > u128::from(other.missed) * u128::from(self.asked.max(1))
    }
}

/// The workers of a run.
#[derive(Clone, Debug)]
pub struct Roster {
    b: usize,
    budget: Budget,
    /// Never fewer holders than this.
    floor: usize,
    spare: usize,
    records: Vec<Record>,
}

impl Roster {
    /// n workers of which at most b are faulty. Each partition gets `spare` holders more than are needed, and never
    /// fewer than `floor` (2 or more: with one holder nothing is checked).
    #[must_use]
    pub fn new(n: usize, b: usize, budget: Budget, floor: usize, spare: usize) -> Self {
        Self { b, budget, floor: floor.max(2), spare, records: vec![Record::default(); n] }
    }

    /// A roster that goes on with the records of an interrupted run.
    #[must_use]
    pub fn resume(self, records: Vec<Record>) -> Self {
        Self { records, ..self }
    }

    /// What is known of each worker. Namings are to be on disk before [`Self::left`] is used again.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many workers were named.
    #[must_use]
    pub fn named(&self) -> usize {
        self.records.iter().filter(|record| record.named.is_some()).count()
    }

    /// b': how many of the unnamed workers can be faulty in the next step. None where more were named than the
    /// promise allows.
    #[must_use]
    pub fn left(&self) -> Option<usize> {
        match self.budget {
            Budget::AtOnce => Some(self.b),
            Budget::Total => self.b.checked_sub(self.named()),
        }
    }

    /// How many holders a partition gets.
    #[must_use]
    pub fn holders(&self) -> usize {
        (self.left().unwrap_or(0) + 1).max(self.floor) + self.spare
    }

    /// A new machine takes a named one's place, between two steps.
    pub fn replace(&mut self, worker: usize) {
        if let Some(record) = self.records.get_mut(worker) {
            *record = Record::default();
        }
    }

    /// Who is to be asked in a step, of those who are connected: all who are neither named nor suspended; where
    /// that are too few for the holders of a partition, suspended ones are woken.
    #[must_use]
    pub fn present(&self, step: u64, connected: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let takes_part = |worker: &usize| self.records.get(*worker).is_some_and(Record::takes_part);
        let (mut up, mut suspended): (Vec<usize>, Vec<usize>) = connected
            .into_iter()
            .filter(takes_part)
            .partition(|&worker| self.records[worker].suspended_until <= step);
        let needed = self.left().unwrap_or(0) + 1;
        while up.len() < needed {
            let Some(next) = self.least_missing(&suspended) else { break };
            up.push(suspended.swap_remove(next));
        }
        up
    }

    /// The place in the list of the worker to wake next: who misses least often.
    #[must_use]
    pub fn least_missing(&self, suspended: &[usize]) -> Option<usize> {
        (0..suspended.len()).reduce(|best, other| {
            if self.records[suspended[best]].misses_more(&self.records[suspended[other]]) {
                other
            } else {
                best
            }
        })
    }

    /// Notes a step that was settled, or given up: who was asked, who was silent, who was named.
    pub fn note(&mut self, step: u64, asked: impl IntoIterator<Item = usize>, settlement: &Settlement) {
        for worker in asked {
            let Some(record) = self.records.get_mut(worker) else { continue };
            record.asked += 1;
            record.strikes = record.strikes.saturating_sub(1);
        }
        let mut silent: Vec<usize> = settlement.silents().chain(settlement.close()).collect();
        silent.sort_unstable();
        silent.dedup();
        silent.retain(|&worker| worker < self.records.len());
        for &worker in &silent {
            let record = &mut self.records[worker];
            record.missed += 1;
            // The one that was just taken off, and one more.
            record.strikes = (record.strikes + 2).min(LONGEST);
        }
        let left = self.left().unwrap_or(0);
        for &worker in &silent {
            let more = self.records.iter().filter(|other| other.misses_more(&self.records[worker])).count();
            let record = &mut self.records[worker];
            let steps = if more < left { 1 << record.strikes } else { SHORT };
            record.suspended_until = step + 1 + steps;
        }
        for (worker, doubt) in settlement.dismissed() {
            if let Some(record) = self.records.get_mut(worker) {
                record.dismissed.get_or_insert((step, doubt));
            }
        }
        for named in settlement.named() {
            if let Some(record) = self.records.get_mut(named.worker) {
                record.named.get_or_insert((step, named.evidence));
            }
        }
    }
}
