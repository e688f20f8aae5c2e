//! Promise: names follow from evidence only; beyond the promise a step stops with nobody named by it; silence costs little
//! over a run. (One step's courses in full are played in `crates/judge/src/game.rs`.)
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ecode_judge::{Assignment, Budget, Digest, Evidence, Excess, Header, Next, Roster, Settlement, assign};

/// The digest of an honest vector of a partition, and of lies.
fn value(partition: usize, lie: usize) -> Digest {
    let mut digest = [0; 32];
    (digest[0], digest[1]) = (partition as u8, lie as u8);
    digest
}

fn holders(lists: &[&[usize]]) -> Assignment {
    Assignment { holders: lists.iter().map(|list| list.to_vec()).collect() }
}

/// Beyond the promise a step stops with nobody named. One liar more than b = 1, on the same partition, frames an
/// honest worker in no case.
#[test]
fn more_liars_than_promised_stop_the_step_and_name_nobody() {
    let assignment = holders(&[&[0, 1, 2], &[0, 1, 2], &[0, 1, 2]]);
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2], 0);
    for partition in 0..3 {
        for worker in 0..3 {
            settlement.digest(worker, partition, value(partition, usize::from(worker != 2)));
        }
    }
    let stop = settlement.next(&mut |_| 0);
    assert_eq!(stop, Next::Stop(Excess::TwoValues { partition: 0 }));
    assert_eq!(settlement.named().count(), 0);
    assert_eq!(settlement.next(&mut |_| 0), stop, "it stays stopped");

    // One may lie, but two do: they contradict the honest workers 1 and 2 as these contradict them.
    let assignment = holders(&[&[0, 1, 2], &[3, 1, 2]]);
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2, 3], 1);
    for (worker, partition, lie) in [(0, 0, 1), (1, 0, 0), (2, 0, 0), (3, 1, 1), (1, 1, 0), (2, 1, 0)] {
        settlement.digest(worker, partition, value(partition, lie));
    }
    let stop = settlement.next(&mut |_| 0);
    assert_eq!(stop, Next::Stop(Excess::Condemned { workers: 4, left: 1 }));
    assert_eq!(settlement.named().count(), 0);
}

#[test]
fn evidence_is_what_the_rules_say() {
    let all = holders(&[&[0, 1, 2]]);
    let step = || {
        let mut settlement = Settlement::new(&all, &[0, 1, 2], 1);
        settlement.digest(1, 0, value(0, 0));
        settlement.digest(2, 0, value(0, 0));
        settlement
    };
    let evidence = |mut settlement: Settlement| {
        settlement.next(&mut |_| 0);
        settlement.named().map(|named| (named.worker, named.evidence)).collect::<Vec<_>>()
    };
    let mut lie = step();
    lie.digest(0, 0, value(0, 1));
    // Two contradict where one can be faulty.
    assert_eq!(evidence(lie), [(0, Evidence::Contradicted(2))]);
    let mut vector = step();
    vector.digest(0, 0, value(0, 0));
    assert!(!vector.vector(0, 0, value(0, 1)));
    assert_eq!(evidence(vector), [(0, Evidence::Vector(0))]);
    let mut two = step();
    two.digest(0, 0, value(0, 0));
    two.digest(0, 0, value(0, 0));
    two.digest(0, 0, value(0, 1));
    assert_eq!(evidence(two), [(0, Evidence::TwoDigests(0))]);
    // Nobody is named for silence, for what was not asked, or for what was said of another partition.
    let mut silent = step();
    silent.silent(0);
    silent.digest(0, 5, value(5, 1));
    assert_eq!(evidence(silent), []);
    // A late lie is still evidence.
    let mut late = step();
    late.silent(0);
    late.next(&mut |_| 0);
    late.digest(0, 0, value(0, 1));
    assert_eq!(evidence(late), [(0, Evidence::Contradicted(2))]);
}

