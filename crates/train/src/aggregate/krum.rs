//! Krum and Multi-Krum.
//!
//! # References
//! Blanchard, El Mhamdi, Guerraoui and Stainer, "Machine learning with adversaries: Byzantine tolerant gradient descent"
//! (NeurIPS 2017). A score is the sum of the squared distances to the n − b − 2 nearest others.

use super::distances::{Distances, mean_of, smallest};

/// The vector with the best score, of equal ones the first.
pub(super) fn krum(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    let best = smallest(&scores(&Distances::of(vectors), b), 1);
    vectors[best[0]].to_vec()
}

/// The mean of the n − b vectors with the best scores.
pub(super) fn multi_krum(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    mean_of(vectors, &smallest(&scores(&Distances::of(vectors), b), vectors.len() - b))
}

fn scores(distances: &Distances, b: usize) -> Vec<f64> {
    let n = distances.len();
    let score = |i: usize| -> f64 {
        let mut others: Vec<f64> = (0..n).filter(|&j| j != i).map(|j| distances.row(i)[j]).collect();
        others.sort_unstable_by(f64::total_cmp);
        others[..n - b - 2].iter().sum()
    };
    (0..n).map(score).collect()
}
