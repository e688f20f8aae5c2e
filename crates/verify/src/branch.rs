//! Branch and bound over the classes of partitions, for matrices without structure.
//!
//! # How
//! Classes are decided one after the other. At a node some are decided, `left` partitions are still to
//! be chosen among the rest, and every voter still needs some of those. The node is given up when no
//! completion can beat the best choice known, which a local search supplies at the start:
//!
//! - *Reach*: voters whose need exceeds what is left, or what their row still holds, are lost.
//! - *Cover*: more chosen partitions never turn fewer voters. So instead of every completion it is
//!   enough to look at a family of larger choices such that every completion lies within one of them
//!   (a covering design): for 8 of 16 partitions some hundred choices of 10 stand for 12 870. They are
//!   counted 512 at a time, voters that are turned most rarely first, and a block is left as soon as too
//!   few voters remain: of 41 voters one looks at about 16.
//! - Near the leaves the family is the completions themselves, and the count is exact.
//!
//! # What is promised
//! Every choice is either counted or lies below a node that was given up for one of these two reasons;
//! the choices so covered are added up and must be all of them, else no floor is returned. The answer
//! does not depend on the number of threads: tasks go in waves of a fixed size, and know only what
//! earlier waves found.

use rayon::prelude::*;

use super::local::LocalSearch;
use super::reduce::{Side, Voter, choices_by_weight, sides};
use super::{Control, Engine, Finding, Goal, Unsuitable};
use ecode_core::{AllocationMatrix, Outcome, TieRule};
use ecode_lanes::{Lanes, largest, reaches};

/// The engine.
pub struct Branch;

/// Beyond this many messages it is not tried by itself.
const MOST_CHOICES: u128 = 1 << 63;
/// Completions up to this many are counted one by one.
const MOST_EXACT: u128 = 1 << 11;
/// The most bytes of one level's table.
const MOST_TABLE: usize = 64 << 20;
/// The most tasks that a class may cut the work into.
const MOST_TASKS: usize = 1 << 16;
/// The work is cut into at least this many tasks where there are as many choices.
const TASKS: usize = 2048;
/// Tasks that go together, before they tell the others what they found.
const WAVE: usize = 128;
/// A bound that succeeds more rarely than once in so many trials is not tried any more.
const RARELY: u64 = 6;

impl super::engine::Sealed for Branch {}

impl Engine for Branch {
    fn name(&self) -> &'static str {
        "branch"
    }

    fn suits(&self, g: &AllocationMatrix, ties: TieRule) -> Result<(), Unsuitable> {
        let choices = sides(g, ties).iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        if choices <= MOST_CHOICES {
            return Ok(());
        }
        Err(Unsuitable("'branch' takes matrices of at most 2^63 messages; try --method sat".to_owned()))
    }

    fn examine_from(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        goal: Goal,
        known: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let sides = sides(g, ties);
        let total = sides.iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        control.begin(u64::try_from(total).unwrap_or(u64::MAX));
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        let mut complete = true;
        for side in &sides {
            let enough = match goal {
                Goal::Radius => i64::MAX,
                Goal::Tolerates(b) => side.loss_for(b as i64 - 1),
            };
            let start = known
                .filter(|known| known.correct == side.correct)
                .and_then(|known| side.counts(&known.message))
                .unwrap_or_else(|| LocalSearch::default().search(side, enough, control));
            finding.meet(Outcome::of(g, ties, &side.message(&start)));
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) {
                return finding;
            }
            let searched = Tree::new(side).run(side.loss(&start), enough, control);
            finding.evaluated += searched.evaluated;
            if let Some(counts) = &searched.counts {
                finding.meet(Outcome::of(g, ties, &side.message(counts)));
            }
            match searched.most {
                Some(most) => {
                    finding.messages = finding.messages.saturating_add(side.messages());
                    floor = floor.min(side.margin(most));
                }
                None => complete = false,
            }
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) || control.stopped() && !complete {
                break;
            }
        }
        if complete && !matches!(goal, Goal::Tolerates(b) if finding.beats(b)) {
            finding.floor = Some(floor);
        } else {
            finding.messages = 0;
        }
        finding
    }
}

