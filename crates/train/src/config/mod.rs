//! Everything that decides a run, as a TOML file holds it and as flags say it.
//!
//! # What is promised
//! - The same configuration, the same files and the same program give the same parameters, bit for bit, on any
//!   number of threads.
//! - Every field is declared once, with its type, its default and its help: the file, the flags of `ecode train` and
//!   [`Config::FIELDS`] cannot differ.

mod check;
mod choices;
pub(crate) mod text;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregator, PreAggregation, Rule};
use super::attack::{Attack, ByzantineSet};
use super::data::{DataSource, Split};
use ecode_core::{Domains, TieRule};
use ecode_server::reactive::{Adversary, Budget, Drift};

pub use check::Schedule;
pub use choices::{Classes, Device, ModelKind, MomentumAt, OnExcess, Referee, Scheme, ZeroSign};
use text::one_line;

/// What a flag of a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Nothing: the flag itself says yes.
    Flag,
    /// Any text, which the field's own rules read.
    Text,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A whole number, 0 or more.
    Integer,
    /// A number.
    Number,
    /// Numbers with commas between.
    Numbers,
}

/// One field of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the code, words joined by `_`.
    identifier: &'static str,
    /// What its flag takes.
    pub kind: FieldKind,
    /// What the value is called in help.
    pub value: &'static str,
    /// What it is, as the code documents it.
    about: &'static str,
    /// The default in words, where it is no fixed value.
    default: &'static str,
}

impl Field {
    /// Its name in files and, after `--`, on the command line.
    #[must_use]
    pub fn name(&self) -> String {
        self.identifier.replace('_', "-")
    }

    /// What it is, and its default, in a line.
    #[must_use]
    pub fn help(&self) -> String {
        let about = self.about.trim().trim_end_matches('.');
        let fixed = Config::default()
            .to_table()
            .get(&self.name())
            .map(|value| match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Float(number) => text::plain(*number),
                other => other.to_string(),
            })
            .filter(|value| !value.is_empty() && value != "false" && value != "[]");
        match fixed.as_deref().unwrap_or(self.default) {
            "" => about.to_owned(),
            default => format!("{about} [default: {default}]"),
        }
    }
}

/// Declares [`Config`], its defaults and its table of fields from one list.
macro_rules! configuration {
    ($(
        $(#[doc = $about:literal])+ $([serde($($serde:tt)+)])?
        $name:ident: $type:ty = $default:expr, $kind:expr, $value:literal $(, $shown:literal)?;
    )+) => {
        /// A configuration. Every field is a flag of `ecode train` and a line of its TOML file.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Config { $( $(#[doc = $about])+ $(#[serde($($serde)+)])? pub $name: $type, )+ }

        impl Default for Config {
            fn default() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        impl Config {
            /// All fields, in their order.
            pub const FIELDS: &'static [Field] = &[$( Field {
                identifier: stringify!($name),
                kind: $kind,
                value: $value,
                about: concat!($($about),+),
                default: concat!($($shown)?),
            }, )+];
        }
    };
}

use FieldKind::{Choice, Flag, Integer, Number, Numbers, Text};

