//! `ecode/bound-certificate/1`.

use serde::Deserialize;
use serde_json::json;

use super::{BoundCase, BoundCertificate, BoundRule, Closed};
use crate::budget::MAX_FILE;
use crate::json::{AtMost, MalformedCertificate, has_schema, malformed};
use ecode_core::shown;

const SCHEMA: &str = "ecode/bound-certificate/1";

/// More cases than this no bound for up to 31 workers needs.
const MOST_CASES: usize = 1 << 20;

/// Odd loads from 1 to 29.
const MOST_LOADS: usize = 15;

/// Choices of at most six light rows, as 15 workers can have them, and families beside one of them.
const MOST_CLOSED: usize = 75;
const MOST_FAMILIES: usize = 1 << 18;

/// Exhaustion is for up to so many workers.
const MOST_ROWS: usize = 15;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    program: String,
    n: usize,
    b: usize,
    ones: usize,
    rule: String,
    #[serde(default)]
    cases: AtMost<Case, MOST_CASES>,
    #[serde(default)]
    closed: AtMost<Set, MOST_CLOSED>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rows: (usize, usize, usize, usize),
    loads: AtMost<(usize, usize, u16), MOST_LOADS>,
    left_out: Option<(usize, u8)>,
    sigma: u64,
    rho: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    empty: usize,
    singles: AtMost<usize, MOST_ROWS>,
    families: AtMost<AtMost<u16, MOST_ROWS>, MOST_FAMILIES>,
}

/// Whether a file says that it is a certificate of this kind.
#[must_use]
pub fn is_bound(bytes: &[u8]) -> bool {
    has_schema(SCHEMA, bytes)
}

impl BoundCertificate {
    /// Reads `ecode/bound-certificate/1`.
    ///
    /// # Errors
    /// [`MalformedCertificate`] with the place.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedCertificate> {
        if bytes.len() as u64 > MAX_FILE {
            return malformed(format!("more than {MAX_FILE} bytes"));
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return malformed("expected an object");
        }
        let file: File = serde_json::from_slice(bytes).or_else(|error| malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return malformed(format!("schema is \"{}\", expected \"{SCHEMA}\"", shown(&file.schema)));
        }
        let Some(rule) = BoundRule::of(&file.rule) else {
            return malformed(format!("rule is \"{}\", which is none", shown(&file.rule)));
        };
        let cases = file.cases.0.into_iter().map(|case| {
            let (empty, single, held, full) = case.rows;
            let Case { loads, left_out, sigma, rho, .. } = case;
            BoundCase { empty, single, held, full, loads: loads.0, left_out, sigma, rho }
        });
        let closed = file.closed.0.into_iter().map(|set| Closed {
            empty: set.empty,
            singles: set.singles.0,
            families: set.families.0.into_iter().map(|family| family.0).collect(),
        });
        let File { program, n, b, ones, .. } = file;
        Ok(Self { program, n, b, ones, rule, cases: cases.collect(), closed: closed.collect() })
    }

    /// Writes `ecode/bound-certificate/1`: one field a line, one case and one family.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { program, n, b, ones, rule, cases, closed } = self;
        let mut lines = vec![
            format!(" \"schema\":\"{SCHEMA}\""),
            format!(" \"program\":{}", json!(program)),
            format!(" \"n\":{n},\"b\":{b},\"ones\":{ones}"),
            format!(" \"rule\":\"{}\"", rule.name()),
        ];
        if !cases.is_empty() {
            let cases: Vec<String> = cases.iter().map(BoundCase::line).collect();
            lines.push(format!(" \"cases\":[\n  {}]", cases.join(",\n  ")));
        }
        if !closed.is_empty() {
            let closed: Vec<String> = closed.iter().map(Closed::lines).collect();
            lines.push(format!(" \"closed\":[\n  {}]", closed.join(",\n  ")));
        }
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}

impl Closed {
    /// A family a line.
    fn lines(&self) -> String {
        let families: Vec<String> = self.families.iter().map(|family| json!(family).to_string()).collect();
        format!(
            "{{\"empty\":{},\"singles\":{},\"families\":[\n   {}]}}",
            self.empty,
            json!(self.singles),
            families.join(",\n   ")
        )
    }
}

impl BoundCase {
    fn line(&self) -> String {
        let rows = [self.empty, self.single, self.held, self.full];
        let mut line = format!("{{\"rows\":{},\"loads\":{}", json!(rows), json!(self.loads));
        if let Some(left_out) = self.left_out {
            line += &format!(",\"left_out\":{}", json!(left_out));
        }
        line + &format!(",\"sigma\":{},\"rho\":{}}}", self.sigma, self.rho)
    }
}
