//! What came of a search for a budgeted code, for people and for the matrix file.

use ecode::analysis::{Ensemble, Estimate, MeanErrors};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::Demand;
use ecode::report::{Markdown, picture, plain, probability};
use ecode::search::{BudgetRequest, Budgeted, Liars};
use ecode::verify::{Control, Radius, Verdict};
use serde_json::{Value, json};

use crate::cli::output;

/// What came of a search.
pub(super) struct Summary<'a> {
    pub(super) request: &'a BudgetRequest,
    pub(super) found: &'a Budgeted,
    /// At each q, confirmed.
    pub(super) errors: Vec<Estimate>,
    /// No code within the budget errs less often, at each q.
    pub(super) least: &'a [f64],
    /// What the search began with.
    pub(super) before: Option<&'a Budgeted>,
    pub(super) rounds: u64,
}

impl Summary<'_> {
    /// What the matrix file says under `construction`.
    pub(super) fn provenance(&self, redundancy: Option<f64>) -> Value {
        let mut made = self.request.to_json();
        let values: Vec<f64> = self.errors.iter().map(|error| error.value()).collect();
        let exact = self.errors.iter().all(|error| error.is_exact());
        let ends: Vec<[f64; 2]> = self.errors.iter().map(|error| error.ends().into()).collect();
        let more = json!({
            "name": "budget search", "objective": "probability of a wrong sign, geometric mean over q",
            "redundancy": redundancy, "errors": values, "intervals": if exact { None } else { Some(ends) },
            "exact": exact, "lower_bounds": self.least, "rounds": self.rounds,
        });
        if let (Value::Object(made), Value::Object(more)) = (&mut made, more) {
            made.extend(more);
        }
        made
    }

    /// The first q, one in the middle, and the last.
    fn shown(&self) -> Vec<usize> {
        let count = self.request.qs.len();
        let mut shown = vec![0, count / 2, count - 1];
        shown.dedup();
        shown
    }

    /// A Bernoulli code of the same redundancy, averaged over all draws; for adaptive liars and all votes.
    fn bernoulli(&self) -> Option<Vec<f64>> {
        let BudgetRequest { n, k, b, stragglers, ones, ref qs, liars, .. } = *self.request;
        if liars == Liars::Fixed || stragglers > 0 {
            return None;
        }
        let ensemble = Ensemble::new(n, k, (ones as f64 / (n * k) as f64).min(1.0)).ok()?;
        let mean = MeanErrors::of(&ensemble, TieRule::Adversarial, &Control::default())?;
        let adversary = match liars {
            Liars::Random => ecode::analysis::Adversary::Random,
            _ => ecode::analysis::Adversary::Adaptive,
        };
        let worst = |&q: &f64| {
            let [zero, one] = mean.errors(ecode::analysis::Kind::Sign, adversary, q).ok()?;
            Some(zero[b].max(one[b]))
        };
        qs.iter().map(worst).collect()
    }

    pub(super) fn text(&self, verdict: &Verdict) -> String {
        let BudgetRequest { n, b, stragglers, ref qs, liars, .. } = *self.request;
        let g = &self.found.matrix;
        let shown = self.shown();
        let columns = shown.iter().map(|&at| format!("q = {}", plain(qs[at])));
        let head = ["code", "ones", "r", "heaviest"].map(str::to_owned);
        let mut table = Markdown::new(head.into_iter().chain(columns));
        let mut row = |name: &str, g: Option<&AllocationMatrix>, errors: Vec<String>| {
            let of = |text: &dyn Fn(&AllocationMatrix) -> String| g.map_or(String::new(), text);
            let sizes = [
                name.to_owned(),
                of(&|g| g.ones().to_string()),
                of(&|g| format!("{:.2}", g.redundancy())),
                of(&|g| Demand::heaviest(g).to_string()),
            ];
            table.row(sizes.into_iter().chain(errors));
        };
        let of = |errors: &[f64]| shown.iter().map(|&at| probability(errors[at])).collect::<Vec<_>>();
        if let Some(errors) = self.bernoulli() {
            row("Bernoulli, mean over all draws, ties wrong", None, of(&errors));
        }
        if let Some(before) = self.before.filter(|before| before.matrix != *g) {
            row("known before", Some(&before.matrix), of(&before.errors));
        }
        row("this code", Some(g), shown.iter().map(|&at| estimate(self.errors[at])).collect());
        row("no code errs less often than", None, of(self.least));
        let missing = if stragglers > 0 { format!(" and {stragglers} missing votes") } else { String::new() };
        let lying = if b == 1 { "liar" } else { "liars" };
        let unheld = g.partition_loads().iter().filter(|&&load| load == 0).count();
        let unheld = match unheld {
            0 => String::new(),
            1 => "1 partition is held by nobody: its data is not used.\n".to_owned(),
            many => format!("{many} partitions are held by nobody: their data is not used.\n"),
        };
        let tolerates = match verdict.radius() {
            Radius::Exactly(0) => "It decodes right when nobody lies, and tolerates no liar".to_owned(),
            Radius::Exactly(radius) => format!("It tolerates {radius} of {n} (radius {radius})"),
            Radius::AtLeast(least) => format!("It tolerates at least {least} of {n}"),
            Radius::FailsWithoutLiars => {
                "It tolerates nothing: some message is decoded wrong even when nobody lies".to_owned()
            }
            Radius::Unknown => "What it tolerates was not decided".to_owned(),
        };
        format!(
            "Budgeted: how often a sign is decoded wrong with {b} {} {lying} of {n} workers{missing}, each partition's sign wrong with probability q.\n\n{table}\n{unheld}{tolerates}.\n\n{}",
            liars.name(),
            picture(g, None, output::glyphs()),
        )
    }
}

/// A probability, or an interval.
fn estimate(error: Estimate) -> String {
    match error {
        Estimate::Exact(error) => probability(error),
        Estimate::Sampled { low, high, .. } => format!("{} to {}", probability(low), probability(high)),
    }
}
