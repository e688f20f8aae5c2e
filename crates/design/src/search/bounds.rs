//! Lower bounds on the ones of a tolerant code.
//!
//! # What is promised
//! Every bound holds for every code with n = k that tolerates b under `adversarial`, `zero` or `one`,
//! and under `abstain` where all loads are odd; the columns bound without that restriction. Rows may be
//! empty. Proofs: docs/theory/bounds.md. All arithmetic is in integers.

use crate::construct::{Algorithm1, ConstructError};

/// A number of ones that no tolerant code is below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What the bound is called.
    pub name: &'static str,
    /// No tolerant code has fewer ones.
    pub ones: usize,
    /// Where the proof is.
    pub source: &'static str,
}

impl Bound {
    /// Whether it was found by exhaustion and not by a theorem.
    #[must_use]
    pub fn by_search(&self) -> bool {
        self.name == EXHAUSTION
    }
}

/// The averaging bound needs C(n, t) and sums of it in 128 bits.
pub(super) const AVERAGED: usize = 101;

/// The split bound is worked out up to here, within a second.
const SPLIT: usize = 41;

/// Every bound that is known for (n, b), the strongest last (among equal ones the simplest last).
///
/// ```
/// use ecode_design::search::bounds;
/// let strongest = bounds(9, 3)?.pop().ok_or("no bound")?;
/// // Algorithm 1 has 71 ones for (9, 3): nothing can be better.
/// assert_eq!(strongest.ones, 71);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When n is even or 0, or b > (n − 1)/2: there no code tolerates b, or the bounds do not speak of it.
pub fn bounds(n: usize, b: usize) -> Result<Vec<Bound>, ConstructError> {
    if n % 2 == 0 {
        return Err(ConstructError::Parameter(format!(
            "the bounds speak of an odd number of workers, but n = {n}"
        )));
    }
    let t = (n - 1) / 2;
    if b > t {
        return Err(ConstructError::Parameter(format!(
            "no code tolerates b = {b} of n = {n} workers: b is at most {t}"
        )));
    }
    let mut bounds = Vec::new();
    if b > 0 && n <= SPLIT {
        bounds.push(Bound {
            name: "split averaging",
            ones: split(Frame::square(n, b), Algorithm1::new(n, b)?.ones()),
            source: "docs/theory.md, Theorem 12",
        });
    }
    if b > 0
        && n <= AVERAGED
        && let Some(ones) = averaging(Frame::square(n, b))
    {
        bounds.push(Bound { name: "averaging", ones, source: "docs/theory.md, Theorem 11" });
    }
    if b + 1 == t && b > 0 {
        bounds.push(Bound { name: "two rows", ones: n * n - n - 1, source: "docs/theory.md, Theorem 13" });
    }
    bounds.push(Bound {
        name: "columns",
        ones: n * (2 * b + 1),
        source: "docs/theory.md, Theorem 6; n(2b + 1)",
    });
    if let Some(excluded) = exhausted().find(|excluded| (excluded.n, excluded.b) == (n, b)) {
        let source = "ecode search --exact; docs/theory/exhaustion.md";
        bounds.push(Bound { name: EXHAUSTION, ones: excluded.at_least, source });
    }
    bounds.sort_by_key(|bound| bound.ones);
    Ok(bounds)
}

/// A bound that exhaustion has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Workers.
    pub n: usize,
    /// Byzantine workers.
    pub b: usize,
    /// No tolerant code has fewer ones.
    pub at_least: usize,
    /// How many families had to be built to exclude all smaller totals.
    pub families: u64,
}

/// The bounds that [`super::minimum`] has proven and the program keeps.
pub fn exhausted() -> impl Iterator<Item = Exhausted> {
    include_str!("minima.txt").lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let numbers: Vec<u64> = line.split(' ').map_while(|number| number.parse().ok()).collect();
        let [n, b, at_least, families] = numbers[..] else { return None };
        Some(Exhausted { n: n as usize, b: b as usize, at_least: at_least as usize, families })
    })
}

const EXHAUSTION: &str = "exhaustion";

/// C(n, i) for n up to a limit.
pub(super) struct Binomials(Vec<Vec<u128>>);

impl Binomials {
    pub(super) fn up_to(n: usize) -> Self {
        let mut rows: Vec<Vec<u128>> = vec![vec![1]];
        for m in 1..=n {
            let last = &rows[m - 1];
            let row = (0..=m).map(|i| if i == 0 || i == m { 1 } else { last[i - 1] + last[i] }).collect();
            rows.push(row);
        }
        Self(rows)
    }

    /// 0 outside the triangle.
    fn of(&self, n: usize, i: usize) -> u128 {
        self.0[n].get(i).copied().unwrap_or(0)
    }
}

