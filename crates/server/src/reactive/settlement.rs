//! One step's settlement: digests and news of vectors in; questions, accepted digests and names out.
//!
//! # The rules
//! Workers are *named* where (a) their digest differs from an accepted one, (b) more than b' workers contradict
//! them, on all partitions of the step together, (c) a vector that they sent whole is not that of their digest, or
//! (d) they sent two digests for one slot. A naming that is evidence of this step lowers b' in this step.
//!
//! Evaluation happens at the barrier of a round trip, from one snapshot: what (a) to (d) condemn together is either
//! at most b' workers, all of whom are named, or the run stops with nobody named.
//!
//! Five rules keep the trips few; the proof of the bound needs each of them:
//! - T1: the disputed partition in focus stays in focus until it is settled.
//! - T2: partitions that are short but not disputed are asked in the same trip as the focus, all together.
//! - T3: a vector that is that of a digest outlives the naming of its sender. Only votes are deleted.
//! - T4: every trip fetches, for every open partition, one vector of each class that has none.
//! - T5: who was silent in a step is not asked again in it.

use std::collections::{BTreeMap, BTreeSet};

use super::Assignment;

/// A digest of a vector, salted with the slot: run, step, state and partition.
pub type Digest = [u8; 32];

/// By which rule a worker was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// (a) Its digest of this partition differs from the accepted one.
    Differs(usize),
    /// (b) So many workers contradict it.
    Contradicted(usize),
    /// (c) Its vector of this partition is not that of its digest.
    Vector(usize),
    /// (d) It sent two digests for this partition.
    TwoDigests(usize),
}

/// A worker that was named, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The worker.
    pub worker: usize,
    /// The rule.
    pub evidence: Evidence,
}

/// More faulty workers than the promise allows: the step must not be decoded. Nobody is named by this evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The rules condemn so many workers at once, where `left` can be faulty.
    Condemned {
        /// How many.
        workers: usize,
        /// b' at that moment.
        left: usize,
    },
    /// Two digests of a partition have b' + 1 supporters each.
    TwoValues {
        /// The partition.
        partition: usize,
    },
}

/// Compute a partition and send its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The partition.
    pub partition: usize,
    /// The helper.
    pub worker: usize,
    /// Whether it is to send the vector as well: nobody else is left who could.
    pub vector: bool,
}

/// Send the vector of this digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The partition.
    pub partition: usize,
    /// The digest whose vector is meant.
    pub digest: Digest,
    /// A supporter of it.
    pub worker: usize,
}

/// What is to be done after a round trip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// One round trip with these questions.
    Trip {
        /// Gradients to compute.
        asks: Vec<Ask>,
        /// Vectors to send.
        fetches: Vec<Fetch>,
    },
    /// Every partition's digest is accepted, and its vector is there.
    Settled(Vec<Digest>),
    /// These partitions cannot be settled with the workers that are left: [`Settlement::admit`] more of them, or
    /// compute the partitions at the server ([`Settlement::referee`]), or stop.
    Short(Vec<usize>),
    /// The promise is void.
    Stop(Excess),
}

/// What is known of one partition.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// Who was asked for it.
    asked: BTreeSet<usize>,
    /// What they answered, first answers only.
    answers: BTreeMap<usize, Digest>,
    /// Digests whose vector is there.
    vectors: BTreeSet<Digest>,
    /// Who was asked for a vector of it and did not send it.
    refused: BTreeSet<usize>,
    accepted: Option<Digest>,
}

/// The settlement of one step.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// How many of the unnamed workers can be faulty.
    left: usize,
    /// Who can be asked, with the number of gradients that each computes in this step.
    present: BTreeMap<usize, usize>,
    slots: Vec<Slot>,
    named: BTreeMap<usize, Evidence>,
    /// Condemned by what they sent, not yet named.
    accused: BTreeMap<usize, Evidence>,
    silent: BTreeSet<usize>,
    focus: Option<usize>,
    helpers: usize,
    trips: usize,
    stopped: Option<Excess>,
}

impl Settlement {
    /// The settlement of a step whose partitions are held as assigned, where at most `left` of the `present` workers
    /// are faulty.
    #[must_use]
    pub fn new(assignment: &Assignment, present: &[usize], left: usize) -> Self {
        let slot = |holders: &Vec<usize>| Slot {
            asked: holders.iter().copied().collect(),
            refused: holders.first().copied().into_iter().collect(),
            ..Slot::default()
        };
        Self {
            left,
            present: present.iter().map(|&worker| (worker, assignment.load(worker))).collect(),
            slots: assignment.holders.iter().map(slot).collect(),
            named: BTreeMap::new(),
            accused: BTreeMap::new(),
            silent: BTreeSet::new(),
            focus: None,
            helpers: 0,
            trips: 0,
            stopped: None,
        }
    }

