//! One thread's depth-first search below a prefix of decided classes.

use super::tree::{Group, Tree};
use crate::control::Control;
use ecode_lanes::{Lanes, largest, reaches};

/// A bound that succeeds more rarely than once in so many trials is not tried any more.
const RARELY: u64 = 6;

/// How often a level's covers were tried, and how often they were enough.
#[derive(Clone, Copy, Default)]
pub(super) struct Tried {
    pub(super) trials: u64,
    pub(super) successes: u64,
}

/// One thread's search below a prefix.
pub(super) struct Task<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) control: &'a Control,
    pub(super) wanted: i64,
    pub(super) found: Option<Vec<usize>>,
    pub(super) need: Vec<i16>,
    pub(super) counts: Vec<usize>,
    pub(super) worthwhile: Vec<bool>,
    pub(super) tried: Vec<Tried>,
    pub(super) starts: Vec<u32>,
    pub(super) picked: Vec<(u8, u32)>,
    pub(super) covered: u64,
    pub(super) reported: u64,
    pub(super) evaluated: u64,
    pub(super) nodes: u64,
    pub(super) stopped: bool,
}

impl<'a> Task<'a> {
    pub(super) fn new(tree: &'a Tree<'a>, wanted: i64, tried: &[Tried], control: &'a Control) -> Self {
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

    pub(super) fn run(&mut self, prefix: &[usize]) {
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
    pub(super) fn choose(&mut self, place: usize, count: usize) {
        let change = count as i16 - self.counts[place] as i16;
        for (need, holds) in self.need.iter_mut().zip(&self.tree.levels[place].holds) {
            *need -= change * holds;
        }
        self.counts[place] = count;
    }

    pub(super) fn descend(&mut self, place: usize, left: usize) {
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
    pub(super) fn bounded(&mut self, place: usize, left: usize, group: &Group) -> bool {
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
