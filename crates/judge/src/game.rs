//! Promise: with at most b faulty workers, whatever they send and whoever is asked, the accepted digest is the honest
//! one, nobody honest is named, and a step asks at most as many helpers and takes at most as many extra trips as it
//! names workers (with silent ones: named + silent + 1 trips). One step is played out in full: random play does not
//! find what the order of disputes costs. Each rule is broken once, and the game sees it.

use std::collections::BTreeSet;

use crate::rule::Rule;
use crate::{Assignment, Digest, Next, Settlement, assign};

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
    /// The rule that is broken.
    breaks: Option<Rule>,
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

/// What a step came to.
#[derive(Clone, Copy)]
struct Course {
    trips: usize,
    helpers: usize,
    named: usize,
    silent: usize,
}

/// Fails with a reason unless something holds.
fn must(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Plays one step of n workers, of which at most b and really the first `liars` lie.
fn play(
    assignment: &Assignment,
    (n, b, liars): (usize, usize, usize),
    powers: Powers,
    choices: &mut dyn Chooser,
) -> Result<Course, String> {
    let present: Vec<usize> = (0..n).collect();
    let mut settlement = Settlement::new(assignment, &present, b);
    settlement.breaks = powers.breaks;
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
                must(!asks.is_empty() || !fetches.is_empty(), "an empty trip")?;
                let asked = asks.iter().map(|ask| ask.worker).chain(fetches.iter().map(|fetch| fetch.worker));
                for worker in asked {
                    must(!game.silent.contains(&worker), "who was silent is asked again")?;
                    let named = game.settlement.named().any(|named| named.worker == worker);
                    must(!named, "who was named is asked again")?;
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
            Next::Again(_) | Next::Compare(_) => return Err("nobody drifts".into()),
            Next::Settled(values) => {
                let honest: Vec<Digest> = (0..values.len()).map(|i| value(i, 0)).collect();
                must(values == honest, "a lie is accepted")?;
                break;
            }
            Next::Short(partitions) => {
                must(n - game.silent.len() < 2 * b + 1, "2b + 1 answers are not enough")?;
                for partition in partitions {
                    game.settlement.referee(partition, value(partition, 0));
                }
            }
            Next::Stop(excess) => return Err(format!("{excess} with {liars} liars")),
        }
    }
    let settlement = &game.settlement;
    let named: Vec<_> = settlement.named().collect();
    must(named.iter().all(|named| named.worker < liars), "somebody honest is named")?;
    must(settlement.left() == b - named.len(), "b' is wrong")?;
    let ended = (0..assignment.holders.len()).all(|i| settlement.accepted(i) == Some(value(i, 0)));
    must(ended, "it does not end")?;
    let course = Course {
        trips: settlement.trips(),
        helpers: settlement.helpers(),
        named: named.len(),
        silent: game.silent.len(),
    };
    Ok(course)
}

/// The bounds of Theorems 20 and 21.
fn bounded(Course { trips, helpers, named, silent }: Course) -> Result<(), String> {
    if silent == 0 {
        must(helpers <= named, "more helpers than named")?;
        must(trips <= named, "more trips than named")
    } else {
        must(trips <= named + silent + 1, "more trips than named + silent + 1")
    }
}

fn holders(lists: &[&[usize]]) -> Assignment {
    Assignment { holders: lists.iter().map(|list| list.to_vec()).collect() }
}

/// Every course of one step; returns how many there are, or what the first bad one does.
fn whole_game(assignment: &Assignment, size: (usize, usize, usize), powers: Powers) -> Result<u64, String> {
    let mut script = Script::default();
    let mut games = 0;
    loop {
        bounded(play(assignment, size, powers, &mut script)?)?;
        games += 1;
        if !script.again() {
            return Ok(games);
        }
    }
}

const LIES: Powers = Powers { lies: 1, silent: 0, equivocate: false, breaks: None };

/// Assignments of three partitions to five workers, of which 0 and 1 lie. In the first, both sit beside the same honest
/// worker on every partition; in others, a liar is the truthful primary of another partition.
fn five() -> [Assignment; 4] {
    [
        holders(&[&[2, 0, 1], &[2, 0, 1], &[2, 0, 1]]),
        holders(&[&[0, 1, 2], &[1, 2, 3], &[2, 0, 4]]),
        holders(&[&[0, 2, 3], &[0, 3, 4], &[1, 2, 4]]),
        assign(&[0, 1, 2, 3, 4], 3, 3),
    ]
}

