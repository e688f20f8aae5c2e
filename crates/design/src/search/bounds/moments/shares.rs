//! Lemma 27 of docs/theory/bounds.md: rows that are won when some points are taken for certain.

use super::super::binomials::Binomials;

/// For every number x of points taken: how many choices of the others win a row, and the least sums of them.
pub(super) struct Shares {
    /// `wins[x][w]`: the (t − x)-subsets of n − x points that hold most of w given points.
    pub(super) wins: Vec<Vec<u64>>,
    /// `all[x]`: all of these subsets.
    pub(super) all: Vec<u64>,
    /// `least[x][first][rows][excess]`: the least Σ wins over so many rows of light loads from 3 + 2·first
    /// on whose sum is rows·(3 + 2·first) + 2·excess; `u64::MAX` where there are none.
    least: Vec<Vec<Vec<Vec<u64>>>>,
}

impl Shares {
    /// For n workers and partitions, and sums of loads up to `most`.
    pub(super) fn new(n: usize, most: usize) -> Self {
        let binomials = Binomials::up_to(n);
        let t = (n - 1) / 2;
        let count = |x: usize, w: usize| -> u64 {
            if w > n - x {
                return 0;
            }
            let held = w.div_ceil(2)..=w.min(t - x);
            held.map(|i| binomials.of(w, i) * binomials.of(n - x - w, t - x - i)).sum::<u128>() as u64
        };
        let wins: Vec<Vec<u64>> = (0..=t).map(|x| (0..=n).map(|w| count(x, w)).collect()).collect();
        let all = (0..=t).map(|x| binomials.of(n - x, t - x) as u64).collect();
        let least = wins.iter().map(|wins| least(wins, n, most)).collect();
        Self { wins, all, least }
    }

    /// The least Σ wins, x points being taken, of so many rows of light loads from `lightest` on with this
    /// sum; `None` where there are no such rows.
    pub(super) fn least(&self, x: usize, lightest: usize, rows: usize, sum: usize) -> Option<u64> {
        let table = self.least[x].get((lightest - 3) / 2)?;
        let excess = sum.checked_sub(rows * lightest)?;
        let least = *table[rows].get(excess / 2)?;
        (least < u64::MAX).then_some(least)
    }
}

/// The tables for one x, from the heaviest first load down.
fn least(wins: &[u64], n: usize, most: usize) -> Vec<Vec<Vec<u64>>> {
    let loads = (n - 3) / 2;
    let mut tables: Vec<Vec<Vec<u64>>> = Vec::with_capacity(loads);
    for first in (0..loads).rev() {
        let load = 3 + 2 * first;
        let mut table: Vec<Vec<u64>> = Vec::with_capacity(n + 1);
        for rows in 0..=n {
            let reach = most.checked_sub(rows * load).map_or(0, |left| left / 2 + 1);
            let row = (0..reach).map(|excess| {
                // Without a row of this load the excess over the next one is smaller; with one it stays.
                let without = tables
                    .last()
                    .and_then(|heavier| heavier[rows].get(excess.checked_sub(rows)?))
                    .copied()
                    .unwrap_or(if rows + excess == 0 { 0 } else { u64::MAX });
                let with = rows.checked_sub(1).map_or(u64::MAX, |rest| table[rest][excess]);
                without.min(with.saturating_add(wins[load]))
            });
            let row = row.collect();
            table.push(row);
        }
        tables.push(table);
    }
    tables.reverse();
    tables
}
