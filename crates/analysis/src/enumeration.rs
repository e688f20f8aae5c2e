//! Every message, 512 at a time.
//!
//! # How
//! As in `verify::exhaustive`: the classes of partitions are cut into *inner* and *outer* ones. A table
//! says for every count vector of the inner classes and every voter where it sees at least s inner ones,
//! and where exactly s. A choice of the outer counts then only picks one table row a voter, and
//! [`Tally`] adds the picked rows up and counts how often each sum occurs.
//!
//! # What is promised
//! Every choice of weight at most k/2 is counted once, times the messages that it stands for. The counts
//! are integers: neither the number of threads nor the order of the work changes them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use num_bigint::BigUint;

use super::cell::Cell;
use super::reduce::Reduced;
use ecode_lanes::{Block, Counter, Counts, Lanes, Starts, Tally};
use ecode_verify::{Control, binomials};

/// The most inner patterns: the table then stays in a core's second-level cache for n = 31.
const MOST_PATTERNS: usize = 1 << 14;
/// The table's size limit in bytes.
const MOST_TABLE: usize = 256 << 20;
/// The most counts that a thread keeps.
const MOST_CELLS: usize = 1 << 23;
/// Counts of messages are kept in 128 bits.
const MOST_PARTITIONS: usize = 127;
/// The work is cut into at least this many tasks where there are as many outer vectors.
const TASKS: usize = 1024;

/// How many numbers of won workers, and of tied ones, there can be.
fn sizes(reduced: &Reduced) -> (usize, usize) {
    let units: usize = reduced.voters.iter().map(|voter| voter.units).sum();
    (units + 1, reduced.even_units() + 1)
}

/// Whether the counts fit.
pub(super) fn suits(reduced: &Reduced) -> bool {
    let (above, tied) = sizes(reduced);
    reduced.k <= MOST_PARTITIONS
        && above.saturating_mul(tied).saturating_mul(reduced.half() + 1) <= MOST_CELLS
}

/// The counts of the messages by weight up to k/2; `None` when it had to stop.
///
/// # Panics
/// When the counts do not fit ([`suits`]).
pub(super) fn count(reduced: &Reduced, control: &Control) -> Option<Vec<BTreeMap<Cell, BigUint>>> {
    assert!(suits(reduced), "the counts do not fit");
    let plan = Plan::new(reduced);
    control.begin(u64::try_from(reduced.choices()).unwrap_or(u64::MAX));
    let messages = plan.run(control)?;
    let half = messages.chunks(plan.tally.cells).map(|row| {
        let filled = row.iter().enumerate().filter(|&(_, &count)| count > 0);
        filled
            .map(|(cell, &count)| {
                let cell = Cell { above: cell / plan.tally.width, tied: cell % plan.tally.width };
                (cell, BigUint::from(count))
            })
            .collect()
    });
    Some(half.collect())
}

/// For one counter: which voter each input belongs to, and where its rows stand in the table.
struct Inputs {
    /// How many ones the voter needs, in all.
    needed: Vec<i32>,
    /// The last slot: all zeros.
    never: Vec<i32>,
    /// Where slot 0 starts in the table.
    first: Vec<i32>,
    /// For each outer place: 1 where the voter holds the class.
    holds: Vec<Vec<i32>>,
}

struct Plan<'a> {
    reduced: &'a Reduced,
    /// The outer classes' sizes, and for each count how many choices it stands for.
    outer: Vec<usize>,
    ways: Vec<Vec<u128>>,
    blocks: Vec<Block>,
    /// How many blocks, and patterns, have at most each weight.
    upto: Vec<(usize, u64)>,
    table: Vec<Lanes>,
    tally: Tally,
    /// Won at slot max(need, 0): at least so many inner ones.
    above: Inputs,
    /// Tied at slot need: exactly so many.
    tied: Inputs,
}

