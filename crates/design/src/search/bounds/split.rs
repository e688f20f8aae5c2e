//! Theorem 12: the averages are taken apart by how many ones a message has in the partitions of the rows of load 1.

use super::averaging::{Frame, averaging, least, light_rows};
use super::binomials::Binomials;

/// Theorem 12: the least over the number s of partitions that rows of weight 1 hold, or `to` where all
/// totals below it are excluded. Speaks of frames whose budget is below v only.
pub(super) fn split(frame: Frame, to: usize) -> usize {
    let binomials = Binomials::up_to(frame.k);
    let Some(known) = averaging(frame) else { return to };
    // No case need be worked out beyond the least so far.
    (0..=frame.budget).rev().fold(to, |least, s| Split::new(frame, s, &binomials).fewest(known, least))
}

/// One case of Theorem 12: the rows of weight 1 hold exactly the partitions of a set S of s.
pub(in crate::search) struct Split {
    frame: Frame,
    s: usize,
    /// `rows[v][share][j]`: how many messages with j ones in S win a row of weight 3 + 2v < k that has
    /// `share` partitions in S, counted from the fewest that it may have.
    pub(in crate::search) rows: Vec<Vec<Vec<u128>>>,
    /// How many messages have j ones in S.
    pub(in crate::search) messages: Vec<u128>,
    /// j times as many: how many win a row of weight 1, summed over the partitions of S.
    pub(in crate::search) single: Vec<u128>,
}

impl Split {
    pub(in crate::search) fn new(frame: Frame, s: usize, binomials: &Binomials) -> Self {
        let t = frame.v();
        let outside = frame.k - s;
        let messages = (0..=s).map(|j| binomials.of(s, j) * binomials.of(outside, t - j)).collect();
        let single = (0..=s).map(|j| j as u128 * binomials.of(s, j) * binomials.of(outside, t - j)).collect();
        // tail[v][need][k]: sets of k of the n − s with at least `need` among v given ones.
        let tail: Vec<Vec<Vec<u128>>> = (0..=outside)
            .map(|v| {
                (0..=v + 1)
                    .map(|need| {
                        (0..=t)
                            .map(|k| {
                                (need..=v.min(k))
                                    .map(|y| binomials.of(v, y) * binomials.of(outside - v, k - y))
                                    .sum()
                            })
                            .collect()
                    })
                    .collect()
            })
            .collect();
        let wins = |a: usize, w: usize, j: usize| -> u128 {
            (0..=a.min(j))
                .map(|x| {
                    let need = w.div_ceil(2).saturating_sub(x).min(w - a + 1);
                    binomials.of(a, x) * binomials.of(s - a, j - x) * tail[w - a][need][t - j]
                })
                .sum()
        };
        let rows = (3..frame.k.min(frame.heaviest + 1))
            .step_by(2)
            .map(|w| {
                (w.saturating_sub(outside)..=s.min(w))
                    .map(|a| (0..=s).map(|j| wins(a, w, j)).collect())
                    .collect()
            })
            .collect();
        Self { frame, s, rows, messages, single }
    }

    /// How much a message counts that has j ones in S: several ways, each of which gives a constraint.
    /// A number of ones on its own, and mixtures of the most with the fewest.
    pub(in crate::search) fn weightings(&self) -> Vec<Vec<u128>> {
        // Large enough that rounding does not matter, small enough for 128 bits.
        let scale = 1_u128 << 84;
        let weigh = |shares: &[(usize, u128)]| {
            let mut weights = vec![0; self.s + 1];
            for &(j, share) in shares {
                weights[j] += share * (scale / self.messages[j]);
            }
            weights
        };
        let mut all: Vec<Vec<u128>> = (0..=self.s).map(|j| weigh(&[(j, 1)])).collect();
        for low in 0..self.s.min(2) {
            all.extend((1..4).map(|share| weigh(&[(low, share), (self.s, 4 - share)])));
        }
        all
    }

