//! The loop: batch → gradients → signs → votes → decode → step.
//!
//! # What is promised
//! - Every partition's gradient is computed once a step, however many workers hold it.
//! - The state after a step is a function of the configuration, the data and the step, bit for bit.
//! - After an error the state is that before the step (but for the running statistics of batch normalisation, which
//!   a step that failed after its gradients has moved).

#[cfg(feature = "grpc")]
mod answering;
#[cfg(feature = "grpc")]
mod ballot;
mod batches;
#[cfg(feature = "grpc")]
mod council;
mod deployed;
mod fallback;
mod files;
mod open;
#[cfg(feature = "grpc")]
mod pending;
#[cfg(feature = "grpc")]
mod remote;
mod replay;
mod round;
mod scheme;
mod seat;
mod tally;
mod update;
mod work;

use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::aggregate::Aggregator;
use crate::attack::{Attack, ByzantineSet};
use crate::clock::Steady;
use crate::code::TrainingCode;
use crate::config::{Config, ConfigError, MomentumAt, OnExcess, Schedule};
use crate::data::{Data, Samples};
use crate::error::TrainError;
use crate::identity::data_digest;
use crate::model::{Learner, ModelError, learner};
use crate::standing::{Excess, Lost, exceeds};
use crate::state::{State, Totals};
use crate::transport::Deployment;
use crate::vote::VoteEngine;
use batches::Batches;
use ecode_core::Workers;
use ecode_core::digest::hexadecimal;
use fallback::Fallback;
pub use replay::Finding;
use round::Round;
use scheme::Detection;
use update::Update;

/// A run in progress.
pub struct Trainer {
    config: Config,
    schedule: Schedule,
    code: TrainingCode,
    data: Data,
    /// Training samples that are not trained on, where some are held out.
    validation: Option<Samples>,
    learner: Box<dyn Learner>,
    engine: VoteEngine,
    /// Byzantine workers where they do not change.
    liars: Option<Workers>,
    /// Which samples each step takes.
    batches: Batches,
    state: State,
    /// Whether parameters and momentum live where the model is computed; those of `state` then lag behind
    /// when `stale`.
    resident: bool,
    stale: bool,
    /// What one gradient takes, over the last steps.
    steady: Steady,
    /// Where this is one of many processes.
    deployment: Option<Deployment>,
    /// The scheme that detects lies, where it is not a vote that corrects them.
    detection: Option<Detection>,
    /// The code whose votes are taken where that scheme cannot go on.
    fallback: Option<Arc<Fallback>>,
}

impl Trainer {
    /// A run at its start.
    ///
    /// # Errors
    /// [`TrainError::Config`].
    pub fn new(config: Config, code: TrainingCode, data: Data) -> Result<Self, TrainError> {
        let learner = learner(config.model, config.device, &data)?;
        Self::with_learner(config, code, data, learner)
    }

