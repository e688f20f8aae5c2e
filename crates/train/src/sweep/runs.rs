//! The runs of a grid, each with its folder's name and its configuration.

use std::collections::{BTreeMap, HashMap};

use super::{Grid, Setting, change, read};
use crate::Attack;
use crate::config::{Config, ConfigError};

/// Values of some keys of a configuration, as a table shows them: in the order of the keys.
pub type Values = Vec<(String, String)>;

/// One run of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridRun {
    /// Its folder's name, and its group's with the seed.
    pub name: String,
    /// The setting.
    pub setting: Setting,
    /// The values of the axes.
    pub axes: Values,
    /// The scheme.
    pub scheme: String,
    /// The values of what the scheme chooses from; none where it has no choice.
    pub choice: Values,
    /// The configuration.
    pub config: Config,
}

/// One of the combinations of values: the same as a table.
type Point = (Values, toml::Table);

impl Grid {
    /// All runs, in the order settings, axes, schemes, choices, attacks, seeds. A scheme with choices is run with each of
    /// them, with the seeds for tuning; [`Self::chosen`] gives the others.
    ///
    /// # Errors
    /// [`ConfigError`] where the grid says something that it would not do, or a run's configuration is not one.
    pub fn runs(&self) -> Result<Vec<GridRun>, ConfigError> {
        self.expand(|_, _, scheme, point| {
            let tuned = !point.0.is_empty() && self.tuned(scheme).is_some();
            Some(if tuned { self.tune_seeds.as_ref().or(self.seeds.as_ref()) } else { self.seeds.as_ref() })
        })
    }

