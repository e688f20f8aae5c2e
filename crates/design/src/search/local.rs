//! A stated number of rows beside disjoint ones, all of nearly the same load: first feasible, then light.

use rayon::prelude::*;

use super::anneal::{Problem, Row, Schedule, Test, anneal};
use super::effort::Effort;
use super::family::{FamilyProblem, listed};
use crate::construct::{Block, Demand, Placement};

/// The rows of a code that are not full: some of given odd loads that share no partition with any other, and
/// *local* rows on the partitions that are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRows {
    /// Workers, and partitions: odd.
    pub n: usize,
    /// Byzantine workers, at least 1.
    pub b: usize,
    /// The loads of the disjoint rows.
    pub disjoint: Vec<usize>,
    /// Local rows.
    pub rows: usize,
    /// The largest load of a local row.
    pub heaviest: usize,
}

impl LocalRows {
    /// t − b rows of load 1 as the disjoint ones.
    #[must_use]
    pub fn beside_singles(n: usize, b: usize, rows: usize, heaviest: usize) -> Self {
        Self { n, b, disjoint: vec![1; (n - 1) / 2 - b], rows, heaviest }
    }

    /// Partitions that no disjoint row holds; `None` where these hold too many.
    pub(super) fn points(&self) -> Option<usize> {
        self.n.checked_sub(self.disjoint.iter().sum()).filter(|&points| points > 0)
    }

    /// `wins[x]`: how many of the disjoint rows x partitions can win, for x up to t.
    fn wins(&self) -> Vec<usize> {
        let mut majorities: Vec<usize> = self.disjoint.iter().map(|load| load.div_ceil(2)).collect();
        majorities.sort_unstable();
        let won = |mut left: usize| {
            majorities.iter().take_while(|&&a| left.checked_sub(a).map(|rest| left = rest).is_some()).count()
        };
        (0..=(self.n - 1) / 2).map(won).collect()
    }

    /// How many local rows a set of so many partitions may win ("beside disjoint rows" in docs/theory/lighter.md); `None`
    /// where the disjoint rows alone win too many.
    pub(super) fn allowed(&self) -> Option<Vec<usize>> {
        let wins = self.wins();
        let t = (self.n - 1) / 2;
        (0..=t.min(self.points()?)).map(|k| t.checked_sub(self.b)?.checked_sub(wins[t - k])).collect()
    }

    /// The lightest load that a local row can have, at least 3: a row of load 1 is a disjoint one. `None` where there is
    /// none.
    pub(super) fn lightest(&self) -> Option<usize> {
        // Won by a partitions, which may win no row yet where allowed[a] is 0.
        let a = self.allowed()?.iter().take_while(|&&rows| rows == 0).count();
        let points = self.points()?;
        Some(2 * a.max(2) - 1).filter(|&load| load <= points)
    }

    /// The sets of partitions that can win too many: those that can win a row, and may not win all.
    fn tests(&self, lightest: usize) -> Option<Vec<Test>> {
        let (points, allowed) = (self.points()?, self.allowed()?);
        // Where one more partition may win no more rows, the larger set says as much.
        let binds = |k: usize| {
            k >= lightest.div_ceil(2)
                && allowed.get(k).is_some_and(|&rows| rows < self.rows && allowed.get(k + 1) != Some(&rows))
        };
        let sets = (1..1_u32 << points).filter(|set| binds(set.count_ones() as usize));
        Some(
            sets.map(|points| Test { points, old: 0, allowed: allowed[points.count_ones() as usize] as u8 })
                .collect(),
        )
    }

    /// The fewest ones that such a code could have, its local rows as light as they can be.
    pub(super) fn fewest(&self) -> Option<usize> {
        let full = self.n.checked_sub(self.disjoint.len() + self.rows)?;
        Some(self.disjoint.iter().sum::<usize>() + self.rows * self.lightest()? + full * self.n)
    }