/// A run of many steps: the workers, whether they lie or are silent, and the roster between the steps.
fn run(steps: u64, n: usize, b: usize, silent_liars: usize, straggle: f64) -> (Roster, u64, usize) {
    let mut random = fastrand::Rng::with_seed(11);
    let mut roster = Roster::new(n, b, Budget::AtOnce, 2, 0);
    let (mut timeouts, mut most_suspended) = (0, 0);
    for step in 0..steps {
        let mut present = roster.present(step, 0..n);
        random.shuffle(&mut present);
        let suspended = (silent_liars..n).filter(|j| !present.contains(j)).count();
        most_suspended = most_suspended.max(suspended);
        let assignment = assign(&present, n, roster.holders());
        let mut settlement = Settlement::new(&assignment, &present, roster.left().unwrap());
        let mut asked: BTreeSet<usize> = present.iter().copied().collect();
        let late: BTreeSet<usize> = present.iter().copied().filter(|_| random.f64() < straggle).collect();
        let gone = |worker: usize| worker < silent_liars || late.contains(&worker);
        let answer = |settlement: &mut Settlement, worker: usize, partition: usize| {
            if gone(worker) {
                settlement.silent(worker);
                return;
            }
            settlement.digest(worker, partition, value(partition, 0));
            settlement.vector(worker, partition, value(partition, 0));
        };
        for (partition, holders) in assignment.holders.iter().enumerate() {
            for &worker in holders {
                answer(&mut settlement, worker, partition);
            }
        }
        loop {
            match settlement.next(&mut |_| 0) {
                Next::Trip { asks, fetches } => {
                    for ask in asks {
                        answer(&mut settlement, ask.worker, ask.partition);
                    }
                    for fetch in fetches {
                        answer(&mut settlement, fetch.worker, fetch.partition);
                    }
                }
                Next::Settled(_) => break,
                Next::Short(partitions) => {
                    // Stragglers are waited for first; then one suspended worker is woken, or the server computes.
                    let stragglers: Vec<usize> =
                        late.iter().copied().filter(|&j| j >= silent_liars).collect();
                    if !stragglers.is_empty() {
                        for (partition, holders) in assignment.holders.iter().enumerate() {
                            for worker in stragglers.iter().filter(|worker| holders.contains(worker)) {
                                settlement.digest(*worker, partition, value(partition, 0));
                                settlement.vector(*worker, partition, value(partition, 0));
                            }
                        }
                        if !matches!(settlement.clone().next(&mut |_| 0), Next::Short(_)) {
                            continue;
                        }
                    }
                    let sleeping: Vec<usize> = (0..n).filter(|j| !asked.contains(j)).collect();
                    match roster.least_missing(&sleeping) {
                        Some(place) => {
                            asked.insert(sleeping[place]);
                            settlement.admit(sleeping[place]);
                        }
                        None => partitions.iter().for_each(|&i| settlement.referee(i, value(i, 0))),
                    }
                }
                Next::Stop(excess) => panic!("{excess:?}"),
                Next::Again(_) | Next::Compare(_) => panic!("nobody drifts"),
            }
        }
        timeouts += settlement.silents().count() as u64;
        roster.note(step, asked, &settlement);
        assert_eq!(roster.named(), 0, "silence names nobody");
    }
    (roster, timeouts, most_suspended)
}

/// Three thousand steps with 2 % stragglers, with and without silent liars, also where every honest one is needed.
#[test]
fn silence_costs_little_and_honest_workers_come_back() {
    for (n, b, silent) in [(15, 3, 0), (15, 3, 3), (9, 4, 4), (7, 3, 3)] {
        let steps = 3000;
        let (roster, timeouts, suspended) = run(steps, n, b, silent, 0.02);
        let expected = 0.02 * (n - silent) as f64 * steps as f64;
        let allowed = 1.5 * expected + (silent as u64 * (8 + steps / 256)) as f64;
        println!("n {n} b {b} silent {silent}: {timeouts} timeouts, {suspended} honest suspended at once");
        assert!(timeouts as f64 <= allowed, "n {n}, b {b}, {silent} silent: {timeouts} > {allowed}");
        assert!(suspended <= b + 2, "n {n}, b {b}, {silent} silent: {suspended} suspended");
        let liars = &roster.records()[..silent];
        assert!(liars.iter().all(|record| record.missed == record.asked));
    }
}

