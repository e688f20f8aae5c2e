//! How the server joins what the workers sent: by vote, or one of the gradient aggregators that the field
//! compares with.

use rayon::prelude::*;

use crate::names::named;

named! {
    /// The server's rule. All but `vote` take 32 bits a coordinate from each worker. b is the number of Byzantine
    /// workers that the rule is told of.
    pub enum Aggregator {
        /// The majority of sign bits (SignSGD with majority vote).
        #[default]
        Vote = "vote",
        /// The mean of the gradients: no defence at all.
        Mean = "mean",
        /// Each coordinate's median (FGM; Yin et al., ICML 2018).
        Median = "median",
        /// Each coordinate's mean without its b largest and b smallest (Yin et al., ICML 2018).
        TrimmedMean = "trimmed-mean",
        /// The gradient nearest to its n − b − 2 nearest others, for n > 2b + 2 (Blanchard et al., NeurIPS 2017).
        Krum = "krum",
    }
}

/// Coordinates that one task takes.
const CHUNK: usize = 4096;

impl Aggregator {
    /// Whether the rule is told a number of Byzantine workers.
    #[must_use]
    pub fn takes_declared(self) -> bool {
        matches!(self, Self::TrimmedMean | Self::Krum)
    }

    /// Why this rule cannot defend n workers against b, where it cannot.
    #[must_use]
    pub fn unfit(self, n: usize, b: usize) -> Option<String> {
        match self {
            Self::TrimmedMean if 2 * b >= n => {
                Some(format!("trimmed-mean needs n > 2b, but n = {n}, b = {b}"))
            }
            Self::Krum if n <= 2 * b + 2 => Some(format!("krum needs n > 2b + 2, but n = {n}, b = {b}")),
            _ => None,
        }
    }

    /// Joins n gradients of one length, against b presumed Byzantine workers. `Vote` counts the signs.
    ///
    /// # Panics
    /// When there is no gradient, or [`Self::unfit`] says why not.
    #[must_use]
    pub fn join(self, gradients: &[&[f32]], b: usize) -> Vec<f32> {
        assert!(self.unfit(gradients.len(), b).is_none(), "{:?}", self.unfit(gradients.len(), b));
        let n = gradients.len();
        let by_coordinate = |join: &(dyn Fn(&mut [f32]) -> f32 + Sync)| {
            let mut joined = vec![0.0; gradients[0].len()];
            joined.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, joined)| {
                let mut values = vec![0.0; n];
                for (place, joined) in joined.iter_mut().enumerate() {
                    for (value, gradient) in values.iter_mut().zip(gradients) {
                        *value = gradient[chunk * CHUNK + place];
                    }
                    *joined = join(&mut values);
                }
            });
            joined
        };
        match self {
            Self::Vote => by_coordinate(&|values| {
                let count = |sign: f32| values.iter().filter(|value| sign * **value > 0.0).count();
                match count(1.0).cmp(&count(-1.0)) {
                    std::cmp::Ordering::Less => -1.0,
                    std::cmp::Ordering::Equal => 0.0,
                    std::cmp::Ordering::Greater => 1.0,
                }
            }),
            Self::Mean => by_coordinate(&|values| values.iter().sum::<f32>() / n as f32),
            Self::Median => by_coordinate(&|values| {
                values.sort_unstable_by(f32::total_cmp);
                if n % 2 == 1 { values[n / 2] } else { 0.5 * (values[n / 2 - 1] + values[n / 2]) }
            }),
            Self::TrimmedMean => by_coordinate(&|values| {
                values.sort_unstable_by(f32::total_cmp);
                values[b..n - b].iter().sum::<f32>() / (n - 2 * b) as f32
            }),
            Self::Krum => {
                let distance = |i: usize, j: usize| -> f64 {
                    let pairs = gradients[i].iter().zip(gradients[j]);
                    pairs.map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum()
                };
                let scores: Vec<f64> = (0..n)
                    .into_par_iter()
                    .map(|i| {
                        let mut others: Vec<f64> =
                            (0..n).filter(|&j| j != i).map(|j| distance(i, j)).collect();
                        others.sort_unstable_by(f64::total_cmp);
                        others[..n - b - 2].iter().sum()
                    })
                    .collect();
                let best = (1..n).fold(0, |best, i| if scores[i] < scores[best] { i } else { best });
                gradients[best].to_vec()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_joins_as_it_says() {
        let gradients: [&[f32]; 5] = [&[1.0, -1.0], &[2.0, -2.0], &[3.0, 0.0], &[4.0, 0.0], &[100.0, 5.0]];
        let join = |rule: Aggregator, b| rule.join(&gradients, b);
        assert_eq!(join(Aggregator::Mean, 0), [22.0, 0.4]);
        assert_eq!(join(Aggregator::Median, 0), [3.0, 0.0]);
        assert_eq!(Aggregator::Median.join(&gradients[..4], 0), [2.5, -0.5]);
        assert_eq!(join(Aggregator::TrimmedMean, 1), [3.0, -1.0 / 3.0]);
        assert_eq!(join(Aggregator::Vote, 0), [1.0, -1.0]);
        // The two nearest others of gradient 2 are at distances 1 and 5; no other is as near.
        assert_eq!(join(Aggregator::Krum, 1), [3.0, 0.0]);
    }

    /// Three workers, by hand.
    #[test]
    fn three_workers_are_joined_as_each_rule_says() {
        let gradients: [&[f32]; 3] = [&[1.0, -1.0], &[2.0, -2.0], &[6.0, 0.0]];
        let join = |rule: Aggregator, b| rule.join(&gradients, b);
        assert_eq!(join(Aggregator::Mean, 0), [3.0, -1.0]);
        assert_eq!(join(Aggregator::Median, 0), [2.0, -1.0]);
        assert_eq!(join(Aggregator::TrimmedMean, 1), [2.0, -1.0]);
        assert_eq!(join(Aggregator::TrimmedMean, 0), [3.0, -1.0]);
        assert_eq!(join(Aggregator::Vote, 0), [1.0, -1.0]);
        // Distances 2, 26 and 20: the first of the two that are near each other.
        assert_eq!(join(Aggregator::Krum, 0), [1.0, -1.0]);
    }

    /// Krum needs n > 2b + 2, trimmed means n > 2b.
    #[test]
    fn rules_know_what_they_can_defend() {
        let fits = |rule: Aggregator, n, b| rule.unfit(n, b).is_none();
        assert!(
            fits(Aggregator::Krum, 9, 3) && !fits(Aggregator::Krum, 8, 3) && !fits(Aggregator::Krum, 9, 6)
        );
        assert!(fits(Aggregator::TrimmedMean, 5, 2) && !fits(Aggregator::TrimmedMean, 4, 2));
        assert!(fits(Aggregator::Mean, 1, 9) && fits(Aggregator::Median, 1, 9));
    }
}
