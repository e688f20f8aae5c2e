//! Everything that decides a run, as a TOML file holds it.
//!
//! Invariant: the same configuration, the same files and the same program give the same parameters, bit
//! for bit, on any number of threads.

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregator;
use super::attack::{Attack, ByzantineSet};
use super::data::DataSource;
use ecode_core::{AllocationMatrix, TieRule};

/// What a message's bit is where a partition's gradient is exactly zero, +0 or −0: a message has two values
/// only, and everybody who holds the partition must choose the same. All know the step and the partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroSign {
    /// Positive where step + partition is even, negative where it is odd: zeros cancel out over the
    /// partitions, and over the steps, so that what is left are the signs of the others.
    #[default]
    Balanced,
    /// Positive in even steps, negative in odd ones.
    Alternate,
    /// Always positive.
    Positive,
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

/// Where momentum is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MomentumAt {
    /// Of the decoded update, as SGD keeps it.
    #[default]
    Server,
    /// Of each partition's gradient before its sign is taken (Signum; Bernstein et al., ICML 2018).
    Worker,
}

/// Which model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Multinomial logistic regression; always there.
    #[default]
    Logistic,
    /// A small convolutional network, made for MNIST.
    Cnn,
    /// ResNet-18 in its CIFAR form (He et al., CVPR 2016).
    Resnet18,
    /// ResNet-50 in its CIFAR form.
    Resnet50,
}

impl ModelKind {
    /// Its name in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Cnn => "cnn",
            Self::Resnet18 => "resnet18",
            Self::Resnet50 => "resnet50",
        }
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

/// A configuration. Every field is a flag of `ecode train` and a line of its TOML file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The matrix: a file, or a construction as in `algorithm1:n=9,b=2`.
    pub code: String,
    /// Train with a matrix that is not verified for its own b.
    pub allow_unverified: bool,
    /// What a worker sends whose vote ties.
    #[serde(with = "tie_rule")]
    pub ties: TieRule,
    /// The data.
    pub data: DataSource,
    /// The model.
    pub model: ModelKind,
    /// Where it is computed.
    pub device: Device,
    /// The actual number of Byzantine workers. By default what the code is made for.
    pub byzantine: Option<usize>,
    /// Which workers they are.
    pub byzantine_set: ByzantineSet,
    /// What they do.
    pub attack: Attack,
    /// How hard attacks on gradients strike; its own default for `ipm`.
    pub attack_scale: Option<f32>,
    /// How the server joins what it receives.
    pub aggregator: Aggregator,
    /// Steps to train. By default 500, where there are no epochs.
    pub steps: Option<u64>,
    /// Passes over the training set to train, instead of steps.
    pub epochs: Option<f64>,
    /// Samples a partition and step, B.
    pub batch: usize,
    /// ρ: every partition's batch is cut to ρB.
    pub batch_reduction: f64,
    /// Learning rate γ. By default 0.0001 for votes (the paper's), 0.1 for gradients.
    pub lr: Option<f32>,
    /// The learning rate is divided by ten after each of these epochs.
    pub lr_decay_epochs: Vec<f64>,
    /// Momentum η.
    pub momentum: f32,
    /// Where momentum is kept.
    pub momentum_at: MomentumAt,
    /// Weight decay: this times the parameters is added to the update.
    pub weight_decay: f32,
    /// Variance σ² of Gaussian noise on every coordinate of every partition's gradient.
    pub gradient_noise: f64,
    /// The sign of a zero.
    pub zero_sign: ZeroSign,
    /// The seed of everything random.
    pub seed: u64,
    /// Test the model every so many steps. By default a twentieth of all, at least once an epoch where epochs are given.
    pub evaluate_every: Option<u64>,
    /// Save a checkpoint every so many steps. By default once a minute.
    pub checkpoint_every: Option<u64>,
    /// Check in every step that the decode is the true majority, and fail where it is not.
    pub audit: bool,
    /// Bits a second of the server's link, for the estimated time of a deployment.
    pub bandwidth: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            code: String::new(),
            allow_unverified: false,
            ties: TieRule::Abstain,
            data: DataSource::Synthetic,
            model: ModelKind::Logistic,
            device: Device::Auto,
            byzantine: None,
            byzantine_set: ByzantineSet::Random,
            attack: Attack::Reverse,
            attack_scale: None,
            aggregator: Aggregator::Vote,
            steps: None,
            epochs: None,
            batch: 32,
            batch_reduction: 1.0,
            lr: None,
            lr_decay_epochs: Vec::new(),
            momentum: 0.9,
            momentum_at: MomentumAt::Server,
            weight_decay: 0.0,
            gradient_noise: 0.0,
            zero_sign: ZeroSign::Balanced,
            seed: 0,
            evaluate_every: None,
            checkpoint_every: None,
            audit: false,
            bandwidth: 1e10,
        }
    }
}

