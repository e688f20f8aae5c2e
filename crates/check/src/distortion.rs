//! "No q workers overturn more than c files": the claim about a redundancy scheme, its certificate, and its check.
//!
//! # What is promised
//! What [`check_distortion`] accepts follows from the definition of an overturned file and from the replay of a proof
//! that [`Formula::distortion`] has no solution. The formula is made from the matrix, q and c alone.

use serde::Deserialize;
use serde_json::{Value, json};

use super::budget::{MAX_FILE, MOST_TERMS};
use super::cutting_planes::replay;
use super::json::{AtMost, Indices, MalformedCertificate, has_schema, increasing, malformed, matrix, rows};
use super::options::Options;
use super::outcome::{Refused, invalid};
use super::proof::ProofError;
use ecode_core::{AllocationMatrix, Formula, MAX_SIZE, Workers, overturned, shown};

/// The schema of the file.
pub(crate) const SCHEMA: &str = "ecode/distortion-certificate/1";

/// The claim with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistortionCertificate {
    /// The program that made it.
    pub program: String,
    /// Row j lists the files of worker j.
    pub matrix: AllocationMatrix,
    /// What the digest is said to be.
    pub digest: String,
    /// q.
    pub liars: usize,
    /// c: no q workers overturn more files.
    pub files: usize,
    /// Workers, q of them or fewer, who are said to overturn c files: with them c is c_max(q).
    pub worst: Option<Workers>,
    /// What the formula's digest is said to be.
    pub formula: String,
    /// A cutting-planes proof that the formula has no solution.
    pub proof: String,
}

/// What an accepted certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedDistortion {
    /// Whether it shows also that some q workers overturn c files, so that c is c_max(q).
    pub exact: bool,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
}

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
    liars: usize,
    files: usize,
    worst: Option<Indices>,
    formula: String,
    proof: String,
}

/// Whether a file says that it is a certificate of this kind.
#[must_use]
pub fn is_distortion(bytes: &[u8]) -> bool {
    has_schema(SCHEMA, bytes)
}

impl DistortionCertificate {
    /// Reads `ecode/distortion-certificate/1`.
    ///
    /// # Errors
    /// [`MalformedCertificate`] with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedCertificate> {
        if bytes.len() as u64 > MAX_FILE {
            return malformed(format!("more than {MAX_FILE} bytes"));
        }
        // A list of the values alone is none.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return malformed("expected an object");
        }
        let file: File = serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", shown(&file.schema)));
        }
        let matrix = matrix(&file.g.0, (file.n, file.k))?;
        if let Some(worst) = &file.worst {
            increasing("worst", &worst.0, matrix.n())?;
        }
        let worst = file.worst.map(|worst| Workers::from_indices(matrix.n(), worst.0));
        Ok(Self {
            program: file.program,
            digest: file.digest,
            liars: file.liars,
            files: file.files,
            worst,
            formula: file.formula,
            proof: file.proof,
            matrix,
        })
    }

    /// Writes `ecode/distortion-certificate/1`: one field a line, and one row of G.
    #[must_use]
    pub fn to_json(&self) -> String {
        let g = &self.matrix;
        let mut lines = vec![
            format!(" \"schema\":\"{SCHEMA}\""),
            format!(" \"program\":{}", json!(self.program)),
            format!(" \"digest\":{}", json!(self.digest)),
            format!(" \"n\":{},\"k\":{}", g.n(), g.k()),
            format!(" \"G\":[\n{}]", rows(g)),
            format!(" \"liars\":{},\"files\":{}", self.liars, self.files),
        ];
        if let Some(worst) = &self.worst {
            lines.push(format!(" \"worst\":{}", json!(worst.indices().collect::<Vec<_>>())));
        }
        lines.push(format!(" \"formula\":{}", json!(self.formula)));
        lines.push(format!(" \"proof\":{}", json!(self.proof)));
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// The claim in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (liars, files) = (self.liars, self.files);
        let workers = if liars == 1 { "worker" } else { "workers" };
        format!(
            "no {liars} {workers} of {} overturn more than {files} of {} files",
            self.matrix.n(),
            self.matrix.k()
        )
    }

    /// What the check found, in some lines.
    #[must_use]
    pub fn report(&self, accepted: &AcceptedDistortion) -> String {
        let exact = if accepted.exact { format!("; some overturn {}", self.files) } else { String::new() };
        let (g, program) = (&self.matrix, shown(&self.program));
        let head = format!("Valid: {}{exact}.", self.sentence());
        let mut text =
            format!("{head}\n\nmatrix   {} × {}, {}\nmade by  {program}\n", g.n(), g.k(), g.digest());
        for line in &accepted.checked {
            text += &format!("checked  {line}\n");
        }
        text
    }

    /// The same as a document, `ecode/check/1`.
    #[must_use]
    pub fn document(&self, outcome: &Result<AcceptedDistortion, Refused>) -> Value {
        let g = &self.matrix;
        json!({
            "schema": "ecode/check/1",
            "valid": match outcome {
                Ok(_) => json!(true),
                Err(refused) if refused.exit_code() == 3 => Value::Null,
                Err(_) => json!(false),
            },
            "digest": g.digest(), "n": g.n(), "k": g.k(), "liars": self.liars, "files": self.files,
            "exact": outcome.as_ref().is_ok_and(|accepted| accepted.exact),
            "checked": outcome.as_ref().map_or(json!([]), |accepted| json!(accepted.checked)),
            "strength": outcome.as_ref().ok().map(|_| "proved"),
            "note": outcome.as_ref().err().map(ToString::to_string),
        })
    }
}

