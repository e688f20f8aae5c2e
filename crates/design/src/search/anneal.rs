//! Simulated annealing over families of rows.
//!
//! A problem is a list of *tests*: sets of points, each with the number of rows that it may win. A family
//! is *feasible* when no test wins more. The energy is the number of wins too many, all tests together,
//! plus a price on the ones. The tests are kept as bit columns (bit x of column i says whether test x
//! holds point i), so one move is evaluated on all tests with a few word operations.
//!
//! A *turn* of order m moves the points of every one of some cycles of m points one on. Families that a turn
//! leaves as they are can be searched alone: a move then changes a row and all its images, and of tests
//! that turn into each other one is enough. There are far fewer such families, and many good ones.
//!
//! # What is promised
//! - A family that is returned wins no more than allowed in any test of the problem. Whether the tests
//!   are all that matter is the caller's affair: nothing here claims tolerance.
//! - The same problem, seed and restart give the same family on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A row: the points that it holds (bit i for point i), and how many old points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The points.
    pub points: u32,
    /// The number of old points.
    pub old: u8,
}

impl Row {
    /// The number of ones.
    #[must_use]
    pub fn weight(self) -> usize {
        self.points.count_ones() as usize + usize::from(self.old)
    }

    /// The ones that count: without the points of `free`.
    fn load(self, free: u32) -> usize {
        Self { points: self.points & !free, ..self }.weight()
    }

    fn needed(self) -> usize {
        self.weight().div_ceil(2)
    }

    /// Whether an adversary with these points and this many old ones wins the row.
    #[must_use]
    pub fn won_by(self, points: u32, old: u8) -> bool {
        (self.points & points).count_ones() as usize + usize::from(self.old.min(old)) >= self.needed()
    }
}

/// A set of points and old points that may win at most `allowed` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// The points.
    pub points: u32,
    /// The number of old points.
    pub old: u8,
    /// How many rows it may win.
    pub allowed: u8,
}

/// A turn: points 0 to `order`·`cycles` − 1 lie in cycles of `order` points, the others stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Points in a cycle, at least 2.
    pub order: usize,
    /// Cycles.
    pub cycles: usize,
}

impl Turn {
    /// The points that these turn into.
    #[must_use]
    pub fn of(self, points: u32) -> u32 {
        let mask = (1_u32 << self.order) - 1;
        (0..self.cycles).fold(points, |turned, cycle| {
            let shift = cycle * self.order;
            let held = points >> shift & mask;
            let next = (held << 1 | held >> (self.order - 1)) & mask;
            turned & !(mask << shift) | next << shift
        })
    }

    /// The set and all that it turns into, itself first.
    fn orbit(self, points: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(points), move |&points| Some(self.of(points))).take(self.order)
    }

    /// The points that come after i in its cycle and i, as one set.
    fn cycle_of(self, i: usize) -> u32 {
        if i < self.order * self.cycles {
            ((1 << self.order) - 1) << (i / self.order * self.order)
        } else {
            1 << i
        }
    }
}

/// What is to be found: `rows` rows of odd weight on `points` points.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The number of points, at most 31.
    pub points: usize,
    /// The largest number of old points that a row may hold (0 where there are none).
    pub old: u8,
    /// The number of rows.
    pub rows: usize,
    /// The largest weight of a row, without free points.
    pub heaviest: usize,
    /// Points that are no ones, and no row by themselves: how a row of even load is one of odd weight.
    pub free: u32,
    /// The tests.
    pub tests: Vec<Test>,
    /// Only families that this turn leaves as they are: as many whole orbits of rows as there can be, and
    /// rows that stay.
    pub turn: Option<Turn>,
}

impl Problem {
    /// The same for families that the turn leaves as they are. The tests must be such that every test
    /// turns into another, as those of this module do.
    #[must_use]
    pub fn turned(mut self, turn: Turn) -> Self {
        self.tests.retain(|test| turn.orbit(test.points).all(|image| test.points <= image));
        self.turn = Some(turn);
        self
    }
}

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

/// Words that are added up at once.
const LANES: usize = 8;

/// The tests as bit columns.
struct Columns {
    words: usize,
    /// `points` columns, then `old` columns: bit x of old column y says that test x holds more than y.
    bits: Vec<u64>,
    points: usize,
}

impl Columns {
    fn new(problem: &Problem) -> Self {
        let words = problem.tests.len().div_ceil(64);
        let columns = problem.points + usize::from(problem.old);
        let mut bits = vec![0_u64; words * columns];
        for (x, test) in problem.tests.iter().enumerate() {
            for i in 0..problem.points {
                bits[i * words + x / 64] |= u64::from(test.points >> i & 1) << (x % 64);
            }
            for y in 0..usize::from(problem.old.min(test.old)) {
                bits[(problem.points + y) * words + x / 64] |= 1 << (x % 64);
            }
        }
        Self { words, bits, points: problem.points }
    }