/// Three partitions of four workers of which worker 0 lies, one may be silent.
fn four() -> [Assignment; 3] {
    [
        holders(&[&[0, 1], &[1, 2], &[2, 0]]),
        holders(&[&[0, 1], &[0, 2], &[0, 3]]),
        holders(&[&[1, 2], &[1, 3], &[1, 2]]),
    ]
}

fn small(breaks: Option<Rule>) -> Result<u64, String> {
    let mut games = 0;
    for assignment in five() {
        games += whole_game(&assignment, (5, 2, 2), Powers { breaks, ..LIES })?;
    }
    for assignment in four() {
        games += whole_game(&assignment, (4, 1, 1), Powers { breaks, ..LIES })?;
        games += whole_game(&assignment, (4, 1, 1), Powers { lies: 2, breaks, ..LIES })?;
        games += whole_game(&assignment, (4, 1, 1), Powers { silent: 1, breaks, ..LIES })?;
    }
    Ok(games)
}

#[test]
fn every_course_of_a_small_step_keeps_the_promises() {
    let games = small(None).unwrap_or_else(|error| panic!("{error}"));
    assert!(games > 2_000, "{games}");
}

/// What the game sees where a rule is broken.
#[test]
fn every_rule_is_needed() {
    for (rule, seen) in [
        (Rule::Support, "a lie is accepted"),
        (Rule::Contradiction, "a lie is accepted"),
        (Rule::Focus, "more helpers than named"),
        (Rule::Together, "more trips than named"),
        (Rule::Outlives, "more trips than named"),
        (Rule::Silence, "asked again"),
    ] {
        let error = small(Some(rule)).err().unwrap_or_else(|| panic!("{rule:?} is not seen"));
        assert!(error.contains(seen), "{rule:?}: {error}");
    }
}

#[test]
fn every_course_with_two_different_lies_and_one_liar() {
    for (n, k) in [(3, 3), (4, 3), (5, 3)] {
        let powers = Powers { lies: 2, ..LIES };
        let assignment = assign(&(0..n).collect::<Vec<_>>(), k, 2);
        whole_game(&assignment, (n, 1, 1), powers).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_course_with_silent_workers() {
    for silent in 1..=2 {
        let powers = Powers { silent, ..LIES };
        for (assignment, n) in [(&[&[0, 1], &[1, 2], &[2, 0]], 4), (&[&[0, 1], &[0, 1], &[2, 1]], 5)] {
            let assignment = holders(&assignment.map(|list| &list[..]));
            whole_game(&assignment, (n, 1, 1), powers).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let powers = Powers { silent: 1, ..LIES };
    let assignment = holders(&[&[0, 1, 2], &[2, 0, 3]]);
    whole_game(&assignment, (5, 2, 2), powers).unwrap_or_else(|error| panic!("{error}"));
}

/// Assignments of three partitions to five and six workers: `cargo test --release -p election-coding-judge
/// every_course_of_every -- --ignored`.
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
        // The order of partitions does not matter to the rules' bounds but in who is first in focus.
        for a in 0..sets.len() {
            for b in (a..sets.len()).step_by(if n == 6 { 7 } else { 1 }) {
                for c in (b..sets.len()).step_by(if n == 6 { 5 } else { 2 }) {
                    let lists: [&[usize]; 3] = [&sets[a], &sets[b], &sets[c]];
                    let played = whole_game(&holders(&lists), (n, 2, 2), LIES);
                    games += played.unwrap_or_else(|error| panic!("{lists:?}: {error}"));
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
        let equivocate = random.u32(0..10) == 0;
        let powers = Powers { lies: random.usize(1..4), silent, equivocate, breaks: None };
        let course =
            play(&assignment, (n, b, b), powers, &mut random).unwrap_or_else(|error| panic!("{error}"));
        if !equivocate {
            bounded(course).unwrap_or_else(|error| panic!("{error}"));
        }
        named += course.named;
        steps += 1;
    }
    assert!(named > 10_000, "{named}");
}
