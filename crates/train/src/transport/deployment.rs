//! A trainer's rounds when every worker is a process of its own.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::super::aggregate::Aggregator;
use super::super::attack::{Attack, coins};
use super::super::bits::Bits;
use super::super::config::{Config, ConfigError, Device, MomentumAt};
use super::super::data::{Crop, DataSource, Features, Samples};
use super::super::model::{Job, ModelError};
use super::super::random::{Purpose, permutation, stream};
use super::super::trainer::{Round, TrainError, Trainer, Update, lock, prepare, unlock};
use super::super::vote::Vote;
use super::{Link, Message};
use ecode_core::digest::hexadecimal;
use ecode_core::{TieRule, Workers};
use ecode_verify::Control;

/// A vote, the losses of the partitions that were computed, and the mean seconds that one took.
type Voted = (Vote, Vec<(u32, f64)>, f64);

/// How often waiting looks up whether it should stop.
const LOOK: Duration = Duration::from_millis(100);

/// Training samples from which a server computes the statistics of batch normalisation.
const CALIBRATION: usize = 2048;

/// What a trainer has when it is one of many processes.
pub(in super::super) struct Deployment {
    link: Box<dyn Link>,
    timeout: Duration,
    control: Control,
    /// The workers that the server has given up, and the step at which it did.
    lost: Vec<(usize, u64)>,
    /// Whether the server has ended the run.
    pub(in super::super) dismissed: bool,
}

impl Deployment {
    /// The worker that this process is; none for the server.
    pub(in super::super) fn worker(&self) -> Option<usize> {
        self.link.rank().checked_sub(1)
    }

    fn alive(&self) -> Vec<usize> {
        let lost = |rank: &usize| self.lost.iter().any(|(worker, _)| worker + 1 == *rank);
        (1..self.link.ranks()).filter(|rank| !lost(rank)).collect()
    }

    fn give_up(&mut self, ranks: &[usize], step: u64) {
        if !ranks.is_empty() {
            self.link.give_up();
        }
        for rank in ranks {
            if !self.lost.iter().any(|(worker, _)| worker + 1 == *rank) {
                self.lost.push((rank - 1, step));
            }
        }
    }

    /// Every worker's vote of a step; none from those that are lost, now or before.
    fn collect(&mut self, step: u64, d: usize) -> Result<Vec<Option<Message>>, TrainError> {
        let start = Instant::now();
        let mut votes: Vec<Option<Message>> = vec![None; self.link.ranks() - 1];
        // A worker whose message is none has spoken, too.
        let mut waiting = self.alive();
        while !waiting.is_empty() {
            let Some(left) = self.timeout.checked_sub(start.elapsed()) else {
                self.give_up(&waiting, step);
                break;
            };
            if self.control.stopped() {
                return Err(TrainError::Interrupted);
            }
            let Some((rank, bytes)) = self.link.receive(left.min(LOOK)) else {
                continue;
            };
            let message = Message::from_bytes(&bytes, d);
            // What comes late from a worker that was given up, or for another step, is of no use any more.
            let other = matches!(&message, Some(Message::Vote { step: of, .. }) if *of != step);
            if let Some(place) = waiting.iter().position(|&waits| waits == rank)
                && !other
            {
                waiting.swap_remove(place);
                votes[rank - 1] = message.filter(|message| matches!(message, Message::Vote { .. }));
            }
        }
        Ok(votes)
    }

    fn announce(&mut self, message: &Message, step: u64) {
        let to = self.alive();
        let missed = self.link.send(&to, message.to_bytes(), self.timeout);
        self.give_up(&missed, step);
    }

    /// The server's next message, for a worker.
    fn heed(&mut self, d: usize) -> Result<Message, TrainError> {
        let mut stopped: Option<Instant> = None;
        loop {
            if let Some((0, bytes)) = self.link.receive(LOOK) {
                return Message::from_bytes(&bytes, d)
                    .ok_or_else(|| TrainError::Transport("the server's message is none".into()));
            }
            // The server ends a run; a worker alone leaves only where the server does not.
            if self.control.stopped()
                && stopped.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(10)
            {
                return Err(TrainError::Interrupted);
            }
        }
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if self.worker().is_none() && !self.dismissed {
            let (to, bye) = (self.alive(), Message::Stop(String::new()).to_bytes());
            self.link.send(&to, bye, Duration::from_secs(1));
        }
    }
}

