//! Whether a configuration can be run with a code on some data, and for how long it then runs.

use super::text::plain;
use super::{Config, ConfigError, MomentumAt, OnExcess, Scheme};
use crate::aggregate::{Aggregator, PreAggregation};
use crate::attack::ByzantineSet;
use crate::random::STEPS;
use ecode_core::{AllocationMatrix, Workers};
use ecode_server::reactive::{Budget, Drift};

/// How long a run is, in steps; what was said in epochs is worked out anew for each code and each data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Steps to train.
    pub steps: u64,
    /// Steps in a pass over the training set: whole batches, what remains is left out.
    pub per_epoch: u64,
    /// Steps between two tests of the model.
    pub evaluate_every: u64,
}

impl Config {
    /// The configuration with the number of liars filled in from the code's b, and the place of momentum, where
    /// nothing was said. `samples` are those that are trained on.
    ///
    /// # Errors
    /// [`ConfigError`] where the configuration cannot be run with this matrix and so many samples.
    pub fn settle(
        mut self,
        g: &AllocationMatrix,
        b: Option<usize>,
        samples: usize,
    ) -> Result<Self, ConfigError> {
        self.byzantine.get_or_insert(b.unwrap_or(0));
        self.join_as_the_scheme()?;
        if self.momentum_at == MomentumAt::Auto {
            let alone = self.scheme == Scheme::Vote && g.worker_loads().into_iter().all(|load| load <= 1);
            let workers = self.aggregator != Aggregator::Vote || alone;
            self.momentum_at = if workers { MomentumAt::Worker } else { MomentumAt::Server };
        }
        self.check_numbers()?;
        self.check_sizes(g, samples)?;
        self.check_workers(g)?;
        self.check_rules(g)?;
        self.check_scheme(g)?;
        Ok(self)
    }

    /// How long a run is with k partitions and so many training samples.
    ///
    /// # Errors
    /// [`ConfigError`] where the length is said twice, or is no length.
    pub fn schedule(&self, k: usize, samples: usize) -> Result<Schedule, ConfigError> {
        let per_epoch = (samples / (k * self.samples_per_partition()).max(1)).max(1) as u64;
        let steps = match (self.steps, self.epochs) {
            (Some(_), Some(_)) => {
                return fail("steps and epochs both say how long to train: give one".into());
            }
            (steps, None) => steps.unwrap_or(500),
            (None, Some(epochs)) if epochs > 0.0 && epochs <= 1e6 => {
                (epochs * per_epoch as f64).round().max(1.0) as u64
            }
            (None, Some(epochs)) => {
                return fail(format!("epochs is {}; expected above 0, at most 1e6", plain(epochs)));
            }
        };
        if !(1..STEPS).contains(&steps) {
            return fail(format!("steps is {steps}; expected 1 to {}", STEPS - 1));
        }
        let often = (steps / 20).max(1);
        let often = if self.epochs.is_some() { often.min(per_epoch) } else { often };
        Ok(Schedule { steps, per_epoch, evaluate_every: self.evaluate_every.unwrap_or(often) })
    }

    fn check_sizes(&self, g: &AllocationMatrix, samples: usize) -> Result<(), ConfigError> {
        if !(self.batch_reduction > 0.0 && self.batch_reduction <= 1.0) {
            let share = plain(self.batch_reduction);
            return fail(format!("batch-reduction is {share}; expected above 0, at most 1"));
        }
        let (k, each) = (g.k(), self.samples_per_partition());
        if each == 0 || each.checked_mul(k).is_none_or(|batch| batch > samples) {
            return fail(format!(
                "{k} partitions of {each} samples a step; the data has {samples} to train on; \
                 expected 1 to {} a partition (batch × batch-reduction)",
                samples / k
            ));
        }
        if self.evaluate_every == Some(0) || self.checkpoint_every == Some(0) {
            return fail("evaluate-every and checkpoint-every count steps; expected at least 1".into());
        }
        self.schedule(k, samples).map(|_| ())
    }

