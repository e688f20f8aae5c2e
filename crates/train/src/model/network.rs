//! Networks by libtorch: a small CNN, and the residual networks of the paper in their CIFAR form.
//!
//! # What is promised
//! - Parameters lie in the order in which the plan names them, each as libtorch stores it.
//! - On the CPU the same parameters and jobs give the same gradients, bit for bit, on any number of threads:
//!   each partition is computed by one thread, since libtorch would split its sums by threads.
//! - Batch normalisation normalises a partition by its own samples. The running statistics, which only the
//!   evaluation uses, are moved once by every partition of a step, in their order, as when one process
//!   computes them all; what a liar computes moves none.

use rayon::prelude::*;
use tch::{Device, Kind, Reduction, Tensor};

use super::super::config::{ConfigError, Device as DeviceChoice, ModelKind};
use super::super::data::{Data, Features, Samples};
use super::super::random::{Purpose, stream, unit};
use super::resident::Kept;
use super::{Evaluation, Job, Learner, ModelError, Resident, Take};

/// Samples that are evaluated at once.
const CHUNK: usize = 256;

/// How far one partition moves the running statistics.
pub(super) const STATISTICS_MOMENTUM: f64 = 0.1;

/// Added to a variance before its root is taken.
const EPSILON: f64 = 1e-5;

impl From<tch::TchError> for ModelError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed without a word");
        Self(format!("libtorch: {}", line.trim()))
    }
}

/// A layer. Sizes are channels, or features of a linear layer.
#[derive(Clone, Debug)]
enum Layer {
    /// Kernels of size × size, padded so that a stride of 1 keeps the size.
    Convolution {
        from: i64,
        to: i64,
        size: i64,
        stride: i64,
        bias: bool,
    },
    BatchNorm(i64),
    Relu,
    /// The largest of each 2 × 2 pixels.
    MaxPool,
    /// The mean over all pixels.
    Mean,
    Flatten,
    Linear {
        from: i64,
        to: i64,
    },
    /// relu(body(x) + shortcut(x)).
    Residual {
        body: Vec<Layer>,
        shortcut: Vec<Layer>,
    },
}

/// One parameter tensor.
#[derive(Clone, Debug)]
struct Parameter {
    shape: Vec<i64>,
    initial: Initial,
}

#[derive(Clone, Copy, Debug)]
enum Initial {
    Constant(f32),
    /// Uniform in ±1/√inputs.
    Uniform {
        inputs: i64,
    },
}

impl Layer {
    fn parameters(&self, all: &mut Vec<Parameter>, statistics: &mut Vec<i64>) {
        let mut add = |shape: &[i64], initial| all.push(Parameter { shape: shape.to_vec(), initial });
        match self {
            Self::Convolution { from, to, size, bias, .. } => {
                let initial = Initial::Uniform { inputs: from * size * size };
                add(&[*to, *from, *size, *size], initial);
                if *bias {
                    add(&[*to], initial);
                }
            }
            Self::BatchNorm(channels) => {
                add(&[*channels], Initial::Constant(1.0));
                add(&[*channels], Initial::Constant(0.0));
                statistics.push(*channels);
            }
            Self::Linear { from, to } => {
                let initial = Initial::Uniform { inputs: *from };
                add(&[*to, *from], initial);
                add(&[*to], initial);
            }
            Self::Residual { body, shortcut } => {
                body.iter().chain(shortcut).for_each(|layer| layer.parameters(all, statistics));
            }
            Self::Relu | Self::MaxPool | Self::Mean | Self::Flatten => {}
        }
    }
}

fn convolution(from: i64, to: i64, size: i64, stride: i64) -> [Layer; 2] {
    [Layer::Convolution { from, to, size, stride, bias: false }, Layer::BatchNorm(to)]
}

/// The CNN: two convolutions of 16 and 32 kernels, each followed by pooling, and two linear layers.
fn cnn(channels: i64, height: i64, width: i64, classes: i64) -> Vec<Layer> {
    let (features, hidden) = (32 * (height / 4) * (width / 4), 128);
    vec![
        Layer::Convolution { from: channels, to: 16, size: 3, stride: 1, bias: true },
        Layer::Relu,
        Layer::MaxPool,
        Layer::Convolution { from: 16, to: 32, size: 3, stride: 1, bias: true },
        Layer::Relu,
        Layer::MaxPool,
        Layer::Flatten,
        Layer::Linear { from: features, to: hidden },
        Layer::Relu,
        Layer::Linear { from: hidden, to: classes },
    ]
}