    /// The runs of the schemes with what was chosen for them, `chosen` saying whether it was, with all seeds.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub fn chosen(
        &self,
        chosen: impl Fn(Setting, &Values, &str, &Values) -> bool,
    ) -> Result<Vec<GridRun>, ConfigError> {
        self.expand(|setting, axes, scheme, point| {
            (self.tuned(scheme).is_none() || chosen(setting, axes, scheme, &point.0))
                .then_some(self.seeds.as_ref())
        })
    }

    /// The runs with the seeds that `seeds` gives for a setting, the axes' values, a scheme and a choice.
    fn expand<'a>(
        &'a self,
        seeds: impl Fn(Setting, &Values, &str, &Point) -> Option<Option<&'a Vec<u64>>>,
    ) -> Result<Vec<GridRun>, ConfigError> {
        self.check()?;
        let base = read(&self.base, "base")?;
        let attacks = self.attacks.clone().unwrap_or_else(|| vec![base.attack]);
        let mut runs = Vec::new();
        for &setting in &self.settings {
            for axes in points(&self.axes) {
                for scheme in &self.schemes {
                    for point in
                        self.tuned(scheme).map_or_else(|| vec![Point::default()], |tune| points(&tune.values))
                    {
                        let Some(seeds) = seeds(setting, &axes.0, scheme, &point) else { continue };
                        for &attack in &attacks {
                            for &seed in seeds.unwrap_or(&vec![base.seed]) {
                                runs.push(self.run(setting, &axes, scheme, &point, (attack, seed))?);
                            }
                        }
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
        axes: &Point,
        scheme: &str,
        choice: &Point,
        (attack, seed): (Attack, u64),
    ) -> Result<GridRun, ConfigError> {
        let Setting { n, b, byzantine, declared } = setting;
        let mut table = self.base.clone();
        for changes in [self.overrides.get(scheme), Some(&axes.1), Some(&choice.1)].into_iter().flatten() {
            change(&mut table, changes);
        }
        let mut config = read(&table, scheme)?;
        let (joined, _) = scheme.split_once('@').unwrap_or((scheme, ""));
        let (code, rule) = joined.split_once('+').map_or((joined, None), |(code, rule)| (code, Some(rule)));
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
        if config.rule().takes_declared() {
            config.declared_byzantine = declared.or(config.declared_byzantine);
        }
        (config.attack, config.seed) = (attack, seed);
        let number =
            |what: &str, value: Option<usize>| value.map_or(String::new(), |value| format!("-{what}{value}"));
        let numbers = number("actual", byzantine) + &number("declared", declared);
        let name = format!(
            "n{n}-b{b}{numbers}/{}{}/{}{}/seed{seed}",
            folder(&axes.0),
            plain(scheme),
            folder(&choice.0),
            attack.name()
        );
        let (axes, choice) = (axes.0.clone(), choice.0.clone());
        Ok(GridRun { name, setting, axes, scheme: scheme.to_owned(), choice, config })
    }
}

/// All combinations of one value for each key.
fn points(values: &BTreeMap<String, Vec<toml::Value>>) -> Vec<Point> {
    values.iter().fold(vec![Point::default()], |points, (key, values)| {
        let with = |(shown, table): &Point, value: &toml::Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let (mut shown, mut table) = (shown.clone(), table.clone());
            shown.push((key.clone(), text));
            table.insert(key.clone(), value.clone());
            (shown, table)
        };
        points.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect()
    })
}

/// The folder of some values, with its slash; nothing where there are none.
fn folder(values: &Values) -> String {
    let parts: Vec<String> = values.iter().map(|(key, value)| plain(&format!("{key}={value}"))).collect();
    if parts.is_empty() { String::new() } else { parts.join(",") + "/" }
}

/// A name that every file system takes.
fn plain(name: &str) -> String {
    name.replace([':', '=', ',', '/', '@', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: &str = "settings = [{ n = 5, b = 1 }, { n = 5, b = 1, byzantine = 2, declared = 1 }]\n\
        schemes = [\"best\", \"uncoded@large\", \"uncoded+trimmed-mean\", \"uncoded+median\"]\n\
        attacks = [\"reverse\", \"omniscient\"]\nseeds = [0, 1, 2]\ntune-seeds = [7]\n\
        [base]\nvalidation = 0.1\nsteps = 9\n[overrides.\"uncoded@large\"]\nbatch = 64\n\
        [axes]\ngradient-noise = [0.0, 0.5]\n\
        [[tune]]\nschemes = [\"best\", \"uncoded@large\"]\nlr = [0.001, 0.01]\nmomentum-at = [\"server\", \"worker\"]\n\
        [[tune]]\nschemes = [\"uncoded+trimmed-mean\"]\nlr = [0.1]\n";

    fn grid() -> Grid {
        Grid::from_toml(GRID).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every choice with the seeds for tuning, under every attack and value of the axes; a scheme without a choice with all.
    #[test]
    fn every_choice_is_tried() {
        let runs = grid().runs().unwrap_or_else(|error| panic!("{error}"));
        // Two settings, two axis values, two attacks; 4 + 4 + 1 choices with one seed, and one scheme with three.
        assert_eq!(runs.len(), 2 * 2 * 2 * (4 + 4 + 1 + 3));
        assert_eq!(runs[0].name, "n5-b1/gradient-noise-0.0/best/lr-0.001,momentum-at-server/reverse/seed7");
        let large = runs.iter().find(|run| run.scheme == "uncoded@large").map(|run| &run.config);
        assert_eq!(large.map(|config| (config.code.as_str(), config.batch)), Some(("uncoded:n=5", 64)));
        let told: Vec<_> = runs.iter().filter(|run| run.setting.declared.is_some()).collect();
        assert!(told[0].name.starts_with("n5-b1-actual2-declared1/"), "{}", told[0].name);
        for run in told {
            let asks = run.scheme == "uncoded+trimmed-mean";
            assert_eq!(run.config.declared_byzantine, asks.then_some(1), "{}", run.name);
            assert_eq!(run.config.byzantine, Some(2));
        }
    }

    /// What was chosen is run with all seeds, and nothing else of what was tried.
    #[test]
    fn what_was_chosen_is_run_with_all_seeds() {
        let last = |choice: &Values| {
            choice.iter().all(|(_, value)| ["0.01", "worker", "0.1"].contains(&value.as_str()))
        };
        let runs = grid().chosen(|_, _, _, choice| last(choice)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(runs.len(), 2 * 2 * 2 * 4 * 3);
        assert!(runs.iter().filter(|run| run.scheme == "best").all(|run| run.config.lr == Some(0.01)));
    }
}
