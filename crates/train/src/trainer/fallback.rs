//! Votes of a code in place of a scheme that cannot go on (`on-excess code:…`).
//!
//! # What is promised
//! - The step that could not be settled is the first that is decoded from votes; nothing of it was decoded before.
//! - Whoever was named is left out. Its vote is missing, which costs half a lie: with x of b liars named,
//!   2·(b − x) + x ≤ 2·b. The votes are covered while 2·liars + missing ≤ 2·b for the code's own b.
//! - Evidence of more liars than the scheme provides for says nothing good of the steps before it either: such a run says
//!   UNVERIFIED, however good the code is. A step that too few workers answered to settle takes nothing from them.
//!
//! # References
//! docs/theory/errors.md.

use std::sync::Arc;

use ecode_server::reactive::{Adversary, View};

use super::Trainer;
use super::round::{Round, Signs};
use super::scheme::lies;
use super::update::Update;
use crate::attack::Attack;
use crate::bits::Bits;
use crate::code::TrainingCode;
use crate::config::ConfigError;
use crate::error::TrainError;
use crate::reactive::{Account, FellBack, Lies, OtherBits};
use crate::standing::Excess;
use crate::vote::{Decoded, Vote, VoteEngine};
use ecode_core::Workers;

/// A code that waits, and its votes.
pub(super) struct Fallback {
    pub(super) code: TrainingCode,
    pub(super) engine: VoteEngine,
    pub(super) columns: Vec<Vec<usize>>,
}

impl Trainer {
    /// Takes the votes of a code where the scheme cannot go on. To be called before the first step and before
    /// [`Trainer::restore`].
    ///
    /// # Errors
    /// [`ConfigError`] where no scheme is trained with, or the code does not fit it or is not verified.
    pub fn fall_back_on(&mut self, code: TrainingCode) -> Result<(), ConfigError> {
        let fail = |why: String| Err(ConfigError(format!("on-excess code: {why}")));
        let Some(plan) = self.plan() else { return fail("scheme is vote, which has a code already".into()) };
        let g = code.matrix();
        if (g.n(), g.k()) != (plan.n, plan.k) {
            let (n, k) = (g.n(), g.k());
            return fail(format!(
                "the code has {n} workers and {k} partitions; the scheme has {} and {}",
                plan.n, plan.k
            ));
        }
        match code.verified_ties() {
            None => return fail("the code is not verified".into()),
            Some(proved) if proved != self.config.ties => {
                return fail(format!(
                    "the code was verified under the rule {proved}; ties is {}",
                    self.config.ties
                ));
            }
            Some(_) => {}
        }
        if let Some(b) = code.tolerates().filter(|&b| b < plan.b) {
            return fail(format!("the code is verified for b = {b}; the scheme provides for {}", plan.b));
        }
        let engine = VoteEngine::new(g, self.config.ties);
        let columns = (0..g.k()).map(|i| (0..g.n()).filter(|&j| g.holds(j, i)).collect()).collect();
        self.fallback = Some(Arc::new(Fallback { code, engine, columns }));
        Ok(())
    }

    /// The code that waits for the scheme's end; none where the run stops there.
    #[must_use]
    pub fn fallback(&self) -> Option<&TrainingCode> {
        self.fallback.as_ref().map(|fallback| &fallback.code)
    }

    /// Whether a step that cannot be settled is decoded from votes.
    pub(super) fn falls_back(&self) -> bool {
        let kept = self.detection.as_ref().is_some_and(|detection| !detection.forgetful);
        kept && self.fallback.is_some() && self.fallen().is_none()
    }

    /// Takes votes from the present step on.
    pub(super) fn fall_back(&mut self, excess: &Excess) {
        let (Some(fallback), Some(ledger), Some(detection)) =
            (&self.fallback, &mut self.state.ledger, &mut self.detection)
        else {
            return;
        };
        let fell = FellBack {
            step: self.state.step,
            why: excess.why.clone(),
            code: fallback.code.name().to_owned(),
            b: fallback.code.tolerates().unwrap_or(0),
        };
        let FellBack { step, why, code, b } = &fell;
        detection.remarks.push(format!(
            "step {step}: {why}; from this step on the votes of {code} are taken, a code verified for b = {b}"
        ));
        ledger.fell_back = Some(fell);
    }

    /// The code whose votes are taken by now.
    pub(super) fn fallen(&self) -> Option<Arc<Fallback>> {
        let fell = self.state.ledger.as_ref()?.fell_back.is_some();
        self.fallback.clone().filter(|_| fell)
    }

