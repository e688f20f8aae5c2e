//! Rounds by tensor operations where the gradients are: no gradient and no sign leaves the device.
//!
//! # What is promised
//! From the same gradients the same bits as the vote engine, the attacks and the server's step on the host.

use std::time::Instant;

use rand_distr::{Distribution as _, StandardNormal};
use tch::{Device, Kind, Tensor};

use super::kept::{Kept, Pending};
use super::learner::{ModelError, Report, Request, Resident};
use super::network::{Network, STATISTICS_MOMENTUM, alone};
use crate::attack::{Attack, AttackedStep, coins};
use crate::bits::Bits;
use crate::config::MomentumAt;
use crate::data::Samples;
use crate::random::{Purpose, stream};
use crate::state::State;
use ecode_core::TieRule;

/// The bits of a worker's vote, and where it is silent.
type Sent = (Tensor, Option<Tensor>);

impl Network {
    fn upload(&self, values: &[f32]) -> Result<Tensor, ModelError> {
        Ok(Tensor::f_from_slice(values)?.f_to_device(self.device)?)
    }

    /// One partition's gradient, flat, with its noise and momentum.
    fn prepared(
        &self,
        kept: &Kept,
        request: &Request<'_>,
        partition: usize,
        gradient: &[Tensor],
    ) -> Result<Tensor, ModelError> {
        let pieces = gradient.iter().map(|piece| piece.f_flatten(0, -1)).collect::<Result<Vec<_>, _>>()?;
        let mut gradient = Tensor::f_cat(&pieces, 0)?;
        let config = request.config;
        if config.gradient_noise > 0.0 {
            let deviation = config.gradient_noise.sqrt() as f32;
            let mut random = stream(config.seed, Purpose::Noise, request.step, partition);
            let normal = StandardNormal.sample_iter(&mut random).take(gradient.numel());
            let noise: Vec<f32> = normal.map(|normal: f32| deviation * normal).collect();
            gradient = gradient.f_add(&self.upload(&noise)?)?;
        }
        if let Some(momentum) = kept.momentum.get(partition) {
            let eta = config.momentum;
            let old = momentum.f_mul_scalar(f64::from(eta))?;
            gradient = old.f_add(&gradient.f_mul_scalar(f64::from(1.0 - eta))?)?;
        }
        Ok(gradient)
    }

    /// Bits of the host as a tensor of truth values.
    fn unpacked(&self, bits: &Bits) -> Result<Tensor, ModelError> {
        let bytes = Tensor::f_from_slice(&bits.to_bytes())?.f_to_device(self.device)?.f_unsqueeze(1)?;
        let places = Tensor::f_arange(8, (Kind::Uint8, self.device))?;
        let bits_of = bytes.f_bitwise_right_shift(&places)?.f_bitwise_and(1)?.f_flatten(0, -1)?;
        Ok(bits_of.f_narrow(0, 0, bits.len() as i64)?.f_to_kind(Kind::Bool)?)
    }

    /// Where a majority of some messages is 1, and where as many are 0, if that can be.
    fn majority(
        &self,
        messages: &[Tensor],
        row: impl ExactSizeIterator<Item = usize>,
    ) -> Result<Sent, ModelError> {
        let load = row.len() as i64;
        let d = self.flat.numel() as i64;
        let mut count = Tensor::f_zeros([d], (Kind::Int16, self.device))?;
        for i in row {
            let _ = count.f_add_(&messages[i])?;
        }
        let tie = if load % 2 == 0 { Some(count.f_eq(load / 2)?) } else { None };
        Ok((count.f_gt(load / 2)?, tie))
    }

