//! Networks by libtorch: a small CNN, and the residual networks of the paper in their CIFAR form.
//!
//! # What is promised
//! - Parameters lie in the order in which the plan names them, each as libtorch stores it.
//! - On the CPU libtorch computes on the threads that call it, and starts none of its own.
//! - On the CPU the same parameters and jobs give the same gradients, bit for bit, on any number of threads:
//!   each partition is computed by one thread, since libtorch would split its sums by threads.
//! - Batch normalisation normalises a partition by its own samples. The running statistics, which only the
//!   evaluation uses, are moved once by every partition of a step, in their order, as when one process
//!   computes them all; what a liar computes moves none.

use std::time::Instant;

use rayon::prelude::*;
use tch::{Device, Kind, Reduction, Tensor};

use super::kept::Kept;
use super::learner::{Computed, Evaluation, Job, Learner, ModelError, Resident, Take};
use super::pass::{Hand, Mode, Shared};
use super::plan::{Initial, Layer, Parameter, layers};
use crate::clock::ThreadClock;
use crate::config::{ConfigError, Device as DeviceChoice, ModelKind};
use crate::data::{Data, Samples};
use crate::random::{Purpose, stream, unit};

/// Samples that are evaluated at once.
const CHUNK: usize = 256;

/// How far one partition moves the running statistics.
pub(super) const STATISTICS_MOMENTUM: f64 = 0.1;

/// A network, its parameters in one tensor.
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    plan: Vec<Layer>,
    parameters: Vec<Parameter>,
    classes: usize,
    pub(super) device: Device,
    /// Whether votes are taken where the gradients are.
    stays: bool,
    /// What is kept there, then.
    pub(super) kept: Option<Kept>,
    /// All d parameters.
    pub(super) flat: Tensor,
    /// Its parts, which gradients are taken by.
    leaves: Vec<Tensor>,
    /// Running mean and variance of every batch normalisation.
    statistics: Vec<[Tensor; 2]>,
}

impl Network {
    /// The network for some data.
    ///
    /// # Errors
    /// [`ConfigError`] for data that are no images, a device that is not there, or a model that is no network.
    pub fn new(kind: ModelKind, device: DeviceChoice, data: &Data) -> Result<Self, ConfigError> {
        alone();
        let (name, plan) = (kind.name(), layers(kind, data)?);
        let (mut parameters, mut statistics) = (Vec::new(), Vec::new());
        for layer in &plan {
            layer.parameters(&mut parameters, &mut statistics);
        }
        let (device, stays) = super::device::choose(device)?;
        let made = (|| {
            let d = parameters.iter().map(|parameter| parameter.shape.iter().product::<i64>()).sum::<i64>();
            let flat = Tensor::f_zeros([d], (Kind::Float, device))?;
            let mut leaves = Vec::new();
            let mut first = 0;
            for parameter in &parameters {
                let size = parameter.shape.iter().product::<i64>();
                let leaf = flat.f_narrow(0, first, size)?.f_view(parameter.shape.as_slice())?.f_detach()?;
                leaves.push(leaf.f_set_requires_grad(true)?);
                first += size;
            }
            let options = (Kind::Float, device);
            let statistics = statistics
                .iter()
                .map(|&channels| {
                    Ok([Tensor::f_zeros([channels], options)?, Tensor::f_ones([channels], options)?])
                })
                .collect::<Result<_, tch::TchError>>()?;
            Ok((flat, leaves, statistics))
        })();
        let (flat, leaves, statistics) =
            made.map_err(|error: tch::TchError| ConfigError(ModelError::from(error).0))?;
        let (classes, kept) = (data.classes, None);
        Ok(Self { name, plan, parameters, classes, device, stays, kept, flat, leaves, statistics })
    }

    /// Takes parameters over from the host.
    pub(super) fn set(&mut self, parameters: &[f32]) -> Result<(), ModelError> {
        assert_eq!(parameters.len(), self.dimension(), "d parameters");
        // Not even for copying: libtorch's own threads would wait busily for more.
        alone();
        let (pointer, size) = (parameters.as_ptr().cast(), [parameters.len() as i64]);
        // SAFETY: the tensor is only read, and dropped before the slice's borrow ends.
        let source = unsafe { Tensor::f_from_blob(pointer, &size, &[1], Kind::Float, Device::Cpu) }?;
        tch::no_grad(|| Ok(self.flat.f_copy_(&source)?))
    }

