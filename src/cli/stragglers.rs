//! `--stragglers`: liars and missing votes together, by the theorem of docs/theory/errors.md.
//!
//! # What is promised
//! - What is called tolerant follows from the theorem for every matrix and rule; what is called refuted, from the cases in
//!   which its bound is also needed. Everything else is undecided.
//! - With `--method definition` all choices of liars and missing votes are tried, so that everything is decided; where the
//!   theorem speaks as well the two must agree.

use ecode::analysis::{Analysis, Estimate, Row};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::report::plain;
use ecode::verify::{Conclusion, Control, Method, Verdict, overturned_with_missing};
use serde_json::{Value, json};

use super::ending::{Contradiction, Ending};

/// B liars and s missing votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stragglers {
    pub(crate) liars: usize,
    pub(crate) missing: usize,
    /// Whether they are tolerated, where all choices were tried.
    tried: Option<bool>,
}

impl Stragglers {
    pub(crate) fn new(liars: usize, missing: usize) -> Self {
        Self { liars, missing, tried: None }
    }

    /// Tries all choices, where that is asked for; the theorem must agree as far as it speaks.
    pub(crate) fn tried(
        self,
        method: Method,
        g: &AllocationMatrix,
        verdict: &Verdict,
        control: &Control,
    ) -> anyhow::Result<Self> {
        if method != Method::Definition {
            return Ok(self);
        }
        let both = (self.liars, self.missing);
        let tried = overturned_with_missing(g, verdict.ties(), both, control)
            .map_err(|unsuitable| anyhow::Error::msg(unsuitable.to_string()))?
            .map(|overturned| !overturned);
        match (self.tolerated(g, verdict), tried) {
            (Some(proved), Some(tried)) if proved != tried => Err(Contradiction(format!(
                "{} liars and {} missing votes are {} by the theorem on errors and erasures, and {} by the definition",
                self.liars,
                self.missing,
                if proved { "tolerated" } else { "not tolerated" },
                if tried { "tolerated" } else { "not tolerated" }
            ))
            .into()),
            _ => Ok(Self { tried, ..self }),
        }
    }

    /// As many liars alone are as much to ask: 2·liars + missing ≤ 2·radius is this number ≤ radius.
    pub(crate) fn as_liars(self) -> usize {
        self.liars + self.missing.div_ceil(2)
    }

    /// Whether 2·liars + missing ≤ 2·radius is also needed (Theorem 17 b).
    fn needed(self, g: &AllocationMatrix, ties: TieRule) -> bool {
        let rule = matches!(ties, TieRule::Adversarial | TieRule::Zero) || g.all_loads_odd();
        g.n() % 2 == 1 && g.k() % 2 == 1 && rule && self.liars + self.missing <= g.n()
    }

    /// What a verdict on [`Self::as_liars`] says of these; none where it says nothing.
    fn tolerated(self, g: &AllocationMatrix, verdict: &Verdict) -> Option<bool> {
        if self.tried.is_some() {
            return self.tried;
        }
        match verdict.conclusion() {
            Conclusion::Tolerant => Some(true),
            Conclusion::Refuted(_) if self.needed(g, verdict.ties()) => Some(false),
            _ => None,
        }
    }

    /// The exit code's meaning.
    pub(crate) fn ending(self, g: &AllocationMatrix, verdict: &Verdict) -> Ending {
        match self.tolerated(g, verdict) {
            Some(true) => Ending::Done,
            Some(false) => Ending::Refuted,
            None => Ending::Undecided,
        }
    }

    /// In words.
    pub(crate) fn sentence(self, g: &AllocationMatrix, verdict: &Verdict) -> String {
        let Self { liars, missing, tried } = self;
        let together = format!("{liars} liars and {missing} missing votes, whoever they are");
        let rule = format!("2·{liars} + {missing} ≤ 2·radius (docs/theory/errors.md)");
        match self.tolerated(g, verdict) {
            Some(true) if tried.is_some() => format!("Tolerant of {together}: every choice was tried."),
            Some(false) if tried.is_some() => {
                format!("Refuted for {together}: every choice was tried, up to one.")
            }
            Some(true) => format!("Tolerant of {together}: {rule}."),
            Some(false) => format!("Refuted for {together}: {rule} does not hold, and is needed here."),
            None => format!("Undecided for {together}: {rule} is not shown, and need not hold for it."),
        }
    }

