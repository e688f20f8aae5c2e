//! `ecode search --exact`: the fewest ones of any code, by exhaustion.

use std::time::{Duration, Instant};

use anyhow::ensure;
use comfy_table::{Table, presets};
use ecode::construct::{Demand, KnownCode, best};
use ecode::format::{MatrixFile, verification_json};
use ecode::report::{thousands, time};
use ecode::search::{Exact, bounds, minimum_within};
use serde_json::{Value, json};

use super::Search;
use crate::cli::common::Common;
use crate::cli::ending::Ending;
use crate::cli::output::{self, Documents};
use crate::cli::watch;

/// What came of it, beside what was known.
struct Outcome {
    n: usize,
    b: usize,
    /// No load is above this.
    max_load: usize,
    /// Totals up to below this were to be tried.
    to: usize,
    known: Option<KnownCode>,
    found: Exact,
    elapsed: Duration,
}

/// Tries every total from the strongest theorem's bound to below the best code known.
pub(super) fn run(
    search: &Search,
    demand: &Demand,
    documents: &Documents,
    common: &Common,
) -> anyhow::Result<Ending> {
    let Demand { n, b, .. } = *demand;
    let max_load = demand.max_load.min(n);
    let known = best(n, b)?;
    let known = demand.fits(&known.matrix).then_some(known);
    let bounds = bounds(n, b)?;
    let from = bounds.iter().filter(|bound| !bound.by_search()).map(|bound| bound.least).max().unwrap_or(n);
    // Where nothing is known, to the most ones that there can be.
    let to = known.as_ref().map_or(n * max_load + 1, |known| known.matrix.ones());
    let control = common.control();
    let start = Instant::now();
    let found = watch::with_progress(&control, common.quiet, || {
        minimum_within(n, b, max_load, from, to, &|| control.stopped())
    })?;
    let outcome = Outcome { n, b, max_load, to, known, found, elapsed: start.elapsed() };
    let code = match (&outcome.found.matrix, &outcome.known) {
        (Some(matrix), _) => Some((matrix.clone(), json!({"name": "exact search", "n": n, "b": b}))),
        (None, Some(known)) => Some((known.matrix.clone(), known.to_json())),
        (None, None) => None,
    };
    let Some((matrix, construction)) = code else { return outcome.report_nothing(search.json) };
    let verdict = search.decide(&matrix, &construction, &control, common)?;
    ensure!(!verdict.is_refuted(), "the code found is not tolerant");
    let (ones, minimal) = (matrix.ones(), matrix.ones() == outcome.found.at_least);
    let verification = Some(verification_json(&verdict, &matrix));
    search.write(&MatrixFile { matrix, b: Some(b), construction: Some(construction), verification })?;
    if search.json {
        output::print(&outcome.to_json(ones, minimal, verdict.word()).to_string())?;
    } else {
        documents.report(&outcome.text(ones, minimal, verdict.word()))?;
    }
    let decided = verdict.is_tolerant() && minimal;
    Ok(if decided { Ending::Done } else { Ending::Undecided })
}

impl Outcome {
    fn effort(&self) -> String {
        let families: u64 = self.found.tried.iter().map(|(_, families)| families).sum();
        format!("{} families, {}", thousands(u128::from(families)), time(self.elapsed))
    }

    fn tried(&self) -> Value {
        let each = self.found.tried.iter();
        each.map(|(total, families)| json!({"ones": total, "families": families})).collect()
    }

    fn report_nothing(&self, as_json: bool) -> anyhow::Result<Ending> {
        let Self { n, b, max_load, .. } = *self;
        let (least, settled) = (self.found.at_least, self.found.at_least >= self.to);
        output::print(&if as_json {
            json!({
                "n": n, "b": b, "max_load": max_load, "known": null, "ones": null,
                "lower_bound": if settled { None } else { Some(least) }, "impossible": settled,
                "tried": self.tried(), "elapsed_s": self.elapsed.as_secs_f64(),
            })
            .to_string()
        } else if settled {
            let effort = self.effort();
            format!(
                "No code of {n} workers with at most {max_load} partitions each tolerates b = {b} ({effort})."
            )
        } else {
            format!("No such code has fewer than {least} ones; none is known ({}).", self.effort())
        })?;
        Ok(if settled { Ending::Refuted } else { Ending::Undecided })
    }

    fn to_json(&self, ones: usize, minimal: bool, verdict: &str) -> Value {
        json!({
            "n": self.n, "b": self.b, "max_load": self.max_load,
            "known": self.known.as_ref().map(|known| known.matrix.ones()), "ones": ones,
            "lower_bound": self.found.at_least, "minimal": minimal, "impossible": false,
            "tried": self.tried(), "elapsed_s": self.elapsed.as_secs_f64(), "verdict": verdict,
        })
    }

    fn text(&self, ones: usize, minimal: bool, verdict: &str) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["ones", "families built", "a code?"]);
        for (total, families) in &self.found.tried {
            let code = if *total == ones && ones < self.to { "yes" } else { "none" };
            table.add_row([total.to_string(), thousands(u128::from(*families)), code.to_owned()]);
        }
        let summary = if minimal {
            format!("{ones} ones are the fewest for n = {}, b = {}", self.n, self.b)
        } else {
            let least = self.found.at_least;
            format!("No tolerant code has fewer than {least} ones; the best known has {ones}")
        };
        format!("{table}\n{summary} ({}). The code is {verdict}.", self.effort())
    }
}
