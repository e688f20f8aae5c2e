//! From the file to a certificate: every value is one that could be valid.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::fields::{AtMost, Attack, Counted, File, Named, Part, Side};
use super::kind::other_kind;
use super::{MalformedCertificate, SCHEMA, malformed};
use crate::budget::{MAX_FILE, MOST_DIGITS};
use crate::certificate::{Certificate, Evidence, Record, RecordedPart, SideCount, SideProof, WorstCase};
use ecode_core::{AllocationMatrix, Claim, Counterexample, MAX_SIZE, Message, TieRule, Workers, shown};

pub(crate) fn bit(name: &str, value: u8) -> Result<bool, MalformedCertificate> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => malformed(format!("{name} is {other}, not 0 or 1")),
    }
}

/// An increasing list of indices.
pub(crate) fn increasing(name: &str, list: &[usize], below: usize) -> Result<(), MalformedCertificate> {
    if list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|&last| last < below) {
        return Ok(());
    }
    malformed(format!("{name} is not an increasing list of numbers below {below}"))
}

/// A number as it stands in files: decimal digits, no sign, no leading zero.
fn number<N: std::str::FromStr>(name: &str, text: &str) -> Result<N, MalformedCertificate> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits
        && (text == "0" || !text.starts_with('0'))
        && text.len() <= MOST_DIGITS
        && let Ok(number) = text.parse()
    {
        return Ok(number);
    }
    malformed(format!("{name} is \"{}\", not a number in decimal digits", shown(text)))
}

impl Counted {
    fn read(self) -> Result<SideCount, MalformedCertificate> {
        let mut margins = BTreeMap::new();
        for (margin, messages) in self.margins.0 {
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
            return malformed(format!("parts: contents is \"{}\", not a digest", shown(&self.contents)));
        }
        Ok(RecordedPart {
            range: number("from", &self.from)?..number("to", &self.to)?,
            digest: self.contents,
        })
    }
}

impl Attack {
    pub(crate) fn read(self, g: &AllocationMatrix) -> Result<Counterexample, MalformedCertificate> {
        let (message, byzantine, sent) = (self.message.0, self.byzantine.0, self.sent.0);
        increasing("message", &message, g.k())?;
        increasing("byzantine", &byzantine, g.n())?;
        if sent.len() != g.n() {
            return malformed(format!("sent has {} entries, not n = {}", sent.len(), g.n()));
        }
        let sent = sent.into_iter().map(|entry| entry.map(|value| bit("sent", value)).transpose());
        Ok(Counterexample {
            message: Message::from_indices(g.k(), message),
            byzantine: Workers::from_indices(g.n(), byzantine),
            sent: sent.collect::<Result<_, _>>()?,
            decoded: bit("decoded", self.decoded)?,
            correct: bit("correct", self.correct)?,
        })
    }
}

/// G from its rows, of the sizes that are stated beside it.
pub(crate) fn matrix(
    rows: &[AtMost<u8, MAX_SIZE>],
    (n, k): (usize, usize),
) -> Result<AllocationMatrix, MalformedCertificate> {
    let bits = |(j, row): (usize, &AtMost<u8, MAX_SIZE>)| {
        let entry = |(i, &entry): (usize, &u8)| match entry {
            0 | 1 => Ok(entry == 1),
            _ => malformed(format!("G: row {j}, column {i} is {entry}, not 0 or 1")),
        };
        row.0.iter().enumerate().map(entry).collect()
    };
    let rows: Vec<Vec<bool>> = rows.iter().enumerate().map(bits).collect::<Result<_, _>>()?;
    let matrix = AllocationMatrix::from_rows(&rows).or_else(|error| malformed(format!("G: {error}")))?;
    if (n, k) == (matrix.n(), matrix.k()) {
        return Ok(matrix);
    }
    malformed(format!("n and k are {n} and {k}, but G is {} × {}", matrix.n(), matrix.k()))
}

