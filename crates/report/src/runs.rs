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
fn seconds(seconds: f64) -> std::time::Duration {
    std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(std::time::Duration::MAX)
}

/// The runs of a sweep that differ in their seed only.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Workers.
    pub n: usize,
    /// The b that the code is made for.
    pub b: usize,
    /// Workers that lie.
    pub byzantine: usize,
    /// What they do.
    pub attack: String,
    /// The code and the aggregator.
    pub scheme: String,
    /// What the values are.
    pub metric: &'static str,
    /// The last value of every run that trained all its steps.
    pub values: Vec<f64>,
    /// Runs that there are to be.
    pub asked: usize,
    /// Runs that diverged.
    pub diverged: usize,
    /// Runs that ended because the audit found a wrong decode.
    pub failed: usize,
}

impl Cell {
    /// Mean and sample standard deviation (none of a single run); nothing where no run has trained all its steps.
    #[must_use]
    pub fn statistics(&self) -> Option<(f64, Option<f64>)> {
        if self.values.is_empty() {
            return None;
        }
        let count = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let squares: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        Some((mean, (self.values.len() > 1).then(|| (squares / (count - 1.0)).sqrt())))
    }

    /// What the table says of it: mean ± deviation, over how many runs where not over all, and what became of others.
    fn text(&self) -> String {
        let digits = if self.metric == "test AUC" { 3 } else { 1 };
        let count = self.values.len();
        let mut parts = Vec::new();
        if let Some((mean, deviation)) = self.statistics() {
            let deviation = deviation.map_or(String::new(), |spread| format!(" ± {spread:.digits$}"));
            let of = if count < self.asked { format!(" ({count} of {})", self.asked) } else { String::new() };
            parts.push(format!("{mean:.digits$}{deviation}{of}"));
        }
        for (number, what) in [(self.diverged, "diverged"), (self.failed, "audit failed")] {
            if number > 0 {
                let of = if number < self.asked {
                    format!(" ({number} of {})", self.asked)
                } else {
                    String::new()
                };
                parts.push(format!("{what}{of}"));
            }
        }
        if parts.is_empty() { "—".to_owned() } else { parts.join(", ") }
    }
}

/// A line a setting and attack, a column a scheme, mean ± standard deviation in every cell.
#[must_use]
pub fn sweep_table(cells: &[Cell]) -> String {
    let mut schemes: Vec<&str> = Vec::new();
    let mut lines: Vec<(usize, usize, usize, &str)> = Vec::new();
    for cell in cells {
        if !schemes.contains(&cell.scheme.as_str()) {
            schemes.push(&cell.scheme);
        }
        let line = (cell.n, cell.b, cell.byzantine, cell.attack.as_str());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let head = ["n", "b", "Byzantine", "attack"];
    let mut table = Markdown::new(head.iter().chain(&schemes));
    for line in lines {
        let (n, b, byzantine, attack) = line;
        let mut row = vec![n.to_string(), b.to_string(), byzantine.to_string(), attack.to_owned()];
        row.extend(schemes.iter().map(|scheme| {
            let here = |cell: &&Cell| {
                (cell.n, cell.b, cell.byzantine, cell.attack.as_str()) == line && cell.scheme == *scheme
            };
            cells.iter().find(here).map_or("—".to_owned(), Cell::text)
        }));
        table.row(row);
    }
    let known = cells.iter().filter(|cell| !cell.values.is_empty());
    let metric = known.clone().next().map_or("nothing yet", |cell| cell.metric);
    let seeds = cells.iter().map(|cell| cell.asked).max().unwrap_or(0);
    let done = known.map(|cell| cell.values.len()).max().unwrap_or(0);
    let over = match (seeds, done) {
        (1, _) => "one seed".to_owned(),
        (_, done) if done < seeds => format!("mean ± standard deviation over {done} of {seeds} seeds"),
        _ => format!("mean ± standard deviation over {seeds} seeds"),
    };
    format!("{table}\n\n{metric}; {over}.")
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
    fn cells_have_their_mean_and_deviation() {
        let cell = |scheme: &str, values: &[f64]| Cell {
            n: 5,
            b: 1,
            byzantine: 2,
            attack: "reverse".into(),
            scheme: scheme.into(),
            metric: "test accuracy, %",
            values: values.to_vec(),
            asked: values.len(),
            diverged: 0,
            failed: 0,
        };
        let cells = [cell("algorithm1", &[80.0, 82.0, 84.0]), cell("uncoded", &[50.0])];
        assert_eq!(cells[0].statistics(), Some((82.0, Some(2.0))));
        let text = sweep_table(&cells);
        assert!(text.contains("| 5 | 1 | 2         | reverse | 82.0 ± 2.0 | 50.0    |"), "{text}");
    }

    /// A cell of which some runs are missing, diverged or failed says so.
    #[test]
    fn a_cell_says_what_became_of_its_runs() {
        let cell = |values: &[f64], diverged, failed| Cell {
            n: 5,
            b: 1,
            byzantine: 2,
            attack: "reverse".into(),
            scheme: "best".into(),
            metric: "test accuracy, %",
            values: values.to_vec(),
            asked: 3,
            diverged,
            failed,
        };
        assert_eq!(cell(&[80.0], 0, 0).text(), "80.0 (1 of 3)");
        assert_eq!(cell(&[80.0, 82.0], 1, 0).text(), "81.0 ± 1.4 (2 of 3), diverged (1 of 3)");
        assert_eq!(cell(&[], 3, 0).text(), "diverged");
        assert_eq!(cell(&[], 0, 2).text(), "audit failed (2 of 3)");
        assert_eq!(cell(&[], 0, 0).text(), "—");
        assert!(sweep_table(&[cell(&[80.0], 0, 0)]).ends_with("over 1 of 3 seeds."));
    }

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
