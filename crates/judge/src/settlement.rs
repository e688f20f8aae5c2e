//! One step's settlement: digests and news of vectors in; questions, accepted digests and names out.
//!
//! # The rules
//! Workers are *named* where (a) their digest differs from an accepted one, (b) more than b' workers contradict
//! them, on all partitions of the step together, (c) a vector that they sent whole is not that of their digest, or
//! (d) they sent two digests for one slot. A naming that is evidence of this step lowers b' in this step.
//!
//! Evaluation happens at the barrier of a round trip, from one snapshot: what (a) to (d) condemn together is either
//! at most b' workers, all of whom are named, or the run stops with nobody named by it.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::{Classes, Repeat};
use crate::rule::Rule;
use crate::{Assignment, Digest, Doubt, Drift, Evidence, Excess, Header, Named, Next};

/// What is known of one partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    /// Who was asked for it.
    pub(crate) asked: BTreeSet<usize>,
    /// What they answered, first answers only.
    pub(crate) answers: BTreeMap<usize, Digest>,
    /// Digests whose vector is there, and who sent it; none where it was rebuilt or computed.
    pub(crate) vectors: BTreeMap<Digest, Option<usize>>,
    /// Who was asked for a vector of it and did not send it.
    pub(crate) refused: BTreeSet<usize>,
    pub(crate) accepted: Option<Digest>,
}