impl Trainer {
    /// Makes this trainer one of n + 1 processes: the server checks that all ranks hold the same, and sends its
    /// state to the workers. To be called on every rank, before the first step, and on rank 0 after
    /// [`Trainer::restore`].
    ///
    /// # Errors
    /// [`TrainError::Config`] for what only one process can do, [`TrainError::Transport`] where ranks differ or
    /// do not answer.
    pub fn connect(
        &mut self,
        link: Box<dyn Link>,
        timeout: Duration,
        control: Control,
    ) -> Result<(), TrainError> {
        let fail = |text: &str| Err(TrainError::Config(ConfigError(text.into())));
        let config = self.config();
        if config.aggregator != Aggregator::Vote {
            return fail("transport mpi carries votes: gradients are joined in-process only");
        }
        if config.momentum_at == MomentumAt::Worker {
            return fail("transport mpi keeps momentum at the server: momentum-at worker is for in-process");
        }
        if config.audit {
            return fail("audit needs all messages, which no process of transport mpi has: use in-process");
        }
        let n = self.code().matrix().n();
        if link.ranks() != n + 1 {
            return Err(TrainError::Transport(format!(
                "{} processes for {n} workers: a server and {n} workers are {}, as in mpirun -n {} ecode train …",
                link.ranks(),
                n + 1,
                n + 1
            )));
        }
        let d = self.dimension();
        let mine = self.identity();
        let mut deployment = Deployment { link, timeout, control, lost: Vec::new(), dismissed: false };
        if deployment.worker().is_some() {
            deployment.link.send(&[0], Message::Hello(mine).to_bytes(), timeout);
            match deployment.heed(d)? {
                Message::Start { step, parameters, velocity } => self.begin(step, parameters, velocity),
                Message::Stop(why) => return Err(TrainError::Dismissed(why)),
                _ => return Err(TrainError::Transport("the server began with another message".into())),
            }
        } else {
            let checked = greet(&mut deployment, &mine, d);
            if let Err(TrainError::Transport(why)) = &checked {
                deployment.announce(&Message::Stop(why.clone()), 0);
            }
            checked?;
            let state = self.snapshot()?;
            let (step, parameters, velocity) = (state.step, state.parameters, state.velocity);
            deployment.announce(&Message::Start { step, parameters, velocity }, step);
        }
        self.deploy(deployment);
        Ok(())
    }

    /// What all ranks must have in common, a line each.
    fn identity(&self) -> String {
        let config = Config {
            code: String::new(),
            data: DataSource::Synthetic,
            device: Device::Auto,
            evaluate_every: None,
            checkpoint_every: None,
            ..self.config().clone()
        };
        let data = self.data();
        format!(
            "version {}\nmatrix {}\ndata {} {}\n{}",
            env!("CARGO_PKG_VERSION"),
            self.code().matrix().digest(),
            digest(&data.train),
            digest(&data.test),
            config.to_toml()
        )
    }

    /// Workers that are counted as Byzantine because they no longer answer, and since which step.
    #[must_use]
    pub fn lost(&self) -> &[(usize, u64)] {
        self.deployment().map_or(&[], |deployment| &deployment.lost)
    }

    /// Whether the server has ended the run, on a worker.
    #[must_use]
    pub fn dismissed(&self) -> bool {
        self.deployment().is_some_and(|deployment| deployment.dismissed)
    }

    /// Batches from which a server computes the statistics of batch normalisation.
    pub(in super::super) fn calibration(&self) -> Vec<Vec<u32>> {
        let mut random = stream(self.config().seed, Purpose::Order, 0, 0);
        let mut order = permutation(&mut random, self.data().train.len());
        order.truncate(CALIBRATION);
        order.chunks(self.config().samples_per_partition().max(1)).map(<[u32]>::to_vec).collect()
    }

