//! `ecode/certificate/1`.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Certificate, Evidence, Record, RecordedPart, SideCount, SideProof, WorstCase};
use ecode_core::{AllocationMatrix, Claim, Counterexample, Message, TieRule, Workers};

const SCHEMA: &str = "ecode/certificate/1";

/// Why a file is no certificate, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate: {0}")]
pub struct MalformedCertificate(String);

fn malformed<T>(what: impl Into<String>) -> Result<T, MalformedCertificate> {
    // What was found may quote the file: control characters are escaped, so that the error stays one line.
    let mut quoted = String::new();
    for c in what.into().chars() {
        if c.is_control() { quoted.extend(c.escape_default()) } else { quoted.push(c) }
    }
    Err(MalformedCertificate(quoted))
}

/// Every field of the file. A field of another name is refused: nothing may hide in a certificate.
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
    kind: String,
    #[serde(default)]
    reductions: Vec<String>,
    counterexample: Option<Attack>,
    #[serde(default)]
    sides: Vec<Side>,
    tight: Option<Attack>,
    worst: Option<Vec<usize>>,
    counted: Option<Vec<Counted>>,
    choices: Option<String>,
    parts: Option<Vec<Part>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    answer: u8,
    margins: Vec<(i64, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    from: String,
    to: String,
    contents: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFields {
    verdict: String,
    b: usize,
    radius: Option<usize>,
    smallest_margin: Option<i64>,
    ties: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    message: Vec<usize>,
    byzantine: Vec<usize>,
    sent: Vec<Option<u8>>,
    decoded: u8,
    correct: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    answer: u8,
    formula: String,
    proof: String,
}

fn bit(name: &str, value: u8) -> Result<bool, MalformedCertificate> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => malformed(format!("{name} is {other}, not 0 or 1")),
    }
}

/// An increasing list of indices.
fn increasing(name: &str, list: &[usize], below: usize) -> Result<(), MalformedCertificate> {
    if list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|&last| last < below) {
        return Ok(());
    }
    malformed(format!("{name} is not an increasing list of numbers below {below}"))
}

/// A number as it stands in files: decimal digits, no sign, no leading zero.
fn number<N: std::str::FromStr + ToString>(name: &str, text: &str) -> Result<N, MalformedCertificate> {
    match text.parse::<N>() {
        Ok(number) if number.to_string() == text => Ok(number),
        _ => malformed(format!("{name} is \"{text}\", not a number in decimal digits")),
    }
}

impl Counted {
    fn read(self) -> Result<SideCount, MalformedCertificate> {
        let mut margins = BTreeMap::new();
        for (margin, messages) in self.margins {
            let messages: BigUint = number("a number of messages", &messages)?;
            if messages == BigUint::ZERO || margins.last_key_value().is_some_and(|(&last, _)| last >= margin)
            {
                return malformed("margins are in increasing order, with messages above zero");
            }
            margins.insert(margin, messages);
        }
        Ok(SideCount { correct: bit("answer", self.answer)?, margins })
    }
}

impl Part {
    fn read(self) -> Result<RecordedPart, MalformedCertificate> {
        let digits = self.contents.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
            return malformed(format!("parts: contents is \"{}\", not a digest", self.contents));
        }
        Ok(RecordedPart {
            range: number("from", &self.from)?..number("to", &self.to)?,
            digest: self.contents,
        })
    }
}

impl Attack {
    fn of(attack: &Counterexample) -> Self {
        Self {
            message: attack.message.indices().collect(),
            byzantine: attack.byzantine.indices().collect(),
            sent: attack.sent.iter().map(|bit| bit.map(u8::from)).collect(),
            decoded: u8::from(attack.decoded),
            correct: u8::from(attack.correct),
        }
    }