    /// A worker's digest of a partition has come, however late. One that was not asked for is dropped, an equal
    /// repeat changes nothing, a differing one is evidence.
    pub fn digest(&mut self, worker: usize, partition: usize, digest: Digest) {
        let Some(slot) = self.slots.get_mut(partition) else { return };
        if !slot.asked.contains(&worker) || self.named.contains_key(&worker) {
            return;
        }
        if *slot.answers.entry(worker).or_insert(digest) != digest {
            self.accused.entry(worker).or_insert(Evidence::TwoDigests(partition));
        }
    }

    /// A worker has sent a whole vector of a partition, of this digest. Returns whether it is worth keeping: whether
    /// it is that of the worker's own digest.
    ///
    /// Only a vector that arrived whole is to be reported: a broken stream is silence.
    pub fn vector(&mut self, worker: usize, partition: usize, digest: Digest) -> bool {
        let Some(slot) = self.slots.get_mut(partition) else { return false };
        let Some(own) = slot.answers.get(&worker).filter(|_| !self.named.contains_key(&worker)) else {
            return false;
        };
        if *own == digest {
            slot.vectors.insert(digest);
            return true;
        }
        self.accused.entry(worker).or_insert(Evidence::Vector(partition));
        false
    }

    /// A worker has not sent what it was asked for in time, or said that it cannot. It is asked nothing more in
    /// this step, and named for nothing by that.
    pub fn silent(&mut self, worker: usize) {
        self.silent.insert(worker);
    }

    /// One more worker can be asked: a suspended one that was woken.
    pub fn admit(&mut self, worker: usize) {
        if !self.named.contains_key(&worker) {
            self.present.entry(worker).or_insert(0);
        }
    }

    /// The server has computed a partition itself: this is its digest, and the vector is there.
    pub fn referee(&mut self, partition: usize, digest: Digest) {
        if let Some(slot) = self.slots.get_mut(partition) {
            slot.accepted = Some(digest);
            slot.vectors.insert(digest);
        }
    }