    /// Every worker's vote, what liars make of theirs, and the server's decode.
    fn decode(
        &self,
        request: &Request<'_>,
        messages: &[Tensor],
        instead: &[Tensor],
        made: &[Bits],
    ) -> Result<(Tensor, Option<Tensor>, u64), ModelError> {
        let mut made = made.iter();
        let missing = || ModelError("an attack made fewer votes than there are liars".into());
        let (engine, liars) = (request.engine, request.liars);
        let rows = engine.rows();
        let d = self.flat.numel() as i64;
        let majority = self.majority(messages, 0..messages.len())?.0;
        let mut votes = Tensor::f_zeros([d], (Kind::Int16, self.device))?;
        let weight = if engine.can_tie() { 2 } else { 1 };
        for (j, row) in rows.iter().enumerate() {
            let attack = if liars.contains(j) { request.config.attack } else { Attack::None };
            let source = if attack == Attack::LabelFlip { instead } else { messages };
            let honest = || -> Result<Sent, ModelError> {
                let (won, tie) = self.majority(source, row.iter().copied())?;
                Ok(match (tie, engine.ties()) {
                    (None, _) | (Some(_), TieRule::Zero) => (won, None),
                    (Some(tie), TieRule::One) => (won.f_logical_or(&tie)?, None),
                    (Some(tie), TieRule::Adversarial) => {
                        (won.f_logical_or(&tie.f_logical_and(&majority.f_logical_not()?)?)?, None)
                    }
                    (Some(tie), TieRule::Abstain) => (won, Some(tie)),
                })
            };
            let (sent, silent) = match attack {
                Attack::None | Attack::LabelFlip => honest()?,
                Attack::Reverse => {
                    let (won, silent) = honest()?;
                    let spoken = match &silent {
                        Some(silent) => won.f_logical_or(silent)?,
                        None => won,
                    };
                    (spoken.f_logical_not()?, silent)
                }
                Attack::Random => {
                    (self.unpacked(&coins(d as usize, request.config.seed, request.step, j))?, None)
                }
                Attack::Alie
                | Attack::Ipm
                | Attack::OptAlie
                | Attack::OptIpm
                | Attack::MinMax
                | Attack::MinSum
                | Attack::Mimic
                | Attack::Gaussian => (self.unpacked(made.next().ok_or_else(missing)?)?, None),
                Attack::Constant => (majority.f_ones_like()?, None),
                Attack::Omniscient => (majority.f_logical_not()?, None),
            };
            for _ in 0..weight {
                let _ = votes.f_add_(&sent)?;
            }
            if let Some(silent) = silent {
                let _ = votes.f_add_(&silent)?;
            }
        }
        let n = rows.len() as i64;
        let negative = votes.f_gt(if weight == 2 { n } else { n / 2 })?;
        let tied = if weight == 2 { Some(votes.f_eq(n)?) } else { None };
        let wrong = negative.f_ne_tensor(&majority)?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
        Ok((negative, tied, wrong as u64))
    }
}

impl Resident for Network {
    fn enter(&mut self, state: &State) -> Result<(), ModelError> {
        self.set(&state.parameters)?;
        let velocity = self.upload(&state.velocity)?;
        let momentum = state.momentum.iter().map(|values| self.upload(values)).collect::<Result<_, _>>()?;
        self.kept = Some(Kept { velocity, momentum, pending: None });
        Ok(())
    }

    fn leave(&self, state: &mut State) -> Result<(), ModelError> {
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        let pairs = [(&self.flat, &mut state.parameters), (&kept.velocity, &mut state.velocity)];
        for (tensor, values) in pairs.into_iter().chain(kept.momentum.iter().zip(&mut state.momentum)) {
            let size = values.len();
            tensor.f_to_device(Device::Cpu)?.f_copy_data(values, size)?;
        }
        Ok(())
    }

