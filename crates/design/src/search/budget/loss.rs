//! How likely a decode is wrong when so many honest workers are.

use super::request::{BudgetRequest, Liars};

/// A loss that grows in steps with the number of honest workers that are wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loss {
    /// How many rows are counted: all, or those of the workers that do not lie.
    pub(super) rows: usize,
    /// Sums from which on the loss is larger, in growing order, and by how much.
    pub(super) steps: Vec<(usize, f64)>,
}

impl Loss {
    /// The loss of a request. The answer is the sign for which a tie of the server's vote is wrong, too: the other one
    /// is wrong less often.
    pub(super) fn of(request: &BudgetRequest) -> Self {
        let BudgetRequest { n, b, stragglers, .. } = *request;
        // So many wrong votes, the lies among them, decode wrong: right votes are at most as many once the missing
        // ones are taken off.
        let enough = (n - stragglers).div_ceil(2);
        let (rows, steps) = match request.liars {
            Liars::Adaptive => (n, vec![(enough - b, 1.0)]),
            Liars::Fixed => (n - b, vec![(enough - b, 1.0)]),
            Liars::Random => {
                let mut before = 0.0;
                let steps = (enough - b..=enough).filter_map(|wrong| {
                    // Liars that take a right vote.
                    let needed = enough - wrong;
                    let loss = at_least(n, n - wrong, b, needed);
                    let step = loss - before;
                    before = loss;
                    (step > 0.0).then_some((wrong, step))
                });
                (n, steps.collect())
            }
        };
        Self { rows, steps }
    }
}

/// P[at least `needed` of b workers, drawn from n of which `right` are right, are right].
fn at_least(n: usize, right: usize, b: usize, needed: usize) -> f64 {
    let ways = |x: usize| choose(right, x) * choose(n - right, b.saturating_sub(x)) / choose(n, b);
    (needed..=b).map(ways).sum::<f64>().min(1.0)
}

/// C(n, x), 0 where x > n; exact up to 2^53, then to a few units in the last place.
pub(super) fn choose(n: usize, x: usize) -> f64 {
    if x > n {
        return 0.0;
    }
    let x = x.min(n - x);
    let mut ways = 1.0;
    for i in 0..x {
        // Divisible at every step.
        ways = ways * (n - i) as f64 / (i + 1) as f64;
    }
    ways
}

/// P[Binomial(k, q) = v].
pub(super) fn binomial(k: usize, q: f64, v: usize) -> f64 {
    // Logarithms only where the powers would vanish.
    let (ones, zeros) = (v as f64 * q.ln(), (k - v) as f64 * (-q).ln_1p());
    if k <= 64 { choose(k, v) * (ones + zeros).exp() } else { (ln_choose(k, v) + ones + zeros).exp() }
}

/// ln C(n, x).
fn ln_choose(n: usize, x: usize) -> f64 {
    (0..x.min(n - x)).map(|i| ((n - i) as f64 / (i + 1) as f64).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(liars: Liars) -> BudgetRequest {
        BudgetRequest { liars, ..BudgetRequest::new(7, 2, 21) }
    }

    #[test]
    fn losses_count_lies_and_missing_votes() {
        // Of 7 votes 4 decide: two liars need two that are wrong by themselves.
        assert_eq!(Loss::of(&request(Liars::Adaptive)).steps, [(2, 1.0)]);
        assert_eq!(Loss::of(&request(Liars::Fixed)), Loss { rows: 5, steps: vec![(2, 1.0)] });
        // With two votes missing 3 of 5 decide, with one missing a tie of 3 and 3 is wrong for one sign.
        let missing = |s: usize| Loss::of(&BudgetRequest { stragglers: s, ..request(Liars::Adaptive) });
        assert_eq!([missing(1).steps, missing(2).steps], [[(1, 1.0)], [(1, 1.0)]]);
        // Two wrong workers of seven: both liars must be among the five others, 10 of 21 sets.
        let random = Loss::of(&request(Liars::Random)).steps;
        assert_eq!((random[0].0, random.len()), (2, 3));
        assert!((random[0].1 - 10.0 / 21.0).abs() < 1e-15);
        assert!((random.iter().map(|step| step.1).sum::<f64>() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn probabilities_add_up() {
        for k in [1, 15, 64, 65, 300] {
            let sum: f64 = (0..=k).map(|v| binomial(k, 0.3, v)).sum();
            assert!((sum - 1.0).abs() < 1e-10, "{k}: {sum}");
        }
        assert_eq!(choose(25, 12).to_bits(), 5_200_300_f64.to_bits());
    }
}
