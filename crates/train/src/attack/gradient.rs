//! What liars send where workers send gradients, or where their votes are the signs of such gradients.
//!
//! # References
//! ALIE: Baruch, Baruch and Goldberg, "A little is enough" (NeurIPS 2019). IPM: Xie, Koyejo and Gupta, "Fall of empires" (UAI
//! 2019). MinMax and MinSum, with the deviation as direction: Shejwalkar and Houmansadr, "Manipulating the Byzantine" (NDSS
//! 2021); the largest factor is solved for, where the paper halves intervals. Mimic: Karimireddy, He and Jaggi (ICLR 2022),
//! who copy the worker along whose direction the honest differ most; here, as in ByzFL, the first.

use rand_distr::{Distribution as _, StandardNormal};

use super::{Attack, search};
use crate::aggregate::Distances;
use crate::random::{Purpose, stream};

/// What a Byzantine worker knows when workers send gradients.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    /// The honest workers' gradients.
    pub honest: &'a [&'a [f32]],
    /// n, all workers.
    pub n: usize,
    /// b, the Byzantine ones.
    pub b: usize,
    /// s, how hard to strike.
    pub scale: f32,
}

/// How far a server goes wrong where all liars send this gradient.
pub type Damage<'a> = &'a mut dyn FnMut(&[f32]) -> f64;

impl Knowledge<'_> {
    /// The gradient that all liars send alike; none where each sends one of its own. d is its length.
    pub fn common(&self, attack: Attack, d: usize, damage: Damage<'_>) -> Option<Vec<f32>> {
        let mean = || self.mean(d);
        // x̄ less z deviations, z from x̄.
        let less = |z: &dyn Fn(&[f32]) -> f64| {
            let mean = mean();
            little(&mean, &self.deviation(&mean), z(&mean))
        };
        Some(match attack {
            Attack::None | Attack::LabelFlip | Attack::Reverse | Attack::Random | Attack::Gaussian => {
                return None;
            }
            Attack::Constant => vec![-(self.scale * root_mean_square(&mean())); d],
            Attack::Omniscient | Attack::Ipm => along(&mean(), -self.scale),
            Attack::Alie => less(&|_| hidden_deviations(self.n, self.b)),
            Attack::MinMax | Attack::MinSum => less(&|mean| self.farthest(attack, mean)),
            Attack::Mimic => self.honest.first()?.to_vec(),
            Attack::OptAlie => {
                let mean = mean();
                let deviation = self.deviation(&mean);
                let z = search::strongest(|z| damage(&little(&mean, &deviation, z)));
                little(&mean, &deviation, z)
            }
            Attack::OptIpm => {
                let mean = mean();
                let s = search::strongest(|s| damage(&along(&mean, -s as f32)));
                along(&mean, -s as f32)
            }
        })
    }

    /// Replaces a Byzantine worker's own gradient by what it sends, where liars do not send the same. Nothing changes
    /// under `label-flip` and `none`: the gradient is what it is.
    pub fn corrupt(&self, attack: Attack, seed: u64, step: u64, worker: usize, own: &mut [f32]) {
        let size = match attack {
            Attack::Reverse => {
                own.iter_mut().for_each(|value| *value *= -self.scale);
                return;
            }
            Attack::Random => self.scale * root_mean_square(&self.mean(own.len())),
            Attack::Gaussian => self.scale,
            _ => return,
        };
        let mut random = stream(seed, Purpose::Attack, step, worker);
        for value in own {
            let normal: f32 = StandardNormal.sample(&mut random);
            *value = size * normal;
        }
    }

    /// x̄.
    pub(crate) fn mean(&self, d: usize) -> Vec<f32> {
        let count = self.honest.len().max(1) as f32;
        (0..d).map(|i| self.honest.iter().map(|gradient| gradient[i]).sum::<f32>() / count).collect()
    }

    /// Each coordinate's standard deviation over the honest.
    fn deviation(&self, mean: &[f32]) -> Vec<f32> {
        let count = self.honest.len().max(1) as f32;
        let of = |(i, centre): (usize, &f32)| {
            let sum = self.honest.iter().map(|gradient| (gradient[i] - centre).powi(2)).sum::<f32>();
            (sum / count).sqrt()
        };
        mean.iter().enumerate().map(of).collect()
    }

    /// The most deviations γ below x̄ so that x̄ − γ·deviation is no farther from any honest gradient than two of them are
    /// from each other (`min-max`), or the sum of its squared distances to them no larger than that of one of them
    /// (`min-sum`).
    fn farthest(&self, attack: Attack, mean: &[f32]) -> f64 {
        let deviation = self.deviation(mean);
        let square: f64 = deviation.iter().map(|&value| f64::from(value).powi(2)).sum();
        if square == 0.0 {
            return 0.0;
        }
        let distances = Distances::of(self.honest);
        let rows = || (0..self.honest.len()).map(|i| distances.row(i));
        // From each honest gradient: its squared distance to the mean, and the difference along the deviation.
        let from_mean = self.honest.iter().map(|gradient| {
            let terms = gradient.iter().zip(mean).zip(&deviation);
            terms.fold((0.0, 0.0), |(far, along), ((&x, &mean), &deviation)| {
                let difference = f64::from(x) - f64::from(mean);
                (far + difference * difference, along + difference * f64::from(deviation))
            })
        });
        if attack == Attack::MinSum {
            // Differences from the mean sum to nothing: Σ‖x̄ − γp − x‖² = Σ‖x̄ − x‖² + hγ²‖p‖².
            let most = rows().map(|row| row.iter().sum::<f64>()).fold(0.0, f64::max);
            let spread: f64 = from_mean.map(|(far, _)| far).sum();
            return ((most - spread).max(0.0) / (self.honest.len() as f64 * square)).sqrt();
        }
        // γ²‖p‖² + 2γ⟨p, x − x̄⟩ + ‖x − x̄‖² ≤ the largest squared distance, for each x.
        let most = rows().flatten().copied().fold(0.0, f64::max);
        let root = |(far, along): (f64, f64)| {
            (-along + (along * along + square * (most - far).max(0.0)).sqrt()) / square
        };
        from_mean.map(root).fold(f64::INFINITY, f64::min)
    }
}