/// What became of one side.
struct Searched {
    /// A choice with a larger loss than the one that was known.
    counts: Option<Vec<usize>>,
    /// Proven: no choice has a larger loss.
    most: Option<usize>,
    /// Choices and members of covering families that were counted.
    evaluated: u128,
}

/// The members of a family for one number of partitions left.
struct Group {
    start: usize,
    blocks: usize,
    /// Count vectors over the classes from this level on.
    members: Vec<Vec<u16>>,
    /// Whether the members are the completions themselves.
    exact: bool,
}

/// What is known of the classes from one place on.
struct Level {
    /// For each input: how many partitions its row holds from here on.
    rest: Vec<i16>,
    /// For each input: 1 where it holds this place's class.
    holds: Vec<i16>,
    /// How many completions there are, by the partitions left.
    ways: Vec<u64>,
    /// How many partitions there are from here on.
    size: usize,
    /// By the partitions left; empty where no family is kept.
    groups: Vec<Option<Group>>,
    /// `table[(first[input] + slot) · blocks + block]`: who sees at least `slot`; row 0 is all zeros.
    table: Vec<Lanes>,
    blocks: usize,
    first: Vec<u32>,
    /// `odds[(first[input] + slot) · (size + 1) + left]`: how often that is, from 0 to 31.
    odds: Vec<u8>,
}

/// How large covering families may be.
#[derive(Clone, Copy, Debug)]
struct Families {
    /// They are made for at most this many undecided partitions.
    most_partitions: usize,
    /// About how many members they have.
    members: u128,
}

impl Families {
    /// Making them takes time: a small problem is not worth large ones. Measured on dense random codes.
    fn for_choices(choices: u128) -> Self {
        match choices {
            0..0x100_0000 => Self { most_partitions: 0, members: 0 },
            0x100_0000..0x8000_0000 => Self { most_partitions: 14, members: 512 },
            0x8000_0000..0x10_0000_0000 => Self { most_partitions: 16, members: 512 },
            _ => Self { most_partitions: 19, members: 1024 },
        }
    }
}

/// One side, ready to be searched.
struct Tree<'a> {
    side: &'a Side,
    /// The classes in the order in which they are decided.
    order: Vec<usize>,
    /// A voter of several units is several inputs.
    inputs: Vec<usize>,
    unit: usize,
    /// One more than there are classes.
    levels: Vec<Level>,
}

impl<'a> Tree<'a> {
    fn new(side: &'a Side) -> Self {
        let unit = if side.voters.iter().all(|voter| voter.units % 2 == 0) { 2 } else { 1 };
        let inputs: Vec<usize> = side
            .voters
            .iter()
            .enumerate()
            .flat_map(|(j, voter)| std::iter::repeat_n(j, voter.units / unit))
            .collect();
        // Large classes first, then those that most voters hold: needs show early.
        let mut order: Vec<usize> = (0..side.classes.len()).collect();
        let holders = |class: usize| side.voters.iter().filter(|voter| voter.holds[class]).count();
        order.sort_by_key(|&class| {
            (std::cmp::Reverse(side.classes[class].len()), std::cmp::Reverse(holders(class)), class)
        });
        let mut tree = Self { side, order, inputs, unit, levels: Vec::new() };
        let families = Families::for_choices(side.choices());
        tree.levels =
            (0..=tree.order.len()).into_par_iter().map(|place| tree.level(place, families)).collect();
        tree
    }

    /// The sizes of the classes from a place on.
    fn sizes(&self, place: usize) -> Vec<usize> {
        self.order[place..].iter().map(|&class| self.side.classes[class].len()).collect()
    }

    /// For each voter, how many partitions from a place on its row holds.
    fn rests(&self, place: usize) -> Vec<usize> {
        let classes = &self.order[place..];
        let held = |voter: &Voter| -> usize {
            let held = classes.iter().filter(|&&class| voter.holds[class]);
            held.map(|&class| self.side.classes[class].len()).sum()
        };
        self.side.voters.iter().map(held).collect()
    }

