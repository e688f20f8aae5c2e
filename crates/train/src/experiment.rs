//! The experiments of the paper: which runs, with which hyper-parameters, and what they were published to give.
//!
//! Everything lies in the files beside this one (`experiments/*.toml`), each with notes where the paper leaves a
//! value open. A smaller scale changes data, model and length only, never the codes or the attacks.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config::ConfigError;
use super::config::text::one_line;
use super::metrics::Metrics;
use super::sweep::{Grid, GridRun, Setting, change};

/// How large the runs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Seconds a run: logistic regression on synthetic data.
    Smoke,
    /// As in the paper: ResNet on CIFAR-10, Table B.2.
    Paper,
}

/// One experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name on the command line.
    #[serde(skip)]
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// Where the paper shows it.
    pub place: String,
    /// What the paper leaves open, and how it is read here.
    pub notes: Vec<String>,
    /// What all its runs have at the scale of the paper.
    #[serde(default)]
    paper: toml::Table,
    /// The grids of runs that it consists of.
    pub parts: Vec<Part>,
}

/// A grid of runs, and the accuracies whose time is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The runs.
    pub grid: Grid,
    /// Test accuracies in percent, in increasing order; none where only curves are drawn.
    #[serde(default)]
    pub targets: Vec<f64>,
    /// For a scheme, the minutes to each target that the paper gives; infinite where it says "never".
    #[serde(default)]
    pub published: BTreeMap<String, Vec<f64>>,
}

/// What both scales start from, and Table B.2.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scales {
    smoke: toml::Table,
    paper: toml::Table,
    table_b2: Vec<Hyperparameters>,
}

/// One column of Table B.2.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Hyperparameters {
    n: usize,
    byzantine: usize,
    batch: i64,
    lr_decay_epochs: Vec<f64>,
}

/// The files, by the names of the experiments.
const FILES: [(&str, &str); 8] = [
    ("table-a1", include_str!("experiments/table-a1.toml")),
    ("figure-a1", include_str!("experiments/figure-a1.toml")),
    ("figure-a2", include_str!("experiments/figure-a2.toml")),
    ("figure-a3", include_str!("experiments/figure-a3.toml")),
    ("figure-a4a", include_str!("experiments/figure-a4a.toml")),
    ("figure-a4b", include_str!("experiments/figure-a4b.toml")),
    ("figure-a4c", include_str!("experiments/figure-a4c.toml")),
    ("amazon", include_str!("experiments/amazon.toml")),
];

/// All names, in the order of the paper.
#[must_use]
pub fn names() -> [&'static str; 8] {
    FILES.map(|(name, _)| name)
}

fn parse<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| ConfigError(format!("{name}: {}", one_line(&error, text))))
}

impl Experiment {
    /// The experiment of a name.
    ///
    /// ```
    /// use ecode_train::experiment::{Experiment, Scale};
    /// let experiment = Experiment::named("figure-a1")?;
    /// let runs = experiment.runs(Scale::Paper, &[0], &toml::Table::new())?;
    /// assert_eq!(runs[0].name, "n5-b1-actual2/algorithm1/reverse/seed0");
    /// assert_eq!((runs[0].config.batch, runs[0].config.lr), (48, Some(1e-4)));
    /// # Ok::<(), ecode_train::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] with the names that there are.
    pub fn named(name: &str) -> Result<Self, ConfigError> {
        let Some((name, text)) = FILES.into_iter().find(|(known, _)| *known == name) else {
            let known = names().join(", ");
            return Err(ConfigError(format!("no experiment is called '{name}'; there are {known}")));
        };
        let experiment: Self = parse(name, text)?;
        Ok(Self { name, ..experiment })
    }

    /// All runs at a scale, in the order of parts, settings, schemes and seeds. `changes` (the keys of a
    /// configuration) go over what the files say, but not over what distinguishes a scheme.
    ///
    /// # Errors
    /// [`ConfigError`] where a changed configuration is not one.
    pub fn runs(
        &self,
        scale: Scale,
        seeds: &[u64],
        changes: &toml::Table,
    ) -> Result<Vec<GridRun>, ConfigError> {
        let scales: Scales = parse("scales", include_str!("experiments/scales.toml"))?;
        let mut runs = Vec::new();
        for part in &self.parts {
            for &setting in &part.grid.settings {
                let mut base = match scale {
                    Scale::Smoke => scales.smoke.clone(),
                    Scale::Paper => scales.paper(setting),
                };
                if scale == Scale::Paper {
                    change(&mut base, &self.paper);
                }
                change(&mut base, &part.grid.base);
                change(&mut base, changes);
                let grid =
                    Grid { settings: vec![setting], base, seeds: Some(seeds.to_vec()), ..part.grid.clone() };
                runs.extend(grid.runs()?);
            }
        }
        Ok(runs)
    }
}

