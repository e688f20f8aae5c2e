//! Open steps with workers that are processes of their own: as in one process, primaries' vectors move the parameters at once,
//! and a step closes, or is undone, when its digests have been compared.
//!
//! # What is promised
//! - A step closes by its digests, and what it decides is what one process decides.
//! - A worker that computes for an open step does so from the state that the step had.
//! - Where the run goes back, all workers do; where it is interrupted, it is left before the oldest open step.

use std::time::Duration;

use ecode_server::reactive::{Digest, Header};

use super::Trainer;
use super::open::draw;
use super::round::Round;
use super::seat::Seat;
use super::update::Update;
use crate::bits::Bits;
use crate::config::Scheme;
use crate::error::TrainError;
use crate::reactive::Account;
use crate::standing::Excess;
use crate::state::State;
use crate::transport::Deployment;
use crate::transport::grpc::{Opening, Panel};
use crate::vote::Decoded;
use ecode_core::Workers;

/// A step whose digests are still on the way.
pub(super) struct Pending {
    /// The state before it.
    before: State,
    seat: Seat,
    /// What each primary sent.
    committed: Vec<Digest>,
    /// When its holders were asked for their digests.
    asked_at: Duration,
}

impl Trainer {
    /// A round that goes on with what primaries send.
    pub(super) fn hold_open(&mut self, panel: &mut Panel, liars: &Workers) -> Result<Round, TrainError> {
        let before = State { model: self.learner.state()?, ..self.state.clone() };
        let mut seat = self.gather(panel, liars)?;
        let step = seat.header.step;
        let pending = self.detection.iter().flat_map(|detection| &detection.pending);
        let open: Vec<Header> = pending.map(|pending| pending.seat.header).collect();
        let (header, rehearsal) = (seat.header, seat.rehearsal());
        let opening =
            Opening { header, open: &open, table: &seat.table, rehearsal: &rehearsal, state: &self.state };
        let commitment = panel.commit(&opening)?.map_err(|partition| {
            let why = format!("nobody sends a vector of partition {partition}");
            TrainError::Excess(Excess { step, why })
        })?;
        seat.table.silent.clone_from(&commitment.silent);
        for (holders, &primary) in seat.table.assignment.holders.iter_mut().zip(&commitment.primaries) {
            match holders.iter().position(|&worker| worker == primary) {
                Some(place) => holders.swap(0, place),
                None => holders.insert(0, primary),
            }
        }
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let detection = self.detection.as_mut().ok_or_else(missing)?;
        let mut ledger = self.state.ledger.clone().ok_or_else(missing)?;
        if detection.plan.scheme == Scheme::Checked {
            draw(&mut seat, detection.plan.checked)?;
            let unseen = detection.plan.unseen(seat.table.present.len(), ledger.named().count());
            ledger.unseen = ledger.unseen.max(unseen);
        }
        let asked_at = panel.ask_digests(&header, &seat.table.assignment, &seat.rehearsal())?;
        let negative = self.engine.majority(&commitment.vectors);
        let silent = &commitment.silent;
        let answered = commitment.primaries.iter().copied().filter(|worker| !silent.contains(worker));
        panel.conclude(step, (&negative, None), None, answered)?;
        ledger.advance(step, &negative.to_bytes());
        detection.pending.push_back(Pending { before, seat, committed: commitment.digests, asked_at });
        Ok(Round {
            update: Update::Signs(Decoded { negative, tied: None, wrong: 0 }),
            momentum: None,
            loss: None,
            wrong: None,
            gradient_s: 0.0,
            missing: Vec::new(),
            // What an open step has cost is counted when it closes.
            settled: Some((
                Account { heaviest: ledger.account.heaviest.max(1), ..Account::default() },
                ledger,
            )),
        })
    }

    /// Closes all open steps, the oldest first; from the first wrong one on, they are undone.
    pub(super) fn close_pending(&mut self) -> Result<(), TrainError> {
        if self.detection.as_ref().is_none_or(|detection| detection.pending.is_empty()) {
            return Ok(());
        }
        let Some(Deployment::Panel(mut panel)) = self.deployment.take() else {
            return Err(TrainError::Transport("the server has ended".into()));
        };
        let closed = self.close_with(&mut panel);
        panel.close();
        self.deployment = Some(Deployment::Panel(panel));
        closed
    }

    fn close_with(&mut self, panel: &mut Panel) -> Result<(), TrainError> {
        let mut undone: Option<State> = None;
        while let Some(open) = self.detection.as_mut().and_then(|detection| detection.pending.pop_front()) {
            let Pending { before, seat, committed, asked_at } = open;
            let mut referee = |trainer: &mut Self, partition: usize| trainer.signs_before(&before, partition);
            let settled = self.settle_with(panel, &seat, Some((committed.clone(), asked_at)), &mut referee);
            let (session, ledger) = match settled {
                Ok(settled) => settled,
                Err(error) => {
                    // What was not closed is not kept.
                    if let Some(detection) = &mut self.detection {
                        detection.pending.clear();
                    }
                    self.go_back(panel, undone.unwrap_or(before))?;
                    return Err(error);
                }
            };
            self.state.ledger = Some(ledger);
            self.count_closed(&session.course.account);
            let settlement = &session.course.settlement;
            let right = (0..committed.len()).all(|i| settlement.accepted(i) == Some(committed[i]));
            if undone.is_some() {
                continue;
            }
            if right {
                let totals = &mut self.state.totals;
                if let Some(loss) = session.loss {
                    totals.loss_lately += loss;
                    totals.steps_lately += 1;
                }
            } else {
                undone = Some(before);
            }
        }
        undone.map_or(Ok(()), |before| self.go_back(panel, before))
    }

    /// Goes back to the state before a step, and the workers with it.
    fn go_back(&mut self, panel: &mut Panel, before: State) -> Result<(), TrainError> {
        let step = before.step;
        if step < self.state.step {
            panel.tell(&format!("the run goes back from step {} to step {step}", self.state.step));
        }
        self.undo(before)?;
        panel.go_back(step)
    }

    /// The signs of a partition in the step of an earlier state.
    fn signs_before(&mut self, before: &State, partition: usize) -> Result<Bits, TrainError> {
        let batch = self.batches.of(before.step);
        let present = std::mem::replace(&mut self.state, before.clone());
        let crops = self.crops();
        let signs = self.signs_at(&[(partition, false)], &batch, &crops, None);
        self.state = present;
        Ok(signs?.0.swap_remove(0))
    }
}