/// The least of all ways to sum up costs: entry [m][x] is the least Σ cost over m rows of weights
/// 3 + 2v whose excesses v add up to x. `costs[v]` is the cost of weight 3 + 2v.
pub(super) fn least(costs: &[u128], rows: usize, excess: usize) -> Vec<Vec<u128>> {
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

/// The sizes that the averages speak of: n workers, messages of weight v over k partitions, k odd, of which
/// none may win more than `budget` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) budget: usize,
    /// The largest load that a row may have, at most k.
    pub(super) heaviest: usize,
}

impl Frame {
    /// As many partitions as workers, any loads.
    pub(super) fn square(n: usize, b: usize) -> Self {
        Self { n, k: n, budget: (n - 1) / 2 - b, heaviest: n }
    }

    pub(super) fn v(self) -> usize {
        (self.k - 1) / 2
    }

    /// The most rows of load 0 or 1 (Lemma 10, which takes a message that holds all of these loads).
    pub(super) fn light(self) -> usize {
        if self.budget < self.v() { self.budget } else { self.n }
    }

    /// The most that the loads can exceed 3 by, in twos, all rows together.
    fn most_excess(self) -> usize {
        self.n * self.heaviest.saturating_sub(2).div_ceil(2)
    }
}

/// Theorem 11: the least total weight of n rows whose mean number of wins over all messages of weight v
/// is within the budget; `None` where there are none.
pub(super) fn averaging(frame: Frame) -> Option<usize> {
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
fn light_rows(most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..=most).flat_map(move |empty| (0..=most - empty).map(move |single| (empty, single)))
}

/// Theorem 12: the least over the number s of partitions that rows of weight 1 hold, or `to` where all
/// totals below it are excluded. Speaks of frames whose budget is below v only.
pub(super) fn split(frame: Frame, to: usize) -> usize {
    let binomials = Binomials::up_to(frame.k);
    let Some(known) = averaging(frame) else { return to };
    // No case need be worked out beyond the least so far.
    (0..=frame.budget).rev().fold(to, |least, s| Split::new(frame, s, &binomials).fewest(known, least))
}

/// One case of Theorem 12: the rows of weight 1 hold exactly the partitions of a set S of s.
pub(super) struct Split {
    frame: Frame,
    s: usize,
    /// `rows[v][share][j]`: how many messages with j ones in S win a row of weight 3 + 2v < k that has
    /// `share` partitions in S, counted from the fewest that it may have.
    pub(super) rows: Vec<Vec<Vec<u128>>>,
    /// How many messages have j ones in S.
    pub(super) messages: Vec<u128>,
    /// j times as many: how many win a row of weight 1, summed over the partitions of S.
    pub(super) single: Vec<u128>,
}

impl Split {
    pub(super) fn new(frame: Frame, s: usize, binomials: &Binomials) -> Self {
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
    pub(super) fn weightings(&self) -> Vec<Vec<u128>> {
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
        let heavy = Rows { costs: &costs, tables };
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
                    .find(|&x| heavy.fit(rows, x, (usize::MAX, usize::MAX), &left, &mut { PATIENCE }))
                    .map_or(fewest, |x| base + 2 * x);
            }
        }
        fewest
    }
}

/// So many steps are spent on excluding one total; then it counts as not excluded.
const PATIENCE: u32 = 300;

/// Rows of weight 3 to n − 2: what each costs under every weighting, and the least for any number.
struct Rows<'a> {
    /// `costs[v][share][weighting]`.
    costs: &'a [Vec<Vec<u128>>],
    /// `tables[weighting][rows][excess]`.
    tables: Vec<Vec<Vec<u128>>>,
}

impl Rows<'_> {
    /// Whether `rows` rows with excess x, none before `last` in the order of falling (v, share), may cost
    /// at most `left` under every weighting. Errs towards true when patience ends.
    fn fit(&self, rows: usize, x: usize, last: (usize, usize), left: &[u128], patience: &mut u32) -> bool {
        if self.tables.iter().zip(left).any(|(table, left)| table[rows][x] > *left) {
            return false;
        }
        if rows == 0 || *patience == 0 {
            return true;
        }
        *patience -= 1;
        // The heaviest row has at least the mean excess.
        for v in (x.div_ceil(rows)..=x.min(last.0).min(self.costs.len().saturating_sub(1))).rev() {
            for (share, costs) in self.costs[v].iter().enumerate().rev() {
                if (v, share) > last {
                    continue;
                }
                let rest: Option<Vec<u128>> =
                    left.iter().zip(costs).map(|(left, cost)| left.checked_sub(*cost)).collect();
                if let Some(rest) = rest
                    && self.fit(rows - 1, x - v, (v, share), &rest, patience)
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