    /// What one thread needs to go through the layers by itself.
    pub(super) fn hand(&self) -> Hand {
        let pair = |[mean, variance]: &[Tensor; 2]| [mean.shallow_clone(), variance.shallow_clone()];
        Hand {
            leaves: self.leaves.iter().map(Tensor::shallow_clone).collect(),
            statistics: self.statistics.iter().map(pair).collect(),
        }
    }

    /// The same with statistics of its own, to be filled with those of one batch.
    pub(super) fn training_hand(&self) -> Result<Hand, ModelError> {
        let hand = self.hand();
        let empty = |[mean, variance]: [Tensor; 2]| Ok([mean.f_zeros_like()?, variance.f_zeros_like()?]);
        let statistics = hand.statistics.into_iter().map(empty).collect::<Result<_, tch::TchError>>()?;
        Ok(Hand { statistics, ..hand })
    }

    /// Moves the running statistics by a share towards those of a batch.
    fn move_statistics(&self, batch: &[[Tensor; 2]], share: f64) -> Result<(), ModelError> {
        tch::no_grad(|| {
            for (kept, new) in self.statistics.iter().flatten().zip(batch.iter().flatten()) {
                let moved = kept.f_mul_scalar(1.0 - share)?.f_add(&new.f_mul_scalar(share)?)?;
                kept.shallow_clone().f_copy_(&moved)?;
            }
            Ok(())
        })
    }