/// The settlement of one step.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// How many of the unnamed workers can be faulty.
    pub(crate) left: usize,
    /// Who can be asked, with the number of gradients that each computes in this step.
    pub(crate) present: BTreeMap<usize, usize>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) named: BTreeMap<usize, Evidence>,
    /// Condemned by what they sent, not yet named.
    pub(crate) accused: BTreeMap<usize, Evidence>,
    pub(crate) silent: BTreeSet<usize>,
    /// Not to be asked, for no fault of this step.
    pub(crate) retired: BTreeSet<usize>,
    pub(crate) focus: Option<usize>,
    /// Who may be asked for what.
    pub(crate) classes: Option<Classes>,
    pub(crate) drift: Drift,
    /// Who is to compute again before it is named.
    pub(crate) repeats: BTreeMap<usize, Repeat>,
    /// Who is not reproducible.
    pub(crate) doubts: BTreeMap<usize, Doubt>,
    /// In how many coordinates the vectors of digests differ from the accepted one.
    pub(crate) distances: BTreeMap<(usize, Digest), usize>,
    helpers: usize,
    trips: usize,
    stopped: Option<Excess>,
    /// Whether every holder sends a share.
    shared: bool,
    /// The step that answers must be about; none where the caller compares headers.
    header: Option<Header>,
    /// A rule that a test breaks.
    #[cfg(test)]
    pub(crate) breaks: Option<Rule>,
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
            retired: BTreeSet::new(),
            focus: None,
            classes: None,
            drift: Drift::None,
            repeats: BTreeMap::new(),
            doubts: BTreeMap::new(),
            distances: BTreeMap::new(),
            helpers: 0,
            trips: 0,
            stopped: None,
            shared: false,
            header: None,
            #[cfg(test)]
            breaks: None,
        }
    }

    /// A settlement that answers about another run, step or state say nothing to ([`Self::answer`]).
    #[must_use]
    pub fn of(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }

    /// A settlement without primaries: every holder sends a share, and whole vectors are fetched where shares do not do.
    #[must_use]
    pub fn without_primaries(mut self) -> Self {
        self.slots.iter_mut().for_each(|slot| slot.refused.clear());
        self.shared = true;
        self
    }

    /// Whether every holder sends a share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// A worker's digest has come, with what its sender takes for the run, step and state. Of another run, step or
    /// state it is no answer: the worker is out of date, which is silence, and names nobody.
    pub fn answer(&mut self, worker: usize, header: &Header, partition: usize, digest: Digest) {
        if self.header.as_ref().is_some_and(|own| own != header) {
            self.silent(worker);
        } else {
            self.digest(worker, partition, digest);
        }
    }

    /// A worker's digest of a partition has come, however late. One that was not asked for is dropped, an equal
    /// repeat changes nothing, a differing one is evidence.
    pub fn digest(&mut self, worker: usize, partition: usize, digest: Digest) {
        let Some(slot) = self.slots.get_mut(partition) else { return };
        if !slot.asked.contains(&worker) || self.named.contains_key(&worker) {
            return;
        }
        if self.repeats(worker, partition, digest) {
            return;
        }
        let slot = &mut self.slots[partition];
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
            slot.vectors.entry(digest).or_insert(Some(worker));
            return true;
        }
        self.accused.entry(worker).or_insert(Evidence::Vector(partition));
        false
    }

    /// The vector of a digest is there without having been sent: it was rebuilt from shares that fit the digest.
    pub fn rebuilt(&mut self, partition: usize, digest: Digest) {
        if let Some(slot) = self.slots.get_mut(partition) {
            slot.vectors.entry(digest).or_insert(None);
        }
    }

    /// A worker has not sent what it was asked for in time, or said that it cannot. It is asked nothing more in
    /// this step, and named for nothing by that.
    pub fn silent(&mut self, worker: usize) {
        self.silent.insert(worker);
        self.repeats_nothing(worker);
    }

    /// Asks a worker nothing more, without holding that against it: evidence of another step has named it. Its answers
    /// of this step count as any other's, since b' of this step still counts it.
    pub fn retire(&mut self, worker: usize) {
        self.retired.insert(worker);
    }

    /// One more worker can be asked: a suspended one that was woken.
    pub fn admit(&mut self, worker: usize) {
        if !self.named.contains_key(&worker) {
            self.present.entry(worker).or_insert(0);
        }
    }

    /// The server has computed a partition itself: this is its digest, and the vector is there.
    pub fn referee(&mut self, partition: usize, digest: Digest) {
        let Some(slot) = self.slots.get_mut(partition) else { return };
        if slot.accepted.is_some_and(|accepted| accepted != digest) {
            self.stopped = Some(Excess::TwoValues { partition });
            return;
        }
        slot.accepted = Some(digest);
        slot.vectors.entry(digest).or_insert(None);
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

    /// The most gradients that a worker computes in this step, those of helpers counted.
    #[must_use]
    pub fn heaviest(&self) -> usize {
        self.present.values().copied().max().unwrap_or(0)
    }

    /// Who was silent.
    pub fn silents(&self) -> impl Iterator<Item = usize> + '_ {
        self.silent.iter().copied()
    }

    /// Everybody who was asked for something.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<usize> {
        self.slots.iter().flat_map(|slot| &slot.asked).copied().collect()
    }

    /// The accepted digest of a partition.
    #[must_use]
    pub fn accepted(&self, partition: usize) -> Option<Digest> {
        self.slots.get(partition)?.accepted
    }

    /// The first answers of all workers, by partition.
    pub(crate) fn all_answers(&self) -> Vec<&BTreeMap<usize, Digest>> {
        self.slots.iter().map(|slot| &slot.answers).collect()
    }

    /// What was answered for a partition: each digest with all its senders, named ones among them.
    #[must_use]
    pub fn answers(&self, partition: usize) -> BTreeMap<Digest, Vec<usize>> {
        let mut classes: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (&worker, &digest) in self.slots.get(partition).into_iter().flat_map(|slot| &slot.answers) {
            classes.entry(digest).or_default().push(worker);
        }
        classes
    }

    /// At the barrier of a round trip, when everybody has answered or is silent: draws what follows and says what
    /// is to be done. `pick` chooses one of several workers (a place in the list, which is sorted by load): for
    /// helpers and for sources of vectors alike. Whatever it chooses, the promises hold; the first keeps loads low.
    pub fn next(&mut self, pick: &mut dyn FnMut(&[usize]) -> usize) -> Next {
        if self.stopped.is_none()
            && let Err(excess) = self.evaluate()
        {
            self.stopped = Some(excess);
        }
        if let Some(excess) = self.stopped {
            return Next::Stop(excess);
        }
        let again = self.agains();
        if !again.is_empty() {
            self.trips += 1;
            return Next::Again(again);
        }
        let pairs = self.uncompared();
        if !pairs.is_empty() {
            return Next::Compare(pairs);
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

    /// Whether a test breaks this rule, to see that it is needed.
    #[cfg_attr(not(test), allow(clippy::unused_self, reason = "outside of tests no rule is broken"))]
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        #[cfg(test)]
        return self.breaks == Some(rule);
        #[cfg(not(test))]
        {
            let _ = rule;
            false
        }
    }
}
