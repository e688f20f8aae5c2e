//! One restart of the annealing.
//!
//! # References
//! S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, *Optimization by Simulated Annealing*, Science 220 (1983), 671–680.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::evaluation::Evaluation;
use super::neighbourhood::{below, neighbour, random_row};
use super::problem::{Problem, Row};
use super::rotation::Rotation;

/// How the annealing goes.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The random seed.
    pub seed: u64,
    /// Which restart under this seed.
    pub restart: u64,
    /// Moves per restart.
    pub moves: u64,
    /// The first temperature, in wins too many.
    pub hot: f64,
    /// The last temperature.
    pub cold: f64,
    /// The price of a one, in wins too many.
    pub price: f64,
}

/// One restart: anneals from `start` (random rows where it is empty) and returns the lightest feasible
/// family on the way, or none. `stopped` is asked every 256 moves: some
/// milliseconds.
#[must_use]
pub fn anneal(
    problem: &Problem,
    schedule: &Schedule,
    start: &[Row],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has the features that the function is compiled for.
        return unsafe { anneal_avx2(problem, schedule, start, stopped) };
    }
    anneal_on(problem, schedule, start, stopped)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn anneal_avx2(
    problem: &Problem,
    schedule: &Schedule,
    start: &[Row],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    anneal_on(problem, schedule, start, stopped)
}

#[inline(always)]
fn anneal_on(
    problem: &Problem,
    schedule: &Schedule,
    start: &[Row],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let mut random = ChaCha8Rng::seed_from_u64(schedule.seed);
    random.set_stream(schedule.restart);
    if let Some(rotation) = problem.rotation {
        return anneal_rotated(problem, rotation, schedule, random, stopped);
    }
    let mut rows = start.to_vec();
    rows.truncate(problem.rows);
    while rows.len() < problem.rows {
        rows.push(random_row(problem, &mut random));
    }
    let mut family = Evaluation::new(problem, rows);
    let load = |row: Row| row.load(problem.free);
    let mut weight: usize = family.rows.iter().map(|&row| load(row)).sum();
    // Where no move is possible, or none is taken, the start may do.
    let begin = (family.excess == 0).then(|| (weight, family.rows.clone()));
    let mut best: Option<(usize, Vec<Row>)> = None;
    let cooling = (schedule.cold / schedule.hot).ln() / schedule.moves.max(1) as f64;
    let mut temperature = schedule.hot;
    for step in 0..schedule.moves {
        if step % 256 == 0 {
            temperature = schedule.hot * (cooling * step as f64).exp();
            if stopped() {
                break;
            }
        }
        let j = below(&mut random, problem.rows);
        let Some(row) = neighbour(problem, family.rows[j], &mut random) else { continue };
        let growth = family.growth(j, row);
        let heavier = load(row) as i64 - load(family.rows[j]) as i64;
        let energy = growth as f64 + schedule.price * heavier as f64;
        let uniform = f64::from(random.next_u32()) / f64::from(u32::MAX);
        if energy > 0.0 && uniform >= (-energy / temperature).exp() {
            continue;
        }
        family.take(j, row);
        weight = (weight as i64 + heavier) as usize;
        if family.excess == 0 && best.as_ref().is_none_or(|&(least, _)| weight < least) {
            best = Some((weight, family.rows.clone()));
            if schedule.price <= 0.0 {
                break;
            }
        }
    }
    best.or(begin).map(|(_, rows)| sorted(rows))
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| (row.weight(), row.points.reverse_bits()));
    rows
}

