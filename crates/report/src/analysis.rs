//! What a code is worth, as tables and bars for a terminal.

use std::fmt::Write as _;

use super::markdown::Markdown;
use super::numbers::{figures, plain, probability, thousands};
use super::picture::Glyphs;
use ecode_analysis::{Analysis, Estimate, Evidence, Fixed, Kind, Row};
use ecode_core::Workers;
use ecode_verify::Radius;

/// The most numbers of liars beyond the radius that a table shows.
const ROWS: usize = 4;
/// The width of a histogram's longest bar, in characters.
const BAR: usize = 40;

/// An estimate in few characters: a probability, or `~0.01 [0.008, 0.013]`.
pub(super) fn estimate(estimate: Estimate) -> String {
    match estimate {
        Estimate::Exact(p) => probability(p),
        Estimate::Sampled { frequency, low, high } => {
            format!("~{} [{}, {}]", probability(frequency), probability(low), probability(high))
        }
    }
}

/// The error of the worst fixed set, or the ends of what it can be.
pub(super) fn fixed(fixed: &Fixed) -> String {
    match fixed {
        Fixed::Exact { error, .. } => probability(*error),
        Fixed::Between { low, high } => {
            format!("{} to {}", probability(low.ends().0), probability(high.ends().1))
        }
    }
}

/// The numbers of liars up to the one that is proven to be tolerated: `0 to 3`.
pub(super) fn tolerated(analysis: &Analysis) -> Option<String> {
    let radius = analysis.radius.at_least()?;
    Some(if radius == 0 { "0".to_owned() } else { format!("0 to {radius}") })
}

/// The numbers of liars that are worth a row: the first few beyond the radius that do not always win.
fn shown(analysis: &Analysis) -> Vec<usize> {
    (analysis.radius.first_open()..=analysis.matrix.n() / 2).take(ROWS).collect()
}

/// One table: a line for each b and adversary, a column for each q. A cell is a probability.
fn errors(analysis: &Analysis, kind: Kind) -> String {
    let qs = analysis.at.iter().map(|at| format!("q = {}", plain(at.q)));
    let mut table = Markdown::new(["b", "liars"].map(str::to_owned).into_iter().chain(qs));
    let line = |b: usize, liars: &str, cell: &dyn Fn(&Row) -> String| -> Vec<String> {
        let cells = analysis.at.iter().map(|at| cell(&at.rows(kind)[b]));
        [b.to_string(), liars.to_owned()].into_iter().chain(cells).collect()
    };
    if let Some(bs) = tolerated(analysis).filter(|_| kind == Kind::Sign) {
        let mut cells = line(0, "any", &|row| estimate(row.adaptive));
        cells[0] = bs;
        table.row(cells);
    }
    for b in shown(analysis) {
        table.row(line(b, "random", &|row| estimate(row.random)));
        table.row(line(b, "worst fixed", &|row| fixed(&row.fixed)));
        table.row(line(b, "adaptive", &|row| estimate(row.adaptive)));
    }
    table.to_string()
}

/// The margin histogram, a bar each.
fn histogram(analysis: &Analysis, glyphs: Glyphs) -> String {
    let Some(margins) = &analysis.margins else { return String::new() };
    let all: f64 = 2_f64.powi(analysis.matrix.k() as i32);
    let parts: Vec<(i64, String, f64)> = margins
        .margins
        .iter()
        .map(|(&margin, count)| {
            let digits = count.to_string();
            let text = match digits.parse::<u128>() {
                Ok(small) if digits.len() <= 15 => thousands(small),
                _ => format!("{}.{}e{}", &digits[..1], &digits[1..4], digits.len() - 1),
            };
            (margin, text, digits.parse::<f64>().unwrap_or(f64::INFINITY) / all)
        })
        .collect();
    let width = parts.iter().map(|(_, text, _)| text.chars().count()).max().unwrap_or(0).max(8);
    let most = parts.iter().map(|&(_, _, part)| part).fold(0.0, f64::max);
    let mut text = format!("{:>6}  {:>width$}  part of all\n", "margin", "messages");
    for (margin, count, part) in parts {
        let bar = glyphs.bar(part / most, BAR);
        let _ = writeln!(text, "{margin:>6}  {count:>width$}  {bar} {}", probability(part));
    }
    text
}