    /// Everything that stays the same from job to job.
    pub(super) fn shared(&self) -> Shared<'_> {
        Shared { plan: &self.plan, classes: self.classes, device: self.device }
    }

    /// The gradients of some jobs, handed to `take` in any order.
    fn learn(&self, train: &Samples, jobs: &[Job<'_>], take: Take<'_>) -> Result<Vec<Computed>, ModelError> {
        let shared = self.shared();
        let hands = jobs.iter().map(|_| self.training_hand()).collect::<Result<Vec<_>, _>>()?;
        let one = |(place, (job, hand)): (usize, (&Job<'_>, Hand))| {
            alone();
            let (wall, clock) = (Instant::now(), ThreadClock::start());
            let (gradient, loss) = shared.gradient(&hand, 1.0, train, job)?;
            let mut host = gradient
                .into_iter()
                .map(|part| part.f_to_device(Device::Cpu)?.f_contiguous())
                .collect::<Result<Vec<Tensor>, _>>()?;
            let loss = loss.f_double_value(&[])?;
            // On the processor libtorch computes on this thread alone; a device computes beside it.
            let on_host = shared.device == Device::Cpu;
            let seconds = if on_host { clock.seconds() } else { wall.elapsed().as_secs_f64() };
            let mut pieces: Vec<&mut [f32]> = host.iter_mut().map(numbers).collect();
            take(place, &mut pieces);
            Ok((Computed { loss, seconds }, hand.statistics))
        };
        let done: Vec<_> = if self.device == Device::Cpu {
            let tasks = jobs.par_iter().zip(hands).enumerate().with_max_len(1);
            tasks.map(one).collect::<Result<_, ModelError>>()?
        } else {
            jobs.iter().zip(hands).enumerate().map(one).collect::<Result<_, ModelError>>()?
        };
        // In the order of the partitions, whichever thread was first.
        for (_, (_, statistics)) in jobs.iter().zip(&done).filter(|(job, _)| !job.flip_labels) {
            self.move_statistics(statistics, STATISTICS_MOMENTUM)?;
        }
        Ok(done.into_iter().map(|(computed, _)| computed).collect())
    }

    fn test(&self, test: &Samples) -> Result<Evaluation, ModelError> {
        let shared = self.shared();
        let indices: Vec<u32> = (0..test.len() as u32).collect();
        let chunks: Vec<_> = indices.chunks(CHUNK).map(|chunk| (chunk, self.hand())).collect();
        let one = |(samples, hand): (&[u32], Hand)| {
            alone();
            tch::no_grad(|| {
                let (images, labels) =
                    shared.batch(test, &Job { samples, crops: &[], flip_labels: false })?;
                let logits = hand.pass(Mode::Test).run(shared.plan, images)?;
                let sum = logits.f_cross_entropy_loss::<Tensor>(&labels, None, Reduction::Sum, -100, 0.0)?;
                let hits = logits.f_argmax(1, false)?.f_eq_tensor(&labels)?.f_sum(Kind::Int64)?;
                Ok((sum.f_double_value(&[])?, hits.f_int64_value(&[])?))
            })
        };
        let done: Vec<(f64, i64)> =
            chunks.into_par_iter().with_max_len(1).map(one).collect::<Result<_, ModelError>>()?;
        let count = test.len().max(1) as f64;
        let (loss, right) = done.iter().fold((0.0, 0), |(loss, right), one| (loss + one.0, right + one.1));
        Ok(Evaluation { loss: loss / count, accuracy: right as f64 / count, auc: None })
    }
}

/// From now on libtorch computes on this thread without the help of others.
pub(super) fn alone() {
    thread_local!(static ALONE: std::cell::OnceCell<()> = const { std::cell::OnceCell::new() });
    ALONE.with(|once| *once.get_or_init(|| tch::set_num_threads(1)));
}

impl Learner for Network {
    fn name(&self) -> &'static str {
        self.name
    }

    fn device(&self) -> String {
        super::device::name(self.device)
    }

    fn resident(&mut self) -> Option<&mut dyn Resident> {
        self.stays.then_some(self)
    }

    fn dimension(&self) -> usize {
        self.flat.numel()
    }

    fn initial(&self, seed: u64) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.dimension());
        for (place, Parameter { shape, initial }) in self.parameters.iter().enumerate() {
            let size = shape.iter().product::<i64>() as usize;
            match *initial {
                Initial::Constant(value) => values.extend(std::iter::repeat_n(value, size)),
                Initial::Uniform { inputs } => {
                    let bound = 1.0 / (inputs as f32).sqrt();
                    let mut random = stream(seed, Purpose::Initial, 0, place);
                    values.extend((0..size).map(|_| bound * (2.0 * unit(&mut random) - 1.0)));
                }
            }
        }
        values
    }

    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError> {
        self.set(parameters)?;
        self.learn(train, jobs, take)
    }

    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError> {
        self.set(parameters)?;
        self.test(test)
    }

    fn recalibrate(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        batches: &[&[u32]],
    ) -> Result<(), ModelError> {
        if self.statistics.is_empty() {
            return Ok(());
        }
        self.set(parameters)?;
        let shared = self.shared();
        let hands = batches.iter().map(|_| self.training_hand()).collect::<Result<Vec<_>, _>>()?;
        let one = |(samples, hand): (&&[u32], Hand)| {
            alone();
            tch::no_grad(|| {
                let (images, _) = shared.batch(train, &Job { samples, crops: &[], flip_labels: false })?;
                let _logits = hand.pass(Mode::Train(1.0)).run(shared.plan, images)?;
                Ok(hand.statistics)
            })
        };
        let done: Vec<_> =
            batches.par_iter().zip(hands).with_max_len(1).map(one).collect::<Result<_, ModelError>>()?;
        for (place, statistics) in done.iter().enumerate() {
            // The first batch replaces what was there, and all weigh the same in the end.
            self.move_statistics(statistics, 1.0 / (place + 1) as f64)?;
        }
        Ok(())
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>, ModelError> {
        let mut state = Vec::new();
        for (place, pair) in self.statistics.iter().enumerate() {
            for (name, tensor) in ["mean", "variance"].into_iter().zip(pair) {
                let mut values = vec![0.0; tensor.numel()];
                let size = values.len();
                tensor.f_to_device(Device::Cpu)?.f_copy_data(&mut values, size)?;
                state.push((format!("batch-norm.{place:03}.{name}"), values));
            }
        }
        Ok(state)
    }

    fn restore(&mut self, state: &[(String, Vec<f32>)]) -> Result<bool, ModelError> {
        if state.len() != 2 * self.statistics.len() {
            return Ok(false);
        }
        for (place, pair) in self.statistics.iter_mut().enumerate() {
            for (name, tensor) in ["mean", "variance"].into_iter().zip(pair) {
                let name = format!("batch-norm.{place:03}.{name}");
                match state.iter().find(|(other, _)| *other == name) {
                    Some((_, values)) if values.len() == tensor.numel() => {
                        tensor.f_copy_(&Tensor::f_from_slice(values)?)?;
                    }
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }
}

/// The numbers of a contiguous f32 tensor on the host.
fn numbers(tensor: &mut Tensor) -> &mut [f32] {
    let length = tensor.numel();
    assert!(tensor.is_contiguous() && tensor.kind() == Kind::Float && tensor.device() == Device::Cpu);
    // SAFETY: a contiguous f32 tensor on the host is `length` numbers in a row, which live as long as the
    // tensor; it is borrowed for as long as the slice, and gradients share their memory with no other tensor.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), length) }
}
