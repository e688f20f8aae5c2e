//! Whom to ask for what in a round trip.
//!
//! # The rules
//! Five rules keep the trips few; the proof of the bound (docs/theory/reactive.md, Theorem 21) needs each of them:
//! - T1: the disputed partition in focus stays in focus until it is settled.
//! - T2: partitions that are short but not disputed are asked in the same trip as the focus, all together.
//! - T3: a vector that is that of a digest outlives the naming of its sender. Only votes are deleted.
//! - T4: every trip fetches, for every open partition, one vector of each class that has none.
//! - T5: who was silent in a step is not asked again in it.

use crate::rule::Rule;
use crate::settlement::Settlement;
use crate::{Ask, Digest, Drift, Fetch};

impl Settlement {
    /// Helpers for the focus and for all that is short without being disputed (T1, T2, T5).
    pub(crate) fn asks(
        &mut self,
        pick: &mut dyn FnMut(&[usize]) -> usize,
        short: &mut Vec<usize>,
    ) -> Vec<Ask> {
        let open: Vec<usize> = (0..self.slots.len()).filter(|&i| self.slots[i].accepted.is_none()).collect();
        let (disputed, mut quiet): (Vec<usize>, Vec<usize>) =
            open.into_iter().partition(|&i| self.classes(&self.slots[i]).len() > 1);
        // A naming can end a dispute; then the partition is only short.
        let next = |focus| disputed.iter().copied().find(|&partition| partition > focus);
        self.focus = if self.breaks(Rule::Focus) {
            self.focus.and_then(next)
        } else {
            self.focus.filter(|focus| disputed.contains(focus))
        };
        self.focus = self.focus.or(disputed.first().copied());
        if self.breaks(Rule::Together) {
            quiet.truncate(1);
        }
        let mut asks = Vec::new();
        for partition in quiet.into_iter().chain(self.focus) {
            let largest = self.classes(&self.slots[partition]).values().map(Vec::len).max().unwrap_or(0);
            for _ in largest..=self.left {
                let Some(worker) = self.fresh(partition, pick) else { break };
                asks.push(Ask { partition, worker, vector: false });
            }
            if !asks.iter().any(|ask| ask.partition == partition) {
                short.push(partition);
            }
        }
        asks
    }

    /// A worker that was not asked for the partition yet (T5), and is now.
    fn fresh(&mut self, partition: usize, pick: &mut dyn FnMut(&[usize]) -> usize) -> Option<usize> {
        let slot = &self.slots[partition];
        let unasked = |worker: &usize| {
            !slot.asked.contains(worker)
                && !self.named.contains_key(worker)
                && !self.retired.contains(worker)
                && !self.doubts.contains_key(worker)
                && self.is_of_class(*worker, partition)
                && (!self.silent.contains(worker) || self.breaks(Rule::Silence))
        };
        let mut fresh: Vec<usize> = self.present.keys().copied().filter(unasked).collect();
        fresh.sort_by_key(|worker| self.present[worker]);
        let worker = *fresh.get(pick_of(pick, &fresh)?)?;
        self.slots[partition].asked.insert(worker);
        *self.present.entry(worker).or_default() += 1;
        Some(worker)
    }

    /// One vector of each class that has none, of every open partition (T4). Where an accepted one has no source
    /// left, a fresh worker is asked to compute and send it.
    pub(crate) fn fetches(
        &mut self,
        pick: &mut dyn FnMut(&[usize]) -> usize,
        asks: &mut Vec<Ask>,
        short: &mut Vec<usize>,
    ) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for partition in 0..self.slots.len() {
            let slot = &self.slots[partition];
            let classes = self.classes(slot);
            let wanted: Vec<Digest> = match slot.accepted {
                // Losers are to show their vectors.
                Some(value) if matches!(self.drift, Drift::Close(_)) => {
                    let others = classes.keys().copied().filter(|&digest| digest != value);
                    std::iter::once(value).chain(others).collect()
                }
                Some(value) => vec![value],
                None if self.breaks(Rule::Fetches) => Vec::new(),
                None => classes.keys().copied().collect(),
            };
            for digest in wanted {
                let slot = &self.slots[partition];
                if slot.vectors.contains_key(&digest) {
                    continue;
                }
                let mut sources: Vec<usize> = classes.get(&digest).cloned().unwrap_or_default();
                sources.retain(|worker| {
                    !slot.refused.contains(worker)
                        && !self.silent.contains(worker)
                        && !self.retired.contains(worker)
                });
                sources.sort_by_key(|worker| self.present.get(worker));
                if let Some(place) = pick_of(pick, &sources) {
                    let worker = sources[place];
                    self.slots[partition].refused.insert(worker);
                    fetches.push(Fetch { partition, digest, worker });
                } else if self.slots[partition].accepted == Some(digest) {
                    match self.fresh(partition, pick) {
                        Some(worker) => asks.push(Ask { partition, worker, vector: true }),
                        None => short.push(partition),
                    }
                }
            }
        }
        fetches
    }
}

/// A place in the list, chosen by `pick`; none where it is empty.
fn pick_of(pick: &mut dyn FnMut(&[usize]) -> usize, list: &[usize]) -> Option<usize> {
    let last = list.len().checked_sub(1)?;
    Some(pick(list).min(last))
}
