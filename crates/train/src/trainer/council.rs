//! A scheme that detects lies, between processes: the server's rounds, and a worker's answers.
//!
//! # What is promised
//! - The parameters are those of one process, bit for bit: what is decided is decided by the same settlement, and who is
//!   asked is drawn from the same numbers.
//! - A worker computes whatever partition it is asked for, from the state that it is asked about, or says that its state is
//!   another one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ecode_grpc::{Greeting, Report, Signed, Task, keys};
use ecode_server::reactive::{Drift, Signer};
use ecode_verify::Control;

use super::Trainer;
use super::remote::Serving;
use super::round::{Round, seconds};
use super::scheme::{first_of_least, lies};
use super::update::Update;
use crate::attack::Attack;
use crate::bits::Bits;
use crate::config::{ConfigError, Scheme};
use crate::data::Crop;
use crate::error::TrainError;
use crate::random::{Purpose, stream};
use crate::reactive::{Crowd, Cut, Failure, Lies, fingerprint};
use crate::standing::Excess;
use crate::transport::grpc::{Join, News, Panel, Peer, Sought};
use crate::transport::{Deployment, LOOK};
use crate::vote::Decoded;
use ecode_core::Workers;

impl Trainer {
    /// Whether processes of their own can do what the scheme asks for.
    pub(super) fn settles_remotely(&self) -> Result<(), ConfigError> {
        let fail = |text: &str| Err(ConfigError(text.into()));
        let Some(plan) = self.plan() else { return Ok(()) };
        if plan.scheme == Scheme::Checked {
            return fail(
                "scheme checked is for one process: transport grpc carries votes and the schemes reactive and one-round",
            );
        }
        if plan.hardware.is_some() || plan.drift != Drift::None {
            return fail(
                "classes and drift are for one process: over transport grpc a worker with other bits is refused when it joins",
            );
        }
        if plan.window > 1 {
            return fail("window is for one process: over transport grpc each step waits for its digests");
        }
        Ok(())
    }

