//! Promise: the distortion that every engine finds is the largest over all sets of liars, counted by the definition.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::{AllocationMatrix, TieRule, Workers, overturned};
use ecode_design::construct::{groups, mols, ramanujan};
use ecode_verify::{Assignment, Control, Engine as _, Exhaustive, Goal, Instance, Method, engines};

fn random(seed: u64) -> impl FnMut(u64) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) % below) as usize
    }
}

/// f files, each held by r of K workers at random.
fn assignment(
    workers: usize,
    files: usize,
    r: usize,
    random: &mut impl FnMut(u64) -> usize,
) -> AllocationMatrix {
    let mut columns = Vec::new();
    for _ in 0..files {
        let mut all: Vec<usize> = (0..workers).collect();
        for place in 0..r {
            all.swap(place, place + random((workers - place) as u64));
        }
        columns.push(all[..r].to_vec());
    }
    AllocationMatrix::from_fn(workers, files, |j, i| columns[i].contains(&j)).unwrap()
}

/// For each q the most files that q liars overturn, over all sets, from the definition and nothing else.
fn counted(g: &AllocationMatrix) -> Vec<usize> {
    let holders: Vec<u32> =
        (0..g.k()).map(|i| (0..g.n()).map(|j| u32::from(g.holds(j, i)) << j).sum()).collect();
    let mut most = vec![0; g.n() + 1];
    for set in 0_u32..1 << g.n() {
        let files =
            holders.iter().filter(|&&held| 2 * (held & set).count_ones() >= held.count_ones()).count();
        let most = &mut most[set.count_ones() as usize];
        *most = files.max(*most);
    }
    most
}

fn worst(g: &AllocationMatrix, liars: usize) -> usize {
    let point = Assignment::new(g).unwrap().worst(liars, 0, Method::Auto, &Control::default()).unwrap();
    assert!(point.is_exact());
    assert_eq!(point.worst.count(), liars);
    assert_eq!(overturned(g, &point.worst, &Workers::empty(g.n())).count(), point.files);
    point.files
}

/// Random assignments of up to 16 workers with r up to 5, every q from none to all; even r too, where half is enough.
#[test]
fn random_assignments_lose_what_brute_force_says() {
    let mut random = random(3);
    for round in 0..60 {
        let workers = 2 + random(15);
        let r = 1 + random(5.min(workers as u64));
        let g = assignment(workers, 1 + random(24), r, &mut random);
        let exact = counted(&g);
        for (liars, &files) in exact.iter().enumerate() {
            assert_eq!(worst(&g, liars), files, "round {round}, {liars} liars, {g:?}");
        }
    }
}

#[test]
fn every_engine_finds_the_same() {
    let mut random = random(5);
    for _ in 0..6 {
        let workers = 2 + random(7);
        let r = 1 + random(5.min(workers as u64));
        let g = assignment(workers, 1 + random(12), r, &mut random);
        let exact = counted(&g);
        let assignment = Assignment::new(&g).unwrap();
        for (liars, &files) in exact.iter().enumerate() {
            let point = assignment.worst(liars, 0, Method::All, &Control::default()).unwrap();
            assert_eq!((point.files, point.at_most), (files, files), "{liars} liars, {g:?}");
            for engine in engines() {
                let instance = assignment.instance(liars);
                engine.suits(instance).unwrap();
                let found = engine.examine_from(instance, Goal::Radius, None, &Control::default());
                let margin = (g.k() / 2) as i64 - files as i64;
                assert_eq!(found.floor, Some(margin), "{} with {liars} liars, {g:?}", engine.name());
                assert_eq!(found.worst.map(|worst| worst.message.count()), Some(liars), "{}", engine.name());
            }
        }
    }
}

