//! Workers that are right and do not compute the same bits: what a settlement does before it calls one guilty.
//!
//! # The rules
//! - *Classes*: a partition's holders and helpers are of one class of hardware ([`Settlement::of_classes`]).
//! - [`Drift::Repeat`]: before it is named by what others say, a worker computes again what they contradict. Who then says
//!   something else, or nothing, is not reproducible: it is *dismissed* ([`Doubt`]), asked no more in the run, and b' stays.
//!   Who says the same is named.
//! - [`Drift::Close`]: an answer that differs from the accepted one accuses, and proves nothing. The vectors are compared:
//!   within τ coordinates the dispute was close, and its losers are suspended like silent ones; beyond τ they are named. Who
//!   does not show its vector is silent. Whatever else would name (rules b to d) proves nothing, or dismisses.
//!
//! # What is promised
//! - b' is lowered only by a naming. A dismissal leaves it as it is, so that what is accepted later still has an honest
//!   supporter, however many honest workers were dismissed.
//! - With `Repeat`, a worker that is right and sends other bits each time is not named. It counts in b where it does: while
//!   liars and such workers together are at most b in a step, nobody else who is right is named or dismissed. What always
//!   computes the same other bits, as another kind of machine, says the same again: it needs a class of its own.
//! - With `Close`, no worker is named whose vectors are within τ coordinates of those of every other right worker of its
//!   class, however many differ.
//! - A liar can waste a helper more than once under either rule: the bounds of one gradient and one trip a liar hold without
//!   drift only.
//!
//! # References
//! docs/theory/reactive.md.

use std::collections::{BTreeMap, BTreeSet};

use crate::settlement::{Settlement, Slot};
use crate::{Ask, Digest, Evidence};

/// How workers that are right may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Drift {
    /// Not at all: their gradients are reproducible bit for bit.
    #[default]
    None,
    /// One computation from the next, now and then.
    Repeat,
    /// In at most so many coordinates of a partition's signs.
    Close(usize),
}

impl TryFrom<String> for Drift {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "none" => Ok(Self::None),
            "repeat" => Ok(Self::Repeat),
            other => other
                .strip_prefix("close:")
                .and_then(|most| most.parse().ok())
                .map(Self::Close)
                .ok_or_else(|| format!("drift is '{text}'; expected none, repeat or close:COORDINATES")),
        }
    }
}

impl From<Drift> for String {
    fn from(drift: Drift) -> Self {
        match drift {
            Drift::None => "none".to_owned(),
            Drift::Repeat => "repeat".to_owned(),
            Drift::Close(most) => format!("close:{most}"),
        }
    }
}

/// Why a worker is asked no more, though nothing proves that it lied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// It computed this partition twice, and said different things.
    Differs(usize),
    /// It was to compute this partition again, and did not answer.
    Unanswered(usize),
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differs(partition) => {
                write!(f, "not reproducible: it said different things of partition {partition}")
            }
            Self::Unanswered(partition) => {
                write!(f, "it did not compute partition {partition} again when it was asked")
            }
        }
    }
}

/// Two vectors of a partition to be compared: that of the accepted digest, and that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The partition.
    pub partition: usize,
    /// The accepted digest.
    pub accepted: Digest,
    /// The other one.
    pub other: Digest,
}

/// Answers that are to be given again, by partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeat {
    /// To be given again.
    open: BTreeSet<usize>,
    /// Those that have been asked for.
    asked: BTreeSet<usize>,
    /// Given again, and the same.
    confirmed: BTreeSet<usize>,
}

/// Hardware classes.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    workers: Vec<usize>,
    partitions: Vec<usize>,
}

impl Settlement {
    /// A settlement that asks for a partition only workers of its class: `workers[j]` is that of worker j, `partitions[i]`
    /// that of partition i.
    #[must_use]
    pub fn of_classes(mut self, workers: Vec<usize>, partitions: Vec<usize>) -> Self {
        self.classes = Some(Classes { workers, partitions });
        self
    }

