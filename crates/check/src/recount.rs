//! Counts every message again, by the definitions.
//!
//! Partitions that the same workers hold are alike: a *choice* says how many of each class are ones, and stands for
//! as many messages as there are ways to pick them. Nothing else is merged.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{Budget, Stopped};
use ecode_core::{AllocationMatrix, Formula, TieRule};

/// Margin → messages.
pub(crate) type Margins = BTreeMap<i64, BigUint>;

/// Equal columns.
struct Class {
    size: usize,
    /// 2 for each worker that holds them, 0 for the others.
    adds: Vec<i32>,
}

/// A side to be counted.
pub(crate) struct Recount {
    ties: TieRule,
    correct: bool,
    /// How many ones the side's messages have.
    ones: usize,
    classes: Vec<Class>,
    /// For each class, how many partitions it and the ones behind it have.
    left: Vec<usize>,
    /// Two times the ones that a worker sees, less its load.
    lead: Vec<i32>,
    /// For each margin from −n − 1 up, the messages.
    counts: Vec<u128>,
}

impl Recount {
    /// `None` where there are more messages than fit 128 bits.
    pub(crate) fn new(g: &AllocationMatrix, ties: TieRule, correct: bool) -> Option<Self> {
        let weight = Formula::below(g, ties, 0, correct).weight;
        if choose(g.k(), weight).bits() > 127 {
            return None;
        }
        let mut columns: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
        for i in 0..g.k() {
            *columns.entry((0..g.n()).map(|j| g.holds(j, i)).collect()).or_default() += 1;
        }
        let class = |(column, size): (Vec<bool>, usize)| Class {
            size,
            adds: column.into_iter().map(|held| 2 * i32::from(held)).collect(),
        };
        let classes: Vec<Class> = columns.into_iter().map(class).collect();
        let mut left: Vec<usize> = classes
            .iter()
            .rev()
            .scan(0, |sum, class| {
                *sum += class.size;
                Some(*sum)
            })
            .collect();
        left.reverse();
        left.push(0);
        Some(Self {
            ties,
            correct,
            ones: if correct { g.k() - weight } else { weight },
            classes,
            left,
            lead: (0..g.n()).map(|j| -(g.worker_load(j) as i32)).collect(),
            counts: vec![0; 2 * g.n() + 3],
        })
    }

    /// How many choices there are; the largest number where they are more.
    pub(crate) fn choices(&self) -> u128 {
        // How many choices of the classes so far have so many ones.
        let mut ways = vec![0_u128; self.ones + 1];
        ways[0] = 1;
        for class in &self.classes {
            for ones in (0..=self.ones).rev() {
                let fewer = ones.saturating_sub(class.size)..ones;
                ways[ones] = ways[fewer].iter().fold(ways[ones], |sum, &more| sum.saturating_add(more));
            }
        }
        ways[self.ones]
    }

    /// The messages by their margins.
    pub(crate) fn count(mut self, budget: &Budget) -> Result<Margins, Stopped> {
        self.walk(0, self.ones, 1, budget)?;
        let lowest = -(self.lead.len() as i64) - 1;
        let filled = self.counts.into_iter().zip(lowest..).filter(|&(count, _)| count > 0);
        Ok(filled.map(|(count, margin)| (margin, BigUint::from(count))).collect())
    }

    /// Every way to give `ones` more ones to the classes from `at` on; what was given so far stands for `messages`.
    fn walk(&mut self, at: usize, ones: usize, messages: u128, budget: &Budget) -> Result<(), Stopped> {
        budget.spend(self.lead.len())?;
        if at == self.classes.len() {
            let place = self.place();
            self.counts[place] += messages;
            return Ok(());
        }
        let size = self.classes[at].size;
        let (least, most) = (ones.saturating_sub(self.left[at + 1]), ones.min(size));
        self.turn(at, least as i32);
        for given in least..=most {
            // All products are at most the side's number of messages, which fits.
            let times = if size == 1 { 1 } else { u128::try_from(choose(size, given)).unwrap_or(u128::MAX) };
            self.walk(at + 1, ones - given, messages.saturating_mul(times), budget)?;
            if given < most {
                self.turn(at, 1);
            }
        }
        self.turn(at, -(most as i32));
        Ok(())
    }

    fn turn(&mut self, at: usize, by: i32) {
        for (lead, add) in self.lead.iter_mut().zip(&self.classes[at].adds) {
            *lead += add * by;
        }
    }

    /// The margin's place in `counts`.
    fn place(&self) -> usize {
        let n = self.lead.len() as i64;
        let more: i64 = self.lead.iter().map(|&lead| i64::from(lead > 0)).sum();
        let tied: i64 = self.lead.iter().map(|&lead| i64::from(lead == 0)).sum();
        let fewer = n - more - tied;
        // Votes for 1 and for 0.
        let (one, zero) = match self.ties {
            TieRule::Abstain => (more, fewer),
            TieRule::One => (more + tied, fewer),
            TieRule::Adversarial if !self.correct => (more + tied, fewer),
            TieRule::Zero | TieRule::Adversarial => (more, fewer + tied),
        };
        let lead = if self.correct { one - zero - 1 } else { zero - one };
        (lead.div_euclid(2) + n + 1) as usize
    }
}

/// C(n, x).
pub(crate) fn choose(n: usize, x: usize) -> BigUint {
    if x > n {
        return BigUint::ZERO;
    }
    (0..x.min(n - x)).fold(BigUint::from(1_u32), |product, i| product * (n - i) / (i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::{Message, Outcome};

    /// Message by message, through the definitions, for matrices with equal columns and without.
    #[test]
    fn the_counts_are_those_of_the_definitions() {
        let mut state = 5_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 9) % below
        };
        for case in 0..300 {
            let (n, k, columns) = (1 + random(6) as usize, 1 + random(9) as usize, 1 + random(9));
            let entries: Vec<bool> = (0..n * 9).map(|_| random(10) < 6).collect();
            let of: Vec<usize> = (0..k).map(|_| random(columns) as usize).collect();
            let Ok(g) = AllocationMatrix::from_fn(n, k, |j, i| entries[9 * j + of[i]]) else {
                panic!("small")
            };
            let ties = TieRule::ALL[case % 4];
            for correct in [false, true] {
                let Some(recount) = Recount::new(&g, ties, correct) else { panic!("few messages") };
                let (mut plain, mut choices) = (Margins::new(), recount.choices());
                for bits in (0..1_u32 << k).filter(|bits| bits.count_ones() as usize == recount.ones) {
                    let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                    *plain.entry(Outcome::of(&g, ties, &message).margin).or_default() += 1_u32;
                }
                if recount.classes.len() == k {
                    choices -= plain.values().map(|c| u128::try_from(c).unwrap_or(0)).sum::<u128>();
                    assert_eq!(choices, 0, "every message is a choice of its own");
                }
                assert_eq!(recount.count(&Budget::new(&|| false)), Ok(plain), "{g:?} {ties} {correct}");
            }
        }
    }
}
