//! Looking for families of local rows: as many rows as possible, then as few ones as possible.

use rayon::prelude::*;

use super::anneal::{Problem, Row, Schedule, Test, anneal, local_tests, message_tests, part_tests};
use super::effort::Effort;
use super::local::{LocalRows, placement};
use crate::construct::{Block, Placement};

/// A search problem: the family that is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyProblem {
    /// Where the family may stand.
    pub placement: Placement,
    /// The number of Byzantine workers.
    pub b: usize,
    /// Points of the family, at most [`FamilyProblem::MOST_POINTS`].
    pub points: usize,
    /// The largest number of old points in a row; 0 for families that stand first.
    pub old: u8,
}

impl FamilyProblem {
    /// Beyond this many points a restart takes minutes.
    pub const MOST_POINTS: usize = 20;

    /// The same for parts, which have b + 1 times as many tests.
    pub const MOST_PART_POINTS: usize = 16;

    /// All local rows of a code for (n, b): a family on the N = (n + 1)/2 + b partitions that no
    /// dictator holds.
    #[must_use]
    pub fn whole(n: usize, b: usize) -> Self {
        Self { placement: Placement::Whole, b, points: n.div_ceil(2) + b, old: 0 }
    }

    /// A code for (n, b) of any shape: every row, messages of weight t as tests.
    #[must_use]
    pub fn code(n: usize, b: usize) -> Self {
        Self { placement: Placement::Code, b, points: n, old: 0 }
    }

    /// What a full row costs: n where the family is the whole code's, else more than any row.
    fn full(self) -> i64 {
        match self.placement {
            Placement::Whole => 2 * (self.points - self.b) as i64 - 1,
            Placement::Code => self.points as i64,
            Placement::First | Placement::Part => 1 << 20,
        }
    }

    fn problem(self, rows: usize) -> Problem {
        let tests = match self.placement {
            Placement::Part => part_tests(self.points, self.b, self.old),
            Placement::Code => message_tests(self.points, self.b),
            Placement::First => local_tests(self.points, self.b, self.points),
            Placement::Whole => local_tests(self.points, self.b, self.points - self.b - 1),
        };
        let old = if self.placement == Placement::Part { self.old } else { 0 };
        Problem {
            points: self.points,
            old,
            rows,
            lightest: 1,
            heaviest: self.points + usize::from(old),
            free: 0,
            tests,
            rotation: None,
        }
    }
}

/// The tests of rows beside disjoint ones: with `allowed[k]` wins for a K of k points.
fn tests_with_disjoint_rows(points: usize, allowed: &[usize]) -> Vec<Test> {
    let binds = |k: usize| k < allowed.len() && allowed.get(k + 1) != Some(&allowed[k]);
    let tests = (1..1_u32 << points).filter_map(|points| {
        let k = points.count_ones() as usize;
        binds(k).then(|| Test { points, old: 0, allowed: allowed[k] as u8 })
    });
    tests.collect()
}

