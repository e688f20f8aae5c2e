//! From a matrix and a tie rule to one or two small maximisation problems that every fast engine
//! solves: "choose a message of a fixed weight that makes the most workers wrong".
//!
//! # What is promised
//! For a [`Side`] with weight v and the messages m' of weight v over the partitions, let
//! loss(m') = `constant` + Σ `units` of the voters whose row sees at least `needed` ones of m'.
//! The smallest margin over **all** messages is the smallest of [`Side::margin`] over the sides'
//! largest losses. Proofs are in docs/theory.md; in short:
//!
//! - Messages split by their correct answer μ. Where μ = 0, more ones only make more workers wrong
//!   (under every tie rule), so the largest weight ⌊k/2⌋ is enough. Where μ = 1, complement the
//!   message: fewer than half are zeros, and weight ⌊(k−1)/2⌋ of zeros is enough.
//! - A worker that no message of weight v can make wrong is dropped, one that is always wrong is
//!   added to the constant.
//! - Workers that see the same partitions with the same threshold become one voter with more units,
//!   partitions that lie in the same voters' rows become one class: only how many of the class are
//!   ones matters.
//! - Under `abstain` a tied worker is half wrong: R − W = n − loss, when a wrong worker costs 2 units
//!   and a silent one 1. Under the other rules a wrong worker costs 2 as well.

use std::collections::BTreeMap;

use ecode_core::{AllocationMatrix, Message, TieRule};

/// A worker, or several alike: wrong as soon as `needed` of its row's partitions are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Which classes of partitions the row holds, one entry a class of the side.
    pub holds: Vec<bool>,
    /// How many chosen partitions in the row turn it; at least 1, at most the row's weight.
    pub needed: usize,
    /// What it adds to the loss once turned.
    pub units: usize,
}

/// The messages with one correct answer, reduced to a choice of `weight` partitions.
#[derive(Clone, Debug)]
pub struct Side {
    /// μ on this side. Where it is 1 the chosen partitions are the message's zeros.
    pub correct: bool,
    /// How many partitions are chosen.
    pub weight: usize,
    /// The partitions of each class, in increasing order; together they are `0..k`.
    pub classes: Vec<Vec<usize>>,
    /// The workers that a choice can turn.
    pub voters: Vec<Voter>,
    /// The loss that no choice avoids.
    pub constant: usize,
    n: usize,
    k: usize,
}

impl Side {
    fn new(g: &AllocationMatrix, ties: TieRule, correct: bool) -> Self {
        let weight = if correct { (g.k() - 1) / 2 } else { g.k() / 2 };
        Self::with(g, ties, correct, weight)
    }

    /// The choices of this weight: a worker is turned by half of its partitions.
    pub(crate) fn of_weight(g: &AllocationMatrix, weight: usize) -> Self {
        Self::with(g, TieRule::Adversarial, false, weight)
    }

    fn with(g: &AllocationMatrix, ties: TieRule, correct: bool, weight: usize) -> Self {
        let (n, k) = (g.n(), g.k());
        let mut constant = 0;
        // (row, needed) → units. A BTreeMap, so that the order does not depend on hashing; with its bits turned round
        // a word is compared as its bits are, the first one first.
        let mut voters: BTreeMap<(Vec<u64>, usize), usize> = BTreeMap::new();
        for j in 0..n {
            let load = g.worker_load(j);
            let (beyond_half, half) = (load / 2 + 1, load.div_ceil(2));
            let steps: &[(usize, usize)] = match (ties, correct) {
                (TieRule::Adversarial, _) | (TieRule::Zero, true) | (TieRule::One, false) => &[(half, 2)],
                (TieRule::Zero, false) | (TieRule::One, true) => &[(beyond_half, 2)],
                (TieRule::Abstain, _) => &[(half, 1), (beyond_half, 1)],
            };
            let never = load.min(weight);
            for &(needed, units) in steps {
                if needed == 0 {
                    constant += units;
                } else if needed <= never {
                    let row = g.row(j).iter().map(|word| word.reverse_bits()).collect();
                    *voters.entry((row, needed)).or_default() += units;
                }
            }
        }
        // A partition that no other remaining worker tells apart from another is the same.
        let columns = columns(k, voters.keys().map(|(row, _)| row.as_slice()));
        let classes = classes(k, |i| columns[i].as_slice());
        let voters = voters
            .into_iter()
            .map(|((row, needed), units)| Voter {
                holds: classes.iter().map(|class| bit(&row, class[0])).collect(),
                needed,
                units,
            })
            .collect();
        Self { correct, weight, classes, voters, constant, n, k }
    }