/// A residual network (He et al., CVPR 2016) for small images: a stem of 3 × 3 kernels without pooling,
/// then four stages of blocks, of two 3 × 3 convolutions each or, with `bottleneck`, of 1 × 1, 3 × 3, 1 × 1.
fn resnet(channels: i64, classes: i64, blocks: [usize; 4], bottleneck: bool) -> Vec<Layer> {
    let mut plan: Vec<Layer> = convolution(channels, 64, 3, 1).into();
    plan.push(Layer::Relu);
    let mut from = 64;
    for (stage, &blocks) in blocks.iter().enumerate() {
        let inner = 64 << stage;
        let to = if bottleneck { 4 * inner } else { inner };
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let parts = if bottleneck {
                vec![
                    convolution(from, inner, 1, 1),
                    convolution(inner, inner, 3, stride),
                    convolution(inner, to, 1, 1),
                ]
            } else {
                vec![convolution(from, to, 3, stride), convolution(to, to, 3, 1)]
            };
            // An activation between the parts, and none after the last: that follows the sum.
            let body = itertools::Itertools::intersperse(parts.into_iter().map(Vec::from), vec![Layer::Relu]);
            let same = stride == 1 && from == to;
            let shortcut = if same { Vec::new() } else { convolution(from, to, 1, stride).into() };
            plan.push(Layer::Residual { body: body.flatten().collect(), shortcut });
            from = to;
        }
    }
    plan.extend([Layer::Mean, Layer::Flatten, Layer::Linear { from, to: classes }]);
    plan
}

/// What batch normalisation does in a pass.
#[derive(Clone, Copy)]
enum Mode {
    /// Normalises by the batch, and moves the statistics by this share towards its mean and variance.
    Train(f64),
    /// Normalises by the running statistics.
    Test,
}

/// One pass through the layers: hands out parameters and statistics in their order.
struct Pass<'a> {
    parameters: std::slice::Iter<'a, Tensor>,
    statistics: std::slice::Iter<'a, [Tensor; 2]>,
    mode: Mode,
}