    /// A settlement in which workers that are right may differ.
    #[must_use]
    pub fn drifting(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// Whether a worker may be asked for a partition.
    pub(crate) fn is_of_class(&self, worker: usize, partition: usize) -> bool {
        self.classes.as_ref().is_none_or(|classes| {
            classes.workers.get(worker).is_some()
                && classes.workers.get(worker) == classes.partitions.get(partition)
        })
    }

    /// An answer to what was answered before: whether it was asked for.
    pub(crate) fn repeats(&mut self, worker: usize, partition: usize, digest: Digest) -> bool {
        let first = self.slots[partition].answers.get(&worker).copied();
        let Some(repeat) = self.repeats.get_mut(&worker) else { return false };
        if !repeat.asked.contains(&partition) || !repeat.open.remove(&partition) {
            return false;
        }
        repeat.confirmed.insert(partition);
        if first != Some(digest) {
            self.doubts.entry(worker).or_insert(Doubt::Differs(partition));
        }
        true
    }

    /// A worker has not computed a partition again in time.
    pub(crate) fn repeats_nothing(&mut self, worker: usize) {
        if let Some(partition) = self.repeats.get(&worker).and_then(|repeat| repeat.open.first()) {
            self.doubts.entry(worker).or_insert(Doubt::Unanswered(*partition));
        }
    }

    /// Takes from the condemned those who are to compute again first. Returns whether any are.
    pub(crate) fn spares(&mut self, condemned: &mut BTreeMap<usize, Evidence>) -> bool {
        condemned.retain(|worker, _| !self.doubts.contains_key(worker));
        let mut waits = false;
        if self.drift != Drift::Repeat {
            return waits;
        }
        for (&worker, &evidence) in &*condemned {
            let disputed = match evidence {
                Evidence::Differs(_) | Evidence::Contradicted(_) => self.disputed_by(worker),
                Evidence::TwoDigests(partition) => {
                    self.doubts.insert(worker, Doubt::Differs(partition));
                    continue;
                }
                Evidence::Vector(_) | Evidence::Far(..) => continue,
            };
            if self.silent.contains(&worker) || self.retired.contains(&worker) {
                // It is asked nothing more in this step.
                let partition = disputed.first().copied().unwrap_or(0);
                self.doubts.insert(worker, Doubt::Unanswered(partition));
                continue;
            }
            let repeat = self.repeats.entry(worker).or_default();
            repeat.open.extend(disputed.difference(&repeat.confirmed));
            waits |= !repeat.open.is_empty();
        }
        condemned.retain(|worker, _| !self.doubts.contains_key(worker));
        waits
    }

    /// The partitions on which an unnamed worker says something else than this one: any of them may be what it is condemned
    /// for.
    fn disputed_by(&self, worker: usize) -> BTreeSet<usize> {
        let disputed = |slot: &Slot| {
            let Some(own) = slot.answers.get(&worker) else { return false };
            slot.accepted.is_some_and(|accepted| accepted != *own)
                || slot.answers.iter().any(|(other, said)| said != own && !self.named.contains_key(other))
        };
        (0..self.slots.len()).filter(|&partition| disputed(&self.slots[partition])).collect()
    }

    /// What is to be computed again now.
    pub(crate) fn agains(&mut self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (&worker, repeat) in &mut self.repeats {
            if self.doubts.contains_key(&worker) {
                continue;
            }
            let new: Vec<usize> = repeat.open.difference(&repeat.asked).copied().collect();
            for partition in new {
                repeat.asked.insert(partition);
                asks.push(Ask { partition, worker, vector: false });
                *self.present.entry(worker).or_default() += 1;
            }
        }
        asks
    }

    /// The two vectors have been compared: they differ in so many coordinates.
    pub fn compared(&mut self, pair: &Pair, coordinates: usize) {
        self.distances.insert((pair.partition, pair.other), coordinates);
    }

    /// Vectors that are both there, and have not been compared.
    pub(crate) fn uncompared(&self) -> Vec<Pair> {
        if !matches!(self.drift, Drift::Close(_)) {
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (partition, slot) in self.slots.iter().enumerate() {
            let Some(accepted) = slot.accepted.filter(|value| slot.vectors.contains_key(value)) else {
                continue;
            };
            for &other in slot.vectors.keys().filter(|&&other| other != accepted) {
                if !self.distances.contains_key(&(partition, other)) {
                    pairs.push(Pair { partition, accepted, other });
                }
            }
        }
        pairs
    }

    /// With [`Drift::Close`]: who is shown to be far from what is accepted.
    pub(crate) fn far(&self, most: usize) -> BTreeMap<usize, Evidence> {
        let mut far = BTreeMap::new();
        for (&(partition, digest), &coordinates) in self.distances.iter().filter(|(_, far)| **far > most) {
            for worker in self.classes(&self.slots[partition]).remove(&digest).unwrap_or_default() {
                far.entry(worker).or_insert(Evidence::Far(partition, coordinates));
            }
        }
        far
    }

    /// Who lost a close dispute: its vector differs, within the coordinates that may.
    #[must_use]
    pub fn close(&self) -> Vec<usize> {
        let Drift::Close(most) = self.drift else { return Vec::new() };
        let near = self.distances.iter().filter(|(_, coordinates)| **coordinates <= most);
        let mut workers: Vec<usize> = near
            .flat_map(|((partition, digest), _)| {
                self.classes(&self.slots[*partition]).remove(digest).unwrap_or_default()
            })
            .collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    /// Who is asked no more in the run, and why: nothing proves that it lied.
    pub fn dismissed(&self) -> impl Iterator<Item = (usize, Doubt)> + '_ {
        self.doubts.iter().map(|(&worker, &doubt)| (worker, doubt))
    }
}
