//! What a network is made of: its layers and their parameters.
//!
//! # What is promised
//! Parameters lie in the order in which the plan names them, each as libtorch stores it.

use crate::config::{ConfigError, ModelKind};
use crate::data::{Data, Features};

/// A layer. Sizes are channels, or features of a linear layer.
#[derive(Clone, Debug)]
pub(super) enum Layer {
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
pub(super) struct Parameter {
    pub(super) shape: Vec<i64>,
    pub(super) initial: Initial,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Initial {
    Constant(f32),
    /// Uniform in ±1/√inputs.
    Uniform {
        inputs: i64,
    },
}

impl Layer {
    pub(super) fn parameters(&self, all: &mut Vec<Parameter>, statistics: &mut Vec<i64>) {
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

/// The layers of a model of a kind for some data.
pub(super) fn layers(kind: ModelKind, data: &Data) -> Result<Vec<Layer>, ConfigError> {
    let name = kind.name();
    let Features::Images { shape, .. } = &data.train.features else {
        return Err(ConfigError(format!("model {name} learns from images: data mnist:DIR or cifar10:DIR")));
    };
    let [channels, height, width] = [shape.channels, shape.height, shape.width].map(|size| size as i64);
    let classes = data.classes as i64;
    Ok(match kind {
        ModelKind::Logistic => return Err(ConfigError("logistic is no network".into())),
        ModelKind::Cnn => cnn(channels, height, width, classes),
        ModelKind::Resnet18 => resnet(channels, classes, [2, 2, 2, 2], false),
        ModelKind::Resnet50 => resnet(channels, classes, [3, 4, 6, 3], true),
    })
}