configuration! {
    /// The code: a matrix file, or a construction, as in algorithm1:n=9,b=2 or bernoulli:n=9,r=2.5,seed=0.
    code: String = String::new(), Text, "CODE";
    /// Train with a matrix that does not tolerate its own b, or was not decided; the log says so.
    allow_unverified: bool = false, Flag, "";
    /// What to do where more workers lie or are lost than the code is verified for: warn, stop, or, with a scheme that
    /// detects lies, go on with the votes of a code, as in code:FILE or code:best:n=9,b=4.
    on_excess: OnExcess = OnExcess::Warn, Text, "WHAT";
    /// What a worker sends whose vote ties.
    [serde(with = "text::tie_rule")]
    ties: TieRule = TieRule::Abstain, Choice(&["adversarial", "zero", "one", "abstain"]), "RULE";
    /// The data: mnist:DIR, cifar10:DIR, amazon:FILE, amazon-pairs:FILE or synthetic.
    data: DataSource = DataSource::Synthetic, Text, "SPEC";
    /// Which partition learns from which samples: shuffled (all from all), or fixed shards: iid, dirichlet:ALPHA, gamma:G
    /// (a share G alike, the rest by class), class.
    split: Split = Split::Shuffled, Text, "SPLIT";
    /// The model; all but logistic need the feature tch.
    model: ModelKind = ModelKind::Logistic, Choice(ModelKind::NAMES), "NAME";
    /// Where it is computed: auto (a GPU where libtorch finds one), cpu or cuda:N.
    device: Device = Device::Auto, Text, "DEVICE";
    /// The Byzantine workers there really are.
    byzantine: Option<usize> = None, Integer, "B", "the code's b";
    /// The Byzantine workers that an aggregator, or nnm before it, is told of.
    declared_byzantine: Option<usize> = None, Integer, "B", "those there really are";
    /// Which workers are Byzantine: first, random, random-per-step, worst, or a list as in 0,3,7.
    byzantine_set: ByzantineSet = ByzantineSet::Random, Text, "SET";
    /// Failure domains: a file with a line for each worker, the name of its host, rack or switch. byzantine and the numbers of
    /// byzantine-set then count domains, whose workers all lie; in a configuration the names themselves, as in a,a,b.
    domains: Option<String> = None, Text, "FILE", "every worker alone";
    /// What Byzantine workers do; from alie on a vote is the sign of the gradient that the attack makes.
    attack: Attack = Attack::Reverse, Choice(Attack::NAMES), "NAME";
    /// How hard attacks on gradients strike.
    [serde(deserialize_with = "text::optional_single")]
    attack_scale: Option<f32> = None, Number, "S", "1; ipm 0.5";
    /// How the server joins what it receives.
    aggregator: Aggregator = Aggregator::Vote, Choice(Aggregator::NAMES), "NAME";
    /// What is done to gradients before they are joined: none, nnm (nearest-neighbour mixing) or bucketing:SIZE.
    pre_aggregation: PreAggregation = PreAggregation::None, Text, "RULE";
    /// How far, in the Euclidean norm, centered-clipping lets a worker's gradient be from the last step's result.
    [serde(deserialize_with = "text::single")]
    clip_radius: f32 = 10.0, Number, "RADIUS";
    /// How lies are dealt with: vote takes a code; reactive, one-round and checked take n and b, or a code; filevote, draco,
    /// detox and byzshield take a code and a majority for each file. All but vote need gradients that are reproducible bit
    /// for bit.
    scheme: Scheme = Scheme::Vote, Choice(Scheme::NAMES), "NAME";
    /// With a scheme: how many workers there are.
    n: Option<usize> = None, Integer, "N", "those of the code";
    /// With a scheme: how many of them may be Byzantine.
    b: Option<usize> = None, Integer, "B", "the code's b";
    /// With a scheme: how many partitions there are, an odd number.
    k: Option<usize> = None, Integer, "K", "the largest odd number up to n";
    /// With a scheme: when and how liars lie; what they then claim is what attack says.
    adversary: Adversary = Adversary::Always, Choice(Adversary::NAMES), "NAME";
    /// With a scheme: b workers are faulty at any time (named machines may be replaced), or in the whole run.
    budget: Budget = Budget::AtOnce, Choice(&["at-once", "total"]), "WHICH";
    /// With a scheme: holders of each partition beyond those needed, so that as many answers may be missing.
    spare: usize = 0, Integer, "S";
    /// With a scheme: each worker's class of hardware, as in 0,0,0,1,1,1; a partition is held within one class.
    classes: Classes = Classes::default(), Text, "LIST";
    /// With scheme reactive: how workers that are right may differ: none, repeat (who is contradicted computes again
    /// before it is named), or close:T (what differs in at most T coordinates is no lie).
    drift: Drift = Drift::None, Text, "HOW";
    /// With a scheme: how many steps may be open, their digests still on the way; 1 waits for all in each step.
    window: u64 = 1, Integer, "STEPS";
    /// With scheme checked: the chance that anything at all is decoded wrong in the whole run.
    risk: f64 = 1e-6, Number, "P";
    /// With a scheme: who computes a partition that the present workers cannot settle.
    referee: Referee = Referee::Nobody, Choice(Referee::NAMES), "WHO";
    /// Steps to train.
    steps: Option<u64> = None, Integer, "N", "500";
    /// Passes over the training set to train, instead of steps.
    epochs: Option<f64> = None, Number, "N";
    /// Samples per partition and step, B.
    batch: usize = 32, Integer, "B";
    /// Cut every partition's batch to this share ρ of it.
    batch_reduction: f64 = 1.0, Number, "RHO";
    /// Learning rate γ.
    [serde(deserialize_with = "text::optional_single")]
    lr: Option<f32> = None, Number, "RATE", "0.0001 for votes, 0.1 for gradients";
    /// Divide the learning rate by ten after each of these epochs, as in 40,80.
    lr_decay_epochs: Vec<f64> = Vec::new(), Numbers, "LIST";
    /// Momentum η.
    [serde(deserialize_with = "text::single")]
    momentum: f32 = 0.9, Number, "ETA";
    /// Where momentum is kept; auto: at the workers where they send gradients or hold one partition each, else at the
    /// server, and at the server in a deployment.
    momentum_at: MomentumAt = MomentumAt::Auto, Choice(MomentumAt::NAMES), "WHERE";
    /// Weight decay: this times the parameters is added to the update.
    [serde(deserialize_with = "text::single")]
    weight_decay: f32 = 0.0, Number, "RATE";
    /// Variance σ² of Gaussian noise on every coordinate of every partition's gradient.
    gradient_noise: f64 = 0.0, Number, "VARIANCE";
    /// The sign of a gradient that is exactly zero.
    zero_sign: ZeroSign = ZeroSign::Balanced, Choice(ZeroSign::NAMES), "RULE";
    /// Share of the training samples to hold out: never trained on, tested beside the test samples, and what settings
    /// are chosen by.
    validation: f64 = 0.0, Number, "SHARE";
    /// The seed of everything random.
    seed: u64 = 0, Integer, "S";
    /// Test the model every so many steps.
    evaluate_every: Option<u64> = None, Integer, "STEPS", "a twentieth of all; with --epochs at least once an epoch";
    /// Save a checkpoint every so many steps.
    checkpoint_every: Option<u64> = None, Integer, "STEPS", "once a minute";
    /// Check in every step that the decode is the true majority, and fail where it is not.
    audit: bool = false, Flag, "";
    /// Bits per second of the server's link, for the estimated time of a deployment.
    bandwidth: f64 = 1e10, Number, "BITS";
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

    /// Reads a table of a TOML text, or of flags.
    ///
    /// # Errors
    /// [`ConfigError`] with the field.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let read = |table: &toml::Table| table.clone().try_into::<Self>();
        let Err(error) = read(table) else { return read(table).map_err(|_| ConfigError(String::new())) };
        // The reader of tables does not say which field it was: the one that fails alone.
        let alone = |(name, value): (&String, &toml::Value)| {
            read(&toml::Table::from_iter([(name.clone(), value.clone())]))
                .err()
                .map(|error| (name.clone(), error))
        };
        let (name, error) =
            table.iter().find_map(alone).map_or((None, error), |(name, error)| (Some(name), error));
        let message = error.message().replace('\n', " ");
        Err(ConfigError(match name {
            Some(name) if !message.contains("unknown field") => format!("{name}: {message}"),
            _ => message,
        }))
    }

    /// The TOML text that gives this configuration.
    ///
    /// # Panics
    /// Never: a configuration holds plain values only, which all have a TOML form (a test writes every field).
    #[must_use]
    pub fn to_toml(&self) -> String {
        #[allow(clippy::expect_used, reason = "an empty text instead would be a configuration of defaults")]
        toml::to_string(self).expect("every field has a TOML form")
    }

    /// The same as a table. It goes through the text, which has the digits that were said: 0.9, not what an f32 makes
    /// of it.
    ///
    /// # Panics
    /// Never, as [`Self::to_toml`].
    #[must_use]
    pub fn to_table(&self) -> toml::Table {
        #[allow(clippy::expect_used, reason = "an empty table instead would be a configuration of defaults")]
        self.to_toml().parse().expect("the text is one of TOML")
    }

    /// The actual number of Byzantine workers; none where nothing is said.
    #[must_use]
    pub fn liars(&self) -> usize {
        self.byzantine.unwrap_or(0)
    }

    /// The number of Byzantine workers that an aggregator of gradients, or mixing before it, is told of.
    #[must_use]
    pub fn declared(&self) -> usize {
        self.declared_byzantine.unwrap_or(self.liars())
    }

    /// The failure domains of n workers, where they are named.
    ///
    /// # Errors
    /// [`ConfigError`] where there are not as many names, or one is empty.
    pub fn failure_domains(&self, n: usize) -> Result<Option<Domains>, ConfigError> {
        let Some(text) = &self.domains else { return Ok(None) };
        let names: Vec<&str> = text.split(',').collect();
        if names.len() != n {
            return Err(ConfigError(format!(
                "domains has {} names for {n} workers; expected one for each, with commas between",
                names.len()
            )));
        }
        Domains::of_workers(&names).map(Some).map_err(|error| ConfigError(format!("domains: {error}")))
    }

    /// How the server joins what it receives, with all that it is told.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let Self { aggregator, pre_aggregation: pre, clip_radius, .. } = *self;
        Rule { aggregator, pre, declared: self.declared(), clip_radius }
    }

    /// ρB, the samples that a partition's batch really has.
    #[must_use]
    pub fn samples_per_partition(&self) -> usize {
        (self.batch_reduction * self.batch as f64).round() as usize
    }

    /// How many of so many training samples are held out for validation.
    #[must_use]
    pub fn held_out(&self, samples: usize) -> usize {
        (self.validation * samples as f64).round() as usize
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

    /// The fields in which another configuration differs, each with its value here and there.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(String, String, String)> {
        let (mine, theirs) = (self.to_table(), other.to_table());
        let shown = |table: &toml::Table, name: &str| {
            table.get(name).map_or_else(|| "not given".to_owned(), ToString::to_string)
        };
        Self::FIELDS
            .iter()
            .map(Field::name)
            .filter(|name| mine.get(name) != theirs.get(name))
            .map(|name| (name.clone(), shown(&mine, &name), shown(&theirs, &name)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration in which no optional field is missing.
    fn full() -> Config {
        Config {
            code: "matrix.json".into(),
            byzantine: Some(2),
            declared_byzantine: Some(3),
            attack_scale: Some(0.1),
            steps: Some(7),
            epochs: Some(1.5),
            lr: Some(1.0e-4),
            lr_decay_epochs: vec![40.0, 80.0],
            byzantine_set: ByzantineSet::List(vec![1, 4]),
            attack: Attack::LabelFlip,
            gradient_noise: 1e-8,
            evaluate_every: Some(3),
            checkpoint_every: Some(4),
            n: Some(9),
            b: Some(2),
            k: Some(9),
            domains: Some("x,x,y,z,z,y,x,y,z".into()),
            ..Config::default()
        }
    }

    #[test]
    fn a_configuration_survives_its_file() {
        let config = full();
        assert_eq!(Config::from_toml(&config.to_toml()), Ok(config.clone()));
        // JSON says null where TOML says nothing.
        for config in [config.clone(), Config::default()] {
            let json = serde_json::to_string(&config).unwrap_or_default();
            assert_eq!(serde_json::from_str::<Config>(&json).ok(), Some(config));
        }
        let rates = [0.0, 39.9, 40.0, 80.0].map(|epoch| config.learning_rate(epoch).to_bits());
        let tenth = |rate: f32| rate / 10.0;
        assert_eq!(rates, [1e-4, 1e-4, tenth(1e-4), tenth(tenth(1e-4))].map(f32::to_bits));
        let error = Config::from_toml("seed = 1\nstep = 5\n").map_err(|error| error.0);
        assert!(error.is_err_and(|text| text.starts_with("line 2: unknown field `step`")));
    }

    /// Every field of the file is in the table of fields and the other way round; what help gives as a choice is
    /// read, and help knows every default.
    #[test]
    fn fields_files_and_help_are_one() {
        let table = full().to_table();
        let mut names: Vec<String> = Config::FIELDS.iter().map(Field::name).collect();
        names.sort_unstable();
        assert_eq!(table.keys().cloned().collect::<Vec<_>>(), names);
        for field in Config::FIELDS {
            let name = field.name();
            let value = &table[&name];
            let fits = match field.kind {
                Flag => value.is_bool(),
                Text | Choice(_) => value.is_str(),
                Integer => value.is_integer(),
                Number => value.is_float(),
                Numbers => value.is_array(),
            };
            assert!(fits, "{name} is {value}, declared as {:?}", field.kind);
            if let Choice(choices) = field.kind {
                for &choice in choices {
                    let one = toml::Table::from_iter([(name.clone(), choice.into())]);
                    let read = Config::from_table(&one).unwrap_or_else(|error| panic!("{error}"));
                    assert_eq!(read.to_table()[&name].as_str(), Some(choice));
                }
            }
            let help = field.help();
            assert!(!help.is_empty() && !help.ends_with('.') && !help.contains("0.8999"), "{help}");
            let without = matches!(name.as_str(), "code" | "classes" | "epochs" | "lr-decay-epochs")
                || field.kind == Flag;
            assert_eq!(help.contains("[default: "), !without, "{help}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_as_they_were_written() {
        for (text, expected) in
            [("lr = 1e300", "1e300 does not fit"), ("momentum = 1e-300", "1e-300 does not fit")]
        {
            let error = Config::from_toml(text).map_err(|error| error.0);
            assert!(error.as_ref().is_err_and(|error| error.contains(expected)), "{error:?}");
        }
        let table = toml::Table::from_iter([("lr".to_owned(), 1e300.into())]);
        let error = Config::from_table(&table).map_err(|error| error.0);
        assert!(error.as_ref().is_err_and(|error| error.starts_with("lr: 1e300 does")), "{error:?}");
    }
}