    /// Whether a level's completions are few enough to be listed, whatever is left.
    fn listed(&self, place: usize) -> bool {
        let sizes = self.sizes(place);
        let most = sizes.iter().sum::<usize>().min(self.side.weight);
        let ways = choices_by_weight(&sizes, most);
        let blocks: usize =
            ways.iter().map(|&ways| ways.min(1 << 20).div_ceil(Lanes::COUNT as u128) as usize).sum();
        ways.iter().all(|&ways| ways <= MOST_EXACT) && self.affordable(place, blocks)
    }

    fn affordable(&self, place: usize, blocks: usize) -> bool {
        let rests = self.rests(place);
        let rows: usize = 1 + rests
            .iter()
            .zip(&self.side.voters)
            .map(|(rest, voter)| rest.min(&voter.needed) + 1)
            .sum::<usize>();
        rows.saturating_mul(blocks).saturating_mul(size_of::<Lanes>()) <= MOST_TABLE
    }

    fn level(&self, place: usize, families: Families) -> Level {
        let side = self.side;
        let classes = &self.order[place..];
        let sizes = self.sizes(place);
        let size: usize = sizes.iter().sum();
        let most = size.min(side.weight);
        let ways = choices_by_weight(&sizes, most);
        let rests = self.rests(place);
        let listed = self.listed(place);
        // Below the first level that is listed nothing is ever reached.
        let reached = place == 0 || !self.listed(place - 1);
        let mut groups: Vec<Option<Group>> = Vec::new();
        if reached && (listed || size <= families.most_partitions) {
            // Far from its share of the weight a level is hardly ever met.
            let share = size * side.weight / self.side.classes.iter().map(Vec::len).sum::<usize>().max(1);
            for left in 0..=most {
                let members = if ways[left] <= MOST_EXACT {
                    Some(vectors(&sizes, left))
                } else if left.abs_diff(share) <= 5 {
                    Some(cover(&sizes, left, families.members))
                } else {
                    None
                };
                groups.push(members.map(|members| Group {
                    start: 0,
                    blocks: members.len().div_ceil(Lanes::COUNT),
                    members,
                    exact: ways[left] <= MOST_EXACT,
                }));
            }
        }
        if !self.affordable(place, groups.iter().flatten().map(|group| group.blocks).sum()) {
            groups.clear();
        }
        let mut blocks = 0;
        for group in groups.iter_mut().flatten() {
            group.start = blocks;
            blocks += group.blocks;
        }
        let mut level = Level {
            rest: self.inputs.iter().map(|&j| rests[j] as i16).collect(),
            holds: self
                .inputs
                .iter()
                .map(|&j| classes.first().map_or(0, |&class| i16::from(side.voters[j].holds[class])))
                .collect(),
            ways: ways.iter().map(|&ways| u64::try_from(ways).unwrap_or(u64::MAX)).collect(),
            size,
            groups,
            table: Vec::new(),
            blocks,
            first: Vec::new(),
            odds: Vec::new(),
        };
        if blocks > 0 {
            self.fill(place, &mut level, &rests);
        }
        level
    }