    /// Where the row is won: a counter of five planes a word, begun at 32 − needed, overflows.
    #[inline(always)]
    fn wins(&self, row: Row, out: &mut [u64]) {
        let start = 32 - row.needed();
        let begin: [u64; 5] = std::array::from_fn(|plane| if start >> plane & 1 == 1 { u64::MAX } else { 0 });
        let mut held = [0_usize; 64];
        let mut count = 0;
        for i in (0..self.points).filter(|i| row.points >> i & 1 == 1) {
            held[count] = i * self.words;
            count += 1;
        }
        for y in 0..usize::from(row.old) {
            held[count] = (self.points + y) * self.words;
            count += 1;
        }
        let mut at = 0;
        while at < self.words {
            let lanes = LANES.min(self.words - at);
            let mut planes = [[0_u64; LANES]; 5];
            for plane in 0..5 {
                planes[plane] = [begin[plane]; LANES];
            }
            let mut won = [0_u64; LANES];
            for &column in &held[..count] {
                let column = &self.bits[column + at..column + at + lanes];
                let mut carry = [0_u64; LANES];
                carry[..lanes].copy_from_slice(column);
                for plane in &mut planes {
                    for lane in 0..LANES {
                        let sum = plane[lane] ^ carry[lane];
                        carry[lane] &= plane[lane];
                        plane[lane] = sum;
                    }
                }
                for lane in 0..LANES {
                    won[lane] |= carry[lane];
                }
            }
            out[at..at + lanes].copy_from_slice(&won[..lanes]);
            at += lanes;
        }
    }
}

/// A family with everything that a move's evaluation needs.
struct State {
    columns: Columns,
    rows: Vec<Row>,
    wins: Vec<Vec<u64>>,
    /// allowed − won, a test each.
    slack: Vec<i16>,
    /// Tests that one more win makes worse, and tests that one win fewer makes better.
    tight: Vec<u64>,
    over: Vec<u64>,
    excess: i64,
    candidate: Vec<u64>,
}

impl State {
    fn new(problem: &Problem, rows: Vec<Row>) -> Self {
        let columns = Columns::new(problem);
        let words = columns.words;
        let mut state = Self {
            columns,
            wins: vec![vec![0; words]; rows.len()],
            rows,
            slack: problem.tests.iter().map(|test| i16::from(test.allowed)).collect(),
            tight: vec![0; words],
            over: vec![0; words],
            excess: 0,
            candidate: vec![0; words],
        };
        for x in 0..state.slack.len() {
            state.mark(x);
        }
        for j in 0..state.rows.len() {
            state.columns.wins(state.rows[j], &mut state.candidate);
            state.take(j, state.rows[j]);
        }
        state
    }

    fn mark(&mut self, x: usize) {
        let (word, bit) = (x / 64, 1_u64 << (x % 64));
        self.tight[word] = if self.slack[x] <= 0 { self.tight[word] | bit } else { self.tight[word] & !bit };
        self.over[word] = if self.slack[x] < 0 { self.over[word] | bit } else { self.over[word] & !bit };
    }

    /// How much the excess grows when row j becomes `row`, whose wins are left in `candidate`.
    #[inline(always)]
    fn growth(&mut self, j: usize, row: Row) -> i64 {
        self.columns.wins(row, &mut self.candidate);
        let mut growth = 0_i64;
        for (((new, old), tight), over) in
            self.candidate.iter().zip(&self.wins[j]).zip(&self.tight).zip(&self.over)
        {
            growth += i64::from((new & !old & tight).count_ones());
            growth -= i64::from((old & !new & over).count_ones());
        }
        growth
    }

    /// How much the excess grows when the rows from `first` on become these, whose wins are left in `new`.
    #[inline(always)]
    fn joint_growth(&self, first: usize, rows: &[Row], new: &mut [Vec<u64>]) -> i64 {
        for (row, new) in rows.iter().zip(&mut *new) {
            self.columns.wins(*row, new);
        }
        let pairs = || new.iter().zip(&self.wins[first..]).take(rows.len());
        let mut growth = 0;
        for word in 0..self.columns.words {
            let mut changed = pairs().fold(0, |changed, (new, old)| changed | (new[word] ^ old[word]));
            while changed != 0 {
                let bit = changed.trailing_zeros();
                changed &= changed - 1;
                let more: i16 = pairs()
                    .map(|(new, old)| (new[word] >> bit & 1) as i16 - (old[word] >> bit & 1) as i16)
                    .sum();
                let slack = self.slack[word * 64 + bit as usize];
                growth += i64::from((more - slack).max(0) - (-slack).max(0));
            }
        }
        growth
    }

