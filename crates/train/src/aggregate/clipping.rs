//! Centered clipping.
//!
//! # References
//! Karimireddy, He and Jaggi, "Learning from history for Byzantine robust optimization" (ICML 2021), with one iteration a
//! step, from the result of the step before.

use super::distances::{squared, weighted};

/// v + mean of (xᵢ − v)·min(1, radius/‖xᵢ − v‖), with v = `last`, or 0 where it is empty. A vector that is infinitely far
/// away moves nothing.
pub(super) fn clipped(vectors: &[&[f32]], last: &[f32], radius: f32) -> Vec<f32> {
    let zeros;
    let v = if last.is_empty() {
        zeros = vec![0.0; vectors[0].len()];
        &zeros
    } else {
        last
    };
    let n = vectors.len() as f64;
    // Each vector's share, and what is left of v.
    let mut shares: Vec<f64> = vectors
        .iter()
        .map(|vector| {
            let distance = squared(vector, v).sqrt();
            if distance.is_finite() { (f64::from(radius) / distance).min(1.0) / n } else { 0.0 }
        })
        .collect();
    shares.push(1.0 - shares.iter().sum::<f64>());
    let all: Vec<&[f32]> = vectors.iter().copied().chain([v]).collect();
    weighted(&all, &shares)
}
