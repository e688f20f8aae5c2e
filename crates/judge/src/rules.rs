//! What follows from the answers: rules (a) to (d), and what is accepted.

use std::collections::{BTreeMap, BTreeSet};

use crate::rule::Rule;
use crate::settlement::{Settlement, Slot};
use crate::{Digest, Doubt, Drift, Evidence, Excess};

impl Settlement {
    /// A partition's classes: each digest with its unnamed supporters.
    pub(crate) fn classes(&self, slot: &Slot) -> BTreeMap<Digest, Vec<usize>> {
        let mut classes: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (&worker, &digest) in &slot.answers {
            if !self.named.contains_key(&worker) {
                classes.entry(digest).or_default().push(worker);
            }
        }
        classes
    }

    /// Whether nobody has contradicted anybody, and every partition has its supporters and a vector: then
    /// [`Settlement::next`] settles the step, whatever is still on the way.
    #[must_use]
    pub fn is_undisputed(&self) -> bool {
        self.accused.is_empty()
            && self.slots.iter().all(|slot| {
                let classes = self.classes(slot);
                let mut classes = classes.iter();
                classes.next().is_some_and(|(digest, workers)| {
                    workers.len() > self.left && slot.vectors.contains_key(digest)
                }) && classes.next().is_none()
            })
    }

    /// Applies (a) to (d) until nothing follows any more; where they condemn more than can be faulty, nobody is named
    /// and nothing is accepted by any of it.
    pub(crate) fn evaluate(&mut self) -> Result<(), Excess> {
        let before = self.clone();
        let result = self.apply_all();
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn apply_all(&mut self) -> Result<(), Excess> {
        loop {
            let mut condemned = std::mem::take(&mut self.accused);
            condemned.retain(|worker, _| !self.named.contains_key(worker));
            let accepted = self.accept()?;
            if let Drift::Close(most) = self.drift {
                self.doubt_all(&condemned);
                condemned = self.far(most);
            } else {
                self.contradicted(&mut condemned);
                self.differing(&accepted, &mut condemned);
            }
            let accused = condemned.clone();
            if self.spares(&mut condemned) {
                // Together, when all have computed again.
                self.accused = accused;
                self.accused
                    .retain(|_, evidence| matches!(evidence, Evidence::Vector(_) | Evidence::TwoDigests(_)));
                condemned.clear();
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
            if self.breaks(Rule::Outlives) {
                for slot in &mut self.slots {
                    slot.vectors.retain(|_, sender| sender.is_none_or(|by| !condemned.contains_key(&by)));
                }
            }
            self.named.append(&mut condemned);
        }
    }

    /// (a): whose digest differs from an accepted one.
    fn differing(&self, accepted: &BTreeMap<usize, Digest>, condemned: &mut BTreeMap<usize, Evidence>) {
        for (partition, slot) in self.slots.iter().enumerate() {
            let value = slot.accepted.or_else(|| accepted.get(&partition).copied());
            let Some(value) = value else { continue };
            for (&worker, &digest) in &slot.answers {
                if digest != value && !self.named.contains_key(&worker) {
                    condemned.entry(worker).or_insert(Evidence::Differs(partition));
                }
            }
        }
    }

    /// Where right workers may differ, two digests or a vector of another digest show that a worker is not reproducible.
    fn doubt_all(&mut self, accused: &BTreeMap<usize, Evidence>) {
        for (&worker, &evidence) in accused {
            if let Evidence::TwoDigests(partition) | Evidence::Vector(partition) = evidence {
                self.doubts.entry(worker).or_insert(Doubt::Differs(partition));
            }
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
        let least = if self.breaks(Rule::Contradiction) { self.left.max(1) } else { self.left + 1 };
        for (worker, against) in against {
            if against.len() >= least {
                condemned.entry(worker).or_insert(Evidence::Contradicted(against.len()));
            }
        }
    }

    /// What has b' + 1 supporters now and is not accepted yet.
    fn accept(&self) -> Result<BTreeMap<usize, Digest>, Excess> {
        let least = if self.breaks(Rule::Support) { self.left.max(1) } else { self.left + 1 };
        let mut accepted = BTreeMap::new();
        for (partition, slot) in self.slots.iter().enumerate() {
            let classes = self.classes(slot);
            let mut supported =
                classes.iter().filter(|(_, workers)| workers.len() >= least).map(|(&digest, _)| digest);
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
}