/// Reads a certificate.
pub(crate) fn parse(bytes: &[u8]) -> Result<Certificate, MalformedCertificate> {
    if bytes.len() as u64 > MAX_FILE {
        return malformed(format!("more than {MAX_FILE} bytes"));
    }
    let Named(file): Named<File> = serde_json::from_slice(bytes)
        .or_else(|error| malformed(other_kind(bytes).map_or_else(|| error.to_string(), str::to_owned)))?;
    if file.schema != SCHEMA {
        return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", shown(&file.schema)));
    }
    let matrix = matrix(&file.g.0, (file.n, file.k))?;
    let claim = file.claim.0;
    let ties: TieRule = claim.ties.parse().or_else(|error| malformed(format!("{error}")))?;
    let read = |Named(side): Named<Side>| {
        Ok(SideProof { correct: bit("answer", side.answer)?, formula: side.formula, proof: side.proof })
    };
    let sides: Vec<SideProof> = file.sides.0.into_iter().map(read).collect::<Result<_, _>>()?;
    let margin = claim.smallest_margin;
    let counts = (file.worst, file.counted, file.choices, file.parts);
    if file.kind != "enumeration" && !matches!(counts, (None, None, None, None)) {
        return malformed("only kind enumeration has worst, counted, choices and parts");
    }
    if (file.kind == "gluing") != file.shape.is_some() {
        return malformed("kind gluing has a shape, and no other kind has one");
    }
    let evidence = match (file.kind.as_str(), file.counterexample) {
        ("enumeration", attack) => match (counts, margin) {
            ((Some(worst), Some(counted), Some(choices), Some(parts)), Some(margin)) if sides.is_empty() => {
                increasing("worst", &worst.0, matrix.k())?;
                Evidence::Enumeration(Record {
                    attack: attack.map(|attack| attack.0.read(&matrix)).transpose()?,
                    margin,
                    worst: Message::from_indices(matrix.k(), worst.0),
                    sides: counted.0.into_iter().map(|side| side.0.read()).collect::<Result<_, _>>()?,
                    choices: number("choices", &choices)?,
                    parts: parts.0.into_iter().map(|part| part.0.read()).collect::<Result<_, _>>()?,
                })
            }
            _ => {
                return malformed(
                    "kind enumeration has worst, counted, choices, parts and a smallest margin, and no sides",
                );
            }
        },
        ("refutation", Some(attack)) if margin.is_some() != sides.is_empty() => Evidence::Refutation {
            attack: attack.0.read(&matrix)?,
            worst: margin.map(|margin| WorstCase { margin, sides }),
        },
        ("refutation", Some(_)) => {
            return malformed("a refutation has sides exactly where the claim names the smallest margin");
        }
        ("refutation", None) => return malformed("kind refutation has a counterexample"),
        ("cutting-planes", None) if !sides.is_empty() && margin.is_none() => Evidence::CuttingPlanes(sides),
        ("drat", None) if !sides.is_empty() && margin.is_none() => Evidence::Drat(sides),
        ("gluing", None) if sides.is_empty() && margin.is_none() => {
            Evidence::Gluing(file.shape.map(|shape| shape.0).unwrap_or_default())
        }
        ("gluing", _) => return malformed("kind gluing has a shape and nothing else"),
        (kind @ ("cutting-planes" | "drat"), ..) => {
            return malformed(format!("kind {kind} has sides, no counterexample and no smallest margin"));
        }
        (other, ..) => {
            return malformed(format!(
                "kind is \"{}\", expected refutation, cutting-planes, drat, gluing or enumeration",
                shown(other)
            ));
        }
    };
    let tolerant = match claim.verdict.as_str() {
        "tolerant" => true,
        "refuted" => false,
        other => {
            return malformed(format!("the verdict is \"{}\", expected tolerant or refuted", shown(other)));
        }
    };
    let tight = file.tight.map(|attack| attack.0.read(&matrix)).transpose()?;
    Ok(Certificate {
        program: file.program,
        claim: Claim { matrix, b: claim.b, ties },
        tolerant,
        radius: claim.radius,
        digest: file.digest,
        evidence,
        tight,
        reductions: file.reductions.0,
    })
}