    /// The margin that a loss leaves: how many Byzantine workers are survived, negative for none.
    #[must_use]
    pub fn margin(&self, loss: usize) -> i64 {
        (self.n as i64 - loss as i64 - i64::from(self.correct)).div_euclid(2)
    }

    /// The loss that a margin tells of. `None` where two losses leave it, as silent workers make them.
    pub(crate) fn loss_of_margin(&self, margin: i64) -> Option<i64> {
        let even = self.constant % 2 == 0 && self.voters.iter().all(|voter| voter.units % 2 == 0);
        // Of the two losses with this margin, the even one.
        let loss = self.n as i64 - i64::from(self.correct) - 2 * margin;
        even.then(|| loss - loss.rem_euclid(2))
    }

    /// The smallest loss that leaves a margin of at most `margin`.
    #[must_use]
    pub fn loss_for(&self, margin: i64) -> i64 {
        self.n as i64 - i64::from(self.correct) - 2 * margin - 1
    }

    /// The message that chooses `counts[c]` partitions of each class c, the lowest first.
    ///
    /// # Panics
    /// When a count exceeds its class.
    #[must_use]
    pub fn message(&self, counts: &[usize]) -> Message {
        let chosen = self.classes.iter().zip(counts).flat_map(|(class, &count)| &class[..count]);
        let chosen = Message::from_indices(self.k, chosen.copied());
        if self.correct { chosen.complement() } else { chosen }
    }

    /// How many partitions of each class a message chooses; `None` where that is not of this side's weight.
    #[must_use]
    pub fn counts(&self, message: &Message) -> Option<Vec<usize>> {
        let chosen =
            |class: &Vec<usize>| class.iter().filter(|&&i| message.contains(i) != self.correct).count();
        let counts: Vec<usize> = self.classes.iter().map(chosen).collect();
        (counts.iter().sum::<usize>() == self.weight).then_some(counts)
    }

    /// The choice of the first classes.
    #[cfg(feature = "sat")]
    pub(crate) fn first(&self) -> Vec<usize> {
        let mut left = self.weight;
        let take = |class: &Vec<usize>| {
            let count = class.len().min(left);
            left -= count;
            count
        };
        self.classes.iter().map(take).collect()
    }

    /// The loss of a choice, counted one voter at a time.
    #[must_use]
    pub fn loss(&self, counts: &[usize]) -> usize {
        let seen = |voter: &Voter| -> usize {
            voter.holds.iter().zip(counts).filter(|(holds, _)| **holds).map(|(_, count)| count).sum()
        };
        let turned = self.voters.iter().filter(|voter| seen(voter) >= voter.needed);
        self.constant + turned.map(|voter| voter.units).sum::<usize>()
    }

    /// The side that knows only these classes and voters, which hold no others, with another weight.
    /// Its losses are those voters' alone.
    #[must_use]
    pub(super) fn part(&self, classes: &[usize], voters: &[usize], weight: usize) -> Self {
        let voter = |&j: &usize| Voter {
            holds: classes.iter().map(|&class| self.voters[j].holds[class]).collect(),
            ..self.voters[j].clone()
        };
        Self {
            correct: self.correct,
            weight,
            classes: classes.iter().map(|&class| self.classes[class].clone()).collect(),
            voters: voters.iter().map(voter).collect(),
            constant: 0,
            n: self.n,
            k: self.k,
        }
    }

