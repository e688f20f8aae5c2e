//! Grids of runs: settings × schemes × attacks × seeds.

use serde::Deserialize;

use super::config::{Config, ConfigError, one_line};

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
    /// `uncoded+median`.
    pub schemes: Vec<String>,
    /// Attacks; by default that of the base.
    #[serde(default)]
    pub attacks: Vec<super::Attack>,
    /// Seeds; by default that of the base.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// What all runs have in common. Bernoulli and uncoded matrices are allowed without being verified.
    #[serde(default)]
    pub base: toml::Table,
    /// What a scheme has instead, by its name: a learning rate, most often.
    #[serde(default)]
    pub overrides: std::collections::BTreeMap<String, toml::Table>,
}

/// One setting of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Workers.
    pub n: usize,
    /// The b that the code is made for.
    pub b: usize,
    /// Workers that lie; b by default.
    pub byzantine: Option<usize>,
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
    /// [`ConfigError`] with the line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let grid: Self = toml::from_str(text).map_err(|error| ConfigError(one_line(&error, text)))?;
        if grid.settings.is_empty() || grid.schemes.is_empty() {
            return Err(ConfigError("settings and schemes must not be empty".into()));
        }
        for name in grid.overrides.keys() {
            if !grid.schemes.contains(name) {
                return Err(ConfigError(format!("overrides names '{name}', which is none of the schemes")));
            }
        }
        Ok(grid)
    }

    /// All runs, in the order settings, schemes, attacks, seeds.
    ///
    /// # Errors
    /// [`ConfigError`] where a run's configuration is not one.
    pub fn runs(&self) -> Result<Vec<GridRun>, ConfigError> {
        let base = read(self.base.clone(), "base")?;
        let attacks = if self.attacks.is_empty() { vec![base.attack] } else { self.attacks.clone() };
        let seeds = if self.seeds.is_empty() { vec![base.seed] } else { self.seeds.clone() };
        let mut runs = Vec::new();
        for &setting in &self.settings {
            for scheme in &self.schemes {
                for &attack in &attacks {
                    for &seed in &seeds {
                        let Setting { n, b, byzantine } = setting;
                        let mut table = self.base.clone();
                        table.extend(self.overrides.get(scheme).cloned().unwrap_or_default());
                        let mut config = read(table, scheme)?;
                        let (code, aggregator) = scheme.split_once('+').unwrap_or((scheme, ""));
                        if !aggregator.is_empty() {
                            config.aggregator = toml::Value::from(aggregator).try_into().map_err(
                                |error: toml::de::Error| {
                                    ConfigError(format!("{scheme}: {}", error.message()))
                                },
                            )?;
                        }
                        let (name, rest) = code.split_once(':').unwrap_or((code, ""));
                        config.code = match name {
                            "uncoded" => format!("uncoded:n={n}"),
                            // A draw for each seed, unless the scheme names one.
                            "bernoulli" if !rest.contains("seed=") => {
                                format!("bernoulli:n={n},b={b},{rest},seed={seed}")
                            }
                            _ if rest.is_empty() => format!("{name}:n={n},b={b}"),
                            _ => format!("{name}:n={n},b={b},{rest}"),
                        };
                        config.allow_unverified |= name == "bernoulli";
                        config.byzantine = Some(byzantine.unwrap_or(b));
                        (config.attack, config.seed) = (attack, seed);
                        let actual = byzantine.map_or(String::new(), |actual| format!("-actual{actual}"));
                        let plain = scheme.replace([':', '=', ','], "-");
                        let name = format!("n{n}-b{b}{actual}/{plain}/{}/seed{seed}", attack.name());
                        runs.push(GridRun { name, setting, scheme: scheme.clone(), config });
                    }
                }
            }
        }
        Ok(runs)
    }
}

fn read(table: toml::Table, name: &str) -> Result<Config, ConfigError> {
    table.try_into().map_err(|error: toml::de::Error| ConfigError(format!("{name}: {}", error.message())))
}