fn set(workers: &Workers) -> String {
    if workers.count() <= 16 { workers.to_string() } else { format!("{} workers", workers.count()) }
}

/// Everything that is known, for a terminal.
#[must_use]
pub fn analysis_text(analysis: &Analysis, coordinates: Option<u64>, glyphs: Glyphs) -> String {
    let (n, k) = (analysis.matrix.n(), analysis.matrix.k());
    let radius = match analysis.radius.radius() {
        Radius::FailsWithoutLiars => {
            "no radius: some message is decoded wrong even when nobody lies".to_owned()
        }
        _ => format!("radius {}", analysis.radius),
    };
    let mut text = format!(
        "n = {n}, k = {k}, r = {}, ties {}, {radius}\n",
        figures(analysis.matrix.redundancy(), 4),
        analysis.ties
    );
    match &analysis.evidence {
        Evidence::Counted(enumerator) => {
            let _ = writeln!(
                text,
                "All 2^{k} messages counted by {}; the figures are exact.\n\n{}",
                enumerator.how().name(),
                histogram(analysis, glyphs)
            );
        }
        Evidence::Drawn(sample) => {
            let drawn: u64 = (0..=k / 2).map(|v| sample.drawn(v)).sum();
            let _ = writeln!(
                text,
                "Too many messages to count: {} were drawn. The figures are estimates, ~value [interval]; each \
                 interval holds with 95% confidence.\n",
                thousands(u128::from(drawn))
            );
        }
    }
    if !analysis.complete {
        text += "Stopped: what follows is what was known by then.\n\n";
    }
    if analysis.at.is_empty() {
        return text;
    }
    if let Some(bs) = tolerated(analysis) {
        let _ = writeln!(text, "With b = {bs} liars no decode is wrong, whatever they send.\n");
    }
    if shown(analysis).is_empty() {
        let _ = writeln!(
            text,
            "No b between the radius and half of the workers: from b = {} on the liars always win.",
            n / 2 + 1
        );
    } else {
        let _ = writeln!(
            text,
            "Probability of a wrong decode (not the majority of the message), each partition's sign wrong with \
             probability q:\n{}",
            errors(analysis, Kind::Decode)
        );
    }
    let _ = writeln!(
        text,
        "\nProbability of a wrong sign (the decode is not the true sign):\n{}",
        errors(analysis, Kind::Sign)
    );
    let _ = writeln!(text, "With more than {} liars every decode is wrong.", n / 2);
    if !analysis.sets.is_empty() {
        let mut table =
            Markdown::new(["b", "sets", "that can do harm", "the worst", "beats of all messages"]);
        for sets in analysis.sets.iter().take(ROWS) {
            let (workers, part) = match &sets.worst {
                Some((workers, part)) => (set(workers), probability(*part)),
                None => ("none".to_owned(), "0".to_owned()),
            };
            table.row([sets.b.to_string(), thousands(sets.sets), thousands(sets.harmful), workers, part]);
        }
        let _ = writeln!(text, "\nSets of liars that are fixed before the message:\n{table}");
    }
    if let Some(d) = coordinates {
        let qs = analysis.at.iter().map(|at| format!("q = {}", plain(at.q)));
        let mut table = Markdown::new(std::iter::once("b".to_owned()).chain(qs));
        for b in analysis.radius.at_least().into_iter().chain(shown(analysis)) {
            let cells = analysis.at.iter().map(|at| {
                let adaptive = at.sign[b].adaptive;
                let value = adaptive.value() * d as f64;
                format!("{}{}", if adaptive.is_exact() { "" } else { "~" }, expected(value))
            });
            table.row(std::iter::once(b.to_string()).chain(cells));
        }
        let _ = writeln!(
            text,
            "\nExpected wrong signs a step of {} coordinates, adaptive liars:\n{table}",
            thousands(u128::from(d))
        );
    }
    text
}

/// An expected number: whole from 100 on, else to four digits that matter.
pub(super) fn expected(value: f64) -> String {
    if (100.0..1e18).contains(&value) { thousands(value.round() as u128) } else { figures(value, 4) }
}
