//! Every message that matters, 512 at a time.
//!
//! # How
//! The classes of partitions are cut into *inner* and *outer* ones. For every count vector of the
//! inner classes (a *pattern*; grouped by weight, 512 to a block) and every voter, a table says where
//! the voter sees at least s inner ones, for each s that can matter. An outer count vector then only
//! picks, for each voter, the table row "at least needed − (outer ones seen)", and the
//! [`Counter`] adds the picked rows up.
//!
//! # What is promised
//! All choices of the [`Side`]s are covered, each once, so the finding's floor is the exact smallest
//! margin. Where few partitions are chosen ([`Side::is_sparse`]), a table scan is left out when the voters that can
//! still be turned are no more than the best known choice turns: none of its choices turns more. The worst message does not depend on the number of threads: the work is cut into the same
//! tasks always, and among equal losses the first task's first choice wins.

use rayon::prelude::*;

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::instance::Instance;
use super::reduce::{Side, choices_by_weight};
use ecode_core::Outcome;
use ecode_lanes::{Best, Counter, Lanes};

/// The engine that enumerates all messages which matter.
pub struct Exhaustive;

/// The most inner patterns: the table then stays in a core's second-level cache for n = 31.
pub(super) const MOST_PATTERNS: usize = 1 << 14;
/// The same where few partitions are chosen: most of the patterns are then of weights that are seldom left.
const MOST_SPARSE: usize = 1 << 19;
/// The table's size limit in bytes.
pub(super) const MOST_TABLE: usize = 256 << 20;
/// The work is cut into at least this many tasks where there are as many outer vectors.
const TASKS: usize = 1024;
/// Beyond 2^63 messages an enumeration would take more than a century.
pub(super) const MOST_CHOICES: u128 = 1 << 63;

impl super::engine::Sealed for Exhaustive {}

impl Engine for Exhaustive {
    fn name(&self) -> &'static str {
        "exhaustive"
    }

    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable> {
        let choices = instance.sides().iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        if choices <= MOST_CHOICES {
            return Ok(());
        }
        Err(Unsuitable("'exhaustive' would have to try more than 2^63 messages; try --method sat".to_owned()))
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        _: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let sides = instance.sides();
        let total = sides.iter().map(Side::choices).sum::<u128>();
        control.begin(u64::try_from(total).unwrap_or(u64::MAX));
        let mut finding = Finding::default();
        let mut complete = true;
        for side in &sides {
            let plan = Plan::new(side);
            let known = start.filter(|start| start.correct == side.correct && side.is_sparse());
            let known = known.and_then(|start| side.counts(&start.message));
            let scanned = plan.run_from(known, control);
            complete &= scanned.complete;
            finding.evaluated += scanned.choices;
            if scanned.complete {
                finding.messages = finding.messages.saturating_add(side.messages());
            }
            if let Some(counts) = scanned.counts {
                let outcome = instance.outcome(&side.message(&counts));
                let key = |o: &Outcome| (o.margin, o.wrong.len() - o.wrong.count());
                if finding.worst.as_ref().is_none_or(|worst| key(&outcome) < key(worst)) {
                    finding.worst = Some(outcome);
                }
            }
        }
        if complete {
            finding.floor = finding.worst.as_ref().map(|worst| worst.margin);
        } else {
            finding.messages = finding.evaluated;
        }
        finding
    }
}

/// What became of one side.
pub(super) struct Scanned {
    /// The counts of a choice with the largest loss; `None` when there is no choice.
    pub(super) counts: Option<Vec<usize>>,
    /// Choices evaluated.
    pub(super) choices: u128,
    /// Whether they were all.
    pub(super) complete: bool,
}

/// The inner patterns of one weight.
pub(super) struct Group {
    /// First block in the table.
    pub(super) start: usize,
    pub(super) blocks: usize,
    /// The count vectors of the inner classes, in the order of the lanes.
    pub(super) patterns: Vec<Vec<u16>>,
}

/// What the counter is fed with, one entry an input, side by side so that a leaf's starts are computed
/// in vector registers. A voter of several units may be several inputs; padding reads the row of zeros.
pub(super) struct Inputs {
    pub(super) order: Vec<Option<usize>>,
    pub(super) needed: Vec<i32>,
    /// The last slot of the voter: "can no longer be reached", all zeros.
    never: Vec<i32>,
    /// Where the voter's slot 0 starts in the table.
    first: Vec<i32>,
}

/// One side, ready to be walked.
pub(super) struct Plan<'a> {
    side: &'a Side,
    inner: Vec<usize>,
    outer: Vec<usize>,
    /// By inner weight.
    pub(super) groups: Vec<Group>,
    /// `table[(first_row[j] + slot) · blocks + block]`; row 0 is all zeros.
    pub(super) table: Vec<Lanes>,
    blocks: usize,
    pub(super) counter: Counter,
    pub(super) inputs: Inputs,
    /// Whether table scans that cannot help are left out.
    skips: bool,
    /// Inputs that stand for no voter.
    padding: usize,
}

