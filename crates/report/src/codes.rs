//! The catalogue of codes, for reading, for spreadsheets, for scripts and for the web.

use maud::html;
use serde_json::{Value, json};

use super::markdown::Markdown;
use super::page;
use ecode_design::search::Entry;

/// What the catalogue's columns are called.
pub(super) const COLUMNS: [&str; 10] =
    ["n", "k", "b", "ones", "r", "Algorithm 1", "no fewer than", "by", "minimal", "found by"];

/// What they mean.
pub(super) const COLUMNS_SAY: [(&str, &str); 6] = [
    ("ones", "partitions that all workers hold together: what a step costs in gradients"),
    ("r", "redundancy, ones/n: the mean number of partitions a worker holds"),
    ("Algorithm 1", "the ones of the paper's construction for the same n and b"),
    (
        "no fewer than, by",
        "a proven lower bound on the ones, and the rule that gives it: see the project's docs/theory/bounds.md",
    ),
    ("minimal", "yes where the bound is reached: no code is lighter"),
    ("found by", "the construction or search that the code comes from"),
];

pub(super) fn cells(entry: &Entry) -> [String; 10] {
    [
        entry.n().to_string(),
        entry.k().to_string(),
        entry.b.to_string(),
        entry.ones().to_string(),
        format!("{:.2}", entry.code.matrix.redundancy()),
        entry.algorithm1.map_or(String::new(), |ones| ones.to_string()),
        entry.bound.least.to_string(),
        entry.bound.name.to_owned(),
        if entry.optimal() { "yes" } else { "" }.to_owned(),
        entry.found(),
    ]
}

/// The columns of a table for readers: k only where it is not n everywhere.
fn shown<T>(entries: &[Entry], columns: impl IntoIterator<Item = T>) -> Vec<T> {
    let square = entries.iter().all(|entry| entry.k() == entry.n());
    let columns = columns.into_iter().enumerate();
    columns.filter(|&(place, _)| !(square && COLUMNS[place] == "k")).map(|(_, column)| column).collect()
}

/// The catalogue as a Markdown table.
#[must_use]
pub fn codes_markdown(entries: &[Entry]) -> String {
    let mut table = Markdown::new(shown(entries, COLUMNS));
    for entry in entries {
        table.row(shown(entries, cells(entry)));
    }
    table.to_string()
}

/// The catalogue as comma-separated values, with the digests.
#[must_use]
pub fn codes_csv(entries: &[Entry]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record([
        "n",
        "k",
        "b",
        "ones",
        "redundancy",
        "algorithm1",
        "lower_bound",
        "rule",
        "optimal",
        "found",
        "digest",
    ]);
    for entry in entries {
        let [n, k, b, ones, _, algorithm1, bound, rule, _, found] = cells(entry);
        let redundancy = entry.code.matrix.redundancy().to_string();
        let (optimal, digest) = (entry.optimal().to_string(), entry.code.matrix.digest());
        let _ =
            writer.write_record([n, k, b, ones, redundancy, algorithm1, bound, rule, optimal, found, digest]);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The catalogue as one JSON document, `ecode/table/1`.
#[must_use]
pub fn codes_json(entries: &[Entry]) -> Value {
    json!({"schema": "ecode/table/1", "codes": entries.iter().map(Entry::to_json).collect::<Vec<_>>()})
}

/// The catalogue as a page for a browser, complete in itself.
#[must_use]
pub fn codes_html(entries: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| shown(entries, cells(entry))).collect();
    let columns = shown(entries, COLUMNS.map(str::to_owned));
    let content = html! {
        h1 { "Best known codes" }
        p { "For n workers and as many partitions, the lightest known code that tolerates b Byzantine workers, whatever they send. Every one was verified." }
        (page::table("Best known codes", &columns, &rows))
        h2 { "What the columns say" }
        dl {
            @for (name, what) in COLUMNS_SAY { dt { (name) } dd { (what) } }
        }
    };
    page::page("Best known codes", &content)
}
