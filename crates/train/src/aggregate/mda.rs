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
