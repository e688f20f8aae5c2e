//! Steps whose digests are still on the way: their primaries' vectors move the parameters at once, and a step closes, or is
//! undone, when its digests have been compared.
//!
//! # What is promised
//! - A step closes by its digests alone, never by time. Nothing is tested, saved or shown while a step is open.
//! - Where a decode was wrong the run goes back to the state before it, and everybody who is shown to have lied is named.
//!   Checks of the steps that are undone are finished all the same, with the states that those steps had.
//! - Checkers are drawn from the system's randomness, each partition's apart from the others', after all vectors of the
//!   step were sent: nobody knows its checkers when it sends, whatever its friends know.
//!
//! # References
//! docs/theory/reactive.md, Theorem 24.

use std::collections::BTreeMap;

use ecode_server::reactive::Content;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::Trainer;
use super::seat::Seat;
use crate::bits::Bits;
use crate::config::Scheme;
use crate::error::TrainError;
use crate::random::below;
use crate::reactive::{Account, Course, Crowd, Ledger, Lies};
use crate::standing::Excess;
use crate::state::State;
use ecode_core::Workers;

/// A step whose digests are still on the way.
pub(super) struct Open {
    /// The state before it.
    before: State,
    lies: Lies,
    seat: Seat,
    /// What each primary sent.
    committed: Vec<Content>,
    /// Wrongly decoded coordinates.
    pub(super) wrong: u64,
}

impl Trainer {
    /// The primaries' vectors, which are believed until the step closes; checkers are drawn now.
    pub(super) fn commit(&mut self, lies: Lies, liars: &Workers) -> Result<(Vec<Bits>, Ledger), TrainError> {
        let before = State { model: self.learner.state()?, ..self.state.clone() };
        let mut seat = self.seat(liars)?;
        let step = seat.header.step;
        // Whoever is present and sends: a primary that is silent is replaced by the next.
        let mut committed = Vec::new();
        for partition in 0..seat.table.assignment.holders.len() {
            let holders = &seat.table.assignment.holders;
            let mut crowd = Crowd::new(&lies, seat.header, self.config.adversary, &seat.lying, holders);
            let others = seat.table.present.iter().filter(|worker| !holders[partition].contains(worker));
            let candidates: Vec<usize> = holders[partition].iter().chain(others).copied().collect();
            let mut sent = None;
            for worker in candidates {
                sent = crowd.sends(worker, partition).map(|(content, _)| (worker, content));
                if sent.is_some() {
                    break;
                }
                if !seat.table.silent.contains(&worker) {
                    seat.table.silent.push(worker);
                }
            }
            let Some((primary, content)) = sent else {
                let why = format!("nobody sends a vector of partition {partition}");
                return Err(TrainError::Excess(Excess { step, why }));
            };
            let holders = &mut seat.table.assignment.holders[partition];
            match holders.iter().position(|&worker| worker == primary) {
                Some(place) => holders.swap(0, place),
                None => holders.insert(0, primary),
            }
            committed.push(content);
        }
        let (Some(detection), Some(mut ledger)) = (&mut self.detection, self.state.ledger.clone()) else {
            return Err(TrainError::Checkpoint("holds no ledger of the scheme".into()));
        };
        if detection.plan.scheme == Scheme::Checked {
            draw(&mut seat, detection.plan.checked)?;
            let unseen = detection.plan.unseen(seat.table.present.len(), ledger.named().count());
            ledger.unseen = ledger.unseen.max(unseen);
        }
        let vectors =
            committed.iter().enumerate().map(|(i, &content)| lies.bits(i, content).into_owned()).collect();
        detection.open.push_back(Open { before, lies, seat, committed, wrong: 0 });
        Ok((vectors, ledger))
    }

    /// Forgets the step that was committed last: nothing came of it.
    pub(super) fn forget(&mut self) {
        if let Some(detection) = &mut self.detection
            && detection.open.back().is_some_and(|open| open.seat.header.step == self.state.step)
        {
            detection.open.pop_back();
        }
    }

    /// Closes open steps where the window is full, or where what comes next must rest on closed ones.
    pub(super) fn close_when_due(&mut self) -> Result<(), TrainError> {
        let Some(detection) = &self.detection else { return Ok(()) };
        let full = detection.open_steps() as u64 >= detection.plan.window;
        if full || self.due() { self.close_all() } else { Ok(()) }
    }

    /// Closes all open steps, the oldest first; from the first wrong one on, they are undone. Where one cannot be settled
    /// the steps from the oldest open one on are undone, and decoded from the votes of a code where there is one.
    pub(super) fn close_all(&mut self) -> Result<(), TrainError> {
        match self.close_open() {
            Err(TrainError::Excess(excess)) if self.falls_back() => {
                self.fall_back(&excess);
                Ok(())
            }
            closed => closed,
        }
    }

