//! Codes for a [`Demand`]: other numbers of partitions than workers, no load above a limit, the heaviest
//! worker as light as possible. How little there can be, and annealing over all messages that matter.
//!
//! # What is promised
//! - What [`limits`] calls impossible is so, by the theorem that it names; its bounds hold for every code
//!   that tolerates b under the tie rule.
//! - A code from [`pursue`] has the sizes and loads asked for and passed every test of the search; that it
//!   is tolerant is for [`ecode_verify`] to say.

use rayon::prelude::*;

use super::anneal::{Problem, Row, Schedule, Test, anneal};
use super::bounds::{AVERAGED, Frame, averaging, bounds, split};
use super::family::{Effort, lightest};
use crate::construct::{Block, ConstructError, Demand, Kind, Objective};
use ecode_core::TieRule;

/// A number that no code for the demand is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The number: of ones, or of partitions that the heaviest worker holds.
    pub least: usize,
    /// What the bound is called.
    pub name: &'static str,
    /// Where its proof is.
    pub source: &'static str,
}

/// How little there can be of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of ones, in codes that keep the demand's limit on loads.
    pub ones: Limit,
    /// Of the heaviest worker's partitions.
    pub max_load: Limit,
}

/// Why there are no limits.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LimitError {
    /// The demand is none.
    #[error(transparent)]
    Demand(#[from] ConstructError),
    /// No code meets the demand: proven.
    #[error("no code exists: {reason} ({source_of_proof})")]
    Impossible {
        /// In a few words.
        reason: String,
        /// Where the proof is.
        source_of_proof: &'static str,
    },
}

fn impossible<T>(reason: String, source_of_proof: &'static str) -> Result<T, LimitError> {
    Err(LimitError::Impossible { reason, source_of_proof })
}

/// Split averaging under a limit is worked out up to here, within a second.
const SPLIT_LIMITED: usize = 21;

/// (n, b) for which exhaustion has shown that some worker holds everything.
const FULL_ROW_NEEDED: [(usize, usize); 3] = [(7, 1), (9, 1), (11, 2)];

/// The strongest bounds that are known for the demand.
///
/// ```
/// use ecode_design::construct::Demand;
/// use ecode_design::search::limits;
/// // Nine workers, a liar among them, and as many partitions: somebody has to hold all of them.
/// let demand = Demand { max_load: 7, ..Demand::square(9, 1) };
/// assert!(limits(&demand).is_err());
/// // With five partitions nobody needs more than three.
/// let demand = Demand { k: 5, ..demand };
/// assert!(limits(&demand)?.max_load.least <= 3);
/// # Ok::<(), ecode_design::search::LimitError>(())
/// ```
///
/// # Errors
/// [`LimitError`]: sizes that are none, or a demand that no code meets.
pub fn limits(demand: &Demand) -> Result<Limits, LimitError> {
    demand.check()?;
    let Demand { n, k, b, ties, .. } = *demand;
    if k % 2 == 0 && b > 0 && ties != TieRule::Zero {
        return impossible(
            format!(
                "an even number of partitions, k = {k}, leaves room for a liar under the tie rule zero only; \
                 take an odd one, such as k = {}",
                k - 1
            ),
            "docs/theory.md, Theorem 4",
        );
    }
    let most = demand.max_load.min(k);
    let columns = (2 * b + 1) * k;
    let by_columns = |least| Limit { least, name: "columns", source: "docs/theory.md, Theorem 6" };
    let mut limits = Limits { ones: by_columns(columns), max_load: by_columns(columns.div_ceil(n)) };
    let too_light = |least: usize, source| {
        impossible(format!("some worker holds at least {least} partitions, and --max-load is {most}"), source)
    };
    if limits.max_load.least > most {
        return too_light(limits.max_load.least, limits.max_load.source);
    }
    // Where the other rules ask for as much as `adversarial` (Theorem 5).
    let alike = matches!(ties, TieRule::Adversarial | TieRule::Zero) || ties == TieRule::One && n % 2 == 1;
    if k % 2 == 0 || !alike {
        return Ok(limits);
    }
    // Lemma 10: all loads may be taken to be odd.
    let odd = |load: usize| load - (load + 1) % 2;
    let frame = |heaviest| Frame { n, k, budget: (n - 1) / 2 - b, heaviest };
    let name = |by_split| if by_split { "split averaging" } else { "averaging" };
    let source = |by_split| {
        if by_split { "docs/theory.md, Theorem 12" } else { "docs/theory.md, Theorem 11" }
    };
    // The fewest ones under a limit and whether the split says so; `None` where there is no code.
    let fewest = |heaviest: usize| -> (Option<usize>, bool) {
        let frame = frame(heaviest);
        let mean = averaging(frame);
        if mean.is_none() || n.max(k) > SPLIT_LIMITED || frame.budget >= frame.v() {
            return (mean, false);
        }
        let none = n * heaviest + 1;
        let parts = split(frame, none);
        (Some(parts).filter(|&parts| parts < none), mean != Some(parts))
    };
    limits.max_load.least |= 1;
    if limits.max_load.least > most {
        return too_light(limits.max_load.least, limits.max_load.source);
    }
    if n.max(k) <= AVERAGED {
        let mut by_split = false;
        let mut load = limits.max_load.least;
        loop {
            let (ones, by) = fewest(load);
            if ones.is_some() {
                break;
            }
            by_split = by;
            load += 2;
            if load > most {
                return too_light(load, source(by_split));
            }
        }
        if load > limits.max_load.least {
            limits.max_load = Limit { least: load, name: name(by_split), source: source(by_split) };
        }
        if let (Some(ones), by_split) = fewest(odd(most))
            && ones > limits.ones.least
        {
            limits.ones = Limit { least: ones, name: name(by_split), source: source(by_split) };
        }
    }
    if n == k && n % 2 == 1 {
        let exhausted = "ecode search --exact --max-load; docs/theory/exhaustion.md";
        if b > 0 && FULL_ROW_NEEDED.contains(&(n, b)) {
            limits.max_load = Limit { least: n, name: "exhaustion", source: exhausted };
            if most < n {
                return too_light(n, exhausted);
            }
        }
        if let Some(bound) = bounds(n, b)?.pop().filter(|bound| bound.ones > limits.ones.least) {
            limits.ones = Limit { least: bound.ones, name: bound.name, source: bound.source };
        }
    }
    Ok(limits)
}

