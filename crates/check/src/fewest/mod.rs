//! "No tolerant code has fewer ones": the claim, its certificate, and its check.
//!
//! # What is promised
//! What [`check_bound`] accepts follows from a theorem of docs/theory/bounds.md whose premises are worked out here from n and
//! b alone. A file adds the weights by which second moments exclude some choices of loads, or families of rows that are closed
//! under adding a row; a choice or a row that no test excludes is named, and the claim refused.

mod checking;
mod exhaustion;
mod file;
mod kernels;
mod label;
mod loads;
mod messages;
mod moments;
mod wins;

use serde_json::{Value, json};

use super::outcome::Refused;
use ecode_core::shown;

pub use checking::check_bound;
pub use file::is_bound;

/// The claim with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundCertificate {
    /// The program that made it.
    pub program: String,
    /// Workers, and partitions.
    pub n: usize,
    /// Byzantine workers.
    pub b: usize,
    /// No code that tolerates b has fewer ones.
    pub ones: usize,
    /// The theorem.
    pub rule: BoundRule,
    /// The choices of loads that second moments exclude; for the other rules there are none.
    pub cases: Vec<BoundCase>,
    /// The families that exhaustion lists, for each choice of light rows that has some; for the other rules there are none.
    pub closed: Vec<Closed>,
}

/// The theorems of docs/theory/bounds.md that the checker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundRule {
    /// Theorem 6.
    Columns,
    /// Theorem 13.
    TwoRows,
    /// Theorem 33.
    ThreeRows,
    /// Theorem 32.
    SecondMoment,
    /// Proposition 49 of docs/theory/exhaustion.md.
    Exhaustion,
}

impl BoundRule {
    const ALL: [Self; 5] =
        [Self::Columns, Self::TwoRows, Self::ThreeRows, Self::SecondMoment, Self::Exhaustion];

    /// Its name in files and in what `ecode bounds` prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::TwoRows => "two rows",
            Self::ThreeRows => "three rows",
            Self::SecondMoment => "second moment",
            Self::Exhaustion => "exhaustion",
        }
    }

    /// What an accepted certificate of this rule rests on.
    fn strength(self) -> &'static str {
        if self == Self::Exhaustion { "exhaustion" } else { "theorem" }
    }

    /// Where it is proved, and for whom.
    fn note(self) -> String {
        let by = match self {
            Self::Exhaustion => "by exhaustion, Proposition 49 of docs/theory/exhaustion.md",
            _ => "by a theorem of docs/theory/bounds.md",
        };
        format!("{by}, {RULES}")
    }

    /// The rule of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// Loads that Lemmas 30 and 31 exclude, and the numbers with which they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundCase {
    /// Rows that hold nothing.
    pub empty: usize,
    /// Rows of load 1.
    pub single: usize,
    /// Partitions that they hold.
    pub held: usize,
    /// Full rows.
    pub full: usize,
    /// Load, rows of it, weight in 1/1024: every load from 1 to n − 2 that occurs, in rising order.
    pub loads: Vec<(usize, usize, u16)>,
    /// W and θ in twentieths, where heavier loads than W are left out.
    pub left_out: Option<(usize, u8)>,
    /// σ in units of 2⁻⁴⁰.
    pub sigma: u64,
    /// 1/r, or 0 for r = 0.
    pub rho: u8,
}

/// Families of rows beside certain light ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Rows that hold nothing.
    pub empty: usize,
    /// For each partition that rows of load 1 hold, how many do: in falling order, of the first partitions.
    pub singles: Vec<usize>,
    /// Each family's rows of load 3 to n − 2, lightest first. Bit i of a row says whether it holds partition i.
    pub families: Vec<Vec<u16>>,
}

/// What an accepted certificate has shown: what was checked, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedBound {
    /// The sentences.
    pub checked: Vec<String>,
}

impl BoundCertificate {
    /// The claim in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { n, b, ones, .. } = self;
        format!("no code of {n} workers and {n} partitions that tolerates b = {b} has fewer than {ones} ones")
    }

    /// What the check found, in some lines.
    #[must_use]
    pub fn report(&self, accepted: &AcceptedBound) -> String {
        let mut text = format!("Valid: {}.\n\nrule     {}\n", self.sentence(), self.rule.name());
        text += &format!("made by  {}\n", shown(&self.program));
        for line in &accepted.checked {
            text += &format!("checked  {line}\n");
        }
        text + &format!("note     {}\n", self.rule.note())
    }

    /// The same as a document, `ecode/check/1`.
    #[must_use]
    pub fn document(&self, outcome: &Result<AcceptedBound, Refused>) -> Value {
        json!({
            "schema": "ecode/check/1",
            "valid": match outcome {
                Ok(_) => json!(true),
                Err(refused) if refused.exit_code() == 3 => Value::Null,
                Err(_) => json!(false),
            },
            "n": self.n, "k": self.n, "b": self.b, "ones": self.ones, "rule": self.rule.name(),
            "checked": outcome.as_ref().map_or(json!([]), |accepted| json!(accepted.checked)),
            "strength": outcome.as_ref().ok().map(|_| self.rule.strength()),
            "note": outcome.as_ref().map_or_else(ToString::to_string, |_| self.rule.note()),
        })
    }
}

const RULES: &str = "for the tie rules adversarial, zero and one, and for abstain where all loads are odd";
