//! Theorem 11: rows are won on average over all messages of one weight.

use super::binomials::Binomials;

/// The averaging bound needs C(n, t) and sums of it in 128 bits: up to this many workers and partitions.
pub(super) const AVERAGED: usize = 101;

/// The sizes that the averages speak of: n workers, messages of weight v over k partitions, k odd, of which
/// none may win more than `budget` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) struct Frame {
    pub(in crate::search) n: usize,
    pub(in crate::search) k: usize,
    pub(in crate::search) budget: usize,
    /// The largest load that a row may have, at most k.
    pub(in crate::search) heaviest: usize,
}

impl Frame {
    /// As many partitions as workers, any loads.
    pub(in crate::search) fn square(n: usize, b: usize) -> Self {
        Self { n, k: n, budget: (n - 1) / 2 - b, heaviest: n }
    }

    pub(in crate::search) fn v(self) -> usize {
        (self.k - 1) / 2
    }

    /// The most rows of load 0 or 1 (Lemma 10, which takes a message that holds all of these loads).
    pub(in crate::search) fn light(self) -> usize {
        if self.budget < self.v() { self.budget } else { self.n }
    }

    /// The most that the loads can exceed 3 by, in twos, all rows together.
    fn most_excess(self) -> usize {
        self.n * self.heaviest.saturating_sub(2).div_ceil(2)
    }
}

/// The least of all ways to sum up costs: entry [m][x] is the least Σ cost over m rows of weights
/// 3 + 2v whose excesses v add up to x. `costs[v]` is the cost of weight 3 + 2v.
pub(in crate::search) fn least(costs: &[u128], rows: usize, excess: usize) -> Vec<Vec<u128>> {
    let mut table = vec![vec![u128::MAX; excess + 1]];
    table[0][0] = 0;
    for m in 1..=rows {
        let mut next = vec![u128::MAX; excess + 1];
        for x in 0..=excess {
            for (v, cost) in costs.iter().enumerate().take(x + 1) {
                next[x] = next[x].min(table[m - 1][x - v].saturating_add(*cost));
            }
        }
        table.push(next);
    }
    table
}

/// Theorem 11: the least total weight of n rows whose mean number of wins over all messages of weight v
/// is within the budget; `None` where there are none.
pub(in crate::search) fn averaging(frame: Frame) -> Option<usize> {
    let Frame { n, k, .. } = frame;
    let v = frame.v();
    let binomials = Binomials::up_to(k);
    // How many of the messages of weight v win a row of weight w.
    let wins = |w: usize| -> u128 {
        (w.div_ceil(2)..=w.min(v)).map(|i| binomials.of(w, i) * binomials.of(k - w, v - i)).sum()
    };
    let messages = binomials.of(k, v);
    let budget = frame.budget as u128 * messages;
    let heavy: Vec<u128> = (3..=frame.heaviest).step_by(2).map(wins).collect();
    let light = wins(1);
    let mut excess = k;
    loop {
        let table = least(&heavy, n, excess);
        let mut fewest = usize::MAX;
        for (empty, single) in light_rows(frame.light()) {
            let rows = n - empty - single;
            let spent = empty as u128 * messages + single as u128 * light;
            let left = budget.checked_sub(spent);
            if let Some(x) = left.and_then(|left| table[rows].iter().position(|&cost| cost <= left)) {
                fewest = fewest.min(single + 3 * rows + 2 * x);
            }
        }
        // A total beyond the table's reach is larger than 3(n − light) + 2·excess.
        if fewest <= 3 * (n - frame.light()) + 2 * excess {
            return Some(fewest);
        }
        if excess >= frame.most_excess() {
            return (fewest < usize::MAX).then_some(fewest);
        }
        excess *= 2;
    }
}

/// The numbers of empty rows and of rows of weight 1 that a code may have: at most so many together.
pub(super) fn light_rows(most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..=most).flat_map(move |empty| (0..=most - empty).map(move |single| (empty, single)))
}
