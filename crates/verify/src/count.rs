//! Every message that matters, counted by its margin, in an order from which parts can be cut.
//!
//! # The order
//! The deciding sides one after the other, that of the answer 0 first. On a side the classes of partitions
//! ([`Side::classes`]) are put in the order of their sizes, the largest first, among equals the one with the
//! lowest partition first. A *choice* is a vector of counts, one a class; the choices whose counts add up to the
//! side's weight stand in lexicographic order. A choice's place in this list is its *rank*. It stands for
//! Π C(size, count) messages, of which [`Side::message`] is one.
//!
//! # What is promised
//! - The order depends on the matrix and the tie rule alone: neither on the number of threads or parts nor
//!   on how fast anything is. Parts of different runs fit together when their ranks do.
//! - [`Enumeration::count`] counts each choice of its range once, times the messages that it stands for. The
//!   counts are integers of any size. The worst message is the first of those with the smallest margin.
//!
//! # How
//! As in [`super::exhaustive`]: the last classes are *inner*, their count vectors stand in a table, and a
//! choice of the others picks one row a voter. Where a range begins or ends between the choices of one such
//! table scan, these are counted one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use num_bigint::{BigInt, BigUint};
use rayon::prelude::*;

use super::exhaustive::{Exhaustive, MOST_PATTERNS, MOST_TABLE, Plan, for_each_vector, unit};
use super::reduce::{Side, sides};
use ecode_lanes::{Block, Counts, Lanes, Starts, Tally};

use super::{Control, Engine as _, Unsuitable};
use ecode_core::{AllocationMatrix, Message, Outcome, TieRule};

/// The most counts that a task keeps.
const MOST_CELLS: usize = 1 << 20;
/// Between two looks at the clock a task counts about so many choices.
const GLANCE: u64 = 1 << 22;
/// The first chunk's choices; the next ones take as long as they should.
const FIRST_CHUNK: u64 = 1 << 20;
/// A chunk is cut into so many tasks a thread, so that no thread waits long for the last one.
const TASKS: u64 = 8;

/// How many messages of each side leave which margin, and one with the smallest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// For each deciding side: margin → messages, all above zero.
    pub margins: Vec<BTreeMap<i64, BigUint>>,
    /// The first message, in the order of the ranks, with the smallest margin; `None` where nothing was counted.
    pub worst: Option<Outcome>,
}

impl Count {
    /// Nothing counted yet, for so many sides.
    #[must_use]
    pub fn none(sides: usize) -> Self {
        Self { margins: vec![BTreeMap::new(); sides], worst: None }
    }

    /// Adds what was counted further on in the order.
    pub fn add(&mut self, later: Self) {
        for (sum, more) in self.margins.iter_mut().zip(later.margins) {
            for (margin, messages) in more {
                *sum.entry(margin).or_default() += messages;
            }
        }
        let smaller = |new: &Outcome| self.worst.as_ref().is_none_or(|old| new.margin < old.margin);
        if later.worst.as_ref().is_some_and(smaller) {
            self.worst = later.worst;
        }
    }
}

/// All messages that decide a claim, in a fixed order.
///
/// ```
/// use std::time::Duration;
/// use ecode_core::TieRule;
/// use ecode_verify::{Control, Enumeration};
/// let g = ecode_design::construct::algorithm1(9, 2)?;
/// let all = Enumeration::new(&g, TieRule::Adversarial)?;
/// // C(9,4) messages, 12 of them really different.
/// assert_eq!((all.total(), &all.messages(0..12)[0]), (12, &126_u32.into()));
/// let mut save = |_, _: &_| Ok(());
/// let (end, count) = all.count(0..12, all.nothing(), &Control::default(), Duration::MAX, &mut save)?;
/// assert_eq!((end, count.worst.map(|worst| worst.margin)), (12, Some(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Enumeration {
    matrix: AllocationMatrix,
    ties: TieRule,
    sides: Vec<Ranked>,
}

/// A side with its choices in order.
#[derive(Clone, Debug)]
struct Ranked {
    side: Side,
    /// Where its ranks begin.
    start: u64,
    /// The classes, the largest first.
    order: Vec<usize>,
    /// `ways[place][count]` = C(size, count).
    ways: Vec<Vec<BigUint>>,
    /// `choices[place][left]`: count vectors of the classes from this place on with this sum.
    choices: Vec<Vec<u128>>,
    /// The same, in messages.
    messages: Vec<Vec<BigUint>>,
}