    /// A run at its start that trains any model; `model` and `device` of the configuration are not looked at.
    ///
    /// # Errors
    /// [`TrainError::Config`], [`TrainError::Model`].
    pub fn with_learner(
        config: Config,
        code: TrainingCode,
        mut data: Data,
        mut learner: Box<dyn Learner>,
    ) -> Result<Self, TrainError> {
        let all = data.train.len();
        let config = settle(config, &code, all)?;
        let validation = (config.held_out(all) > 0).then(|| {
            let (validation, train) = data.train.hold_out(config.held_out(all), config.seed);
            data.train = train;
            validation
        });
        let k = code.matrix().k();
        let schedule = config.schedule(k, data.train.len())?;
        let parameters = learner.initial(config.seed);
        let d = parameters.len();
        let at_workers = config.momentum_at == MomentumAt::Worker;
        let state = State {
            step: 0,
            velocity: vec![0.0; d],
            momentum: if at_workers { vec![vec![0.0; d]; k] } else { Vec::new() },
            joined: Vec::new(),
            model: learner.state()?,
            parameters,
            totals: Totals::default(),
            best: None,
            excess: None,
            lost: Vec::new(),
            ledger: None,
            named: Vec::new(),
        };
        let detection = Detection::of(&config, &code)?;
        let engine = VoteEngine::new(code.matrix(), config.ties);
        let set = &config.byzantine_set;
        let liars = (*set != ByzantineSet::RandomPerStep).then(|| match code.distortion() {
            // The set that was proved to be the worst, not one that a search meets.
            Some(worst) if *set == ByzantineSet::Worst => worst.worst.clone(),
            _ => set.choose(code.matrix(), config.ties, config.liars(), config.seed, 0),
        });
        // Digests are of what is on the host.
        let votes = config.aggregator == Aggregator::Vote && !config.scheme.takes_files();
        let resident = votes && detection.is_none() && learner.resident().is_some();
        let batches = Batches::new(&config, &data.train, k, schedule.per_epoch)?;
        let (stale, steady, deployment) = (false, Steady::default(), None);
        let mut trainer = Self {
            config,
            schedule,
            code,
            data,
            validation,
            learner,
            engine,
            liars,
            batches,
            state,
            resident,
            stale,
            steady,
            deployment,
            detection,
            fallback: None,
        };
        trainer.enter()?;
        trainer.state.ledger = trainer.ledger();
        // What is known before the first step is said before it.
        let liars = trainer.liars_of(0);
        trainer.state.excess = trainer.exceeds(&liars, &[]).map(|why| Excess { step: 0, why });
        Ok(trainer)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is one of another model or matrix.
    pub fn restore(&mut self, state: State) -> Result<(), TrainError> {
        let sizes = |state: &State| {
            (
                state.parameters.len(),
                state.velocity.len(),
                state.momentum.iter().map(Vec::len).collect::<Vec<_>>(),
            )
        };
        let remembered =
            if self.config.aggregator.remembers() && state.step > 0 { self.dimension() } else { 0 };
        if sizes(&state) != sizes(&self.state)
            || state.joined.len() != remembered
            || state.step > self.schedule.steps
            || state.ledger.as_ref().map(|ledger| ledger.records.len())
                != self.detection.as_ref().map(|detection| detection.plan.n)
            || !self.learner.restore(&state.model)?
        {
            return Err(TrainError::Checkpoint("does not fit this model and configuration".into()));
        }
        self.state = state;
        self.stale = false;
        self.enter()?;
        Ok(())
    }

    /// Puts the state where the model is computed, if it lives there.
    fn enter(&mut self) -> Result<(), ModelError> {
        if self.resident
            && let Some(learner) = self.learner.resident()
        {
            learner.enter(&self.state)?;
        }
        Ok(())
    }

    /// Brings parameters and momentum up to date.
    fn sync(&mut self) -> Result<(), ModelError> {
        if self.stale
            && let Some(learner) = self.learner.resident()
        {
            learner.leave(&mut self.state)?;
        }
        self.stale = false;
        Ok(())
    }

    /// The configuration, with the number of liars filled in.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How long the run is.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &TrainingCode {
        &self.code
    }

    /// What is learned from, without what is held out.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The training samples that are held out, where some are.
    #[must_use]
    pub fn validation(&self) -> Option<&Samples> {
        self.validation.as_ref()
    }

    /// What is learned from, and which partition learns from which of it, in a word.
    pub(crate) fn data_identity(&self) -> String {
        let shards = self.batches.digest().map_or(String::new(), |digest| format!(" shards {digest}"));
        data_digest(&self.data, self.validation.as_ref()) + &shards
    }

    /// Where the run stands. On a GPU parameters and momentum are those of the last evaluation, the last
    /// [`Self::snapshot`], or the end.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state with what the model keeps, for a checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Model`].
    pub fn snapshot(&mut self) -> Result<State, TrainError> {
        match self.close_all() {
            // The state is that before the oldest open step.
            Ok(()) | Err(TrainError::Interrupted) => {}
            Err(error) => return Err(error),
        }
        self.sync()?;
        Ok(State { model: self.learner.state()?, ..self.state.clone() })
    }

    /// The first step that no proof covers, once there is one; none while what was proved covers all.
    #[must_use]
    pub fn excess(&self) -> Option<&Excess> {
        self.state.excess.as_ref()
    }