    fn round(&mut self, train: &Samples, request: &Request<'_>) -> Result<Report, ModelError> {
        let Some(kept) = &self.kept else {
            return Err(ModelError("nothing was put on the device".into()));
        };
        let start = Instant::now();
        if self.device == Device::Cpu {
            alone();
        }
        let (config, k) = (request.config, request.partitions);
        let (mut messages, mut flipped, mut momentum, mut losses) = (vec![], vec![], vec![], vec![]);
        // What attacks on gradients need to know, on the host.
        let wanted = config.attack.makes_gradient() && !request.liars.is_empty();
        let mut known: Vec<Vec<f32>> = Vec::new();
        for (place, job) in request.jobs.iter().enumerate() {
            let partition = if place < k { place } else { request.flipped[place - k] };
            // One job after the other: the running statistics themselves can move, but for what liars compute.
            let (hand, share) = if job.flip_labels {
                (self.training_hand()?, 1.0)
            } else {
                (self.hand(), STATISTICS_MOMENTUM)
            };
            let (gradient, loss) = self.shared().gradient(&hand, share, train, job)?;
            let gradient = self.prepared(kept, request, partition, &gradient)?;
            let negative = if config.zero_sign.negative(request.step, partition) {
                gradient.f_le(0.0)?
            } else {
                gradient.f_lt(0.0)?
            };
            losses.push(loss);
            if place >= k {
                flipped.push(negative);
                continue;
            }
            messages.push(negative);
            if wanted {
                let mut values = vec![0.0; gradient.numel()];
                let size = values.len();
                gradient.f_to_device(Device::Cpu)?.f_copy_data(&mut values, size)?;
                known.push(values);
            }
            if config.momentum_at == MomentumAt::Worker {
                momentum.push(gradient);
            }
        }
        // Reading them waits for the device.
        let losses = losses.iter().map(|loss| loss.f_double_value(&[])).collect::<Result<Vec<_>, _>>()?;
        let gradient_s = start.elapsed().as_secs_f64() / request.jobs.len() as f64;
        // Partitions that no liar holds are asked by none: any message stands in.
        let mut instead: Vec<Tensor> = messages.iter().map(Tensor::shallow_clone).collect();
        for (&i, bits) in request.flipped.iter().zip(flipped) {
            instead[i] = bits;
        }
        let made = if wanted {
            let Request { engine, liars, step, .. } = *request;
            let sign =
                |(i, gradient): (usize, &Vec<f32>)| Bits::pack(gradient, config.zero_sign.negative(step, i));
            let signs: Vec<Bits> = known.iter().enumerate().map(sign).collect();
            AttackedStep { config, engine, liars, step }.votes(&known, &signs)
        } else {
            Vec::new()
        };
        let (negative, tied, wrong) = self.decode(request, &messages, &instead, &made)?;
        if let Some(kept) = &mut self.kept {
            kept.pending = Some(Pending { negative, tied, momentum });
        }
        Ok(Report { losses, wrong, gradient_s })
    }

    fn apply(&mut self, lr: f32, momentum: f32, decay: f32) -> Result<(), ModelError> {
        let Some(Kept { velocity, momentum: kept, pending }) = &mut self.kept else {
            return Ok(());
        };
        let Some(Pending { negative, tied, momentum: new }) = pending.take() else {
            return Ok(());
        };
        tch::no_grad(|| {
            // 1 − tied − 2·negative, and the host's operations in the host's order.
            let mut sign = negative.f_to_kind(Kind::Float)?.f_mul_scalar(-2.0)?.f_add_scalar(1.0)?;
            if let Some(tied) = tied {
                sign = sign.f_sub(&tied.f_to_kind(Kind::Float)?)?;
            }
            let _ = velocity.f_mul_scalar_(f64::from(momentum))?;
            let _ = velocity.f_add_(&sign)?;
            let _ = velocity.f_add_(&self.flat.f_mul_scalar(f64::from(decay))?)?;
            let _ = self.flat.f_sub_(&velocity.f_mul_scalar(f64::from(lr))?)?;
            Ok::<(), ModelError>(())
        })?;
        if !new.is_empty() {
            *kept = new;
        }
        Ok(())
    }
}