    /// Fills in who sees how many ones of which member.
    fn fill(&self, place: usize, level: &mut Level, rests: &[usize]) {
        let voters = &self.side.voters;
        let classes = &self.order[place..];
        let mut rows = 1;
        let mut first = Vec::with_capacity(voters.len());
        for (j, voter) in voters.iter().enumerate() {
            first.push(rows);
            rows += rests[j].min(voter.needed) + 1;
        }
        let blocks = level.blocks;
        let mut table = vec![Lanes::ZERO; rows * blocks];
        let mut odds = vec![0; rows * (level.size + 1)];
        for (j, voter) in voters.iter().enumerate() {
            let held: Vec<usize> = (0..classes.len()).filter(|&i| voter.holds[classes[i]]).collect();
            let top = rests[j].min(voter.needed);
            for (left, group) in level.groups.iter().enumerate() {
                let Some(group) = group else { continue };
                let mut times = vec![0_usize; top + 1];
                for lane in 0..group.blocks * Lanes::COUNT {
                    // The last member again fills the last block: harmless, and no mask is needed.
                    let member = &group.members[lane.min(group.members.len() - 1)];
                    let seen = held.iter().map(|&i| usize::from(member[i])).sum::<usize>().min(top);
                    table[(first[j] + seen) * blocks + group.start + lane / Lanes::COUNT]
                        .set(lane % Lanes::COUNT);
                    times[seen] += 1;
                }
                // From "exactly s" to "at least s".
                for s in (0..top).rev() {
                    for block in group.start..group.start + group.blocks {
                        let more = table[(first[j] + s + 1) * blocks + block];
                        let here = &mut table[(first[j] + s) * blocks + block];
                        *here = here.or(more);
                    }
                    times[s] += times[s + 1];
                }
                for s in 0..=top {
                    let odd = times[s] * 31 / (group.blocks * Lanes::COUNT);
                    odds[(first[j] + s) * (level.size + 1) + left] = odd as u8;
                }
            }
        }
        level.table = table;
        level.odds = odds;
        level.first = self.inputs.iter().map(|&j| first[j] as u32).collect();
    }

    /// Searches for a loss above `known`, and not below `enough` where that is more.
    fn run(&self, known: usize, enough: i64, control: &Control) -> Searched {
        let unit = self.unit as i64;
        let constant = self.side.constant as i64;
        // In units beyond the constant: the least that is worth finding.
        let enough = (enough != i64::MAX).then(|| (enough - constant + unit - 1).div_euclid(unit));
        let mut wanted = ((known as i64 - constant) / unit + 1).max(enough.unwrap_or(i64::MIN));
        let mut prefixes = vec![Vec::new()];
        let mut depth = 0;
        while depth < self.order.len() && prefixes.len() < TASKS && !self.levels[depth].all_exact() {
            if prefixes.len() * (self.side.classes[self.order[depth]].len() + 1) > MOST_TASKS {
                break;
            }
            prefixes = prefixes.iter().flat_map(|prefix| self.longer(prefix)).collect();
            depth += 1;
        }
        let mut counts = None;
        let mut evaluated = 0;
        let mut covered = 0_u64;
        let mut tried = vec![Tried::default(); self.levels.len()];
        for wave in prefixes.chunks(WAVE) {
            let results: Vec<Task> = wave
                .par_iter()
                .map(|prefix| {
                    let mut task = Task::new(self, wanted, &tried, control);
                    task.run(prefix);
                    task
                })
                .collect();
            for result in results {
                evaluated += u128::from(result.evaluated);
                covered = covered.saturating_add(result.covered);
                for (all, one) in tried.iter_mut().zip(&result.tried) {
                    all.trials += one.trials;
                    all.successes += one.successes;
                }
                // Among equals the first task's.
                if result.found.is_some() && result.wanted > wanted {
                    wanted = result.wanted;
                    counts = result.found;
                }
            }
            if control.stopped() || (enough.is_some() && counts.is_some()) {
                break;
            }
        }
        let counts = counts.map(|found| {
            let mut counts = vec![0; self.side.classes.len()];
            for (&class, count) in self.order.iter().zip(found) {
                counts[class] = count;
            }
            counts
        });
        let most = (covered == self.levels[0].ways[self.side.weight])
            .then(|| usize::try_from(constant + (wanted - 1) * unit).ok())
            .flatten();
        Searched { counts, most, evaluated }
    }

    /// The prefixes with one class more that can still be completed.
    fn longer(&self, prefix: &[usize]) -> Vec<Vec<usize>> {
        let left = self.side.weight - prefix.iter().sum::<usize>();
        let size = self.side.classes[self.order[prefix.len()]].len();
        let beyond = self.levels[prefix.len() + 1].size;
        (left.saturating_sub(beyond)..=size.min(left))
            .map(|count| {
                let mut longer = prefix.to_vec();
                longer.push(count);
                longer
            })
            .collect()
    }
}