/// A configuration that cannot be run, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ConfigError`] with the line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError(one_line(&error, text)))
    }

    /// The TOML text that gives this configuration.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Plain fields only: nothing in it can fail to be written.
        toml::to_string(self).unwrap_or_default()
    }

    /// The steps to train; 500 where nothing is said.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.unwrap_or(500)
    }

    /// The actual number of Byzantine workers; none where nothing is said.
    #[must_use]
    pub fn liars(&self) -> usize {
        self.byzantine.unwrap_or(0)
    }

    /// Fills in what depends on the code and the data: the number of liars from the code's b, the steps
    /// from the epochs.
    ///
    /// # Errors
    /// [`ConfigError`] where the configuration cannot be run with this matrix and so many samples.
    pub fn settle(
        mut self,
        g: &AllocationMatrix,
        b: Option<usize>,
        samples: usize,
    ) -> Result<Self, ConfigError> {
        if self.byzantine.is_none() {
            self.byzantine = Some(b.unwrap_or(0));
        }
        if let Some(epochs) = self.epochs.take() {
            if self.steps.is_some() {
                return Err(ConfigError("steps and epochs both say how long to train: give one".into()));
            }
            if !(epochs > 0.0 && epochs <= 1e6) {
                return Err(ConfigError(format!("epochs is {epochs}; expected above 0")));
            }
            let per_epoch = samples / (g.k() * self.samples_per_partition()).max(1);
            let steps = (epochs * per_epoch as f64).round().max(1.0) as u64;
            self.evaluate_every.get_or_insert((per_epoch as u64).min(steps / 20).max(1));
            self.steps = Some(steps);
        }
        self.steps = Some(self.steps());
        self.check(g, samples)?;
        Ok(self)
    }

    /// ρB, the samples that a partition's batch really has.
    #[must_use]
    pub fn samples_per_partition(&self) -> usize {
        (self.batch_reduction * self.batch as f64).round() as usize
    }

    /// The learning rate γ at an epoch (with its fraction).
    #[must_use]
    pub fn learning_rate(&self, epoch: f64) -> f32 {
        let first = self.lr.unwrap_or(if self.aggregator == Aggregator::Vote { 1e-4 } else { 0.1 });
        self.lr_decay_epochs.iter().filter(|&&decay| epoch >= decay).fold(first, |rate, _| rate / 10.0)
    }

    /// How hard attacks on gradients strike.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.attack_scale.unwrap_or(if self.attack == Attack::Ipm { 0.5 } else { 1.0 })
    }

    /// Steps between evaluations.
    #[must_use]
    pub fn evaluation_interval(&self) -> u64 {
        self.evaluate_every.unwrap_or((self.steps() / 20).max(1))
    }

    /// Whether this can be run with a matrix on data with this many training samples.
    fn check(&self, g: &AllocationMatrix, samples: usize) -> Result<(), ConfigError> {
        let fail = |text: String| Err(ConfigError(text));
        let (n, k) = (g.n(), g.k());
        if self.steps() == 0 {
            return fail("steps is 0; expected at least 1".into());
        }
        if !(self.batch_reduction > 0.0 && self.batch_reduction <= 1.0) {
            return fail(format!("batch-reduction is {}; expected above 0, at most 1", self.batch_reduction));
        }
        let each = self.samples_per_partition();
        if each == 0 || each.checked_mul(k).is_none_or(|batch| batch > samples) {
            return fail(format!(
                "{k} partitions of {each} samples a step; the data has {samples} to train on; \
                 expected 1 to {} a partition (batch × batch-reduction)",
                samples / k
            ));
        }
        if self.liars() > n {
            return fail(format!("byzantine is {}; there are {n} workers", self.liars()));
        }
        if let ByzantineSet::List(workers) = &self.byzantine_set {
            let mut sorted = workers.clone();
            sorted.sort_unstable();
            sorted.dedup();
            if sorted.len() != self.liars() || sorted.last().is_some_and(|&last| last >= n) {
                return fail(format!(
                    "byzantine-set is {}; expected {} different workers of 0 to {}",
                    self.byzantine_set,
                    self.liars(),
                    n - 1
                ));
            }
        }
        for (name, value, least) in [
            ("momentum", f64::from(self.momentum), 0.0),
            ("weight-decay", f64::from(self.weight_decay), 0.0),
            ("gradient-noise", self.gradient_noise, 0.0),
            ("lr", f64::from(self.learning_rate(0.0)), f64::MIN_POSITIVE),
            ("attack-scale", f64::from(self.scale()), 0.0),
            ("bandwidth", self.bandwidth, f64::MIN_POSITIVE),
        ] {
            if !(value >= least && value.is_finite()) {
                let expected = if least == 0.0 { "0 or more" } else { "above 0" };
                return fail(format!("{name} is {value}; expected {expected}"));
            }
        }
        if self.momentum >= 1.0 {
            return fail(format!("momentum is {}; expected below 1", self.momentum));
        }
        if self.evaluate_every == Some(0) || self.checkpoint_every == Some(0) {
            return fail("evaluate-every and checkpoint-every count steps; expected at least 1".into());
        }
        if self.seed > i64::MAX as u64 {
            return fail(format!("seed is {}; a TOML file holds at most {}", self.seed, i64::MAX));
        }
        let votes = self.aggregator == Aggregator::Vote;
        if votes && matches!(self.attack, Attack::Alie | Attack::Ipm) {
            let attack = self.attack.name();
            return fail(format!(
                "attack {attack} changes gradients; a vote has none: use another aggregator"
            ));
        }
        if !votes && self.audit {
            return fail("audit compares votes; it needs the aggregator vote".into());
        }
        if !votes && !g.empty_workers().is_empty() {
            return fail(format!(
                "workers {} hold no partition, so have no gradient to send",
                g.empty_workers()
            ));
        }
        self.aggregator.unfit(n, self.liars()).map_or(Ok(()), fail)
    }
}

