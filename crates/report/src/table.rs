//! Tables that can be pasted into a paper or an issue (Markdown).

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};

use ecode_core::AllocationMatrix;
use ecode_verify::{Radius, Verdict};

/// A number with its thousands set apart: `300 540 195`.
#[must_use]
pub fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut groups = Vec::new();
    if head > 0 {
        groups.push(&digits[..head]);
    }
    groups.extend((head..digits.len()).step_by(3).map(|start| &digits[start..start + 3]));
    groups.join(" ")
}

/// A duration in the unit that suits it.
#[must_use]
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.2} s"),
        s => format!("{:.1} min", s / 60.0),
    }
}

/// How many workers have which load, as in `2×1, 1×5, 6×9`.
#[must_use]
pub fn loads(g: &AllocationMatrix) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for load in g.worker_loads() {
        *counts.entry(load).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(load, count)| format!("{count}×{load}")).collect();
    parts.join(", ")
}

/// One row that says what is known of a code.
#[must_use]
pub fn verdict_table(g: &AllocationMatrix, verdict: &Verdict) -> String {
    let radius = match (verdict.radius(), verdict.radius_below()) {
        (Radius::AtLeast(low), Some(high)) => format!("{low} ≤ radius < {high}"),
        (Radius::Unknown, Some(high)) => format!("< {high}"),
        (radius, _) => radius.to_string(),
    };
    let mut messages = thousands(verdict.messages());
    if verdict.evaluated() != verdict.messages() {
        messages += &format!(" ({} distinct)", thousands(verdict.evaluated()));
    }
    if verdict.messages() == 0 {
        "—".clone_into(&mut messages);
    }
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header([
            "n",
            "k",
            "b",
            "ones",
            "r",
            "loads (workers×partitions)",
            "ties",
            "verdict",
            "radius",
            "method",
            "messages",
            "time",
        ])
        .add_row([
            g.n().to_string(),
            g.k().to_string(),
            verdict.b().map_or("—".to_owned(), |b| b.to_string()),
            g.ones().to_string(),
            format!("{:.2}", g.redundancy()),
            loads(g),
            verdict.ties().to_string(),
            verdict.word().to_owned(),
            radius,
            verdict.method().to_owned(),
            messages,
            time(verdict.elapsed()),
        ]);
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (300_540_195, "300 540 195")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }
}