    fn read(self, g: &AllocationMatrix) -> Result<Counterexample, MalformedCertificate> {
        increasing("message", &self.message, g.k())?;
        increasing("byzantine", &self.byzantine, g.n())?;
        if self.sent.len() != g.n() {
            return malformed(format!("sent has {} entries, not n = {}", self.sent.len(), g.n()));
        }
        let sent = self.sent.into_iter().map(|entry| entry.map(|value| bit("sent", value)).transpose());
        Ok(Counterexample {
            message: Message::from_indices(g.k(), self.message),
            byzantine: Workers::from_indices(g.n(), self.byzantine),
            sent: sent.collect::<Result<_, _>>()?,
            decoded: bit("decoded", self.decoded)?,
            correct: bit("correct", self.correct)?,
        })
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Certificate, MalformedCertificate> {
    let file: File = serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
    if file.schema != SCHEMA {
        return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", file.schema));
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
    let ties: TieRule = file.claim.ties.parse().or_else(|error| malformed(format!("{error}")))?;
    let read = |side: Side| {
        Ok(SideProof { correct: bit("answer", side.answer)?, formula: side.formula, proof: side.proof })
    };
    let sides: Vec<SideProof> = file.sides.into_iter().map(read).collect::<Result<_, _>>()?;
    let margin = file.claim.smallest_margin;
    let counts = (file.worst, file.counted, file.choices, file.parts);
    if file.kind != "enumeration" && !matches!(counts, (None, None, None, None)) {
        return malformed("only kind enumeration has worst, counted, choices and parts");
    }
    let evidence = match (file.kind.as_str(), file.counterexample) {
        ("enumeration", attack) => match (counts, margin) {
            ((Some(worst), Some(counted), Some(choices), Some(parts)), Some(margin)) if sides.is_empty() => {
                increasing("worst", &worst, matrix.k())?;
                Evidence::Enumeration(Record {
                    attack: attack.map(|attack| attack.read(&matrix)).transpose()?,
                    margin,
                    worst: Message::from_indices(matrix.k(), worst),
                    sides: counted.into_iter().map(Counted::read).collect::<Result<_, _>>()?,
                    choices: number("choices", &choices)?,
                    parts: parts.into_iter().map(Part::read).collect::<Result<_, _>>()?,
                })
            }
            _ => {
                return malformed(
                    "kind enumeration has worst, counted, choices, parts and a smallest margin, and no sides",
                );
            }
        },
        ("refutation", Some(attack)) if margin.is_some() != sides.is_empty() => Evidence::Refutation {
            attack: attack.read(&matrix)?,
            worst: margin.map(|margin| WorstCase { margin, sides }),
        },
        ("refutation", Some(_)) => {
            return malformed("a refutation has sides exactly where the claim names the smallest margin");
        }
        ("refutation", None) => return malformed("kind refutation has a counterexample"),
        ("cutting-planes", None) if !sides.is_empty() && margin.is_none() => Evidence::CuttingPlanes(sides),
        ("drat", None) if !sides.is_empty() && margin.is_none() => Evidence::Drat(sides),
        (kind @ ("cutting-planes" | "drat"), ..) => {
            return malformed(format!("kind {kind} has sides, no counterexample and no smallest margin"));
        }
        (other, ..) => {
            return malformed(format!(
                "kind is \"{other}\", expected refutation, cutting-planes, drat or enumeration"
            ));
        }
    };
    let tolerant = match file.claim.verdict.as_str() {
        "tolerant" => true,
        "refuted" => false,
        other => return malformed(format!("the verdict is \"{other}\", expected tolerant or refuted")),
    };
    let tight = file.tight.map(|attack| attack.read(&matrix)).transpose()?;
    Ok(Certificate {
        program: file.program,
        claim: Claim { matrix, b: file.claim.b, ties },
        tolerant,
        radius: file.claim.radius,
        digest: file.digest,
        evidence,
        tight,
        reductions: file.reductions,
    })
}

/// One field a line, and one row of G.
pub(super) fn write(certificate: &Certificate) -> String {
    let Certificate { program, claim, tolerant, radius, digest, evidence, tight, reductions } = certificate;
    let g = &claim.matrix;
    let rows: Vec<String> = (0..g.n())
        .map(|j| {
            let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
            format!("  [{}]", row.join(","))
        })
        .collect();
    let attack = |attack: &Counterexample| json!(Attack::of(attack));
    let (kind, attacked, sides, margin) = match evidence {
        Evidence::Refutation { attack, worst: None } => ("refutation", Some(attack), &[][..], None),
        Evidence::Refutation { attack, worst: Some(worst) } => {
            ("refutation", Some(attack), &worst.sides[..], Some(worst.margin))
        }
        Evidence::CuttingPlanes(sides) => ("cutting-planes", None, &sides[..], None),
        Evidence::Drat(sides) => ("drat", None, &sides[..], None),
        Evidence::Enumeration(record) => {
            ("enumeration", record.attack.as_ref(), &[][..], Some(record.margin))
        }
    };
    let verdict = if *tolerant { "tolerant" } else { "refuted" };
    let mut stated = json!({"verdict": verdict, "b": claim.b, "ties": claim.ties.name()});
    if let Some(radius) = radius {
        stated["radius"] = json!(radius);
    }
    if let Some(margin) = margin {
        stated["smallest_margin"] = json!(margin);
    }
    let mut lines = vec![
        format!(" \"schema\":\"{SCHEMA}\""),
        format!(" \"program\":{}", json!(program)),
        format!(" \"digest\":{}", json!(digest)),
        format!(" \"n\":{},\"k\":{}", g.n(), g.k()),
        format!(" \"G\":[\n{}]", rows.join(",\n")),
        format!(" \"claim\":{stated}"),
        format!(" \"kind\":\"{kind}\""),
    ];
    if !reductions.is_empty() {
        lines.push(format!(" \"reductions\":{}", json!(reductions)));
    }
    if let Some(attacked) = attacked {
        lines.push(format!(" \"counterexample\":{}", attack(attacked)));
    }
    if !sides.is_empty() {
        let side = |side: &SideProof| -> Value {
            json!(Side {
                answer: u8::from(side.correct),
                formula: side.formula.clone(),
                proof: side.proof.clone()
            })
        };
        lines.push(format!(" \"sides\":{}", json!(sides.iter().map(side).collect::<Vec<_>>())));
    }
    if let Evidence::Enumeration(record) = evidence {
        let counted = record.sides.iter().map(|side| Counted {
            answer: u8::from(side.correct),
            margins: side.margins.iter().map(|(&margin, messages)| (margin, messages.to_string())).collect(),
        });
        let parts = record.parts.iter().map(|part| Part {
            from: part.range.start.to_string(),
            to: part.range.end.to_string(),
            contents: part.digest.clone(),
        });
        lines.push(format!(" \"worst\":{}", json!(record.worst.indices().collect::<Vec<_>>())));
        lines.push(format!(" \"counted\":{}", json!(counted.collect::<Vec<_>>())));
        lines.push(format!(" \"choices\":\"{}\"", record.choices));
        lines.push(format!(" \"parts\":{}", json!(parts.collect::<Vec<_>>())));
    }
    if let Some(tight) = tight {
        lines.push(format!(" \"tight\":{}", attack(tight)));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
