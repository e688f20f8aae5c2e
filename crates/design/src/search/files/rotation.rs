//! Assignments that a rotation leaves as they are: there are far fewer, and many good ones.
//!
//! The workers stand in cycles of m, one after the other; a rotation moves every worker of every cycle one on. An assignment
//! is then given by some *base* files, and has all their m images.

/// A rotation of order m of so many workers; m = 1 moves nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rotation {
    order: usize,
    workers: usize,
}

impl Rotation {
    /// The orders that so many workers and files allow, the largest first.
    pub(super) fn all(workers: usize, files: usize) -> Vec<Self> {
        let divides = |order: &usize| workers % order == 0 && files % order == 0;
        (1..=workers.min(files)).rev().filter(divides).map(|order| Self { order, workers }).collect()
    }

    pub(super) fn order(self) -> usize {
        self.order
    }

    pub(super) fn cycles(self) -> usize {
        self.workers / self.order
    }

    /// The workers of a cycle.
    pub(super) fn cycle(self, cycle: usize) -> u64 {
        (u64::MAX >> (64 - self.order)) << (cycle * self.order)
    }

    /// The cycle of a worker, given as a word of one bit.
    pub(super) fn cycle_of(self, worker: u64) -> usize {
        worker.trailing_zeros() as usize / self.order
    }

    /// A set of workers, moved by so many places.
    pub(super) fn moved(self, set: u64, by: usize) -> u64 {
        if by == 0 {
            return set;
        }
        // The first places of every cycle are what the others move over into.
        let first = (0..self.cycles()).fold(0, |all, cycle| all | (self.cycle(cycle) & self.low(by, cycle)));
        let all = u64::MAX >> (64 - self.workers);
        let wraps = self.order - by;
        ((set << by) & all & !first) | ((set >> wraps) & first)
    }

    /// The first places of a cycle.
    fn low(self, places: usize, cycle: usize) -> u64 {
        (u64::MAX >> (64 - places)) << (cycle * self.order)
    }

    /// All images of base files.
    pub(super) fn images(self, base: &[u64]) -> Vec<u64> {
        base.iter().flat_map(|&file| (0..self.order).map(move |by| self.moved(file, by))).collect()
    }

    /// Whether a set is the first of its images.
    pub(super) fn is_first(self, set: u64) -> bool {
        (1..self.order).all(|by| self.moved(set, by) >= set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_move_within_their_cycles() {
        let orders: Vec<usize> = Rotation::all(12, 18).iter().map(|rotation| rotation.order()).collect();
        assert_eq!(orders, [6, 3, 2, 1]);
        let three = Rotation { order: 3, workers: 6 };
        assert_eq!((three.cycles(), three.cycle(1), three.cycle_of(0b10_000)), (2, 0b111_000, 1));
        assert_eq!(three.images(&[0b100_011]), [0b100_011, 0b001_110, 0b010_101]);
        let whole = Rotation { order: 64, workers: 64 };
        assert_eq!((whole.moved(1 << 63 | 2, 1), whole.moved(7, 63)), (5, 1 << 63 | 3));
        for set in 0..64 {
            assert_eq!(three.moved(three.moved(set, 1), 2), set);
            assert_eq!(three.is_first(set), three.images(&[set]).iter().min() == Some(&set));
        }
    }
}