    /// The choices that take the first partition of this class, and none of the excluded classes, as a side of its
    /// own: what is left to choose, by those voters that it can still turn.
    ///
    /// # Panics
    /// When nothing is to be chosen.
    #[must_use]
    pub(super) fn taking(&self, class: usize, excluded: &[usize]) -> Self {
        let weight = self.weight - 1;
        let left = |c: usize| match self.classes[c].as_slice() {
            _ if excluded.contains(&c) => &[][..],
            [_, rest @ ..] if c == class => rest,
            all => all,
        };
        let kept: Vec<usize> = (0..self.classes.len()).filter(|&c| !left(c).is_empty()).collect();
        let mut constant = self.constant;
        let mut voters: BTreeMap<(Vec<bool>, usize), usize> = BTreeMap::new();
        for voter in &self.voters {
            let needed = voter.needed - usize::from(voter.holds[class]);
            let holds: Vec<bool> = kept.iter().map(|&c| voter.holds[c]).collect();
            let held: usize = kept.iter().filter(|&&c| voter.holds[c]).map(|&c| left(c).len()).sum();
            if needed == 0 {
                constant += voter.units;
            } else if needed <= held.min(weight) {
                *voters.entry((holds, needed)).or_default() += voter.units;
            }
        }
        // Classes that none of these voters tells apart are one.
        let column = |place: usize| voters.keys().map(|(holds, _)| holds[place]).collect::<Vec<bool>>();
        let alike = classes(kept.len(), column);
        let voters = voters.iter().map(|((holds, needed), &units)| Voter {
            holds: alike.iter().map(|places| holds[places[0]]).collect(),
            needed: *needed,
            units,
        });
        let merged = |places: &Vec<usize>| {
            let mut all: Vec<usize> = places.iter().flat_map(|&place| left(kept[place])).copied().collect();
            all.sort_unstable();
            all
        };
        let voters = voters.collect();
        Self { weight, constant, voters, classes: alike.iter().map(merged).collect(), ..*self }
    }

    /// Whether at most a third of the partitions are chosen.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        3 * self.weight <= self.classes.iter().map(Vec::len).sum()
    }

    /// How many choices there are after the reductions; `u128::MAX` stands for more.
    #[must_use]
    pub fn choices(&self) -> u128 {
        let sizes: Vec<usize> = self.classes.iter().map(Vec::len).collect();
        choices_by_weight(&sizes, self.weight)[self.weight]
    }

    /// How many messages this side covers before the reductions: C(k, weight), saturating.
    #[must_use]
    pub fn messages(&self) -> u128 {
        choices_by_weight(&vec![1; self.k], self.weight)[self.weight]
    }
}

/// Bit i of a row of words, the highest bit of each word first.
fn bit(row: &[u64], i: usize) -> bool {
    row[i / 64] << (i % 64) >> 63 == 1
}

/// The k columns of rows of words, the highest bit of each word first in both.
fn columns<'a>(k: usize, rows: impl ExactSizeIterator<Item = &'a [u64]>) -> Vec<Vec<u64>> {
    let mut columns = vec![vec![0; rows.len().div_ceil(64)]; k];
    for (j, row) in rows.enumerate() {
        for (start, &word) in row.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                let place = left.leading_zeros() as usize;
                columns[64 * start + place][j / 64] |= 1 << 63 >> (j % 64);
                left &= !(1 << 63 >> place);
            }
        }
    }
    columns
}

/// The classes of k partitions: those with equal columns, each in increasing order, by their lowest partition.
pub fn classes<Column: Ord>(k: usize, column: impl Fn(usize) -> Column) -> Vec<Vec<usize>> {
    let mut by_column: BTreeMap<Column, Vec<usize>> = BTreeMap::new();
    for i in 0..k {
        by_column.entry(column(i)).or_default().push(i);
    }
    let mut classes: Vec<Vec<usize>> = by_column.into_values().collect();
    classes.sort_unstable();
    classes
}

/// For each v up to `most`: how many vectors with 0 ≤ xᵢ ≤ `sizes[i]` have the sum v (saturating).
#[must_use]
pub fn choices_by_weight(sizes: &[usize], most: usize) -> Vec<u128> {
    let mut ways = vec![0_u128; most + 1];
    ways[0] = 1;
    for &size in sizes {
        ways = (0..=most)
            .map(|v| (0..=size.min(v)).fold(0_u128, |sum, x| sum.saturating_add(ways[v - x])))
            .collect();
    }
    ways
}

/// The sides whose largest losses decide the smallest margin: one where one stands for both
/// (docs/theory/condition.md).
#[must_use]
pub fn sides(g: &AllocationMatrix, ties: TieRule) -> Vec<Side> {
    let odd_loads = g.all_loads_odd();
    if g.n() % 2 == 1 && (odd_loads || matches!(ties, TieRule::Adversarial | TieRule::One)) {
        // Every loss is even, so with n odd a tied server vote never comes about: both sides read their
        // margin alike. Where μ = 0 as many partitions are chosen or more, and turn as many workers or more.
        return vec![Side::new(g, ties, false)];
    }
    if g.k() % 2 == 1 && (odd_loads || ties != TieRule::One) {
        // Both sides choose equally many partitions. Where μ = 1 a choice loses as much or more, and a
        // tied server vote is wrong.
        return vec![Side::new(g, ties, true)];
    }
    vec![Side::new(g, ties, false), Side::new(g, ties, true)]
}