impl Ranked {
    fn new(side: Side, start: u64) -> Self {
        let mut order: Vec<usize> = (0..side.classes.len()).collect();
        // The sort is stable, and classes come in the order of their lowest partitions.
        order.sort_by_key(|&class| std::cmp::Reverse(side.classes[class].len()));
        let ways: Vec<Vec<BigUint>> =
            order.iter().map(|&class| binomials(side.classes[class].len())).collect();
        let mut choices = vec![vec![0; side.weight + 1]; order.len() + 1];
        let mut messages = vec![vec![BigUint::ZERO; side.weight + 1]; order.len() + 1];
        choices[order.len()][0] = 1;
        messages[order.len()][0] = BigUint::from(1_u32);
        for place in (0..order.len()).rev() {
            for left in 0..=side.weight {
                let counts = 0..ways[place].len().min(left + 1);
                choices[place][left] = counts
                    .clone()
                    .fold(0_u128, |sum, count| sum.saturating_add(choices[place + 1][left - count]));
                messages[place][left] =
                    counts.map(|count| &ways[place][count] * &messages[place + 1][left - count]).sum();
            }
        }
        Self { side, start, order, ways, choices, messages }
    }

    fn total(&self) -> u64 {
        self.choices[0][self.side.weight] as u64
    }

    fn end(&self) -> u64 {
        self.start + self.total()
    }

    /// The part of a range of ranks that lies on this side, from 0 on.
    fn own(&self, range: &Range<u64>) -> Range<u64> {
        let inside = |rank: u64| rank.clamp(self.start, self.end()) - self.start;
        inside(range.start)..inside(range.end)
    }

    /// How many messages the choices before this rank stand for.
    fn messages_before(&self, rank: u64) -> BigUint {
        if rank >= self.total() {
            return self.messages[0][self.side.weight].clone();
        }
        let (mut rest, mut left) = (u128::from(rank), self.side.weight);
        let (mut ways, mut sum) = (BigUint::from(1_u32), BigUint::ZERO);
        for place in 0..self.order.len() {
            for count in 0..self.ways[place].len().min(left + 1) {
                let below = self.choices[place + 1][left - count];
                let each = &ways * &self.ways[place][count];
                if rest < below {
                    (ways, left) = (each, left - count);
                    break;
                }
                rest -= below;
                sum += each * &self.messages[place + 1][left - count];
            }
        }
        sum
    }

    /// The rank of the first choice that agrees with the one of this rank on the first `depth` classes.
    fn first_alike(&self, rank: u64, depth: usize) -> u64 {
        let (mut rest, mut left) = (u128::from(rank), self.side.weight);
        for place in 0..depth {
            for count in 0..self.ways[place].len().min(left + 1) {
                let below = self.choices[place + 1][left - count];
                if rest < below {
                    left -= count;
                    break;
                }
                rest -= below;
            }
        }
        rank - rest as u64
    }

    /// The rank of a choice, given by its count for each class of the side.
    fn rank(&self, counts: &[usize]) -> u64 {
        let (mut rank, mut left) = (0, self.side.weight);
        for (place, &class) in self.order.iter().enumerate() {
            rank += (0..counts[class]).map(|count| self.choices[place + 1][left - count]).sum::<u128>();
            left -= counts[class];
        }
        rank as u64
    }
}

/// C(size, 0), …, C(size, size).
#[must_use]
pub fn binomials(size: usize) -> Vec<BigUint> {
    let mut row = vec![BigUint::from(1_u32)];
    for x in 0..size {
        row.push(&row[x] * (size - x) / (x + 1));
    }
    row
}

impl Enumeration {
    /// Lists what there is to count.
    ///
    /// # Errors
    /// [`Unsuitable`] where there are more than 2^63 choices.
    pub fn new(g: &AllocationMatrix, ties: TieRule) -> Result<Self, Unsuitable> {
        Exhaustive.suits(g, ties)?;
        let mut ranked: Vec<Ranked> = Vec::new();
        for side in sides(g, ties) {
            let start = ranked.last().map_or(0, Ranked::end);
            ranked.push(Ranked::new(side, start));
        }
        Ok(Self { matrix: g.clone(), ties, sides: ranked })
    }