/// More tests than this take too long in every move.
const MOST_TESTS: usize = 400_000;

/// One kind of messages that matter: sets of `size` partitions that speak against the answer.
struct Side {
    size: usize,
    /// Whether a row must have more than half in the set to be won, and not only half.
    beyond: bool,
    allowed: usize,
}

/// By Theorems 1 and 2 of docs/theory.md. For an odd k what `adversarial` asks for, which is enough under
/// every rule.
fn sides(demand: &Demand) -> Option<Vec<Side>> {
    let Demand { n, k, b, ties, .. } = *demand;
    let side =
        |size: usize, beyond: bool, right: usize| Some(Side { size, beyond, allowed: right.checked_sub(b)? });
    let ones = side((k - 1) / 2, ties == TieRule::One && k % 2 == 0, (n - 1) / 2)?;
    if k % 2 == 1 {
        return Some(vec![ones]);
    }
    Some(vec![side(k / 2, ties == TieRule::Zero, n / 2)?, ones])
}

/// The problem without its number of rows: tests over the partitions and, where a side takes more than
/// half, one free point. A row of even load holds it: with it half is a majority in the tests
/// that hold it too, and no majority in the others.
fn problem(demand: &Demand) -> Result<Problem, ConstructError> {
    let k = demand.k;
    let sides = sides(demand).unwrap_or_default();
    let tests: usize = sides.iter().map(|side| choices(k, side.size)).sum();
    if k > 30 || tests > MOST_TESTS || tests == 0 {
        return Err(ConstructError::Parameter(format!(
            "the search looks at every message that matters: for k = {k} partitions these are too many, \
             and it takes k up to 21 (20 where k is even)"
        )));
    }
    let free = if sides.iter().any(|side| side.beyond) { 1_u32 << k } else { 0 };
    let tests = sides
        .iter()
        .flat_map(|side| {
            let mark = if side.beyond { 0 } else { free };
            (0..1_u32 << k).filter(|set| set.count_ones() as usize == side.size).map(move |set| Test {
                points: set | mark,
                old: 0,
                allowed: side.allowed.min(255) as u8,
            })
        })
        .collect();
    let points = k + usize::from(free != 0);
    let heaviest = demand.max_load.min(most_load(demand));
    Ok(Problem { points, old: 0, rows: 0, heaviest, free, tests, turn: None })
}

/// The largest load of use: a full row is never turned wrong, but where it can tie. There no code has rows
/// of even load (Theorem 4), but under `abstain`, and that is left out.
fn most_load(demand: &Demand) -> usize {
    if demand.k % 2 == 0 && demand.ties != TieRule::Zero { demand.k - 1 } else { demand.k }
}