    /// Workers that were lost, and since which step.
    #[must_use]
    pub fn lost(&self) -> &[Lost] {
        &self.state.lost
    }

    /// Where the model is computed, as `--device` says it.
    #[must_use]
    pub fn device(&self) -> String {
        self.learner.device()
    }

    /// d, the number of parameters.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.state.parameters.len()
    }

    /// Whether all steps are done.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.state.step >= self.schedule.steps
    }

    /// Whether the log gets a line at this step.
    #[must_use]
    pub fn due(&self) -> bool {
        self.state.step % self.schedule.evaluate_every == 0 || self.finished()
    }

    /// SHA-256 of the parameters in the model's order, four little-endian bytes each.
    ///
    /// # Errors
    /// [`TrainError::Model`] where they cannot be read from a GPU.
    pub fn parameters_digest(&mut self) -> Result<String, TrainError> {
        self.close_all()?;
        self.sync()?;
        let mut digest = Sha256::new();
        for value in &self.state.parameters {
            digest.update(value.to_le_bytes());
        }
        Ok(format!("sha256:{}", hexadecimal(&digest.finalize())))
    }

    /// Bytes that one worker sends and receives in a step.
    #[must_use]
    pub fn bytes_per_step(&self, worker: usize) -> (u64, u64) {
        if let Some(bytes) = self.scheme_bytes() {
            return bytes;
        }
        let d = self.dimension() as u64;
        if self.config.scheme.takes_files() {
            return (4 * d * self.code.matrix().worker_load(worker) as u64, 4 * d);
        }
        if self.config.aggregator != Aggregator::Vote {
            return (4 * d, 4 * d);
        }
        // A second bit a coordinate where silence, or a tied decode, must be told.
        let planes = |second: bool| d.div_ceil(8) * (1 + u64::from(second));
        (planes(self.engine.can_be_silent(worker)), planes(self.engine.can_tie()))
    }

    /// The workers that lie in a step.
    fn liars_of(&self, step: u64) -> Workers {
        let Config { byzantine_set, ties, seed, .. } = &self.config;
        self.liars.clone().unwrap_or_else(|| {
            byzantine_set.choose(self.code.matrix(), *ties, self.config.liars(), *seed, step)
        })
    }

    /// Why no proof covers a step with these liars and without these votes.
    fn exceeds(&self, liars: &Workers, missing: &[usize]) -> Option<String> {
        let honest = self.config.attack == Attack::None;
        let liars = if honest { Workers::from_indices(self.code.matrix().n(), []) } else { liars.clone() };
        exceeds(self.deciding_code(), &self.config.rule(), &self.unnamed(&liars), missing)
    }

    /// Trains one step.
    ///
    /// # Errors
    /// [`TrainError::Audit`], [`TrainError::Diverged`], [`TrainError::Excess`], [`TrainError::Model`], and in a
    /// deployment [`TrainError::Transport`] and [`TrainError::Interrupted`]. The state is that before the step.
    pub fn advance(&mut self) -> Result<(), TrainError> {
        match self.advance_by(Self::round) {
            // The step that could not be settled is decoded from votes.
            Err(TrainError::Excess(excess)) if self.falls_back() => {
                self.fall_back(&excess);
                self.advance_by(Self::round)
            }
            advanced => advanced,
        }
    }

    /// Trains one step, of which `round` makes the round of a batch and the step's liars.
    fn advance_by(
        &mut self,
        round: impl FnOnce(&mut Self, &[u32], &Workers) -> Result<Round, TrainError>,
    ) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.step;
        let per_epoch = self.schedule.per_epoch;
        let batch = self.batches.of(step);
        let lr = self.config.learning_rate(step as f64 / per_epoch as f64);
        let liars = self.liars_of(step);
        let round = round(self, &batch, &liars)?;
        if let Err(error) = self.accept(&round, &liars, lr) {
            self.forget();
            return Err(error);
        }
        let eta = if self.config.momentum_at == MomentumAt::Server { self.config.momentum } else { 0.0 };
        let decay = self.config.weight_decay;
        if matches!(round.update, Update::Resident) {
            if let Some(learner) = self.learner.resident() {
                learner.apply(lr, eta, decay)?;
            }
            self.stale = true;
        } else {
            round.update.apply(&mut self.state, lr, eta, decay);
            if let Update::Gradient(joined) = &round.update
                && self.config.aggregator.remembers()
            {
                self.state.joined.clone_from(joined);
            }
        }
        self.count(round, start);
        self.close_when_due()?;
        if self.finished() {
            self.sync()?;
            // All ranks know how many steps there are.
            if let Some(deployment) = &mut self.deployment {
                deployment.finish();
            }
        }
        Ok(())
    }

    /// Whether a round's update may be applied.
    fn accept(&mut self, round: &Round, liars: &Workers, lr: f32) -> Result<(), TrainError> {
        let step = self.state.step;
        // In a deployment a loss is what workers report, which ends nothing.
        if let Some(loss) = round.loss.filter(|loss| !loss.is_finite() && self.deployment.is_none()) {
            return Err(TrainError::Diverged { step, loss, lr });
        }
        self.audit(step, round.wrong.unwrap_or(0))?;
        if self.state.excess.is_none()
            && let Some(why) = self.exceeds(liars, &round.missing)
        {
            let excess = Excess { step, why };
            if self.config.on_excess == OnExcess::Stop {
                return Err(TrainError::Excess(excess));
            }
            self.state.excess = Some(excess);
        }
        Ok(())
    }

    /// With `audit`: ends a run whose decode was wrong on so many coordinates.
    fn audit(&self, step: u64, wrong: u64) -> Result<(), TrainError> {
        if !self.config.audit || wrong == 0 {
            return Ok(());
        }
        let code = self.deciding_code();
        let promise = match code.tolerates() {
            Some(b) if code.domains().is_some() => format!("the code is verified for any {b} domains"),
            Some(b) if code.detects() => format!("the scheme provides for {b}"),
            Some(b) => format!("the code is verified for {b}"),
            None if self.code.budget().is_some() => "the code is budgeted, not tolerant".to_owned(),
            None => "the code is UNVERIFIED".to_owned(),
        };
        let (dimension, byzantine) = (self.dimension(), self.config.liars());
        Err(TrainError::Audit { step, wrong, dimension, byzantine, promise })
    }
}

