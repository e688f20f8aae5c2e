//! `ecode/domain-certificate/1`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AcceptedDomains, DomainCertificate, DomainProof, Proofs};
use crate::budget::MAX_FILE;
use crate::certificate::{SideProof, System};
use crate::json::{
    AtMost, Attack, Indices, MalformedCertificate, Named, Side, bit, has_schema, increasing, malformed,
    matrix, rows,
};
use crate::outcome::Refused;
use ecode_core::{DomainCounterexample, DomainSet, Domains, MAX_SIZE, TieRule, shown};

const SCHEMA: &str = "ecode/domain-certificate/1";

/// A certificate has no more cases.
const MOST_CASES: usize = 1 << 14;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    program: String,
    digest: String,
    n: usize,
    k: usize,
    #[serde(rename = "G")]
    g: AtMost<AtMost<u8, MAX_SIZE>, MAX_SIZE>,
    domains: AtMost<String, MAX_SIZE>,
    claim: Named<ClaimFields>,
    kind: String,
    lying: Option<Indices>,
    counterexample: Option<Named<Attack>>,
    largest: Option<Named<ProofFields>>,
    cases: Option<AtMost<Named<CaseFields>, MOST_CASES>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFields {
    verdict: String,
    b: usize,
    ties: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofFields {
    system: String,
    #[serde(default)]
    reductions: AtMost<String, 1>,
    sides: AtMost<Named<Side>, 2>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFields {
    lying: Indices,
    proof: Named<ProofFields>,
}

/// Whether a file says that it is a certificate of this kind.
#[must_use]
pub fn is_domains(bytes: &[u8]) -> bool {
    has_schema(SCHEMA, bytes)
}

impl ProofFields {
    fn read(self) -> Result<Proofs, MalformedCertificate> {
        let system: System = self.system.parse().or_else(|error| malformed(format!("{error}")))?;
        let read = |Named(side): Named<Side>| {
            Ok(SideProof { correct: bit("answer", side.answer)?, formula: side.formula, proof: side.proof })
        };
        let sides = self.sides.0.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Proofs { system, sides, reductions: self.reductions.0 })
    }

    fn of(proofs: &Proofs) -> Self {
        let side = |side: &SideProof| {
            Named(Side {
                answer: u8::from(side.correct),
                formula: side.formula.clone(),
                proof: side.proof.clone(),
            })
        };
        let system = match proofs.system {
            System::CuttingPlanes => "cutting-planes",
            System::Drat => "drat",
        };
        Self {
            system: system.to_owned(),
            reductions: AtMost(proofs.reductions.clone()),
            sides: AtMost(proofs.sides.iter().map(side).collect()),
        }
    }
}

impl DomainCertificate {
    /// Reads `ecode/domain-certificate/1`.
    ///
    /// # Errors
    /// [`MalformedCertificate`] with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedCertificate> {
        if bytes.len() as u64 > MAX_FILE {
            return malformed(format!("more than {MAX_FILE} bytes"));
        }
        let Named(file): Named<File> =
            serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", shown(&file.schema)));
        }
        let matrix = matrix(&file.g.0, (file.n, file.k))?;
        let names = file.domains.0;
        if names.len() != matrix.n() {
            return malformed(format!("domains has {} names for {} workers", names.len(), matrix.n()));
        }
        let domains = Domains::of_workers(&names).or_else(|error| malformed(format!("domains: {error}")))?;
        let claim = file.claim.0;
        let ties: TieRule = claim.ties.parse().or_else(|error| malformed(format!("{error}")))?;
        let set = |list: Indices| {
            increasing("lying", &list.0, domains.len())?;
            Ok(DomainSet::from_indices(domains.len(), list.0))
        };
        let parts = (file.lying, file.counterexample, file.largest, file.cases);
        let evidence = match (file.kind.as_str(), parts) {
            ("refutation", (Some(lying), Some(attack), None, None)) => {
                let attack = attack.0.read(&matrix)?;
                DomainProof::Refutation(DomainCounterexample { domains: set(lying)?, attack })
            }
            ("largest", (None, None, Some(proofs), None)) => DomainProof::Largest(proofs.0.read()?),
            ("each-set", (None, None, None, Some(cases))) => {
                let case = |Named(case): Named<CaseFields>| Ok((set(case.lying)?, case.proof.0.read()?));
                DomainProof::EachSet(cases.0.into_iter().map(case).collect::<Result<_, _>>()?)
            }
            ("refutation", _) => {
                return malformed("kind refutation has lying, a counterexample and nothing else");
            }
            ("largest", _) => return malformed("kind largest has largest and nothing else"),
            ("each-set", _) => return malformed("kind each-set has cases and nothing else"),
            (other, _) => {
                return malformed(format!(
                    "kind is \"{}\", expected refutation, largest or each-set",
                    shown(other)
                ));
            }
        };
        let expected = if matches!(evidence, DomainProof::Refutation(_)) { "refuted" } else { "tolerant" };
        if claim.verdict != expected {
            return malformed(format!(
                "the verdict is \"{}\", but kind {} is of \"{expected}\"",
                shown(&claim.verdict),
                file.kind
            ));
        }
        Ok(Self { program: file.program, digest: file.digest, b: claim.b, matrix, domains, ties, evidence })
    }

    /// Writes `ecode/domain-certificate/1`: one field a line, one row of G, and one case.
    #[must_use]
    pub fn to_json(&self) -> String {
        let g = &self.matrix;
        let names = self.domains.names_by_worker();
        let list = |set: &DomainSet| set.indices().collect::<Vec<_>>();
        let (kind, verdict) = match &self.evidence {
            DomainProof::Refutation(_) => ("refutation", "refuted"),
            DomainProof::Largest(_) => ("largest", "tolerant"),
            DomainProof::EachSet(_) => ("each-set", "tolerant"),
        };
        let mut lines = vec![
            format!(" \"schema\":\"{SCHEMA}\""),
            format!(" \"program\":{}", json!(self.program)),
            format!(" \"digest\":{}", json!(self.digest)),
            format!(" \"n\":{},\"k\":{}", g.n(), g.k()),
            format!(" \"G\":[\n{}]", rows(g)),
            format!(" \"domains\":{}", json!(names)),
            format!(" \"claim\":{}", json!({"verdict": verdict, "b": self.b, "ties": self.ties.name()})),
            format!(" \"kind\":\"{kind}\""),
        ];
        match &self.evidence {
            DomainProof::Refutation(found) => {
                lines.push(format!(" \"lying\":{}", json!(list(&found.domains))));
                lines.push(format!(" \"counterexample\":{}", json!(Attack::of(&found.attack))));
            }
            DomainProof::Largest(proofs) => {
                lines.push(format!(" \"largest\":{}", json!(ProofFields::of(proofs))));
            }
            DomainProof::EachSet(cases) => {
                let case = |(lying, proofs): &(DomainSet, Proofs)| {
                    let proof = ProofFields::of(proofs);
                    format!("  {}", json!({"lying": list(lying), "proof": proof}))
                };
                let cases: Vec<String> = cases.iter().map(case).collect();
                lines.push(format!(" \"cases\":[\n{}]", cases.join(",\n")));
            }
        }
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// The claim in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (b, all) = (self.b, self.domains.len());
        if matches!(self.evidence, DomainProof::Refutation(_)) {
            let domains = if b == 1 { "domain" } else { "domains" };
            return format!("{b} {domains} of {all} can overturn a vote, ties {}", self.ties);
        }
        let no = if b == 1 { "no domain".to_owned() } else { format!("no {b} domains") };
        format!("{no} of {all} can overturn any vote, with all their workers, ties {}", self.ties)
    }

    /// What a valid certificate has shown, as a person reads it.
    #[must_use]
    pub fn report(&self, accepted: &AcceptedDomains) -> String {
        let (g, program) = (&self.matrix, shown(&self.program));
        let mut text = format!(
            "Valid: {}.\n\nmatrix   {} × {}, {}\nmade by  {program}\n",
            self.sentence(),
            g.n(),
            g.k(),
            g.digest()
        );
        for line in &accepted.checked {
            text += &format!("checked  {line}\n");
        }
        text
    }

    /// The same as a document, `ecode/check/1`.
    #[must_use]
    pub fn document(&self, outcome: &Result<AcceptedDomains, Refused>) -> Value {
        let g = &self.matrix;
        let names = self.domains.names_by_worker();
        json!({
            "schema": "ecode/check/1",
            "valid": match outcome {
                Ok(_) => json!(true),
                Err(refused) if refused.exit_code() == 3 => Value::Null,
                Err(_) => json!(false),
            },
            "digest": g.digest(), "n": g.n(), "k": g.k(), "domains": names, "b": self.b,
            "ties": self.ties.name(),
            "verdict": outcome.as_ref().ok().map(|accepted| if accepted.tolerant { "tolerant" } else { "refuted" }),
            "checked": outcome.as_ref().map_or(json!([]), |accepted| json!(accepted.checked)),
            "strength": outcome.as_ref().ok().map(|_| "proved"),
            "note": outcome.as_ref().err().map(ToString::to_string),
        })
    }
}