    fn close_open(&mut self) -> Result<(), TrainError> {
        #[cfg(feature = "grpc")]
        self.close_pending()?;
        let mut undone: Option<State> = None;
        while let Some(open) = self.detection.as_mut().and_then(|detection| detection.open.pop_front()) {
            let trusted = self.agreed(&open);
            let (course, ledger) = match self.settle(&open.lies, &open.seat, trusted, &open.committed) {
                Ok(settled) => settled,
                Err(error) => {
                    // What was not closed is not kept.
                    if let Some(detection) = &mut self.detection {
                        detection.open.clear();
                    }
                    self.undo(undone.unwrap_or(open.before))?;
                    return Err(error);
                }
            };
            self.state.ledger = Some(ledger);
            let Course { account, vectors, .. } = course;
            self.count_closed(&account);
            let right =
                vectors.iter().enumerate().all(|(i, bits)| *bits == *open.lies.bits(i, open.committed[i]));
            if undone.is_some() {
                continue;
            }
            if right {
                self.state.totals.wrong += open.wrong;
                self.state.totals.wrong_lately += open.wrong;
                self.audit(open.seat.header.step, open.wrong)?;
            } else {
                undone = Some(open.before);
            }
        }
        undone.map_or(Ok(()), |before| self.undo(before))
    }

    /// Counts what travelled for a step, when it closes.
    pub(super) fn count_closed(&mut self, account: &Account) {
        let totals = &mut self.state.totals;
        totals.bytes_up += account.bytes_up;
        totals.bytes_down += account.bytes_down;
        totals.deployed_s += 8.0 * (account.bytes_up + account.bytes_down) as f64 / self.config.bandwidth;
    }

    /// The partitions on which all that were asked say what the primary sent. With scheme `checked` that is enough.
    fn agreed(&self, open: &Open) -> BTreeMap<usize, Content> {
        let checked =
            self.detection.as_ref().is_some_and(|detection| detection.plan.scheme == Scheme::Checked);
        if !checked {
            return BTreeMap::new();
        }
        let holders = &open.seat.table.assignment.holders;
        let mut crowd =
            Crowd::new(&open.lies, open.seat.header, self.config.adversary, &open.seat.lying, holders);
        let mut agreed = BTreeMap::new();
        for (partition, &content) in open.committed.iter().enumerate() {
            let digest = crowd.digest(partition, content);
            let agree = |&worker: &usize| {
                let claimed = crowd.says(worker, partition);
                claimed.len() == 1 && claimed[0].1 == digest
            };
            if holders[partition].iter().all(agree) {
                agreed.insert(partition, content);
            }
        }
        agreed
    }

    /// Goes back to the state before a step. What was spent, and what is known of workers, stays.
    pub(super) fn undo(&mut self, before: State) -> Result<(), TrainError> {
        let redone = self.state.step - before.step;
        let mut ledger = self.state.ledger.take();
        if let (Some(ledger), Some(old)) = (&mut ledger, &before.ledger) {
            ledger.rewind(&old.header(before.step));
            ledger.account.steps_redone += redone;
        }
        let spent = self.state.totals;
        let excess = self.state.excess.take();
        self.learner.restore(&before.model)?;
        self.state = before;
        self.state.ledger = ledger;
        self.state.excess = self.state.excess.take().or(excess);
        let totals = &mut self.state.totals;
        (totals.bytes_up, totals.bytes_down) = (spent.bytes_up, spent.bytes_down);
        (totals.gradients, totals.wall_s, totals.deployed_s) =
            (spent.gradients, spent.wall_s, spent.deployed_s);
        Ok(())
    }
}

/// Draws the checkers of each partition among the present but its primary, from the system's randomness.
pub(super) fn draw(seat: &mut Seat, w: usize) -> Result<(), TrainError> {
    let mut seed = [0; 32];
    let none = |error| TrainError::Transport(format!("no randomness from the system: {error}"));
    getrandom::fill(&mut seed).map_err(none)?;
    let mut random = ChaCha20Rng::from_seed(seed);
    for holders in &mut seat.table.assignment.holders {
        let primary = holders[0];
        let mut others: Vec<usize> =
            seat.table.present.iter().copied().filter(|&worker| worker != primary).collect();
        holders.truncate(1);
        while holders.len() < w && !others.is_empty() {
            holders.push(others.swap_remove(below(&mut random, others.len())));
        }
    }
    Ok(())
}