impl<'a> Plan<'a> {
    fn new(reduced: &'a Reduced) -> Self {
        let (inner, outer) = split(reduced);
        let half = reduced.half();
        let ways = |class: usize| -> Vec<u128> { choose(reduced.sizes[class]) };
        // The inner patterns by weight and by how many messages each stands for.
        let mut groups: BTreeMap<(usize, u128), Vec<Vec<u16>>> = BTreeMap::new();
        let inner_ways: Vec<Vec<u128>> = inner.iter().map(|&class| ways(class)).collect();
        let mut counts = vec![0_u16; inner.len()];
        patterns(&inner_ways, half, &mut counts, 0, 0, 1, &mut groups);
        let mut blocks = Vec::new();
        let mut contents: Vec<&[Vec<u16>]> = Vec::new();
        let mut upto = vec![(0, 0); half + 1];
        for (&(weight, messages), patterns) in &groups {
            for chunk in patterns.chunks(Lanes::COUNT) {
                let mut filled = Lanes::ZERO;
                (0..chunk.len()).for_each(|lane| filled.set(lane));
                blocks.push(Block { place: blocks.len(), filled, weight, messages });
                contents.push(chunk);
            }
            upto[weight].0 = blocks.len();
            upto[weight].1 += patterns.len() as u64;
        }
        for weight in 1..=half {
            upto[weight].0 = upto[weight].0.max(upto[weight - 1].0);
            upto[weight].1 += upto[weight - 1].1;
        }

        // Row 0 is all zeros. A voter has the rows "at least 0 … most inner ones" and a row of zeros, and
        // where it can tie the rows "exactly 0 … most".
        let mut table = vec![Lanes::ZERO; blocks.len()];
        let mut first = Vec::new();
        let mut most = Vec::new();
        for voter in &reduced.voters {
            let held: Vec<usize> = (0..inner.len()).filter(|&i| voter.holds.contains(&inner[i])).collect();
            let most_seen = held.iter().map(|&i| reduced.sizes[inner[i]]).sum::<usize>().min(half);
            let stride = blocks.len();
            let at = table.len();
            first.push(at);
            most.push(most_seen);
            let rows = most_seen + 2 + if voter.load % 2 == 0 { most_seen + 2 } else { 0 };
            table.resize(at + rows * stride, Lanes::ZERO);
            for (block, content) in contents.iter().enumerate() {
                for (lane, pattern) in content.iter().enumerate() {
                    let seen: usize = held.iter().map(|&i| usize::from(pattern[i])).sum();
                    table[at + seen * stride + block].set(lane);
                }
            }
            if voter.load % 2 == 0 {
                let exactly = at + (most_seen + 2) * stride;
                table.copy_within(at..exactly, exactly);
            }
            // From "exactly s" to "at least s".
            for s in (0..most_seen).rev() {
                for block in 0..stride {
                    let more = table[at + (s + 1) * stride + block];
                    table[at + s * stride + block] = table[at + s * stride + block].or(more);
                }
            }
        }

        let stride = blocks.len();
        let voters = &reduced.voters;
        let inputs = |order: &[Option<usize>], tied: bool| Inputs {
            needed: order
                .iter()
                .map(|j| j.map_or(0, |j| (voters[j].load / 2 + usize::from(!tied)) as i32))
                .collect(),
            never: order.iter().map(|j| j.map_or(0, |j| (most[j] + 1) as i32)).collect(),
            first: order
                .iter()
                .map(|j| j.map_or(0, |j| (first[j] + if tied { (most[j] + 2) * stride } else { 0 }) as i32))
                .collect(),
            holds: outer
                .iter()
                .map(|class| {
                    let held = |j: usize| i32::from(voters[j].holds.contains(class));
                    order.iter().map(|j| j.map_or(0, held)).collect()
                })
                .collect(),
        };
        let units = |tied: bool| -> Vec<usize> {
            let counted = |load: usize| !tied || load % 2 == 0;
            voters.iter().map(|voter| if counted(voter.load) { voter.units } else { 0 }).collect()
        };
        let (above_counter, above_order) = Counter::new(&units(false));
        let (tied_counter, tied_order) = Counter::new(&units(true));
        let (won, width) = sizes(reduced);
        Self {
            reduced,
            ways: outer.iter().map(|&class| ways(class)).collect(),
            above: inputs(&above_order, false),
            tied: inputs(&tied_order, true),
            outer: outer.iter().map(|&class| reduced.sizes[class]).collect(),
            blocks,
            upto,
            table,
            tally: Tally {
                above: above_counter,
                tied: (width > 1).then_some(tied_counter),
                width,
                cells: won * width,
            },
        }
    }

    fn run(&self, control: &Control) -> Option<Vec<u128>> {
        // The tasks: all count vectors of the first few outer classes.
        let mut depth = 0;
        let mut tasks: Vec<Vec<usize>> = vec![Vec::new()];
        while depth < self.outer.len() && tasks.len() < TASKS {
            tasks = tasks
                .into_iter()
                .flat_map(|task| {
                    let left = self.reduced.half() - task.iter().sum::<usize>();
                    (0..=self.outer[depth].min(left)).map(move |count| [&task[..], &[count]].concat())
                })
                .collect();
            depth += 1;
        }
        let next = AtomicUsize::new(0);
        let stopped = AtomicBool::new(false);
        let parts = rayon::broadcast(|_| {
            let mut walk = Walk {
                plan: self,
                control,
                stopped: &stopped,
                above: State::new(&self.above),
                tied: State::new(&self.tied),
                counts: Counts::new(&self.tally, self.reduced.half()),
                choices: 0,
            };
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut messages = 1;
                for (place, &count) in task.iter().enumerate() {
                    walk.choose(place, count as i32);
                    messages *= self.ways[place][count];
                }
                walk.descend(depth, task.iter().sum(), messages);
                for (place, &count) in task.iter().enumerate() {
                    walk.choose(place, -(count as i32));
                }
                control.advance(std::mem::take(&mut walk.choices));
                if control.stopped() {
                    stopped.store(true, Ordering::Relaxed);
                }
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
            }
            walk.counts.messages
        });
        if stopped.load(Ordering::Relaxed) {
            return None;
        }
        parts.into_iter().reduce(|mut sum, part| {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            sum
        })
    }
}

/// What the inputs of one counter still need, and the table rows that they pick.
struct State {
    need: Vec<i32>,
    starts: Vec<u32>,
}