impl Level {
    fn all_exact(&self) -> bool {
        !self.groups.is_empty() && self.groups.iter().flatten().all(|group| group.exact)
    }
}

/// How often a level's covers were tried, and how often they were enough.
#[derive(Clone, Copy, Default)]
struct Tried {
    trials: u64,
    successes: u64,
}

/// One thread's search below a prefix.
struct Task<'a> {
    tree: &'a Tree<'a>,
    control: &'a Control,
    wanted: i64,
    found: Option<Vec<usize>>,
    need: Vec<i16>,
    counts: Vec<usize>,
    worthwhile: Vec<bool>,
    tried: Vec<Tried>,
    starts: Vec<u32>,
    picked: Vec<(u8, u32)>,
    covered: u64,
    reported: u64,
    evaluated: u64,
    nodes: u64,
    stopped: bool,
}

impl<'a> Task<'a> {
    fn new(tree: &'a Tree<'a>, wanted: i64, tried: &[Tried], control: &'a Control) -> Self {
        Self {
            tree,
            control,
            wanted,
            found: None,
            need: tree.inputs.iter().map(|&j| tree.side.voters[j].needed as i16).collect(),
            counts: vec![0; tree.order.len()],
            worthwhile: tried.iter().map(|t| t.trials < 64 || t.successes * RARELY >= t.trials).collect(),
            tried: vec![Tried::default(); tried.len()],
            starts: Vec::with_capacity(tree.inputs.len() + 8),
            picked: Vec::with_capacity(tree.inputs.len()),
            covered: 0,
            reported: 0,
            evaluated: 0,
            nodes: 0,
            stopped: control.stopped(),
        }
    }

    fn run(&mut self, prefix: &[usize]) {
        if self.stopped {
            return;
        }
        for (place, &count) in prefix.iter().enumerate() {
            self.choose(place, count);
        }
        self.descend(prefix.len(), self.tree.side.weight - prefix.iter().sum::<usize>());
        self.control.advance(self.covered - self.reported);
    }

    /// Sets the count of one class, from whatever it was.
    fn choose(&mut self, place: usize, count: usize) {
        let change = count as i16 - self.counts[place] as i16;
        for (need, holds) in self.need.iter_mut().zip(&self.tree.levels[place].holds) {
            *need -= change * holds;
        }
        self.counts[place] = count;
    }

    fn descend(&mut self, place: usize, left: usize) {
        let tree = self.tree;
        let level = &tree.levels[place];
        self.nodes += 1;
        if self.nodes % (1 << 12) == 0 {
            self.control.advance(self.covered - self.reported);
            self.reported = self.covered;
            self.stopped |= self.control.stopped();
        }
        if self.stopped {
            return;
        }
        let reach = left as i16;
        let lost: i16 =
            self.need.iter().zip(&level.rest).map(|(&need, &rest)| i16::from(need > rest.min(reach))).sum();
        if (self.need.len() as i64 - i64::from(lost)) < self.wanted {
            self.covered = self.covered.saturating_add(level.ways[left]);
            return;
        }
        if let Some(Some(group)) = level.groups.get(left)
            && (group.exact || self.worthwhile[place])
        {
            let beaten = self.bounded(place, left, group);
            if !group.exact {
                self.tried[place].trials += 1;
                self.tried[place].successes += u64::from(beaten);
            }
            if beaten {
                self.covered = self.covered.saturating_add(level.ways[left]);
                return;
            }
        }
        let size = tree.side.classes[tree.order[place]].len();
        for count in left.saturating_sub(tree.levels[place + 1].size)..=size.min(left) {
            self.choose(place, count);
            self.descend(place + 1, left - count);
            if self.stopped {
                return;
            }
        }
        self.choose(place, 0);
    }

