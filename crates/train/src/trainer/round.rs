//! A round in one process: the partitions' gradients, what workers make of them, and what the server makes of that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand_distr::{Distribution as _, StandardNormal};

use super::Trainer;
use super::update::Update;
use crate::aggregate::{Aggregator, Distances, Moment};
use crate::attack::{Attack, AttackedStep, Knowledge, coins, mean};
use crate::bits::Bits;
use crate::clock::median;
use crate::config::{Config, MomentumAt};
use crate::data::{Crop, Features};
use crate::error::TrainError;
use crate::model::{Computed, Job, ModelError, Report, Request};
use crate::random::{Purpose, stream};
use crate::reactive::{Account, Ledger};
use crate::state::State;
use crate::vote::Conduct;
use ecode_core::Workers;

/// What a round gives. Nothing of a trainer's state has changed yet.
pub(super) struct Round {
    pub(super) update: Update,
    /// The partitions' new momentum, where it is kept at the workers on the host.
    pub(super) momentum: Option<Vec<Vec<f32>>>,
    /// The mean loss over the partitions, in nats; none where nobody can say.
    pub(super) loss: Option<f64>,
    /// Wrongly decoded coordinates; none where they are not counted.
    pub(super) wrong: Option<u64>,
    /// Seconds of one thread that one partition's gradient takes.
    pub(super) gradient_s: f64,
    /// The workers whose vote did not come.
    pub(super) missing: Vec<usize>,
    /// Under a scheme that detects lies: what the step has cost, and the ledger after it.
    pub(super) settled: Option<(Account, Ledger)>,
}

/// The signs of a step's gradients.
pub(super) struct Signs {
    /// Each partition's.
    pub(super) messages: Vec<Bits>,
    /// Each partition's with flipped labels, where that was computed; else empty.
    pub(super) instead: Vec<Bits>,
    /// The partitions' new momentum, where it is kept at the workers.
    pub(super) momentum: Option<Vec<Vec<f32>>>,
    /// Each partition's gradient, where an attack needs them; else empty.
    pub(super) gradients: Vec<Vec<f32>>,
    /// The mean loss over the partitions, in nats.
    pub(super) loss: f64,
    /// Seconds of one thread that one partition's gradient takes.
    pub(super) gradient_s: f64,
}

/// A step's gradients, of partitions.
pub(super) struct Gradients {
    /// Each partition's.
    pub(super) own: Vec<Vec<f32>>,
    /// With flipped labels, where that was computed; else empty.
    pub(super) instead: Vec<Vec<f32>>,
    /// The mean loss over the partitions, in nats.
    pub(super) loss: f64,
    /// Seconds of one thread that one partition's gradient takes.
    pub(super) gradient_s: f64,
}

