//! The votes of a code, where the scheme could not go on with workers that are processes of their own.
//!
//! # What is promised
//! Whoever was named, or is away, has no vote. What is missing is waited for, and decoded without, by the rules of any election
//! ([`ecode_server::Election`]); the step's promise is that of the code for the votes that came.

use super::Trainer;
use super::fallback::Fallback;
use super::round::Round;
use super::update::Update;
use crate::attack::Attack;
use crate::error::TrainError;
use crate::transport::grpc::{Electorate, Panel};
use crate::vote::Decoded;
use ecode_core::Workers;
use ecode_server::{OnExcess, Rules};

impl Trainer {
    /// The server's round.
    pub(super) fn ballot(
        &mut self,
        panel: &mut Panel,
        fallback: &Fallback,
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let missing = || TrainError::Checkpoint("holds no ledger of the scheme".into());
        let mut ledger = self.state.ledger.clone().ok_or_else(missing)?;
        let step = self.state.step;
        let lying: Vec<usize> = match self.config.attack {
            Attack::None => Vec::new(),
            _ => self.unnamed(liars).indices().collect(),
        };
        let radius = fallback.code.tolerates().unwrap_or(0);
        let declared = self.config.liars().min(radius);
        let rules = Rules::new(fallback.code.matrix().n(), radius, declared)
            .map_err(|error| TrainError::Transport(error.to_string()))?;
        let named: Vec<usize> = ledger.named().map(|(worker, ..)| worker).collect();
        let electorate = Electorate {
            header: ledger.header(step),
            rules: Rules { on_excess: OnExcess::Warn, quarantine: true, ..rules },
            named: &named,
            rows: fallback.engine.rows(),
            silent: &|worker| fallback.engine.can_be_silent(worker),
            rehearsal: (!lying.is_empty()).then(|| (fallback.columns.clone(), lying)),
            state: &self.state,
        };
        let votes = panel.elect(&electorate)?;
        let decoded = fallback.engine.decode(self.dimension(), &votes);
        let came: Vec<usize> = (0..votes.len()).filter(|&worker| votes[worker].is_some()).collect();
        panel.conclude(step, (&decoded.negative, decoded.tied.as_ref()), None, came.iter().copied())?;
        let account = fallback.account(self.dimension(), &votes);
        ledger.account.add(&account);
        ledger.advance(step, &decoded.negative.to_bytes());
        Ok(Round {
            update: Update::Signs(Decoded { wrong: 0, ..decoded }),
            momentum: None,
            loss: None,
            wrong: None,
            gradient_s: 0.0,
            missing: (0..votes.len()).filter(|worker| !came.contains(worker)).collect(),
            settled: Some((account, ledger)),
        })
    }
}