impl<'a> Plan<'a> {
    pub(super) fn new(side: &'a Side) -> Self {
        let (inner, outer) = split(side);
        Self::with(side, inner, outer, |_| {})
    }

    /// A plan with these inner and outer classes. `arrange` may put the patterns of one weight, which come
    /// in lexicographic order, into another.
    pub(super) fn with(
        side: &'a Side,
        inner: Vec<usize>,
        outer: Vec<usize>,
        arrange: impl Fn(&mut Vec<Vec<u16>>),
    ) -> Self {
        let inner_sizes: Vec<usize> = inner.iter().map(|&c| side.classes[c].len()).collect();
        let most = inner_sizes.iter().sum::<usize>().min(side.weight);
        let mut groups: Vec<Group> =
            (0..=most).map(|_| Group { start: 0, blocks: 0, patterns: Vec::new() }).collect();
        for_each_vector(&inner_sizes, most, &mut |counts, sum| {
            groups[sum].patterns.push(counts.to_vec());
        });
        let mut blocks = 0;
        for group in &mut groups {
            arrange(&mut group.patterns);
            group.start = blocks;
            group.blocks = group.patterns.len().div_ceil(Lanes::COUNT);
            blocks += group.blocks;
        }
        // Rows of an odd number of blocks: where the distance of two rows is a power of two, their blocks share
        // a few places of the first-level cache, and counting takes twice as long.
        blocks |= 1;

        let voters = &side.voters;
        let mut first_row = Vec::with_capacity(voters.len());
        let mut never = Vec::with_capacity(voters.len());
        let mut rows = 1;
        for voter in voters {
            let held = inner.iter().zip(&inner_sizes).filter(|&(&c, _)| voter.holds[c]);
            let most_seen = held.map(|(_, &size)| size).sum::<usize>().min(most);
            first_row.push(rows);
            never.push(most_seen.min(voter.needed) + 1);
            rows += most_seen.min(voter.needed) + 2;
        }
        let mut table = vec![Lanes::ZERO; rows * blocks];
        for (j, voter) in voters.iter().enumerate() {
            let held: Vec<usize> = (0..inner.len()).filter(|&i| voter.holds[inner[i]]).collect();
            let slot = |s: usize, block: usize| (first_row[j] + s) * blocks + block;
            for group in &groups {
                for lane in 0..group.blocks * Lanes::COUNT {
                    // The last pattern again fills the last block: harmless, and no mask is needed.
                    let pattern = &group.patterns[lane.min(group.patterns.len() - 1)];
                    let seen: usize = held.iter().map(|&i| usize::from(pattern[i])).sum();
                    let block = group.start + lane / Lanes::COUNT;
                    table[slot(seen.min(never[j] - 1), block)].set(lane % Lanes::COUNT);
                }
            }
            // From "exactly s" to "at least s".
            for s in (0..never[j] - 1).rev() {
                for block in 0..blocks {
                    table[slot(s, block)] = table[slot(s, block)].or(table[slot(s + 1, block)]);
                }
            }
        }
        let unit = unit(side);
        let weights: Vec<usize> = voters.iter().map(|voter| voter.units / unit).collect();
        let (counter, order) = Counter::new(&weights);
        let inputs = Inputs {
            needed: order.iter().map(|j| j.map_or(0, |j| voters[j].needed as i32)).collect(),
            never: order.iter().map(|j| j.map_or(0, |j| never[j] as i32)).collect(),
            first: order.iter().map(|j| j.map_or(0, |j| (first_row[j] * blocks) as i32)).collect(),
            order,
        };
        // Where every input weighs as much as any other, their number bounds what they add up to.
        let skips = side.is_sparse() && weights.iter().all(|&weight| weight == 1);
        let padding = inputs.order.iter().filter(|input| input.is_none()).count();
        Self { side, inner, outer, groups, table, blocks, counter, inputs, skips, padding }
    }

    /// Where each input's row starts in the table, from this block on, when its voter needs so many ones.
    #[inline]
    pub(super) fn pick(&self, need: &[i32], block: usize, starts: &mut [u32]) {
        let Inputs { never, first, .. } = &self.inputs;
        let (block, stride) = (block as i32, self.blocks as i32);
        for (((place, need), never), first) in starts.iter_mut().zip(need).zip(never).zip(first) {
            *place = (first + need.clamp(&0, never) * stride + block) as u32;
        }
    }

    pub(super) fn run(&self, control: &Control) -> Scanned {
        self.run_from(None, control)
    }