    /// The code that the present step is decoded with.
    pub(super) fn deciding_code(&self) -> &TrainingCode {
        let fell = self.state.ledger.as_ref().is_some_and(|ledger| ledger.fell_back.is_some());
        self.fallback.as_ref().filter(|_| fell).map_or(&self.code, |fallback| &fallback.code)
    }

    /// The liars whose votes count: those who are named have none.
    pub(super) fn unnamed(&self, liars: &Workers) -> Workers {
        let named = |worker: usize| {
            let fell = self.state.ledger.as_ref().filter(|ledger| ledger.fell_back.is_some());
            fell.is_some_and(|ledger| ledger.records[worker].named.is_some())
        };
        Workers::from_indices(self.code.matrix().n(), liars.indices().filter(|&worker| !named(worker)))
    }
}

/// What a worker votes with of a partition, or would have others believe; none where its adversary has it say nothing.
pub(super) fn claimed(
    lies: &Lies,
    adversary: Adversary,
    (holders, liars): (&[Vec<usize>], &[usize]),
    worker: usize,
    partition: usize,
) -> Option<Bits> {
    if !liars.contains(&worker) {
        return Some(lies.bits(partition, lies.right(worker, partition)).into_owned());
    }
    let view = View { seed: lies.seed, step: lies.step, holders, liars };
    adversary.digests(&view, worker, partition).digest?;
    let content = adversary.vector(&view, worker, partition)?;
    Some(lies.bits(partition, content).into_owned())
}

impl Fallback {
    /// The step whose signs are these, decoded from votes. A liar votes over what its adversary has it claim of each
    /// partition, and sends nothing where that would be withheld.
    pub(super) fn round(
        &self,
        trainer: &Trainer,
        signs: Signs,
        other: Option<OtherBits>,
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let Signs { messages, instead, loss, gradient_s, .. } = signs;
        let mut lies = lies(&trainer.config, &self.engine, trainer.state.step, messages, instead);
        lies.other = other;
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let mut ledger = trainer.state.ledger.clone().ok_or_else(missing)?;
        let lying: Vec<usize> = match trainer.config.attack {
            Attack::None => Vec::new(),
            _ => trainer.unnamed(liars).indices().collect(),
        };
        let vote = |worker: usize| -> Option<Vote> {
            if ledger.records[worker].named.is_some() {
                return None;
            }
            let mut source: Vec<Bits> = vec![Bits::default(); lies.honest.len()];
            for &partition in &self.engine.rows()[worker] {
                source[partition] =
                    claimed(&lies, trainer.config.adversary, (&self.columns, &lying), worker, partition)?;
            }
            Some(self.engine.vote_over(worker, &source, &lies.honest))
        };
        let votes: Vec<Option<Vote>> = (0..self.code.matrix().n()).map(vote).collect();
        let (d, truth) = (trainer.dimension(), self.engine.majority(&lies.honest));
        let decoded = self.engine.decode(d, &votes);
        let wrong = decoded.negative.differing(&truth);
        let account = self.account(d, &votes);
        ledger.account.add(&account);
        ledger.advance(lies.step, &decoded.negative.to_bytes());
        Ok(Round {
            update: Update::Signs(Decoded { wrong, ..decoded }),
            momentum: None,
            loss: Some(loss),
            wrong: Some(wrong),
            gradient_s,
            missing: (0..votes.len()).filter(|&worker| votes[worker].is_none()).collect(),
            settled: Some((account, ledger)),
        })
    }

    /// What such a step costs.
    pub(super) fn account(&self, d: usize, votes: &[Option<Vote>]) -> Account {
        let plane = d.div_ceil(8) as u64;
        let planes = |second: bool| plane * (1 + u64::from(second));
        let loads: Vec<u64> = (0..votes.len())
            .filter(|&worker| votes[worker].is_some())
            .map(|worker| self.engine.rows()[worker].len() as u64)
            .collect();
        let up = |(worker, vote): (usize, &Option<Vote>)| {
            vote.as_ref().map_or(0, |_| planes(self.engine.can_be_silent(worker)))
        };
        Account {
            partitions: self.columns.len() as u64,
            gradients: loads.iter().sum(),
            heaviest: loads.iter().copied().max().unwrap_or(0),
            bytes_up: votes.iter().enumerate().map(up).sum(),
            bytes_down: planes(self.engine.can_tie()) * loads.len() as u64,
            ..Account::default()
        }
    }
}
