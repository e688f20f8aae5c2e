//! The totals, one after the other, and the loads of every one that are left.

use super::exclusion::{Cell, Exclusion, Multipliers, Sums};
use super::kernel::Kernels;
use super::shares::Shares;
use super::weights::{LeftOut, Weighed, climb, leave_out};

/// Loads that second moments exclude, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Rows that hold nothing.
    pub empty: usize,
    /// Rows of load 1.
    pub single: usize,
    /// Partitions that they hold.
    pub held: usize,
    /// Full rows.
    pub full: usize,
    /// The other loads, how many rows have each, and its weight; load 1 among them.
    pub loads: Vec<Weighed>,
    /// The heavier loads that are left out, if some are: their weights do not count.
    pub left_out: Option<LeftOut>,
    /// The multipliers.
    pub multipliers: Multipliers,
}

/// What the tests leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondMoment {
    /// No tolerant code has fewer ones.
    pub at_least: usize,
    /// What second moments exclude below it, in the order in which it was come to.
    pub cases: Vec<Case>,
}

/// Any so many proper sets of n − 1 points can be untied at once (Lemma 26).
fn untied(n: usize) -> i64 {
    match n {
        ..7 => 1,
        7 | 9 => 2,
        _ => 4,
    }
}

/// The least total for (n, b) that the tests do not exclude, or `to` where that is smaller. n is odd and at most
/// 31, and 1 ≤ b ≤ (n − 1)/2.
#[must_use]
pub fn second_moment(n: usize, b: usize, to: usize) -> SecondMoment {
    let mut totals = Totals {
        n,
        b,
        kernels: Kernels::new(n),
        shares: Shares::new(n, to),
        counts: vec![0; (n - 3) / 2],
        cases: Vec::new(),
    };
    let mut at_least = n * (2 * b + 1);
    while at_least < to {
        let before = totals.cases.len();
        if !totals.exclude(at_least) {
            totals.cases.truncate(before);
            break;
        }
        at_least += 1;
    }
    SecondMoment { at_least, cases: totals.cases }
}

/// The work on all totals of one (n, b).
struct Totals {
    n: usize,
    b: usize,
    kernels: Kernels,
    shares: Shares,
    /// Rows of load 3 + 2i so far.
    counts: Vec<usize>,
    cases: Vec<Case>,
}

/// Points that are taken, and the mean number of wins besides, times the number of choices.
#[derive(Clone, Copy)]
struct Forced {
    points: usize,
    wins: u64,
}

/// Light rows so far, and those that are left.
#[derive(Clone, Copy)]
struct Branch {
    /// The lightest load that the next row may have.
    lightest: usize,
    rows: usize,
    sum: usize,
    /// Points that win all rows so far; more than t where there are none.
    points: usize,
}

impl Totals {
    fn budget(&self) -> usize {
        (self.n - 1) / 2 - self.b
    }

    /// Whether no code has this total.
    fn exclude(&mut self, total: usize) -> bool {
        let Self { n, b, .. } = *self;
        for empty in 0..=self.budget() {
            if total < n * (2 * b + 1 + empty) {
                break;
            }
            for single in 0..=self.budget() - empty {
                for held in single.min(1)..=single {
                    for full in 0..=n - empty - single {
                        let Some(sum) = total.checked_sub(single + full * n) else { break };
                        let cell = Cell { n, b, empty, single, held, full };
                        let rows = cell.light();
                        if (3 * rows..=rows * (n - 2)).contains(&sum)
                            && (sum - rows) % 2 == 0
                            && !self.exclude_cell(cell, sum)
                        {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// Whether no code has these rows, the light ones with this sum of loads.
    fn exclude_cell(&mut self, cell: Cell, sum: usize) -> bool {
        let sums = Sums::of_any(cell, sum, &self.kernels);
        if (Exclusion { cell, sums, untied: untied(self.n) }).trivial() {
            return true;
        }
        let Cell { empty, single, held, .. } = cell;
        let forced: Vec<Forced> = (0..=held)
            .map(|points| {
                let won = if held == 0 { 0 } else { (points * single).div_ceil(held) };
                let (all, one) = (self.shares.all[points], self.shares.wins[points][1]);
                Forced { points, wins: (empty + won) as u64 * all + (single - won) as u64 * one }
            })
            .collect();
        let branch = Branch { lightest: 3, rows: cell.light(), sum, points: held };
        self.exclude_loads(cell, branch, &forced)
    }

    /// Whether no choice of the rows that are left leaves a code.
    fn exclude_loads(&mut self, cell: Cell, branch: Branch, forced: &[Forced]) -> bool {
        let Branch { lightest, rows, sum, points } = branch;
        let budget = self.budget() as u64;
        let won_too_often = |&Forced { points, wins }: &Forced| {
            let rest = if rows == 0 {
                (sum == 0).then_some(0)
            } else {
                self.shares.least(points, lightest, rows, sum)
            };
            rest.is_none_or(|rest| wins + rest > budget * self.shares.all[points])
        };
        if forced.iter().any(won_too_often) {
            return true;
        }
        if rows == 0 {
            return self.exclude_leaf(cell);
        }
        let t = (self.n - 1) / 2;
        for load in (lightest..=(self.n - 2).min(sum / rows)).step_by(2) {
            let mut forced: Vec<Forced> = forced
                .iter()
                .map(|forced| Forced { wins: forced.wins + self.shares.wins[forced.points][load], ..*forced })
                .collect();
            let points = points + load.div_ceil(2);
            if points <= t {
                // All rows so far are won for certain.
                let won = (self.n - cell.full - rows + 1) as u64;
                forced.push(Forced { points, wins: won * self.shares.all[points] });
            }
            let points = points.min(t + 1);
            self.counts[(load - 3) / 2] += 1;
            let branch = Branch { lightest: load, rows: rows - 1, sum: sum - load, points };
            let excluded = self.exclude_loads(cell, branch, &forced);
            self.counts[(load - 3) / 2] -= 1;
            if !excluded {
                return false;
            }
        }
        true
    }

    /// Whether the loads that are counted leave no code.
    fn exclude_leaf(&mut self, cell: Cell) -> bool {
        let sums = Sums::of(cell, &self.counts, &self.kernels);
        let exclusion = Exclusion { cell, sums, untied: untied(self.n) };
        if exclusion.trivial() {
            return true;
        }
        let loads: Vec<(usize, usize)> = std::iter::once((1, cell.single))
            .chain(self.counts.iter().enumerate().map(|(i, &rows)| (3 + 2 * i, rows)))
            .filter(|&(_, rows)| rows > 0)
            .collect();
        let Cell { empty, single, held, full, .. } = cell;
        let case =
            |loads, left_out, multipliers| Case { empty, single, held, full, loads, left_out, multipliers };
        let shown = climb(&exclusion, &loads, &self.kernels)
            .map(|(loads, multipliers)| case(loads, None, multipliers))
            .or_else(|| {
                let (loads, left_out, multipliers) = leave_out(&exclusion, &loads, &self.kernels)?;
                Some(case(loads, Some(left_out), multipliers))
            });
        let Some(case) = shown else { return false };
        self.cases.push(case);
        true
    }
}
