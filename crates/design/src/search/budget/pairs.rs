//! How likely a row, and a pair of rows, is wrong on a random message of some weight.

use super::loss::choose;

/// The probabilities that rows of odd loads are wrong, on messages of one weight of k partitions.
pub(super) struct Pairs {
    /// `[(w − 1)/2]`: a row of load w.
    pub(super) single: Vec<f64>,
    /// `[(w − 1)/2][(w' − 1)/2]`, w ≤ w': both of two rows.
    pub(super) both: Vec<Vec<Both>>,
}

/// Both of two rows of given loads, whatever they share.
#[derive(Clone, Debug, Default)]
pub(super) struct Both {
    /// At most.
    pub(super) most: f64,
    /// The fewest partitions that they share.
    pub(super) first: usize,
    /// The largest convex function below the probabilities, for `first` and more shared partitions.
    pub(super) below: Vec<f64>,
}

impl Pairs {
    /// For loads up to `heaviest`, messages of weight v.
    pub(super) fn new(k: usize, v: usize, heaviest: usize) -> Self {
        let ways = Ways::new(k);
        let loads: Vec<usize> = (1..=heaviest.min(k)).step_by(2).collect();
        let single = loads.iter().map(|&load| ways.single(load, v)).collect();
        let both = loads
            .iter()
            .enumerate()
            .map(|(at, &small)| loads[..=at].iter().map(|&smaller| ways.both(smaller, small, v)).collect())
            .collect();
        Self { single, both }
    }

    /// Both rows of the loads with these places.
    pub(super) fn both(&self, a: usize, b: usize) -> &Both {
        &self.both[a.max(b)][a.min(b)]
    }
}

/// Binomial coefficients up to k.
struct Ways {
    k: usize,
    table: Vec<Vec<f64>>,
}

impl Ways {
    fn new(k: usize) -> Self {
        Self { k, table: (0..=k).map(|n| (0..=n).map(|x| choose(n, x)).collect()).collect() }
    }

    fn of(&self, n: usize, x: usize) -> f64 {
        self.table[n].get(x).copied().unwrap_or(0.0)
    }

    fn single(&self, load: usize, v: usize) -> f64 {
        let wrong = load.div_ceil(2)..=load.min(v);
        wrong.map(|x| self.of(load, x) * self.of(self.k - load, v - x)).sum::<f64>() / self.of(self.k, v)
    }

    fn both(&self, small: usize, large: usize, v: usize) -> Both {
        let first = (small + large).saturating_sub(self.k);
        let exact: Vec<f64> = (first..=small).map(|shared| self.sharing(small, large, shared, v)).collect();
        Both { most: exact.iter().copied().fold(0.0, f64::max), first, below: convex_below(&exact) }
    }

    fn sharing(&self, small: usize, large: usize, shared: usize, v: usize) -> f64 {
        let (own, other, rest) = (small - shared, large - shared, self.k + shared - small - large);
        let mut sum = 0.0;
        for x in 0..=shared.min(v) {
            let in_shared = self.of(shared, x);
            for y in small.div_ceil(2).saturating_sub(x)..=own.min(v - x) {
                let in_own = in_shared * self.of(own, y);
                for z in large.div_ceil(2).saturating_sub(x)..=other.min(v - x - y) {
                    sum += in_own * self.of(other, z) * self.of(rest, v - x - y - z);
                }
            }
        }
        sum / self.of(self.k, v)
    }
}

/// The largest convex function on 0, 1, … that is nowhere above these values.
fn convex_below(values: &[f64]) -> Vec<f64> {
    let mut corners: Vec<usize> = Vec::new();
    for at in 0..values.len() {
        while let [.., a, b] = corners[..] {
            let slope = |from: usize, to: usize| (values[to] - values[from]) / (to - from) as f64;
            if slope(a, b) < slope(b, at) {
                break;
            }
            corners.pop();
        }
        corners.push(at);
    }
    let mut below = vec![values[0]; values.len()];
    for pair in corners.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for at in a..=b {
            below[at] = values[a] + (values[b] - values[a]) * (at - a) as f64 / (b - a) as f64;
        }
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convex_functions_lie_below() {
        assert_eq!(convex_below(&[0.0, 3.0, 2.0, 6.0]), [0.0, 1.0, 2.0, 6.0]);
        assert_eq!(convex_below(&[1.0]), [1.0]);
    }

    /// Against all messages of seven partitions.
    #[test]
    fn pairs_are_counted() {
        let k = 7;
        for v in 0..=k {
            let pairs = Pairs::new(k, v, k);
            let messages: Vec<u32> = (0_u32..1 << k).filter(|m| m.count_ones() as usize == v).collect();
            let part = |wrong: &dyn Fn(u32) -> bool| {
                messages.iter().filter(|&&message| wrong(message)).count() as f64 / messages.len() as f64
            };
            let wrong = |row: u32, message: u32| 2 * (row & message).count_ones() > row.count_ones();
            for small in [1, 3, 5, 7_usize] {
                let row = (1_u32 << small) - 1;
                assert!((pairs.single[small / 2] - part(&|m| wrong(row, m))).abs() < 1e-12);
                for large in [1, 3, 5, 7_usize].into_iter().filter(|&large| large >= small) {
                    let both = pairs.both(large / 2, small / 2);
                    let exact = |shared: usize| {
                        let other = ((1_u32 << large) - 1) << (small - shared);
                        part(&|m| wrong(row, m) && wrong(other, m))
                    };
                    for shared in both.first..=small {
                        assert!(both.below[shared - both.first] <= exact(shared) + 1e-12);
                        assert!(exact(shared) <= both.most + 1e-12);
                    }
                }
            }
        }
    }
}