impl Part {
    /// Whether a run is one of this part's.
    #[must_use]
    pub fn has(&self, run: &GridRun) -> bool {
        self.grid.settings.contains(&run.setting) && self.grid.schemes.contains(&run.scheme)
    }
}

impl Scales {
    fn paper(&self, setting: Setting) -> toml::Table {
        let mut base = self.paper.clone();
        let here = |column: &&Hyperparameters| (column.n, column.byzantine) == (setting.n, setting.liars());
        if let Some(column) = self.table_b2.iter().find(here) {
            base.insert("batch".into(), column.batch.into());
            base.insert("lr-decay-epochs".into(), column.lr_decay_epochs.clone().into());
        }
        base
    }
}

/// The first line of a log that reaches a test accuracy in percent.
#[must_use]
pub fn reached(log: &[Metrics], percent: f64) -> Option<&Metrics> {
    log.iter().find(|line| 100.0 * line.test_accuracy >= percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aggregator, ModelKind};

    fn paper(name: &str) -> Vec<GridRun> {
        let experiment = Experiment::named(name).unwrap_or_else(|error| panic!("{error}"));
        experiment.runs(Scale::Paper, &[0], &toml::Table::new()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_file_gives_runs_at_both_scales_with_names_of_their_own() {
        for name in names() {
            let experiment = Experiment::named(name).unwrap_or_else(|error| panic!("{error}"));
            for scale in [Scale::Smoke, Scale::Paper] {
                let runs = experiment.runs(scale, &[0, 1], &toml::Table::new());
                let runs = runs.unwrap_or_else(|error| panic!("{name}: {error}"));
                let different: std::collections::HashSet<_> = runs.iter().map(|run| &run.name).collect();
                assert_eq!(different.len(), runs.len(), "{name}");
                assert!(runs.iter().all(|run| experiment.parts.iter().any(|part| part.has(run))), "{name}");
            }
            for part in &experiment.parts {
                assert!(part.published.values().all(|times| times.len() == part.targets.len()), "{name}");
                assert!(part.published.keys().all(|scheme| part.grid.schemes.contains(scheme)), "{name}");
            }
        }
    }

    #[test]
    fn the_paper_s_values_are_those_of_its_supplement() {
        let runs = paper("table-a1");
        let batches: Vec<_> = runs.iter().map(|run| (run.setting.n, run.config.batch)).collect();
        let expected = [(5, 24), (9, 64), (5, 48), (9, 14)];
        assert_eq!(
            batches,
            expected.iter().zip([3, 4, 3, 4]).flat_map(|(&x, times)| vec![x; times]).collect::<Vec<_>>()
        );
        for run in &runs {
            assert_eq!(run.config.model, ModelKind::Resnet18);
            assert_eq!((run.config.lr, run.config.momentum), (Some(1e-4), 0.9));
            assert_eq!(run.config.lr_decay_epochs, [40.0, 80.0]);
        }
        let runs = paper("figure-a4a");
        assert!(runs.iter().all(|run| run.config.model == ModelKind::Resnet50 && run.config.batch == 64));
        assert_eq!(runs[0].config.samples_per_partition(), 32);
        assert_eq!(runs[0].config.lr_decay_epochs, [20.0, 40.0, 80.0]);
        assert!(
            paper("figure-a4b").iter().all(|run| run.config.gradient_noise.to_bits() == 1e-8_f64.to_bits())
        );
        let runs = paper("figure-a4c");
        assert_eq!(runs[2].config.aggregator, Aggregator::Median);
        assert_eq!((runs[2].config.lr, runs[2].config.byzantine), (Some(0.1), Some(3)));
        let runs = paper("amazon");
        assert_eq!((runs[0].config.model, runs[0].config.steps), (ModelKind::Logistic, Some(1000)));
        assert_eq!(runs[0].config.epochs, None);
    }
}