    /// Makes row j `row`, whose wins are in `candidate`.
    fn take(&mut self, j: usize, row: Row) {
        for word in 0..self.candidate.len() {
            let (new, old) = (self.candidate[word], self.wins[j][word]);
            let mut changed = new ^ old;
            while changed != 0 {
                let bit = changed.trailing_zeros() as usize;
                changed &= changed - 1;
                let x = word * 64 + bit;
                if new >> bit & 1 == 1 {
                    self.excess += i64::from(self.slack[x] <= 0);
                    self.slack[x] -= 1;
                } else {
                    self.excess -= i64::from(self.slack[x] < 0);
                    self.slack[x] += 1;
                }
                self.mark(x);
            }
        }
        std::mem::swap(&mut self.wins[j], &mut self.candidate);
        self.rows[j] = row;
    }
}

/// Draws below `n`.
fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    ((u64::from(random.next_u32()) * n as u64) >> 32) as usize
}

fn random_row(problem: &Problem, random: &mut ChaCha8Rng) -> Row {
    let most = problem.heaviest.min(problem.points);
    let weight = 1 + 2 * below(random, most.div_ceil(2));
    loop {
        let mut row = Row { points: 0, old: 0 };
        while row.weight() < weight {
            row.points |= 1 << below(random, problem.points);
        }
        if row.load(problem.free) > 0 {
            return row;
        }
    }
}

/// A neighbour of the row: a point exchanged, two added or two removed, or the like with old points.
fn neighbour(problem: &Problem, row: Row, random: &mut ChaCha8Rng) -> Option<Row> {
    let mut next = row;
    let kind = below(random, if problem.old > 0 { 5 } else { 3 });
    match kind {
        0..=2 => {
            next.points ^= 1 << below(random, problem.points);
            next.points ^= 1 << below(random, problem.points);
        }
        3 => {
            next.points ^= 1 << below(random, problem.points);
            next.old = if random.next_u32() & 1 == 0 { row.old.checked_sub(1)? } else { row.old + 1 };
        }
        _ => next.old = if random.next_u32() & 1 == 0 { row.old.checked_sub(2)? } else { row.old + 2 },
    }
    let sound = next != row
        && next.points & !problem.free != 0
        && next.old <= problem.old
        && next.load(problem.free) <= problem.heaviest;
    sound.then_some(next)
}

