//! Lemma 30 of docs/theory/bounds.md: lower bounds on the second moment, from weights of the loads.

use super::exclusion::{Exclusion, Multipliers};
use super::kernel::{Kernels, WEIGHT, ceiling, floor};

/// Rows of one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The load.
    pub load: usize,
    /// How many rows have it.
    pub rows: usize,
    /// s in units of 1/1024.
    pub weight: i64,
}

/// Loads that are left out by the triangle inequality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Every load above this one.
    pub above: usize,
    /// θ in twentieths, from 1 to 19.
    pub theta: i64,
}

const TWENTIETHS: i64 = 20;

/// E F_z² ≥ Λ − x_z, in units of 2⁻⁴⁰.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighing {
    /// Λ.
    pub(super) moment: i64,
    /// X = Σ x_z.
    pub(super) losses: i64,
    /// The largest δ of a light load.
    pub(super) lost_light: i64,
    /// δ of load 1.
    pub(super) lost_single: i64,
}

impl Weighing {
    pub(super) fn of(weighed: &[Weighed], n: usize, kernels: &Kernels) -> Self {
        let mut all = Self::default();
        for (at, &Weighed { load, rows, weight }) in weighed.iter().enumerate() {
            let (square, many) = (weight * weight, rows as i64);
            let outside = kernels.diagonal[load].at(square);
            let inside = kernels.diagonal[load - 1].at(square);
            let (each, mut lost) = if load > (n - 1) / 2 {
                (outside.min(inside), 0)
            } else {
                (outside, (outside - inside).max(0))
            };
            let mut together = many * each;
            if many > 1 {
                together += many * (many - 1) * kernels.pair(load, load, square);
            }
            if weight <= WEIGHT && together <= 0 {
                (together, lost) = (0, 0);
            }
            all.moment += together;
            all.losses += many * load as i64 * lost;
            if load == 1 {
                all.lost_single = lost;
            } else {
                all.lost_light = all.lost_light.max(lost);
            }
            for other in &weighed[..at] {
                let product = weight * other.weight;
                all.moment += 2 * many * other.rows as i64 * kernels.pair(load, other.load, product);
            }
        }
        all
    }

    /// The same for all rows, where these are those of load at most `above`, all of one weight.
    fn with_heavier(self, all: &[Weighed], LeftOut { above, theta }: LeftOut, kernels: &Kernels) -> Self {
        let heavier = || all.iter().filter(|weighed| weighed.load > above);
        let Some(weight) = all.first().map(|weighed| weighed.weight) else { return self };
        let rows: usize = heavier().map(|weighed| weighed.rows).sum();
        let each = |load: usize| {
            let most = |size: usize| kernels.diagonal[size].at_most(weight * weight);
            most(load).max(most(load - 1))
        };
        let norms: i128 =
            heavier().map(|weighed| weighed.rows as i128 * i128::from(each(weighed.load))).sum();
        let (theta, rest) = (i128::from(theta), i128::from(TWENTIETHS - theta));
        let kept = |number: i64| ceiling(i128::from(number) * rest, i128::from(TWENTIETHS));
        Self {
            moment: floor(i128::from(self.moment) * rest, i128::from(TWENTIETHS))
                - ceiling(rows as i128 * norms * rest, theta),
            losses: kept(self.losses),
            lost_light: kept(self.lost_light),
            lost_single: kept(self.lost_single),
        }
    }

    /// What is to be large: the moments of all partitions at the usual number of holders, without the losses.
    fn worth(&self, n: usize, about: f64) -> f64 {
        (self.moment as f64 * n as f64 - self.losses as f64) / about
    }
}

/// Weights and multipliers by which the second moment leaves no code; the weights are climbed to from two
/// starts. Whatever the floats choose, integers decide.
pub(super) fn climb(
    exclusion: &Exclusion,
    loads: &[(usize, usize)],
    kernels: &Kernels,
) -> Option<(Vec<Weighed>, Multipliers)> {
    let n = exclusion.cell.n;
    let about = exclusion.sums.mean(n).max(1.0);
    for start in [WEIGHT, WEIGHT - 16] {
        let mut weighed: Vec<Weighed> =
            loads.iter().map(|&(load, rows)| Weighed { load, rows, weight: start }).collect();
        let mut weighing = Weighing::of(&weighed, n, kernels);
        if let Some(multipliers) = exclusion.find(&weighing) {
            return Some((weighed, multipliers));
        }
        for step in [64, 32, 16, 8, 4, 2, 1] {
            for _ in 0..6 {
                let mut better = false;
                // All weights at once, then one after the other.
                for which in std::iter::once(weighed.len()).chain(0..weighed.len()) {
                    for change in [-step, step] {
                        let mut moved = weighed.clone();
                        let chosen = if which == weighed.len() { 0..which } else { which..which + 1 };
                        moved[chosen].iter_mut().for_each(|load| load.weight += change);
                        if moved.iter().any(|load| load.weight < 0) {
                            continue;
                        }
                        let next = Weighing::of(&moved, n, kernels);
                        if next.worth(n, about) > weighing.worth(n, about) + 1.0 {
                            (weighed, weighing, better) = (moved, next, true);
                        }
                    }
                }
                if !better {
                    break;
                }
            }
        }
        if let Some(multipliers) = exclusion.find(&weighing) {
            return Some((weighed, multipliers));
        }
    }
    None
}

/// The same with the heavier loads left out, and one weight for all others.
pub(super) fn leave_out(
    exclusion: &Exclusion,
    loads: &[(usize, usize)],
    kernels: &Kernels,
) -> Option<(Vec<Weighed>, LeftOut, Multipliers)> {
    let n = exclusion.cell.n;
    let light = loads.iter().map(|&(load, _)| load).filter(|&load| load > 1);
    for above in light.clone().take(light.count().saturating_sub(1)) {
        for weight in (WEIGHT - 48..=WEIGHT).step_by(16) {
            let weighed: Vec<Weighed> =
                loads.iter().map(|&(load, rows)| Weighed { load, rows, weight }).collect();
            let kept = weighed.iter().position(|weighed| weighed.load > above)?;
            let weighing = Weighing::of(&weighed[..kept], n, kernels);
            for theta in 1..=TWENTIETHS / 2 {
                let left_out = LeftOut { above, theta };
                let all = weighing.with_heavier(&weighed, left_out, kernels);
                if all.moment <= 0 {
                    continue;
                }
                if let Some(multipliers) = exclusion.find(&all) {
                    return Some((weighed, left_out, multipliers));
                }
            }
        }
    }
    None
}
