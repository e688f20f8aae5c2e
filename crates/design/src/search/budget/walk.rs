//! Simulated annealing over codes that keep a budget.
//!
//! # How
//! A move exchanges a partition of a row for another, or gives two partitions of a row up for two of another row, so
//! that loads stay odd; where ones are left it may also take two more. It is accepted when the logarithm of the value
//! grows by less than the temperature times a random number of mean 1, which is drawn first: then looking ends as soon
//! as the value is beyond it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

use super::messages::below;
use super::request::BudgetRequest;
use super::row::Row;
use super::votes::Votes;

/// How long an annealing walks, and how freely.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) moves: u64,
    /// The temperature at the beginning, of the logarithm of the value.
    pub(super) hot: f64,
    /// The temperature at the end.
    pub(super) cold: f64,
}

/// `stopped` is asked after so many moves, and the temperature falls.
const STEP: u64 = 256;

/// Random rows that spend the budget evenly.
pub(super) fn random_rows(request: &BudgetRequest, random: &mut ChaCha8Rng) -> Vec<Row> {
    let BudgetRequest { n, k, ones, .. } = *request;
    let heaviest = request.heaviest();
    let mut loads = vec![1; n];
    let mut left = ones - n;
    while left >= 2 && loads.iter().any(|&load| load + 2 <= heaviest) {
        let least = loads.iter().copied().filter(|load| load + 2 <= heaviest).min().unwrap_or(heaviest);
        let light: Vec<usize> = (0..n).filter(|&j| loads[j] == least).collect();
        loads[light[below(random, light.len())]] += 2;
        left -= 2;
    }
    loads.into_iter().map(|load| Row::random(k, load, random)).collect()
}

/// Codes that others have made, where random ones may lead nowhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Structure {
    /// A partition a worker.
    Uncoded,
    /// Consecutive partitions.
    Cyclic,
    /// Groups of workers that hold the same partitions.
    Groups,
}

/// The rows of a structure, as heavy as the budget allows for all alike.
pub(super) fn structured(request: &BudgetRequest, structure: Structure) -> Vec<Row> {
    let BudgetRequest { n, k, ones, .. } = *request;
    let most = (ones / n).min(request.heaviest());
    let load = if most % 2 == 1 { most } else { most - 1 };
    let row = |j: usize| match structure {
        Structure::Uncoded => Row::of(k, [j % k]),
        Structure::Cyclic => Row::of(k, (j..j + load).map(|i| i % k)),
        Structure::Groups => Row::of(k, (j / load * load..(j / load + 1) * load).map(|i| i % k)),
    };
    (0..n).map(row).collect()
}

/// Walks from these rows. The best value met, and its rows.
pub(super) fn anneal(
    request: &BudgetRequest,
    votes: &mut Votes,
    mut rows: Vec<Row>,
    schedule: Schedule,
    random: &mut ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> (f64, Vec<Row>) {
    let mut current = votes.value();
    let mut best = (current, rows.clone());
    let mut ones: usize = rows.iter().map(Row::load).sum();
    let mut candidates = [rows[0].clone(), rows[0].clone()];
    let mut temperature = schedule.hot;
    let mut accepted = 0_u64;
    for step in 0..schedule.moves {
        if step % STEP == 0 {
            if stopped() {
                break;
            }
            let done = step as f64 / schedule.moves as f64;
            temperature = schedule.hot * (schedule.cold / schedule.hot).powf(done);
        }
        let Some(workers) = propose(request, &rows, ones, &mut candidates, random) else { continue };
        let changed = [(workers[0], &candidates[0]), (workers[1], &candidates[1])];
        let count = if workers[0] == workers[1] { 1 } else { 2 };
        // Uniform in (0, 1].
        let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let Some(value) = votes.look(&changed[..count], current * uniform.powf(-temperature)) else {
            continue;
        };
        votes.accept(&workers[..count]);
        current = value;
        for (&j, candidate) in workers[..count].iter().zip(&mut candidates) {
            ones = ones + candidate.load() - rows[j].load();
            std::mem::swap(&mut rows[j], candidate);
        }
        if accepted % 64 == 0 {
            votes.reorder();
        }
        accepted += 1;
        if value < best.0 {
            best.0 = value;
            best.1.clone_from(&rows);
        }
    }
    best
}

/// Writes one or two new rows to the candidates; returns their workers, the same twice where it is one. `None` where
/// the move that was drawn is none.
fn propose(
    request: &BudgetRequest,
    rows: &[Row],
    ones: usize,
    candidates: &mut [Row; 2],
    random: &mut ChaCha8Rng,
) -> Option<[usize; 2]> {
    let n = rows.len();
    let (heaviest, j) = (request.heaviest(), below(random, n));
    let [first, second] = candidates;
    first.clone_from(&rows[j]);
    let drawn = below(random, 16);
    // Ones are left: mostly they are taken, and rarely given back.
    let more = ones + 2 <= request.ones && rows[j].load() + 2 <= heaviest;
    if more && drawn < 8 {
        first.take(random);
        first.take(random);
        return Some([j, j]);
    }
    if drawn == 15 && below(random, 8) == 0 && rows[j].load() > 2 {
        first.give(random);
        first.give(random);
        return Some([j, j]);
    }
    let other = below(random, n);
    if drawn % 2 == 0 && other != j && rows[j].load() > 2 && rows[other].load() + 2 <= heaviest {
        first.give(random);
        first.give(random);
        second.clone_from(&rows[other]);
        second.take(random);
        second.take(random);
        return Some([j, other]);
    }
    (rows[j].load() < request.k).then(|| {
        first.swap(random);
        [j, j]
    })
}