    /// The lightest such rows that the effort finds; `None` where it finds none, or there are more than
    /// [`FamilyProblem::MOST_POINTS`] partitions for them. Each restart looks for any feasible rows first, cooling down from
    /// a temperature of 3, and goes on from there at a price of 0.15 a one. Deterministic like [`super::anneal_family`].
    ///
    /// ```
    /// use ecode_design::search::{Effort, LocalRows};
    /// let effort = Effort { moves: 20_000, restarts: 4, seed: 1, rotation: 1 };
    /// let rows = LocalRows::beside_singles(11, 1, 4, 5).anneal(effort, &|| false).ok_or("none")?;
    /// assert_eq!(rows.rows.len(), 4);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn anneal(&self, effort: Effort, stopped: &(dyn Fn() -> bool + Sync)) -> Option<Block> {
        let points = self.points().filter(|&points| points <= FamilyProblem::MOST_POINTS)?;
        let lightest = self.lightest()?;
        let problem = Problem {
            points,
            old: 0,
            rows: self.rows,
            lightest,
            heaviest: self.heaviest.min(points),
            free: 0,
            tests: self.tests(lightest)?,
            rotation: None,
        };
        if problem.heaviest < lightest || self.rows == 0 {
            return None;
        }
        let weight = |rows: &[Row]| rows.iter().map(|row| row.weight()).sum::<usize>();
        let (_, _, rows) = (0..effort.restarts)
            .into_par_iter()
            .filter_map(|restart| {
                let Effort { seed, moves, .. } = effort;
                let feasible = Schedule { seed, restart, moves, hot: 3.0, cold: 0.3, price: 0.0 };
                let start = anneal(&problem, &feasible, &[], stopped)?;
                let lighter = Schedule { hot: 1.0, cold: 0.2, price: 0.15, ..feasible };
                let rows = anneal(&problem, &lighter, &start, stopped)?;
                Some((weight(&rows), restart, rows))
            })
            .min_by_key(|&(weight, restart, _)| (weight, restart))?;
        Some(self.block(&rows, points, effort))
    }

    fn block(&self, rows: &[Row], points: usize, effort: Effort) -> Block {
        let Self { n, b, disjoint, .. } = self;
        let found = effort.found();
        if points == FamilyProblem::whole(*n, *b).points && disjoint.iter().all(|&load| load == 1) {
            let placement = placement(*b, points, rows.len());
            return Block { placement, b: *b, points, workers: 0, rows: listed(rows, points), found };
        }
        let mut first = 0;
        let mut all: Vec<(Vec<usize>, usize)> = Vec::new();
        for load in disjoint {
            all.push(((first..first + load).collect(), 0));
            first += load;
        }
        let local = listed(rows, points);
        all.extend(local.into_iter().map(|(row, _)| (row.into_iter().map(|i| i + first).collect(), 0)));
        Block { placement: Placement::Code, b: *b, points: *n, workers: *n, rows: all, found }
    }
}

/// Where a family may stand that wins at most |K| − b rows with every K of b to `points` − b − 1 points. Where it has so few
/// rows that no larger K could win too many, it may stand before other parts.
pub(super) fn placement(b: usize, points: usize, rows: usize) -> Placement {
    if rows + 2 * b <= points { Placement::First } else { Placement::Whole }
}

/// What a round without instructions tries: the numbers of local rows that could beat `than` ones, the smallest two.
pub(super) fn beside_singles(demand: &Demand, than: usize) -> Vec<LocalRows> {
    let Demand { n, b, .. } = *demand;
    promising(&LocalRows::beside_singles(n, b, 0, n), than, 2, &[0, 2, 4])
}

/// The same beside other disjoint rows, of load 1 and 3, where few partitions are left for the local rows.
pub(super) fn beside_others(demand: &Demand, than: usize) -> Vec<LocalRows> {
    let Demand { n, b, .. } = *demand;
    let singles = (n - 1) / 2 - b;
    let mut all = Vec::new();
    for one in 0..=singles {
        for three in (0..=(n - one) / 3).filter(|&three| one < singles || three > 0) {
            let disjoint = [vec![1; one], vec![3; three]].concat();
            let kind = LocalRows { n, b, disjoint, rows: 0, heaviest: n };
            if kind.points().is_some_and(|points| points <= MOST_BESIDE_OTHERS) && kind.allowed().is_some() {
                all.extend(promising(&kind, than, 2, &[2, 6]));
            }
        }
    }
    all
}

/// Of these kinds there are many; with more points each takes too long.
const MOST_BESIDE_OTHERS: usize = 14;

/// The first `count` numbers of local rows with which the kind could beat `than` ones, each with these allowances above the
/// lightest load.
fn promising(kind: &LocalRows, than: usize, count: usize, above: &[usize]) -> Vec<LocalRows> {
    let Some(lightest) = kind.lightest() else { return Vec::new() };
    let numbers = (1..=kind.n - kind.disjoint.len())
        .filter(|&rows| LocalRows { rows, ..kind.clone() }.fewest().is_some_and(|fewest| fewest < than))
        .take(count);
    numbers
        .flat_map(|rows| {
            above.iter().map(move |above| LocalRows { rows, heaviest: lightest + above, ..kind.clone() })
        })
        .collect()
}