/// With the budget `Total`, namings leave fewer liars and fewer holders, never fewer than two.
#[test]
fn a_naming_lowers_what_the_rest_of_the_run_costs() {
    let mut roster = Roster::new(5, 2, Budget::Total, 2, 0);
    for (step, holders) in [(0, 3), (1, 2), (2, 2)] {
        assert_eq!(roster.holders(), holders);
        let present = roster.present(step, 0..5);
        let assignment = assign(&present, 5, roster.holders());
        let mut settlement = Settlement::new(&assignment, &present, roster.left().unwrap());
        let liar = step as usize;
        let answer = |settlement: &mut Settlement, worker: usize, partition: usize| {
            settlement.digest(worker, partition, value(partition, usize::from(worker == liar && liar < 2)));
            settlement.vector(worker, partition, value(partition, usize::from(worker == liar && liar < 2)));
        };
        for (partition, list) in assignment.holders.iter().enumerate() {
            for &worker in list {
                answer(&mut settlement, worker, partition);
            }
        }
        while let Next::Trip { asks, fetches } = settlement.next(&mut |_| 0) {
            for ask in asks {
                answer(&mut settlement, ask.worker, ask.partition);
            }
            for fetch in fetches {
                answer(&mut settlement, fetch.worker, fetch.partition);
            }
        }
        roster.note(step, present, &settlement);
        assert_eq!(roster.named(), (liar + 1).min(2));
    }
    assert_eq!(roster.left(), Some(0));
}

/// A worker that answers with an old state is out of date, not guilty; that it answers again with the new one is no
/// second digest, since the state is part of the slot.
#[test]
fn another_state_is_silence_and_no_evidence() {
    let header = Header { run: [1; 32], step: 4, state: [2; 32] };
    let old = Header { state: [3; 32], ..header };
    let step = || Settlement::new(&holders(&[&[0, 1, 2]]), &[0, 1, 2], 1).of(header);
    let mut settlement = step();
    settlement.answer(0, &old, 0, old.digest(0, b"v"));
    settlement.answer(0, &header, 0, header.digest(0, b"v"));
    for worker in [1, 2] {
        settlement.answer(worker, &header, 0, header.digest(0, b"v"));
    }
    settlement.next(&mut |_| 0);
    assert_eq!(settlement.named().count(), 0);
    assert_eq!(settlement.silents().collect::<Vec<_>>(), [0], "it costs a strike");
    // Without the header in the slot the same answers would have framed it.
    let mut settlement = step();
    settlement.digest(0, 0, old.digest(0, b"v"));
    settlement.digest(0, 0, header.digest(0, b"v"));
    settlement.next(&mut |_| 0);
    assert_eq!(settlement.named().map(|named| named.worker).collect::<Vec<_>>(), [0]);
}

/// Evidence of another step names a worker without lowering b' of this one: its answers still count.
#[test]
fn late_evidence_of_another_step_does_not_lower_what_can_be_faulty_in_this_one() {
    // X = 0 lied late in the step before and is honest now; Y = 1 lies in this step.
    let mut settlement = Settlement::new(&holders(&[&[1, 0]]), &[0, 1, 2], 1);
    settlement.digest(1, 0, value(0, 1));
    settlement.vector(1, 0, value(0, 1));
    settlement.retire(0);
    assert!(matches!(settlement.next(&mut |_| 0), Next::Trip { .. }), "Y's digest alone is not accepted");
    settlement.digest(0, 0, value(0, 0));
    settlement.digest(2, 0, value(0, 0));
    settlement.vector(2, 0, value(0, 0));
    while let Next::Trip { fetches, .. } = settlement.next(&mut |_| 0) {
        assert!(fetches.iter().all(|fetch| fetch.worker != 0), "who is retired is asked nothing");
        fetches.iter().for_each(|fetch| {
            settlement.vector(fetch.worker, fetch.partition, fetch.digest);
        });
    }
    assert_eq!(settlement.accepted(0), Some(value(0, 0)));
}