    /// The same where a choice is known: it is the answer where no other loses more.
    fn run_from(&self, known: Option<Vec<usize>>, control: &Control) -> Scanned {
        let beyond = |counts: &Vec<usize>| (self.side.loss(counts) - self.side.constant) / unit(self.side);
        let reached = known.as_ref().map_or(-1, |counts| beyond(counts) as i64);
        let scanned = self.run_above(reached, control);
        Scanned { counts: scanned.counts.or(known), ..scanned }
    }

    /// The same where only more units than these beyond the constant are of interest: where there are none, no choice
    /// is given.
    pub(super) fn run_above(&self, reached: i64, control: &Control) -> Scanned {
        let sizes: Vec<usize> = self.outer.iter().map(|&c| self.side.classes[c].len()).collect();
        // The tasks: all count vectors of the first few outer classes.
        let mut depth = 0;
        let mut tasks = 1_usize;
        while depth < sizes.len() && tasks < TASKS {
            tasks = tasks.saturating_mul(sizes[depth] + 1);
            depth += 1;
        }
        let mut prefixes = Vec::new();
        for_each_vector(&sizes[..depth], self.side.weight, &mut |counts, _| {
            prefixes.push(counts.to_vec());
        });
        let results: Vec<TaskResult> = prefixes
            .par_iter()
            .map(|prefix| {
                let mut task = Task::new(self, &sizes, reached, control);
                for (place, &count) in prefix.iter().enumerate() {
                    task.choose(place, usize::from(count));
                }
                task.descend(depth);
                control.advance(task.choices - task.reported);
                TaskResult {
                    loss: task.best.loss,
                    found: task.found,
                    choices: task.choices,
                    complete: !task.stopped,
                }
            })
            .collect();
        let complete = results.iter().all(|result| result.complete);
        let choices = results.iter().map(|result| u128::from(result.choices)).sum();
        // The largest loss; among equals the first task's.
        let best = results.into_iter().reduce(|a, b| if b.loss > a.loss { b } else { a });
        let counts = best.and_then(|best| best.found).map(|found| {
            let mut counts = vec![0; self.side.classes.len()];
            for (&class, &count) in self.outer.iter().zip(&found.outer) {
                counts[class] = count;
            }
            let pattern = &self.groups[found.weight].patterns[found.pattern];
            for (&class, &count) in self.inner.iter().zip(pattern) {
                counts[class] = usize::from(count);
            }
            counts
        });
        Scanned { counts, choices, complete }
    }
}

struct TaskResult {
    loss: i64,
    found: Option<Found>,
    choices: u64,
    complete: bool,
}

/// A choice: counts of the outer classes, and an inner pattern by weight and place.
struct Found {
    outer: Vec<usize>,
    weight: usize,
    pattern: usize,
}

/// One thread's walk over the outer count vectors below a prefix.
struct Task<'a> {
    plan: &'a Plan<'a>,
    sizes: &'a [usize],
    control: &'a Control,
    /// How many partitions of each outer class are chosen.
    counts: Vec<usize>,
    /// What is left of the weight for the inner classes.
    left: usize,
    /// For each input: how many more ones its voter needs.
    need: Vec<i32>,
    /// For each outer place and input: 1 where the voter holds the class.
    holds: Vec<Vec<i32>>,
    starts: Vec<u32>,
    best: Best,
    found: Option<Found>,
    choices: u64,
    reported: u64,
    stopped: bool,
}

impl<'a> Task<'a> {
    fn new(plan: &'a Plan<'a>, sizes: &'a [usize], reached: i64, control: &'a Control) -> Self {
        let voters = &plan.side.voters;
        let held = |class: usize, j: &Option<usize>| j.is_some_and(|j| voters[j].holds[class]);
        let holds = plan
            .outer
            .iter()
            .map(|&class| plan.inputs.order.iter().map(|j| i32::from(held(class, j))).collect())
            .collect();
        Self {
            plan,
            sizes,
            control,
            counts: vec![0; sizes.len()],
            left: plan.side.weight,
            need: plan.inputs.needed.clone(),
            holds,
            starts: vec![0; plan.inputs.order.len()],
            best: Best { loss: reached, place: (0, 0) },
            found: None,
            choices: 0,
            reported: 0,
            stopped: control.stopped(),
        }
    }

    /// Sets the count of one outer class, from whatever it was.
    fn choose(&mut self, place: usize, count: usize) {
        let change = count as i32 - self.counts[place] as i32;
        for (need, held) in self.need.iter_mut().zip(&self.holds[place]) {
            *need -= change * held;
        }
        self.left = self.left + self.counts[place] - count;
        self.counts[place] = count;
    }

    fn descend(&mut self, place: usize) {
        if place == self.sizes.len() {
            self.leaf();
            return;
        }
        for count in 0..=self.sizes[place].min(self.left + self.counts[place]) {
            self.choose(place, count);
            self.descend(place + 1);
            if self.stopped {
                return;
            }
        }
        self.choose(place, 0);
    }