    /// How many choices there are; ranks are below this.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sides.last().map_or(0, Ranked::end)
    }

    /// μ on each deciding side, in the order of the ranks.
    #[must_use]
    pub fn sides(&self) -> Vec<bool> {
        self.sides.iter().map(|ranked| ranked.side.correct).collect()
    }

    /// A count of nothing.
    #[must_use]
    pub fn nothing(&self) -> Count {
        Count::none(self.sides.len())
    }

    /// The ranks of shard `index` of `of`: all shards together cover everything once, and their sizes differ by at most one.
    ///
    /// # Panics
    /// When `index` is not below `of`.
    #[must_use]
    pub fn shard(&self, index: u64, of: u64) -> Range<u64> {
        assert!(index < of, "shard {index} of {of}");
        let cut = |index: u64| (u128::from(self.total()) * u128::from(index) / u128::from(of)) as u64;
        cut(index)..cut(index + 1)
    }

    /// How many messages of each side the choices of a range stand for.
    #[must_use]
    pub fn messages(&self, range: Range<u64>) -> Vec<BigUint> {
        let count = |ranked: &Ranked| {
            let own = ranked.own(&range);
            ranked.messages_before(own.end) - ranked.messages_before(own.start)
        };
        self.sides.iter().map(count).collect()
    }

    /// The losses ([`Side`]) of all messages of each side together, worked out one worker at a time instead of
    /// one message at a time: what a count must add up to.
    pub(super) fn losses(&self) -> Vec<BigUint> {
        let losses = |ranked: &Ranked| {
            let side = &ranked.side;
            let mut alike: BTreeMap<(usize, usize), usize> = BTreeMap::new();
            for voter in &side.voters {
                let held = side.classes.iter().zip(&voter.holds).filter(|&(_, &holds)| holds);
                *alike.entry((held.map(|(class, _)| class.len()).sum(), voter.needed)).or_default() +=
                    voter.units;
            }
            let turned = alike.into_iter().map(|((load, needed), units)| {
                let (own, other) = (binomials(load), binomials(self.matrix.k() - load));
                // The rest of the choice lies outside the row.
                let seen = needed.max((side.weight + 1).saturating_sub(other.len()))..=load.min(side.weight);
                seen.map(|seen| &own[seen] * &other[side.weight - seen]).sum::<BigUint>() * units
            });
            turned.sum::<BigUint>() + &ranked.messages[0][side.weight] * side.constant
        };
        self.sides.iter().map(losses).collect()
    }

    /// The same for what was counted; `None` where margins do not tell it.
    pub(super) fn counted_losses(&self, margins: &[BTreeMap<i64, BigUint>]) -> Vec<Option<BigInt>> {
        let losses = |(ranked, margins): (&Ranked, &BTreeMap<i64, BigUint>)| {
            let each = |(&margin, messages): (&i64, &BigUint)| {
                Some(BigInt::from(messages.clone()) * ranked.side.loss_of_margin(margin)?)
            };
            margins.iter().map(each).sum()
        };
        self.sides.iter().zip(margins).map(losses).collect()
    }

    /// The rank of the choice that a message belongs to; `None` for a message that no side counts.
    #[must_use]
    pub fn rank(&self, message: &Message) -> Option<u64> {
        if message.len() != self.matrix.k() {
            return None;
        }
        self.sides.iter().find_map(|ranked| {
            let side = &ranked.side;
            let chosen =
                |class: &Vec<usize>| class.iter().filter(|&&i| message.contains(i) != side.correct).count();
            let counts: Vec<usize> = side.classes.iter().map(chosen).collect();
            let counted =
                ecode_core::majority(message) == side.correct && counts.iter().sum::<usize>() == side.weight;
            counted.then(|| ranked.start + ranked.rank(&counts))
        })
    }

    /// Counts a range, on top of what is `known` of the ranks before it, and says how far it came: to the end, or
    /// less far where the control said stop. `save` is called with this every now and then, at the latest
    /// when `every` and the time of one chunk (half of `every`, at most a second) have passed, and at the end.
    ///
    /// # Errors
    /// Those of `save`.
    pub fn count(
        &self,
        range: Range<u64>,
        known: Count,
        control: &Control,
        every: Duration,
        save: &mut dyn FnMut(u64, &Count) -> std::io::Result<()>,
    ) -> std::io::Result<(u64, Count)> {
        let plans: Vec<SidePlan> = self.sides.iter().map(SidePlan::new).collect();
        let wanted = (every / 2).min(Duration::from_secs(1)).as_secs_f64().max(1e-3);
        let (mut at, mut count, mut size) = (range.start, known, FIRST_CHUNK);
        let mut saved = Instant::now();
        while at < range.end {
            let begun = Instant::now();
            let chunk = at..range.end.min(at.saturating_add(size));
            let Some(more) = self.chunk(&plans, &chunk, control) else { break };
            count.add(more);
            at = chunk.end;
            // At most four times as much as before: a short chunk says little.
            let pace = (wanted / begun.elapsed().as_secs_f64().max(1e-6)).clamp(0.25, 4.0);
            size = ((size as f64 * pace) as u64).max(FIRST_CHUNK >> 6);
            if at < range.end && saved.elapsed() >= every {
                save(at, &count)?;
                saved = Instant::now();
            }
        }
        save(at, &count)?;
        Ok((at, count))
    }

    /// Counts a range in one go; `None` where the control said stop.
    fn chunk(&self, plans: &[SidePlan], range: &Range<u64>, control: &Control) -> Option<Count> {
        let mut count = self.nothing();
        for (place, plan) in plans.iter().enumerate() {
            let own = plan.ranked.own(range);
            let tasks = u64::from(u32::try_from(rayon::current_num_threads()).unwrap_or(1)) * TASKS;
            let width = own.end - own.start;
            let mut cuts: Vec<u64> = (0..=tasks)
                .map(|i| own.start + (u128::from(width) * u128::from(i) / u128::from(tasks)) as u64)
                .collect();
            for cut in &mut cuts[1..tasks as usize] {
                // Between two tasks no table scan is cut in two.
                *cut =
                    plan.ranked.first_alike((*cut).min(own.end.saturating_sub(1)), plan.depth).max(own.start);
            }
            let ranges: Vec<Range<u64>> =
                cuts.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty()).collect();
            let done: Vec<Option<Counted>> =
                ranges.into_par_iter().map(|range| Walk::count(plan, range, control)).collect();
            let mut best: Option<Best> = None;
            for counted in done {
                let counted = counted?;
                for (cell, messages) in counted.cells.into_iter().enumerate() {
                    if messages != BigUint::ZERO {
                        *count.margins[place].entry(plan.margins[cell]).or_default() += messages;
                    }
                }
                if let Some(new) = counted.best
                    && best.as_ref().is_none_or(|old| new.margin < old.margin)
                {
                    best = Some(new);
                }
            }
            if let Some(best) = best
                && count.worst.as_ref().is_none_or(|worst| best.margin < worst.margin)
            {
                let message = plan.ranked.side.message(&plan.find(&best));
                count.worst = Some(Outcome::of(&self.matrix, self.ties, &message));
            }
        }
        Some(count)
    }
}

