//! A side ready to be searched: the order of its classes, and what is known from each place on.

use rayon::prelude::*;

use super::cover::{cover, vectors};
use crate::reduce::{Side, Voter, choices_by_weight};
use ecode_lanes::Lanes;

/// Completions up to this many are counted one by one.
const MOST_EXACT: u128 = 1 << 11;
/// The most bytes of one level's table.
const MOST_TABLE: usize = 64 << 20;

/// The members of a family for one number of partitions left.
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) blocks: usize,
    /// Count vectors over the classes from this level on.
    pub(super) members: Vec<Vec<u16>>,
    /// Whether the members are the completions themselves.
    pub(super) exact: bool,
}

/// What is known of the classes from one place on.
pub(super) struct Level {
    /// For each input: how many partitions its row holds from here on.
    pub(super) rest: Vec<i16>,
    /// For each input: 1 where it holds this place's class.
    pub(super) holds: Vec<i16>,
    /// How many completions there are, by the partitions left.
    pub(super) ways: Vec<u64>,
    /// How many partitions there are from here on.
    pub(super) size: usize,
    /// By the partitions left; empty where no family is kept.
    pub(super) groups: Vec<Option<Group>>,
    /// `table[(first[input] + slot) · blocks + block]`: who sees at least `slot`; row 0 is all zeros.
    pub(super) table: Vec<Lanes>,
    pub(super) blocks: usize,
    pub(super) first: Vec<u32>,
    /// `odds[(first[input] + slot) · (size + 1) + left]`: how often that is, from 0 to 31.
    pub(super) odds: Vec<u8>,
}

/// How large covering families may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Families {
    /// They are made for at most this many undecided partitions.
    pub(super) most_partitions: usize,
    /// About how many members they have.
    pub(super) members: u128,
}

impl Families {
    /// Making them takes time: a small problem is not worth large ones. Measured on dense random codes.
    pub(super) fn for_choices(choices: u128) -> Self {
        match choices {
            0..0x100_0000 => Self { most_partitions: 0, members: 0 },
            0x100_0000..0x8000_0000 => Self { most_partitions: 14, members: 512 },
            0x8000_0000..0x10_0000_0000 => Self { most_partitions: 16, members: 512 },
            _ => Self { most_partitions: 19, members: 1024 },
        }
    }
}

impl Level {
    pub(super) fn all_exact(&self) -> bool {
        !self.groups.is_empty() && self.groups.iter().flatten().all(|group| group.exact)
    }
}

/// One side, ready to be searched.
pub(super) struct Tree<'a> {
    pub(super) side: &'a Side,
    /// The classes in the order in which they are decided.
    pub(super) order: Vec<usize>,
    /// A voter of several units is several inputs.
    pub(super) inputs: Vec<usize>,
    pub(super) unit: usize,
    /// One more than there are classes.
    pub(super) levels: Vec<Level>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(side: &'a Side) -> Self {
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
    pub(super) fn sizes(&self, place: usize) -> Vec<usize> {
        self.order[place..].iter().map(|&class| self.side.classes[class].len()).collect()
    }

    /// For each voter, how many partitions from a place on its row holds.
    pub(super) fn rests(&self, place: usize) -> Vec<usize> {
        let classes = &self.order[place..];
        let held = |voter: &Voter| -> usize {
            let held = classes.iter().filter(|&&class| voter.holds[class]);
            held.map(|&class| self.side.classes[class].len()).sum()
        };
        self.side.voters.iter().map(held).collect()
    }

    /// Whether a level's completions are few enough to be listed, whatever is left.
    pub(super) fn listed(&self, place: usize) -> bool {
        let sizes = self.sizes(place);
        let most = sizes.iter().sum::<usize>().min(self.side.weight);
        let ways = choices_by_weight(&sizes, most);
        let blocks: usize =
            ways.iter().map(|&ways| ways.min(1 << 20).div_ceil(Lanes::COUNT as u128) as usize).sum();
        ways.iter().all(|&ways| ways <= MOST_EXACT) && self.affordable(place, blocks)
    }

    pub(super) fn affordable(&self, place: usize, blocks: usize) -> bool {
        let rests = self.rests(place);
        let rows: usize = 1 + rests
            .iter()
            .zip(&self.side.voters)
            .map(|(rest, voter)| rest.min(&voter.needed) + 1)
            .sum::<usize>();
        rows.saturating_mul(blocks).saturating_mul(size_of::<Lanes>()) <= MOST_TABLE
    }

    pub(super) fn level(&self, place: usize, families: Families) -> Level {
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
    pub(super) fn fill(&self, place: usize, level: &mut Level, rests: &[usize]) {
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
}