/// C(k, i), or more than any limit.
fn choices(k: usize, i: usize) -> usize {
    (0..i.min(k - i)).fold(1, |product: usize, j| product.saturating_mul(k - j) / (j + 1))
}

/// The best code for the demand that this effort finds and that is better than the price `than`, as a
/// list of its rows that are not full. Deterministic like [`super::improve`]. Loads are odd but under
/// `zero` with an even k.
///
/// ```
/// use ecode_design::construct::Demand;
/// use ecode_design::search::{Effort, pursue};
/// let demand = Demand { k: 5, max_load: 3, ..Demand::square(9, 1) };
/// let effort = Effort { moves: 20_000, restarts: 4, seed: 1, turn: 1 };
/// let found = pursue(&demand, effort, None, &|| false)?.ok_or("none")?;
/// assert!(demand.fits(&found.code()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there are too many messages to look at: k above 21.
pub fn pursue(
    demand: &Demand,
    effort: Effort,
    than: Option<(usize, usize)>,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Block>, ConstructError> {
    demand.check()?;
    let problem = problem(demand)?;
    let mut best: Option<Block> = None;
    let mut price = than;
    let mut offer = |rows: Vec<Row>| -> bool {
        let block = block(demand, &problem, &rows, effort);
        let Ok(matrix) = block.code() else { return false };
        let better = demand.fits(&matrix) && price.is_none_or(|price| demand.price(&matrix) < price);
        if better {
            price = Some(demand.price(&matrix));
            best = Some(block);
        }
        better
    };
    let light = |max_load: usize| light(demand, &problem, max_load, effort, stopped);
    if demand.objective == Objective::Ones {
        light(problem.heaviest).map(offer);
        return Ok(best);
    }
    // Lower and lower, as long as there are codes.
    let mut least = than.map_or(problem.heaviest + 1, |(heaviest, _)| heaviest);
    while let Some(rows) = (least > 1).then(|| any(demand, &problem, least - 1, effort, stopped)).flatten() {
        least = rows.iter().map(|row| (row.points & !problem.free).count_ones() as usize).max().unwrap_or(0);
        if !offer(rows) {
            break;
        }
    }
    if demand.objective == Objective::Lexicographic && least <= problem.heaviest {
        light(least).map(offer);
    }
    Ok(best)
}

/// Rows for all workers, none above the limit.
fn any(
    demand: &Demand,
    problem: &Problem,
    max_load: usize,
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let problem = effort.turned(Problem { rows: demand.n, heaviest: max_load, ..problem.clone() }, demand.k);
    (0..effort.restarts)
        .into_par_iter()
        .find_map_first(|restart| anneal(&problem, &schedule(effort, restart, 0.0), &[], stopped))
}

/// The lightest family: rows for all workers where full ones are forbidden, else as many as are worth it.
fn light(
    demand: &Demand,
    problem: &Problem,
    max_load: usize,
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    if max_load >= demand.k {
        let of = |rows| Problem { rows, ..problem.clone() };
        return lightest(&of, demand.k as i64, demand.n, effort, stopped);
    }
    let problem = effort.turned(Problem { rows: demand.n, heaviest: max_load, ..problem.clone() }, demand.k);
    let weight = |rows: &[Row]| rows.iter().map(|row| (row.points & !problem.free).count_ones()).sum::<u32>();
    (0..effort.restarts)
        .into_par_iter()
        .filter_map(|restart| {
            let rows = anneal(&problem, &schedule(effort, restart, 0.1), &[], stopped)?;
            Some((weight(&rows), restart, rows))
        })
        .min_by_key(|&(weight, restart, _)| (weight, restart))
        .map(|(_, _, rows)| rows)
}

fn schedule(effort: Effort, restart: u64, price: f64) -> Schedule {
    Schedule { seed: effort.seed, restart, moves: effort.moves, hot: 2.0, cold: 0.15, price }
}

fn block(demand: &Demand, problem: &Problem, rows: &[Row], effort: Effort) -> Block {
    let points = |row: &Row| (0..demand.k).filter(|i| (row.points & !problem.free) >> i & 1 == 1).collect();
    Block {
        kind: Kind::Code,
        b: demand.b,
        points: demand.k,
        workers: demand.n,
        rows: rows.iter().map(|row| (points(row), 0)).collect(),
        found: effort.found(),
    }
}