    fn check_numbers(&self) -> Result<(), ConfigError> {
        /// A number of single precision, as it was written.
        fn shortest(value: f32) -> f64 {
            value.to_string().parse().unwrap_or(f64::from(value))
        }
        for (name, value, least) in [
            ("momentum", shortest(self.momentum), 0.0),
            ("weight-decay", shortest(self.weight_decay), 0.0),
            ("gradient-noise", self.gradient_noise, 0.0),
            ("lr", shortest(self.learning_rate(0.0)), f64::MIN_POSITIVE),
            ("attack-scale", shortest(self.scale()), 0.0),
            ("clip-radius", shortest(self.clip_radius), f64::MIN_POSITIVE),
            ("bandwidth", self.bandwidth, 1.0),
        ] {
            if !(value >= least && value.is_finite()) {
                let expected = match least {
                    0.0 => "0 or more",
                    1.0 => "1 or more",
                    _ => "above 0",
                };
                return fail(format!("{name} is {}; expected {expected}", plain(value)));
            }
        }
        if !(self.validation >= 0.0 && self.validation < 1.0) {
            let share = plain(self.validation);
            return fail(format!("validation is {share}; expected 0 or more, below 1"));
        }
        if self.momentum >= 1.0 {
            return fail(format!("momentum is {}; expected below 1", plain(shortest(self.momentum))));
        }
        if let Some(epoch) = self.lr_decay_epochs.iter().find(|epoch| !(**epoch >= 0.0 && epoch.is_finite()))
        {
            return fail(format!("lr-decay-epochs has {}; expected 0 or more", plain(*epoch)));
        }
        if self.seed > i64::MAX as u64 {
            return fail(format!("seed is {}; a TOML file holds at most {}", self.seed, i64::MAX));
        }
        Ok(())
    }

    fn check_workers(&self, g: &AllocationMatrix) -> Result<(), ConfigError> {
        let n = g.n();
        if self.liars() > n {
            return fail(format!("byzantine is {}; there are {n} workers", self.liars()));
        }
        if let ByzantineSet::List(workers) = &self.byzantine_set {
            let mut sorted = workers.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let different = sorted.len() == workers.len() && sorted.len() == self.liars();
            if !different || sorted.last().is_some_and(|&last| last >= n) {
                return fail(format!(
                    "byzantine-set is {}; expected {} different workers of 0 to {}",
                    self.byzantine_set,
                    self.liars(),
                    n - 1
                ));
            }
        }
        self.check_domains(n)
    }

    /// Liars are whole domains, where domains are named.
    fn check_domains(&self, n: usize) -> Result<(), ConfigError> {
        if self.scheme != Scheme::Vote && self.domains.is_some() {
            let scheme = self.scheme.name();
            return fail(format!(
                "scheme {scheme} settles lies by counting workers; domains belong to votes"
            ));
        }
        let Some(domains) = self.failure_domains(n)? else { return Ok(()) };
        let liars = match &self.byzantine_set {
            ByzantineSet::List(workers) => Workers::from_indices(n, workers.iter().copied()),
            _ if self.liars() == 0 => Workers::empty(n),
            other => {
                return fail(format!(
                    "byzantine-set is {other}; with domains the liars are a list of workers, whole domains of them"
                ));
            }
        };
        let whole = domains.members_of(&domains.touched(&liars));
        if whole != liars {
            return fail(format!(
                "byzantine-set is {}; with domains whole domains lie, which would be workers {whole}",
                self.byzantine_set
            ));
        }
        Ok(())
    }

    fn check_rules(&self, g: &AllocationMatrix) -> Result<(), ConfigError> {
        let votes = self.aggregator == Aggregator::Vote && !self.scheme.takes_files();
        if !votes && self.audit {
            return fail("audit compares votes; it needs the aggregator vote".into());
        }
        if let Some(declared) = self.declared_byzantine
            && !self.rule().takes_declared()
        {
            let told = Aggregator::ALL.iter().filter(|rule| rule.takes_declared()).map(|rule| rule.name());
            let told = told.collect::<Vec<_>>().join(", ");
            return fail(format!(
                "declared-byzantine is {declared}; the aggregator {} asks for no number (nnm, {told} do)",
                self.rule().name()
            ));
        }
        if self.clip_radius.to_bits() != Self::default().clip_radius.to_bits()
            && self.aggregator != Aggregator::CenteredClipping
        {
            return fail("clip-radius belongs to the aggregator centered-clipping".into());
        }
        if !votes && !g.empty_workers().is_empty() {
            return fail(format!(
                "workers {} hold no partition, so have no gradient to send",
                g.empty_workers()
            ));
        }
        // Of files the rule has one vector each.
        let vectors = if self.scheme.takes_files() { g.k() } else { g.n() };
        self.rule().unfit(vectors).map_or(Ok(()), fail)
    }
}

impl Config {
    /// b of a scheme, as the matrix or the configuration has it.
    #[must_use]
    pub fn provides_for(&self, b: Option<usize>) -> usize {
        self.b.or(b).unwrap_or(0)
    }