/// The configuration as it is run, where it can be run with this code and so many training samples, of which some may be
/// held out.
fn settle(config: Config, code: &TrainingCode, samples: usize) -> Result<Config, ConfigError> {
    let trained = samples.saturating_sub(config.held_out(samples));
    let config = files::told(config, code)?;
    let config = config.settle(code.matrix(), code.b(), trained)?;
    if let Some(proved) = code.verified_ties()
        && proved != config.ties
    {
        return Err(ConfigError(format!(
            "ties is {}, but the code was verified under the rule {proved}, which says nothing of another one",
            config.ties
        )));
    }
    if config.on_excess == OnExcess::Stop {
        let lie = if config.attack == Attack::None { 0 } else { config.liars() };
        let liars = match &config.byzantine_set {
            // With domains it matters who they are.
            ByzantineSet::List(workers) if lie > 0 => {
                Workers::from_indices(code.matrix().n(), workers.iter().copied())
            }
            _ => Workers::from_indices(code.matrix().n(), 0..lie),
        };
        if let Some(why) = exceeds(code, &config.rule(), &liars, &[]) {
            return Err(ConfigError(format!("on-excess is stop: {why}")));
        }
    }
    Ok(config)
}

/// Whether a run of a configuration can start, without starting it: the checks of [`Trainer::new`].
///
/// # Errors
/// [`ConfigError`].
pub fn check(config: &Config, code: &TrainingCode, data: &Data) -> Result<Config, ConfigError> {
    let all = data.train.len();
    let config = settle(config.clone(), code, all)?;
    Detection::of(&config, code)?;
    let k = code.matrix().k();
    let rest = (config.held_out(all) > 0).then(|| data.train.hold_out(config.held_out(all), config.seed).1);
    let train = rest.as_ref().unwrap_or(&data.train);
    Batches::new(&config, train, k, config.schedule(k, train.len())?.per_epoch)?;
    learner(config.model, config.device, data)?;
    Ok(config)
}