/// x̄ less z deviations.
fn little(mean: &[f32], deviation: &[f32], z: f64) -> Vec<f32> {
    let z = z as f32;
    mean.iter().zip(deviation).map(|(mean, deviation)| mean - z * deviation).collect()
}

fn root_mean_square(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
    (sum / values.len().max(1) as f64).sqrt() as f32
}

/// A gradient times a number.
fn along(gradient: &[f32], factor: f32) -> Vec<f32> {
    gradient.iter().map(|value| factor * value).collect()
}

/// z_max of "a little is enough": Φ(z) = (n − b − s)/(n − b) with s = ⌊n/2⌋ + 1 − b supporters needed.
#[must_use]
pub fn hidden_deviations(n: usize, b: usize) -> f64 {
    let supporters = (n / 2 + 1).saturating_sub(b);
    let honest = n.saturating_sub(b).max(1) as f64;
    let share = ((honest - supporters as f64) / honest).clamp(1e-9, 1.0 - 1e-9);
    // Φ is increasing: halve until the interval is a rounding error.
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper that made the attack: 50 workers of which 24 are Byzantine need s = 2.
    #[test]
    fn a_little_is_as_little_as_its_paper_says() {
        // Φ(z) = (26 − 2)/26 = 0.923: z = 1.426.
        assert!((hidden_deviations(50, 24) - 1.426).abs() < 1e-3, "{}", hidden_deviations(50, 24));
    }

    /// What a Byzantine worker sends instead of [5, 7] where the honest ones have these gradients. A server that takes the
    /// mean goes wrong by its distance from the honest mean.
    fn sent(attack: Attack, honest: &[&[f32]], n: usize, scale: f32) -> Vec<f32> {
        let mut own = vec![5.0, 7.0];
        let knowledge = Knowledge { honest, n, b: n - honest.len(), scale };
        let mut damage = |lie: &[f32]| f64::from(lie[0].abs().min(40.0) + lie[1].abs().min(40.0));
        if let Some(common) = knowledge.common(attack, 2, &mut damage) {
            return common;
        }
        knowledge.corrupt(attack, 3, 11, n - 1, &mut own);
        own
    }

    fn near(attack: Attack, honest: &[&[f32]], n: usize, expected: [f32; 2]) {
        let sent = sent(attack, honest, n, 1.0);
        let close = sent.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(close, "{attack:?}: {sent:?}, not {expected:?}");
    }

    /// Three workers of which one lies, by hand: x̄ = (2, −1), of root mean square √2.5, and s = 2.
    #[test]
    fn gradients_are_corrupted_as_the_table_says() {
        let honest: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, -4.0]];
        let of = |attack| sent(attack, &honest, 3, 2.0);
        assert_eq!(of(Attack::None), [5.0, 7.0]);
        assert_eq!(of(Attack::LabelFlip), [5.0, 7.0]);
        assert_eq!(of(Attack::Reverse), [-10.0, -14.0]);
        assert_eq!(of(Attack::Omniscient), [-4.0, 2.0]);
        assert_eq!(sent(Attack::Ipm, &honest, 3, 0.5), [-1.0, 0.5]);
        assert_eq!(of(Attack::Mimic), [1.0, 2.0]);
        let size = 2.0 * 2.5_f32.sqrt();
        assert_eq!(of(Attack::Constant), [-size, -size]);
        // The stream of worker 2 in step 11 under seed 3, scaled.
        let mut random = stream(3, Purpose::Attack, 11, 2);
        let normal: [f32; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut random));
        assert_eq!(of(Attack::Random), normal.map(|normal| size * normal));
        assert_eq!(of(Attack::Gaussian), normal.map(|normal| 2.0 * normal));
        // (−2s, s) does the most damage from s = 40 on; the search looks at 0, 10, 30, 70 and, since 150 does no more, stays.
        assert_eq!(of(Attack::OptIpm), [-140.0, 70.0]);
    }

    /// Five workers of which two lie: one supporter is needed, Φ(z) = 2/3, z = 0.43073. The honest 1, 2, 6 have the
    /// mean 3 and the variance 14/3; those that agree have no variance to hide in.
    #[test]
    fn a_little_is_taken_off_the_mean() {
        let honest: [&[f32]; 3] = [&[1.0, 4.0], &[2.0, 4.0], &[6.0, 4.0]];
        near(Attack::Alie, &honest, 5, [2.069_53, 4.0]);
        // The largest distance is 5, so that the lie may be 5 below the 6; the 1 and the 2 are nearer.
        near(Attack::MinMax, &honest, 5, [1.0, 4.0]);
        // Squared distances sum to 26, 17 and 41; around 3 to 14, so that 3γ² · 14/3 = 27, and the lie is 3 less 3.
        near(Attack::MinSum, &honest, 5, [0.0, 4.0]);
    }

    /// Three workers, two of them honest: (1, 2) and (3, −4) have the mean (2, −1) and the deviations (1, 3), in whose
    /// direction they do not lie: with ‖p‖² = 10, differences along p of ±(1 − 9) = ±8, and 10 from the mean of squared
    /// distances 40 from each other: 10γ² ± 16γ + 10 = 40.
    #[test]
    fn the_farthest_lie_is_as_far_as_two_honest_are() {
        let honest: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, -4.0]];
        let gamma = (-8.0 + (64.0_f32 + 300.0).sqrt()) / 10.0;
        near(Attack::MinMax, &honest, 3, [2.0 - gamma, -1.0 - 3.0 * gamma]);
        // 20 + 20γ² = 40.
        near(Attack::MinSum, &honest, 3, [1.0, -4.0]);
        let alike: [&[f32]; 2] = [&[1.0, 2.0], &[1.0, 2.0]];
        near(Attack::MinMax, &alike, 3, [1.0, 2.0]);
        near(Attack::MinSum, &alike, 3, [1.0, 2.0]);
    }
}
