//! Which workers are Byzantine.

use serde::{Deserialize, Serialize};

use super::worst::worst;
use crate::random::{Purpose, permutation, stream};
use ecode_core::{AllocationMatrix, DomainSet, Domains, TieRule, Workers};

/// Which workers are Byzantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ByzantineSet {
    /// The first b. With Algorithm 1 these hold one partition each, and their lies show nothing.
    First,
    /// b at random, the same in every step.
    #[default]
    Random,
    /// b at random, others in every step.
    RandomPerStep,
    /// The b that hurt this matrix most on random messages, found greedily and then by exchanges.
    Worst,
    /// These.
    List(Vec<usize>),
}

/// A description of a Byzantine set that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown Byzantine set '{0}': expected first, random, random-per-step, worst, or workers as in 0,3,7"
)]
pub struct UnknownSet(String);

impl TryFrom<String> for ByzantineSet {
    type Error = UnknownSet;

    fn try_from(text: String) -> Result<Self, UnknownSet> {
        Ok(match text.as_str() {
            "first" => Self::First,
            "random" => Self::Random,
            "random-per-step" => Self::RandomPerStep,
            "worst" => Self::Worst,
            list => {
                let workers: Result<Vec<usize>, _> =
                    list.split(',').map(|part| part.trim().parse()).collect();
                Self::List(workers.map_err(|_| UnknownSet(text))?)
            }
        })
    }
}

impl From<ByzantineSet> for String {
    fn from(set: ByzantineSet) -> Self {
        set.to_string()
    }
}

impl std::fmt::Display for ByzantineSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Random => f.write_str("random"),
            Self::RandomPerStep => f.write_str("random-per-step"),
            Self::Worst => f.write_str("worst"),
            Self::List(workers) => {
                let workers: Vec<String> = workers.iter().map(ToString::to_string).collect();
                f.write_str(&workers.join(","))
            }
        }
    }
}

impl ByzantineSet {
    /// The b Byzantine workers of a step (of the whole run unless the set is `random-per-step`).
    #[must_use]
    pub fn choose(&self, g: &AllocationMatrix, ties: TieRule, b: usize, seed: u64, step: u64) -> Workers {
        let n = g.n();
        let random = |step| {
            let order = permutation(&mut stream(seed, Purpose::ByzantineSet, step, 0), n);
            Workers::from_indices(n, order[..b].iter().map(|&j| j as usize))
        };
        match self {
            Self::First => Workers::from_indices(n, 0..b),
            Self::Random => random(0),
            Self::RandomPerStep => random(step + 1),
            Self::Worst => Workers::from_indices(n, worst(g, ties, &(0..n).collect::<Vec<_>>(), b)),
            Self::List(workers) => Workers::from_indices(n, workers.iter().copied()),
        }
    }

    /// The workers of b failure domains that lie in a whole run: `first`, `random` and `worst` as for workers, a list by the
    /// domains' numbers, in the order in which they are first named.
    ///
    /// # Errors
    /// What is wrong, in a sentence: other domains in every step, a list of others than b domains, or more than there are.
    pub fn choose_domains(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        domains: &Domains,
        b: usize,
        seed: u64,
    ) -> Result<DomainSet, String> {
        let all = domains.len();
        if b > all {
            return Err(format!("byzantine is {b}; there are {all} domains"));
        }
        let chosen: Vec<usize> = match self {
            Self::First => (0..b).collect(),
            Self::Random => {
                let order = permutation(&mut stream(seed, Purpose::ByzantineSet, 0, 0), all);
                order[..b].iter().map(|&domain| domain as usize).collect()
            }
            Self::RandomPerStep => {
                return Err(
                    "byzantine-set is random-per-step; with domains the same lie in every step".into()
                );
            }
            Self::Worst => worst(g, ties, domains.of(), b),
            Self::List(list) => list.clone(),
        };
        let different: std::collections::BTreeSet<usize> = chosen.iter().copied().collect();
        let known = different.last().is_none_or(|&last| last < all);
        if different.len() != b || chosen.len() != b || !known {
            return Err(format!(
                "byzantine-set is {self}; expected {b} different domains of 0 to {}",
                all - 1
            ));
        }
        Ok(DomainSet::from_indices(all, chosen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_design::construct::algorithm1;

    #[test]
    fn sets_are_read_and_written() {
        for text in ["first", "random", "random-per-step", "worst", "0,3,7"] {
            let set = ByzantineSet::try_from(text.to_owned());
            assert_eq!(set.map(|set| set.to_string()), Ok(text.to_owned()));
        }
        assert!(ByzantineSet::try_from("1,x".to_owned()).is_err());
    }

    #[test]
    fn random_sets_change_with_the_step_only_when_asked()
    -> Result<(), ecode_design::construct::ConstructError> {
        let g = algorithm1(9, 2)?;
        let choose = |set: ByzantineSet, seed, step| set.choose(&g, TieRule::Abstain, 3, seed, step);
        assert_eq!(choose(ByzantineSet::Random, 1, 0), choose(ByzantineSet::Random, 1, 9));
        assert_eq!(choose(ByzantineSet::Random, 1, 0).count(), 3);
        let steps: std::collections::HashSet<_> =
            (0..50).map(|step| choose(ByzantineSet::RandomPerStep, 1, step)).collect();
        assert!(steps.len() > 20);
        Ok(())
    }
}
