//! Minimum-diameter averaging.
//!
//! # References
//! El Mhamdi, Guerraoui and Rouault, "Distributed momentum for Byzantine-resilient stochastic gradient descent"
//! (ICLR 2021), after Rousseeuw's minimum volume ellipsoid.

use super::distances::{Distances, mean_of};

/// The number of sets of n − b among n.
pub(super) fn subsets(n: usize, b: usize) -> u128 {
    (0..b.min(n - b.min(n))).fold(1_u128, |count, i| count.saturating_mul((n - i) as u128) / (i as u128 + 1))
}

/// The mean of the n − b vectors whose largest distance from each other is smallest; of equal sets the first in the
/// order of the workers.
pub(super) fn mean(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    mean_of(vectors, &narrowest(&Distances::of(vectors), vectors.len() - b))
}

fn narrowest(distances: &Distances, size: usize) -> Vec<usize> {
    let mut search =
        Search { distances, size, chosen: Vec::new(), best: (0..size).collect(), least: f64::INFINITY };
    search.extend(0, 0.0);
    search.best
}

struct Search<'a> {
    distances: &'a Distances,
    size: usize,
    chosen: Vec<usize>,
    best: Vec<usize>,
    /// The squared diameter of the best set so far.
    least: f64,
}

impl Search<'_> {
    /// Extends the chosen by workers from `from` on, in order, and leaves what is no better than the best.
    fn extend(&mut self, from: usize, diameter: f64) {
        if self.chosen.len() == self.size {
            (self.least, self.best) = (diameter, self.chosen.clone());
            return;
        }
        let missing = self.size - self.chosen.len();
        for i in from..=self.distances.len() - missing {
            let row = self.distances.row(i);
            let wider = self.chosen.iter().map(|&j| row[j]).fold(diameter, f64::max);
            if wider < self.least {
                self.chosen.push(i);
                self.extend(i + 1, wider);
                self.chosen.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use itertools::Itertools as _;

    /// Every set is tried, and the first of the narrowest is taken.
    #[test]
    fn the_set_is_the_narrowest_of_all() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 40) % 7) as f32
        };
        for (n, size) in [(3, 2), (5, 3), (6, 4), (7, 5), (8, 5)] {
            assert_eq!(subsets(n, n - size), (0..n).combinations(size).count() as u128);
            for _ in 0..60 {
                let vectors: Vec<[f32; 2]> = (0..n).map(|_| [next(), next()]).collect();
                let vectors: Vec<&[f32]> = vectors.iter().map(|vector| &vector[..]).collect();
                let distance = |(i, j): (usize, usize)| -> f32 {
                    vectors[i].iter().zip(vectors[j]).map(|(a, b)| (a - b) * (a - b)).sum()
                };
                let diameter = |set: &[usize]| {
                    set.iter()
                        .copied()
                        .array_combinations()
                        .map(|[i, j]| distance((i, j)))
                        .fold(0.0_f32, f32::max)
                };
                let sets: Vec<Vec<usize>> = (0..n).combinations(size).collect();
                let least = sets.iter().map(|set| diameter(set)).fold(f32::INFINITY, f32::min);
                let expected = sets.iter().find(|set| diameter(set) == least);
                assert_eq!(Some(&narrowest(&Distances::of(&vectors), size)), expected, "{vectors:?}");
            }
        }
    }
}