    /// What server and workers compare before a worker is asked anything; none with votes.
    pub(super) fn probed(&mut self) -> Result<Option<[u8; 32]>, TrainError> {
        if self.detection.is_none() {
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
        let held = self.held(panel, batch, crops, liars);
        if let Err(TrainError::Excess(excess)) = &held {
            panel.last_words(excess.why.clone());
        }
        held
    }

    fn held(
        &mut self,
        panel: &mut Panel,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let step = self.state.step;
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let ledger = self.state.ledger.clone().ok_or_else(missing)?;
        let plan = self.plan().ok_or_else(missing)?.clone();
        let mut roster = plan.roster().resume(ledger.records.clone());
        let unnamed: Vec<usize> = (0..plan.n).filter(|&j| ledger.records[j].named.is_none()).collect();
        let left = roster.left().unwrap_or(0);
        let needed = plan.holders(left).max(if plan.referee { 0 } else { 2 * left + 1 }).min(unnamed.len());
        let there = panel.gather(&unnamed, needed, &self.state, &ledger.header(step).state)?;
        let seat = self.seat_of(liars, Some(&there))?;
        let rehearsal =
            (!seat.lying.is_empty()).then(|| (seat.table.assignment.holders.clone(), seat.lying.clone()));
        let assignment = seat.table.assignment.clone();
        let mut random = stream(self.config.seed, Purpose::Assignment, step, 1);
        let mut pick = |list: &[usize]| first_of_least(list, &assignment, &mut random);
        let mut journal = self.detection.as_mut().and_then(|detection| detection.journal.take());
        let state = self.state.clone();
        let mut referee = |partition: usize| -> Result<Bits, TrainError> {
            let (mut signs, _) = self.signs_at(&[(partition, false)], batch, crops, None)?;
            Ok(signs.swap_remove(0))
        };
        let sought = Sought {
            header: seat.header,
            table: seat.table.clone(),
            rehearsal,
            roster: &roster,
            state: &state,
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
                if matches!(failure, Failure::Excess(_)) {
                    self.state.excess.get_or_insert_with(|| excess.clone());
                }
                return Err(TrainError::Excess(excess));
            }
        };
        let course = session.course;
        let asked: BTreeSet<usize> =
            course.settlement.asked().into_iter().chain(course.settlement.silents()).collect();
        roster.note(step, asked.iter().copied(), &course.settlement);
        for worker in course.settlement.silents() {
            let record = roster.records()[worker];
            if record.missed.is_power_of_two() {
                panel.tell(&format!(
                    "step {step}: worker {worker} was silent, for the {}th time, and is not asked before step {}",
                    record.missed, record.suspended_until
                ));
            }
        }
        let negative = self.engine.majority(&course.vectors);
        let silent: BTreeSet<usize> = course.settlement.silents().collect();
        panel.conclude(step, &negative, session.loss, asked.difference(&silent).copied())?;
        let mut ledger = ledger;
        ledger.records = roster.records().to_vec();
        ledger.account.add(&course.account);
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

    /// Answers a server until all is done.
    pub(super) fn answer_for(
        &mut self,
        join: Join,
        row: usize,
        control: Control,
        greeting: Greeting,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), TrainError> {
        let signer = keys::signer(&join.keys).map_err(|error| TrainError::Transport(error.to_string()))?;
        let mut peer = Peer::new(join, greeting, self.dimension(), control, Box::new(say)).chained();
        let mut known = Known::default();
        while !self.finished() {
            let step = self.state.step;
            match peer.next(step, LOOK)? {
                Some(News::Task(task)) => self.answer(&mut peer, row, &task, &signer, &mut known)?,
                Some(News::Decoded(decoded, loss)) => {
                    let bytes = decoded.negative.to_bytes();
                    self.follow(decoded, loss)?;
                    if let Some(ledger) = &mut self.state.ledger {
                        ledger.advance(step, &bytes);
                    }
                }
                Some(News::State { step, parameters, velocity, chain }) => {
                    self.begin(step, parameters, velocity);
                    if let (Some(ledger), Some(chain)) = (&mut self.state.ledger, chain) {
                        ledger.take_state(chain);
                    }
                }
                Some(News::Done) => break,
                Some(News::Again) | None => {}
            }
        }
        Ok(())
    }

    /// Does what a task asks for.
    fn answer(
        &mut self,
        peer: &mut Peer<'_>,
        row: usize,
        task: &Task,
        signer: &Signer,
        known: &mut Known,
    ) -> Result<(), TrainError> {
        let header = task.header();
        let Some(own) = self.state.ledger.as_ref().map(|ledger| ledger.header(self.state.step)) else {
            return Err(TrainError::Checkpoint("holds no ledger of the scheme".into()));
        };
        if own.run != header.run {
            return Err(TrainError::Transport("the server's run is another one than this worker's".into()));
        }
        if own != header {
            // Whoever is out of date says so, and is not guilty.
            return peer.answer(task.step, &own.state, &[], &Report::default());
        }
        known.enter(self.state.step);
        let fetched = task.fetches.iter().map(|(partition, _)| *partition);
        let wanted: BTreeSet<usize> = task.partitions.iter().copied().chain(fetched).collect();
        let gradient_s = self.compute(&wanted, task, known)?;
        let Known { lies, losses, .. } = known;
        let Some(lies) = lies else { return Ok(()) };
        let (holders, liars) = task.rehearsal.clone().unwrap_or_default();
        let mut crowd = Crowd::new(lies, header, self.config.adversary, &liars, &holders);
        if let Some((threshold, w)) = task.cut {
            let length = self.state.parameters.len().div_ceil(8);
            crowd = crowd.cut(Cut { threshold, w, length });
        }
        let sign = |partition, digest, of_vector| Signed {
            partition,
            digest,
            signature: signer.sign(&header, partition, &digest, of_vector),
        };
        let (mut digests, mut report) = (Vec::new(), Report { losses: Vec::new(), gradient_s });
        for &partition in &task.partitions {
            for (_, digest) in crowd.says(row, partition) {
                digests.push(sign(partition, digest, false));
                report.losses.push(losses.get(&partition).map_or(f32::NAN, |&loss| loss as f32));
            }
        }
        if !digests.is_empty() {
            peer.answer(task.step, &header.state, &digests, &report)?;
        }
        for &(partition, place) in &task.shares {
            // A list is that of the digest, whatever the share is of.
            let own = crowd.says(row, partition).first().map(|&(content, _)| content);
            let (Some(own), Some((content, _))) = (own, crowd.sends(row, partition)) else { continue };
            let share = crowd.coded(partition, content).0.get(place).cloned().unwrap_or_default();
            let bytes = [crowd.coded(partition, own).1.clone(), share].concat();
            let signature = signer.sign_bytes(&header, partition, &bytes);
            peer.vector(task.step, &header.state, partition, (&bytes.into(), true), &signature)?;
        }
        let fetches = task.fetches.iter().map(|&(partition, digest)| (partition, Some(digest)));
        for (partition, meant) in task.vectors.iter().map(|&partition| (partition, None)).chain(fetches) {
            let Some((content, digest)) = crowd.sends(row, partition) else { continue };
            if liars.is_empty() && meant.is_some_and(|meant| meant != digest) {
                peer.refuse(task.step, partition)?;
                continue;
            }
            let bytes = Bytes::from(crowd.bits(partition, content).to_bytes());
            let signature = match task.cut {
                Some(_) => signer.sign_bytes(&header, partition, &bytes),
                None => sign(partition, digest, true).signature,
            };
            peer.vector(task.step, &header.state, partition, (&bytes, false), &signature)?;
        }
        Ok(())
    }

    /// Computes what is not known yet of the step; returns the seconds of a gradient.
    fn compute(
        &mut self,
        wanted: &BTreeSet<usize>,
        task: &Task,
        known: &mut Known,
    ) -> Result<f32, TrainError> {
        let k = self.code.matrix().k();
        if wanted.iter().any(|&partition| partition >= k) {
            return Err(TrainError::Transport("the server asks for a partition that there is not".into()));
        }
        let rehearses = task.rehearsal.is_some();
        let attack = if rehearses { self.config.attack } else { Attack::None };
        // Who opposes the majority must know it.
        let all = attack == Attack::Omniscient;
        let new = |partition: &usize| !known.losses.contains_key(partition);
        let honest = (0..k).filter(|i| all || wanted.contains(i)).filter(new).map(|i| (i, false));
        let flips = attack == Attack::LabelFlip;
        let flipped = (0..k).filter(|i| flips && wanted.contains(i)).filter(new).map(|i| (i, true));
        let places: Vec<(usize, bool)> = honest.chain(flipped).collect();
        if places.is_empty() {
            return Ok(0.0);
        }
        let mut computed = None;
        let ended = self.advance_by(|trainer, batch, _| {
            let crops = trainer.crops();
            computed = Some(trainer.signs_at(&places, batch, &crops, None)?);
            Err(TrainError::Interrupted)
        });
        let Some((signs, computed)) = computed else {
            return Err(ended.err().unwrap_or(TrainError::Interrupted));
        };
        let held = known.lies.take().unwrap_or_else(|| Lies {
            honest: vec![Bits::default(); k],
            instead: vec![Bits::default(); k],
            opposite: None,
            attack,
            seed: self.config.seed,
            step: self.state.step,
            other: None,
        });
        let (mut honest, mut instead) = (held.honest, held.instead);
        for ((&(i, flip), bits), one) in places.iter().zip(signs).zip(&computed) {
            if flip {
                instead[i] = bits;
            } else {
                honest[i] = bits;
                known.losses.insert(i, one.loss);
            }
        }
        let whole = all && honest.iter().all(|bits| bits.len() == self.dimension());
        known.lies = Some(if whole {
            lies(&self.config, &self.engine, self.state.step, honest, instead)
        } else {
            let (seed, step) = (self.config.seed, self.state.step);
            Lies { honest, instead, opposite: None, attack, seed, step, other: None }
        });
        Ok(seconds(&computed) as f32)
    }
}

/// What a worker has computed of a step.
#[derive(Default)]
struct Known {
    step: u64,
    lies: Option<Lies>,
    losses: BTreeMap<usize, f64>,
}

impl Known {
    fn enter(&mut self, step: u64) {
        if self.step != step {
            *self = Self { step, ..Self::default() };
        }
    }
}
