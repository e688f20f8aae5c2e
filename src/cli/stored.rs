//! What a matrix file says of its verification.

use ecode::code::AllocationMatrix;
use ecode::format::verdict_json;
use ecode::verify::Verdict;
use serde_json::{Value, json};

/// The `verification` of a matrix file.
pub(crate) fn verification(verdict: &Verdict, g: &AllocationMatrix) -> Value {
    let mut stored = json!({
        "verdict": verdict.word(),
        "b": verdict.b(),
        "radius": verdict.radius().exactly(),
        "ties": verdict.ties().name(),
        "method": verdict.method(),
    });
    if verdict.is_refuted() {
        stored["counterexample"] = verdict_json(verdict, g)["counterexample"].take();
    }
    stored
}
