//! What is known of one code, as a table.

use std::collections::BTreeMap;

use super::markdown::Markdown;
use super::numbers::{thousands, time};

use ecode_core::AllocationMatrix;
use ecode_verify::{Radius, Verdict};

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
    let mut table = Markdown::new([
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
    ]);
    table.row([
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
