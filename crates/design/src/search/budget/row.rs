//! A row of a code as a search changes it.

use rand_chacha::ChaCha8Rng;

use super::messages::below;

/// The partitions of a worker: the first `load` of an order of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    order: Vec<u16>,
    load: usize,
}

impl Row {
    /// A row that holds these partitions of k.
    pub(super) fn of(k: usize, held: impl IntoIterator<Item = usize>) -> Self {
        let mut order: Vec<u16> = held.into_iter().map(|i| i as u16).collect();
        let load = order.len();
        let rest: Vec<u16> = (0..k as u16).filter(|i| !order.contains(i)).collect();
        order.extend(rest);
        Self { order, load }
    }

    /// A row that holds so many random partitions.
    pub(super) fn random(k: usize, load: usize, random: &mut ChaCha8Rng) -> Self {
        let mut row = Self { order: (0..k as u16).collect(), load: 0 };
        for _ in 0..load {
            row.take(random);
        }
        row
    }

    pub(super) fn load(&self) -> usize {
        self.load
    }

    /// The partitions that are held.
    pub(super) fn held(&self) -> impl Iterator<Item = usize> + '_ {
        self.order[..self.load].iter().map(|&i| usize::from(i))
    }

    /// Holds a random partition more.
    pub(super) fn take(&mut self, random: &mut ChaCha8Rng) {
        let other = self.load + below(random, self.order.len() - self.load);
        self.order.swap(self.load, other);
        self.load += 1;
    }

    /// Holds a random partition less.
    pub(super) fn give(&mut self, random: &mut ChaCha8Rng) {
        let other = below(random, self.load);
        self.load -= 1;
        self.order.swap(self.load, other);
    }

    /// Holds a random partition instead of a random one of its own.
    pub(super) fn swap(&mut self, random: &mut ChaCha8Rng) {
        let (own, other) =
            (below(random, self.load), self.load + below(random, self.order.len() - self.load));
        self.order.swap(own, other);
    }
}
