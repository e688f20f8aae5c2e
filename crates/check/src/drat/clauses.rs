//! A set of clauses, and what follows from it by unit propagation: two watched literals a clause.
//!
//! # What is promised
//! A literal is true here only when the clauses and what was assumed force it; what the clauses alone force stays true
//! between two questions. [`ClauseSet::follows`] says yes only when the clauses and the negation of the asked one lead
//! to a conflict that way.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use crate::budget::{Budget, MOST_DRAT_CLAUSES, Stopped};
use crate::proof::Wrong;

/// A clause's place in the list; [`NONE`] is no clause.
type Id = u32;
const NONE: Id = Id::MAX;

struct Clause {
    /// Its literals in the store; the first two are watched.
    start: usize,
    len: u32,
    /// So often it was added and not deleted.
    copies: u32,
    /// The next clause of the same hash.
    next: Id,
}

/// Clauses over literals 2·variable + sign, variables from 0.
pub(super) struct ClauseSet<'a> {
    budget: &'a Budget<'a>,
    clauses: Vec<Clause>,
    store: Vec<u32>,
    /// By the hash of the literals in order: the last clause that has it.
    by_hash: HashMap<u64, Id>,
    hasher: RandomState,
    /// For each literal, the clauses that watch it.
    watches: Vec<Vec<Id>>,
    /// For each literal, whether it is true.
    truth: Vec<bool>,
    /// For each variable, the first clause that has it.
    first: Vec<Id>,
    trail: Vec<u32>,
    /// So many of the trail were propagated.
    seen: usize,
    refuted: bool,
}

impl<'a> ClauseSet<'a> {
    pub(super) fn new(variables: usize, budget: &'a Budget<'a>) -> Self {
        Self {
            budget,
            clauses: Vec::new(),
            store: Vec::new(),
            by_hash: HashMap::new(),
            hasher: RandomState::new(),
            watches: vec![Vec::new(); 2 * variables],
            truth: vec![false; 2 * variables],
            first: vec![NONE; variables],
            trail: Vec::new(),
            seen: 0,
            refuted: false,
        }
    }

    pub(super) fn variables(&self) -> usize {
        self.first.len()
    }

    /// A new variable's number.
    pub(super) fn fresh(&mut self) -> u32 {
        self.watches.extend([Vec::new(), Vec::new()]);
        self.truth.extend([false, false]);
        self.first.push(NONE);
        self.variables() as u32 - 1
    }

    /// Whether the clauses contradict each other by unit propagation.
    pub(super) fn is_refuted(&self) -> bool {
        self.refuted
    }

    fn literals(&self, id: Id) -> &[u32] {
        let clause = &self.clauses[id as usize];
        &self.store[clause.start..clause.start + clause.len as usize]
    }

    fn is_false(&self, literal: u32) -> bool {
        self.truth[literal as usize ^ 1]
    }

    /// The clause of exactly these literals, and the one before it in the list of its hash.
    fn find(&self, sorted: &[u32]) -> Option<(Id, Id)> {
        let (mut before, mut id) = (NONE, *self.by_hash.get(&self.hasher.hash_one(sorted))?);
        while id != NONE {
            let mut literals = self.literals(id).to_vec();
            literals.sort_unstable();
            if literals == sorted {
                return Some((id, before));
            }
            (before, id) = (id, self.clauses[id as usize].next);
        }
        None
    }

