//! From runs to cells and lines of tables.

use ecode::report::{Cell, Cost, SweptRun};
use ecode::train::sweep::{Choice, GridRun, Values};
use ecode::train::{Status, Summary};
use serde_json::json;

use super::super::grid::Ended;

/// The runs that differ in their seed only, together: all that were asked for, and what came of those that ended.
pub(crate) fn cells<'a>(ended: impl IntoIterator<Item = &'a Ended>, asked: &[GridRun]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let place = |cells: &mut Vec<Cell>, run: &GridRun| {
        let (n, b, byzantine) = (run.setting.n, run.setting.b, run.setting.liars());
        let attack = run.config.attack.name();
        let same = |cell: &Cell| {
            (cell.n, cell.b, cell.byzantine) == (n, b, byzantine)
                && cell.scheme == run.scheme
                && (cell.declared, &cell.axes) == (run.setting.told(), &run.axes)
                && cell.attack == attack
        };
        cells.iter().position(same).unwrap_or_else(|| {
            let (attack, scheme) = (attack.to_owned(), run.scheme.clone());
            let metric = "test accuracy, %";
            let (axes, choice, declared) = (run.axes.clone(), run.choice.clone(), run.setting.told());
            cells.push(Cell {
                n,
                b,
                byzantine,
                declared,
                axes,
                choice,
                attack,
                scheme,
                metric,
                ..Cell::default()
            });
            cells.len() - 1
        })
    };
    for run in asked {
        let place = place(&mut cells, run);
        cells[place].asked += 1;
    }
    for Ended { run, summary, .. } in ended {
        let place = place(&mut cells, run);
        let cell = &mut cells[place];
        cell.cost = cell.cost.or_else(|| cost(summary));
        match summary.status {
            Status::Diverged => cell.diverged += 1,
            Status::Failed => cell.failed += 1,
            _ => {
                if summary.last.test_auc.is_some() {
                    cell.metric = "test AUC";
                }
                cell.values.push(summary.last.test_auc.unwrap_or(100.0 * summary.last.test_accuracy));
            }
        }
    }
    cells
}

pub(crate) fn cell_json(cell: &Cell) -> serde_json::Value {
    let statistics = cell.statistics();
    let mut document = json!({
        "n": cell.n, "b": cell.b, "byzantine": cell.byzantine, "attack": cell.attack, "scheme": cell.scheme,
        "metric": cell.metric,
        "mean": statistics.map(|(mean, _)| rounded(mean)),
        "deviation": statistics.and_then(|(_, deviation)| deviation).map(rounded),
        "values": cell.values.iter().copied().map(rounded).collect::<Vec<_>>(),
        "asked": cell.asked, "diverged": cell.diverged, "failed": cell.failed,
    });
    if let Some(document) = document.as_object_mut() {
        if cell.declared != cell.byzantine {
            document.insert("declared".into(), cell.declared.into());
        }
        for (name, values) in [("axes", &cell.axes), ("choice", &cell.choice)] {
            if !values.is_empty() {
                document.insert(name.into(), values_json(values));
            }
        }
        if let Some(cost) = &cell.cost {
            document.insert(
                "cost".into(),
                json!({
                    "samples_per_step": cost.samples, "heaviest_samples_per_step": cost.heaviest,
                    "heaviest_thread_s_per_step": cost.thread_s.map(rounded), "deployed_s": rounded(cost.deployed_s),
                    "bytes_up_per_worker_and_step": cost.bytes_up,
                }),
            );
        }
    }
    document
}

/// What was chosen for a scheme, and by what.
pub(super) fn choice_json(choice: &Choice) -> serde_json::Value {
    json!({
        "n": choice.setting.n, "b": choice.setting.b, "byzantine": choice.setting.liars(), "declared": choice.setting.told(),
        "axes": values_json(&choice.axes), "scheme": choice.scheme, "choice": values_json(&choice.choice),
        "worst_attack": choice.worst,
        "validation": choice.value.is_finite().then(|| rounded(choice.value)),
    })
}

/// Values by their keys, as texts.
fn values_json(values: &Values) -> serde_json::Value {
    values
        .iter()
        .map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What a run cost; nothing where it trained no step.
fn cost(summary: &Summary) -> Option<Cost> {
    let number = |key: &str| summary.code[key].as_f64();
    let samples = summary.config.samples_per_partition() as f64;
    let (all, most) = (number("r")? * number("n")?, number("max_load")?);
    Some(Cost {
        samples: all.round() * samples,
        heaviest: most * samples,
        thread_s: summary.last.gradient_s.map(|seconds| seconds * most),
        deployed_s: summary.last.deployed_s,
        bytes_up: summary.bytes_per_step["up"].as_u64().unwrap_or(0),
    })
}

/// A run as a line of the table of all.
pub(super) fn swept(Ended { run, summary, .. }: &Ended, in_table: bool) -> SweptRun {
    let last = &summary.last;
    SweptRun {
        folder: run.name.clone(),
        n: run.setting.n,
        b: run.setting.b,
        byzantine: run.setting.liars(),
        declared: run.setting.told(),
        axes: run.axes.clone(),
        scheme: run.scheme.clone(),
        choice: run.choice.clone(),
        in_table,
        attack: run.config.attack.name().to_owned(),
        seed: run.config.seed,
        status: summary.status.name().to_owned(),
        metric: if last.test_auc.is_some() { "auc" } else { "accuracy" },
        validation: last.validation_auc.or(last.validation_accuracy),
        test: last.test_auc.unwrap_or(last.test_accuracy),
        verified: last.verified,
        steps: summary.steps,
        gradients: last.gradients,
        gradient_s: last.gradient_s,
        deployed_s: last.deployed_s,
        bytes_up: last.bytes_up,
    }
}

/// Without the digits that only binary fractions have: twelve decimals, far more than were measured.
fn rounded(value: f64) -> f64 {
    format!("{value:.12}").parse().unwrap_or(value)
}