/// Where the smallest margin of a task was met first: among these choices of the inner classes.
struct Best {
    margin: i64,
    /// The outer classes' counts, in order.
    outer: Vec<usize>,
    /// How many the inner classes hold together.
    left: usize,
    /// Which of their vectors, in lexicographic order.
    among: Range<u64>,
}

/// One side, ready to be counted.
struct SidePlan<'a> {
    ranked: &'a Ranked,
    plan: Plan<'a>,
    /// How many classes are outer.
    depth: usize,
    /// By the inner classes' weight: the blocks of patterns, each of one kind, and the kinds.
    blocks: Vec<Vec<Block>>,
    kinds: Vec<Vec<usize>>,
    /// How many messages a pattern of each kind stands for.
    ways: Vec<BigUint>,
    tally: Tally,
    /// The margin that each cell of a histogram means, the largest first.
    margins: Vec<i64>,
    /// For each outer place and input: 1 where the voter holds the class.
    holds: Vec<Vec<i32>>,
}

impl<'a> SidePlan<'a> {
    fn new(ranked: &'a Ranked) -> Self {
        let side = &ranked.side;
        let unit = unit(side);
        let cells = side.voters.iter().map(|voter| voter.units / unit).sum::<usize>() + 1;
        let (depth, ways) = inner(ranked, cells);
        let (outer, inner) = ranked.order.split_at(depth);
        let ways_of = |pattern: &[u16]| -> BigUint {
            let each = pattern.iter().zip(&ranked.ways[depth..]);
            each.map(|(&count, ways)| &ways[usize::from(count)]).product()
        };
        // Patterns of one kind side by side.
        let arrange = |patterns: &mut Vec<Vec<u16>>| patterns.sort_by_cached_key(|pattern| ways_of(pattern));
        let plan = Plan::with(side, inner.to_vec(), outer.to_vec(), arrange);
        let (mut blocks, mut kinds) = (Vec::new(), Vec::new());
        for group in &plan.groups {
            let mut own: Vec<Block> = Vec::new();
            for (lane, pattern) in group.patterns.iter().enumerate() {
                let place = group.start + lane / Lanes::COUNT;
                let kind = ways.binary_search(&ways_of(pattern)).unwrap_or_else(|_| unreachable!("listed"));
                if own.last().is_none_or(|block| (block.place, block.weight) != (place, kind)) {
                    own.push(Block { place, filled: Lanes::ZERO, weight: kind, messages: 1 });
                }
                if let Some(block) = own.last_mut() {
                    block.filled.set(lane % Lanes::COUNT);
                }
            }
            let mut list: Vec<usize> = own.iter().map(|block| block.weight).collect();
            list.dedup();
            blocks.push(own);
            kinds.push(list);
        }
        let held = |class: usize, j: &Option<usize>| j.is_some_and(|j| side.voters[j].holds[class]);
        let holds = outer
            .iter()
            .map(|&class| plan.inputs.order.iter().map(|j| i32::from(held(class, j))).collect())
            .collect();
        Self {
            ranked,
            depth,
            blocks,
            kinds,
            ways,
            tally: Tally { above: plan.counter.clone(), tied: None, width: 1, cells },
            margins: (0..cells).map(|cell| side.margin(side.constant + cell * unit)).collect(),
            holds,
            plan,
        }
    }

