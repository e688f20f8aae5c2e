//! Distances between vectors, and means of some of them.

use rayon::prelude::*;

use super::coordinate::CHUNK;

/// The squared Euclidean distances between all pairs of n vectors.
pub(crate) struct Distances {
    n: usize,
    squared: Vec<f64>,
}

impl Distances {
    /// Those of vectors of one length.
    pub(crate) fn of(vectors: &[&[f32]]) -> Self {
        let n = vectors.len();
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        let each: Vec<f64> = pairs.par_iter().map(|&(i, j)| squared(vectors[i], vectors[j])).collect();
        let mut squared = vec![0.0; n * n];
        for ((i, j), distance) in pairs.into_iter().zip(each) {
            (squared[i * n + j], squared[j * n + i]) = (distance, distance);
        }
        Self { n, squared }
    }

    /// How many vectors there are.
    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// The squared distances of vector i from all, its own 0 among them.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.squared[i * self.n..(i + 1) * self.n]
    }
}

/// Numbers that are added apart, so that a processor adds several at once.
const LANES: usize = 8;

/// The squared distance of two vectors; infinite where it is no number.
pub(super) fn squared(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; LANES];
    let (a, rest_of_a) = a.as_chunks::<LANES>();
    let (b, rest_of_b) = b.as_chunks::<LANES>();
    let add = |sum: &mut f64, x: f32, y: f32| {
        let difference = f64::from(x) - f64::from(y);
        *sum += difference * difference;
    };
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            add(&mut sums[lane], a[lane], b[lane]);
        }
    }
    for (lane, (&x, &y)) in rest_of_a.iter().zip(rest_of_b).enumerate() {
        add(&mut sums[lane], x, y);
    }
    let sum: f64 = sums.iter().sum();
    if sum.is_nan() { f64::INFINITY } else { sum }
}

/// Σ wᵢxᵢ; what has no weight has no part, whatever it is.
pub(super) fn weighted(vectors: &[&[f32]], weights: &[f64]) -> Vec<f32> {
    let heavy: Vec<(&[f32], f64)> =
        vectors.iter().zip(weights).filter(|(_, weight)| **weight != 0.0).map(|(&x, &w)| (x, w)).collect();
    let mut joined = vec![0.0; vectors[0].len()];
    joined.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, joined)| {
        let first = chunk * CHUNK;
        let mut sums = vec![0.0_f64; joined.len()];
        for (vector, weight) in &heavy {
            for (sum, &value) in sums.iter_mut().zip(&vector[first..]) {
                *sum += weight * f64::from(value);
            }
        }
        joined.iter_mut().zip(sums).for_each(|(joined, sum)| *joined = sum as f32);
    });
    joined
}

/// The mean of the vectors with these numbers.
pub(super) fn mean_of(vectors: &[&[f32]], chosen: &[usize]) -> Vec<f32> {
    let mut weights = vec![0.0; vectors.len()];
    chosen.iter().for_each(|&i| weights[i] = 1.0 / chosen.len() as f64);
    weighted(vectors, &weights)
}

/// The numbers of the smallest values, in the order of the numbers; of equal values the first.
pub(super) fn smallest(values: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    order.truncate(count);
    order.sort_unstable();
    order
}
