//! Families that are closed under adding a row: what a certificate of exhaustion lists.
//!
//! # How
//! As the search itself, but for all totals up to a bound at once, and families go by simpler averages: over all messages
//! that have j partitions in S, one j at a time. So whoever checks the list needs no tables of mixed averages. The price is
//! some ten times as many families.
//!
//! # What is promised
//! Nothing: `ecode_check` looks at every family and every further row.

use std::collections::HashSet;

use rayon::prelude::*;

use super::canonical::canonical;
use super::light::{Light, cases};
use super::messages::Messages;
use super::{MOST, further};

/// Families of rows beside certain light ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedFamilies {
    /// Rows that hold nothing.
    pub empty: usize,
    /// For each partition that rows of load 1 hold, how many do.
    pub singles: Vec<usize>,
    /// The rows of load 3 to n − 2 of each family, lightest first; bit i says whether a row holds partition i.
    pub families: Vec<Vec<u16>>,
}

/// The families that a code with fewer than `ones` ones could begin with, for every choice of light rows that has some.
/// `None` where there is such a code, where there are more than `most` families, or when `stopped` says so.
///
/// ```
/// // No code of seven workers that tolerates a liar has fewer than 29 ones, and one has 29.
/// let families = |ones| ecode_design::search::closed_families(7, 1, ones, 1000, &|| false);
/// assert!(families(29).is_some() && families(30).is_none());
/// ```
#[must_use]
pub fn closed_families(
    n: usize,
    b: usize,
    ones: usize,
    most: usize,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<ClosedFamilies>> {
    if n % 2 == 0 || !(3..=MOST).contains(&n) || b == 0 || b > n / 2 || ones == 0 {
        return None;
    }
    let messages = Messages::new(n);
    let mut all = Vec::new();
    let mut left = most;
    for Light { empty, singles } in cases(n, b) {
        let Some(case) = Case::new(n, b, ones - 1, empty, &singles, &messages) else { continue };
        let mut families = case.run(left, stopped)?;
        left -= families.len();
        families.sort_unstable_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
        if !families.is_empty() {
            all.push(ClosedFamilies { empty, singles, families });
        }
    }
    Some(all)
}

/// One choice of light rows.
struct Case<'a> {
    n: usize,
    b: usize,
    singles: &'a [usize],
    light: Vec<u16>,
    messages: &'a Messages,
    /// Rows that are not light, and the ones that they have at most.
    rows: usize,
    ones: usize,
    /// For each number j of partitions in S.
    averages: Vec<Average<'a>>,
}

/// The messages with j partitions in S.
struct Average<'a> {
    messages: &'a Messages,
    those: Vec<u64>,
    /// What is left of their wins once the light rows are won.
    budget: usize,
    /// `rest[v][rows][ones]`: the least wins of so many rows, none lighter than 3 + 2v, with at most so many ones.
    rest: Vec<Vec<Vec<usize>>>,
}

impl Average<'_> {
    fn wins(&self, row: u16) -> usize {
        let each = self.messages.of(row).iter().zip(&self.those);
        each.map(|(wins, those)| (wins & those).count_ones() as usize).sum()
    }
}

impl<'a> Case<'a> {
    fn new(
        n: usize,
        b: usize,
        ones: usize,
        empty: usize,
        singles: &'a [usize],
        messages: &'a Messages,
    ) -> Option<Self> {
        let single: usize = singles.iter().sum();
        let ones = ones.checked_sub(single)?;
        let rows = n - empty - single;
        let mut light = vec![0; empty];
        light.extend(singles.iter().enumerate().flat_map(|(i, &many)| std::iter::repeat_n(1 << i, many)));
        let s = singles.len();
        let mut averages = Vec::new();
        for j in 0..=s {
            let those = messages.with(n, (1 << s) - 1, j);
            let all: usize = those.iter().map(|word| word.count_ones() as usize).sum();
            let mut average = Average { messages, those, budget: 0, rest: Vec::new() };
            let spent: usize = light.iter().map(|&row| average.wins(row)).sum();
            average.budget = (all * (n / 2 - b)).checked_sub(spent)?;
            let costs: Vec<usize> = (3..n)
                .step_by(2)
                .map(|load| {
                    let shares = load.saturating_sub(n - s)..=load.min(s);
                    let row = |share: usize| ((1_u16 << share) - 1) | (((1_u16 << (load - share)) - 1) << s);
                    shares.map(|share| average.wins(row(share))).min().unwrap_or(usize::MAX)
                })
                .chain([0])
                .collect();
            average.rest = (0..costs.len()).map(|v| cheapest(&costs[v..], 3 + 2 * v, rows, ones)).collect();
            averages.push(average);
        }
        Some(Self { n, b, singles, light, messages, rows, ones, averages })
    }

