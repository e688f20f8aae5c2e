//! `ecode/matrix/1` and `ecode/verdict/1`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{FormatError, MatrixFile, from_entries};
use ecode_core::Outcome;
use ecode_verify::Verdict;

const SCHEMA: &str = "ecode/matrix/1";

/// Everything that may stand in a matrix file. Fields of other names are left alone; a field that
/// stands twice is refused.
#[derive(Deserialize)]
struct Fields {
    schema: Option<String>,
    n: Option<usize>,
    k: Option<usize>,
    b: Option<usize>,
    #[serde(rename = "G")]
    g: Vec<Vec<u8>>,
    ones: Option<usize>,
    redundancy: Option<f64>,
    construction: Option<Map<String, Value>>,
    digest: Option<String>,
    verification: Option<Map<String, Value>>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<MatrixFile, FormatError> {
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| {
        FormatError::new(format!("not a matrix in JSON: {error}"), "an object with \"G\", rows of 0/1")
    })?;
    if let Some(schema) = fields.schema.filter(|schema| schema != SCHEMA) {
        return Err(FormatError::new(format!("schema is \"{schema}\""), format!("\"{SCHEMA}\"")));
    }
    let matrix = from_entries(&fields.g, "G: ")?;
    let numbers =
        [("n", fields.n, matrix.n()), ("k", fields.k, matrix.k()), ("ones", fields.ones, matrix.ones())];
    for (name, stated, actual) in numbers {
        if let Some(stated) = stated.filter(|&stated| stated != actual) {
            return Err(FormatError::new(format!("{name} is {stated}"), format!("{actual}, as G has it")));
        }
    }
    if let Some(stated) = fields.redundancy {
        let actual = matrix.redundancy();
        // Files may round: four decimals are enough to tell a wrong figure.
        if (stated - actual).abs() > 5e-5 * actual.max(1.0) {
            return Err(FormatError::new(
                format!("redundancy is {stated}"),
                format!("{actual}, as G has it"),
            ));
        }
    }
    if let Some(stated) = fields.digest {
        let actual = matrix.digest();
        if stated != actual {
            return Err(FormatError::new(
                format!("digest is \"{stated}\""),
                format!("\"{actual}\", as G has it"),
            ));
        }
    }
    if let Some(b) = fields.b.filter(|&b| b > matrix.n()) {
        return Err(FormatError::new(format!("b is {b}"), format!("at most n = {}", matrix.n())));
    }
    if let (Some(b), Some(claim)) = (fields.b, &fields.verification)
        && let Some(claimed) = claim.get("b").filter(|claimed| claimed.as_u64() != Some(b as u64))
    {
        return Err(FormatError::new(format!("verification.b is {claimed}"), format!("{b}, the file's b")));
    }
    Ok(MatrixFile {
        matrix,
        b: fields.b,
        construction: fields.construction.map(Value::Object),
        verification: fields.verification.map(Value::Object),
    })
}

/// One row of G a line, so that a person can read it and a diff shows a row.
pub(super) fn write(file: &MatrixFile) -> String {
    let g = &file.matrix;
    let rows: Vec<String> = (0..g.n())
        .map(|j| {
            let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
            format!("  [{}]", row.join(","))
        })
        .collect();
    let mut lines = vec![
        format!(" \"schema\":\"{SCHEMA}\""),
        format!(" \"n\":{},\"k\":{}", g.n(), g.k()),
        format!(" \"G\":[\n{}]", rows.join(",\n")),
        format!(" \"ones\":{},\"redundancy\":{}", g.ones(), json!(g.redundancy())),
    ];
    if let Some(b) = file.b {
        lines[1] += &format!(",\"b\":{b}");
    }
    if let Some(construction) = &file.construction {
        lines.push(format!(" \"construction\":{construction}"));
    }
    lines.push(format!(" \"digest\":\"{}\"", g.digest()));
    if let Some(verification) = &file.verification {
        lines.push(format!(" \"verification\":{verification}"));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn worst_json(worst: &Outcome) -> Value {
    json!({
        "wrong": worst.wrong.count(),
        "margin": worst.margin,
        "message": worst.message.indices().collect::<Vec<_>>(),
        "workers": worst.wrong.indices().collect::<Vec<_>>(),
        "silent": worst.silent.indices().collect::<Vec<_>>(),
    })
}

/// The verdict as the JSON object `ecode/verdict/1`.
#[must_use]
pub fn verdict_json(verdict: &Verdict, g: &ecode_core::AllocationMatrix) -> Value {
    let mut object = json!({
        "schema": "ecode/verdict/1",
        "digest": g.digest(),
        "n": g.n(),
        "k": g.k(),
        "b": verdict.b(),
        "ties": verdict.ties().name(),
        "verdict": verdict.word(),
        "radius": verdict.radius().exactly(),
        "worst": verdict.worst().map(worst_json),
        "counterexample": null,
        "method": verdict.method(),
        "messages": verdict.messages(),
        "evaluated": verdict.evaluated(),
        "elapsed_s": verdict.elapsed().as_secs_f64(),
        "threads": verdict.threads(),
    });
    if !verdict.radius().is_determined() {
        object["radius_at_least"] = json!(verdict.radius_at_least());
        object["radius_below"] = json!(verdict.radius_below());
    }
    if let Some(attack) = verdict.attack() {
        let sent: Vec<Option<u8>> = attack.sent.iter().map(|bit| bit.map(u8::from)).collect();
        object["counterexample"] = json!({
            "message": attack.message.indices().collect::<Vec<_>>(),
            "byzantine": attack.byzantine.indices().collect::<Vec<_>>(),
            "sent": sent,
            "decoded": u8::from(attack.decoded),
            "correct": u8::from(attack.correct),
        });
    }
    object
}
