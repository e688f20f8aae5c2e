//! A run without liars, step by step, and what a naming certificate looks like beside it.
//!
//! # What is promised
//! Where a certificate is [`Finding::Wrong`], the worker signed another digest than that of the vector that this machine
//! computes from the data, in the very run, step and state that the certificate is about: the state's digest is chained over all
//! decodes, and was computed here from the first step on. It then was wrong whoever else was, if this machine is right.
//!
//! # References
//! docs/theory/reactive.md, Theorem 18.

use std::collections::BTreeSet;

use ecode_server::reactive::{Certificate, Digest, Statement};

use super::Trainer;
use super::round::{Round, seconds};
use super::update::Update;
use crate::bits::Bits;
use crate::error::TrainError;
use crate::reactive::{Account, hexadecimal};
use crate::vote::Decoded;

/// What computing again says of a naming certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The worker signed a digest of this partition that is not that of the right vector.
    Wrong(usize),
    /// Every digest that the worker signed is that of the right vector: whoever contradicts it was wrong.
    Right,
    /// The certificate is about another run: another configuration, matrix or data.
    OtherRun,
    /// The certificate is about a state that the run does not come to here: where a step was undone, decoded wrong, or
    /// computed with other bits.
    OtherState,
}

impl Trainer {
    /// Trains one step as if nobody lied: the majority of all partitions' signs.
    ///
    /// # Errors
    /// As [`Trainer::advance`].
    pub fn replay(&mut self) -> Result<(), TrainError> {
        self.advance_by(|trainer, batch, _| {
            let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
            let mut ledger = trainer.state.ledger.clone().ok_or_else(missing)?;
            let all: Vec<(usize, bool)> = (0..trainer.code.matrix().k()).map(|i| (i, false)).collect();
            let crops = trainer.crops();
            let (signs, computed) = trainer.signs_at(&all, batch, &crops, None)?;
            let negative = trainer.engine.majority(&signs);
            ledger.advance(trainer.state.step, &negative.to_bytes());
            Ok(Round {
                update: Update::Signs(Decoded { negative, tied: None, wrong: 0 }),
                momentum: None,
                loss: None,
                wrong: Some(0),
                gradient_s: seconds(&computed),
                missing: Vec::new(),
                settled: Some((Account::default(), ledger)),
            })
        })
    }

    /// Computes in the present step what a certificate of this step says was computed wrong. The certificate itself is to
    /// be checked before ([`Certificate::check`]).
    ///
    /// # Errors
    /// [`TrainError::Model`], and [`TrainError::Checkpoint`] where the run has no scheme, or is at another step.
    pub fn recompute(&mut self, certificate: &Certificate) -> Result<Finding, TrainError> {
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let step = self.state.step;
        if certificate.step != step {
            return Err(TrainError::Checkpoint(format!("is at step {step}, not at {}", certificate.step)));
        }
        let header = self.state.ledger.as_ref().ok_or_else(missing)?.header(step);
        if certificate.run != hexadecimal(&header.run) {
            return Ok(Finding::OtherRun);
        }
        if certificate.state != hexadecimal(&header.state) {
            return Ok(Finding::OtherState);
        }
        let own = |statement: &&Statement| statement.worker == certificate.worker;
        let k = self.code.matrix().k();
        for Statement { partition, digest, .. } in certificate.statements.iter().filter(own) {
            if *partition >= k {
                return Ok(Finding::Wrong(*partition));
            }
            let signs = self.signs_now(*partition)?;
            if !self.digests(*partition, &signs)?.iter().any(|right| hexadecimal(right) == *digest) {
                return Ok(Finding::Wrong(*partition));
            }
        }
        // Of a digest and a share that contradict it one at least is wrong.
        let wrong_share = certificate.share.as_ref().and_then(|_| certificate.statements.first());
        Ok(wrong_share.map_or(Finding::Right, |announced| Finding::Wrong(announced.partition)))
    }

    /// The signs of a partition in the present step.
    fn signs_now(&mut self, partition: usize) -> Result<Bits, TrainError> {
        let mut signs = None;
        let ended = self.advance_by(|trainer, batch, _| {
            let crops = trainer.crops();
            signs = Some(trainer.signs_at(&[(partition, false)], batch, &crops, None)?.0);
            Err(TrainError::Interrupted)
        });
        match signs.and_then(|mut signs| signs.pop()) {
            Some(signs) => Ok(signs),
            None => Err(ended.err().unwrap_or(TrainError::Interrupted)),
        }
    }

    /// The digests that a right worker may send of a vector: of itself, or of its shares' list, however many may be faulty.
    fn digests(&self, partition: usize, signs: &Bits) -> Result<BTreeSet<Digest>, TrainError> {
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let plan = self.plan().ok_or_else(missing)?;
        let header = self.state.ledger.as_ref().ok_or_else(missing)?.header(self.state.step);
        let bytes = signs.to_bytes();
        let present: Vec<usize> = (0..plan.n).collect();
        let lists = (0..=plan.b).filter_map(|left| {
            let cut = plan.cut(&plan.assign(&present, left), left, signs.len())?;
            Some(header.digest(partition, &cut.list(&cut.shares(&bytes))))
        });
        Ok(lists.chain([header.digest(partition, &bytes)]).collect())
    }
}