/// The same over the families that the rotation leaves as they are: whole orbits change at once.
#[inline(always)]
fn anneal_rotated(
    problem: &Problem,
    rotation: Rotation,
    schedule: &Schedule,
    mut random: ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let orbits = problem.rows / rotation.order;
    let stays = |group: usize| group >= orbits;
    let images = |group: usize, row: Row, images: &mut Vec<Row>| {
        images.clear();
        let count = if stays(group) { 1 } else { rotation.order };
        images.extend(rotation.orbit(row.points).take(count).map(|points| Row { points, ..row }));
    };
    let mut orbit = Vec::with_capacity(rotation.order);
    let place = |group: usize| {
        if stays(group) { group + orbits * (rotation.order - 1) } else { group * rotation.order }
    };
    let groups = orbits + problem.rows % rotation.order;
    let mut rows = Vec::with_capacity(problem.rows);
    for group in 0..groups {
        let mut row = random_row(problem, &mut random);
        if stays(group) {
            row.points = (0..problem.points)
                .filter(|i| row.points >> i & 1 == 1)
                .fold(0, |points, i| points | rotation.cycle_of(i));
            if row.weight() % 2 == 0 {
                // Another cycle of odd length makes it odd, or nothing does.
                let odd = (0..problem.points)
                    .map(|i| rotation.cycle_of(i))
                    .find(|cycle| cycle.count_ones() % 2 == 1)?;
                row.points ^= odd;
            }
            if row.load(problem.free) == 0 || row.load(problem.free) > problem.heaviest {
                return None;
            }
        }
        images(group, row, &mut orbit);
        rows.extend_from_slice(&orbit);
    }
    let mut family = Evaluation::new(problem, rows);
    let mut new = vec![vec![0; family.words()]; rotation.order];
    let load = |row: &Row| row.load(problem.free);
    let mut weight: usize = family.rows.iter().map(load).sum();
    let mut best = (family.excess == 0).then(|| (weight, family.rows.clone()));
    let cooling = (schedule.cold / schedule.hot).ln() / schedule.moves.max(1) as f64;
    let mut temperature = schedule.hot;
    for step in 0..schedule.moves / rotation.order as u64 {
        if step % 256 == 0 {
            temperature = schedule.hot * (cooling * (step * rotation.order as u64) as f64).exp();
            if stopped() {
                break;
            }
        }
        let group = below(&mut random, groups);
        let old = family.rows[place(group)];
        let next = if stays(group) {
            let mut next = old;
            next.points ^= rotation.cycle_of(below(&mut random, problem.points));
            next.points ^= rotation.cycle_of(below(&mut random, problem.points));
            let sound = next != old
                && next.weight() % 2 == 1
                && next.points & !problem.free != 0
                && next.load(problem.free) <= problem.heaviest;
            sound.then_some(next)
        } else {
            neighbour(problem, old, &mut random)
        };
        let Some(next) = next else { continue };
        images(group, next, &mut orbit);
        let growth = family.joint_growth(place(group), &orbit, &mut new);
        let many = if stays(group) { 1 } else { rotation.order as i64 };
        let heavier = many * (load(&next) as i64 - load(&old) as i64);
        let energy = growth as f64 + schedule.price * heavier as f64;
        let uniform = f64::from(random.next_u32()) / f64::from(u32::MAX);
        if energy > 0.0 && uniform >= (-energy / temperature).exp() {
            continue;
        }
        for (i, (&row, wins)) in orbit.iter().zip(&new).enumerate() {
            family.candidate.copy_from_slice(wins);
            family.take(place(group) + i, row);
        }
        weight = (weight as i64 + heavier) as usize;
        if family.excess == 0 && best.as_ref().is_none_or(|&(least, _)| weight < least) {
            best = Some((weight, family.rows.clone()));
            if schedule.price <= 0.0 {
                break;
            }
        }
    }
    best.map(|(_, rows)| sorted(rows))
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::search::anneal::{message_tests, part_tests};

    /// Where the processor has AVX2, [`anneal`] never runs the portable version by itself.
    #[test]
    fn every_instruction_set_finds_the_same_family() {
        let problem = |points, old, rows, tests| Problem {
            points,
            old,
            rows,
            lightest: 1,
            heaviest: points + usize::from(old),
            free: 0,
            tests,
            rotation: None,
        };
        let problems = [
            problem(7, 0, 7, message_tests(7, 1)),
            problem(5, 2, 3, part_tests(5, 1, 2)),
            problem(7, 0, 7, message_tests(7, 1)).rotated(Rotation { order: 7, cycles: 1 }),
        ];
        let mut found = 0;
        for problem in problems {
            for restart in 0..4 {
                let schedule = Schedule { seed: 1, restart, moves: 2000, hot: 2.0, cold: 0.15, price: 0.1 };
                let portable = anneal_on(&problem, &schedule, &[], &|| false);
                found += usize::from(portable.is_some());
                assert_eq!(anneal(&problem, &schedule, &[], &|| false), portable);
            }
        }
        assert!(found > 0);
    }
}
