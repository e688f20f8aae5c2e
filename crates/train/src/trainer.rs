//! The loop: batch → gradients → signs → votes → decode → step.
//!
//! # What is promised
//! - Every partition's gradient is computed once a step, however many workers hold it.
//! - The state after a step is a function of the configuration, the data and the step, bit for bit.

use std::sync::Mutex;
use std::time::Instant;

use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::aggregate::Aggregator;
use super::attack::{Attack, Scene, coins};
use super::bits::Bits;
use super::config::{Config, ConfigError, MomentumAt};
use super::data::{Crop, Data, Features, Samples};
use super::model::{Evaluation, Job, Learner, ModelError, Orders, Report, learner};
use super::random::{Purpose, permutation, stream};
use super::transport::Deployment;
use super::vote::{Conduct, Decoded, VoteEngine};
use ecode_core::digest::hexadecimal;
use ecode_core::{AllocationMatrix, Workers};
use ecode_verify::VerifiedCode;

/// Coordinates that one task moves.
const CHUNK: usize = 1 << 15;

/// The code that a run trains with: verified, or said not to be.
#[derive(Clone, Debug)]
pub struct TrainingCode {
    matrix: AllocationMatrix,
    name: String,
    b: Option<usize>,
    verified: Option<Box<VerifiedCode>>,
}

impl TrainingCode {
    /// A code that was verified in this process.
    #[must_use]
    pub fn verified(code: VerifiedCode, name: impl Into<String>) -> Self {
        let b = Some(code.claim().b);
        Self { matrix: code.matrix().clone(), name: name.into(), b, verified: Some(Box::new(code)) }
    }

    /// A matrix made for b liars of which nothing is proven. Everything that shows it says so.
    #[must_use]
    pub fn unverified(matrix: AllocationMatrix, b: Option<usize>, name: impl Into<String>) -> Self {
        Self { matrix, name: name.into(), b, verified: None }
    }

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        &self.matrix
    }

    /// How it was made, in a word.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The b that it was made for.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        self.b
    }

    /// The b that was verified.
    #[must_use]
    pub fn tolerates(&self) -> Option<usize> {
        self.verified.as_ref().map(|code| code.claim().b)
    }
}

/// Why a run cannot start or go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The configuration cannot be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// With `audit`: the decode was not the majority of the message.
    #[error(
        "audit: in step {step} the decode is wrong on {wrong} of {dimension} coordinates, with {byzantine} \
         Byzantine workers; {promise}"
    )]
    Audit {
        /// The step, from 0.
        step: u64,
        /// Wrong coordinates.
        wrong: u64,
        /// d.
        dimension: usize,
        /// How many workers lied.
        byzantine: usize,
        /// What was known of the code.
        promise: String,
    },
    /// The loss is not a number any more.
    #[error("the training loss is {loss} in step {step}: try a smaller learning rate (lr is {lr})")]
    Diverged {
        /// The step, from 0.
        step: u64,
        /// The loss.
        loss: f64,
        /// The learning rate.
        lr: f32,
    },
    /// The processes of a deployment do not fit, or one is gone.
    #[error("{0}")]
    Transport(String),
    /// The server has stopped this worker, and says why.
    #[error("{0}")]
    Dismissed(String),
    /// Stopped in the middle of a step; the state is that before it.
    #[error("stopped")]
    Interrupted,
    /// The model cannot be computed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A checkpoint that does not fit.
    #[error("the checkpoint {0}")]
    Checkpoint(String),
}

/// What has been counted since the start, and since the last evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes from all workers to the server.
    pub bytes_up: u64,
    /// Bytes from the server to all workers.
    pub bytes_down: u64,
    /// Wrongly decoded coordinates in all steps.
    pub wrong: u64,
    /// The same since the last evaluation.
    pub wrong_lately: u64,
    /// Sum of the steps' losses since the last evaluation.
    pub loss_lately: f64,
    /// Steps since the last evaluation.
    pub steps_lately: u64,
    /// Seconds of training here.
    pub wall_s: f64,
    /// Estimated seconds of a deployment.
    pub deployed_s: f64,
    /// Whether some steps ran where nobody knows all messages, so that wrong coordinates were not counted.
    #[serde(default)]
    pub uncounted: bool,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Steps done.
    pub step: u64,
    /// Passes over the training set done.
    pub epoch: f64,
    /// Mean loss of the batches since the last line; none before the first step.
    pub train_loss: Option<f64>,
    /// Mean cross-entropy on the test set.
    pub test_loss: f64,
    /// Share of test samples classified right.
    pub test_accuracy: f64,
    /// Area under the curve, for two classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_auc: Option<f64>,
    /// Wrongly decoded coordinates since the last line; none where nobody knows all messages.
    pub wrong_coordinates: Option<u64>,
    /// Bytes to the server since the start.
    pub bytes_up: u64,
    /// Bytes from the server since the start.
    pub bytes_down: u64,
    /// Seconds of training here.
    pub wall_s: f64,
    /// Estimated seconds of a deployment.
    pub deployed_s: f64,
    /// Whether the code is verified for its b.
    pub verified: bool,
}