impl Pass<'_> {
    fn run(&mut self, layers: &[Layer], mut x: Tensor) -> Result<Tensor, ModelError> {
        for layer in layers {
            x = self.layer(layer, x)?;
        }
        Ok(x)
    }

    fn next(&mut self) -> Result<&Tensor, ModelError> {
        self.parameters.next().ok_or_else(|| ModelError("the plan has more parameters than it named".into()))
    }

    fn layer(&mut self, layer: &Layer, x: Tensor) -> Result<Tensor, ModelError> {
        Ok(match layer {
            Layer::Convolution { size, stride, bias, .. } => {
                let weight = self.next()?.shallow_clone();
                let bias = if *bias { Some(self.next()?.shallow_clone()) } else { None };
                let padding = size / 2;
                x.f_conv2d(&weight, bias, [*stride, *stride], [padding, padding], [1, 1], 1)?
            }
            Layer::BatchNorm(_) => {
                let (weight, bias) = (self.next()?.shallow_clone(), self.next()?.shallow_clone());
                let running = self.statistics.next().map(|[mean, variance]| (mean, variance));
                let (mean, variance) = (running.map(|running| running.0), running.map(|running| running.1));
                let (weight, bias) = (Some(&weight), Some(&bias));
                let (training, share) = match self.mode {
                    Mode::Train(share) => (true, share),
                    Mode::Test => (false, 0.0),
                };
                x.f_batch_norm(weight, bias, mean, variance, training, share, EPSILON, true)?
            }
            Layer::Relu => x.f_relu()?,
            Layer::MaxPool => x.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?,
            Layer::Mean => x.f_adaptive_avg_pool2d([1, 1])?,
            Layer::Flatten => x.f_flatten(1, -1)?,
            Layer::Linear { .. } => {
                let weight = self.next()?.shallow_clone();
                x.f_linear(&weight, Some(self.next()?))?
            }
            Layer::Residual { body, shortcut } => {
                let main = self.run(body, x.shallow_clone())?;
                let beside = self.run(shortcut, x)?;
                main.f_add(&beside)?.f_relu()?
            }
        })
    }
}

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
        let name = kind.name();
        let Features::Images { shape, .. } = &data.train.features else {
            return Err(ConfigError(format!(
                "model {name} learns from images: data mnist:DIR or cifar10:DIR"
            )));
        };
        let [channels, height, width] = [shape.channels, shape.height, shape.width].map(|size| size as i64);
        let classes = data.classes as i64;
        let plan = match kind {
            ModelKind::Logistic => return Err(ConfigError("logistic is no network".into())),
            ModelKind::Cnn => cnn(channels, height, width, classes),
            ModelKind::Resnet18 => resnet(channels, classes, [2, 2, 2, 2], false),
            ModelKind::Resnet50 => resnet(channels, classes, [3, 4, 6, 3], true),
        };
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
    pub(super) fn still(&self) -> Still<'_> {
        Still { plan: &self.plan, classes: self.classes, device: self.device }
    }

    /// The gradients of some jobs, handed to `take` in any order. Returns their mean losses.
    fn learn(&self, train: &Samples, jobs: &[Job<'_>], take: Take<'_>) -> Result<Vec<f64>, ModelError> {
        let still = self.still();
        let hands = jobs.iter().map(|_| self.training_hand()).collect::<Result<Vec<_>, _>>()?;
        let one = |(place, (job, hand)): (usize, (&Job<'_>, Hand))| {
            alone();
            let (gradient, loss) = still.gradient(&hand, 1.0, train, job)?;
            let mut host = gradient
                .into_iter()
                .map(|part| part.f_to_device(Device::Cpu)?.f_contiguous())
                .collect::<Result<Vec<Tensor>, _>>()?;
            let mut pieces: Vec<&mut [f32]> = host.iter_mut().map(numbers).collect();
            take(place, &mut pieces);
            Ok((loss.f_double_value(&[])?, hand.statistics))
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
        Ok(done.into_iter().map(|(loss, _)| loss).collect())
    }

    fn test(&self, test: &Samples) -> Result<Evaluation, ModelError> {
        let still = self.still();
        let indices: Vec<u32> = (0..test.len() as u32).collect();
        let chunks: Vec<_> = indices.chunks(CHUNK).map(|chunk| (chunk, self.hand())).collect();
        let one = |(samples, hand): (&[u32], Hand)| {
            alone();
            tch::no_grad(|| {
                let (images, labels) = still.batch(test, &Job { samples, crops: &[], flip_labels: false })?;
                let logits = hand.pass(Mode::Test).run(still.plan, images)?;
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

/// Parameters and statistics in the hands of one thread: they share their memory with the network's.
pub(super) struct Hand {
    leaves: Vec<Tensor>,
    statistics: Vec<[Tensor; 2]>,
}

impl Hand {
    fn pass(&self, mode: Mode) -> Pass<'_> {
        Pass { parameters: self.leaves.iter(), statistics: self.statistics.iter(), mode }
    }
}

/// What threads share: nothing of libtorch's.
pub(super) struct Still<'a> {
    plan: &'a [Layer],
    classes: usize,
    device: Device,
}

impl Still<'_> {
    /// Some samples and their labels as tensors on the device.
    fn batch(&self, samples: &Samples, job: &Job<'_>) -> Result<(Tensor, Tensor), ModelError> {
        let Features::Images { shape, .. } = &samples.features else {
            return Err(ModelError("the data are no images".into()));
        };
        let width = samples.width();
        let mut rows = vec![0.0; job.samples.len() * width];
        let mut labels = Vec::with_capacity(job.samples.len());
        for (place, row) in rows.chunks_exact_mut(width).enumerate() {
            let sample = job.samples[place] as usize;
            samples.write_row(sample, job.crops.get(place).copied().unwrap_or_default(), row);
            let label = i64::from(samples.labels[sample]);
            labels.push(if job.flip_labels { self.classes as i64 - 1 - label } else { label });
        }
        let size = [labels.len(), shape.channels, shape.height, shape.width].map(|size| size as i64);
        let images = Tensor::f_from_slice(&rows)?.f_view(size)?.f_to_device(self.device)?;
        Ok((images, Tensor::f_from_slice(&labels)?.f_to_device(self.device)?))
    }

    /// The gradient of one job, a tensor for each parameter tensor, on the device; and the mean loss. The hand's
    /// statistics move by a share towards the job's.
    pub(super) fn gradient(
        &self,
        hand: &Hand,
        share: f64,
        train: &Samples,
        job: &Job<'_>,
    ) -> Result<(Vec<Tensor>, Tensor), ModelError> {
        let (images, labels) = self.batch(train, job)?;
        let logits = hand.pass(Mode::Train(share)).run(self.plan, images)?;
        let loss = logits.f_cross_entropy_loss::<Tensor>(&labels, None, Reduction::Mean, -100, 0.0)?;
        let gradient = Tensor::f_run_backward(&[&loss], &hand.leaves, false, false)?;
        Ok((gradient, loss.f_detach()?))
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
    ) -> Result<Vec<f64>, ModelError> {
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
        let still = self.still();
        let hands = batches.iter().map(|_| self.training_hand()).collect::<Result<Vec<_>, _>>()?;
        let one = |(samples, hand): (&&[u32], Hand)| {
            alone();
            tch::no_grad(|| {
                let (images, _) = still.batch(train, &Job { samples, crops: &[], flip_labels: false })?;
                let _logits = hand.pass(Mode::Train(1.0)).run(still.plan, images)?;
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
