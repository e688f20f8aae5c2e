//! Promise: in whole runs against each of the fifteen adversaries every accepted digest is the honest one, nobody honest
//! is named, no step stays open, and the run's helpers and extra trips stay within the bounds. A million steps:
//! `cargo test --release -p election-coding-judge --test adversaries -- --ignored`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ecode_judge::{Adversary, Budget, Content, Digest, Header, Next, Roster, Settlement, View, assign};

const RUN: Digest = [7; 32];

/// One run: its sizes, what is against it, and what it came to.
struct Run {
    n: usize,
    k: usize,
    adversary: Adversary,
    liars: BTreeSet<usize>,
    roster: Roster,
    random: fastrand::Rng,
    helpers: usize,
    trips: usize,
    silences: usize,
    /// Trips of the steps in which nobody was silent.
    quiet_trips: usize,
}

impl Run {
    fn new(n: usize, b: usize, k: usize, adversary: Adversary, budget: Budget, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut order: Vec<usize> = (0..n).collect();
        random.shuffle(&mut order);
        let spare = random.usize(0..3).min(n - 2 * b - 1);
        Self {
            n,
            k,
            adversary,
            liars: order[..b].iter().copied().collect(),
            roster: Roster::new(n, b, budget, 2, spare),
            random,
            helpers: 0,
            trips: 0,
            silences: 0,
            quiet_trips: 0,
        }
    }

    fn step(&mut self, step: u64) {
        let header = Header { run: RUN, step, state: [step as u8; 32] };
        let mut present = self.roster.present(step, 0..self.n);
        self.random.shuffle(&mut present);
        let assignment = assign(&present, self.k, self.roster.holders());
        let liars: Vec<usize> = self.liars.iter().copied().filter(|j| present.contains(j)).collect();
        let view = View { seed: 5, step, holders: &assignment.holders, liars: &liars };
        let digest = |partition: usize, content: Content| match content {
            Content::Drifted => panic!("nobody drifts"),
            Content::Honest => header.digest(partition, &[0]),
            Content::Lie(story) => header.digest(partition, &[1, story as u8]),
        };
        let left = self.roster.left().unwrap();
        let mut settlement = Settlement::new(&assignment, &present, left).of(header);
        let (adversary, lying) = (self.adversary, &self.liars);
        let answer = |settlement: &mut Settlement, worker: usize, partition: usize| {
            if !lying.contains(&worker) {
                return settlement.digest(worker, partition, digest(partition, Content::Honest));
            }
            let said = adversary.digests(&view, worker, partition);
            match said.digest {
                Some(content) => settlement.answer(worker, &header, partition, digest(partition, content)),
                None => settlement.silent(worker),
            }
            if let Some(content) = said.second {
                settlement.answer(worker, &header, partition, digest(partition, content));
            }
        };
        let deliver = |settlement: &mut Settlement, worker: usize, partition: usize| {
            let sent = if lying.contains(&worker) {
                adversary.vector(&view, worker, partition)
            } else {
                Some(Content::Honest)
            };
            match sent {
                Some(content) => {
                    settlement.vector(worker, partition, digest(partition, content));
                }
                None => settlement.silent(worker),
            }
        };
        for (partition, holders) in assignment.holders.iter().enumerate() {
            holders.iter().for_each(|&worker| answer(&mut settlement, worker, partition));
            deliver(&mut settlement, holders[0], partition);
        }
        let values = loop {
            let random = &mut self.random;
            match settlement.next(&mut |list| random.usize(0..list.len())) {
                Next::Trip { asks, fetches } => {
                    for ask in asks {
                        answer(&mut settlement, ask.worker, ask.partition);
                        if ask.vector {
                            deliver(&mut settlement, ask.worker, ask.partition);
                        }
                    }
                    fetches.iter().for_each(|fetch| deliver(&mut settlement, fetch.worker, fetch.partition));
                }
                Next::Settled(values) => break values,
                Next::Short(partitions) => {
                    let asleep: Vec<usize> = (0..self.n)
                        .filter(|j| !present.contains(j) && self.roster.records()[*j].named.is_none())
                        .collect();
                    let place = self.roster.least_missing(&asleep);
                    let Some(place) = place else { panic!("{partitions:?} stay open in step {step}") };
                    settlement.admit(asleep[place]);
                    present.push(asleep[place]);
                }
                Next::Stop(excess) => panic!("{excess} in step {step}"),
                Next::Again(_) | Next::Compare(_) => panic!("nobody drifts"),
            }
        };
        for (partition, value) in values.iter().enumerate() {
            assert_eq!(*value, digest(partition, Content::Honest), "step {step}: a lie is accepted");
        }
        let named: Vec<_> = settlement.named().collect();
        assert!(named.iter().all(|named| self.liars.contains(&named.worker)), "framed: {named:?}");
        let silent = settlement.silents().count();
        let bound = if silent == 0 { named.len() } else { named.len() + silent + 1 };
        assert!(settlement.trips() <= bound, "{} trips, {} named", settlement.trips(), named.len());
        self.helpers += settlement.helpers();
        self.trips += settlement.trips();
        self.silences += silent;
        if silent == 0 {
            assert!(settlement.helpers() <= named.len());
            self.quiet_trips += settlement.trips();
        }
        let asked = settlement.asked();
        self.roster.note(step, asked, &settlement);
    }
}

fn runs(steps: u64, sizes: &[(usize, usize, usize)]) -> u64 {
    let mut played = 0;
    for &(n, b, k) in sizes {
        for (place, &adversary) in Adversary::ALL.iter().enumerate() {
            for budget in [Budget::AtOnce, Budget::Total] {
                let mut run = Run::new(n, b, k, adversary, budget, (n * 100 + place) as u64);
                (0..steps).for_each(|step| run.step(step));
                let named = run.roster.named();
                assert!(named <= b && run.quiet_trips <= b);
                if run.silences == 0 {
                    assert!(run.helpers <= b && run.trips <= b, "{adversary:?}: {} helpers", run.helpers);
                }
                // Whoever lies always is named in the first step in which it is asked.
                if matches!(adversary, Adversary::Always | Adversary::Different | Adversary::DigestOnly) {
                    assert_eq!(named, b, "{adversary:?} of ({n}, {b})");
                }
                if matches!(adversary, Adversary::Honest | Adversary::Silent | Adversary::Withhold) {
                    assert_eq!(named, 0, "nobody is named for silence");
                }
                played += steps;
            }
        }
    }
    played
}

#[test]
fn fifteen_adversaries_cost_at_most_a_gradient_each_liar() {
    assert_eq!(Adversary::ALL.len(), 15);
    let played = runs(60, &[(5, 2, 5), (8, 1, 7), (9, 2, 9), (15, 3, 15)]);
    assert_eq!(played, 4 * 15 * 2 * 60);
}

#[test]
#[ignore = "a million steps"]
fn a_million_steps() {
    let sizes = [(3, 1, 3), (4, 1, 3), (5, 2, 5), (8, 1, 7), (9, 2, 9), (9, 4, 9), (15, 3, 15), (31, 3, 31)];
    let played = runs(4200, &sizes);
    assert!(played >= 1_000_000, "{played}");
}
