//! What came of a search, as a table and as a document.

use comfy_table::{Table, presets};
use ecode::code::AllocationMatrix;
use ecode::construct::{Algorithm1, Block, Demand};
use ecode::search::Bounds;
use serde_json::{Value, json};

use crate::cli::demand::bound_json;
use crate::cli::output::{self, Documents};

/// What came of a search that has a code to show.
pub(super) struct Summary<'a> {
    pub(super) demand: Demand,
    pub(super) least: Bounds,
    /// The best code before the search.
    pub(super) before: Option<&'a AllocationMatrix>,
    pub(super) now: &'a AllocationMatrix,
    /// What the search found that is better.
    pub(super) new: Option<&'a Block>,
    pub(super) rounds: u64,
    /// Whether a bound says that nothing is better.
    pub(super) optimal: bool,
}

impl Summary<'_> {
    /// Algorithm 1's ones, where it has these sizes.
    fn paper(&self) -> Option<usize> {
        let Demand { n, k, b, .. } = self.demand;
        (n == k && b > 0).then(|| Algorithm1::new(n, b).ok()).flatten().map(|code| code.ones())
    }

    pub(super) fn to_json(&self) -> Value {
        let Demand { n, k, b, .. } = self.demand;
        json!({
            "n": n, "k": k, "b": b, "algorithm1": self.paper(), "known": self.before.map(AllocationMatrix::ones),
            "ones": self.now.ones(), "max_load": Demand::heaviest(self.now), "optimal": self.optimal,
            "at_least": least_json(&self.least), "found": self.new.map(Block::to_string), "rounds": self.rounds,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["code", "ones", "r", "heaviest"]);
        let n = self.demand.n;
        let mut add = |name: &str, ones: usize, heaviest: usize| {
            table.add_row([
                name.to_owned(),
                ones.to_string(),
                format!("{:.4}", ones as f64 / n as f64),
                heaviest.to_string(),
            ]);
        };
        if let Some(ones) = self.paper() {
            add("Algorithm 1", ones, n);
        }
        if let Some(before) = self.before {
            add("known before", before.ones(), Demand::heaviest(before));
        }
        add("now", self.now.ones(), Demand::heaviest(self.now));
        let standing =
            if self.optimal { "Optimal: nothing is better." } else { "Not proven to be the best." };
        format!("{table}\n{standing} {}", least_text(&self.least))
    }
}

/// Says that nothing was found, and that this proves nothing.
pub(super) fn report_nothing(
    demand: &Demand,
    least: &Bounds,
    rounds: u64,
    as_json: bool,
    documents: &Documents,
) -> anyhow::Result<()> {
    let Demand { n, k, b, max_load, .. } = *demand;
    if as_json {
        let max_load = demand.limited().then_some(max_load);
        let document = json!({
            "n": n, "k": k, "b": b, "max_load": max_load, "known": null, "ones": null, "found": null,
            "rounds": rounds, "at_least": least_json(least),
        });
        return output::print(&document.to_string());
    }
    documents.report(&format!(
        "No such code was found in {rounds} rounds, and none is known; that there is none is not proven.\n{}",
        least_text(least)
    ))
}

fn least_text(least: &Bounds) -> String {
    let Bounds { ones, max_load } = least;
    format!(
        "No tolerant code of these sizes and loads has fewer than {} ones ({}) or a heaviest load below {} ({}).",
        ones.least, ones.name, max_load.least, max_load.name
    )
}

fn least_json(least: &Bounds) -> Value {
    json!({"ones": bound_json(&least.ones), "max_load": bound_json(&least.max_load)})
}