/// At q = t = (k − 1)/2, the new question is the old one with rows and columns exchanged.
#[test]
fn ten_thousand_matrices_answer_both_questions_alike() {
    let mut random = random(9);
    for _ in 0..10_000 {
        let (n, k) = (1 + random(9), 1 + 2 * random(5));
        let dense = 1 + random(9);
        let g = AllocationMatrix::from_fn(n, k, |_, _| random(10) < dense).unwrap();
        // No row is empty: a file has a holder.
        let g = AllocationMatrix::from_fn(n, k, |j, i| g.holds(j, i) || g.worker_load(j) == 0 && i == j % k);
        let g = g.unwrap();
        let transposed = g.transposed();
        let point = Assignment::new(&transposed)
            .unwrap()
            .worst((k - 1) / 2, 0, Method::Exhaustive, &Control::default())
            .unwrap();
        let instance = Instance::new(&g, TieRule::Adversarial);
        let found = Exhaustive.examine_from(instance, Goal::Radius, None, &Control::default());
        assert_eq!(point.files, found.worst.unwrap().wrong.count(), "{g:?}");
        assert!(point.is_exact());
    }
}

/// What ByzShield publishes, and what was counted over all sets beyond that.
#[test]
fn known_assignments_lose_what_is_known() {
    let cases: [(AllocationMatrix, &[(usize, usize)]); 3] = [
        (mols(5, 3).unwrap(), &[(2, 1), (3, 3), (4, 5), (5, 8), (6, 12), (7, 14)]),
        (ramanujan(5, 5).unwrap(), &[(3, 1), (4, 1), (5, 2), (6, 4), (7, 5), (8, 7), (9, 9)]),
        (mols(7, 5).unwrap(), &[(3, 1), (4, 1), (5, 2), (6, 4), (7, 5), (8, 8)]),
    ];
    for (g, known) in cases {
        for &(liars, files) in known {
            assert_eq!(worst(&g, liars), files, "{} workers, {liars} liars", g.n());
        }
    }
    for (n, r) in [(15, 3), (15, 5), (21, 7), (45, 5), (33, 3)] {
        let g = groups(n, r).unwrap();
        for liars in 0..=n / 2 {
            assert_eq!(worst(&g, liars), liars / r.div_ceil(2), "groups of {r} of {n}, {liars} liars");
        }
    }
}

/// Liars and missing copies together, against every pair of sets.
#[test]
fn stragglers_are_as_bad_as_they_can_be() {
    let mut random = random(11);
    for _ in 0..25 {
        let workers = 3 + random(5);
        let g = assignment(workers, 1 + random(8), 1 + random(3), &mut random);
        for stragglers in 0..=2 {
            for liars in 0..=workers - stragglers {
                let sets =
                    |of: usize| (0_u32..1 << workers).filter(move |set| set.count_ones() as usize == of);
                let workers_of =
                    |set: u32| Workers::from_indices(workers, (0..workers).filter(|j| set >> j & 1 == 1));
                let most = sets(stragglers)
                    .flat_map(|missing| sets(liars).map(move |lies| (missing, lies)))
                    .filter(|(missing, lies)| missing & lies == 0)
                    .map(|(missing, lies)| overturned(&g, &workers_of(lies), &workers_of(missing)).count())
                    .max();
                let point = Assignment::new(&g).unwrap();
                let point = point.worst(liars, stragglers, Method::Auto, &Control::default()).unwrap();
                assert_eq!((Some(point.files), point.is_exact()), (most, true), "{liars} {stragglers} {g:?}");
                assert_eq!(overturned(&g, &point.worst, &point.missing).count(), point.files);
                assert_eq!(point.missing.count(), stragglers);
            }
        }
    }
}

/// What is stopped says so, and its bounds hold.
#[test]
fn stopped_work_keeps_bounds_that_hold() {
    let g = mols(7, 5).unwrap();
    let control = Control::default();
    control.stop();
    let liars: Vec<usize> = (0..=9).collect();
    let points = Assignment::new(&g).unwrap().points(&liars, 0, Method::Auto, &control).unwrap();
    for (point, exact) in points.iter().zip([0, 0, 0, 1, 1, 2, 4, 5, 8]) {
        assert!(point.files <= exact && exact <= point.at_most, "{point:?}");
    }
    assert!(!points[8].is_exact());
    let rises = |pair: &[ecode_verify::Distortion]| {
        pair[0].files <= pair[1].files && pair[0].at_most <= pair[1].at_most
    };
    assert!(points.windows(2).all(rises));
}
