//! A scheme that detects lies, between processes: the server's rounds.
//!
//! # What is promised
//! The parameters are those of one process, bit for bit: what is decided is decided by the same settlement, and who is asked is
//! drawn from the same numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use ecode_server::reactive::{Digest, Drift};

use super::Trainer;
use super::remote::Serving;
use super::round::Round;
use super::scheme::first_of_least;
use super::seat::Seat;
use super::update::Update;
use crate::bits::Bits;
use crate::config::Scheme;
use crate::data::Crop;
use crate::error::TrainError;
use crate::random::{Purpose, stream};
use crate::reactive::{Failure, Ledger, Plan, fingerprint};
use crate::standing::Excess;
use crate::transport::Deployment;
use crate::transport::grpc::{Panel, Session, Sought};
use crate::vote::Decoded;
use ecode_core::Workers;

impl Trainer {
    /// What server and workers compare before a worker is asked anything; none with votes.
    pub(super) fn probed(&mut self) -> Result<Option<[u8; 32]>, TrainError> {
        // Where right workers may differ in some coordinates their gradients are other bits from the start.
        if self.plan().is_none_or(|plan| matches!(plan.drift, Drift::Close(_))) {
            return Ok(None);
        }
        let Self { config, data, learner, .. } = self;
        let kept = learner.state()?;
        let fingerprint = fingerprint(learner.as_mut(), config, data)?;
        learner.restore(&kept)?;
        Ok(Some(fingerprint))
    }

    /// Makes this trainer the server of a scheme.
    pub(super) fn convene(&mut self, serving: Serving<'_>) -> Result<(), TrainError> {
        let Serving { mut settings, listen, control, say } = serving;
        settings.partitions = self.plan().map(|plan| plan.k);
        settings.rules.quarantine = true;
        // A class is compared with itself, not with the server.
        if self.plan().is_some_and(|plan| plan.hardware.is_some()) {
            settings.offer.probe = None;
        }
        let mut panel = Panel::open(settings, listen, control, say)?;
        if let Some(ledger) = &self.state.ledger {
            panel.leave_out(ledger.named().map(|(worker, step, _)| (worker, step)));
        }
        self.deployment = Some(Deployment::Panel(Box::new(panel)));
        Ok(())
    }

    /// The server's round.
    pub(super) fn hold(
        &mut self,
        panel: &mut Panel,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let held = match self.fallen() {
            Some(fallback) => self.ballot(panel, &fallback, liars),
            None if self.plan().is_some_and(Plan::is_optimistic) => self.hold_open(panel, liars),
            None => self.hold_now(panel, batch, crops, liars),
        };
        if let Err(TrainError::Excess(excess)) = &held {
            panel.last_words(excess.why.clone());
        }
        held
    }

    /// Who takes part in the next step: waits until enough workers are there to settle it.
    pub(super) fn gather(&mut self, panel: &mut Panel, liars: &Workers) -> Result<Seat, TrainError> {
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let ledger = self.state.ledger.as_ref().ok_or_else(missing)?;
        let plan = self.plan().ok_or_else(missing)?;
        let roster = plan.roster().resume(ledger.records.clone());
        let takes_part: Vec<usize> = (0..plan.n).filter(|&j| ledger.records[j].takes_part()).collect();
        let left = roster.left().unwrap_or(0);
        let needed = plan.holders(left).max(if plan.referee { 0 } else { 2 * left + 1 });
        let enough = |there: &[usize]| match &plan.hardware {
            None => there.len() >= needed.min(takes_part.len()),
            Some(hardware) => (0..hardware.count()).all(|class| {
                let of = |workers: &[usize]| {
                    workers.iter().filter(|&&worker| hardware.workers[worker] == class).count()
                };
                of(there) >= needed.min(of(&takes_part))
            }),
        };
        let hardware = plan.hardware.as_ref().map(|hardware| (hardware, plan.b));
        let chain = ledger.header(self.state.step).state;
        let there = panel.gather(&takes_part, &enough, hardware, (&self.state, &chain))?;
        self.seat_of(liars, Some(&there))
    }

