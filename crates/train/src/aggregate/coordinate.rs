//! Rules that look at one coordinate after the other.
//!
//! # References
//! Yin, Chen, Kannan and Bartlett, "Byzantine-robust distributed learning: towards optimal statistical rates" (ICML 2018);
//! mean around the median: Xie, Koyejo and Gupta, "Generalized Byzantine-tolerant SGD" (arXiv 1802.10116).

use rayon::prelude::*;

/// Coordinates that one task takes.
pub(super) const CHUNK: usize = 4096;

/// Joins each coordinate's n values.
fn each(vectors: &[&[f32]], join: impl Fn(&mut [f32]) -> f32 + Sync) -> Vec<f32> {
    let mut joined = vec![0.0; vectors[0].len()];
    joined.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, joined)| {
        let mut values = vec![0.0; vectors.len()];
        for (place, joined) in joined.iter_mut().enumerate() {
            for (value, vector) in values.iter_mut().zip(vectors) {
                *value = vector[chunk * CHUNK + place];
            }
            *joined = join(&mut values);
        }
    });
    joined
}

/// −1, 0 or 1, as more values are negative or positive.
pub(super) fn vote(vectors: &[&[f32]]) -> Vec<f32> {
    each(vectors, |values| {
        let count = |sign: f32| values.iter().filter(|value| sign * **value > 0.0).count();
        match count(1.0).cmp(&count(-1.0)) {
            std::cmp::Ordering::Less => -1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => 1.0,
        }
    })
}

/// The mean.
pub(super) fn mean(vectors: &[&[f32]]) -> Vec<f32> {
    let n = vectors.len() as f32;
    each(vectors, |values| values.iter().sum::<f32>() / n)
}

/// The median; of two middle values their mean.
pub(super) fn median(vectors: &[&[f32]]) -> Vec<f32> {
    each(vectors, middle)
}

/// Sorts the values, and returns their median.
fn middle(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { 0.5 * (values[n / 2 - 1] + values[n / 2]) }
}

/// The mean without the b largest and the b smallest.
pub(super) fn trimmed_mean(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    let n = vectors.len();
    each(vectors, |values| {
        values.sort_unstable_by(f32::total_cmp);
        values[b..n - b].iter().sum::<f32>() / (n - 2 * b) as f32
    })
}

/// The mean of the n − b values nearest to the median; of two that are equally far the smaller one.
pub(super) fn mean_around_median(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    let n = vectors.len();
    each(vectors, |values| {
        let median = middle(values);
        // In sorted values those nearest to any point stand side by side: drop the farther end, b times.
        let (mut first, mut last) = (0, n - 1);
        for _ in 0..b {
            if median - values[first] > values[last] - median { first += 1 } else { last -= 1 }
        }
        values[first..=last].iter().sum::<f32>() / (n - b) as f32
    })
}