    /// Whether no completion beats what is known. An exact group makes it so, by taking the best.
    fn bounded(&mut self, place: usize, left: usize, group: &Group) -> bool {
        let level = &self.tree.levels[place];
        let (stride, blocks) = (level.size + 1, level.blocks);
        let reach = left as i16;
        let mut sure = 0;
        self.picked.clear();
        for (input, (&need, &rest)) in self.need.iter().zip(&level.rest).enumerate() {
            if need <= 0 {
                sure += 1;
            } else if need <= rest.min(reach) {
                let row = level.first[input] + need as u32;
                self.picked.push((level.odds[row as usize * stride + left], row));
            }
        }
        // Those that are turned most rarely first (counting sort).
        let mut places = [0_usize; 33];
        for &(odds, _) in &self.picked {
            places[usize::from(odds) + 1] += 1;
        }
        for bucket in 1..33 {
            places[bucket] += places[bucket - 1];
        }
        self.starts.clear();
        self.starts.resize(self.picked.len().next_multiple_of(8), 0);
        for &(odds, row) in &self.picked {
            let at = &mut places[usize::from(odds)];
            self.starts[*at] = row * blocks as u32 + group.start as u32;
            *at += 1;
        }
        self.evaluated += group.members.len() as u64;
        let mut wanted = self.wanted - sure;
        let mut best = None;
        let inputs = self.picked.len();
        while let Some(block) = reaches(&level.table, &self.starts, inputs, group.blocks, wanted) {
            if !group.exact {
                return false;
            }
            let hit = largest(&level.table, &self.starts, block);
            wanted = hit.sum + 1;
            best = Some((block * Lanes::COUNT + hit.lane).min(group.members.len() - 1));
        }
        if let Some(member) = best {
            let mut found = self.counts[..place].to_vec();
            found.extend(group.members[member].iter().map(|&count| usize::from(count)));
            self.found = Some(found);
            self.wanted = wanted + sure;
        }
        true
    }
}

/// Every vector 0 ≤ xᵢ ≤ `sizes[i]` of the sum `sum`.
fn vectors(sizes: &[usize], sum: usize) -> Vec<Vec<u16>> {
    let mut all = vec![(Vec::new(), sum)];
    for (place, &size) in sizes.iter().enumerate() {
        let beyond: usize = sizes[place + 1..].iter().sum();
        all = all
            .into_iter()
            .flat_map(|(vector, left)| {
                (left.saturating_sub(beyond)..=size.min(left)).map(move |count| {
                    let mut longer: Vec<u16> = vector.clone();
                    longer.push(count as u16);
                    (longer, left - count)
                })
            })
            .collect();
    }
    all.into_iter().filter(|(_, left)| *left == 0).map(|(vector, _)| vector).collect()
}

/// A family of vectors such that each one of the sum `sum` is, place by place, at most some member:
/// a covering design of about `members` members, greedily made. At most 31 partitions.
fn cover(sizes: &[usize], sum: usize, members: u128) -> Vec<Vec<u16>> {
    let m: usize = sizes.iter().sum();
    // The fewest extra partitions that let the family be small: a greedy one is about twice the bound.
    let binomial = |n: usize, r: usize| choices_by_weight(&vec![1; n], r)[r];
    let extra = (0..=m - sum)
        .find(|&extra| 2 * binomial(m, sum) / binomial(sum + extra, sum) <= members)
        .unwrap_or(m - sum);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let mut covered = vec![0_u64; (1_usize << m).div_ceil(64)];
    let mut family = Vec::new();
    for set in subsets((1 << m) - 1, sum) {
        if covered[set as usize / 64] >> (set % 64) & 1 == 1 {
            continue;
        }
        // Of some larger sets the one that covers the most that is new.
        let mut best = (0, 0_u32);
        for _ in 0..3 {
            let mut larger = set;
            while larger.count_ones() as usize != sum + extra {
                larger |= 1 << draw(m);
            }
            let new = subsets(larger, sum)
                .filter(|&inner| covered[inner as usize / 64] >> (inner % 64) & 1 == 0)
                .count();
            if new > best.0 {
                best = (new, larger);
            }
        }
        for inner in subsets(best.1, sum) {
            covered[inner as usize / 64] |= 1 << (inner % 64);
        }
        let mut place = 0;
        family.push(
            sizes
                .iter()
                .map(|&size| {
                    let mask = ((1_u64 << size) - 1) << place;
                    place += size;
                    (u64::from(best.1) & mask).count_ones() as u16
                })
                .collect::<Vec<u16>>(),
        );
    }
    family.sort_unstable();
    family.dedup();
    family
}

