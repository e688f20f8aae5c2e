//! Rules that look for the direction in which the vectors differ most.
//!
//! Directions are found among the n vectors, not in d dimensions: with K the n × n inner products of the centred vectors,
//! the largest eigenvalue of their covariance is that of K, and its eigenvector says how far each lies along the direction.
//!
//! # References
//! DnC: Shejwalkar and Houmansadr, "Manipulating the Byzantine" (NDSS 2021), in one round with c = 1, on up to 10,000
//! coordinates drawn at random. CAF: Allouah, Guerraoui and Stephan, "Towards trustworthy federated learning with untrusted
//! participants" (ICML 2025), with the eigenvector in full instead of one power iteration.

use rand_chacha::ChaCha8Rng;

use super::distances::{Distances, mean_of, smallest, weighted};
use crate::random::below;

/// Coordinates that DnC looks at.
const COORDINATES: usize = 10_000;

/// Power iterations; what differs after so many are eigenvalues that are all but equal.
const ITERATIONS: usize = 500;

/// The mean of the n − b vectors that lie nearest to the mean along the direction in which all differ most.
pub(super) fn divide_and_conquer(vectors: &[&[f32]], b: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let n = vectors.len();
    let d = vectors[0].len();
    let sampled: Vec<Vec<f32>>;
    let seen: Vec<&[f32]> = if d > COORDINATES {
        let chosen = sample(d, COORDINATES, random);
        sampled = vectors.iter().map(|vector| chosen.iter().map(|&i| vector[i]).collect()).collect();
        sampled.iter().map(Vec::as_slice).collect()
    } else {
        vectors.to_vec()
    };
    let finite = finite(&seen);
    let weights: Vec<f64> = finite.iter().map(|&finite| f64::from(u8::from(finite))).collect();
    let (_, along) = direction(&Distances::of(&seen), &weights);
    let far: Vec<f64> = (0..n).map(|i| if finite[i] { along[i] * along[i] } else { f64::INFINITY }).collect();
    mean_of(vectors, &smallest(&far, n - b))
}

/// Weighs down who lies far along the direction of the largest variance, until n − 2b of the weight is left, and gives the
/// mean of the weighing whose largest variance was smallest.
pub(super) fn filtered(vectors: &[&[f32]], b: usize) -> Vec<f32> {
    let n = vectors.len();
    let distances = Distances::of(vectors);
    let mut weights: Vec<f64> = finite(vectors).iter().map(|&finite| f64::from(u8::from(finite))).collect();
    let (mut best, mut least) = (weights.clone(), f64::INFINITY);
    let mut sum: f64 = weights.iter().sum();
    while sum > (n - 2 * b) as f64 {
        let (variance, along) = direction(&distances, &weights);
        if variance < least {
            (least, best) = (variance, weights.clone());
        }
        let largest = (0..n).filter(|&i| weights[i] > 0.0).map(|i| along[i] * along[i]).fold(0.0, f64::max);
        if largest == 0.0 {
            break;
        }
        for (weight, along) in weights.iter_mut().zip(&along) {
            *weight *= (1.0 - along * along / largest).max(0.0);
        }
        sum = weights.iter().sum();
    }
    let sum: f64 = best.iter().sum();
    weighted(vectors, &best.iter().map(|weight| weight / sum.max(f64::MIN_POSITIVE)).collect::<Vec<_>>())
}

/// The largest variance of the weighted vectors, and how far each with a weight lies from their mean in its direction.
fn direction(distances: &Distances, weights: &[f64]) -> (f64, Vec<f64>) {
    let n = distances.len();
    let heavy: Vec<usize> = (0..n).filter(|&i| weights[i] > 0.0).collect();
    let sum: f64 = heavy.iter().map(|&i| weights[i]).sum();
    // Inner products with the weighted mean as origin, from distances alone.
    let mean = |i: usize| heavy.iter().map(|&j| weights[j] * distances.row(i)[j]).sum::<f64>() / sum;
    let means: Vec<f64> = heavy.iter().map(|&i| mean(i)).collect();
    let all = heavy.iter().zip(&means).map(|(&i, mean)| weights[i] * mean).sum::<f64>() / sum;
    let m = heavy.len();
    let mut products = vec![0.0; m * m];
    for (a, &i) in heavy.iter().enumerate() {
        for (b, &j) in heavy.iter().enumerate() {
            products[a * m + b] = -0.5 * (distances.row(i)[j] - means[a] - means[b] + all);
        }
    }
    let root = |a: usize| (weights[heavy[a]] / sum).sqrt();
    let times = |x: &[f64]| -> Vec<f64> {
        (0..m).map(|a| (0..m).map(|b| root(a) * products[a * m + b] * root(b) * x[b]).sum()).collect()
    };
    // From the farthest vector: never at a right angle to the direction that is looked for, but by chance.
    let first =
        (0..m).fold(0, |best, a| if products[a * m + a] > products[best * m + best] { a } else { best });
    let mut x: Vec<f64> = (0..m).map(|a| root(a) * products[a * m + first]).collect();
    let mut variance = 0.0;
    for _ in 0..ITERATIONS {
        let size = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        if size == 0.0 {
            return (0.0, vec![0.0; n]);
        }
        x.iter_mut().for_each(|x| *x /= size);
        let next = times(&x);
        variance = x.iter().zip(&next).map(|(x, y)| x * y).sum();
        x = next;
    }
    // Along the direction Σ √w x (vector − mean), of the length √variance.
    let mut along = vec![0.0; n];
    let size = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (a, &i) in heavy.iter().enumerate() {
        let inner: f64 = (0..m).map(|b| products[a * m + b] * root(b) * x[b] / size).sum();
        along[i] = inner / f64::sqrt(variance.max(f64::MIN_POSITIVE));
    }
    (variance, along)
}

fn finite(vectors: &[&[f32]]) -> Vec<bool> {
    vectors.iter().map(|vector| vector.iter().all(|value| value.is_finite())).collect()
}

/// So many different numbers below `bound`, in increasing order (Floyd).
fn sample(bound: usize, count: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut chosen = std::collections::BTreeSet::new();
    for last in bound - count..bound {
        let one = below(random, last + 1);
        if !chosen.insert(one) {
            chosen.insert(last);
        }
    }
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng as _;

    #[test]
    fn a_sample_has_different_numbers_and_misses_none_for_ever() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (bound, count) in [(1, 1), (5, 5), (9, 4), (40, 1), (12, 11)] {
            let mut met = vec![0; bound];
            for _ in 0..600 {
                let sample = sample(bound, count, &mut random);
                assert_eq!(sample.len(), count);
                assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
                sample.into_iter().for_each(|one| met[one] += 1);
            }
            // Each is met count/bound of the time, give or take seven standard deviations.
            let share = count as f64 / bound as f64;
            let (mean, spread) = (600.0 * share, 7.0 * (600.0 * share * (1.0 - share)).sqrt());
            assert!(met.iter().all(|&times| (f64::from(times) - mean).abs() <= spread), "{bound}: {met:?}");
        }
    }
}
