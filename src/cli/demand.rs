//! What is asked of a code beside tolerance: the flags of `ecode search`, and the answer that no such code exists.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use ecode::code::TieRule;
use ecode::construct::{Demand, Objective, default_partitions};
use ecode::search::{Bound, BoundError};
use serde_json::{Value, json};

use super::ending::Ending;
use super::output;

/// What is asked of a code beside tolerance.
#[derive(Args)]
pub(crate) struct DemandFlags {
    /// Data partitions [default: n; n − 1 where n is even]
    #[arg(long)]
    pub(crate) k: Option<usize>,
    /// No worker holds more than so many partitions
    #[arg(long, value_name = "L")]
    pub(crate) max_load: Option<usize>,
    /// What is to be small
    #[arg(long, value_name = "WHAT", default_value = "ones", value_parser = objective())]
    objective: Objective,
    /// The same as --objective max-load
    #[arg(long, conflicts_with = "objective")]
    balanced: bool,
}

fn objective() -> impl clap::builder::TypedValueParser<Value = Objective> {
    let words = Objective::WORDS.map(|(word, help)| PossibleValue::new(word).help(help));
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

impl DemandFlags {
    pub(crate) fn demand(&self, n: usize, b: usize, ties: TieRule) -> anyhow::Result<Demand> {
        let k = self.k.unwrap_or_else(|| default_partitions(n, b));
        let objective = if self.balanced { Objective::MaxLoad } else { self.objective };
        let demand = Demand { n, k, b, ties, max_load: self.max_load.unwrap_or(k), objective };
        demand.check()?;
        Ok(demand)
    }

    /// The even n that gets one partition fewer, if it does.
    pub(crate) fn reduced_from(&self, n: usize, b: usize) -> Option<usize> {
        (self.k.is_none() && default_partitions(n, b) != n).then_some(n)
    }
}

/// Prints that no code meets the demand, where that is proven; another error is none to print.
pub(crate) fn report_impossible(demand: &Demand, error: BoundError, as_json: bool) -> anyhow::Result<Ending> {
    if !matches!(error, BoundError::Impossible { .. }) {
        return Err(error.into());
    }
    output::print(&if as_json {
        let Demand { n, k, b, max_load, .. } = *demand;
        let max_load = demand.limited().then_some(max_load);
        json!({"n": n, "k": k, "b": b, "max_load": max_load, "impossible": error.to_string()}).to_string()
    } else {
        format!("Proven: {error}.")
    })?;
    Ok(Ending::Refuted)
}

/// A bound in a document.
pub(crate) fn bound_json(bound: &Bound) -> Value {
    json!({"least": bound.least, "rule": bound.name, "source": bound.source})
}
