//! Grids of runs: settings × axes × schemes × choices × attacks × seeds.
//!
//! # What is promised
//! - A grid means what its file says: a key that the axes decide is refused where it would be ignored, and no run is
//!   there twice.
//! - Where a scheme has choices, one is made by the validation samples under the attack that is worst for it (`choice`).
//!   Nothing is chosen by the test samples.

mod choice;
mod runs;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config::text::one_line;
use super::config::{Config, ConfigError};

pub use choice::{Choice, Validated, choices};
pub use runs::{GridRun, Values};

/// A grid, as its TOML file holds it.
///
/// ```
/// let grid = ecode_train::sweep::Grid::from_toml(r#"
///     settings = [{ n = 5, b = 1 }, { n = 9, b = 2 }]
///     schemes = ["algorithm1", "bernoulli:r=2", "uncoded", "uncoded+median"]
///     seeds = [0, 1, 2]
///     [base]
///     data = "synthetic"
///     steps = 100
/// "#)?;
/// let runs = grid.runs()?;
/// assert_eq!(runs.len(), 2 * 4 * 3);
/// assert_eq!(runs[0].name, "n5-b1/algorithm1/reverse/seed0");
/// assert_eq!(runs[0].config.code, "algorithm1:n=5,b=1");
/// assert_eq!(runs[3].config.code, "bernoulli:n=5,b=1,r=2,seed=0");
/// # Ok::<(), ecode_train::ConfigError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Workers, the b that the code is made for, and, where they differ, how many lie and how many an aggregator is told of.
    pub settings: Vec<Setting>,
    /// Codes and aggregators, as in `algorithm1`, `bernoulli:r=2.5` (a draw for each seed), `bernoulli:r=2.5,seed=3`,
    /// `uncoded+median`, `uncoded+nnm+median`, `uncoded+bucketing:2+krum`, `uncoded@large` (a name after `@` tells schemes
    /// apart that differ in their overrides).
    pub schemes: Vec<String>,
    /// Attacks; by default that of the base.
    #[serde(default)]
    pub attacks: Option<Vec<super::Attack>>,
    /// Seeds; by default that of the base.
    #[serde(default)]
    pub seeds: Option<Vec<u64>>,
    /// The seeds with which choices are tried; by default all.
    #[serde(default, rename = "tune-seeds")]
    pub tune_seeds: Option<Vec<u64>>,
    /// What all runs have in common. Bernoulli matrices are allowed without being verified.
    #[serde(default)]
    pub base: toml::Table,
    /// What a scheme has instead, by its name.
    #[serde(default)]
    pub overrides: BTreeMap<String, toml::Table>,
    /// Keys of a configuration with the values that every scheme meets: a table of results for each combination.
    #[serde(default)]
    pub axes: BTreeMap<String, Vec<toml::Value>>,
    /// Keys of a configuration with values of which each scheme gets those that serve it best.
    #[serde(default)]
    pub tune: Vec<Tune>,
}

/// Values that some schemes choose from.
#[derive(Clone, Debug, Deserialize)]
pub struct Tune {
    /// These schemes; by default all that no other names.
    #[serde(default)]
    pub schemes: Option<Vec<String>>,
    /// The keys with their values.
    #[serde(flatten)]
    pub values: BTreeMap<String, Vec<toml::Value>>,
}

/// One setting of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Workers.
    pub n: usize,
    /// The b that the code is made for.
    pub b: usize,
    /// Workers that lie; b by default.
    pub byzantine: Option<usize>,
    /// Liars that aggregators are told of which ask for a number; those that lie by default.
    pub declared: Option<usize>,
}

impl Setting {
    /// Workers that lie.
    #[must_use]
    pub fn liars(&self) -> usize {
        self.byzantine.unwrap_or(self.b)
    }

    /// Liars that aggregators are told of.
    #[must_use]
    pub fn told(&self) -> usize {
        self.declared.unwrap_or(self.liars())
    }
}

/// Keys that something else in a grid decides.
const DECIDED: [(&str, &str); 4] = [
    ("code", "schemes"),
    ("aggregator", "schemes"),
    ("byzantine", "settings"),
    ("declared-byzantine", "settings"),
];

