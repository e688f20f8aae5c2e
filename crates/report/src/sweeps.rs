//! Tables of sweeps: one of settings and attacks by schemes, or, where a grid has axes or choices, one of schemes by attacks
//! for each value of the axes, with what was chosen and what it costs.

use super::markdown::Markdown;
use super::numbers::{figures, plain, thousands};

/// The runs of a sweep that differ in their seed only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Workers.
    pub n: usize,
    /// The b that the code is made for.
    pub b: usize,
    /// Workers that lie.
    pub byzantine: usize,
    /// Liars that an aggregator is told of which asks for a number.
    pub declared: usize,
    /// The values of the grid's axes, by their keys.
    pub axes: Vec<(String, String)>,
    /// What was chosen for the scheme by the validation samples, by its keys; nothing where there was no choice.
    pub choice: Vec<(String, String)>,
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
    /// What the runs cost, of the first that has ended.
    pub cost: Option<Cost>,
}

/// What a run costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Gradients of one sample that all workers compute together in a step.
    pub samples: f64,
    /// The same of the worker that computes most.
    pub heaviest: f64,
    /// Seconds of processor time of a thread that this worker computes in a step: the median over steps of the median
    /// gradient, times its partitions. None where no step was trained here.
    pub thread_s: Option<f64>,
    /// Estimated seconds of a deployment, all steps together.
    pub deployed_s: f64,
    /// Bytes that a worker sends in a step.
    pub bytes_up: u64,
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

    /// Decimals that a table shows.
    fn digits(&self) -> usize {
        if self.metric == "test AUC" { 3 } else { 1 }
    }

    /// What the table says of it: mean ± deviation, over how many runs where not over all, and what became of others.
    fn text(&self) -> String {
        let digits = self.digits();
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
    format!("{table}\n\n{}", footer(&cells.iter().collect::<Vec<_>>()))
}