/// What must be kept to go on: see `checkpoint`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// The d parameters.
    pub parameters: Vec<f32>,
    /// The server's momentum, d numbers.
    pub velocity: Vec<f32>,
    /// Each partition's momentum, k times d numbers; empty unless momentum is at the workers.
    pub momentum: Vec<Vec<f32>>,
    /// What the model keeps besides.
    pub model: Vec<(String, Vec<f32>)>,
    /// The counts.
    pub totals: Totals,
    /// The best test accuracy so far and its step.
    pub best: Option<(f64, u64)>,
}

/// A run in progress.
pub struct Trainer {
    config: Config,
    code: TrainingCode,
    data: Data,
    learner: Box<dyn Learner>,
    engine: VoteEngine,
    /// Byzantine workers where they do not change.
    liars: Option<Workers>,
    /// The order of the samples in the current epoch.
    order: Option<(u64, Vec<u32>)>,
    state: State,
    /// Whether parameters and momentum live where the model is computed; those of `state` then lag behind
    /// when `stale`.
    resident: bool,
    stale: bool,
    /// Where this is one of many processes.
    deployment: Option<Deployment>,
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
        data: Data,
        mut learner: Box<dyn Learner>,
    ) -> Result<Self, TrainError> {
        let config = config.settle(code.matrix(), code.b(), data.train.len())?;
        let parameters = learner.initial(config.seed);
        let d = parameters.len();
        let k = code.matrix().k();
        let at_workers = config.momentum_at == MomentumAt::Worker;
        let state = State {
            step: 0,
            velocity: vec![0.0; d],
            momentum: if at_workers { vec![vec![0.0; d]; k] } else { Vec::new() },
            model: learner.state()?,
            parameters,
            totals: Totals::default(),
            best: None,
        };
        let engine = VoteEngine::new(code.matrix(), config.ties);
        let set = &config.byzantine_set;
        let liars = (*set != super::attack::ByzantineSet::RandomPerStep)
            .then(|| set.choose(code.matrix(), config.ties, config.liars(), config.seed, 0));
        let mut resident = false;
        if config.aggregator == Aggregator::Vote
            && let Some(learner) = learner.resident()
        {
            learner.enter(&state)?;
            resident = true;
        }
        let (order, stale, deployment) = (None, false, None);
        Ok(Self { config, code, data, learner, engine, liars, order, state, resident, stale, deployment })
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
        if sizes(&state) != sizes(&self.state)
            || state.step > self.config.steps()
            || !self.learner.restore(&state.model)?
        {
            return Err(TrainError::Checkpoint("does not fit this model and configuration".into()));
        }
        self.state = state;
        self.stale = false;
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

    /// From now on this is one of many processes. Signs travel, so that they must be on the host.
    pub(super) fn deploy(&mut self, deployment: Deployment) {
        self.resident = false;
        self.state.totals.uncounted = true;
        self.deployment = Some(deployment);
    }

    /// Takes over where the server stands.
    pub(super) fn begin(&mut self, step: u64, parameters: Vec<f32>, velocity: Vec<f32>) {
        (self.state.step, self.state.parameters, self.state.velocity) = (step, parameters, velocity);
        self.stale = false;
    }

    pub(super) fn deployment(&self) -> Option<&Deployment> {
        self.deployment.as_ref()
    }

    pub(super) fn engine(&self) -> &VoteEngine {
        &self.engine
    }

    pub(super) fn data(&self) -> &Data {
        &self.data
    }

    /// What computes, what it starts from, and what it learns from.
    pub(super) fn parts(&mut self) -> (&mut dyn Learner, &State, &Samples) {
        (self.learner.as_mut(), &self.state, &self.data.train)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &TrainingCode {
        &self.code
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
        self.sync()?;
        Ok(State { model: self.learner.state()?, ..self.state.clone() })
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
        self.state.step >= self.config.steps()
    }

    /// Whether the log gets a line at this step.
    #[must_use]
    pub fn due(&self) -> bool {
        self.state.step % self.config.evaluation_interval() == 0 || self.finished()
    }

    /// Steps in a pass over the training set: whole batches, what remains is left out.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        (self.data.train.len() / (self.code.matrix().k() * self.config.samples_per_partition())) as u64
    }

    /// SHA-256 of the parameters in the model's order, four little-endian bytes each.
    #[must_use]
    pub fn parameters_digest(&self) -> String {
        let mut digest = Sha256::new();
        for value in &self.state.parameters {
            digest.update(value.to_le_bytes());
        }
        format!("sha256:{}", hexadecimal(&digest.finalize()))
    }

    /// Bytes that one worker sends and receives in a step.
    #[must_use]
    pub fn bytes_per_step(&self, worker: usize) -> (u64, u64) {
        let d = self.dimension() as u64;
        if self.config.aggregator != Aggregator::Vote {
            return (4 * d, 4 * d);
        }
        // A second bit a coordinate where silence, or a tied decode, must be told.
        let planes = |second: bool| d.div_ceil(8) * (1 + u64::from(second));
        (planes(self.engine.can_be_silent(worker)), planes(self.engine.can_tie()))
    }

    /// Trains one step.
    ///
    /// # Errors
    /// [`TrainError::Audit`], [`TrainError::Diverged`], [`TrainError::Model`], and in a deployment
    /// [`TrainError::Transport`] and [`TrainError::Interrupted`]. The state is that before the step.
    pub fn advance(&mut self) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.step;
        let per_epoch = self.steps_per_epoch();
        let (epoch, place) = (step / per_epoch, (step % per_epoch) as usize);
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let mut random = stream(self.config.seed, Purpose::Order, epoch, 0);
            self.order = Some((epoch, permutation(&mut random, self.data.train.len())));
        }
        let order = self.order.take().unwrap_or_default();
        let k = self.code.matrix().k();
        let each = self.config.samples_per_partition();
        let batch = &order.1[place * k * each..(place + 1) * k * each];
        let lr = self.config.learning_rate(step as f64 / per_epoch as f64);
        let liars = match &self.liars {
            Some(liars) => liars.clone(),
            None => self.config.byzantine_set.choose(
                self.code.matrix(),
                self.config.ties,
                self.config.liars(),
                self.config.seed,
                step,
            ),
        };
        let round = self.round(batch, &liars);
        self.order = Some(order);
        let Round { update, loss, wrong, gradient_s } = round?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss, lr });
        }
        if self.config.audit && wrong > 0 {
            let promise = match self.code.tolerates() {
                Some(b) => format!("the code is verified for {b}"),
                None => "the code is UNVERIFIED".to_owned(),
            };
            let (dimension, byzantine) = (self.dimension(), self.config.liars());
            return Err(TrainError::Audit { step, wrong, dimension, byzantine, promise });
        }
        let eta = if self.config.momentum_at == MomentumAt::Server { self.config.momentum } else { 0.0 };
        let decay = self.config.weight_decay;
        if matches!(update, Update::Resident) {
            if let Some(learner) = self.learner.resident() {
                learner.apply(lr, eta, decay)?;
            }
            self.stale = true;
        } else {
            update.apply(&mut self.state, lr, eta, decay);
        }
        if let Update::New(momentum, _) = update {
            self.state.momentum = momentum;
        }
        self.count(loss, wrong, gradient_s, start);
        if self.finished() {
            self.sync()?;
            // All ranks know how many steps there are.
            if let Some(deployment) = &mut self.deployment {
                deployment.dismissed = true;
            }
        }
        Ok(())
    }

    /// Books a step.
    fn count(&mut self, loss: f64, wrong: u64, gradient_s: f64, start: Instant) {
        let n = self.code.matrix().n();
        let (mut up, mut down) = (0, 0);
        for worker in 0..n {
            let bytes = self.bytes_per_step(worker);
            up += bytes.0;
            down += bytes.1;
        }
        let slowest = self.code.matrix().worker_loads().into_iter().max().unwrap_or(0);
        let totals = &mut self.state.totals;
        totals.bytes_up += up;
        totals.bytes_down += down;
        totals.wrong += wrong;
        totals.wrong_lately += wrong;
        totals.loss_lately += loss;
        totals.steps_lately += 1;
        totals.wall_s += start.elapsed().as_secs_f64();
        totals.deployed_s += slowest as f64 * gradient_s + 8.0 * (up + down) as f64 / self.config.bandwidth;
        self.state.step += 1;
    }

    /// Tests the model and closes the counts since the last time.
    ///
    /// # Errors
    /// [`TrainError::Model`].
    pub fn evaluate(&mut self) -> Result<Metrics, TrainError> {
        self.sync()?;
        if self.deployment.is_some() {
            let batches = self.calibration();
            let batches: Vec<&[u32]> = batches.iter().map(Vec::as_slice).collect();
            self.learner.recalibrate(&self.state.parameters, &self.data.train, &batches)?;
        }
        let Evaluation { loss, accuracy, auc } =
            self.learner.evaluate(&self.state.parameters, &self.data.test)?;
        let per_epoch = self.steps_per_epoch() as f64;
        let state = &mut self.state;
        let totals = &mut state.totals;
        let metrics = Metrics {
            step: state.step,
            epoch: state.step as f64 / per_epoch,
            train_loss: (totals.steps_lately > 0).then(|| totals.loss_lately / totals.steps_lately as f64),
            test_loss: loss,
            test_accuracy: accuracy,
            test_auc: auc,
            wrong_coordinates: self.deployment.is_none().then_some(totals.wrong_lately),
            bytes_up: totals.bytes_up,
            bytes_down: totals.bytes_down,
            wall_s: totals.wall_s,
            deployed_s: totals.deployed_s,
            verified: self.code.tolerates().is_some(),
        };
        (totals.wrong_lately, totals.loss_lately, totals.steps_lately) = (0, 0.0, 0);
        if state.best.is_none_or(|(best, _)| accuracy > best) {
            state.best = Some((accuracy, state.step));
        }
        Ok(metrics)
    }

    /// Gradients, signs, votes and decode of one batch.
    fn round(&mut self, batch: &[u32], liars: &Workers) -> Result<Round, TrainError> {
        let g = self.code.matrix();
        let (k, each) = (g.k(), self.config.samples_per_partition());
        let step = self.state.step;
        let augment = matches!(&self.data.train.features, Features::Images { shape, .. } if shape.augment);
        let crops: Vec<Vec<Crop>> = (0..k)
            .map(|i| if augment { Crop::draw(self.config.seed, step, i, each) } else { Vec::new() })
            .collect();
        if let Some(deployment) = self.deployment.take() {
            let (deployment, round) = self.deployed_round(deployment, batch, &crops, liars);
            self.deployment = Some(deployment);
            return round;
        }
        // The partitions' gradients, then, for liars who flip labels, those of the partitions they hold.
        let flips = self.config.attack == Attack::LabelFlip && !liars.is_empty();
        let lied_about = |i: &usize| flips && liars.indices().any(|j| g.holds(j, *i));
        let flipped: Vec<usize> = (0..k).filter(lied_about).collect();
        let job = |i: usize, flip_labels| Job {
            samples: &batch[i * each..(i + 1) * each],
            crops: &crops[i],
            flip_labels,
        };
        let jobs: Vec<Job<'_>> =
            (0..k).map(|i| job(i, false)).chain(flipped.iter().map(|&i| job(i, true))).collect();
        if self.resident
            && let Some(learner) = self.learner.resident()
        {
            let (flipped, config, engine) = (&flipped, &self.config, &self.engine);
            let orders = Orders { jobs: &jobs, partitions: k, flipped, step, config, engine, liars };
            let Report { losses, wrong, gradient_s } = learner.round(&self.data.train, &orders)?;
            let loss = losses[..k].iter().sum::<f64>() / k as f64;
            return Ok(Round { update: Update::Resident, loss, wrong, gradient_s });
        }
        if self.config.aggregator == Aggregator::Vote {
            Ok(self.vote_round(&jobs, &flipped, liars)?)
        } else {
            Ok(self.gradient_round(&jobs, &flipped, liars)?)
        }
    }

    fn vote_round(
        &mut self,
        jobs: &[Job<'_>],
        flipped: &[usize],
        liars: &Workers,
    ) -> Result<Round, ModelError> {
        let (n, k, d) = (self.code.matrix().n(), self.code.matrix().k(), self.dimension());
        let step = self.state.step;
        let at_workers = self.config.momentum_at == MomentumAt::Worker;
        let messages: Vec<Mutex<Bits>> = jobs.iter().map(|_| Mutex::default()).collect();
        let momentum: Vec<Mutex<Vec<f32>>> = (0..k).map(|_| Mutex::default()).collect();
        let start = Instant::now();
        let take = |place: usize, gradient: &mut [&mut [f32]]| {
            let partition = if place < k { place } else { flipped[place - k] };
            prepare(&self.config, &self.state, partition, gradient);
            let zero = self.config.zero_sign.negative(step, partition);
            *lock(&messages[place]) = Bits::pack_pieces(gradient, zero);
            if at_workers && place < k {
                *lock(&momentum[place]) = gradient.concat();
            }
        };
        let losses = self.learner.gradients(&self.state.parameters, &self.data.train, jobs, &take)?;
        let gradient_s = start.elapsed().as_secs_f64() / jobs.len() as f64;
        let mut messages: Vec<Bits> = messages.into_iter().map(unlock).collect();
        let mut instead = vec![Bits::default(); k];
        for (&i, bits) in flipped.iter().zip(messages.drain(k..)) {
            instead[i] = bits;
        }
        let random: Vec<Bits> = match self.config.attack {
            Attack::Random => liars.indices().map(|j| coins(d, self.config.seed, step, j)).collect(),
            _ => Vec::new(),
        };
        let mut conduct = vec![Conduct::Honest; n];
        for (place, j) in liars.indices().enumerate() {
            conduct[j] = match self.config.attack {
                Attack::None | Attack::Alie | Attack::Ipm => Conduct::Honest,
                Attack::Reverse => Conduct::Reverse,
                Attack::Random => Conduct::Sends(&random[place]),
                Attack::Constant => Conduct::Constant(true),
                Attack::Omniscient => Conduct::Omniscient,
                Attack::LabelFlip => Conduct::Instead(&instead),
            };
        }
        let decoded = self.engine.round(&messages, &conduct);
        let loss = losses[..k].iter().sum::<f64>() / k as f64;
        let wrong = decoded.wrong;
        let momentum = momentum.into_iter().map(unlock).collect();
        let update = if at_workers { Update::New(momentum, decoded) } else { Update::Signs(decoded) };
        Ok(Round { update, loss, wrong, gradient_s })
    }

    fn gradient_round(
        &mut self,
        jobs: &[Job<'_>],
        flipped: &[usize],
        liars: &Workers,
    ) -> Result<Round, ModelError> {
        let (n, k) = (self.code.matrix().n(), self.code.matrix().k());
        let computed: Vec<Mutex<Vec<f32>>> = jobs.iter().map(|_| Mutex::default()).collect();
        let start = Instant::now();
        let take = |place: usize, gradient: &mut [&mut [f32]]| {
            let partition = if place < k { place } else { flipped[place - k] };
            prepare(&self.config, &self.state, partition, gradient);
            *lock(&computed[place]) = gradient.concat();
        };
        let losses = self.learner.gradients(&self.state.parameters, &self.data.train, jobs, &take)?;
        let gradient_s = start.elapsed().as_secs_f64() / jobs.len() as f64;
        let mut computed: Vec<Vec<f32>> = computed.into_iter().map(unlock).collect();
        let mut instead = vec![Vec::new(); k];
        for (&i, gradient) in flipped.iter().zip(computed.drain(k..)) {
            instead[i] = gradient;
        }
        // Each worker sends the mean over its partitions.
        let g = self.code.matrix();
        let lies = |j| self.config.attack == Attack::LabelFlip && liars.contains(j);
        let d = self.dimension();
        let mut sent: Vec<Vec<f32>> = (0..n)
            .map(|j| {
                let source = if lies(j) { &instead } else { &computed };
                let share = 1.0 / g.worker_load(j) as f32;
                let mut mean = vec![0.0; d];
                for i in g.support(j) {
                    mean.iter_mut().zip(&source[i]).for_each(|(mean, value)| *mean += share * value);
                }
                mean
            })
            .collect();
        let honest: Vec<Vec<f32>> = (0..n).filter(|&j| !liars.contains(j)).map(|j| sent[j].clone()).collect();
        let honest: Vec<&[f32]> = honest.iter().map(Vec::as_slice).collect();
        let scene = Scene { honest: &honest, n, b: self.config.liars(), scale: self.config.scale() };
        for j in liars.indices() {
            scene.corrupt(self.config.attack, self.config.seed, self.state.step, j, &mut sent[j]);
        }
        let sent: Vec<&[f32]> = sent.iter().map(Vec::as_slice).collect();
        let joined = self.config.aggregator.join(&sent, self.config.liars());
        if self.config.momentum_at == MomentumAt::Worker {
            self.state.momentum = computed;
        }
        let loss = losses[..k].iter().sum::<f64>() / k as f64;
        Ok(Round { update: Update::Gradient(joined), loss, wrong: 0, gradient_s })
    }
}

/// Adds noise, where the configuration has any, and takes momentum, where it is at the workers. Flipped
/// jobs get the noise and the momentum of their partition.
pub(super) fn prepare(config: &Config, state: &State, partition: usize, gradient: &mut [&mut [f32]]) {
    if config.gradient_noise > 0.0 {
        let deviation = config.gradient_noise.sqrt() as f32;
        let mut random = stream(config.seed, Purpose::Noise, state.step, partition);
        for value in gradient.iter_mut().flat_map(|piece| piece.iter_mut()) {
            let normal: f32 = StandardNormal.sample(&mut random);
            *value += deviation * normal;
        }
    }
    if let Some(momentum) = state.momentum.get(partition) {
        let eta = config.momentum;
        let values = gradient.iter_mut().flat_map(|piece| piece.iter_mut());
        for (value, momentum) in values.zip(momentum) {
            *value = eta * momentum + (1.0 - eta) * *value;
        }
    }
}

/// What a round gives.
pub(super) struct Round {
    pub(super) update: Update,
    pub(super) loss: f64,
    pub(super) wrong: u64,
    /// Mean seconds that one partition's gradient took.
    pub(super) gradient_s: f64,
}

/// The direction of a step.
pub(super) enum Update {
    Signs(Decoded),
    Gradient(Vec<f32>),
    /// Signs, and the partitions' new momentum.
    New(Vec<Vec<f32>>, Decoded),
    /// What the learner keeps.
    Resident,
}

impl Update {
    /// Moves the parameters: velocity ← η·velocity + direction + decay·parameter, parameter ← parameter −
    /// γ·velocity.
    fn apply(&self, state: &mut State, lr: f32, eta: f32, decay: f32) {
        let parts = state.parameters.par_chunks_mut(CHUNK);
        parts.zip(state.velocity.par_chunks_mut(CHUNK)).enumerate().for_each(
            |(part, (parameters, velocity))| {
                let mut direction = [0.0; 64];
                let words = parameters.chunks_mut(64).zip(velocity.chunks_mut(64));
                for (word, (parameters, velocity)) in words.enumerate() {
                    self.write(part * CHUNK + 64 * word, &mut direction);
                    for ((parameter, velocity), &sign) in parameters.iter_mut().zip(velocity).zip(&direction)
                    {
                        *velocity = eta * *velocity + sign + decay * *parameter;
                        *parameter -= lr * *velocity;
                    }
                }
            },
        );
    }

    /// The direction on the 64 coordinates from `first` on, a multiple of 64.
    #[inline]
    fn write(&self, first: usize, direction: &mut [f32; 64]) {
        match self {
            Self::Signs(decoded) | Self::New(_, decoded) => {
                let negative = decoded.negative.words()[first / 64];
                let tied = decoded.tied.as_ref().map_or(0, |tied| tied.words()[first / 64]);
                for (i, sign) in direction.iter_mut().enumerate() {
                    let size = 1 - (tied >> i & 1) as i32;
                    *sign = (size - 2 * (negative >> i & 1) as i32) as f32;
                }
            }
            Self::Gradient(gradient) => {
                let rest = &gradient[first..gradient.len().min(first + 64)];
                direction[..rest.len()].copy_from_slice(rest);
            }
            Self::Resident => {}
        }
    }
}

/// Nobody panics while holding one of these, so that poison never matters.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) fn unlock<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