    /// Adds a clause, its literals in order, all different and none beside its negation.
    pub(super) fn add(&mut self, sorted: &[u32]) -> Result<(), Wrong> {
        if let Some((id, _)) = self.find(sorted) {
            let copies = &mut self.clauses[id as usize].copies;
            *copies = copies.saturating_add(1);
            return Ok(());
        }
        if self.clauses.len() >= MOST_DRAT_CLAUSES {
            return Err(Wrong::TooLarge(format!("more than {MOST_DRAT_CLAUSES} different clauses")));
        }
        let id = self.clauses.len() as Id;
        let start = self.store.len();
        // Those that are not false come first: they are watched.
        let is_false = |literal: &&u32| self.truth[**literal as usize ^ 1];
        self.store.extend(sorted.iter().filter(|literal| !is_false(literal)));
        let open = self.store.len() - start;
        self.store.extend(sorted.iter().filter(is_false));
        let next = self.by_hash.insert(self.hasher.hash_one(sorted), id).unwrap_or(NONE);
        self.clauses.push(Clause { start, len: sorted.len() as u32, copies: 1, next });
        for &literal in sorted {
            let first = &mut self.first[literal as usize / 2];
            *first = (*first).min(id);
        }
        for place in start..self.store.len().min(start + 2) {
            self.watches[self.store[place] as usize].push(id);
        }
        match open {
            0 => self.refuted = true,
            1 if !self.truth[self.store[start] as usize] => {
                self.assign(self.store[start]);
                self.refuted |= self.propagate()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Deletes a copy of a clause, where there is one, and unless it alone could make its only true literal true.
    pub(super) fn delete(&mut self, sorted: &[u32]) {
        let Some((id, before)) = self.find(sorted) else { return };
        let clause = &mut self.clauses[id as usize];
        if clause.copies > 1 {
            clause.copies -= 1;
            return;
        }
        let mut others = sorted.iter().filter(|&&literal| !self.truth[literal as usize]);
        if others.clone().count() + 1 == sorted.len() && others.all(|&literal| self.is_false(literal)) {
            return;
        }
        let clause = &mut self.clauses[id as usize];
        // Whoever watches it forgets it when it is met.
        clause.copies = 0;
        let next = std::mem::replace(&mut clause.next, NONE);
        if before != NONE {
            self.clauses[before as usize].next = next;
        } else if next == NONE {
            self.by_hash.remove(&self.hasher.hash_one(sorted));
        } else {
            self.by_hash.insert(self.hasher.hash_one(sorted), next);
        }
    }

    /// Whether a clause follows by unit propagation.
    pub(super) fn follows(&mut self, clause: &[u32]) -> Result<bool, Stopped> {
        let mark = self.trail.len();
        let follows = self.refuted || self.denies(clause)?;
        self.undo(mark);
        Ok(follows)
    }

    /// Whether a clause follows, or every resolvent of it on `pivot`, one of its literals.
    pub(super) fn follows_with(&mut self, clause: &[u32], pivot: u32) -> Result<bool, Stopped> {
        let mark = self.trail.len();
        let follows = self.refuted || self.denies(clause)? || self.resolvents_follow(pivot)?;
        self.undo(mark);
        Ok(follows)
    }

    /// With a clause denied: whether every clause that has the pivot's negation is denied in vain too.
    fn resolvents_follow(&mut self, pivot: u32) -> Result<bool, Stopped> {
        let mark = self.trail.len();
        let first = self.first[pivot as usize / 2] as usize;
        for id in first..self.clauses.len() {
            self.budget.spend(1)?;
            if self.clauses[id].copies == 0 || !self.literals(id as Id).contains(&(pivot ^ 1)) {
                continue;
            }
            let rest: Vec<u32> =
                self.literals(id as Id).iter().copied().filter(|&literal| literal != pivot ^ 1).collect();
            let follows = self.denies(&rest)?;
            self.undo(mark);
            if !follows {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes these literals false; whether that leads to a conflict. Takes nothing back.
    fn denies(&mut self, literals: &[u32]) -> Result<bool, Stopped> {
        for &literal in literals {
            if self.truth[literal as usize] {
                return Ok(true);
            }
            if !self.is_false(literal) {
                self.assign(literal ^ 1);
            }
        }
        self.propagate()
    }

    fn assign(&mut self, literal: u32) {
        self.truth[literal as usize] = true;
        self.trail.push(literal);
    }

    /// Takes back everything that became true after the mark.
    fn undo(&mut self, mark: usize) {
        for literal in self.trail.drain(mark..) {
            self.truth[literal as usize] = false;
        }
        self.seen = self.seen.min(mark);
    }

    /// Makes true what is forced; whether that leads to a conflict.
    fn propagate(&mut self) -> Result<bool, Stopped> {
        while let Some(&literal) = self.trail.get(self.seen) {
            self.seen += 1;
            let gone = literal ^ 1;
            let mut watching = std::mem::take(&mut self.watches[gone as usize]);
            let (mut kept, mut conflict) = (0, false);
            let mut at = 0;
            while at < watching.len() {
                let id = watching[at];
                at += 1;
                let Clause { start, len, copies, .. } = self.clauses[id as usize];
                if copies == 0 {
                    continue;
                }
                let (start, len) = (start, len as usize);
                if self.store[start] == gone && len > 1 {
                    self.store.swap(start, start + 1);
                }
                let other = self.store[start];
                let free = if self.truth[other as usize] {
                    None
                } else {
                    (start + 2..start + len).find(|&place| !self.is_false(self.store[place]))
                };
                if let Some(place) = free {
                    self.store.swap(start + 1, place);
                    self.watches[self.store[start + 1] as usize].push(id);
                    continue;
                }
                watching[kept] = id;
                kept += 1;
                if self.truth[other as usize] {
                    continue;
                }
                if other == gone || self.is_false(other) {
                    conflict = true;
                    break;
                }
                self.assign(other);
            }
            let work = at;
            watching.copy_within(at.., kept);
            watching.truncate(kept + watching.len() - at);
            self.watches[gone as usize] = watching;
            if conflict {
                return Ok(true);
            }
            self.budget.spend(work)?;
        }
        Ok(false)
    }
}