impl Trainer {
    /// Gradients, signs, votes and decode of one batch.
    pub(super) fn round(&mut self, batch: &[u32], liars: &Workers) -> Result<Round, TrainError> {
        let g = self.code.matrix();
        let (k, each) = (g.k(), self.config.samples_per_partition());
        let step = self.state.step;
        let crops = self.crops();
        if let Some(deployment) = self.deployment.take() {
            let (deployment, round) = self.deployed_round(deployment, batch, &crops, liars);
            self.deployment = Some(deployment);
            return round;
        }
        // The partitions' gradients, then, for liars who flip labels, those of the partitions they hold.
        let flips = self.config.attack == Attack::LabelFlip && !liars.is_empty();
        // With digests, any liar may be asked for any partition.
        let digests = self.detection.is_some();
        let lied_about = |i: &usize| flips && (digests || liars.indices().any(|j| g.holds(j, *i)));
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
            let request = Request { jobs: &jobs, partitions: k, flipped, step, config, engine, liars };
            let Report { losses, wrong, gradient_s } = learner.round(&self.data.train, &request)?;
            return Ok(Round {
                update: Update::Resident,
                momentum: None,
                loss: Some(losses[..k].iter().sum::<f64>() / k as f64),
                wrong: Some(wrong),
                gradient_s,
                missing: Vec::new(),
                settled: None,
            });
        }
        if self.detection.is_some() {
            let signs = self.signs(&jobs, &flipped)?;
            let other = self.other_signs(&jobs[..k])?;
            self.scheme_round(signs, other, liars)
        } else if self.config.scheme.takes_files() {
            Ok(self.file_round(&jobs, &flipped, liars)?)
        } else if self.config.aggregator == Aggregator::Vote {
            Ok(self.vote_round(&jobs, &flipped, liars)?)
        } else {
            Ok(self.gradient_round(&jobs, &flipped, liars)?)
        }
    }

    /// How each partition's images are moved in this step; empty lists where nothing is moved.
    pub(super) fn crops(&self) -> Vec<Vec<Crop>> {
        let each = self.config.samples_per_partition();
        let augment = matches!(&self.data.train.features, Features::Images { shape, .. } if shape.augment);
        let draw =
            |i| if augment { Crop::draw(self.config.seed, self.state.step, i, each) } else { Vec::new() };
        (0..self.code.matrix().k()).map(draw).collect()
    }

    /// The signs of jobs: one for each partition, then one for each of those whose labels are flipped.
    pub(super) fn signs(&mut self, jobs: &[Job<'_>], flipped: &[usize]) -> Result<Signs, ModelError> {
        let k = self.code.matrix().k();
        let step = self.state.step;
        let at_workers = self.config.momentum_at == MomentumAt::Worker;
        let messages: Vec<Mutex<Bits>> = jobs.iter().map(|_| Mutex::default()).collect();
        let momentum: Vec<Mutex<Vec<f32>>> = (0..k).map(|_| Mutex::default()).collect();
        let wanted = self.config.attack.makes_gradient() && self.config.liars() > 0;
        let gradients: Vec<Mutex<Vec<f32>>> = (0..k).map(|_| Mutex::default()).collect();
        let take = |place: usize, gradient: &mut [&mut [f32]]| {
            let partition = if place < k { place } else { flipped[place - k] };
            prepare(&self.config, &self.state, partition, gradient);
            let zero = self.config.zero_sign.negative(step, partition);
            *lock(&messages[place]) = Bits::pack_pieces(gradient, zero);
            if at_workers && place < k {
                *lock(&momentum[place]) = gradient.concat();
            }
            if wanted && place < k {
                *lock(&gradients[place]) = gradient.concat();
            }
        };
        let computed = self.learner.gradients(&self.state.parameters, &self.data.train, jobs, &take)?;
        let mut messages: Vec<Bits> = messages.into_iter().map(unlock).collect();
        let mut instead = vec![Bits::default(); k];
        for (&i, bits) in flipped.iter().zip(messages.drain(k..)) {
            instead[i] = bits;
        }
        Ok(Signs {
            messages,
            instead,
            momentum: at_workers.then(|| momentum.into_iter().map(unlock).collect()),
            gradients: if wanted { gradients.into_iter().map(unlock).collect() } else { Vec::new() },
            loss: mean_loss(&computed[..k]),
            gradient_s: seconds(&computed),
        })
    }

    fn vote_round(
        &mut self,
        jobs: &[Job<'_>],
        flipped: &[usize],
        liars: &Workers,
    ) -> Result<Round, ModelError> {
        let (n, d, step) = (self.code.matrix().n(), self.dimension(), self.state.step);
        let Signs { messages, instead, momentum, gradients, loss, gradient_s } = self.signs(jobs, flipped)?;
        let made: Vec<Bits> = match self.config.attack {
            Attack::Random => liars.indices().map(|j| coins(d, self.config.seed, step, j)).collect(),
            attack if attack.makes_gradient() && !liars.is_empty() => {
                let Self { config, engine, .. } = self;
                AttackedStep { config, engine, liars, step }.votes(&gradients, &messages)
            }
            _ => Vec::new(),
        };
        let mut conduct = vec![Conduct::Honest; n];
        for (place, j) in liars.indices().enumerate() {
            conduct[j] = match self.config.attack {
                Attack::None => Conduct::Honest,
                Attack::Reverse => Conduct::Reverse,
                Attack::Random
                | Attack::Alie
                | Attack::Ipm
                | Attack::OptAlie
                | Attack::OptIpm
                | Attack::MinMax
                | Attack::MinSum
                | Attack::Mimic
                | Attack::Gaussian => Conduct::Sends(&made[place]),
                Attack::Constant => Conduct::Constant(true),
                Attack::Omniscient => Conduct::Omniscient,
                Attack::LabelFlip => Conduct::Instead(&instead),
            };
        }
        let decoded = self.engine.round(&messages, &conduct);
        Ok(Round {
            loss: Some(loss),
            wrong: Some(decoded.wrong),
            update: Update::Signs(decoded),
            momentum,
            gradient_s,
            missing: Vec::new(),
            settled: None,
        })
    }

    /// The gradients of jobs: one for each partition, then one for each of those whose labels are flipped.
    pub(super) fn gradients(&mut self, jobs: &[Job<'_>], flipped: &[usize]) -> Result<Gradients, ModelError> {
        let k = self.code.matrix().k();
        let gradients: Vec<Mutex<Vec<f32>>> = jobs.iter().map(|_| Mutex::default()).collect();
        let take = |place: usize, gradient: &mut [&mut [f32]]| {
            let partition = if place < k { place } else { flipped[place - k] };
            prepare(&self.config, &self.state, partition, gradient);
            *lock(&gradients[place]) = gradient.concat();
        };
        let computed = self.learner.gradients(&self.state.parameters, &self.data.train, jobs, &take)?;
        let mut own: Vec<Vec<f32>> = gradients.into_iter().map(unlock).collect();
        let mut instead = vec![Vec::new(); k];
        for (&i, gradient) in flipped.iter().zip(own.drain(k..)) {
            instead[i] = gradient;
        }
        let (loss, gradient_s) = (mean_loss(&computed[..k]), seconds(&computed));
        Ok(Gradients { own, instead, loss, gradient_s })
    }

    fn gradient_round(
        &mut self,
        jobs: &[Job<'_>],
        flipped: &[usize],
        liars: &Workers,
    ) -> Result<Round, ModelError> {
        let n = self.code.matrix().n();
        let Gradients { own: gradients, instead, loss, gradient_s } = self.gradients(jobs, flipped)?;
        // Each worker sends the mean over its partitions.
        let lies = |j| self.config.attack == Attack::LabelFlip && liars.contains(j);
        let d = self.dimension();
        let rows = self.engine.rows();
        let mut sent: Vec<Vec<f32>> =
            (0..n).map(|j| mean(&rows[j], if lies(j) { &instead } else { &gradients }, d)).collect();
        let (config, rule) = (&self.config, self.config.rule());
        let moment = Moment { seed: config.seed, step: self.state.step, last: &self.state.joined };
        let honest: Vec<Vec<f32>> = (0..n).filter(|&j| !liars.contains(j)).map(|j| sent[j].clone()).collect();
        let honest: Vec<&[f32]> = honest.iter().map(Vec::as_slice).collect();
        let knowledge = Knowledge { honest: &honest, n, b: config.liars(), scale: config.scale() };
        // How far the server's result is from the honest mean.
        let middle = std::cell::OnceCell::new();
        let mut damage = |lie: &[f32]| {
            let mut honest = honest.iter().copied();
            let all = (0..n).map(|j| if liars.contains(j) { lie } else { honest.next().unwrap_or(lie) });
            distance(&rule.join(&all.collect::<Vec<_>>(), &moment), middle.get_or_init(|| knowledge.mean(d)))
        };
        if let Some(lie) = knowledge.common(config.attack, d, &mut damage) {
            liars.indices().for_each(|j| sent[j].clone_from(&lie));
        } else {
            for j in liars.indices() {
                knowledge.corrupt(config.attack, config.seed, self.state.step, j, &mut sent[j]);
            }
        }
        let sent: Vec<&[f32]> = sent.iter().map(Vec::as_slice).collect();
        let joined = rule.join(&sent, &moment);
        Ok(Round {
            update: Update::Gradient(joined),
            momentum: (self.config.momentum_at == MomentumAt::Worker).then_some(gradients),
            loss: Some(loss),
            wrong: None,
            gradient_s,
            missing: Vec::new(),
            settled: None,
        })
    }
}

/// The Euclidean distance; infinite where it is no number.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f64 {
    Distances::of(&[a, b]).row(0)[1].sqrt()
}

fn mean_loss(computed: &[Computed]) -> f64 {
    computed.iter().map(|one| one.loss).sum::<f64>() / computed.len().max(1) as f64
}

/// What one job takes: the middle one, so that one disturbed job does not count.
pub(super) fn seconds(computed: &[Computed]) -> f64 {
    median(computed.iter().map(|one| one.seconds).collect()).unwrap_or(0.0)
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

/// Nobody panics while holding one of these, so that poison never matters.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn unlock<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
