//! The best known code for what a deployment asks, whatever its construction.

use super::arguments::Arguments;
use super::block::Block;
use super::construction::{CATALOGUE, Construction, LIARS, PARTITIONS, WORKERS};
use super::demand::{Demand, Objective, default_partitions};
use super::error::{ConstructError, refuse};
use super::known::{KnownCode, Provenance};
use super::listed::listed_codes;
use super::parameter::{Domain, Fallback, Parameter};
use super::resized::resized;
use super::square::best_with;
use super::{full, uncoded};
use ecode_core::{MAX_SIZE, TieRule};

/// A limit on the load of every worker.
pub(super) const MAX_LOAD: Parameter = Parameter::new(
    "max-load",
    Domain::Whole { least: 1, most: MAX_SIZE as u64 },
    "no worker holds more than so many partitions",
)
.or(Fallback::Derived("k, which is no limit"));

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "best",
    summary: "The best among all that is known",
    source: "docs/codes.md",
    parameters: &[
        WORKERS,
        LIARS,
        PARTITIONS,
        MAX_LOAD,
        Parameter::new("objective", Domain::Word(&Objective::WORDS), "what is to be small")
            .or(Fallback::Derived("ones")),
        Parameter::new("balanced", Domain::Switch, "the same as objective max-load")
            .or(Fallback::Value("false")),
        CATALOGUE,
    ],
    example: "n=9,b=2",
    build: |arguments, ties, blocks| {
        let demand = arguments.demand(ties)?;
        let Some(code) = best_for(&demand, blocks)? else {
            let Demand { n, k, b, max_load, .. } = demand;
            return refuse(format!(
                "no code of n = {n} workers and k = {k} partitions for b = {b} is known in which nobody holds more than \
                 {max_load} partitions: 'ecode search' looks for one"
            ));
        };
        let made = code.to_json();
        Ok((code.matrix, made))
    },
};

impl Arguments {
    /// What the arguments of `best` ask for, under a tie rule.
    ///
    /// # Errors
    /// When a parameter is missing or outside its range, or objective and balanced contradict each other.
    pub fn demand(&self, ties: TieRule) -> Result<Demand, ConstructError> {
        let (n, b) = (self.needed("n")?, self.needed("b")?);
        let k = self.whole("k").unwrap_or_else(|| default_partitions(n, b));
        let objective = match (self.text("objective"), self.switch("balanced")) {
            (Some(_), true) => {
                return refuse("balanced means objective max-load: give one of the two".to_owned());
            }
            (Some(word), false) => word.parse()?,
            (None, true) => Objective::MaxLoad,
            (None, false) => Objective::Ones,
        };
        let demand = Demand { n, k, b, ties, max_load: self.whole("max-load").unwrap_or(k), objective };
        demand.check()?;
        Ok(demand)
    }
}

/// The best code for the demand among all that is known: listed codes of these sizes, for an even k full rows
/// (under `zero`) or every worker its own partition (for b = 0), for an odd k a code with as many workers as
/// partitions, resized where n ≠ k. `None` where none keeps the limit.
///
/// # Errors
/// Those of [`Demand::check`].
pub fn best_for(demand: &Demand, blocks: &[Block]) -> Result<Option<KnownCode>, ConstructError> {
    demand.check()?;
    let Demand { n, k, b, .. } = *demand;
    let mut codes = Vec::new();
    if k % 2 == 1 {
        codes.push(if n == k { best_with(n, b, blocks)? } else { resized(n, k, b, blocks)? });
    } else if n == k && b == 0 {
        codes.push(KnownCode { matrix: uncoded(n)?, b, provenance: Provenance::Uncoded });
    } else if demand.ties == TieRule::Zero {
        codes.push(KnownCode { matrix: full(n, k)?, b, provenance: Provenance::Full });
    }
    codes.extend(listed_codes(n, k, b, blocks));
    codes.retain(|code| demand.fits(&code.matrix));
    Ok(codes.into_iter().min_by_key(|code| demand.price(&code.matrix)))
}