/// An error of the TOML reader in one line, with its place.
pub(super) fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let message = error.message().replace('\n', " ");
    line.map_or(message.clone(), |line| format!("line {line}: {message}"))
}

/// Tie rules by their names.
mod tie_rule {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use ecode_core::TieRule;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(rule: &TieRule, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(rule.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TieRule, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_survives_its_file() {
        let config = Config {
            code: "matrix.json".into(),
            lr: Some(1.0e-4),
            lr_decay_epochs: vec![40.0, 80.0],
            byzantine_set: ByzantineSet::List(vec![1, 4]),
            attack: Attack::LabelFlip,
            gradient_noise: 1e-8,
            ..Config::default()
        };
        assert_eq!(Config::from_toml(&config.to_toml()), Ok(config.clone()));
        let rates = [0.0, 39.9, 40.0, 80.0].map(|epoch| config.learning_rate(epoch).to_bits());
        let tenth = |rate: f32| rate / 10.0;
        assert_eq!(rates, [1e-4, 1e-4, tenth(1e-4), tenth(tenth(1e-4))].map(f32::to_bits));
        let error = Config::from_toml("seed = 1\nstep = 5\n").map_err(|error| error.0);
        assert!(error.is_err_and(|text| text.starts_with("line 2: unknown field `step`")));
    }
}