/// The subsets of `of` with `size` members, as bit masks.
fn subsets(of: u32, size: usize) -> impl Iterator<Item = u32> {
    let bits: Vec<u32> = (0..32).filter(|bit| of >> bit & 1 == 1).map(|bit| 1 << bit).collect();
    let end = 1_u64 << bits.len();
    let mut next = (1_u64 << size) - 1;
    std::iter::from_fn(move || {
        if next >= end {
            return None;
        }
        let here = next;
        // Gosper: the next larger number with as many ones.
        next = if here == 0 {
            end
        } else {
            let low = here & here.wrapping_neg();
            let ripple = here + low;
            ripple | (((here ^ ripple) >> 2) / low)
        };
        let mut set = 0;
        let mut rest = here;
        while rest > 0 {
            set |= bits[rest.trailing_zeros() as usize];
            rest &= rest - 1;
        }
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use super::super::exhaustive::Plan;
    use super::*;
    use ecode_design::construct::{Bernoulli, bernoulli};

    /// The tree finds the largest loss by itself. The engine hardly ever needs that, since its local search
    /// has found it before: a bound that gives up too much would otherwise go unseen.
    #[test]
    fn the_tree_finds_what_a_local_search_would_have_missed() {
        let sizes = [(5, 6), (9, 8), (12, 13), (17, 16), (23, 21), (27, 27), (28, 28)];
        for draw in 0..42 {
            let (n, k) = sizes[draw as usize % sizes.len()];
            let p = [0.15, 0.3, 0.4, 0.5, 0.6, 0.8][draw as usize / sizes.len()];
            let ties = TieRule::ALL[draw as usize % 4];
            let how = Bernoulli { n, k, p, seed: 3, draw, redraw_empty: false, odd_rows: draw % 2 == 0 };
            let Ok(g) = bernoulli(how) else { panic!("sizes are valid") };
            for side in sides(&g, ties) {
                let control = Control::default();
                let Some(best) = Plan::new(&side).run(&control).counts else { panic!("there is a choice") };
                let most = side.loss(&best);
                let tree = Tree::new(&side);
                // One short of the largest, where covers decide most; and from far below, where small.
                let far = if k < 25 { most.saturating_sub(4 * tree.unit) } else { most };
                for known in [most.saturating_sub(tree.unit), far] {
                    let known = known.max(side.constant);
                    let searched = tree.run(known, i64::MAX, &control);
                    assert_eq!(searched.most, Some(most), "n {n} k {k} p {p} draw {draw} {ties}");
                    let found = searched.counts.map(|counts| side.loss(&counts));
                    assert_eq!(found, (known < most).then_some(most));
                }
            }
        }
    }

    #[test]
    fn a_family_covers_every_completion() {
        for sizes in [vec![1; 14], vec![3, 2, 1, 1, 1, 1, 1, 1, 1], vec![1; 15]] {
            for sum in 4..=8 {
                let family = cover(&sizes, sum, 512);
                let all = vectors(&sizes, sum);
                assert_eq!(all.len() as u128, choices_by_weight(&sizes, sum)[sum]);
                for vector in &all {
                    let within = |member: &Vec<u16>| member.iter().zip(vector).all(|(m, v)| v <= m);
                    assert!(family.iter().any(within), "{vector:?} of {sizes:?}");
                }
                assert!(
                    all.len() < 1000 || family.len() < all.len() / 3,
                    "{} of {}",
                    family.len(),
                    all.len()
                );
            }
        }
    }
}