/// One restart: anneals from `start` (random rows where it is empty) and returns the lightest feasible
/// family that was met, or none. `stopped` is asked now and then.
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
    if let Some(turn) = problem.turn {
        return anneal_turned(problem, turn, schedule, random, stopped);
    }
    let mut rows = start.to_vec();
    rows.truncate(problem.rows);
    while rows.len() < problem.rows {
        rows.push(random_row(problem, &mut random));
    }
    let mut state = State::new(problem, rows);
    let load = |row: Row| row.load(problem.free);
    let mut weight: usize = state.rows.iter().map(|&row| load(row)).sum();
    // Where no move is possible, or none is taken, the start may do.
    let begin = (state.excess == 0).then(|| (weight, state.rows.clone()));
    let mut best: Option<(usize, Vec<Row>)> = None;
    let cooling = (schedule.cold / schedule.hot).ln() / schedule.moves.max(1) as f64;
    let mut temperature = schedule.hot;
    for step in 0..schedule.moves {
        if step % 256 == 0 {
            temperature = schedule.hot * (cooling * step as f64).exp();
            if step % 4096 == 0 && stopped() {
                break;
            }
        }
        let j = below(&mut random, problem.rows);
        let Some(row) = neighbour(problem, state.rows[j], &mut random) else { continue };
        let growth = state.growth(j, row);
        let heavier = load(row) as i64 - load(state.rows[j]) as i64;
        let energy = growth as f64 + schedule.price * heavier as f64;
        let uniform = f64::from(random.next_u32()) / f64::from(u32::MAX);
        if energy > 0.0 && uniform >= (-energy / temperature).exp() {
            continue;
        }
        state.take(j, row);
        weight = (weight as i64 + heavier) as usize;
        if state.excess == 0 && best.as_ref().is_none_or(|&(least, _)| weight < least) {
            best = Some((weight, state.rows.clone()));
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

/// The same over the families that the turn leaves as they are: whole orbits change at once.
#[inline(always)]
fn anneal_turned(
    problem: &Problem,
    turn: Turn,
    schedule: &Schedule,
    mut random: ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Row>> {
    let orbits = problem.rows / turn.order;
    let stays = |group: usize| group >= orbits;
    let images = |group: usize, row: Row, images: &mut Vec<Row>| {
        images.clear();
        let count = if stays(group) { 1 } else { turn.order };
        images.extend(turn.orbit(row.points).take(count).map(|points| Row { points, ..row }));
    };
    let mut orbit = Vec::with_capacity(turn.order);
    let place =
        |group: usize| if stays(group) { group + orbits * (turn.order - 1) } else { group * turn.order };
    let groups = orbits + problem.rows % turn.order;
    let mut rows = Vec::with_capacity(problem.rows);
    for group in 0..groups {
        let mut row = random_row(problem, &mut random);
        if stays(group) {
            row.points = (0..problem.points)
                .filter(|i| row.points >> i & 1 == 1)
                .fold(0, |points, i| points | turn.cycle_of(i));
            if row.weight() % 2 == 0 {
                // Another cycle of odd length makes it odd, or nothing does.
                let odd = (0..problem.points)
                    .map(|i| turn.cycle_of(i))
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
    let mut state = State::new(problem, rows);
    let mut new = vec![vec![0; state.columns.words]; turn.order];
    let load = |row: &Row| row.load(problem.free);
    let mut weight: usize = state.rows.iter().map(load).sum();
    let mut best = (state.excess == 0).then(|| (weight, state.rows.clone()));
    let cooling = (schedule.cold / schedule.hot).ln() / schedule.moves.max(1) as f64;
    let mut temperature = schedule.hot;
    for step in 0..schedule.moves / turn.order as u64 {
        if step % 256 == 0 {
            temperature = schedule.hot * (cooling * (step * turn.order as u64) as f64).exp();
            if step % 1024 == 0 && stopped() {
                break;
            }
        }
        let group = below(&mut random, groups);
        let old = state.rows[place(group)];
        let next = if stays(group) {
            let mut next = old;
            next.points ^= turn.cycle_of(below(&mut random, problem.points));
            next.points ^= turn.cycle_of(below(&mut random, problem.points));
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
        let growth = state.joint_growth(place(group), &orbit, &mut new);
        let many = if stays(group) { 1 } else { turn.order as i64 };
        let heavier = many * (load(&next) as i64 - load(&old) as i64);
        let energy = growth as f64 + schedule.price * heavier as f64;
        let uniform = f64::from(random.next_u32()) / f64::from(u32::MAX);
        if energy > 0.0 && uniform >= (-energy / temperature).exp() {
            continue;
        }
        for (i, (&row, wins)) in orbit.iter().zip(&new).enumerate() {
            state.candidate.copy_from_slice(wins);
            state.take(place(group) + i, row);
        }
        weight = (weight as i64 + heavier) as usize;
        if state.excess == 0 && best.as_ref().is_none_or(|&(least, _)| weight < least) {
            best = Some((weight, state.rows.clone()));
            if schedule.price <= 0.0 {
                break;
            }
        }
    }
    best.map(|(_, rows)| sorted(rows))
}

/// Tests of the local problem: every K of b to `most` of the points may win |K| − b rows.
#[must_use]
pub fn local_tests(points: usize, b: usize, most: usize) -> Vec<Test> {
    subsets(points)
        .filter(|set| (b.max(1)..=most).contains(&(set.count_ones() as usize)))
        .map(|points| Test { points, old: 0, allowed: (points.count_ones() as usize - b) as u8 })
        .collect()
}

/// Tests of a part that is to be glued to any family: those of the local problem for c < b old points,
/// and |L| wins for as many old points as a row can hold.
#[must_use]
pub fn part_tests(points: usize, b: usize, old: u8) -> Vec<Test> {
    let mut tests = Vec::new();
    for c in 0..b {
        tests.extend(subsets(points).filter(|&set| set != 0).map(|points| Test {
            points,
            old: c as u8,
            allowed: (points.count_ones() as usize + c).saturating_sub(b) as u8,
        }));
    }
    if usize::from(old) >= b {
        tests.extend(subsets(points).map(|points| Test { points, old, allowed: points.count_ones() as u8 }));
    }
    tests
}

/// Tests of the general problem, no shape assumed: every message of weight t may win t − b rows.
#[must_use]
pub fn message_tests(n: usize, b: usize) -> Vec<Test> {
    let t = (n - 1) / 2;
    subsets(n)
        .filter(|set| set.count_ones() as usize == t)
        .map(|points| Test { points, old: 0, allowed: (t - b) as u8 })
        .collect()
}

fn subsets(points: usize) -> impl Iterator<Item = u32> {
    0..1_u32 << points
}
