//! Failure domains: workers that fail together, as those of one host, one rack or one switch.
//!
//! # What is promised
//! A [`DomainCounterexample`] that [`replays`](DomainCounterexample::replays) is a wrong decode by workers of at most b
//! domains: each of its fields is computed again from the definitions.
//!
//! # References
//! docs/theory/domains.md, Theorem 40: [`Domains::margin`] is the most domains that a message survives.

use std::collections::HashMap;

use super::bits::{IndexSet, Workers};
use super::matrix::AllocationMatrix;
use super::vote::{Counterexample, Outcome, TieRule, decode, honest_vote};

/// Marker: the set indexes failure domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {}

/// A set of failure domains.
pub type DomainSet = IndexSet<Domain>;

/// Names that are no domains of n workers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainsError {
    /// A worker whose domain has no name.
    #[error("worker {0} has a domain without a name")]
    NoName(usize),
    /// There is no worker.
    #[error("there is no worker")]
    Nobody,
}

/// Which worker stands in which domain. Every worker stands in one, and no domain is empty.
///
/// ```
/// use ecode_core::Domains;
/// let hosts = Domains::of_workers(&["a", "a", "b", "b", "b"])?;
/// assert_eq!((hosts.n(), hosts.len(), hosts.name(1)), (5, 2, "b"));
/// assert_eq!(hosts.members(1).indices().collect::<Vec<_>>(), [2, 3, 4]);
/// assert_eq!((hosts.largest(1), hosts.largest(2)), (3, 5));
/// # Ok::<(), ecode_core::DomainsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains {
    /// In the order of their first workers.
    names: Vec<String>,
    /// Worker → domain.
    of: Vec<usize>,
}

impl Domains {
    /// The domains of workers 0, 1, … by their names: equal names are one domain. Domains are numbered in the order in
    /// which they are first named.
    ///
    /// # Errors
    /// [`DomainsError`]: an empty name, or no worker.
    pub fn of_workers<Name: AsRef<str>>(names: &[Name]) -> Result<Self, DomainsError> {
        if names.is_empty() {
            return Err(DomainsError::Nobody);
        }
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut known = Vec::new();
        let mut of = Vec::with_capacity(names.len());
        for (worker, name) in names.iter().enumerate() {
            let name = name.as_ref();
            if name.is_empty() {
                return Err(DomainsError::NoName(worker));
            }
            of.push(*numbers.entry(name).or_insert_with(|| {
                known.push(name.to_owned());
                known.len() - 1
            }));
        }
        Ok(Self { names: known, of })
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.of.len()
    }

    /// The number of domains, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there is a domain always")]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// A domain's name.
    ///
    /// # Panics
    /// When there are fewer domains.
    #[must_use]
    pub fn name(&self, domain: usize) -> &str {
        &self.names[domain]
    }

    /// The names of these domains, in their order.
    #[must_use]
    pub fn names_of(&self, domains: &DomainSet) -> Vec<&str> {
        domains.indices().map(|domain| self.name(domain)).collect()
    }

    /// The name of each worker's domain, n names.
    #[must_use]
    pub fn names_by_worker(&self) -> Vec<&str> {
        self.of.iter().map(|&domain| self.name(domain)).collect()
    }

    /// Each worker's domain, n numbers.
    #[must_use]
    pub fn of(&self) -> &[usize] {
        &self.of
    }

    /// The workers of a domain.
    #[must_use]
    pub fn members(&self, domain: usize) -> Workers {
        self.members_of(&DomainSet::from_indices(self.len(), [domain]))
    }

    /// The workers of all these domains.
    #[must_use]
    pub fn members_of(&self, domains: &DomainSet) -> Workers {
        let inside = (0..self.n()).filter(|&j| domains.contains(self.of[j]));
        Workers::from_indices(self.n(), inside)
    }

    /// The domains in which some of these workers stand.
    #[must_use]
    pub fn touched(&self, workers: &Workers) -> DomainSet {
        DomainSet::from_indices(self.len(), workers.indices().map(|j| self.of[j]))
    }

