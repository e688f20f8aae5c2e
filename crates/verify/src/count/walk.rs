//! One task's count: table scans where all of a scan's choices are in its range, one by one at the ends.

use std::collections::BTreeSet;
use std::ops::Range;

use num_bigint::BigUint;

use super::rank::Ranked;
use crate::control::Control;
use crate::exhaustive::{MOST_PATTERNS, MOST_TABLE, Plan, for_each_vector, unit};
use ecode_lanes::{Block, Counts, Lanes, Starts, Tally};

/// The most counts that a task keeps.
const MOST_CELLS: usize = 1 << 20;
/// Between two looks at the clock a task counts about so many choices.
const GLANCE: u64 = 1 << 22;

/// Where the smallest margin of a task was met first: among these choices of the inner classes.
pub(super) struct Best {
    pub(super) margin: i64,
    /// The outer classes' counts, in order.
    pub(super) outer: Vec<usize>,
    /// How many the inner classes hold together.
    pub(super) left: usize,
    /// Which of their vectors, in lexicographic order.
    pub(super) among: Range<u64>,
}

/// One side, ready to be counted.
pub(super) struct SidePlan<'a> {
    pub(super) ranked: &'a Ranked,
    pub(super) plan: Plan<'a>,
    /// How many classes are outer.
    pub(super) depth: usize,
    /// By the inner classes' weight: the blocks of patterns, each of one kind, and the kinds.
    pub(super) blocks: Vec<Vec<Block>>,
    pub(super) kinds: Vec<Vec<usize>>,
    /// How many messages a pattern of each kind stands for.
    pub(super) ways: Vec<BigUint>,
    pub(super) tally: Tally,
    /// The margin that each cell of a histogram means, the largest first.
    pub(super) margins: Vec<i64>,
    /// For each outer place and input: 1 where the voter holds the class.
    pub(super) holds: Vec<Vec<i32>>,
}

impl<'a> SidePlan<'a> {
    pub(super) fn new(ranked: &'a Ranked) -> Self {
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
    pub(super) fn each(&self, outer: &[usize], left: usize, visit: &mut impl FnMut(u64, &[usize])) {
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
    pub(super) fn find(&self, best: &Best) -> Vec<usize> {
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
pub(super) fn inner(ranked: &Ranked, cells: usize) -> (usize, Vec<BigUint>) {
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
pub(super) struct Counted {
    pub(super) cells: Vec<BigUint>,
    pub(super) best: Option<Best>,
}

/// One task's walk over the outer count vectors whose choices lie in a range.
pub(super) struct Walk<'a> {
    pub(super) plan: &'a SidePlan<'a>,
    pub(super) range: Range<u64>,
    pub(super) control: &'a Control,
    pub(super) outer: Vec<usize>,
    /// For each input: how many more ones its voter needs.
    pub(super) need: Vec<i32>,
    pub(super) starts: Vec<u32>,
    pub(super) counts: Counts,
    /// The kinds in `counts` that are not zero, and what all of `counts` is to be multiplied by.
    pub(super) touched: Vec<usize>,
    pub(super) ways: BigUint,
    pub(super) cells: Vec<BigUint>,
    pub(super) best: Option<Best>,
    /// A loss of so many units or more is a smaller margin than the best one.
    pub(super) better: usize,
    pub(super) choices: u64,
    pub(super) stopped: bool,
}

impl<'a> Walk<'a> {
    /// Counts the choices of a range of ranks of this side; `None` where the control said stop.
    pub(super) fn count(plan: &'a SidePlan<'a>, range: Range<u64>, control: &'a Control) -> Option<Counted> {
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

    pub(super) fn descend(&mut self, place: usize, left: usize, rank: u64, ways: &BigUint) {
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

    pub(super) fn choose(&mut self, place: usize, count: i32) {
        for (need, held) in self.need.iter_mut().zip(&self.plan.holds[place]) {
            *need -= count * held;
        }
    }

    /// All choices that begin with the outer counts, 512 at a time.
    pub(super) fn scan(&mut self, left: usize, width: u64, ways: &BigUint) {
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
            self.note_smaller(cell, left, 0..width);
        }
        self.pass(width);
    }

    /// Some of the choices that begin with the outer counts, one by one.
    pub(super) fn list(&mut self, left: usize, inside: Range<u64>, ways: &BigUint) {
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
            self.note_smaller(cell, left, inside.clone());
        }
        self.pass(inside.end - inside.start);
    }

    /// A smaller margin was met among these choices.
    pub(super) fn note_smaller(&mut self, cell: usize, left: usize, among: Range<u64>) {
        let margins = &self.plan.margins;
        let margin = margins[cell];
        self.better = margins.iter().position(|&other| other < margin).unwrap_or(margins.len());
        self.best = Some(Best { margin, outer: self.outer.clone(), left, among });
    }

    pub(super) fn pass(&mut self, choices: u64) {
        self.choices += choices;
        if self.choices > GLANCE {
            self.control.advance(std::mem::take(&mut self.choices));
            self.stopped = self.control.stopped();
        }
    }

    pub(super) fn flush(&mut self) {
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