    /// All inner patterns that complete the outer counts to the weight.
    fn leaf(&mut self) {
        let Some(group) = self.plan.groups.get(self.left) else { return };
        let plan = self.plan;
        if plan.skips && self.reachable() <= self.best.loss {
            self.counted(group.patterns.len() as u64);
            return;
        }
        plan.pick(&self.need, group.start, &mut self.starts);
        if plan.counter.scan(&plan.table, &self.starts, group.blocks, &mut self.best) {
            let (block, lane) = self.best.place;
            self.found = Some(Found {
                outer: self.counts.clone(),
                weight: self.left,
                pattern: (block * Lanes::COUNT + lane).min(group.patterns.len() - 1),
            });
        }
        self.counted(group.patterns.len() as u64);
    }

    /// How many inputs can be turned by what is left of the weight.
    fn reachable(&self) -> i64 {
        let left = self.left as i32;
        let inputs = self.need.iter().filter(|&&need| need <= left).count();
        (inputs - self.plan.padding) as i64
    }

    /// So many more choices are covered.
    fn counted(&mut self, choices: u64) {
        self.choices += choices;
        if self.choices - self.reported > 1 << 22 {
            self.control.advance(self.choices - self.reported);
            self.reported = self.choices;
            self.stopped = self.control.stopped();
        }
    }
}

/// The largest number that divides every voter's units.
pub(super) fn unit(side: &Side) -> usize {
    if side.voters.iter().all(|voter| voter.units % 2 == 0) { 2 } else { 1 }
}

/// Inner and outer classes: inner ones until their patterns fill a table of a good size.
fn split(side: &Side) -> (Vec<usize>, Vec<usize>) {
    // Small problems need small tables: building one costs about as much as scanning 64 of it.
    let choices = side.choices().min(1 << 40) as f64;
    let most_patterns = if side.is_sparse() { MOST_SPARSE } else { MOST_PATTERNS };
    let wanted = ((choices * 64.0).sqrt() as usize).clamp(Lanes::COUNT, most_patterns);
    let table_row = Lanes::COUNT / 8;
    let mut by_size: Vec<usize> = (0..side.classes.len()).collect();
    by_size.sort_by_key(|&class| (side.classes[class].len(), class));
    let (mut inner, mut outer) = (Vec::new(), Vec::new());
    let mut patterns = 1_usize;
    for class in by_size {
        let size = side.classes[class].len();
        let more = if side.is_sparse() {
            let sizes: Vec<usize> =
                inner.iter().chain([&class]).map(|&class| side.classes[class].len()).collect();
            let ways = choices_by_weight(&sizes, side.weight);
            usize::try_from(ways.iter().fold(0_u128, |sum, &ways| sum.saturating_add(ways)))
                .unwrap_or(usize::MAX)
        } else {
            patterns.saturating_mul(size + 1)
        };
        let inner_ones: usize = inner.iter().map(|&c: &usize| side.classes[c].len()).sum();
        let slots = (inner_ones + size + 2) * side.voters.len();
        let bytes = slots.saturating_mul(more.div_ceil(Lanes::COUNT) + inner_ones + size) * table_row;
        if outer.is_empty() && more <= wanted && (bytes <= MOST_TABLE || inner.is_empty()) {
            inner.push(class);
            patterns = more;
        } else {
            outer.push(class);
        }
    }
    // Large classes first, small ones in the deepest loops.
    outer.reverse();
    (inner, outer)
}

/// Calls `visit` with every vector 0 ≤ xᵢ ≤ `sizes[i]` whose sum is at most `most`, and its sum.
pub(super) fn for_each_vector(sizes: &[usize], most: usize, visit: &mut impl FnMut(&[u16], usize)) {
    fn walk(
        sizes: &[usize],
        left: usize,
        sum: usize,
        counts: &mut Vec<u16>,
        visit: &mut impl FnMut(&[u16], usize),
    ) {
        let Some(&size) = sizes.get(counts.len()) else {
            visit(counts, sum);
            return;
        };
        for count in 0..=size.min(left) {
            counts.push(count as u16);
            walk(sizes, left - count, sum + count, counts, visit);
            counts.pop();
        }
    }
    walk(sizes, most, 0, &mut Vec::new(), visit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_those_counted() {
        let sizes = [2, 1, 3];
        let mut by_weight = vec![0_u128; 6];
        for_each_vector(&sizes, 5, &mut |counts, sum| {
            assert_eq!(counts.iter().map(|&count| usize::from(count)).sum::<usize>(), sum);
            by_weight[sum] += 1;
        });
        assert_eq!(by_weight, choices_by_weight(&sizes, 5));
    }
}
