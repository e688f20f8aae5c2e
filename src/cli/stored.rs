//! The matrix file that a command writes: what it says of its verification, and where it goes.

use std::path::Path;

use anyhow::ensure;
use ecode::code::AllocationMatrix;
use ecode::format::verdict_json;
use ecode::verify::{Conclusion, Verdict};
use serde_json::{Value, json};

use super::output;

/// The `verification` of a matrix file.
pub(crate) fn verification(verdict: &Verdict, g: &AllocationMatrix) -> Value {
    let mut stored = json!({
        "verdict": verdict.word(),
        "b": verdict.b,
        "radius": verdict.radius().flatten(),
        "ties": verdict.ties.name(),
        "method": verdict.method,
    });
    if matches!(verdict.conclusion, Conclusion::Refuted(_)) {
        stored["counterexample"] = verdict_json(verdict, g)["counterexample"].take();
    }
    stored
}

/// Whether the file goes to standard output, which then holds nothing else.
pub(crate) fn takes_standard_output(path: Option<&Path>, json: bool) -> anyhow::Result<bool> {
    let taken = path == Some(Path::new("-"));
    ensure!(
        !(taken && json),
        "--json and --output -: each writes a document to standard output; give one of them"
    );
    Ok(taken)
}

/// Prints a report: to standard error where standard output holds a document.
pub(crate) fn report(text: &str, beside_document: bool, quiet: bool) -> anyhow::Result<()> {
    if !beside_document {
        return output::print(text);
    }
    if !quiet {
        eprintln!("{}", text.trim_end());
    }
    Ok(())
}