    /// For documents.
    pub(crate) fn to_json(self, g: &AllocationMatrix, verdict: &Verdict) -> Value {
        json!({ "b": self.liars, "missing": self.missing, "tolerant": self.tolerated(g, verdict) })
    }
}

/// How often a decode is wrong with missing votes besides: at most, for missing votes that are the worst for each message.
///
/// A message with 2b + s ≤ D(m) is decoded right (Theorem 17 a), and D(m) ≥ 2·M(m): so b liars and s missing votes, all
/// chosen after the message, overturn no message that b + ⌈s/2⌉ liars do not.
pub(crate) struct Missing<'a> {
    analysis: &'a Analysis,
    missing: usize,
}

impl<'a> Missing<'a> {
    pub(crate) fn of(analysis: &'a Analysis, missing: usize) -> Self {
        Self { analysis, missing }
    }

    /// The largest number of liars that this says something of.
    fn most(&self) -> usize {
        self.analysis.matrix.n().saturating_sub(self.missing)
    }

    /// The error of rows of one q with b liars besides.
    fn error(&self, rows: &[Row], b: usize) -> Estimate {
        let as_liars = Stragglers::new(b, self.missing).as_liars();
        rows.get(as_liars).map_or(Estimate::Exact(1.0), |row| row.adaptive)
    }

    /// What it is with b liars, for documents.
    pub(crate) fn at(&self, b: usize) -> Value {
        let at_most = |estimate: Estimate| match estimate {
            Estimate::Exact(error) => error,
            Estimate::Sampled { high, .. } => high,
        };
        let decode = |at: &ecode::analysis::AtQ| {
            let error = self.error(&at.decode, b);
            json!({ "q": at.q, "decode_at_most": at_most(error), "exact_bound": error.is_exact() })
        };
        json!({ "b": b, "missing": self.missing, "at": self.analysis.at.iter().map(decode).collect::<Vec<_>>() })
    }

    pub(crate) fn to_json(&self) -> Value {
        (0..=self.most()).map(|b| self.at(b)).collect()
    }

    /// What it is with b liars, in a line.
    pub(crate) fn line(&self, name: &str, b: usize) -> String {
        let errors: Vec<String> = self
            .analysis
            .at
            .iter()
            .map(|at| format!("{} at q = {}", shown(self.error(&at.decode, b)), plain(at.q)))
            .collect();
        format!(
            "{name}: {b} liars and {} missing votes, the worst for each message: a decode is wrong with probability at \
             most {}.\n",
            self.missing,
            errors.join(", ")
        )
    }
}

fn shown(error: Estimate) -> String {
    match error {
        Estimate::Exact(error) => ecode::report::probability(error),
        Estimate::Sampled { high, .. } => format!("{} (95 % confidence)", ecode::report::probability(high)),
    }
}

impl std::fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.analysis.at.is_empty() {
            return Ok(());
        }
        let tolerated =
            self.analysis.radius.at_least().and_then(|radius| (2 * radius).checked_sub(self.missing));
        writeln!(f, "\nWith {} missing votes besides, the worst for each message, at most:", self.missing)?;
        if let Some(twice) = tolerated {
            writeln!(f, "{} liars: never.", twice / 2)?;
        }
        let first = tolerated.map_or(0, |twice| twice / 2 + 1);
        for b in (first..=self.most()).take(LINES) {
            let errors: Vec<String> = self
                .analysis
                .at
                .iter()
                .map(|at| format!("{} (q = {})", shown(self.error(&at.decode, b)), plain(at.q)))
                .collect();
            writeln!(f, "{b} liars: {}", errors.join(", "))?;
        }
        Ok(())
    }
}

/// So many numbers of liars are shown.
const LINES: usize = 4;