impl Grid {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ConfigError`] with the line, or with the key that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let grid: Self = toml::from_str(text).map_err(|error| ConfigError(one_line(&error, text)))?;
        grid.check()?;
        Ok(grid)
    }

    /// What a scheme chooses from; nothing where it has no choice.
    fn tuned(&self, scheme: &str) -> Option<&Tune> {
        let names =
            |tune: &&Tune| tune.schemes.as_ref().is_some_and(|names| names.iter().any(|name| name == scheme));
        self.tune.iter().find(names).or_else(|| self.tune.iter().find(|tune| tune.schemes.is_none()))
    }

    /// Whether the axes are axes, and decide alone what they decide.
    fn check(&self) -> Result<(), ConfigError> {
        axis("settings", &self.settings, |setting| {
            let Setting { n, b, .. } = setting;
            format!("n = {n}, b = {b}, {} lie, {} declared", setting.liars(), setting.told())
        })?;
        axis("schemes", &self.schemes, |scheme| format!("\"{scheme}\""))?;
        if let Some(attacks) = &self.attacks {
            axis("attacks", attacks, |attack| format!("\"{}\"", attack.name()))?;
        }
        for (name, seeds) in [("seeds", &self.seeds), ("tune-seeds", &self.tune_seeds)] {
            if let Some(seeds) = seeds {
                axis(name, seeds, ToString::to_string)?;
            }
        }
        let axes = [("attack", self.attacks.is_some(), "attacks"), ("seed", self.seeds.is_some(), "seeds")];
        decided("base", &self.base, &axes)?;
        // Every scheme runs under the same attacks and seeds: that is what a grid compares.
        let always = axes.map(|(key, _, axis)| (key, true, axis));
        for (name, table) in &self.overrides {
            if !self.schemes.contains(name) {
                return Err(ConfigError(format!("overrides names '{name}', which is none of the schemes")));
            }
            let place = format!("overrides.\"{name}\"");
            decided(&place, table, &always)?;
            if name.contains('+') && table.contains_key("aggregator") {
                return Err(ConfigError(format!("{place}: the scheme names its aggregator already")));
            }
            if name.matches('+').count() > 1 && table.contains_key("pre-aggregation") {
                return Err(ConfigError(format!("{place}: the scheme names its pre-aggregation already")));
            }
            let chosen = self.tuned(name).into_iter().flat_map(|tune| tune.values.keys());
            for (key, by) in self.axes.keys().map(|key| (key, "axes")).chain(chosen.map(|key| (key, "tune")))
            {
                unsaid(&place, table, key, by)?;
            }
        }
        check_values("axes", &self.axes)?;
        for key in self.axes.keys() {
            unsaid("base", &self.base, key, "axes")?;
        }
        self.check_tune()
    }

    fn check_tune(&self) -> Result<(), ConfigError> {
        if self.tune.is_empty() {
            return match self.tune_seeds {
                Some(_) => {
                    Err(ConfigError("tune-seeds is given, but there is no [[tune]] to choose from".into()))
                }
                None => Ok(()),
            };
        }
        let mut named: Vec<&String> = Vec::new();
        for tune in &self.tune {
            check_values("tune", &tune.values)?;
            if let Some(key) = tune.values.keys().find(|key| self.axes.contains_key(*key)) {
                return Err(ConfigError(format!("tune: {key} is one of the axes")));
            }
            for name in tune.schemes.iter().flatten() {
                if !self.schemes.contains(name) {
                    return Err(ConfigError(format!("tune names '{name}', which is none of the schemes")));
                }
                if named.contains(&name) {
                    return Err(ConfigError(format!("tune names '{name}' twice")));
                }
                named.push(name);
            }
        }
        if self.tune.iter().filter(|tune| tune.schemes.is_none()).count() > 1 {
            return Err(ConfigError("two [[tune]] name no schemes: which of them is for the rest?".into()));
        }
        let everywhere = |key: &str| {
            self.schemes
                .iter()
                .all(|scheme| self.tuned(scheme).is_some_and(|tune| tune.values.contains_key(key)))
        };
        if let Some(key) = self.base.keys().find(|key| everywhere(key)) {
            return Err(ConfigError(format!("base: {key} has no effect here, tune decides it")));
        }
        let held_out = |table: &toml::Table| {
            table.get("validation").is_some_and(|share| *share != toml::Value::Float(0.0))
        };
        if !held_out(&self.base) {
            return Err(ConfigError(
                "tune chooses by samples that are held out: give [base] a validation, as in validation = 0.1"
                    .into(),
            ));
        }
        Ok(())
    }
}

/// Whether values of a configuration's keys are ones that a grid may vary.
fn check_values(place: &str, values: &BTreeMap<String, Vec<toml::Value>>) -> Result<(), ConfigError> {
    for (key, values) in values {
        axis(&format!("{place}: {key}"), values, ToString::to_string)?;
        let by = [("attack", "attacks"), ("seed", "seeds"), ("validation", "base")];
        if let Some((_, by)) = DECIDED.iter().chain(&by).find(|(decided, _)| decided == key) {
            return Err(ConfigError(format!("{place}: {key} has no effect here, {by} decides it")));
        }
        for value in values {
            read(&toml::Table::from_iter([(key.clone(), value.clone())]), place)?;
        }
    }
    Ok(())
}

/// Refuses an axis without values, and one with a value twice, which would count as two samples.
fn axis<T>(name: &str, values: &[T], shown: impl Fn(&T) -> String) -> Result<(), ConfigError> {
    if values.is_empty() {
        return Err(ConfigError(format!("{name} is empty: give at least one, or leave {name} out")));
    }
    let mut seen = Vec::new();
    for value in values.iter().map(shown) {
        if seen.contains(&value) {
            return Err(ConfigError(format!("{name} has {value} twice")));
        }
        seen.push(value);
    }
    Ok(())
}

/// Refuses keys that the axes decide.
fn decided(place: &str, table: &toml::Table, axes: &[(&str, bool, &str)]) -> Result<(), ConfigError> {
    for (key, axis) in [("code", "schemes"), ("byzantine", "settings")] {
        unsaid(place, table, key, axis)?;
    }
    for &(key, given, axis) in axes {
        if given {
            unsaid(place, table, key, axis)?;
        }
    }
    Ok(())
}

/// Refuses a key where something else decides it.
fn unsaid(place: &str, table: &toml::Table, key: &str, by: &str) -> Result<(), ConfigError> {
    if table.contains_key(key) {
        return Err(ConfigError(format!("{place}: {key} has no effect here, {by} decides it")));
    }
    Ok(())
}

/// Puts values over others. How long to train is one value with two names.
pub(super) fn change(table: &mut toml::Table, changes: &toml::Table) {
    if changes.contains_key("steps") || changes.contains_key("epochs") {
        table.remove("steps");
        table.remove("epochs");
    }
    table.extend(changes.clone());
}

fn read(table: &toml::Table, name: &str) -> Result<Config, ConfigError> {
    Config::from_table(table).map_err(|ConfigError(error)| ConfigError(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXES: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"best\", \"uncoded\"]\n";

    fn runs(text: &str) -> Result<Vec<GridRun>, String> {
        Grid::from_toml(text).and_then(|grid| grid.runs()).map_err(|error| error.0)
    }

    /// What a grid says and would not do is refused by name.
    #[test]
    fn nothing_that_a_grid_says_is_ignored() {
        for (more, expected) in [
            ("[base]\nbyzantine = 2", "base: byzantine has no effect here, settings decides it"),
            ("[base]\ncode = \"full:n=5\"", "base: code has no effect here, schemes decides it"),
            (
                "attacks = [\"reverse\"]\n[base]\nattack = \"none\"",
                "base: attack has no effect here, attacks",
            ),
            ("seeds = [1]\n[base]\nseed = 2", "base: seed has no effect here, seeds"),
            ("[overrides.uncoded]\nbyzantine = 2", "overrides.\"uncoded\": byzantine has no effect"),
            ("[overrides.uncoded]\nseed = 2", "overrides.\"uncoded\": seed has no effect"),
            ("[overrides.uncoded]\nattack = \"none\"", "overrides.\"uncoded\": attack has no effect"),
            ("[overrides.uncoded]\ncode = \"full:n=5\"", "overrides.\"uncoded\": code has no effect"),
            ("seeds = []", "seeds is empty"),
            ("attacks = []", "attacks is empty"),
            ("seeds = [0, 1, 0]", "seeds has 0 twice"),
            ("attacks = [\"reverse\", \"reverse\"]", "attacks has \"reverse\" twice"),
            ("[overrides.other]\nlr = 1.0", "overrides names 'other'"),
        ] {
            let error = runs(&format!("{AXES}{more}\n"));
            assert!(error.as_ref().is_err_and(|error| error.starts_with(expected)), "{more}: {error:?}");
        }
        for (text, expected) in [
            ("settings = []\nschemes = [\"best\"]", "settings is empty"),
            ("settings = [{ n = 5, b = 1 }]\nschemes = []", "schemes is empty"),
            ("settings = [{ n = 5, b = 1 }]\nschemes = [\"best\", \"best\"]", "schemes has \"best\" twice"),
            // The same setting in two spellings.
            (
                "settings = [{ n = 5, b = 1 }, { n = 5, b = 1, byzantine = 1 }]\nschemes = [\"best\"]",
                "settings has n = 5, b = 1, 1 lie, 1 declared twice",
            ),
            (
                "settings = [{ n = 5, b = 1 }]\nschemes = [\"bernoulli:r=2\", \"bernoulli-r=2\"]",
                "the schemes bernoulli:r=2 and bernoulli-r=2 would share the folder",
            ),
        ] {
            let error = runs(text);
            assert!(error.as_ref().is_err_and(|error| error.starts_with(expected)), "{text}: {error:?}");
        }
    }

    /// A scheme names its code, what comes before the aggregator, and the aggregator.
    #[test]
    fn schemes_name_pre_aggregation_and_aggregator() -> Result<(), String> {
        use crate::aggregate::{Aggregator, PreAggregation};
        let text = "settings = [{ n = 9, b = 2 }]\nschemes = [\"uncoded+nnm+median\", \
                    \"cyclic:r=3+bucketing:2+trimmed-mean\", \"uncoded+krum\"]\n";
        let all = runs(text)?;
        let rules: Vec<_> = all.iter().map(|run| run.config.rule().name()).collect();
        assert_eq!(rules, ["nnm+median", "bucketing:2+trimmed-mean", "krum"]);
        assert_eq!(all[0].name, "n9-b2/uncoded+nnm+median/reverse/seed0");
        assert_eq!(all[1].name, "n9-b2/cyclic-r-3+bucketing-2+trimmed-mean/reverse/seed0");
        assert_eq!(
            (all[1].config.aggregator, all[1].config.pre_aggregation),
            (Aggregator::TrimmedMean, PreAggregation::Bucketing(2))
        );
        for (scheme, expected) in [
            ("uncoded+nnm", "uncoded+nnm: unknown variant `nnm`"),
            ("uncoded+mixing+median", "uncoded+mixing+median: unknown pre-aggregation 'mixing'"),
        ] {
            let error = runs(&format!("settings = [{{ n = 5, b = 1 }}]\nschemes = [\"{scheme}\"]"));
            assert!(error.as_ref().is_err_and(|error| error.starts_with(expected)), "{error:?}");
        }
        let twice = "[overrides.\"uncoded+nnm+median\"]\npre-aggregation = \"nnm\"\n";
        let error = runs(&format!("{text}{twice}"));
        assert!(error.is_err_and(|error| error.contains("names its pre-aggregation already")));
        Ok(())
    }

    /// A base says attack and seed where no axis does, and an override may say the length otherwise.
    #[test]
    fn what_no_axis_decides_the_base_does() -> Result<(), String> {
        let more = "[base]\nattack = \"random\"\nseed = 7\nepochs = 2.0\n[overrides.uncoded]\nsteps = 9\n";
        let runs = runs(&format!("{AXES}{more}"))?;
        assert_eq!(runs[0].name, "n5-b1/best/random/seed7");
        assert_eq!((runs[0].config.epochs, runs[0].config.steps), (Some(2.0), None));
        assert_eq!((runs[1].config.epochs, runs[1].config.steps), (None, Some(9)));
        Ok(())
    }
}