    /// One round of this process.
    pub(in super::super) fn deployed_round(
        &mut self,
        mut deployment: Deployment,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> (Deployment, Result<Round, TrainError>) {
        let round = match deployment.worker() {
            Some(j) => self.work(&mut deployment, j, batch, crops, liars),
            None => self.serve(&mut deployment),
        };
        (deployment, round)
    }

    fn serve(&mut self, deployment: &mut Deployment) -> Result<Round, TrainError> {
        let (d, step) = (self.dimension(), self.state().step);
        let messages = deployment.collect(step, d)?;
        if deployment.alive().is_empty() {
            return Err(TrainError::Transport(format!("no worker answers any more in step {step}")));
        }
        let k = self.code().matrix().k();
        let (mut reported, mut seconds) = (vec![Vec::new(); k], Vec::new());
        let votes: Vec<Vote> = messages
            .into_iter()
            .map(|message| match message {
                Some(Message::Vote { gradient_s, losses, vote, .. }) => {
                    seconds.push(gradient_s);
                    for (partition, loss) in losses {
                        if let Some(list) = reported.get_mut(partition as usize) {
                            list.push(loss);
                        }
                    }
                    vote
                }
                // A Byzantine worker may say anything; this is what is taken for silence.
                _ => Vote { bits: Bits::zeros(d), silent: None },
            })
            .collect();
        let decoded = self.engine().decode(&votes);
        let losses: Vec<f64> = reported.into_iter().filter_map(median).collect();
        let loss = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        deployment.announce(&Message::Decode { step, loss, decoded: decoded.clone() }, step);
        let gradient_s = median(seconds).unwrap_or(0.0);
        Ok(Round { update: Update::Signs(decoded), loss, wrong: 0, gradient_s })
    }

    fn work(
        &mut self,
        deployment: &mut Deployment,
        j: usize,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let (d, step) = (self.dimension(), self.state().step);
        let (vote, losses, gradient_s) = self.vote_of(j, batch, crops, liars)?;
        let message = Message::Vote { step, gradient_s, losses, vote };
        deployment.link.send(&[0], message.to_bytes(), deployment.timeout);
        loop {
            match deployment.heed(d)? {
                Message::Decode { step: of, loss, decoded } if of == step => {
                    return Ok(Round { update: Update::Signs(decoded), loss, wrong: 0, gradient_s });
                }
                Message::Stop(_) => {
                    deployment.dismissed = true;
                    return Err(TrainError::Interrupted);
                }
                Message::Decode { step: of, .. } => {
                    return Err(TrainError::Transport(format!(
                        "the server decoded step {of} in step {step}"
                    )));
                }
                _ => {}
            }
        }
    }

    /// What worker j sends, the losses of the partitions that it computed, and the mean seconds of one.
    fn vote_of(
        &mut self,
        j: usize,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Voted, ModelError> {
        let (d, step, each) = (self.dimension(), self.state().step, self.config().samples_per_partition());
        let config = self.config().clone();
        let g = self.code().matrix().clone();
        let attack = if liars.contains(j) { config.attack } else { Attack::None };
        // Who opposes the majority must know it.
        let even = g.worker_load(j) % 2 == 0;
        let all = attack == Attack::Omniscient || (config.ties == TieRule::Adversarial && even);
        let flips = attack == Attack::LabelFlip;
        let honest = (0..g.k()).filter(|&i| all || (g.holds(j, i) && !flips)).map(|i| (i, false));
        let flipped = (0..g.k()).filter(|&i| flips && g.holds(j, i)).map(|i| (i, true));
        let places: Vec<(usize, bool)> = honest.chain(flipped).collect();
        let job = |&(i, flip_labels): &(usize, bool)| Job {
            samples: &batch[i * each..(i + 1) * each],
            crops: &crops[i],
            flip_labels,
        };
        let jobs: Vec<Job<'_>> = places.iter().map(job).collect();
        let packed: Vec<std::sync::Mutex<Bits>> = jobs.iter().map(|_| std::sync::Mutex::default()).collect();
        let start = Instant::now();
        let losses = {
            let (learner, state, train) = self.parts();
            let take = |place: usize, gradient: &mut [&mut [f32]]| {
                let partition = places[place].0;
                prepare(&config, state, partition, gradient);
                let zero = config.zero_sign.negative(step, partition);
                *lock(&packed[place]) = Bits::pack_pieces(gradient, zero);
            };
            learner.gradients(&state.parameters, train, &jobs, &take)?
        };
        let gradient_s = start.elapsed().as_secs_f64() / jobs.len().max(1) as f64;
        let (mut messages, mut instead) = (vec![Bits::zeros(d); g.k()], vec![Bits::zeros(d); g.k()]);
        for (&(i, flip), bits) in places.iter().zip(packed.into_iter().map(unlock)) {
            if flip {
                instead[i] = bits;
            } else {
                messages[i] = bits;
            }
        }
        let mut vote = self.engine().vote_over(j, if flips { &instead } else { &messages }, &messages);
        match attack {
            Attack::Reverse => {
                let silent = vote.silent.as_ref();
                vote.bits = Bits::from_words(d, |i| {
                    !(vote.bits.words()[i] | silent.map_or(0, |silent| silent.words()[i]))
                });
            }
            Attack::Random => vote = Vote { bits: coins(d, config.seed, step, j), silent: None },
            Attack::Constant => vote = Vote { bits: Bits::ones(d), silent: None },
            Attack::Omniscient => {
                let majority = self.engine().majority(&messages);
                vote = Vote { bits: Bits::from_words(d, |i| !majority.words()[i]), silent: None };
            }
            Attack::None | Attack::LabelFlip | Attack::Alie | Attack::Ipm => {}
        }
        let losses = places.iter().zip(losses).map(|(place, loss)| (place.0 as u32, loss)).collect();
        Ok((vote, losses, gradient_s))
    }
}

/// Waits for every worker's greeting, and compares.
fn greet(deployment: &mut Deployment, mine: &str, d: usize) -> Result<(), TrainError> {
    let start = Instant::now();
    let mut waiting = deployment.alive();
    let mut differs: Option<(usize, String)> = None;
    while !waiting.is_empty() {
        if deployment.control.stopped() {
            return Err(TrainError::Interrupted);
        }
        if start.elapsed() > deployment.timeout {
            let ranks: Vec<String> = waiting.iter().map(ToString::to_string).collect();
            return Err(TrainError::Transport(format!(
                "ranks {} did not answer within {:.0} s: training needs all workers to start",
                ranks.join(", "),
                deployment.timeout.as_secs_f64()
            )));
        }
        let Some((rank, bytes)) = deployment.link.receive(LOOK) else {
            continue;
        };
        let Some(Message::Hello(theirs)) = Message::from_bytes(&bytes, d) else {
            continue;
        };
        waiting.retain(|&waits| waits != rank);
        if let Some(text) = difference(mine, &theirs)
            && differs.as_ref().is_none_or(|(other, _)| rank < *other)
        {
            differs = Some((rank, text));
        }
    }
    match differs {
        Some((rank, text)) => Err(TrainError::Transport(format!("rank {rank} differs from rank 0: {text}"))),
        None => Ok(()),
    }
}

/// The first line in which two ranks differ.
fn difference(mine: &str, theirs: &str) -> Option<String> {
    let pair = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (mine, theirs) = (pair(mine), pair(theirs));
    let only = |of: &[String], other: &[String]| of.iter().find(|line| !other.contains(line)).cloned();
    match (only(&theirs, &mine), only(&mine, &theirs)) {
        (None, None) => None,
        (theirs, mine) => {
            let or = |line: Option<String>| line.unwrap_or_else(|| "no such line".into());
            Some(format!("it has '{}', rank 0 has '{}'", or(theirs), or(mine)))
        }
    }
}

/// The middle one: a liar alone cannot move it far.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// SHA-256 of samples as they are held.
fn digest(samples: &Samples) -> String {
    let mut digest = Sha256::new();
    let bytes: Vec<u8> = match &samples.features {
        Features::Dense { values, .. } => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Features::Images { pixels, .. } => pixels.clone(),
        Features::OneHot { indices, .. } => indices.iter().flat_map(|index| index.to_le_bytes()).collect(),
    };
    digest.update(bytes);
    digest.update(samples.labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<u8>>());
    format!("sha256:{}", hexadecimal(&digest.finalize()))
}
