//! `ecode/certificate/1`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Certificate, Evidence, SideProof, WorstCase};
use crate::code::{AllocationMatrix, Claim, Counterexample, Message, TieRule, Workers};

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
        let increasing = |name: &str, list: &[usize], below: usize| {
            if list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|&last| last < below) {
                return Ok(());
            }
            malformed(format!("{name} is not an increasing list of numbers below {below}"))
        };
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
    let evidence = match (file.kind.as_str(), file.counterexample) {
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
            return malformed(format!("kind is \"{other}\", expected refutation, cutting-planes or drat"));
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
    if let Some(tight) = tight {
        lines.push(format!(" \"tight\":{}", attack(tight)));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