/// Values by their keys, as in `lr 0.001, momentum-at worker`; a number as people write it.
#[must_use]
pub fn values_text(values: &[(String, String)]) -> String {
    let part = |(key, value): &(String, String)| {
        let value = value.parse::<f64>().map_or_else(|_| value.clone(), plain);
        format!("{key} {value}")
    };
    values.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// What the cells of a table are: how many runs they stand for.
fn footer(cells: &[&Cell]) -> String {
    let known = cells.iter().filter(|cell| !cell.values.is_empty());
    let metric = known.clone().next().map_or("nothing yet", |cell| cell.metric);
    let seeds = cells.iter().map(|cell| cell.asked).max().unwrap_or(0);
    let done = known.map(|cell| cell.values.len()).max().unwrap_or(0);
    let over = match (seeds, done) {
        (1, _) => "one seed".to_owned(),
        (_, done) if done < seeds => format!("mean ± standard deviation over {done} of {seeds} seeds"),
        _ => format!("mean ± standard deviation over {seeds} seeds"),
    };
    format!("{metric}; {over}.")
}

/// The different values of a cell's quality, in the order of the cells.
fn different<T: PartialEq>(cells: &[&Cell], of: impl Fn(&Cell) -> T) -> Vec<T> {
    let mut values = Vec::new();
    for value in cells.iter().map(|cell| of(cell)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// For each setting and each combination of the axes' values a table: a line a scheme, a column an attack, the lowest mean of
/// the line, and what was chosen for the scheme; then what each scheme costs.
#[must_use]
pub fn comparison_tables(cells: &[Cell]) -> String {
    let all: Vec<&Cell> = cells.iter().collect();
    let place = |cell: &Cell| (cell.n, cell.b, cell.byzantine, cell.declared, cell.axes.clone());
    let mut text = String::new();
    for here in different(&all, place) {
        let cells: Vec<&Cell> = cells.iter().filter(|cell| place(cell) == here).collect();
        let (n, b, byzantine, declared, axes) = &here;
        text += &format!("{n} workers, codes for b = {b}, {byzantine} lie");
        if declared != byzantine {
            text += &format!(", {declared} declared");
        }
        if !axes.is_empty() {
            text += &format!("; {}", values_text(axes));
        }
        text += &format!("\n\n{}\n\n{}\n\n{}\n\n", accuracies(&cells), footer(&cells), costs(&cells));
    }
    text.trim_end().to_owned()
}

fn accuracies(cells: &[&Cell]) -> Markdown {
    let attacks = different(cells, |cell| cell.attack.clone());
    let chosen = cells.iter().any(|cell| !cell.choice.is_empty());
    let head = ["scheme".to_owned()].into_iter().chain(attacks.iter().cloned());
    let tail = (attacks.len() > 1)
        .then(|| "worst".to_owned())
        .into_iter()
        .chain(chosen.then(|| "chosen".to_owned()));
    let mut table = Markdown::new(head.chain(tail));
    for scheme in different(cells, |cell| cell.scheme.clone()) {
        let line: Vec<&Cell> = cells.iter().copied().filter(|cell| cell.scheme == scheme).collect();
        let of = |attack: &String| line.iter().find(|cell| cell.attack == *attack);
        let mut row = vec![scheme];
        row.extend(attacks.iter().map(|attack| of(attack).map_or("—".to_owned(), |cell| cell.text())));
        if attacks.len() > 1 {
            row.push(worst(&line));
        }
        if chosen {
            row.push(line.first().map_or(String::new(), |cell| values_text(&cell.choice)));
        }
        table.row(row);
    }
    table
}

/// The lowest mean of some cells; `diverged` where a run of one did.
fn worst(cells: &[&Cell]) -> String {
    if cells.iter().any(|cell| cell.diverged > 0) {
        return "diverged".to_owned();
    }
    let lowest = cells.iter().filter_map(|cell| Some((cell.statistics()?.0, cell.digits())));
    let lowest = lowest.min_by(|(one, _), (other, _)| one.total_cmp(other));
    lowest.map_or("—".to_owned(), |(mean, digits)| format!("{mean:.digits$}"))
}

fn costs(cells: &[&Cell]) -> Markdown {
    let mut table = Markdown::new([
        "scheme",
        "sample gradients a step, all workers",
        "heaviest worker",
        "its thread time a step",
        "bytes a worker sends",
        "estimated deployment",
    ]);
    for scheme in different(cells, |cell| cell.scheme.clone()) {
        let Some(cost) = cells.iter().filter(|cell| cell.scheme == scheme).find_map(|cell| cell.cost) else {
            continue;
        };
        table.row([
            scheme,
            figures(cost.samples, 4),
            figures(cost.heaviest, 4),
            cost.thread_s
                .map_or("—".to_owned(), |seconds| super::numbers::time(super::runs::seconds(seconds))),
            thousands(cost.bytes_up.into()),
            super::numbers::time(super::runs::seconds(cost.deployed_s)),
        ]);
    }
    table
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
            ..Cell::default()
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
            ..Cell::default()
        };
        assert_eq!(cell(&[80.0], 0, 0).text(), "80.0 (1 of 3)");
        assert_eq!(cell(&[80.0, 82.0], 1, 0).text(), "81.0 ± 1.4 (2 of 3), diverged (1 of 3)");
        assert_eq!(cell(&[], 3, 0).text(), "diverged");
        assert_eq!(cell(&[], 0, 2).text(), "audit failed (2 of 3)");
        assert_eq!(cell(&[], 0, 0).text(), "—");
        assert!(sweep_table(&[cell(&[80.0], 0, 0)]).ends_with("over 1 of 3 seeds."));
    }

    /// A line a scheme, its lowest mean, and what was chosen; a run that diverged is the worst.
    #[test]
    fn a_comparison_names_the_worst_attack_and_the_choice() {
        let cell = |scheme: &str, attack: &str, values: &[f64], split: &str| Cell {
            n: 9,
            b: 2,
            byzantine: 2,
            declared: 3,
            axes: vec![("split".into(), split.into())],
            choice: vec![("lr".into(), "0.00010".into()), ("momentum-at".into(), "worker".into())],
            attack: attack.into(),
            scheme: scheme.into(),
            metric: "test accuracy, %",
            values: values.to_vec(),
            asked: 2,
            diverged: 2 - values.len(),
            cost: Some(Cost {
                samples: 472.0,
                heaviest: 72.0,
                thread_s: Some(0.002),
                deployed_s: 3.0,
                bytes_up: 982,
            }),
            ..Cell::default()
        };
        let cells = [
            cell("best", "reverse", &[80.0, 82.0], "iid"),
            cell("best", "alie", &[70.0, 72.0], "iid"),
            cell("uncoded", "reverse", &[50.0, 52.0], "iid"),
            cell("uncoded", "alie", &[], "iid"),
            cell("best", "reverse", &[10.0, 20.0], "dirichlet:0.1"),
        ];
        let text = comparison_tables(&cells);
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for expected in [
            "9 workers, codes for b = 2, 2 lie, 3 declared; split iid",
            "| scheme | reverse | alie | worst | chosen |",
            "| best | 81.0 ± 1.4 | 71.0 ± 1.4 | 71.0 | lr 0.0001, momentum-at worker |",
            "| uncoded | 51.0 ± 1.4 | diverged | diverged | lr 0.0001, momentum-at worker |",
            "| best | 472 | 72 | 2.0 ms | 982 | 3.00 s |",
            "9 workers, codes for b = 2, 2 lie, 3 declared; split dirichlet:0.1",
            "| best | 15.0 ± 7.1 | lr 0.0001, momentum-at worker |",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected}: {text}");
        }
    }
}
