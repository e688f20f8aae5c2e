//! Which of its choices a scheme gets: the one that is best under the attack that is worst for it.
//!
//! # What is promised
//! - The samples held out for validation decide, as the last line of each run has them, in the mean over the seeds for
//!   tuning. The test samples are not looked at.
//! - A run that diverged, or failed its audit, is worse than any that did not.

use super::Setting;
use super::runs::{GridRun, Values};
use crate::{Metrics, Status, Summary};

/// What a run says of its choice: by the area under the curve where there is one, else the accuracy in percent. Minus
/// infinity where it did not train all its steps.
#[derive(Clone, Debug)]
pub struct Validated<'a> {
    /// The run.
    pub run: &'a GridRun,
    /// How good it is.
    pub value: f64,
}

impl<'a> Validated<'a> {
    /// What a run that has ended says; nothing where nothing was held out.
    #[must_use]
    pub fn of(run: &'a GridRun, summary: &Summary) -> Option<Self> {
        let Metrics { validation_accuracy, validation_auc, .. } = summary.last;
        let value = validation_auc.or(validation_accuracy.map(|share| 100.0 * share))?;
        let value = if summary.status == Status::Finished { value } else { f64::NEG_INFINITY };
        Some(Self { run, value })
    }
}

/// The choice of a scheme in a setting, at values of the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The setting.
    pub setting: Setting,
    /// The values of the axes.
    pub axes: Values,
    /// The scheme.
    pub scheme: String,
    /// What was chosen.
    pub choice: Values,
    /// How good it is under the attack that is worst for it, in the mean over the seeds for tuning.
    pub value: f64,
    /// That attack.
    pub worst: &'static str,
}

/// The choice of each scheme that has some, in each setting and at each value of the axes, in the order of the runs: among
/// equally good ones the first.
#[must_use]
pub fn choices(tried: &[Validated<'_>]) -> Vec<Choice> {
    let mut best: Vec<Choice> = Vec::new();
    let mut seen: Vec<&GridRun> = Vec::new();
    let of_choice = |one: &GridRun, other: &GridRun| {
        (one.setting, &one.axes, &one.scheme, &one.choice)
            == (other.setting, &other.axes, &other.scheme, &other.choice)
    };
    for Validated { run, .. } in tried.iter().filter(|tried| !tried.run.choice.is_empty()) {
        if seen.iter().any(|other| of_choice(run, other)) {
            continue;
        }
        seen.push(run);
        let mut attacks: Vec<(&'static str, f64, usize)> = Vec::new();
        for tried in tried.iter().filter(|tried| of_choice(run, tried.run)) {
            let attack = tried.run.config.attack.name();
            match attacks.iter_mut().find(|(name, ..)| *name == attack) {
                Some((_, sum, count)) => (*sum, *count) = (*sum + tried.value, *count + 1),
                None => attacks.push((attack, tried.value, 1)),
            }
        }
        let means = attacks.iter().map(|&(name, sum, count)| (name, sum / count as f64));
        let Some((worst, value)) = means.min_by(|(_, one), (_, other)| one.total_cmp(other)) else {
            continue;
        };
        let choice = Choice {
            setting: run.setting,
            axes: run.axes.clone(),
            scheme: run.scheme.clone(),
            choice: run.choice.clone(),
            value,
            worst,
        };
        let same = |other: &&mut Choice| {
            (other.setting, &other.axes, &other.scheme) == (choice.setting, &choice.axes, &choice.scheme)
        };
        match best.iter_mut().find(same) {
            Some(other) if other.value >= value => {}
            Some(other) => *other = choice,
            None => best.push(choice),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Grid;

    const GRID: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"uncoded\", \"uncoded+mean\"]\n\
        attacks = [\"reverse\", \"random\"]\nseeds = [0, 1]\n[base]\nvalidation = 0.1\n\
        [[tune]]\nschemes = [\"uncoded\"]\nlr = [0.1, 0.2, 0.3]\n";

    /// By hand: worst attack first, then the mean over seeds; divergence last; ties to the first.
    #[test]
    fn the_best_under_its_worst_attack_is_chosen() {
        let grid = Grid::from_toml(GRID).unwrap_or_else(|error| panic!("{error}"));
        let runs = grid.runs().unwrap_or_else(|error| panic!("{error}"));
        let value = |run: &GridRun| match (
            run.choice.first().map(|(_, value)| value.as_str()),
            run.config.attack.name(),
        ) {
            // Best in the mean over attacks, but not under the worse one.
            (Some("0.1"), "reverse") => 99.0,
            (Some("0.1"), _) => 60.0 + run.config.seed as f64,
            (Some("0.2"), _) => 70.0,
            (Some("0.3"), "random") => 90.0,
            (Some("0.3"), _) if run.config.seed == 1 => f64::NEG_INFINITY,
            _ => 80.0,
        };
        let tried: Vec<_> = runs.iter().map(|run| Validated { run, value: value(run) }).collect();
        let best = choices(&tried);
        // The scheme without a choice has none.
        assert_eq!(best.len(), 1);
        let of = |best: &Choice| (best.choice.clone(), best.value, best.worst);
        assert_eq!(of(&best[0]), (vec![("lr".into(), "0.2".into())], 70.0, "reverse"));
        // Without the best one: 60.5 under random beats a run that diverged.
        let tried: Vec<_> = tried.into_iter().filter(|tried| tried.run.choice != best[0].choice).collect();
        assert_eq!(of(&choices(&tried)[0]), (vec![("lr".into(), "0.1".into())], 60.5, "random"));
    }
}