    /// Visits the choices that begin with the outer counts, in order: their place among them, and all counts.
    fn each(&self, outer: &[usize], left: usize, visit: &mut impl FnMut(u64, &[usize])) {
        let side = &self.ranked.side;
        let (first, inner) = self.ranked.order.split_at(self.depth);
        let mut counts = vec![0; side.classes.len()];
        for (&class, &count) in first.iter().zip(outer) {
            counts[class] = count;
        }
        let sizes: Vec<usize> = inner.iter().map(|&class| side.classes[class].len()).collect();
        let mut place = 0;
        for_each_vector(&sizes, left, &mut |pattern, sum| {
            if sum == left {
                for (&class, &count) in inner.iter().zip(pattern) {
                    counts[class] = usize::from(count);
                }
                visit(place, &counts);
                place += 1;
            }
        });
    }

    /// The first choice with the margin.
    fn find(&self, best: &Best) -> Vec<usize> {
        let side = &self.ranked.side;
        let mut found = None;
        self.each(&best.outer, best.left, &mut |place, counts| {
            let here = found.is_none() && best.among.contains(&place);
            if here && side.margin(side.loss(counts)) == best.margin {
                found = Some(counts.to_vec());
            }
        });
        found.unwrap_or_else(|| unreachable!("the margin was met here"))
    }
}