    /// A scheme of the literature says how files are joined.
    fn join_as_the_scheme(&mut self) -> Result<(), ConfigError> {
        let Some(joins) = self.scheme.joins() else { return Ok(()) };
        let said = (self.aggregator, self.pre_aggregation);
        if said != joins && said != (Aggregator::Vote, PreAggregation::None) {
            let scheme = self.scheme.name();
            (self.aggregator, self.pre_aggregation) = joins;
            let name = self.rule().name();
            return fail(format!("scheme {scheme} joins files by {name}; filevote takes any aggregator"));
        }
        (self.aggregator, self.pre_aggregation) = joins;
        Ok(())
    }

    /// Whether a majority can be taken for each file.
    fn check_files(&self, g: &AllocationMatrix) -> Result<(), ConfigError> {
        if self.scheme == Scheme::Detox && g.worker_loads().iter().any(|&load| load != 1) {
            return fail("scheme detox has groups of workers with one file each, as groups:n=15,r=3".into());
        }
        match g.partition_loads().iter().position(|&copies| copies == 0) {
            Some(file) if self.scheme.takes_files() => {
                fail(format!("no worker holds partition {file}, so it has no majority"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a scheme can be run, and whether what is said belongs to one.
    fn check_scheme(&self, g: &AllocationMatrix) -> Result<(), ConfigError> {
        let scheme = self.scheme.name();
        let default = Self::default();
        if !self.scheme.detects() {
            let of_schemes = [
                ("n", self.n.is_some()),
                ("b", self.b.is_some()),
                ("k", self.k.is_some()),
                ("adversary", self.adversary != default.adversary),
                ("budget", self.budget != default.budget),
                ("spare", self.spare != default.spare),
                ("classes", self.classes != default.classes),
                ("drift", self.drift != default.drift),
                ("window", self.window != default.window),
                ("referee", self.referee != default.referee),
                ("on-excess code:…", matches!(self.on_excess, OnExcess::Code(_))),
            ];
            return match of_schemes.iter().find(|(_, given)| *given) {
                Some((name, _)) => {
                    fail(format!("{name} belongs to the schemes that detect lies; scheme is {scheme}"))
                }
                None => self.check_files(g),
            };
        }
        if self.aggregator != Aggregator::Vote {
            let other = self.aggregator.name();
            return fail(format!("scheme {scheme} takes signs; the aggregator {other} has none"));
        }
        if self.attack.makes_gradient() {
            return fail(format!(
                "scheme {scheme} takes signs of partitions; attack {} makes gradients of workers",
                self.attack.name()
            ));
        }
        if self.momentum_at == MomentumAt::Worker {
            return fail(format!(
                "scheme {scheme} keeps momentum at the server: a helper does not have another worker's momentum"
            ));
        }
        if g.k() % 2 == 0 {
            return fail(format!("k is {}; expected an odd number, so that no majority ties", g.k()));
        }
        if self.budget == Budget::Total && self.byzantine_set == ByzantineSet::RandomPerStep {
            return fail(
                "budget total counts liars of the whole run; byzantine-set random-per-step has others in \
                         each step"
                    .into(),
            );
        }
        if self.scheme == Scheme::Checked && self.byzantine_set == ByzantineSet::RandomPerStep {
            return fail(
                "scheme checked promises for b liars of the whole run; byzantine-set random-per-step has \
                         others in each step"
                    .into(),
            );
        }
        if self.scheme == Scheme::Checked && self.spare > 0 {
            return fail(format!(
                "spare is {}; scheme checked has none: risk says how many check",
                self.spare
            ));
        }
        if self.window == 0 {
            return fail("window is 0; expected 1 or more steps".into());
        }
        if self.drift != Drift::None && (self.scheme != Scheme::Reactive || self.window > 1 || self.spare > 0)
        {
            return fail(
                "drift is for scheme reactive with window 1 and without spare holders: others send shares, or late \
                 digests, which cannot be compared"
                    .into(),
            );
        }
        if self.scheme == Scheme::OneRound && self.window > 1 {
            return fail("scheme one-round leaves no step open; expected window 1".into());
        }
        if !(self.risk > 0.0 && self.risk < 1.0) {
            return fail(format!("risk is {}; expected above 0 and below 1", plain(self.risk)));
        }
        Ok(())
    }
}

fn fail<T>(text: String) -> Result<T, ConfigError> {
    Err(ConfigError(text))
}
