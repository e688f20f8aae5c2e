//! Tables of training runs.

use serde_json::Value;

use super::markdown::Markdown;
use super::numbers::{figures, thousands};
use ecode_train::{Aggregator, Summary};

/// How a run is labelled: code, n, b, r, aggregator, and whether the code is verified.
#[must_use]
pub fn run_label(summary: &Summary) -> String {
    let code = &summary.code;
    let text = |value: &Value| ecode_core::shown(value.as_str().unwrap_or("?"));
    let aggregator = match summary.config.aggregator {
        Aggregator::Vote => String::new(),
        _ => format!(" + {}", summary.config.rule().name()),
    };
    let verified = match (&code["verified"], &code["budgeted"]) {
        (Value::Bool(true), _) => "",
        (_, Value::String(_)) => ", budgeted",
        _ => ", UNVERIFIED",
    };
    let b = code["b"].as_u64().map_or(String::new(), |b| format!(", b {b}"));
    format!(
        "{}{aggregator} (n {}{b}, r {}{verified})",
        text(&code["name"]),
        code["n"],
        figures(code["r_eff"].as_f64().unwrap_or(0.0), 3)
    )
}

/// One line a run: the code, what was done to it, what came of it, and what a deployment would pay.
#[must_use]
pub fn run_table(summaries: &[Summary]) -> String {
    let mut table = Markdown::new([
        "code",
        "largest load",
        "Byzantine",
        "attack",
        "seed",
        "steps",
        "test accuracy",
        "test loss",
        "wrong signs",
        "bytes up",
        "bytes down",
        "deployed",
    ]);
    for summary in summaries {
        let (config, last) = (&summary.config, &summary.last);
        let bytes = |key: &str| thousands(u128::from(summary.bytes_per_step[key].as_u64().unwrap_or(0)));
        let auc = last.test_auc.map_or(String::new(), |auc| format!(", AUC {auc:.3}"));
        table.row([
            run_label(summary),
            summary.code["max_load"].to_string(),
            config.liars().to_string(),
            config.attack.name().to_owned(),
            config.seed.to_string(),
            summary.steps.to_string(),
            // What was tested last may be steps ago.
            if last.step == summary.steps {
                format!("{:.2} %{auc}", 100.0 * last.test_accuracy)
            } else {
                format!("{:.2} %{auc} (step {})", 100.0 * last.test_accuracy, last.step)
            },
            if last.test_loss.is_finite() {
                format!("{:.4}", last.test_loss)
            } else {
                "not finite".to_owned()
            },
            if config.aggregator == Aggregator::Vote {
                summary.wrong.map_or("not counted".into(), |wrong| thousands(wrong.into()))
            } else {
                "—".into()
            },
            bytes("up"),
            bytes("down"),
            super::numbers::time(seconds(last.deployed_s)),
        ]);
    }
    format!("{table}\n\nBytes: of one worker in one step. Deployed: estimated time of all steps.")
}

/// A time, the longest one that there is where it is no time.
pub(super) fn seconds(seconds: f64) -> std::time::Duration {
    std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(std::time::Duration::MAX)
}

/// What a scheme needs to reach test accuracies.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// Setting and scheme.
    pub label: String,
    /// For each accuracy, what each seed's run needs: estimated deployed seconds and steps; none where it was not reached.
    pub reached: Vec<Vec<Option<(f64, u64)>>>,
    /// The test accuracy in percent at the end, of each seed.
    pub last: Vec<f64>,
    /// For each accuracy, the minutes that the paper gives; infinite where it says "never", empty where it says nothing.
    pub published: Vec<f64>,
}

/// A line a scheme, a column an accuracy in percent: estimated deployed time and steps, means over the seeds, where every
/// seed gets there. Under it the paper's line, where there is one.
#[must_use]
pub fn times_table(targets: &[f64], rows: &[Times]) -> String {
    let head = ["scheme".to_owned(), "measured".to_owned()];
    let columns = targets.iter().map(|target| format!("{target} %"));
    let mut table = Markdown::new(head.into_iter().chain(columns).chain(["at the end".to_owned()]));
    for row in rows {
        let mut line = vec![row.label.clone(), "here".to_owned()];
        line.extend(row.reached.iter().map(|seeds| {
            let there: Vec<(f64, u64)> = seeds.iter().copied().flatten().collect();
            let count = there.len() as f64;
            if there.len() < seeds.len() {
                let some =
                    if there.is_empty() { String::new() } else { format!(" ({count} of {})", seeds.len()) };
                return format!("∞{some}");
            }
            let seconds = there.iter().map(|(seconds, _)| seconds).sum::<f64>() / count;
            let steps = there.iter().map(|&(_, steps)| steps as f64).sum::<f64>() / count;
            format!("{}, {steps:.0} steps", super::numbers::time(self::seconds(seconds)))
        }));
        let mean = row.last.iter().sum::<f64>() / row.last.len() as f64;
        line.push(format!("{mean:.1} %"));
        table.row(line);
        if !row.published.is_empty() {
            let mut line = vec![String::new(), "paper".to_owned()];
            line.extend(
                row.published.iter().map(|minutes| {
                    if minutes.is_finite() { format!("{minutes} min") } else { "∞".to_owned() }
                }),
            );
            table.row(line);
        }
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_only_where_every_seed_gets_there() {
        let row = Times {
            label: "uncoded".into(),
            reached: vec![
                vec![Some((2.0, 10)), Some((4.0, 20))],
                vec![Some((9.0, 90)), None],
                vec![None, None],
            ],
            last: vec![70.0, 81.0],
            published: vec![52.6, 95.0, f64::INFINITY],
        };
        let text = times_table(&[75.0, 80.0, 85.5], &[row]);
        assert!(text.contains("| 75 %             | 80 %       | 85.5 % | at the end |"), "{text}");
        assert!(
            text.contains("| uncoded | here     | 3.00 s, 15 steps | ∞ (1 of 2) | ∞      | 75.5 %     |"),
            "{text}"
        );
        assert!(text.contains("|         | paper    | 52.6 min         | 95 min     | ∞      |"), "{text}");
    }
}