    /// The least total weight, from `from` on, that the constraints do not exclude, if it is below `to`;
    /// else `to`.
    fn fewest(&self, from: usize, to: usize) -> usize {
        let Self { frame, s, .. } = *self;
        let Frame { n, k, budget, heaviest } = frame;
        let weightings = self.weightings();
        let per_weighting = |counts: &[u128]| -> Vec<u128> {
            weightings
                .iter()
                .map(|weights| weights.iter().zip(counts).map(|(w, count)| w * count).sum())
                .collect()
        };
        let costs: Vec<Vec<Vec<u128>>> =
            self.rows.iter().map(|shares| shares.iter().map(|wins| per_weighting(wins)).collect()).collect();
        let (all, light) = (per_weighting(&self.messages), per_weighting(&self.single));
        // Every total below `to` has at most this excess.
        let excess = to.saturating_sub(3 * (n - frame.light())) / 2;
        let tables = (0..weightings.len())
            .map(|c| {
                let cheapest: Vec<u128> = costs
                    .iter()
                    .map(|shares| shares.iter().map(|costs| costs[c]).min().unwrap_or(0))
                    .collect();
                least(&cheapest, n, excess)
            })
            .collect();
        let heavy = HeavyRows { costs: &costs, tables };
        let mut fewest = to;
        for (empty, single) in
            light_rows(frame.light()).filter(|&(_, single)| single >= s && (s > 0 || single == 0))
        {
            let left: Option<Vec<u128>> = all
                .iter()
                .zip(&light)
                .map(|(all, light)| {
                    let singles = if s == 0 { 0 } else { single as u128 * light / s as u128 };
                    (budget as u128 * all).checked_sub(empty as u128 * all + singles)
                })
                .collect();
            let Some(left) = left else { continue };
            let most_full = if heaviest < k { 0 } else { n - empty - single };
            for full in 0..=most_full {
                let rows = n - empty - single - full;
                let base = single + k * full + 3 * rows;
                let first = from.saturating_sub(base).div_ceil(2);
                // x stays within the tables: base ≥ 3(n − light).
                fewest = (first..=excess)
                    .take_while(|x| base + 2 * x < fewest)
                    .find(|&x| heavy.fit(rows, x, (usize::MAX, usize::MAX), &left, &mut { MOST_STEPS }))
                    .map_or(fewest, |x| base + 2 * x);
            }
        }
        fewest
    }
}

/// So many steps are spent on excluding one total; then it counts as not excluded.
const MOST_STEPS: u32 = 300;

/// Rows of weight 3 to n − 2: what each costs under every weighting, and the least for any number.
struct HeavyRows<'a> {
    /// `costs[v][share][weighting]`.
    costs: &'a [Vec<Vec<u128>>],
    /// `tables[weighting][rows][excess]`.
    tables: Vec<Vec<Vec<u128>>>,
}

impl HeavyRows<'_> {
    /// Whether `rows` rows with excess x, none before `last` in the order of falling (v, share), may cost
    /// at most `left` under every weighting. Errs towards true when the steps are used up.
    fn fit(&self, rows: usize, x: usize, last: (usize, usize), left: &[u128], steps: &mut u32) -> bool {
        if self.tables.iter().zip(left).any(|(table, left)| table[rows][x] > *left) {
            return false;
        }
        if rows == 0 || *steps == 0 {
            return true;
        }
        *steps -= 1;
        // The heaviest row has at least the mean excess.
        for v in (x.div_ceil(rows)..=x.min(last.0).min(self.costs.len().saturating_sub(1))).rev() {
            for (share, costs) in self.costs[v].iter().enumerate().rev() {
                if (v, share) > last {
                    continue;
                }
                let rest: Option<Vec<u128>> =
                    left.iter().zip(costs).map(|(left, cost)| left.checked_sub(*cost)).collect();
                if let Some(rest) = rest
                    && self.fit(rows - 1, x - v, (v, share), &rest, steps)
                {
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wins that the bounds count are those of rows, by enumeration.
    #[test]
    fn wins_are_counted_as_the_messages_have_it() {
        let (n, b, s) = (9_usize, 1, 2);
        let binomials = Binomials::up_to(n);
        let split = Split::new(Frame::square(n, b), s, &binomials);
        for w in (3..n).step_by(2) {
            for (share, wins) in split.rows[(w - 3) / 2].iter().enumerate() {
                let a = share + w.saturating_sub(n - s);
                // a partitions of S = {0, 1}, the others from 2 on.
                let row = ((1_u32 << a) - 1) | (((1 << (w - a)) - 1) << s);
                let mut counted = vec![0; s + 1];
                for message in (0_u32..1 << n).filter(|message| message.count_ones() == 4) {
                    let wrong = 2 * (message & row).count_ones() as usize > w;
                    counted[(message & 3).count_ones() as usize] += u128::from(wrong);
                }
                assert_eq!(*wins, counted, "w = {w}, a = {a}");
            }
        }
        assert_eq!(split.messages, [35, 70, 21]);
        assert_eq!(split.single, [0, 70, 42]);
    }

    #[test]
    fn bounds_of_small_codes() {
        // Theorem 11 by hand for (3, 1): no row may ever be won, so all are full.
        assert_eq!(averaging(Frame::square(3, 1)), Some(9));
        for (n, b, mean, parts) in [
            (5, 1, 17, 17),
            (9, 1, 33, 35),
            (9, 2, 51, 53),
            (11, 1, 41, 43),
            (15, 1, 57, 63),
            (21, 1, 81, 87),
            (31, 1, 121, 127),
        ] {
            let frame = Frame::square(n, b);
            assert_eq!((averaging(frame), split(frame, n * n)), (Some(mean), parts), "n = {n}, b = {b}");
        }
    }
}