    /// Each domain's number of workers.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.len()];
        self.of.iter().for_each(|&domain| sizes[domain] += 1);
        sizes
    }

    /// How many workers the b largest domains have together.
    #[must_use]
    pub fn largest(&self, b: usize) -> usize {
        let mut sizes = self.sizes();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.iter().take(b).sum()
    }

    /// That in words: `the largest domain has 3` or `the 2 largest domains have 6`.
    #[must_use]
    pub fn largest_in_words(&self, b: usize) -> String {
        let workers = self.largest(b);
        if b == 1 {
            format!("the largest domain has {workers}")
        } else {
            format!("the {b} largest domains have {workers}")
        }
    }

    /// How much each domain's lies lower the lead of the right votes over the wrong ones, R − W: twice its right votes
    /// and once its silent ones.
    fn costs(&self, outcome: &Outcome) -> Vec<i64> {
        let mut costs = vec![0; self.len()];
        for (j, &domain) in self.of.iter().enumerate() {
            costs[domain] += match (outcome.wrong.contains(j), outcome.silent.contains(j)) {
                (true, _) => 0,
                (_, true) => 1,
                _ => 2,
            };
        }
        costs
    }

    /// The domains whose lies cost most, the dearest first, and how many of them the message survives.
    fn ordered(&self, outcome: &Outcome) -> (Vec<usize>, i64) {
        assert_eq!(outcome.wrong.len(), self.n(), "a message to these workers");
        let costs = self.costs(outcome);
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&domain| (-costs[domain], domain));
        let lead = self.n() as i64 - outcome.silent.count() as i64 - 2 * outcome.wrong.count() as i64;
        let mut left = lead - i64::from(outcome.correct);
        if left < 0 {
            return (order, -1);
        }
        let mut survived = 0;
        for &domain in &order {
            left -= costs[domain];
            if left < 0 {
                break;
            }
            survived += 1;
        }
        (order, survived)
    }

    /// M_𝒟(m), the most domains that a message survives, whichever they are and whatever their workers send; −1 when it
    /// is decoded wrong with none. It is the largest b for which the b domains that cost most leave the decode right:
    /// D(m) = R − W − \[μ = 1\] is at least twice their right votes plus once their silent ones.
    ///
    /// # Panics
    /// When the outcome is of another number of workers.
    #[must_use]
    pub fn margin(&self, outcome: &Outcome) -> i64 {
        self.ordered(outcome).1
    }

    /// A successful attack on this message by the workers of at most b domains, of the fewest that there are; none where
    /// the message survives b.
    ///
    /// # Panics
    /// When the outcome is of another number of workers.
    #[must_use]
    pub fn attack(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        outcome: &Outcome,
        b: usize,
    ) -> Option<DomainCounterexample> {
        let (order, survived) = self.ordered(outcome);
        let needed = usize::try_from(survived + 1).unwrap_or(0);
        if needed > b {
            return None;
        }
        let domains = DomainSet::from_indices(self.len(), order.into_iter().take(needed));
        let byzantine = self.members_of(&domains);
        let honest = |j| honest_vote(g, ties, j, &outcome.message);
        let sent: Vec<_> = (0..g.n())
            .map(|j| if byzantine.contains(j) { Some(!outcome.correct) } else { honest(j) })
            .collect();
        let decoded = decode(&sent);
        let (message, correct) = (outcome.message.clone(), outcome.correct);
        let attack = Counterexample { message, byzantine, sent, decoded, correct };
        (decoded != correct).then_some(DomainCounterexample { domains, attack })
    }
}

/// A wrong decode that the workers of at most b domains bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainCounterexample {
    /// The domains that lie.
    pub domains: DomainSet,
    /// What is sent and decoded. The Byzantine workers are those of the domains, or some of them.
    pub attack: Counterexample,
}

impl DomainCounterexample {
    /// Whether this refutes "G tolerates b of these domains": each field is computed again from the definitions.
    #[must_use]
    pub fn replays(&self, g: &AllocationMatrix, ties: TieRule, domains: &Domains, b: usize) -> bool {
        let byzantine = &self.attack.byzantine;
        domains.n() == g.n()
            && self.domains.len() == domains.len()
            && self.domains.count() <= b
            && byzantine.len() == g.n()
            && byzantine.indices().all(|j| self.domains.contains(domains.of[j]))
            && self.attack.replays(g, ties, byzantine.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn five() -> AllocationMatrix {
        let rows: [&[usize]; 5] = [&[0], &[1, 2, 3], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4]];
        AllocationMatrix::from_supports(5, &rows).unwrap_or_else(|error| panic!("{error}"))
    }

    fn domains(names: &[&str]) -> Domains {
        Domains::of_workers(names).unwrap_or_else(|error| panic!("{error}"))
    }

    /// On {1, 2} worker 1 is wrong, four are right: a lead of 3, and 3 − 0 left since the answer is 0. A domain of the
    /// wrong worker costs nothing, one of a right and the wrong worker 2, one of two right workers 4.
    #[test]
    fn domains_are_counted_by_what_their_lies_cost() {
        let g = five();
        let outcome = Outcome::of(&g, TieRule::Zero, &Message::from_indices(5, [1, 2]));
        assert_eq!((outcome.correct, outcome.margin), (false, 1));
        let margin = |names: &[&str]| domains(names).margin(&outcome);
        assert_eq!(margin(&["a", "b", "c", "d", "e"]), 1);
        assert_eq!(margin(&["a", "a", "b", "c", "d"]), 1);
        assert_eq!(margin(&["a", "b", "a", "c", "d"]), 0);
        assert_eq!(margin(&["a", "a", "a", "a", "a"]), 0);
    }

    #[test]
    fn an_attack_takes_the_fewest_domains_and_replays() {
        let g = five();
        let hosts = domains(&["x", "y", "x", "z", "z"]);
        let outcome = Outcome::of(&g, TieRule::Zero, &Message::from_indices(5, [1, 2]));
        assert!(hosts.attack(&g, TieRule::Zero, &outcome, 0).is_none());
        let Some(found) = hosts.attack(&g, TieRule::Zero, &outcome, 2) else { panic!("one host suffices") };
        assert_eq!(hosts.names_of(&found.domains), ["x"]);
        assert!(found.replays(&g, TieRule::Zero, &hosts, 1));
        assert!(!found.replays(&g, TieRule::Zero, &hosts, 0));
        // A liar outside of the domains that are named is no part of them.
        let elsewhere =
            DomainCounterexample { domains: DomainSet::from_indices(3, [1]), attack: found.attack.clone() };
        assert!(!elsewhere.replays(&g, TieRule::Zero, &hosts, 1));
    }

    #[test]
    fn every_worker_has_a_domain_with_a_name() {
        assert_eq!(Domains::of_workers(&["a", ""]), Err(DomainsError::NoName(1)));
        assert_eq!(Domains::of_workers::<&str>(&[]), Err(DomainsError::Nobody));
    }
}
