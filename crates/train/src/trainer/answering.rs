//! A worker's answers under a scheme that detects lies, where it is a process of its own.
//!
//! # What is promised
//! - A worker computes whatever partition it is asked for, from the state that it is asked about, also that of a step that is
//!   still open; or says that its state is another one.
//! - Where the run goes back, so does the worker, to the state that it had then; where it has none any more, to the server's.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ecode_core::AllocationMatrix;
use ecode_grpc::{Greeting, Report, Signed, Task, keys};
use ecode_server::reactive::{Claim, Signer};
use ecode_verify::Control;

use super::Trainer;
use super::fallback::claimed;
use super::round::seconds;
use super::scheme::lies;
use crate::attack::Attack;
use crate::bits::Bits;
use crate::error::TrainError;
use crate::reactive::{Crowd, Cut, Lies};
use crate::state::State;
use crate::transport::LOOK;
use crate::transport::grpc::{Join, News, Peer};
use crate::vote::VoteEngine;
use ecode_core::TieRule;

impl Trainer {
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
        // What is still open is asked about later.
        let open = self.plan().filter(|plan| plan.is_optimistic());
        let mut known = Known { kept: open.map_or(0, |plan| plan.window + 1), ..Known::default() };
        // After the last step the open ones are still to be closed, or done anew: then the server says when all is done.
        while !self.finished() || known.kept > 0 {
            let step = self.state.step;
            match peer.next(step, LOOK)? {
                Some(News::Task(task)) => self.answer(&mut peer, row, &task, &signer, &mut known)?,
                Some(News::Back(step)) => match known.back(step) {
                    Some(state) => self.state = state,
                    None if step < self.state.step => peer.take_state(),
                    None => {}
                },
                Some(News::Decoded(decoded, loss)) => {
                    known.leave(&self.state);
                    let bytes = decoded.negative.to_bytes();
                    self.follow(decoded, loss)?;
                    if let Some(ledger) = &mut self.state.ledger {
                        ledger.advance(step, &bytes);
                    }
                }
                Some(News::State { step, parameters, velocity, chain }) => {
                    known.states.clear();
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
        let none = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let of = |state: &State| state.ledger.as_ref().map(|ledger| ledger.header(state.step));
        let own = of(&self.state).ok_or_else(none)?;
        if own.run != header.run {
            return Err(TrainError::Transport("the server's run is another one than this worker's".into()));
        }
        if own == header {
            return self.answer_now(peer, row, task, signer, known);
        }
        let earlier = known.states.remove(&header.step);
        if let Some(mut earlier) = earlier {
            // The step is open, and its state was this one.
            let answered = if of(&earlier) == Some(header) {
                std::mem::swap(&mut self.state, &mut earlier);
                let answered = self.answer_now(peer, row, task, signer, known);
                std::mem::swap(&mut self.state, &mut earlier);
                Some(answered)
            } else {
                None
            };
            known.states.insert(header.step, earlier);
            if let Some(answered) = answered {
                return answered;
            }
        }
        // Whoever is out of date says so, and is not guilty.
        peer.answer(task.step, &own.state, &[], &Report::default())?;
        if own.step == header.step {
            peer.take_state();
        }
        Ok(())
    }

    /// Does what a task of the present state asks for.
    fn answer_now(
        &mut self,
        peer: &mut Peer<'_>,
        row: usize,
        task: &Task,
        signer: &Signer,
        known: &mut Known,
    ) -> Result<(), TrainError> {
        let header = task.header();
        let computed = known.enter(self.state.step);
        for partition in &task.again {
            computed.losses.remove(partition);
        }
        let fetched = task.fetches.iter().map(|(partition, _)| *partition);
        let asked = [&task.partitions, &task.vectors, &task.again].into_iter().flatten().copied();
        let shared = task.shares.iter().map(|(partition, _)| *partition);
        let voted = task.row.iter().flatten().copied();
        let wanted: BTreeSet<usize> = asked.chain(fetched).chain(shared).chain(voted).collect();
        let gradient_s = self.compute(&wanted, task, computed)?;
        let Computed { lies, losses } = computed;
        let Some(lies) = lies else { return Ok(()) };
        let (holders, liars) = task.rehearsal.clone().unwrap_or_default();
        if let Some(votes) = &task.row {
            let vote = self.vote_over(row, votes, lies, (&holders, &liars))?;
            let Some(vote) = vote else { return Ok(()) };
            for (plane, bits) in [Some(vote.bits), vote.silent].into_iter().flatten().enumerate() {
                let (partition, bytes) = (self.code.matrix().k() + plane, Bytes::from(bits.to_bytes()));
                let signature = signer.sign(&header, partition, &header.digest(partition, &bytes), true);
                peer.vector(task.step, &header.state, partition, (&bytes, None), &signature)?;
            }
            return Ok(());
        }
        let mut crowd = Crowd::new(lies, header, self.config.adversary, &liars, &holders);
        if let Some((threshold, w)) = task.cut {
            let length = self.state.parameters.len().div_ceil(8);
            crowd = crowd.cut(Cut { threshold, w, length });
        }
        let (mut digests, mut report) = (Vec::new(), Report { losses: Vec::new(), gradient_s });
        let mut loss = |partition: usize| {
            report.losses.push(losses.get(&partition).map_or(f32::NAN, |&loss| loss as f32));
        };
        for &partition in &task.partitions {
            for (_, digest) in crowd.says(row, partition) {
                let signature = signer.sign(&header, partition, &digest, false);
                digests.push(Signed { partition, digest, signature, again: false });
                loss(partition);
            }
        }
        for &partition in &task.again {
            let Some(digest) = crowd.says_again(row, partition) else { continue };
            let signature = signer.sign_again(&header, partition, &digest);
            digests.push(Signed { partition, digest, signature, again: true });
            loss(partition);
        }
        if !digests.is_empty() {
            peer.answer(task.step, &header.state, &digests, &report)?;
        }
        send_vectors(peer, row, task, signer, &mut crowd)
    }

    /// This worker's vote over the partitions of its row; none where its adversary would have it say nothing.
    fn vote_over(
        &self,
        row: usize,
        partitions: &[usize],
        lies: &Lies,
        (holders, liars): (&[Vec<usize>], &[usize]),
    ) -> Result<Option<crate::vote::Vote>, TrainError> {
        let g = self.code.matrix();
        let own = AllocationMatrix::from_fn(g.n(), g.k(), |_, i| partitions.contains(&i))
            .map_err(|error| TrainError::Transport(error.to_string()))?;
        let engine = VoteEngine::new(&own, self.config.ties);
        let mut source: Vec<Bits> = vec![Bits::default(); lies.honest.len()];
        for &partition in partitions {
            let Some(bits) = claimed(lies, self.config.adversary, (holders, liars), row, partition) else {
                return Ok(None);
            };
            source[partition] = bits;
        }
        Ok(Some(engine.vote_over(row, &source, &lies.honest)))
    }

    /// Computes what is not known yet of the step; returns the seconds of a gradient.
    fn compute(
        &mut self,
        wanted: &BTreeSet<usize>,
        task: &Task,
        known: &mut Computed,
    ) -> Result<f32, TrainError> {
        let k = self.code.matrix().k();
        if wanted.iter().any(|&partition| partition >= k) {
            return Err(TrainError::Transport("the server asks for a partition that there is not".into()));
        }
        let rehearses = task.rehearsal.is_some();
        let attack = if rehearses { self.config.attack } else { Attack::None };
        // Who opposes the majority must know it, and so must a vote that ties as the worst would.
        let even = task.row.as_ref().is_some_and(|row| row.len() % 2 == 0);
        let all = attack == Attack::Omniscient || (even && self.config.ties == TieRule::Adversarial);
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

/// Sends the vectors, or shares of them, that a task asks for.
fn send_vectors(
    peer: &mut Peer<'_>,
    row: usize,
    task: &Task,
    signer: &Signer,
    crowd: &mut Crowd<'_>,
) -> Result<(), TrainError> {
    let header = task.header();
    for &(partition, place) in &task.shares {
        // A list is that of the digest, whatever the share is of.
        let own = crowd.says(row, partition).first().map(|&(content, _)| content);
        let (Some(own), Some((content, _))) = (own, crowd.sends(row, partition)) else { continue };
        let share = crowd.coded(partition, content).0.get(place).cloned().unwrap_or_default();
        let Some(cut) = crowd.cutting() else { continue };
        let bytes = [crowd.coded(partition, own).1.clone(), share].concat();
        let Some(claim) = Claim::of(cut.sizes(), place, &bytes) else { continue };
        let signature = signer.sign_share(&header, partition, &claim);
        peer.vector(task.step, &header.state, partition, (&bytes.into(), Some(place)), &signature)?;
    }
    let fetches = task.fetches.iter().map(|&(partition, digest)| (partition, Some(digest)));
    for (partition, meant) in task.vectors.iter().map(|&partition| (partition, None)).chain(fetches) {
        let Some((content, digest)) = crowd.sends(row, partition) else { continue };
        if crowd.liars.is_empty() && meant.is_some_and(|meant| meant != digest) {
            peer.refuse(task.step, partition)?;
            continue;
        }
        let bytes = Bytes::from(crowd.bits(partition, content).to_bytes());
        let signature = match task.cut {
            Some(_) => signer.sign_bytes(&header, partition, &bytes),
            None => signer.sign(&header, partition, &digest, true),
        };
        peer.vector(task.step, &header.state, partition, (&bytes, None), &signature)?;
    }
    Ok(())
}

/// What a worker has computed of a step.
#[derive(Default)]
struct Computed {
    lies: Option<Lies>,
    losses: BTreeMap<usize, f64>,
}

/// What a worker has computed of the present step, and of those that are still open.
#[derive(Default)]
struct Known {
    steps: BTreeMap<u64, Computed>,
    /// The states before earlier steps.
    states: BTreeMap<u64, State>,
    /// So many steps are kept beside the present one.
    kept: u64,
}

impl Known {
    /// What is known of a step, of which something is asked; what is too old is forgotten.
    fn enter(&mut self, step: u64) -> &mut Computed {
        let latest = self.steps.keys().next_back().map_or(step, |&last| last.max(step));
        self.steps.retain(|&of, _| of + self.kept >= latest);
        self.steps.entry(step).or_default()
    }

    /// The step of a state is decided.
    fn leave(&mut self, state: &State) {
        if self.kept > 0 {
            self.states.insert(state.step, state.clone());
            self.states.retain(|&of, _| of + self.kept > state.step);
        }
    }

    /// Goes back to a step: the state before it, where it is kept.
    fn back(&mut self, step: u64) -> Option<State> {
        self.steps.retain(|&of, _| of < step);
        let state = self.states.remove(&step);
        self.states.retain(|&of, _| of < step);
        state
    }
}
