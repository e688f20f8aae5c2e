//! Who disagrees with the decode: proof where a worker holds every partition, statistics where it does not.
//!
//! # What is promised
//! A worker is named only where it holds all partitions, their number is odd, and its vote differs from a decode that
//! is proved to be their majority: whoever computes right sends just that. What is counted of the others proves nothing.

use serde::{Deserialize, Serialize};

use crate::vote::{Decoded, Vote, VoteEngine};

/// A worker that was proved to lie or to compute wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The worker, from 0.
    pub worker: usize,
    /// The step, from 0, in which its vote was first seen to be wrong.
    pub step: u64,
}

/// How a worker's votes compare with the decodes. Statistics: a worker that holds few partitions differs often, and is
/// right to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Coordinates on which it voted and the decode was no tie.
    pub compared: u64,
    /// On so many of them it voted otherwise.
    pub differed: u64,
}

impl Agreement {
    /// The share of coordinates on which it voted otherwise.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.differed as f64 / self.compared.max(1) as f64
    }

    /// What one vote shows beside what was decoded.
    #[must_use]
    pub fn of(vote: &Vote, decoded: &Decoded) -> Self {
        let mut agreement = Self::default();
        agreement.add(vote, decoded);
        agreement
    }

    /// Adds what one vote shows.
    pub(crate) fn add(&mut self, vote: &Vote, decoded: &Decoded) -> u64 {
        let (mut compared, mut differed) = (0, 0);
        let words = vote.bits.words().iter().zip(decoded.negative.words()).enumerate();
        let mut left = vote.bits.len();
        for (place, (sent, right)) in words {
            let real = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
            left = left.saturating_sub(64);
            let silent = vote.silent.as_ref().map_or(0, |silent| silent.words()[place]);
            let tied = decoded.tied.as_ref().map_or(0, |tied| tied.words()[place]);
            let heard = real & !silent & !tied;
            compared += u64::from(heard.count_ones());
            differed += u64::from(((sent ^ right) & heard).count_ones());
        }
        self.compared += compared;
        self.differed += differed;
        differed
    }
}

/// What is known of the workers of a run.
#[derive(Debug)]
pub(crate) struct Blame {
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) named: Vec<Named>,
}

impl Blame {
    /// Nothing of n workers, but those that were named before.
    pub(crate) fn new(n: usize, named: Vec<Named>) -> Self {
        Self { agreements: vec![Agreement::default(); n], named }
    }

    /// Compares votes with what was decoded from them: returns the workers that are named by it, and why. `verified` is
    /// whether the decode is proved to be the majority of all partitions.
    pub(crate) fn compare(
        &mut self,
        engine: &VoteEngine,
        step: u64,
        votes: &[Option<Vote>],
        decoded: &Decoded,
        verified: bool,
    ) -> Vec<(usize, String)> {
        let mut new = Vec::new();
        for (worker, vote) in votes.iter().enumerate() {
            let Some(vote) = vote else { continue };
            let differed = self.agreements[worker].add(vote, decoded);
            let known = self.named.iter().any(|named| named.worker == worker);
            if verified && differed > 0 && engine.holds_all(worker) && !known {
                self.named.push(Named { worker, step });
                let why = format!(
                    "worker {worker} is proved to lie or to compute wrong: it holds every partition, and in step {step} \
                     its vote differs from their majority on {differed} coordinates"
                );
                new.push((worker, why));
            }
        }
        new
    }
}

/// A share is called unusual from so many times the usual distance from the median on.
const FAR: f64 = 8.0;

/// Which workers differ unusually often among those of their load. Statistics, no proof: a median and the median distance
/// from it, among at least four.
#[must_use]
pub fn unusual(loads: &[usize], agreements: &[Agreement]) -> Vec<usize> {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let mut found = Vec::new();
    for (worker, (load, mine)) in loads.iter().zip(agreements).enumerate() {
        let peers = loads
            .iter()
            .zip(agreements)
            .filter(|(other, agreement)| *other == load && agreement.compared > 0);
        let shares: Vec<f64> = peers.map(|(_, agreement)| agreement.share()).collect();
        if shares.len() < 4 || mine.compared == 0 {
            continue;
        }
        let usual = middle(shares.clone());
        let distance = middle(shares.iter().map(|share| (share - usual).abs()).collect());
        // What chance alone does to a share of so many coordinates.
        let chance = (usual.max(1e-6) / mine.compared as f64).sqrt();
        if (mine.share() - usual).abs() > FAR * distance.max(chance) {
            found.push(worker);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::Bits;
    use ecode_core::{AllocationMatrix, TieRule};

    #[test]
    fn ties_and_silence_are_not_compared() {
        let d = 70;
        let vote = Vote { bits: Bits::from_fn(d, |i| i < 10), silent: Some(Bits::from_fn(d, |i| i == 0)) };
        let decoded = Decoded {
            negative: Bits::from_fn(d, |i| i == 1 || i == 69),
            tied: Some(Bits::from_fn(d, |i| i == 2)),
            wrong: 0,
        };
        let mut agreement = Agreement::default();
        // 3 to 9, and 69.
        assert_eq!(agreement.add(&vote, &decoded), 8);
        assert_eq!(agreement, Agreement { compared: 68, differed: 8 });
    }

    #[test]
    fn only_who_holds_everything_is_named() {
        let g = AllocationMatrix::from_fn(3, 3, |j, i| j > 0 || i == 0).unwrap();
        let engine = VoteEngine::new(&g, TieRule::Abstain);
        let vote = |bit| Some(Vote { bits: Bits::from_fn(9, |_| bit), silent: None });
        let votes = [vote(true), vote(true), vote(false)];
        let decoded = Decoded { negative: Bits::zeros(9), tied: None, wrong: 0 };
        let mut blame = Blame::new(3, Vec::new());
        assert_eq!(blame.compare(&engine, 4, &votes, &decoded, false), []);
        let named: Vec<usize> =
            blame.compare(&engine, 5, &votes, &decoded, true).into_iter().map(|(worker, _)| worker).collect();
        assert_eq!((named, &blame.named[..]), (vec![1], &[Named { worker: 1, step: 5 }][..]));
        assert_eq!(blame.compare(&engine, 6, &votes, &decoded, true), [], "once");
        assert_eq!(blame.agreements.iter().map(|a| a.differed).collect::<Vec<_>>(), [27, 27, 0]);
    }

    #[test]
    fn one_among_many_stands_out_and_few_are_not_judged() {
        let agreement = |differed| Agreement { compared: 10_000, differed };
        let all = [300, 310, 305, 295, 5000].map(agreement);
        assert_eq!(unusual(&[3; 5], &all), [4]);
        assert_eq!(unusual(&[3, 3, 3, 1, 1], &all), [0_usize; 0]);
        assert_eq!(unusual(&[3; 5], &[300, 310, 305, 295, 320].map(agreement)), [0_usize; 0]);
    }
}