    /// A round in which everything is settled before the parameters move.
    fn hold_now(
        &mut self,
        panel: &mut Panel,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let seat = self.gather(panel, liars)?;
        let step = self.state.step;
        let mut referee = |trainer: &mut Self, partition: usize| -> Result<Bits, TrainError> {
            let (mut signs, _) = trainer.signs_at(&[(partition, false)], batch, crops, None)?;
            Ok(signs.swap_remove(0))
        };
        let (session, mut ledger) = self.settle_with(panel, &seat, None, &mut referee)?;
        let course = session.course;
        let silent: BTreeSet<usize> = course.settlement.silents().collect();
        let negative = self.engine.majority(&course.vectors);
        let answered = course.settlement.asked().into_iter().filter(|worker| !silent.contains(worker));
        panel.conclude(step, (&negative, None), session.loss, answered)?;
        ledger.advance(step, &negative.to_bytes());
        Ok(Round {
            update: Update::Signs(Decoded { negative, tied: None, wrong: 0 }),
            momentum: None,
            loss: session.loss,
            wrong: None,
            gradient_s: session.gradient_s,
            missing: Vec::new(),
            settled: Some((course.account, ledger)),
        })
    }

    /// Settles a step of the present, or one that was opened before, with the workers that are there. Returns how it went, and
    /// the ledger with what it has shown.
    pub(super) fn settle_with(
        &mut self,
        panel: &mut Panel,
        seat: &Seat,
        committed: Option<(Vec<Digest>, Duration)>,
        compute: &mut dyn FnMut(&mut Self, usize) -> Result<Bits, TrainError>,
    ) -> Result<(Session, Ledger), TrainError> {
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let mut ledger = self.state.ledger.clone().ok_or_else(missing)?;
        let plan = self.plan().ok_or_else(missing)?.clone();
        let step = seat.header.step;
        let mut roster = plan.roster().resume(ledger.records.clone());
        let assignment = seat.table.assignment.clone();
        let rehearsal = seat.rehearsal();
        let mut random = stream(self.config.seed, Purpose::Assignment, step, 1);
        let mut pick = |list: &[usize]| first_of_least(list, &assignment, &mut random);
        let mut journal = self.detection.as_mut().and_then(|detection| detection.journal.take());
        let state = self.state.clone();
        let mut referee = |partition: usize| compute(self, partition);
        let sought = Sought {
            header: seat.header,
            table: seat.table_now(&ledger),
            committed,
            believes: plan.scheme == Scheme::Checked,
            rehearsal,
            roster: &roster,
            state: &state,
            chain: ledger.header(state.step).state,
            journal: journal.as_deref_mut(),
            referee: &mut referee,
        };
        let settled = panel.settle(sought, &mut pick);
        if let Some(detection) = &mut self.detection {
            detection.journal = journal;
        }
        let session = match settled? {
            Ok(session) => session,
            Err(failure) => {
                let excess = Excess { step, why: failure.to_string() };
                if let Some(detection) = &mut self.detection {
                    detection.forgetful |= matches!(failure, Failure::Journal(_));
                }
                if matches!(failure, Failure::Excess(_)) {
                    self.state.excess.get_or_insert_with(|| excess.clone());
                }
                return Err(TrainError::Excess(excess));
            }
        };
        let settlement = &session.course.settlement;
        let asked: BTreeSet<usize> = settlement.asked().into_iter().chain(settlement.silents()).collect();
        roster.note(step, asked, settlement);
        for worker in settlement.silents() {
            let record = roster.records()[worker];
            if record.missed.is_power_of_two() {
                panel.tell(&format!(
                    "step {step}: worker {worker} was silent, for the {}th time, and is not asked before step {}",
                    record.missed, record.suspended_until
                ));
            }
        }
        ledger.records = roster.records().to_vec();
        ledger.account.add(&session.course.account);
        Ok((session, ledger))
    }
}
