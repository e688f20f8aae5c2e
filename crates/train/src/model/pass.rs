//! One pass through the layers of a network, forward and back.

use tch::{Device, Reduction, Tensor};

use super::learner::{Job, ModelError};
use super::plan::Layer;
use crate::data::{Features, Samples};

/// Added to a variance before its root is taken.
const EPSILON: f64 = 1e-5;

impl From<tch::TchError> for ModelError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed without a word");
        Self(format!("libtorch: {}", line.trim()))
    }
}

/// What batch normalisation does in a pass.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    /// Normalises by the batch, and moves the statistics by this share towards its mean and variance.
    Train(f64),
    /// Normalises by the running statistics.
    Test,
}

/// One pass through the layers: hands out parameters and statistics in their order.
pub(super) struct Pass<'a> {
    parameters: std::slice::Iter<'a, Tensor>,
    statistics: std::slice::Iter<'a, [Tensor; 2]>,
    mode: Mode,
}

impl Pass<'_> {
    pub(super) fn run(&mut self, layers: &[Layer], mut x: Tensor) -> Result<Tensor, ModelError> {
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

/// Parameters and statistics in the hands of one thread: they share their memory with the network's.
pub(super) struct Hand {
    pub(super) leaves: Vec<Tensor>,
    pub(super) statistics: Vec<[Tensor; 2]>,
}

impl Hand {
    pub(super) fn pass(&self, mode: Mode) -> Pass<'_> {
        Pass { parameters: self.leaves.iter(), statistics: self.statistics.iter(), mode }
    }
}

/// What threads share: nothing of libtorch's.
pub(super) struct Shared<'a> {
    pub(super) plan: &'a [Layer],
    pub(super) classes: usize,
    pub(super) device: Device,
}

impl Shared<'_> {
    /// Some samples and their labels as tensors on the device.
    pub(super) fn batch(&self, samples: &Samples, job: &Job<'_>) -> Result<(Tensor, Tensor), ModelError> {
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