    fn run(&self, most: usize, stopped: &(dyn Fn() -> bool + Sync)) -> Option<Vec<Vec<u16>>> {
        let mut all: Vec<Vec<u16>> = Vec::new();
        let mut layer: Vec<Vec<u16>> = if self.promising(&[]) { vec![Vec::new()] } else { Vec::new() };
        while !layer.is_empty() {
            let is_code = |family: &Vec<u16>| {
                let held: u32 = family.iter().map(|row| row.count_ones()).sum();
                held as usize + self.n * (self.rows - family.len()) <= self.ones
            };
            if stopped() || all.len() + layer.len() > most || layer.iter().any(is_code) {
                return None;
            }
            let next: HashSet<Vec<u16>> = layer
                .par_chunks(64)
                .flat_map_iter(|families| {
                    families.iter().filter(|_| !stopped()).flat_map(|family| self.grow(family))
                })
                .collect();
            all.append(&mut layer);
            layer = next.into_iter().collect();
        }
        (!stopped()).then_some(all)
    }

    fn grow(&self, family: &[u16]) -> Vec<Vec<u16>> {
        if family.len() == self.rows {
            return Vec::new();
        }
        let all = [&self.light[..], family].concat();
        let tight = self.messages.tight(&all, self.n / 2 - self.b);
        let lightest = family.last().map_or(3, |row| row.count_ones() as usize);
        let mut next = Vec::new();
        further(self.n, &all, (lightest, self.n - 2), |row| {
            if self.messages.of(row).iter().zip(&tight).all(|(wins, tight)| wins & tight == 0) {
                let grown = [family, &[row]].concat();
                if self.promising(&grown) {
                    next.push(canonical(self.n, &self.light, &grown));
                }
            }
        });
        next
    }

    fn promising(&self, family: &[u16]) -> bool {
        let rows = self.rows - family.len();
        let held: u32 = family.iter().map(|row| row.count_ones()).sum();
        let Some(left) = self.ones.checked_sub(held as usize) else { return false };
        let last = family.last().map_or(0, |row| (row.count_ones() as usize - 3) / 2);
        let missing = (0..self.n).map(|i| {
            let holders = family.iter().filter(|&row| row >> i & 1 == 1).count();
            (2 * self.b + 1).saturating_sub(holders + self.singles.get(i).copied().unwrap_or(0))
        });
        let (most, sum) = missing.fold((0, 0), |(most, sum), missing| (missing.max(most), sum + missing));
        most <= rows
            && sum <= left
            && self.averages.iter().all(|average| {
                let spent: usize = family.iter().map(|&row| average.wins(row)).sum();
                average.rest[last][rows][left].saturating_add(spent) <= average.budget
            })
    }
}

/// The least cost of 0 to `rows` rows with at most 0 to `ones` ones: the first cost is that of a row of this load, and each
/// load is two more than the one before it.
fn cheapest(costs: &[usize], load: usize, rows: usize, ones: usize) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0_usize; ones + 1]];
    for row in 0..rows {
        let of = |sum: usize| {
            let loads = (load..=sum).step_by(2).zip(costs);
            loads.map(|(load, cost)| table[row][sum - load].saturating_add(*cost)).min().unwrap_or(usize::MAX)
        };
        let next = (0..=ones).map(of).collect();
        table.push(next);
    }
    table
}
