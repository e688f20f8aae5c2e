//! `ecode/part/1`.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asked, Part, PartError, Question};
use crate::count::Count;
use ecode_core::{AllocationMatrix, Message, digest, shown, shown_sentence};

const SCHEMA: &str = "ecode/part/1";

/// Every field of the file. A field of another name is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    program: String,
    digest: String,
    n: usize,
    k: usize,
    #[serde(rename = "G")]
    g: Vec<Vec<u8>>,
    claim: ClaimFields,
    shard: u64,
    shards: u64,
    choices: String,
    from: String,
    to: String,
    sides: Vec<Side>,
    worst: Option<Worst>,
    contents: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFields {
    b: Option<usize>,
    ties: Option<String>,
    liars: Option<usize>,
}

impl ClaimFields {
    fn asked(self) -> Result<Asked, PartError> {
        match (self.ties, self.b, self.liars) {
            (Some(ties), b, None) => {
                let ties = ties.parse().or_else(|error| malformed(format!("{error}")))?;
                Ok(Asked::Tolerance { b, ties })
            }
            (None, None, Some(liars)) => Ok(Asked::Distortion { liars }),
            _ => malformed("claim has ties and, where one is asked about, b; or liars alone"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    answer: u8,
    margins: Vec<(i64, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Worst {
    margin: i64,
    message: Vec<usize>,
}

fn malformed<T>(what: impl Into<String>) -> Result<T, PartError> {
    Err(PartError::Malformed(shown_sentence(&what.into())))
}

fn invalid<T>(what: impl Into<String>) -> Result<T, PartError> {
    Err(PartError::Invalid(shown_sentence(&what.into())))
}

/// A number as it stands in files: decimal digits, no sign, no leading zero.
fn number<N: std::str::FromStr + ToString>(name: &str, text: &str) -> Result<N, PartError> {
    match text.parse::<N>() {
        Ok(number) if number.to_string() == text => Ok(number),
        _ => malformed(format!("{name} is \"{}\", not a number in decimal digits", shown(text))),
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Part, PartError> {
    let file: File = serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
    if file.schema != SCHEMA {
        return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", shown(&file.schema)));
    }
    let mut contents: Value = serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
    let stated = contents.as_object_mut().and_then(|fields| fields.shift_remove("contents"));
    let computed = sha256(&contents);
    if stated != Some(json!(computed)) {
        return invalid(format!(
            "contents is {}, but that of what the file says is {computed}",
            shown(&file.contents)
        ));
    }
    for (j, row) in file.g.iter().enumerate() {
        if let Some(i) = row.iter().position(|&entry| entry > 1) {
            return malformed(format!("G: row {j}, column {i} is {}, not 0 or 1", row[i]));
        }
    }
    let rows: Vec<Vec<bool>> =
        file.g.iter().map(|row| row.iter().map(|&entry| entry == 1).collect()).collect();
    let matrix = AllocationMatrix::from_rows(&rows).or_else(|error| malformed(format!("G: {error}")))?;
    if (file.n, file.k) != (matrix.n(), matrix.k()) {
        return malformed(format!(
            "n and k are {} and {}, but G is {} × {}",
            file.n,
            file.k,
            matrix.n(),
            matrix.k()
        ));
    }
    if file.digest != matrix.digest() {
        return invalid(format!("the digest is {}, but G's is {}", shown(&file.digest), matrix.digest()));
    }
    let question = Question { asked: file.claim.asked()?, matrix };
    question.check()?;
    let all = question.enumeration()?;
    let mut margins = Vec::new();
    for (side, answer) in file.sides.iter().zip(all.sides()) {
        if side.answer != u8::from(answer) {
            return invalid(format!(
                "side {} stands where side {} is expected",
                side.answer,
                u8::from(answer)
            ));
        }
        let mut list = BTreeMap::new();
        for (margin, messages) in &side.margins {
            let messages: BigUint = number("a number of messages", messages)?;
            if messages == BigUint::ZERO || list.last_key_value().is_some_and(|(last, _)| last >= margin) {
                return malformed("margins are in increasing order, with messages above zero");
            }
            list.insert(*margin, messages);
        }
        margins.push(list);
    }
    if margins.len() != file.sides.len() {
        return invalid(format!("{} sides, but {} decide", file.sides.len(), margins.len()));
    }
    let width = question.width();
    let worst = file.worst.map(|worst| {
        let list = &worst.message;
        if !list.is_sorted_by(|a, b| a < b) || list.last().is_some_and(|&last| last >= width) {
            return malformed(format!("message is not an increasing list of numbers below {width}"));
        }
        let outcome = all.outcome(&Message::from_indices(width, worst.message));
        if outcome.margin != worst.margin {
            return invalid(format!(
                "the worst message is said to have the margin {}, but has {}",
                worst.margin, outcome.margin
            ));
        }
        Ok(outcome)
    });
    Ok(Part {
        program: file.program,
        question,
        shard: (file.shard, file.shards),
        total: number("choices", &file.choices)?,
        range: number("from", &file.from)?..number("to", &file.to)?,
        count: Count { margins, worst: worst.transpose()? },
    })
}

/// Everything but `contents`.
fn fields(part: &Part) -> Vec<(&'static str, Value)> {
    let g = &part.question.matrix;
    let rows: Vec<Vec<u8>> =
        (0..g.n()).map(|j| (0..g.k()).map(|i| u8::from(g.holds(j, i))).collect()).collect();
    let sides = part.question.sides().into_iter().zip(&part.count.margins).map(|(answer, margins)| Side {
        answer: u8::from(answer),
        margins: margins.iter().map(|(&margin, messages)| (margin, messages.to_string())).collect(),
    });
    let worst = part
        .count
        .worst
        .as_ref()
        .map(|worst| Worst { margin: worst.margin, message: worst.message.indices().collect() });
    let claim = match part.question.asked {
        Asked::Tolerance { b: None, ties } => json!({"ties": ties.name()}),
        Asked::Tolerance { b: Some(b), ties } => json!({"ties": ties.name(), "b": b}),
        Asked::Distortion { liars } => json!({"liars": liars}),
    };
    let mut fields = vec![
        ("schema", json!(SCHEMA)),
        ("program", json!(part.program)),
        ("digest", json!(g.digest())),
        ("n", json!(g.n())),
        ("k", json!(g.k())),
        ("G", json!(rows)),
        ("claim", claim),
        ("shard", json!(part.shard.0)),
        ("shards", json!(part.shard.1)),
        ("choices", json!(part.total.to_string())),
        ("from", json!(part.range.start.to_string())),
        ("to", json!(part.range.end.to_string())),
        ("sides", json!(sides.collect::<Vec<_>>())),
    ];
    if let Some(worst) = worst {
        fields.push(("worst", json!(worst)));
    }
    fields
}

/// One field a line, and one row of G.
pub(super) fn write(part: &Part) -> String {
    let mut fields = fields(part);
    fields.push(("contents", json!(digest(part))));
    let line = |(name, value): &(&str, Value)| match value.as_array() {
        Some(rows) if *name == "G" => {
            let rows: Vec<String> = rows.iter().map(|row| format!("  {row}")).collect();
            format!(" \"G\":[\n{}]", rows.join(",\n"))
        }
        _ => format!(" \"{name}\":{value}"),
    };
    format!("{{\n{}\n}}\n", fields.iter().map(line).collect::<Vec<_>>().join(",\n"))
}

pub(super) fn digest(part: &Part) -> String {
    let fields = fields(part).into_iter().map(|(name, value)| (name.to_owned(), value));
    sha256(&Value::Object(fields.collect()))
}

/// The SHA-256 of a document with its names in order and without spaces (RFC 8785).
fn sha256(document: &Value) -> String {
    let mut text = String::new();
    canonical(document, &mut text);
    digest::sha256(text.as_bytes())
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<&String, &Value> = fields.iter().collect();
            for (place, (name, value)) in ordered.into_iter().enumerate() {
                *text += if place == 0 { "{" } else { "," };
                *text += &json!(name).to_string();
                *text += ":";
                canonical(value, text);
            }
            *text += if fields.is_empty() { "{}" } else { "}" };
        }
        Value::Array(list) => {
            *text += "[";
            for (place, value) in list.iter().enumerate() {
                *text += if place == 0 { "" } else { "," };
                canonical(value, text);
            }
            *text += "]";
        }
        plain => *text += &plain.to_string(),
    }
}