/// The place from which on classes are inner, and how many messages their patterns can stand for, in
/// increasing order.
fn inner(ranked: &Ranked, cells: usize) -> (usize, Vec<BigUint>) {
    let side = &ranked.side;
    // Small problems need small tables: building one costs about as much as scanning 64 of it.
    let wanted =
        ((ranked.total().min(1 << 40) as f64 * 64.0).sqrt() as usize).clamp(Lanes::COUNT, MOST_PATTERNS);
    let mut depth = ranked.order.len();
    let (mut patterns, mut ones) = (1_usize, 0);
    let mut kinds = BTreeSet::from([BigUint::from(1_u32)]);
    while depth > 0 {
        let size = ranked.ways[depth - 1].len() - 1;
        let more = patterns.saturating_mul(size + 1);
        let rows = (ones + size + 2) * side.voters.len();
        let bytes = rows.saturating_mul(more.div_ceil(Lanes::COUNT) + ones + size) * (Lanes::COUNT / 8);
        if more > wanted || bytes > MOST_TABLE {
            break;
        }
        let next: BTreeSet<BigUint> = kinds
            .iter()
            .flat_map(|kind| ranked.ways[depth - 1].iter().map(move |ways| kind * ways))
            .collect();
        if next.len().saturating_mul(cells) > MOST_CELLS {
            break;
        }
        (patterns, ones, kinds) = (more, ones + size, next);
        depth -= 1;
    }
    (depth, kinds.into_iter().collect())
}

/// What a task counted: messages by the loss beyond the constant, in units.
struct Counted {
    cells: Vec<BigUint>,
    best: Option<Best>,
}

/// One task's walk over the outer count vectors whose choices lie in a range.
struct Walk<'a> {
    plan: &'a SidePlan<'a>,
    range: Range<u64>,
    control: &'a Control,
    outer: Vec<usize>,
    /// For each input: how many more ones its voter needs.
    need: Vec<i32>,
    starts: Vec<u32>,
    counts: Counts,
    /// The kinds in `counts` that are not zero, and what all of `counts` is to be multiplied by.
    touched: Vec<usize>,
    ways: BigUint,
    cells: Vec<BigUint>,
    best: Option<Best>,
    /// A loss of so many units or more is a smaller margin than the best one.
    better: usize,
    choices: u64,
    stopped: bool,
}

impl<'a> Walk<'a> {
    /// Counts the choices of a range of ranks of this side; `None` where the control said stop.
    fn count(plan: &'a SidePlan<'a>, range: Range<u64>, control: &'a Control) -> Option<Counted> {
        let one = BigUint::from(1_u32);
        let mut walk = Self {
            plan,
            range,
            control,
            outer: vec![0; plan.depth],
            need: plan.plan.inputs.needed.clone(),
            starts: vec![0; plan.plan.inputs.needed.len()],
            counts: Counts::new(&plan.tally, plan.ways.len() - 1),
            touched: Vec::new(),
            ways: one.clone(),
            cells: vec![BigUint::ZERO; plan.tally.cells],
            best: None,
            better: 0,
            choices: 0,
            stopped: control.stopped(),
        };
        walk.descend(0, plan.ranked.side.weight, 0, &one);
        walk.flush();
        control.advance(walk.choices);
        (!walk.stopped).then_some(Counted { cells: walk.cells, best: walk.best })
    }

    fn descend(&mut self, place: usize, left: usize, rank: u64, ways: &BigUint) {
        let plan = self.plan;
        let width = plan.ranked.choices[place][left] as u64;
        if width == 0 || rank + width <= self.range.start || rank >= self.range.end || self.stopped {
            return;
        }
        if place == plan.depth {
            let inside = self.range.start.max(rank) - rank..self.range.end.min(rank + width) - rank;
            if inside == (0..width) {
                self.scan(left, width, ways);
            } else {
                self.list(left, inside, ways);
            }
            return;
        }
        let most = (plan.ranked.ways[place].len() - 1).min(left);
        let mut rank = rank;
        for count in 0..=most {
            if count > 0 {
                self.choose(place, 1);
            }
            self.outer[place] = count;
            let each = &plan.ranked.ways[place][count];
            if count == 0 || count == plan.ranked.ways[place].len() - 1 {
                self.descend(place + 1, left - count, rank, ways);
            } else {
                self.descend(place + 1, left - count, rank, &(ways * each));
            }
            rank += plan.ranked.choices[place + 1][left - count] as u64;
        }
        self.outer[place] = 0;
        self.choose(place, -(most as i32));
    }

    fn choose(&mut self, place: usize, count: i32) {
        for (need, held) in self.need.iter_mut().zip(&self.plan.holds[place]) {
            *need -= count * held;
        }
    }

