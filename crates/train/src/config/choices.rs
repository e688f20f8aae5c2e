//! The values of a configuration that are chosen from a list.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::aggregate::{Aggregator, PreAggregation};
use crate::names::named;

named! {
    /// What a message's bit is where a partition's gradient is exactly zero, +0 or −0: a message has two values
    /// only, and everybody who holds the partition must choose the same. All know the step and the partition.
    pub enum ZeroSign {
        /// Positive where step + partition is even, negative where it is odd: zeros cancel out over the
        /// partitions, and over the steps, so that what is left are the signs of the others.
        #[default]
        Balanced = "balanced",
        /// Positive in even steps, negative in odd ones.
        Alternate = "alternate",
        /// Always positive.
        Positive = "positive",
    }
}

impl ZeroSign {
    /// Whether a zero of a partition counts as negative in a step.
    #[must_use]
    pub fn negative(self, step: u64, partition: usize) -> bool {
        match self {
            Self::Balanced => (step + partition as u64) % 2 == 1,
            Self::Alternate => step % 2 == 1,
            Self::Positive => false,
        }
    }
}

named! {
    /// Where momentum is kept.
    pub enum MomentumAt {
        /// At the workers where they send gradients, and where no worker holds two partitions; else at the server.
        ///
        /// # References
        /// Karimireddy, He and Jaggi, Learning from history for Byzantine robust optimization (ICML 2021): an
        /// aggregator needs the workers' momentum, or liars that stay below the noise add up over the steps.
        #[default]
        Auto = "auto",
        /// Of the decoded update, as SGD keeps it.
        Server = "server",
        /// Of each partition's gradient before its sign is taken (Signum; Bernstein et al., ICML 2018).
        Worker = "worker",
    }
}

named! {
    /// Which model.
    pub enum ModelKind {
        /// Multinomial logistic regression; always there.
        #[default]
        Logistic = "logistic",
        /// A small convolutional network, made for MNIST.
        Cnn = "cnn",
        /// ResNet-18 in its CIFAR form (He et al., CVPR 2016).
        Resnet18 = "resnet18",
        /// ResNet-50 in its CIFAR form.
        Resnet50 = "resnet50",
    }
}

/// What a run does in the first step that no proof covers: more Byzantine and lost workers than the code is
/// verified for, or a decode that is no vote of a verified code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OnExcess {
    /// Says UNVERIFIED from that step on, and trains on. The default: runs beyond the proof are what a code is
    /// compared with, and whoever breaks one worker more must not be able to end a deployment.
    #[default]
    Warn,
    /// Stops before that step, with a checkpoint; where it is known before the first step, does not start.
    Stop,
    /// Under a scheme that detects lies: takes the votes of this code from that step on, a matrix file or a
    /// construction.
    Code(String),
}

impl TryFrom<String> for OnExcess {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        match (text.as_str(), text.strip_prefix("code:")) {
            ("warn", _) => Ok(Self::Warn),
            ("stop", _) => Ok(Self::Stop),
            (_, Some(code)) if !code.is_empty() => Ok(Self::Code(code.to_owned())),
            _ => Err(ConfigError(format!("on-excess is '{text}'; expected warn, stop or code:CODE"))),
        }
    }
}

impl From<OnExcess> for String {
    fn from(what: OnExcess) -> Self {
        match what {
            OnExcess::Warn => "warn".to_owned(),
            OnExcess::Stop => "stop".to_owned(),
            OnExcess::Code(code) => format!("code:{code}"),
        }
    }
}

named! {
    /// How a run deals with lies.
    pub enum Scheme {
        /// A code's majority of votes corrects them in one round.
        #[default]
        Vote = "vote",
        /// b + 1 holders of each partition detect them by digests, and only a detected lie is corrected.
        Reactive = "reactive",
        /// 2b + 1 holders of each partition send shares and digests: corrected in one round.
        OneRound = "one-round",
        /// Fewer than b + 1 holders, drawn in secret after the vectors are sent: right but for a stated risk.
        Checked = "checked",
        /// Workers send the gradient of each file (partition) that they hold; the server takes a majority for each, and the
        /// aggregator joins those.
        FileVote = "filevote",
        /// The same, joined by the mean (DRACO; Chen et al., ICML 2018): exact with 2b + 1 copies.
        Draco = "draco",
        /// The same for groups that hold one file each: means of buckets of two, joined by the geometric median (DETOX;
        /// Rajput et al., NeurIPS 2019).
        Detox = "detox",
        /// The same, joined by each coordinate's median (ByzShield; Konstantinidis and Ramamoorthy, MLSys 2021).
        ByzShield = "byzshield",
    }
}

impl Scheme {
    /// Whether lies are detected by digests.
    #[must_use]
    pub fn detects(self) -> bool {
        matches!(self, Self::Reactive | Self::OneRound | Self::Checked)
    }

    /// Whether a majority is taken for each file.
    #[must_use]
    pub fn takes_files(self) -> bool {
        self.joins().is_some() || self == Self::FileVote
    }

    /// How a scheme of the literature joins the files' majorities; none where the configuration says it.
    pub(crate) fn joins(self) -> Option<(Aggregator, PreAggregation)> {
        match self {
            Self::Draco => Some((Aggregator::Mean, PreAggregation::None)),
            Self::Detox => Some((Aggregator::GeometricMedian, PreAggregation::Bucketing(2))),
            Self::ByzShield => Some((Aggregator::Median, PreAggregation::None)),
            Self::Vote | Self::Reactive | Self::OneRound | Self::Checked | Self::FileVote => None,
        }
    }
}

named! {
    /// Who computes a partition that the present workers cannot settle.
    pub enum Referee {
        /// Nobody: the run stops.
        #[default]
        Nobody = "none",
        /// The server.
        Server = "server",
    }
}

/// The class of hardware of each worker; empty where all are of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Classes(pub Vec<usize>);

impl TryFrom<String> for Classes {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let workers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        let wrong =
            || ConfigError(format!("classes is '{text}'; expected a number a worker, as in 0,0,0,1,1,1"));
        workers.map(Self).map_err(|_| wrong())
    }
}

impl From<Classes> for String {
    fn from(classes: Classes) -> Self {
        let workers: Vec<Self> = classes.0.iter().map(ToString::to_string).collect();
        workers.join(",")
    }
}

/// Where the model is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// The first GPU, where there is one that libtorch can use and the model is a network; else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU.
    Cuda(usize),
    /// The processor, by the tensor operations that a GPU runs: to compare the two.
    Tensors,
}

impl TryFrom<String> for Device {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "tensors" => Ok(Self::Tensors),
            other => other
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| ConfigError(format!("device is '{other}'; expected auto, cpu or cuda:N"))),
        }
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Tensors => f.write_str("tensors"),
        }
    }
}
