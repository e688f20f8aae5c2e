//! Simulated workers of another kind of machine: right, and with other bits.

use crate::bits::Bits;
use crate::model::Learner;

/// Workers whose gradients another learner computes.
pub(crate) struct Others {
    pub(crate) workers: Vec<usize>,
    pub(crate) learner: Box<dyn Learner>,
    /// Whether they say the same when they compute again.
    pub(crate) steady: bool,
}

/// What such workers compute in a step.
#[derive(Clone, Debug)]
pub(crate) struct OtherBits {
    pub(crate) workers: Vec<usize>,
    /// Each partition's signs as the kind of machine computes them that the partition does not belong to.
    pub(crate) vectors: Vec<Bits>,
    /// Whether a partition belongs to a class of these workers.
    pub(crate) theirs: Vec<bool>,
    pub(crate) steady: bool,
}

impl OtherBits {
    /// Whether a right worker computes other bits of a partition than its class does.
    pub(crate) fn differs(&self, worker: usize, partition: usize) -> bool {
        self.workers.contains(&worker) != self.theirs[partition]
    }
}

/// Hardware classes of workers and partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// `workers[j]`: the class of worker j, from 0.
    pub workers: Vec<usize>,
    /// `partitions[i]`: the class of partition i.
    pub partitions: Vec<usize>,
}

impl Hardware {
    /// Gives partitions to classes in proportion to their members: partition i goes where worker ⌊i·n/k⌋ is.
    pub(crate) fn new(workers: Vec<usize>, k: usize) -> Self {
        let n = workers.len();
        let partitions = (0..k).map(|i| workers[i * n / k.max(1)]).collect();
        Self { workers, partitions }
    }

    /// How many classes there are.
    pub(crate) fn count(&self) -> usize {
        self.workers.iter().max().map_or(0, |most| most + 1)
    }

    /// The members of a class.
    pub(crate) fn members(&self, class: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.workers.len()).filter(move |&worker| self.workers[worker] == class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_spread_in_proportion() {
        for (workers, k, expected) in [
            (vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 9, [5, 4]),
            (vec![0, 1, 0, 1, 0, 1, 0, 1], 7, [4, 3]),
            (vec![1, 0, 0, 0], 13, [9, 4]),
        ] {
            let hardware = Hardware::new(workers, k);
            assert_eq!(hardware.partitions.len(), k);
            let count = |class: usize| hardware.partitions.iter().filter(|&&of| of == class).count();
            assert_eq!([count(0), count(1)], expected, "{hardware:?}");
        }
    }
}
