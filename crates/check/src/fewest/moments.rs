//! Lemmas 30 and 31: whether second moments exclude rows of given loads.

use super::BoundCase;
use super::kernels::{Kernels, ONE, down, up};

/// Rows that are not light, of n in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Others {
    pub(super) n: usize,
    pub(super) b: usize,
    pub(super) empty: usize,
    pub(super) single: usize,
    pub(super) held: usize,
    pub(super) full: usize,
}

impl Others {
    /// How many rows are light.
    pub(super) fn light(self) -> usize {
        self.n - self.empty - self.single - self.full
    }
}

/// What Lemma 31 needs of the light loads: their sum, Σ w c_w τ(w−1), the largest τ.
#[derive(Clone, Copy)]
pub(super) struct Light {
    pub(super) sum: usize,
    pub(super) ties: i128,
    pub(super) most_tied: i128,
}

/// E F_z² ≥ Λ − x_z.
#[derive(Clone, Copy, Default)]
pub(super) struct Moment {
    lambda: i128,
    /// 𝒳.
    losses: i128,
    /// δ₁.
    lost_single: i128,
    /// δ*.
    lost_light: i128,
}

impl Moment {
    /// Lemma 30 with the weights of the case.
    pub(super) fn of(case: &BoundCase, n: usize, kernels: &Kernels) -> Self {
        let kept =
            case.loads.partition_point(|&(load, ..)| case.left_out.is_none_or(|(most, _)| load <= most));
        let (kept, left_out) = case.loads.split_at(kept);
        let mut moment = Self::default();
        for (i, &(load, rows, weight)) in kept.iter().enumerate() {
            let (rows, weight) = (rows as i128, i128::from(weight));
            let (outside, inside) =
                (kernels.itself(load, weight * weight), kernels.itself(load - 1, weight * weight));
            let light = 2 * load < n;
            let beta = if light { outside } else { outside.min(inside) };
            let mut delta = if light { (outside - inside).max(0) } else { 0 };
            let mut bracket = rows * beta + rows * (rows - 1) * kernels.least(load, load, weight * weight);
            if weight <= 1024 && bracket <= 0 {
                bracket = 0;
                delta = 0;
            }
            moment.lambda += bracket;
            moment.losses += rows * load as i128 * delta;
            let most = if load == 1 { &mut moment.lost_single } else { &mut moment.lost_light };
            *most = delta.max(*most);
            for &(other, many, its) in &kept[..i] {
                let weights = weight * i128::from(its);
                moment.lambda += 2 * rows * many as i128 * kernels.least(load, other, weights);
            }
        }
        match (case.left_out, case.loads.first()) {
            (Some((_, theta)), Some(&(_, _, weight))) => {
                let weights = i128::from(weight) * i128::from(weight);
                let norm = |load: usize| {
                    kernels.itself_at_most(load, weights).max(kernels.itself_at_most(load - 1, weights))
                };
                let norms: i128 = left_out.iter().map(|&(load, rows, _)| rows as i128 * norm(load)).sum();
                let rows: usize = left_out.iter().map(|&(_, rows, _)| rows).sum();
                moment.without(rows as i128 * norms, i128::from(theta))
            }
            _ => moment,
        }
    }

    /// Part (b): ν·Σ is `norms`, and θ is in twentieths.
    fn without(self, norms: i128, theta: i128) -> Self {
        let rest = 20 - theta;
        Self {
            lambda: down(self.lambda * rest, 20) - up(norms * rest, theta),
            losses: up(self.losses * rest, 20),
            lost_single: up(self.lost_single * rest, 20),
            lost_light: up(self.lost_light * rest, 20),
        }
    }
}

/// Lemma 31: whether no tolerant code has these rows. `sigma` is in the unit of the kernels.
pub(super) fn excludes(others: Others, light: Light, moment: Moment, sigma: i128, rho: i128) -> bool {
    let Others { n, b, empty, single, held, full } = others;
    let number = |count: usize| count as i128;
    let h = number(full) - number(2 * b + 1 + empty);
    let certain = number(n) * h + number(single);
    let holders = certain + number(light.sum);
    let ties = certain * ONE + light.ties;
    if holders < 0 || ties < 0 {
        return true;
    }
    let lambda = moment.lambda.max(0);
    let most = h + number(single + others.light());
    let untied = match n {
        ..7 => 1,
        7 | 9 => 2,
        _ => 4,
    };
    // φ(a) in class 0 or 1, where a is possible.
    let phi = |a: i128, singles: i128| -> Option<i128> {
        let own = singles.min(1);
        let xi = if own == 1 {
            moment.lost_single + moment.lost_single.max(moment.lost_light) * (a - h - 1)
        } else {
            moment.lost_light * (a - h)
        };
        let mu = singles.min(a - h);
        let b_bar = (h + mu) * ONE + light.most_tied * (a - h - mu);
        if b_bar < 0 || a * b_bar < lambda - xi {
            return None;
        }
        if a == 0 {
            return Some(0);
        }
        let shared = down(lambda - xi, a) + if rho == 0 { 0 } else { down(xi, rho) };
        Some(sigma * a + down(lambda, a).min(shared).max(0))
    };
    let mut total = 0;
    for (partitions, singles) in [(n - held, 0), (held, number(single + 1) - number(held))] {
        if partitions == 0 {
            continue;
        }
        let mut first = (h + singles.min(1)).max(0);
        if h + singles < 0 {
            first = first.max(untied);
        }
        match (first..=most).filter_map(|a| phi(a, singles)).min() {
            None => return true,
            Some(least) => total += least * number(partitions),
        }
    }
    let losses = if rho == 0 { 0 } else { up(moment.losses, rho) };
    total > sigma * holders + ties + losses
}