    /// Who was named in this step, and why.
    pub fn named(&self) -> impl Iterator<Item = Named> + '_ {
        self.named.iter().map(|(&worker, &evidence)| Named { worker, evidence })
    }

    /// b' now: how many of the unnamed workers can be faulty.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Gradients that were asked for beyond the assignment.
    #[must_use]
    pub fn helpers(&self) -> usize {
        self.helpers
    }

    /// Round trips beyond the first.
    #[must_use]
    pub fn trips(&self) -> usize {
        self.trips
    }

    /// Who was silent.
    pub fn silents(&self) -> impl Iterator<Item = usize> + '_ {
        self.silent.iter().copied()
    }

    /// The accepted digest of a partition.
    #[must_use]
    pub fn accepted(&self, partition: usize) -> Option<Digest> {
        self.slots.get(partition)?.accepted
    }

    /// At the barrier of a round trip, when everybody has answered or is silent: draws what follows and says what
    /// is to be done. `pick` chooses one of several workers (a place in the list, which is sorted by load): for
    /// helpers and for sources of vectors alike. Whatever it chooses, the promises hold; the first keeps loads low.
    pub fn next(&mut self, pick: &mut dyn FnMut(&[usize]) -> usize) -> Next {
        if let Err(excess) = self.evaluate() {
            self.stopped = Some(excess);
        }
        if let Some(excess) = self.stopped {
            return Next::Stop(excess);
        }
        let mut short = Vec::new();
        let mut asks = self.asks(pick, &mut short);
        let fetches = self.fetches(pick, &mut asks, &mut short);
        if !asks.is_empty() || !fetches.is_empty() {
            self.trips += 1;
            self.helpers += asks.len();
            return Next::Trip { asks, fetches };
        }
        if !short.is_empty() {
            return Next::Short(short);
        }
        Next::Settled(self.slots.iter().filter_map(|slot| slot.accepted).collect())
    }

    /// A partition's classes: each digest with its unnamed supporters.
    fn classes(&self, slot: &Slot) -> BTreeMap<Digest, Vec<usize>> {
        let mut classes: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (&worker, &digest) in &slot.answers {
            if !self.named.contains_key(&worker) {
                classes.entry(digest).or_default().push(worker);
            }
        }
        classes
    }

    /// Applies (a) to (d) until nothing follows any more.
    fn evaluate(&mut self) -> Result<(), Excess> {
        loop {
            let mut condemned = std::mem::take(&mut self.accused);
            condemned.retain(|worker, _| !self.named.contains_key(worker));
            self.contradicted(&mut condemned);
            let accepted = self.accept()?;
            for (partition, slot) in self.slots.iter().enumerate() {
                let value = slot.accepted.or_else(|| accepted.get(&partition).copied());
                let Some(value) = value else { continue };
                for (&worker, &digest) in &slot.answers {
                    if digest != value && !self.named.contains_key(&worker) {
                        condemned.entry(worker).or_insert(Evidence::Differs(partition));
                    }
                }
            }
            if condemned.len() > self.left {
                return Err(Excess::Condemned { workers: condemned.len(), left: self.left });
            }
            if condemned.is_empty() && accepted.is_empty() {
                return Ok(());
            }
            for (partition, value) in accepted {
                self.slots[partition].accepted = Some(value);
            }
            self.left -= condemned.len();
            self.named.append(&mut condemned);
        }
    }

    /// (b): who is contradicted by more than b' unnamed workers.
    fn contradicted(&self, condemned: &mut BTreeMap<usize, Evidence>) {
        let mut against: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for slot in &self.slots {
            let classes = self.classes(slot);
            for (digest, workers) in &classes {
                let others =
                    classes.iter().filter(|(other, _)| *other != digest).flat_map(|(_, others)| others);
                let others: BTreeSet<usize> = others.copied().collect();
                for &worker in workers.iter().filter(|_| !others.is_empty()) {
                    against.entry(worker).or_default().extend(&others);
                }
            }
        }
        for (worker, against) in against {
            if against.len() > self.left {
                condemned.entry(worker).or_insert(Evidence::Contradicted(against.len()));
            }
        }
    }

    /// What has b' + 1 supporters now and is not accepted yet.
    fn accept(&self) -> Result<BTreeMap<usize, Digest>, Excess> {
        let mut accepted = BTreeMap::new();
        for (partition, slot) in self.slots.iter().enumerate() {
            let enough = |workers: &Vec<usize>| workers.len() > self.left;
            let classes = self.classes(slot);
            let mut supported =
                classes.iter().filter(|(_, workers)| enough(workers)).map(|(&digest, _)| digest);
            let (first, second) = (supported.next(), supported.next());
            if second.is_some() {
                return Err(Excess::TwoValues { partition });
            }
            if let Some(value) = first.filter(|_| slot.accepted.is_none()) {
                accepted.insert(partition, value);
            }
        }
        Ok(accepted)
    }

    /// Helpers for the focus and for all that is short without being disputed (T1, T2, T5).
    fn asks(&mut self, pick: &mut dyn FnMut(&[usize]) -> usize, short: &mut Vec<usize>) -> Vec<Ask> {
        let open: Vec<usize> = (0..self.slots.len()).filter(|&i| self.slots[i].accepted.is_none()).collect();
        let (disputed, quiet): (Vec<usize>, Vec<usize>) =
            open.into_iter().partition(|&i| self.classes(&self.slots[i]).len() > 1);
        // A naming can end a dispute; then the partition is only short.
        self.focus = self.focus.filter(|focus| disputed.contains(focus)).or(disputed.first().copied());
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
            !slot.asked.contains(worker) && !self.named.contains_key(worker) && !self.silent.contains(worker)
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
    fn fetches(
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
                Some(value) => vec![value],
                None => classes.keys().copied().collect(),
            };
            for digest in
                wanted.into_iter().filter(|digest| !slot.vectors.contains(digest)).collect::<Vec<_>>()
            {
                let slot = &self.slots[partition];
                let mut sources: Vec<usize> = classes.get(&digest).cloned().unwrap_or_default();
                sources.retain(|worker| !slot.refused.contains(worker) && !self.silent.contains(worker));
                sources.sort_by_key(|worker| self.present.get(worker));
                if let Some(place) = pick_of(pick, &sources) {
                    let worker = sources[place];
                    self.slots[partition].refused.insert(worker);
                    fetches.push(Fetch { partition, digest, worker });
                } else if self.slots[partition].accepted.is_some() {
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