/// At b' = 0 a liar can make the rules condemn whoever is listed first: nobody is expelled, nothing is decoded, and
/// what was accepted or named on the way to the contradiction is taken back.
#[test]
fn a_step_that_stops_names_nobody_on_the_way() {
    let assignment = holders(&[&[0, 1, 2], &[3, 1, 2], &[3, 0, 4]]);
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2, 3, 4], 1);
    // Worker 0 lies on partition 0 and is condemned first; then two accepted values condemn more than is left.
    for (worker, partition, lie) in
        [(0, 0, 1), (1, 0, 0), (2, 0, 0), (3, 1, 1), (1, 1, 0), (2, 1, 0), (3, 2, 0), (0, 2, 0), (4, 2, 1)]
    {
        settlement.digest(worker, partition, value(partition, lie));
    }
    assert!(matches!(settlement.next(&mut |_| 0), Next::Stop(_)));
    assert_eq!((settlement.named().count(), settlement.left()), (0, 1));
    assert!((0..3).all(|partition| settlement.accepted(partition).is_none()));
}

/// What the server computed itself and what was accepted before must be one value.
#[test]
fn a_referee_that_contradicts_what_was_accepted_stops_the_step() {
    let mut settlement = Settlement::new(&holders(&[&[0, 1]]), &[0, 1], 1);
    settlement.digest(0, 0, value(0, 1));
    settlement.digest(1, 0, value(0, 1));
    settlement.next(&mut |_| 0);
    settlement.referee(0, value(0, 0));
    assert_eq!(settlement.next(&mut |_| 0), Next::Stop(Excess::TwoValues { partition: 0 }));
}

/// 2 % of the workers are silent in each step, each partition has one spare holder, and every holder sends a share: extra trips in
/// at most 1.5 % of the steps of nine workers, and 5 % of 31. With a primary that sends the vector they are several times as many.
#[test]
fn a_spare_share_spares_trips() {
    let trips = |n: usize, b: usize, shares: bool| -> f64 {
        let steps = 20_000;
        let mut random = fastrand::Rng::with_seed(5);
        let mut roster = Roster::new(n, b, Budget::AtOnce, 2, 1);
        let mut with_trips = 0;
        for step in 0..steps {
            let mut present = roster.present(step, 0..n);
            random.shuffle(&mut present);
            let assignment = assign(&present, n, roster.holders());
            let mut settlement = Settlement::new(&assignment, &present, b);
            if shares {
                settlement = settlement.without_primaries();
            }
            let late: BTreeSet<usize> = present.iter().copied().filter(|_| random.f64() < 0.02).collect();
            late.iter().for_each(|&worker| settlement.silent(worker));
            for (partition, list) in assignment.holders.iter().enumerate() {
                let there = || list.iter().filter(|worker| !late.contains(worker));
                there().for_each(|&worker| settlement.digest(worker, partition, value(partition, 0)));
                // Any w − 1 shares rebuild it.
                if shares && there().count() + 1 >= list.len() {
                    settlement.rebuilt(partition, value(partition, 0));
                } else if !shares && !late.contains(&list[0]) {
                    settlement.vector(list[0], partition, value(partition, 0));
                }
            }
            while let Next::Trip { asks, fetches } = settlement.next(&mut |_| 0) {
                for ask in asks {
                    settlement.digest(ask.worker, ask.partition, value(ask.partition, 0));
                    settlement.vector(ask.worker, ask.partition, value(ask.partition, 0));
                }
                for fetch in fetches {
                    settlement.vector(fetch.worker, fetch.partition, fetch.digest);
                }
            }
            with_trips += u32::from(settlement.trips() > 0);
            roster.note(step, present, &settlement);
        }
        f64::from(with_trips) / steps as f64
    };
    for (n, b, most) in [(9, 2, 0.015), (31, 3, 0.05)] {
        let (shares, primaries) = (trips(n, b, true), trips(n, b, false));
        println!(
            "n {n}: trips in {:.2} % of the steps with shares, {:.2} % without",
            100.0 * shares,
            100.0 * primaries
        );
        assert!(shares <= most, "n {n}: {shares}");
        assert!(primaries > 4.0 * shares, "n {n}: {primaries} without shares, {shares} with them");
    }
}
