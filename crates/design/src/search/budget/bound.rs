//! Errors that no code within a budget goes below.
//!
//! # What is promised
//! Every bound holds for every code of these sizes within the budget, with rows of any weight, but for rounding: a
//! relative 10⁻⁹ is taken off. Proofs: docs/theory/budget.md.

use super::loss::{Loss, binomial};
use super::pairs::Pairs;
use super::request::{BudgetRequest, Liars};

/// The bound on the loads is worked out for up to so many multisets of loads …
const MOST_LOADS: usize = 30_000;
/// … with what rows must share for up to so many.
const MOST_SHARED: usize = 2_000;
/// … and for up to so many partitions.
const MOST_PARTITIONS: usize = 31;
/// Rounding that is taken off, relative.
const ROUNDING: f64 = 1e-9;

/// No code within the budget decodes the wrong sign less often than this, at each q of the request: the larger one of
/// two bounds.
///
/// # References
/// docs/theory/budget.md: Theorem 47, that most of the partitions' signs are wrong; Theorem 48, from the first two
/// moments of the number of wrong workers, for every multiset of loads.
#[must_use]
pub fn least_errors(request: &BudgetRequest) -> Vec<f64> {
    let mut least: Vec<f64> = request.qs.iter().map(|&q| majority(request.k, q)).collect();
    for (least, moments) in least.iter_mut().zip(moments(request).into_iter().flatten()) {
        *least = least.max(moments * (1.0 - ROUNDING));
    }
    least
}

/// P[most partitions' signs are wrong]; of a tie one sign or the other is wrong.
fn majority(k: usize, q: f64) -> f64 {
    let most_wrong: f64 = (k / 2 + 1..=k).map(|v| binomial(k, q, v)).sum();
    most_wrong + if k % 2 == 0 { binomial(k, q, k / 2) / 2.0 } else { 0.0 }
}

/// The least over all multisets of loads of what the moments say; none where there are too many.
fn moments(request: &BudgetRequest) -> Option<Vec<f64>> {
    let BudgetRequest { n, k, ones, .. } = *request;
    let heaviest = request.heaviest();
    let mut all = Vec::new();
    list(n, (ones - n) / 2, heaviest.div_ceil(2), &mut vec![0; heaviest.div_ceil(2)], &mut all);
    if k > MOST_PARTITIONS || all.len() > MOST_LOADS {
        return None;
    }
    // The worst fixed set is at least as bad as a random one.
    let random = BudgetRequest { liars: Liars::Random, ..request.clone() };
    let loss = Loss::of(if request.liars == Liars::Fixed { &random } else { request });
    let quadratics = quadratics(n, &loss);
    let pairs: Vec<Pairs> = (0..=k).map(|v| Pairs::new(k, v, heaviest)).collect();
    let likely: Vec<Vec<f64>> =
        request.qs.iter().map(|&q| (0..=k).map(|v| binomial(k, q, v)).collect()).collect();
    let shares = all.len() <= MOST_SHARED;
    let of_loads = |counts: &Vec<usize>| -> Vec<f64> {
        // Lower bounds on the loss for each weight; it grows with the weight.
        let mut least: Vec<f64> =
            pairs.iter().map(|pairs| of_weight(k, counts, pairs, &quadratics, shares)).collect();
        for v in 1..=k {
            least[v] = least[v].max(least[v - 1]);
        }
        // A message and its complement together lose at least 1.
        let together = |likely: &Vec<f64>| -> f64 {
            let pair = |v: usize| {
                let other = k - v;
                if v == other {
                    likely[v] * least[v].max(0.5)
                } else {
                    likely[v] * least[v] + likely[other] * least[other].max(1.0 - least[v])
                }
            };
            (0..=k / 2).map(pair).sum()
        };
        likely.iter().map(together).collect()
    };
    let smaller = |a: Vec<f64>, b: Vec<f64>| a.into_iter().zip(b).map(|(a, b)| a.min(b)).collect();
    all.iter().map(of_loads).reduce(smaller)
}