    /// All choices that begin with the outer counts, 512 at a time.
    fn scan(&mut self, left: usize, width: u64, ways: &BigUint) {
        let plan = self.plan;
        if self.ways != *ways {
            self.flush();
            self.ways.clone_from(ways);
        }
        plan.plan.pick(&self.need, 0, &mut self.starts);
        let starts = Starts { above: &self.starts, tied: &[], weight: 0, messages: 1 };
        plan.tally.count(&plan.plan.table, &starts, &plan.blocks[left], &mut self.counts);
        let cells = plan.tally.cells;
        let mut highest = None;
        for &kind in &plan.kinds[left] {
            if !self.touched.contains(&kind) {
                self.touched.push(kind);
            }
            let row = &self.counts.messages[kind * cells..(kind + 1) * cells];
            highest = highest.max((self.better..cells).rev().find(|&cell| row[cell] > 0));
        }
        if let Some(cell) = highest {
            self.met(cell, left, 0..width);
        }
        self.pass(width);
    }

    /// Some of the choices that begin with the outer counts, one by one.
    fn list(&mut self, left: usize, inside: Range<u64>, ways: &BigUint) {
        let plan = self.plan;
        let Ranked { side, order, ways: each, .. } = plan.ranked;
        let unit = unit(side);
        let outer = self.outer.clone();
        let mut highest = None;
        let cells = &mut self.cells;
        plan.each(&outer, left, &mut |place, counts| {
            if inside.contains(&place) {
                let cell = (side.loss(counts) - side.constant) / unit;
                let inner = order[plan.depth..].iter().zip(&each[plan.depth..]);
                let messages: BigUint = inner.map(|(&class, ways)| &ways[counts[class]]).product();
                cells[cell] += ways * messages;
                highest = highest.max(Some(cell));
            }
        });
        if let Some(cell) = highest.filter(|&cell| cell >= self.better) {
            self.met(cell, left, inside.clone());
        }
        self.pass(inside.end - inside.start);
    }

    /// A smaller margin was met among these choices.
    fn met(&mut self, cell: usize, left: usize, among: Range<u64>) {
        let margins = &self.plan.margins;
        let margin = margins[cell];
        self.better = margins.iter().position(|&other| other < margin).unwrap_or(margins.len());
        self.best = Some(Best { margin, outer: self.outer.clone(), left, among });
    }

    fn pass(&mut self, choices: u64) {
        self.choices += choices;
        if self.choices > GLANCE {
            self.control.advance(std::mem::take(&mut self.choices));
            self.stopped = self.control.stopped();
        }
    }

