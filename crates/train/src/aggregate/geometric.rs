//! The geometric median: the vector with the least sum of distances to all.
//!
//! # References
//! Weiszfeld (1937), smoothed as in Pillutla, Kakade and Harchaoui, "Robust aggregation for federated learning" (IEEE
//! Transactions on Signal Processing, 2022): the next vector is the mean with weights 1/max(ν, distance).

use rayon::prelude::*;

use super::coordinate;
use super::distances::{squared, weighted};

/// The iteration ends when it moves by less than this part of the median distance.
const NEAR: f64 = 1e-6;

/// Iterations at most.
const MOST: usize = 200;

/// The geometric median of those vectors that are finite; zeros where none is.
///
/// It starts at the median of each coordinate, so that it is not far away when some are. ν is a millionth of the median
/// distance from there.
pub(super) fn median(vectors: &[&[f32]]) -> Vec<f32> {
    let d = vectors[0].len();
    let finite = |vector: &&[f32]| vector.iter().all(|value| value.is_finite());
    let vectors: Vec<&[f32]> = vectors.iter().copied().filter(finite).collect();
    if vectors.is_empty() {
        return vec![0.0; d];
    }
    let mut z = coordinate::median(&vectors);
    let distances =
        |z: &[f32]| -> Vec<f64> { vectors.par_iter().map(|vector| squared(vector, z).sqrt()).collect() };
    let mut all = distances(&z);
    let mut sorted = all.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let scale = sorted[sorted.len() / 2];
    if scale == 0.0 {
        // More than half of them are this very vector.
        return z;
    }
    for _ in 0..MOST {
        let weights: Vec<f64> = all.iter().map(|&distance| 1.0 / distance.max(NEAR * scale)).collect();
        let sum: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        let next = weighted(&vectors, &weights);
        let moved = squared(&next, &z).sqrt();
        z = next;
        if moved < NEAR * scale {
            break;
        }
        all = distances(&z);
    }
    z
}