/// Lists how many of n rows have load 1, 3, 5, …, spending at most `left` pairs of ones beyond the first one of each.
/// Ends early beyond [`MOST_LOADS`].
fn list(n: usize, left: usize, kinds: usize, counts: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    if all.len() > MOST_LOADS {
        return;
    }
    if kinds == 1 {
        counts[0] = n;
        all.push(counts.clone());
        return;
    }
    let extra = kinds - 1;
    for rows in 0..=n.min(left / extra) {
        counts[extra] = rows;
        list(n - rows, left - rows * extra, kinds - 1, counts, all);
    }
    counts[extra] = 0;
}

/// α + β·w + γ·w(w − 1)/2 with w the number of wrong workers: nowhere above the loss.
#[derive(Clone, Copy, Debug)]
struct Quadratic {
    alpha: f64,
    beta: f64,
    gamma: f64,
}

/// Those that meet the loss in three numbers of wrong workers: the best ones are among them.
fn quadratics(n: usize, loss: &Loss) -> Vec<Quadratic> {
    let at = |wrong: usize| -> f64 {
        loss.steps.iter().filter(|&&(from, _)| wrong >= from).map(|&(_, jump)| jump).sum()
    };
    let values: Vec<f64> = (0..=n).map(at).collect();
    let mut all = Vec::new();
    for x in 0..=n {
        for y in x + 1..=n {
            for z in y + 1..=n {
                let slope = |from: usize, to: usize| (values[to] - values[from]) / (to - from) as f64;
                // w² = w + 2·w(w − 1)/2.
                let curve = (slope(y, z) - slope(x, y)) / (z - x) as f64;
                let linear = slope(x, y) - curve * (x + y) as f64;
                let (beta, gamma) = (linear + curve, 2.0 * curve);
                let of = |w: usize| beta * w as f64 + gamma * (w * w.saturating_sub(1)) as f64 / 2.0;
                // As high as it can be.
                let alpha = (0..=n).map(|w| values[w] - of(w)).fold(f64::INFINITY, f64::min);
                let meets = (alpha + of(x) - values[x]).abs() < 1e-9;
                if meets {
                    all.push(Quadratic { alpha, beta, gamma });
                }
            }
        }
    }
    all
}

/// A lower bound on the mean loss over the messages of one weight.
fn of_weight(k: usize, counts: &[usize], pairs: &Pairs, quadratics: &[Quadratic], shares: bool) -> f64 {
    let first: f64 = counts.iter().zip(&pairs.single).map(|(&count, single)| count as f64 * single).sum();
    // How many pairs of rows of two loads there are.
    let kinds: Vec<usize> = (0..counts.len()).filter(|&kind| counts[kind] > 0).collect();
    let mut most = 0.0;
    let (mut least, mut shared) = (0.0, 0_usize);
    // What one more shared partition costs, and how many pairs can share one more at this price.
    let mut prices: Vec<(f64, usize)> = Vec::new();
    for (at, &a) in kinds.iter().enumerate() {
        for &b in &kinds[..=at] {
            let number = if a == b { counts[a] * (counts[a] - 1) / 2 } else { counts[a] * counts[b] };
            if number == 0 {
                continue;
            }
            let both = pairs.both(a, b);
            most += number as f64 * both.most;
            // The cheapest number of shared partitions, and the prices of more.
            let cheapest =
                (0..both.below.len()).min_by(|&x, &y| both.below[x].total_cmp(&both.below[y])).unwrap_or(0);
            least += number as f64 * both.below[cheapest];
            shared += number * (both.first + cheapest);
            if shares {
                prices.extend(both.below[cheapest..].windows(2).map(|pair| (pair[1] - pair[0], number)));
            }
        }
    }
    if shares {
        // Columns of c ones are shared by c(c − 1)/2 pairs, fewest where all are alike.
        let ones: usize = counts.iter().enumerate().map(|(kind, &count)| count * (2 * kind + 1)).sum();
        let (low, more) = (ones / k, ones % k);
        let needed = (k - more) * (low * low.saturating_sub(1) / 2) + more * (low * (low + 1) / 2);
        let mut left = needed.saturating_sub(shared);
        prices.sort_by(|x, y| x.0.total_cmp(&y.0));
        for (price, number) in prices {
            let taken = number.min(left);
            least += price.max(0.0) * taken as f64;
            left -= taken;
        }
    }
    let bound = |g: &Quadratic| g.alpha + g.beta * first + g.gamma * if g.gamma > 0.0 { least } else { most };
    quadratics.iter().map(bound).fold(0.0, f64::max).min(1.0)
}
