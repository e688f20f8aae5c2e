//! Grids of runs: settings × schemes × attacks × seeds.
//!
//! # What is promised
//! A grid means what its file says: a key that the axes decide is refused where it would be ignored, and no run is
//! there twice.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::config::text::one_line;
use super::config::{Config, ConfigError};

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
    /// Workers, the b that the code is made for, and, where it differs, the actual number of liars.
    pub settings: Vec<Setting>,
    /// Codes and aggregators, as in `algorithm1`, `bernoulli:r=2.5` (a draw for each seed), `bernoulli:r=2.5,seed=3`,
    /// `uncoded+median`, `uncoded+nnm+median`, `uncoded+bucketing:2+krum`.
    pub schemes: Vec<String>,
    /// Attacks; by default that of the base.
    #[serde(default)]
    pub attacks: Option<Vec<super::Attack>>,
    /// Seeds; by default that of the base.
    #[serde(default)]
    pub seeds: Option<Vec<u64>>,
    /// What all runs have in common. Bernoulli matrices are allowed without being verified.
    #[serde(default)]
    pub base: toml::Table,
    /// What a scheme has instead, by its name: a learning rate, most often.
    #[serde(default)]
    pub overrides: BTreeMap<String, toml::Table>,
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
}

impl Setting {
    /// Workers that lie.
    #[must_use]
    pub fn liars(&self) -> usize {
        self.byzantine.unwrap_or(self.b)
    }
}

/// One run of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridRun {
    /// Its folder's name, and its group's with the seed.
    pub name: String,
    /// The setting.
    pub setting: Setting,
    /// The scheme.
    pub scheme: String,
    /// The configuration.
    pub config: Config,
}

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

    /// Whether the axes are axes, and decide alone what they decide.
    fn check(&self) -> Result<(), ConfigError> {
        axis("settings", &self.settings, |setting| {
            format!("n = {}, b = {}, {} lie", setting.n, setting.b, setting.liars())
        })?;
        axis("schemes", &self.schemes, |scheme| format!("\"{scheme}\""))?;
        if let Some(attacks) = &self.attacks {
            axis("attacks", attacks, |attack| format!("\"{}\"", attack.name()))?;
        }
        if let Some(seeds) = &self.seeds {
            axis("seeds", seeds, ToString::to_string)?;
        }
        let axes = [("attack", self.attacks.is_some(), "attacks"), ("seed", self.seeds.is_some(), "seeds")];
        decided("base", &self.base, &axes)?;
        for (name, table) in &self.overrides {
            if !self.schemes.contains(name) {
                return Err(ConfigError(format!("overrides names '{name}', which is none of the schemes")));
            }
            let place = format!("overrides.\"{name}\"");
            // Every scheme runs under the same attacks and seeds: that is what a grid compares.
            decided(&place, table, &axes.map(|(key, _, axis)| (key, true, axis)))?;
            if name.contains('+') && table.contains_key("aggregator") {
                return Err(ConfigError(format!("{place}: the scheme names its aggregator already")));
            }
            if name.matches('+').count() > 1 && table.contains_key("pre-aggregation") {
                return Err(ConfigError(format!("{place}: the scheme names its pre-aggregation already")));
            }
        }
        Ok(())
    }

    /// All runs, in the order settings, schemes, attacks, seeds.
    ///
    /// # Errors
    /// [`ConfigError`] where the grid says something that it would not do, or a run's configuration is not one.
    pub fn runs(&self) -> Result<Vec<GridRun>, ConfigError> {
        self.check()?;
        let base = read(&self.base, "base")?;
        let attacks = self.attacks.clone().unwrap_or_else(|| vec![base.attack]);
        let seeds = self.seeds.clone().unwrap_or_else(|| vec![base.seed]);
        let mut runs = Vec::new();
        for &setting in &self.settings {
            for scheme in &self.schemes {
                for &attack in &attacks {
                    for &seed in &seeds {
                        runs.push(self.run(setting, scheme, attack, seed)?);
                    }
                }
            }
        }
        let mut named: HashMap<&str, &GridRun> = HashMap::new();
        for run in &runs {
            if let Some(other) = named.insert(&run.name, run) {
                let (one, two) = (&other.scheme, &run.scheme);
                return Err(ConfigError(format!(
                    "the schemes {one} and {two} would share the folder {}",
                    run.name
                )));
            }
        }
        Ok(runs)
    }

    fn run(
        &self,
        setting: Setting,
        scheme: &str,
        attack: super::Attack,
        seed: u64,
    ) -> Result<GridRun, ConfigError> {
        let Setting { n, b, byzantine } = setting;
        let mut table = self.base.clone();
        if let Some(overrides) = self.overrides.get(scheme) {
            change(&mut table, overrides);
        }
        let mut config = read(&table, scheme)?;
        let (code, rule) = scheme.split_once('+').map_or((scheme, None), |(code, rule)| (code, Some(rule)));
        if let Some(rule) = rule {
            // The last name is the aggregator; what stands before it comes before it.
            let (pre, aggregator) =
                rule.rsplit_once('+').map_or((None, rule), |(pre, name)| (Some(pre), name));
            let unknown = |error: toml::de::Error| ConfigError(format!("{scheme}: {}", error.message()));
            config.aggregator = toml::Value::from(aggregator).try_into().map_err(unknown)?;
            if let Some(pre) = pre {
                config.pre_aggregation = toml::Value::from(pre).try_into().map_err(unknown)?;
            }
        }
        let (name, rest) = code.split_once(':').unwrap_or((code, ""));
        config.code = match name {
            "uncoded" => format!("uncoded:n={n}"),
            // A draw for each seed, unless the scheme names one.
            "bernoulli" if !rest.contains("seed=") => format!("bernoulli:n={n},b={b},{rest},seed={seed}"),
            _ if rest.is_empty() => format!("{name}:n={n},b={b}"),
            _ => format!("{name}:n={n},b={b},{rest}"),
        };
        config.allow_unverified |= name == "bernoulli";
        config.byzantine = Some(setting.liars());
        (config.attack, config.seed) = (attack, seed);
        let actual = byzantine.map_or(String::new(), |actual| format!("-actual{actual}"));
        let plain = scheme.replace([':', '=', ','], "-");
        let name = format!("n{n}-b{b}{actual}/{plain}/{}/seed{seed}", attack.name());
        Ok(GridRun { name, setting, scheme: scheme.to_owned(), config })
    }
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
        if table.contains_key(key) {
            return Err(ConfigError(format!("{place}: {key} has no effect here, {axis} decides it")));
        }
    }
    for &(key, given, axis) in axes {
        if given && table.contains_key(key) {
            return Err(ConfigError(format!("{place}: {key} has no effect here, {axis} decides it")));
        }
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
                "settings has n = 5, b = 1, 1 lie twice",
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
