//! A matrix without what makes no difference to how many workers vote what.
//!
//! # What is promised
//! For a message of weight v ≤ k/2, the number of workers with more than half of their row among its ones
//! is that of the [`Voter`]s, counted with their units; the number of tied workers is that of the voters,
//! and `empty`, and `full` where 2v = k. A message is given by how many partitions of each class it
//! holds, and stands for Π C(class, count) messages.

use std::collections::BTreeMap;

use ecode_core::AllocationMatrix;
use ecode_verify::reduce::{choices_by_weight, classes};

/// Workers that hold the same partitions.
#[derive(Clone, Debug)]
pub(super) struct Voter {
    /// The classes in the row.
    pub(super) holds: Vec<usize>,
    /// How many partitions these are.
    pub(super) load: usize,
    /// How many workers this is.
    pub(super) units: usize,
}

/// The workers and partitions that differ.
#[derive(Clone, Debug)]
pub(super) struct Reduced {
    pub(super) n: usize,
    pub(super) k: usize,
    /// How many partitions each class has; together k.
    pub(super) sizes: Vec<usize>,
    pub(super) voters: Vec<Voter>,
    /// Workers without a partition: always tied.
    pub(super) empty: usize,
    /// Workers that hold all: tied on half the partitions, and never won by fewer.
    pub(super) full: usize,
}

impl Reduced {
    pub(super) fn new(g: &AllocationMatrix) -> Self {
        let (n, k) = (g.n(), g.k());
        let (mut empty, mut full) = (0, 0);
        let mut rows: BTreeMap<&[u64], (usize, usize)> = BTreeMap::new();
        for j in 0..n {
            match g.worker_load(j) {
                0 => empty += 1,
                load if load == k => full += 1,
                _ => rows.entry(g.row(j)).or_insert((j, 0)).1 += 1,
            }
        }
        let classes = classes(k, |i| rows.values().map(|&(j, _)| g.holds(j, i)).collect::<Vec<bool>>());
        let voters = rows
            .into_values()
            .map(|(j, units)| Voter {
                holds: (0..classes.len()).filter(|&class| g.holds(j, classes[class][0])).collect(),
                load: g.worker_load(j),
                units,
            })
            .collect();
        Self { n, k, sizes: classes.iter().map(Vec::len).collect(), voters, empty, full }
    }

    /// The largest weight that has to be looked at: the complement of a message swaps the votes.
    pub(super) fn half(&self) -> usize {
        self.k / 2
    }

    /// How many choices of counts have a weight of at most half; `u128::MAX` stands for more.
    pub(super) fn choices(&self) -> u128 {
        let by_weight = choices_by_weight(&self.sizes, self.half());
        by_weight.into_iter().fold(0, u128::saturating_add)
    }

    /// How many workers can tie: the units of all voters of even load.
    pub(super) fn even_units(&self) -> usize {
        self.voters.iter().filter(|voter| voter.load % 2 == 0).map(|voter| voter.units).sum()
    }
}
