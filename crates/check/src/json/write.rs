//! From a certificate to the file.

use serde_json::{Value, json};

use super::SCHEMA;
use super::fields::{AtMost, Attack, Counted, Part, Side};
use crate::certificate::{Certificate, Evidence, GluedPart, SideProof};
use ecode_core::{AllocationMatrix, Counterexample};

impl Attack {
    pub(crate) fn of(attack: &Counterexample) -> Self {
        Self {
            message: AtMost(attack.message.indices().collect()),
            byzantine: AtMost(attack.byzantine.indices().collect()),
            sent: AtMost(attack.sent.iter().map(|bit| bit.map(u8::from)).collect()),
            decoded: u8::from(attack.decoded),
            correct: u8::from(attack.correct),
        }
    }
}

/// How partitions are cut into parts, as [`Shape`](super::fields::Shape) reads it.
fn parts(shape: &[GluedPart]) -> Value {
    let part = |part: &GluedPart| match part {
        GluedPart::Enumerated(points) => json!(points),
        GluedPart::Counted(points) => json!({"counted": points}),
        GluedPart::Lemma(inner) => parts(inner),
    };
    Value::Array(shape.iter().map(part).collect())
}

/// The rows of G, one a line.
pub(crate) fn rows(g: &AllocationMatrix) -> String {
    let row = |j: usize| {
        let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
        format!("  [{}]", row.join(","))
    };
    (0..g.n()).map(row).collect::<Vec<_>>().join(",\n")
}

/// One field a line, and one row of G.
pub(crate) fn write(certificate: &Certificate) -> String {
    let Certificate { program, claim, tolerant, radius, digest, evidence, tight, reductions } = certificate;
    let g = &claim.matrix;
    let attack = |attack: &Counterexample| json!(Attack::of(attack));
    let (kind, attacked, sides, margin) = match evidence {
        Evidence::Refutation { attack, worst: None } => ("refutation", Some(attack), &[][..], None),
        Evidence::Refutation { attack, worst: Some(worst) } => {
            ("refutation", Some(attack), &worst.sides[..], Some(worst.margin))
        }
        Evidence::CuttingPlanes(sides) => ("cutting-planes", None, &sides[..], None),
        Evidence::Drat(sides) => ("drat", None, &sides[..], None),
        Evidence::Gluing(_) => ("gluing", None, &[][..], None),
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
        format!(" \"G\":[\n{}]", rows(g)),
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
    if let Evidence::Gluing(shape) = evidence {
        lines.push(format!(" \"shape\":{}", parts(shape)));
    }
    if let Evidence::Enumeration(record) = evidence {
        let counted = record.sides.iter().map(|side| Counted {
            answer: u8::from(side.correct),
            margins: AtMost(
                side.margins.iter().map(|(&margin, messages)| (margin, messages.to_string())).collect(),
            ),
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
