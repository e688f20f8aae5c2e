//! A worker's rounds when it is a process of its own: gradients of its partitions, its vote, the server's decode.

use std::sync::Mutex;

use super::Trainer;
use super::round::{Round, lock, prepare, seconds, unlock};
use super::update::Update;
use crate::attack::{Attack, AttackedStep, coins};
use crate::bits::Bits;
use crate::data::Crop;
use crate::error::TrainError;
use crate::model::{Computed, Job, ModelError};
use crate::transport::{Message, Worker};
use crate::vote::Vote;
use ecode_core::{TieRule, Workers};

/// A vote, the losses of the worker's own partitions, and the seconds that one gradient took.
pub(super) type Voted = (Vote, Vec<f64>, f64);

impl Trainer {
    pub(super) fn work(
        &mut self,
        server: &mut Worker,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let step = self.state.step;
        let (vote, losses, gradient_s) = self.vote_of(server.index(), batch, crops, liars)?;
        server.tell(&Message::Vote { step, gradient_s, losses, vote });
        loop {
            match server.heed()? {
                Message::Decode { step: of, loss, decoded } if of == step => {
                    return Ok(Round {
                        update: Update::Signs(decoded),
                        momentum: None,
                        loss: loss.is_finite().then_some(loss),
                        wrong: None,
                        gradient_s,
                        missing: Vec::new(),
                        settled: None,
                    });
                }
                Message::Stop(_) => {
                    server.dismissed = true;
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

    /// The signs of partitions, with flipped labels or not, and what computing each came to. The gradients themselves go
    /// where they are wanted, one a place.
    pub(super) fn signs_at(
        &mut self,
        places: &[(usize, bool)],
        batch: &[u32],
        crops: &[Vec<Crop>],
        wanted: Option<&[Mutex<Vec<f32>>]>,
    ) -> Result<(Vec<Bits>, Vec<Computed>), ModelError> {
        let (step, each) = (self.state.step, self.config.samples_per_partition());
        let Self { config, data, learner, state, .. } = self;
        let job = |&(i, flip_labels): &(usize, bool)| Job {
            samples: &batch[i * each..(i + 1) * each],
            crops: &crops[i],
            flip_labels,
        };
        let jobs: Vec<Job<'_>> = places.iter().map(job).collect();
        let packed: Vec<Mutex<Bits>> = jobs.iter().map(|_| Mutex::default()).collect();
        let (config, state) = (&*config, &*state);
        let take = |place: usize, gradient: &mut [&mut [f32]]| {
            let partition = places[place].0;
            prepare(config, state, partition, gradient);
            let zero = config.zero_sign.negative(step, partition);
            *lock(&packed[place]) = Bits::pack_pieces(gradient, zero);
            if let Some(wanted) = wanted {
                *lock(&wanted[place]) = gradient.concat();
            }
        };
        let computed = learner.gradients(&state.parameters, &data.train, &jobs, &take)?;
        Ok((packed.into_iter().map(unlock).collect(), computed))
    }

    /// What worker j sends, the losses of its partitions, and the seconds of one gradient.
    pub(super) fn vote_of(
        &mut self,
        j: usize,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> Result<Voted, ModelError> {
        let (d, step) = (self.dimension(), self.state.step);
        let Self { config, code, .. } = self;
        let g = code.matrix();
        let attack = if liars.contains(j) { config.attack } else { Attack::None };
        // Who opposes the majority must know it, and who hides among the others must know them.
        let even = g.worker_load(j) % 2 == 0;
        let makes = attack.makes_gradient();
        let all = attack == Attack::Omniscient || makes || (config.ties == TieRule::Adversarial && even);
        let flips = attack == Attack::LabelFlip;
        let honest = (0..g.k()).filter(|&i| all || (g.holds(j, i) && !flips)).map(|i| (i, false));
        let flipped = (0..g.k()).filter(|&i| flips && g.holds(j, i)).map(|i| (i, true));
        let places: Vec<(usize, bool)> = honest.chain(flipped).collect();
        let gradients: Vec<Mutex<Vec<f32>>> = places.iter().map(|_| Mutex::default()).collect();
        let wanted = makes.then_some(gradients.as_slice());
        let (packed, computed) = self.signs_at(&places, batch, crops, wanted)?;
        let Self { config, code, engine, .. } = self;
        let g = code.matrix();
        let (mut messages, mut instead) = (vec![Bits::zeros(d); g.k()], vec![Bits::zeros(d); g.k()]);
        let mut losses = vec![0.0; g.k()];
        for ((&(i, flip), bits), computed) in places.iter().zip(packed).zip(&computed) {
            // With flipped labels or not, once for each partition of the row.
            losses[i] = computed.loss;
            *if flip { &mut instead[i] } else { &mut messages[i] } = bits;
        }
        let mut vote = engine.vote_over(j, if flips { &instead } else { &messages }, &messages);
        match attack {
            Attack::Reverse => {
                let silent = vote.silent.as_ref();
                vote.bits = Bits::from_words(d, |i| {
                    !(vote.bits.words()[i] | silent.map_or(0, |silent| silent.words()[i]))
                });
            }
            Attack::Random => vote = spoken(coins(d, config.seed, step, j), engine.can_be_silent(j)),
            Attack::Constant => vote = spoken(Bits::ones(d), engine.can_be_silent(j)),
            Attack::Omniscient => {
                let majority = engine.majority(&messages);
                let opposite = Bits::from_words(d, |i| !majority.words()[i]);
                vote = spoken(opposite, engine.can_be_silent(j));
            }
            Attack::Alie
            | Attack::Ipm
            | Attack::OptAlie
            | Attack::OptIpm
            | Attack::MinMax
            | Attack::MinSum
            | Attack::Mimic
            | Attack::Gaussian => {
                let gradients: Vec<Vec<f32>> = gradients.into_iter().map(unlock).collect();
                let votes = AttackedStep { config, engine, liars, step }.votes(&gradients, &messages);
                let mine = liars.indices().zip(votes).find(|(liar, _)| *liar == j);
                if let Some((_, bits)) = mine {
                    vote = spoken(bits, engine.can_be_silent(j));
                }
            }
            Attack::None | Attack::LabelFlip => {}
        }
        let losses = g.support(j).map(|i| losses[i]).collect();
        Ok((vote, losses, seconds(&computed)))
    }
}

/// A vote that is silent nowhere, in the shape that the worker's votes have.
fn spoken(bits: Bits, can_be_silent: bool) -> Vote {
    let silent = can_be_silent.then(|| Bits::zeros(bits.len()));
    Vote { bits, silent }
}