    fn flush(&mut self) {
        let cells = self.plan.tally.cells;
        for kind in self.touched.drain(..) {
            let ways = &self.ways * &self.plan.ways[kind];
            for (sum, count) in self.cells.iter_mut().zip(&mut self.counts.messages[kind * cells..][..cells])
            {
                if *count > 0 {
                    *sum += BigUint::from(std::mem::take(count)) * &ways;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_design::construct::{algorithm1, cyclic};

    fn counted(all: &Enumeration, range: Range<u64>) -> Count {
        let mut save = |_, _: &Count| Ok(());
        let end = range.end;
        let done = all.count(range, all.nothing(), &Control::default(), Duration::MAX, &mut save);
        let Ok((reached, count)) = done else { panic!("nothing fails to be saved") };
        assert_eq!(reached, end);
        count
    }

    /// Margins by the definitions, over all messages of the sides' weights.
    fn defined(g: &AllocationMatrix, ties: TieRule) -> Vec<BTreeMap<i64, BigUint>> {
        let k = g.k();
        sides(g, ties)
            .iter()
            .map(|side| {
                let mut margins = BTreeMap::new();
                let ones = if side.correct { k - side.weight } else { side.weight };
                for bits in (0_u32..1 << k).filter(|bits| bits.count_ones() as usize == ones) {
                    let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                    *margins.entry(Outcome::of(g, ties, &message).margin).or_default() += 1_u32;
                }
                margins
            })
            .collect()
    }

    fn random() -> impl FnMut() -> u64 {
        let mut state = 7_u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    /// Whole, and in parts cut anywhere: the same counts as the definitions', the same worst message.
    #[test]
    fn counts_are_those_of_the_definitions_in_one_part_or_many() {
        let mut random = random();
        for round in 0..300 {
            let (n, k) = (1 + (random() % 9) as usize, 1 + (random() % 11) as usize);
            let (dense, alike) = (random() % 11, 1 + random() % 3);
            let mut rows: Vec<Vec<bool>> = Vec::new();
            for j in 0..n {
                let row = (0..k).map(|i| random() % 10 < dense || (i > 0 && i as u64 % alike > 0)).collect();
                let copy = j > 0 && random() % (alike + 1) == 0;
                rows.push(if copy { rows[j - 1].clone() } else { row });
            }
            let Ok(g) = AllocationMatrix::from_rows(&rows) else { panic!("sizes") };
            for ties in TieRule::ALL {
                let Ok(all) = Enumeration::new(&g, ties) else { panic!("small") };
                let whole = counted(&all, 0..all.total());
                assert_eq!(whole.margins, defined(&g, ties), "round {round}, {ties}, {g:?}");
                let smallest = whole.margins.iter().filter_map(|margins| margins.keys().next()).min();
                assert_eq!(whole.worst.as_ref().map(|worst| &worst.margin), smallest);

                let mut cuts: Vec<u64> = (0..3).map(|_| random() % (all.total() + 1)).collect();
                cuts.extend([0, all.total()]);
                cuts.sort_unstable();
                let mut sum = all.nothing();
                for cut in cuts.windows(2) {
                    let range = cut[0]..cut[1];
                    let part = counted(&all, range.clone());
                    let messages: Vec<BigUint> =
                        part.margins.iter().map(|margins| margins.values().sum()).collect();
                    assert_eq!(messages, all.messages(range.clone()));
                    if let Some(worst) = &part.worst {
                        assert!(all.rank(&worst.message).is_some_and(|rank| range.contains(&rank)));
                    }
                    sum.add(part);
                }
                assert_eq!(sum, whole, "{cuts:?}");
            }
        }
    }

    /// Codes with many outer classes, of equal and of different sizes: the engine's worst case, and every message.
    #[test]
    fn larger_codes_are_counted_whole_and_in_shards() {
        let mut random = random();
        let dense = AllocationMatrix::from_fn(23, 23, |_, _| random() % 2 == 0);
        let wheel: Vec<Vec<usize>> = (0..22).map(|j| (0..4).map(|i| (j + i) % 22).collect()).collect();
        let codes = [
            dense.ok(),
            algorithm1(25, 1).ok(),
            algorithm1(301, 1).ok().filter(|g| Exhaustive.suits(g, TieRule::Zero).is_ok()),
            cyclic(22, 3).ok(),
            AllocationMatrix::from_supports(22, &wheel).ok(),
            AllocationMatrix::from_supports(200, &[(0..90).collect::<Vec<_>>(), (50..199).collect()]).ok(),
        ];
        for g in codes.into_iter().flatten() {
            for ties in [TieRule::Adversarial, TieRule::Abstain] {
                let Ok(all) = Enumeration::new(&g, ties) else { panic!("fits") };
                let found = Exhaustive.examine(&g, ties, super::super::Goal::Radius, &Control::default());
                let whole = counted(&all, 0..all.total());
                assert_eq!(whole.worst.as_ref().map(|worst| worst.margin), found.floor);
                let mut sum = all.nothing();
                for index in 0..7 {
                    sum.add(counted(&all, all.shard(index, 7)));
                }
                assert_eq!(sum, whole);
                let messages: Vec<BigUint> =
                    whole.margins.iter().map(|margins| margins.values().sum()).collect();
                assert_eq!(messages, all.messages(0..all.total()));
            }
        }
    }

    #[test]
    fn what_was_counted_before_a_stop_is_kept() {
        let Ok(g) = algorithm1(21, 2) else { panic!("n is odd") };
        let Ok(all) = Enumeration::new(&g, TieRule::Zero) else { panic!("small") };
        let known = counted(&all, 0..5);
        let control = Control::default();
        control.stop();
        let mut saved = Vec::new();
        let mut save = |at, count: &Count| {
            saved.push((at, count.clone()));
            Ok(())
        };
        let Ok((at, count)) = all.count(5..all.total(), known.clone(), &control, Duration::ZERO, &mut save)
        else {
            panic!("saved")
        };
        assert_eq!((at, &count), (5, &known));
        assert_eq!(saved, [(5, known)]);
    }
}