/// The best code for (n, b) that this effort finds in which rows of these odd loads share no partition
/// with any other row that is not full; `None` where they win too much already, leave no partition or more
/// than [`FamilyProblem::MOST_POINTS`], or nothing is found. Deterministic like [`anneal_family`].
#[must_use]
pub fn anneal_with_disjoint_rows(
    n: usize,
    b: usize,
    loads: &[usize],
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Block> {
    let start: usize = loads.iter().sum();
    let beside = LocalRows { n, b, disjoint: loads.to_vec(), rows: 0, heaviest: n };
    let points = beside.points().filter(|points| *points <= FamilyProblem::MOST_POINTS)?;
    let tests = tests_with_disjoint_rows(points, &beside.allowed()?);
    let problem = |rows| Problem {
        points,
        old: 0,
        rows,
        lightest: 1,
        heaviest: points,
        free: 0,
        tests: tests.clone(),
        rotation: None,
    };
    let found = lightest(&problem, n as i64, n.checked_sub(loads.len())?, effort, stopped)?;
    let mut rows = Vec::new();
    let mut first = 0;
    for load in loads {
        rows.push(((first..first + load).collect(), 0));
        first += load;
    }
    rows.extend(found.iter().map(|row| {
        ((0..points).filter(|i| row.points >> i & 1 == 1).map(|i| i + start).collect::<Vec<_>>(), 0)
    }));
    let loads: Vec<String> = loads.iter().map(usize::to_string).collect();
    let found =
        effort.found().replacen("search", &format!("search with disjoint loads {}", loads.join(",")), 1);
    Some(Block { placement: Placement::Code, b, points: n, workers: n, rows, found })
}

/// The best family that this effort finds: the least Σ (weight − n) over its rows, n being the cost of
/// the full rows that they replace (for families inside larger codes: the most rows, then the fewest
/// ones). `None` where it finds no row at all. The same problem, effort and seed give the same family on
/// every machine and at any number of threads, unless `stopped` ends it.
///
/// ```
/// use ecode_design::search::{Effort, FamilyProblem, anneal_family};
/// let effort = Effort { moves: 20_000, restarts: 4, seed: 1, rotation: 1 };
/// let family = anneal_family(FamilyProblem::whole(11, 1), effort, &|| false).ok_or("no family")?;
/// assert_eq!(family.rows.len(), 4);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn anneal_family(
    problem: FamilyProblem,
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Block> {
    let most = if problem.placement == Placement::Code { problem.points } else { usize::MAX };
    let placement = |rows: usize| match problem.placement {
        Placement::Whole => placement(problem.b, problem.points, rows),
        placement => placement,
    };
    lightest(&|rows| problem.problem(rows), problem.full(), most, effort, stopped).map(|rows| Block {
        placement: placement(rows.len()),
        b: problem.b,
        points: problem.points,
        workers: if problem.placement == Placement::Code { problem.points } else { 0 },
        rows: listed(&rows, problem.points),
        found: effort.found(),
    })
}

/// A family like this one, as many rows on as many points, with fewer ones; `None` where the effort finds none. Annealing
/// starts from it, not so hot that nothing is left of it. Families of the kinds that are glued only.
///
/// ```
/// use ecode_design::construct::{blocks, part_with_most_rows};
/// use ecode_design::search::{Effort, reduce_weight};
/// // What the lemma makes of the best family on 9 points for two liars is not the lightest.
/// let part = part_with_most_rows(2, 9, &[]).ok_or("no part")?;
/// let effort = Effort { moves: 5000, restarts: 4, seed: 1, rotation: 1 };
/// let lighter = reduce_weight(&part, effort, &|| false).ok_or("none found")?;
/// assert!(lighter.rows.len() == part.rows.len() && lighter.weight() < part.weight());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn reduce_weight(family: &Block, effort: Effort, stopped: &(dyn Fn() -> bool + Sync)) -> Option<Block> {
    let Block { placement, b, points, .. } = *family;
    let old = family.rows.iter().map(|&(_, old)| old).max()? as u8;
    if !matches!(placement, Placement::First | Placement::Part) || points > FamilyProblem::MOST_POINTS {
        return None;
    }
    let start: Vec<Row> = family
        .rows
        .iter()
        .map(|(row, old)| Row { points: row.iter().fold(0, |set, i| set | 1 << i), old: *old as u8 })
        .collect();
    let problem = FamilyProblem { placement, b, points, old }.problem(start.len());
    let found = (0..effort.restarts)
        .into_par_iter()
        .filter_map(|restart| {
            let schedule =
                Schedule { seed: effort.seed, restart, moves: effort.moves, hot: 0.6, cold: 0.2, price: 0.1 };
            let rows = anneal(&problem, &schedule, &start, stopped)?;
            Some((rows.iter().map(|row| row.weight()).sum::<usize>(), restart, rows))
        })
        .min_by_key(|&(weight, restart, _)| (weight, restart));
    let (_, _, rows) = found.filter(|&(weight, ..)| weight < family.weight())?;
    Some(Block { rows: listed(&rows, points), found: effort.found(), ..family.clone() })
}

/// Rows as blocks list them.
pub(super) fn listed(rows: &[Row], points: usize) -> Vec<(Vec<usize>, usize)> {
    let list = |row: &Row| (0..points).filter(|i| row.points >> i & 1 == 1).collect();
    rows.iter().map(|row| (list(row), usize::from(row.old))).collect()
}

/// The family with the least Σ (weight − full) over at most `most` rows that the effort finds.
pub(super) fn lightest(
    problem: &(dyn Fn(usize) -> Problem + Sync),
    full: i64,
    most: usize,
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let cost = |rows: &[Row]| rows.iter().map(|row| row.weight() as i64 - full).sum::<i64>();
    let schedule = |restart, price| Schedule {
        seed: effort.seed,
        restart,
        moves: effort.moves,
        hot: 2.0,
        cold: 0.15,
        price,
    };
    let problem = |rows| {
        let problem = problem(rows);
        let points = problem.points - problem.free.count_ones() as usize;
        effort.with_symmetry(problem, points)
    };
    let mut best: Option<Vec<Row>> = None;
    let (mut rows, mut most_found) = (1, 0);
    // Not every number of rows can be rotated.
    let gap = effort.rotation.max(1);
    while !stopped() && rows <= most && rows <= most_found + gap {
        let problem = problem(rows);
        let found = (0..effort.restarts)
            .into_par_iter()
            .find_map_first(|restart| anneal(&problem, &schedule(restart, 0.0), &[], stopped));
        if let Some(found) = found {
            best = Some(found);
            most_found = rows;
        }
        rows += 1;
    }
    // The lightest families with the most rows, and with one row fewer.
    for rows in [most_found, most_found.saturating_sub(1)] {
        if rows == 0 || stopped() {
            continue;
        }
        let problem = problem(rows);
        let lightest = (0..effort.restarts)
            .into_par_iter()
            .filter_map(|restart| {
                let family = anneal(&problem, &schedule(restart, 0.1), &[], stopped)?;
                Some((cost(&family), restart, family))
            })
            .min_by_key(|&(cost, restart, _)| (cost, restart));
        if let Some((lighter, _, family)) = lightest
            && best.as_ref().is_none_or(|best| lighter < cost(best))
        {
            best = Some(family);
        }
    }
    best
}