impl State {
    fn new(inputs: &Inputs) -> Self {
        Self { need: inputs.needed.clone(), starts: vec![0; inputs.needed.len()] }
    }

    fn choose(&mut self, inputs: &Inputs, place: usize, count: i32) {
        for (need, held) in self.need.iter_mut().zip(&inputs.holds[place]) {
            *need -= count * held;
        }
    }
}

/// One thread's walk over the outer count vectors.
struct Walk<'a> {
    plan: &'a Plan<'a>,
    control: &'a Control,
    stopped: &'a AtomicBool,
    above: State,
    tied: State,
    counts: Counts,
    choices: u64,
}

impl Walk<'_> {
    /// Adds `count` ones of an outer class.
    fn choose(&mut self, place: usize, count: i32) {
        self.above.choose(&self.plan.above, place, count);
        self.tied.choose(&self.plan.tied, place, count);
    }

    fn descend(&mut self, place: usize, weight: usize, messages: u128) {
        let Some(&size) = self.plan.outer.get(place) else {
            self.leaf(weight, messages);
            return;
        };
        let most = size.min(self.plan.reduced.half() - weight);
        for count in 0..=most {
            if count > 0 {
                self.choose(place, 1);
            }
            self.descend(place + 1, weight + count, messages * self.plan.ways[place][count]);
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
        }
        self.choose(place, -(most as i32));
    }

    /// All inner patterns that do not bring the weight above half.
    fn leaf(&mut self, weight: usize, messages: u128) {
        let plan = self.plan;
        let stride = plan.blocks.len() as i32;
        let Inputs { never, first, .. } = &plan.above;
        let State { need, starts } = &mut self.above;
        for (((start, need), never), first) in starts.iter_mut().zip(need).zip(never).zip(first) {
            *start = (first + (*need).clamp(0, *never) * stride) as u32;
        }
        let Inputs { never, first, .. } = &plan.tied;
        let State { need, starts } = &mut self.tied;
        for (((start, need), never), first) in starts.iter_mut().zip(need).zip(never).zip(first) {
            // Too many ones already: the row of zeros.
            let slot = if *need < 0 { *never } else { (*need).min(*never) };
            *start = (first + slot * stride) as u32;
        }
        let (blocks, patterns) = plan.upto[plan.reduced.half() - weight];
        let tied: &[u32] = if plan.tally.tied.is_some() { &self.tied.starts } else { &[] };
        let starts = Starts { above: &self.above.starts, tied, weight, messages };
        plan.tally.count(&plan.table, &starts, &plan.blocks[..blocks], &mut self.counts);
        self.choices += patterns;
        if self.choices > 1 << 22 {
            self.control.advance(std::mem::take(&mut self.choices));
            if self.control.stopped() {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// C(size, 0), …, C(size, size); size ≤ 127, so that each has room.
fn choose(size: usize) -> Vec<u128> {
    binomials(size).iter().map(|ways| u128::try_from(ways).unwrap_or(u128::MAX)).collect()
}

/// Lists the count vectors of some classes, of a weight of at most `most`, by weight and multiplicity.
fn patterns(
    ways: &[Vec<u128>],
    most: usize,
    counts: &mut [u16],
    place: usize,
    weight: usize,
    messages: u128,
    groups: &mut BTreeMap<(usize, u128), Vec<Vec<u16>>>,
) {
    let Some(class) = ways.get(place) else {
        groups.entry((weight, messages)).or_default().push(counts.to_vec());
        return;
    };
    for (count, each) in class.iter().enumerate().take(most - weight + 1) {
        counts[place] = count as u16;
        patterns(ways, most, counts, place + 1, weight + count, messages * each, groups);
    }
    counts[place] = 0;
}

/// Inner and outer classes: inner ones, the smallest first, until their patterns fill a good table.
fn split(reduced: &Reduced) -> (Vec<usize>, Vec<usize>) {
    // Small problems need small tables: building one costs about as much as scanning 64 of it.
    let choices = reduced.choices().min(1 << 40) as f64;
    let wanted = ((choices * 64.0).sqrt() as usize).clamp(Lanes::COUNT, MOST_PATTERNS);
    let mut by_size: Vec<usize> = (0..reduced.sizes.len()).collect();
    by_size.sort_by_key(|&class| (reduced.sizes[class], class));
    let (mut inner, mut outer) = (Vec::new(), Vec::new());
    let (mut patterns, mut ones) = (1_usize, 0);
    for class in by_size {
        let size = reduced.sizes[class];
        let more = patterns.saturating_mul(size + 1);
        let rows = 2 * (ones + size + 2) * reduced.voters.len();
        let bytes = rows.saturating_mul(more.div_ceil(Lanes::COUNT) + ones + size) * (Lanes::COUNT / 8);
        if outer.is_empty() && more <= wanted && (bytes <= MOST_TABLE || inner.is_empty()) {
            inner.push(class);
            (patterns, ones) = (more, ones + size);
        } else {
            outer.push(class);
        }
    }
    // Large classes first: the walk's deepest loop then changes the least.
    outer.reverse();
    (inner, outer)
}
