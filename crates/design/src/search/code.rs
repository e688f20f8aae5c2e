//! Annealing over all messages that matter: codes for any [`Demand`], no shape assumed.
//!
//! # What is promised
//! A code that is returned has the sizes and loads asked for and passed every test of the search; that it
//! is tolerant is for [`ecode_verify`] to say.
//!
//! # References
//! S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, *Optimization by Simulated Annealing*, Science 220 (1983), 671–680.

use rayon::prelude::*;

use super::anneal::{Problem, Row, Schedule, Test, anneal};
use super::bounds::choose;
use super::effort::Effort;
use super::family::lightest;
use crate::construct::{Block, ConstructError, Demand, Objective, Placement, refuse};
use ecode_core::TieRule;
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
    let tests: usize = sides.iter().map(|side| choose(k, side.size)).sum();
    if k > 30 || tests > MOST_TESTS || tests == 0 {
        return refuse(format!(
            "the search looks at every message that matters: for k = {k} partitions these are too many, \
             and it takes k up to 21 (20 where k is even)"
        ));
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
    Ok(Problem { points, old: 0, rows: 0, lightest: 1, heaviest, free, tests, rotation: None })
}

/// The largest load of use: a full row is never turned wrong, but where it can tie. There no code has rows
/// of even load (Theorem 4), but under `abstain`, and that is left out.
fn most_load(demand: &Demand) -> usize {
    if demand.k % 2 == 0 && demand.ties != TieRule::Zero { demand.k - 1 } else { demand.k }
}

/// The best code for the demand that this effort finds and that is better than the price `than`, as a
/// list of its rows that are not full. Deterministic like [`super::anneal_family`]. Loads are odd but under
/// `zero` with an even k.
///
/// ```
/// use ecode_design::construct::Demand;
/// use ecode_design::search::{Effort, anneal_code};
/// let demand = Demand { k: 5, max_load: 3, ..Demand::square(9, 1) };
/// let effort = Effort { moves: 20_000, restarts: 4, seed: 1, rotation: 1 };
/// let found = anneal_code(&demand, effort, None, &|| false)?.ok_or("none")?;
/// assert!(demand.fits(&found.code()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there are too many messages to look at: k above 21.
pub fn anneal_code(
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
    let light = |max_load: usize| anneal_lightest(demand, &problem, max_load, effort, stopped);
    if demand.objective == Objective::Ones {
        light(problem.heaviest).map(offer);
        return Ok(best);
    }
    // Lower and lower, as long as there are codes.
    let mut least = than.map_or(problem.heaviest + 1, |(heaviest, _)| heaviest);
    while let Some(rows) =
        (least > 1).then(|| anneal_feasible(demand, &problem, least - 1, effort, stopped)).flatten()
    {
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
fn anneal_feasible(
    demand: &Demand,
    problem: &Problem,
    max_load: usize,
    effort: Effort,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let problem =
        effort.with_symmetry(Problem { rows: demand.n, heaviest: max_load, ..problem.clone() }, demand.k);
    (0..effort.restarts)
        .into_par_iter()
        .find_map_first(|restart| anneal(&problem, &schedule(effort, restart, 0.0), &[], stopped))
}

/// The lightest family: rows for all workers where full ones are forbidden, else as many as are worth it.
fn anneal_lightest(
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
    let problem =
        effort.with_symmetry(Problem { rows: demand.n, heaviest: max_load, ..problem.clone() }, demand.k);
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
        placement: Placement::Code,
        b: demand.b,
        points: demand.k,
        workers: demand.n,
        rows: rows.iter().map(|row| (points(row), 0)).collect(),
        found: effort.found(),
    }
}