/// Checks a certificate of a redundancy scheme.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check_distortion(
    certificate: &DistortionCertificate,
    options: Options,
) -> Result<AcceptedDistortion, Refused> {
    let DistortionCertificate { matrix: g, liars, files, .. } = certificate;
    if certificate.digest != g.digest() {
        return invalid(format!("the digest is {}, but G's is {}", shown(&certificate.digest), g.digest()));
    }
    if *liars > g.n() {
        return invalid(format!("liars is {liars}, but there are only {} workers", g.n()));
    }
    if let Some(file) = g.partition_loads().iter().position(|&copies| copies == 0) {
        return invalid(format!("no worker holds partition {file}, so it has no majority"));
    }
    let mut checked = Vec::new();
    if let Some(worst) = &certificate.worst {
        if worst.count() > *liars {
            return invalid(format!("worst has {} workers, more than {liars}", worst.count()));
        }
        let attained = overturned(g, worst, &Workers::empty(g.n())).count();
        if attained != *files {
            return invalid(format!("worst is said to overturn {files} files, but overturns {attained}"));
        }
        checked
            .push(format!("the workers {worst} overturn {files} files: half of the copies of each or more"));
    }
    if g.ones() > MOST_TERMS {
        return Err(Refused::TooLarge(format!("a formula of more than {MOST_TERMS} terms is not replayed")));
    }
    let formula = Formula::distortion(g, *liars, *files);
    let digest = formula.digest();
    if certificate.formula != digest {
        let stated = shown(&certificate.formula);
        return invalid(format!(
            "the formula's digest is {stated}, but that of the claim's formula is {digest}"
        ));
    }
    let steps = replay(&formula, &certificate.proof, options.stopped).map_err(|error| match error {
        ProofError::Malformed { .. } => Refused::Malformed(error.to_string()),
        ProofError::Rejected { .. } => Refused::Invalid(error.to_string()),
        ProofError::TooLarge { .. } => Refused::TooLarge(error.to_string()),
        ProofError::Stopped => Refused::Stopped,
    })?;
    checked.push(format!(
        "{steps} steps prove that the formula of {} variables and {} inequalities has no solution",
        formula.variables(),
        formula.inequalities.len()
    ));
    Ok(AcceptedDistortion { exact: certificate.worst.is_some(), checked })
}
