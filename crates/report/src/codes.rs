//! The catalogue of codes, for reading, for spreadsheets, for scripts and for the web.

use serde_json::{Value, json};

use super::markdown::Markdown;
use ecode_design::search::Entry;

/// What the catalogue's columns are called.
const COLUMNS: [&str; 9] =
    ["n", "b", "ones", "r", "Algorithm 1", "no fewer than", "by", "minimal", "found by"];

fn cells(entry: &Entry) -> [String; 9] {
    [
        entry.n().to_string(),
        entry.b.to_string(),
        entry.ones().to_string(),
        format!("{:.2}", entry.code.matrix.redundancy()),
        entry.algorithm1.to_string(),
        entry.bound.ones.to_string(),
        entry.bound.name.to_owned(),
        if entry.optimal() { "yes" } else { "" }.to_owned(),
        entry.found(),
    ]
}

/// The catalogue as a Markdown table.
#[must_use]
pub fn codes_markdown(entries: &[Entry]) -> String {
    let mut table = Markdown::new(COLUMNS);
    for entry in entries {
        table.row(cells(entry));
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
        let [n, b, ones, _, algorithm1, bound, rule, _, found] = cells(entry);
        let redundancy = entry.code.matrix.redundancy().to_string();
        let (optimal, digest) = (entry.optimal().to_string(), entry.code.matrix.digest());
        let _ =
            writer.write_record([n, b, ones, redundancy, algorithm1, bound, rule, optimal, found, digest]);
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
    let row = |tag: &str, cells: &[String]| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let head = row("th", &COLUMNS.map(str::to_owned));
    let body: Vec<String> = entries.iter().map(|entry| row("td", &cells(entry))).collect();
    let body = body.concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Best known codes</title>\n\
         <style>body{{font-family:sans-serif}}td,th{{padding:.2em .6em;text-align:right}}\
         td:nth-child(n+7),th:nth-child(n+7){{text-align:left}}tr:nth-child(even){{background:#f3f3f3}}\
         </style>\n<h1>Best known codes</h1>\n<table>\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
