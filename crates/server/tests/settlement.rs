//! Promise: with at most b faulty workers, whatever they send and whoever is asked, the accepted digest is the honest
//! one, nobody honest is named, and a step asks at most as many helpers and takes at most as many extra trips as it
//! names workers (with silent ones: named + silent + 1 trips). A small game is played out in full: random play does
//! not find what the order of disputes costs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ecode_server::reactive::{
    Assignment, Budget, Digest, Evidence, Excess, Next, Roster, Settlement, assign,
};

/// What chooses: a script in the full game, a generator in random ones.
trait Chooser {
    /// A number below `of`.
    fn choose(&mut self, of: usize) -> usize;
}

/// Plays every sequence of choices: the last one that can be raised is raised, what came after it is forgotten.
#[derive(Default)]
struct Script {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Script {
    fn again(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.taken.pop() {
            if choice + 1 < of {
                self.taken.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

impl Chooser for Script {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        self.at += 1;
        self.taken[self.at - 1].0
    }
}

impl Chooser for fastrand::Rng {
    fn choose(&mut self, of: usize) -> usize {
        self.usize(0..of)
    }
}

/// The digest of an honest vector of a partition, and of lies.
fn value(partition: usize, lie: usize) -> Digest {
    let mut digest = [0; 32];
    (digest[0], digest[1]) = (partition as u8, lie as u8);
    digest
}

/// What a liar can do in a game.
#[derive(Clone, Copy)]
struct Powers {
    /// How many different lies there are.
    lies: usize,
    /// How many workers may be silent, liars or not.
    silent: usize,
    /// Whether two digests for one slot are sent, too.
    equivocate: bool,
}

struct Game<'a> {
    settlement: Settlement,
    liars: usize,
    powers: Powers,
    silent: BTreeSet<usize>,
    choices: &'a mut dyn Chooser,
}

impl Game<'_> {
    /// A worker may be silent now, if it has not been before.
    fn is_silent(&mut self, worker: usize) -> bool {
        if self.silent.contains(&worker) {
            return true;
        }
        let silent = self.silent.len() < self.powers.silent && self.choices.choose(2) == 1;
        if silent {
            self.silent.insert(worker);
            self.settlement.silent(worker);
        }
        silent
    }

    /// The first `liars` workers lie.
    fn answer(&mut self, worker: usize, partition: usize) -> Option<Digest> {
        if self.is_silent(worker) {
            return None;
        }
        let lie = if worker < self.liars { self.choices.choose(self.powers.lies + 1) } else { 0 };
        self.settlement.digest(worker, partition, value(partition, lie));
        if self.powers.equivocate && worker < self.liars && self.choices.choose(8) == 0 {
            self.settlement.digest(worker, partition, value(partition, 200));
        }
        Some(value(partition, lie))
    }

    fn deliver(&mut self, worker: usize, partition: usize, digest: Digest) {
        if self.is_silent(worker) {
            return;
        }
        let wrong = worker < self.liars && self.choices.choose(2) == 1;
        let sent = if wrong { value(partition, 99) } else { digest };
        self.settlement.vector(worker, partition, sent);
    }
}

/// Plays one step and checks it; returns (trips, helpers, named, silent).
fn play(
    assignment: &Assignment,
    (n, b, liars): (usize, usize, usize),
    powers: Powers,
    choices: &mut dyn Chooser,
) -> (usize, usize, usize, usize) {
    let present: Vec<usize> = (0..n).collect();
    let settlement = Settlement::new(assignment, &present, b);
    let mut game = Game { settlement, liars, powers, silent: BTreeSet::new(), choices };
    for (partition, holders) in assignment.holders.iter().enumerate() {
        for (place, &worker) in holders.iter().enumerate() {
            if let Some(digest) = game.answer(worker, partition)
                && place == 0
            {
                game.deliver(worker, partition, digest);
            }
        }
    }
    for _ in 0..100 {
        let choices = &mut *game.choices;
        let next = game.settlement.next(&mut |list| choices.choose(list.len()));
        match next {
            Next::Trip { asks, fetches } => {
                assert!(!asks.is_empty() || !fetches.is_empty());
                let asked = asks.iter().map(|ask| ask.worker).chain(fetches.iter().map(|fetch| fetch.worker));
                for worker in asked {
                    assert!(!game.silent.contains(&worker), "who was silent is not asked again");
                    assert!(game.settlement.named().all(|named| named.worker != worker), "nor who was named");
                }
                for ask in asks {
                    if let Some(digest) = game.answer(ask.worker, ask.partition)
                        && ask.vector
                    {
                        game.deliver(ask.worker, ask.partition, digest);
                    }
                }
                for fetch in fetches {
                    game.deliver(fetch.worker, fetch.partition, fetch.digest);
                }
            }
            Next::Settled(values) => {
                let honest: Vec<Digest> = (0..values.len()).map(|i| value(i, 0)).collect();
                assert_eq!(values, honest, "what was accepted is honest");
                break;
            }
            Next::Short(partitions) => {
                assert!(n - game.silent.len() < 2 * b + 1, "2b + 1 answers are enough");
                for partition in partitions {
                    game.settlement.referee(partition, value(partition, 0));
                }
            }
            Next::Stop(excess) => panic!("{excess:?} with {liars} liars"),
        }
    }
    let settlement = &game.settlement;
    let named: Vec<_> = settlement.named().collect();
    assert!(named.iter().all(|named| named.worker < liars), "nobody honest is named: {named:?}");
    assert_eq!(settlement.left(), b - named.len());
    assert!((0..assignment.holders.len()).all(|i| settlement.accepted(i) == Some(value(i, 0))), "it ended");
    (settlement.trips(), settlement.helpers(), named.len(), game.silent.len())
}

/// The bounds of Theorems A and B.
fn bounded((trips, helpers, named, silent): (usize, usize, usize, usize)) {
    if silent == 0 {
        assert!(helpers <= named, "{helpers} helpers, {named} named");
        assert!(trips <= named, "{trips} trips, {named} named");
    } else {
        assert!(trips <= named + silent + 1, "{trips} trips, {named} named, {silent} silent");
    }
}

fn holders(lists: &[&[usize]]) -> Assignment {
    Assignment { holders: lists.iter().map(|list| list.to_vec()).collect() }
}

/// Every course of one step; returns how many there are.
fn whole_game(assignment: &Assignment, size: (usize, usize, usize), powers: Powers) -> u64 {
    let mut script = Script::default();
    let mut games = 0;
    loop {
        bounded(play(assignment, size, powers, &mut script));
        games += 1;
        if !script.again() {
            return games;
        }
    }
}

const LIES: Powers = Powers { lies: 1, silent: 0, equivocate: false };

/// Workers 0 and 1 lie. In the first, both sit beside the same honest worker on every partition: where the focus
/// switched, every partition would cost a trip. In the second, a liar is the truthful primary of another partition.
#[test]
fn every_course_of_a_step_of_five_workers_two_of_which_lie() {
    let mut games = 0;
    for assignment in [
        holders(&[&[2, 0, 1], &[2, 0, 1], &[2, 0, 1]]),
        holders(&[&[0, 1, 2], &[1, 2, 3], &[2, 0, 4]]),
        holders(&[&[0, 2, 3], &[0, 3, 4], &[1, 2, 4]]),
        assign(&[0, 1, 2, 3, 4], 3, 3),
    ] {
        games += whole_game(&assignment, (5, 2, 2), LIES);
    }
    assert!(games > 2_000, "{games}");
}

#[test]
fn every_course_with_two_different_lies_and_one_liar() {
    for (n, k) in [(3, 3), (4, 3), (5, 3)] {
        let powers = Powers { lies: 2, ..LIES };
        whole_game(&assign(&(0..n).collect::<Vec<_>>(), k, 2), (n, 1, 1), powers);
    }
}

#[test]
fn every_course_with_silent_workers() {
    for silent in 1..=2 {
        let powers = Powers { lies: 1, silent, equivocate: false };
        whole_game(&holders(&[&[0, 1], &[1, 2], &[2, 0]]), (4, 1, 1), powers);
        whole_game(&holders(&[&[0, 1], &[0, 1], &[2, 1]]), (5, 1, 1), powers);
    }
    let powers = Powers { lies: 1, silent: 1, equivocate: false };
    whole_game(&holders(&[&[0, 1, 2], &[2, 0, 3]]), (5, 2, 2), powers);
}

/// All assignments of three partitions to five and six workers: `cargo test -p election-coding-server --release --
/// --ignored`.
#[test]
#[ignore = "minutes"]
fn every_course_of_every_assignment() {
    let mut games = 0;
    for n in [5, 6] {
        let sets: Vec<Vec<usize>> = (0_u32..1 << n)
            .filter(|set| set.count_ones() == 3)
            .flat_map(|set| {
                let list: Vec<usize> = (0..n).filter(|j| set >> j & 1 == 1).collect();
                (0..3).map(move |first| {
                    let mut list = list.clone();
                    list.swap(0, first);
                    list
                })
            })
            .filter(|list| list.iter().any(|&worker| worker < 2))
            .collect();
        // The order of partitions does not matter to the rules' bounds but in who is first in focus: all orders.
        for a in 0..sets.len() {
            for b in (a..sets.len()).step_by(if n == 6 { 7 } else { 1 }) {
                for c in (b..sets.len()).step_by(if n == 6 { 5 } else { 2 }) {
                    let lists: [&[usize]; 3] = [&sets[a], &sets[b], &sets[c]];
                    games += whole_game(&holders(&lists), (n, 2, 2), LIES);
                }
            }
        }
    }
    println!("{games} courses");
}

#[test]
fn random_steps_of_any_size_keep_the_promises() {
    let mut random = fastrand::Rng::with_seed(3);
    let (mut steps, mut named) = (0, 0);
    while steps < 20_000 {
        let b = random.usize(0..5);
        let n = random.usize(2 * b + 1..2 * b + 8);
        let mut present: Vec<usize> = (0..n).collect();
        random.shuffle(&mut present);
        let k = random.usize(1..12);
        let assignment = assign(&present, k, b + 1 + random.usize(0..3));
        let silent = if random.bool() { 0 } else { random.usize(0..=(n - 1) / 2) };
        let powers = Powers { lies: random.usize(1..4), silent, equivocate: random.u32(0..10) == 0 };
        let result = play(&assignment, (n, b, b), powers, &mut random);
        if !powers.equivocate {
            bounded(result);
        }
        named += result.2;
        steps += 1;
    }
    assert!(named > 10_000, "{named}");
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
