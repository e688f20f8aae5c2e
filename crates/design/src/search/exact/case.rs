//! The search for one total and one choice of light rows.

use std::collections::HashSet;

use rayon::prelude::*;

use super::canonical::canonical;
use super::further;
use super::light::Light;
use super::messages::Messages;
use crate::search::bounds::{Binomials, Frame, Split, least};

pub(super) enum Outcome {
    Found(Vec<u16>),
    None,
    Stopped,
}

/// The search for one total and one choice of light rows.
pub(super) struct Case {
    n: usize,
    /// The largest load of a row, odd.
    heaviest: usize,
    b: usize,
    light: Light,
    /// Rows that are not light.
    rows: usize,
    /// The sum of (load − 3)/2 over them.
    excess: usize,
    /// `costs[v][share][weighting]`, as in Theorem 12; where full rows are allowed the last v is theirs, and costs nothing.
    costs: Vec<Vec<Vec<u128>>>,
    /// The smallest share of each v.
    least_share: Vec<usize>,
    /// What is left to spend under each weighting once the light rows are paid.
    budget: Vec<u128>,
    /// `tables[v][weighting][rows][excess]`: the least cost of so many rows, none lighter than v, whose
    /// excess is at most that.
    tables: Vec<Vec<Vec<Vec<u128>>>>,
}

impl Case {
    /// `None` where no code with these light rows has this total.
    pub(super) fn new(frame: Frame, b: usize, light: &Light, total: usize) -> Option<Self> {
        let Frame { n, heaviest, .. } = frame;
        let singles: usize = light.singles.iter().sum();
        let s = light.singles.len();
        let rows = n - light.empty - singles;
        let excess = total.checked_sub(singles + 3 * rows)?;
        if excess % 2 == 1 {
            return None;
        }
        let excess = excess / 2;
        let split = Split::new(frame, s, &Binomials::up_to(n));
        let weightings = split.weightings();
        let dot = |counts: &[u128]| -> Vec<u128> {
            weightings
                .iter()
                .map(|weights| weights.iter().zip(counts).map(|(weight, count)| weight * count).sum())
                .collect()
        };
        let mut costs: Vec<Vec<Vec<u128>>> =
            split.rows.iter().map(|shares| shares.iter().map(|wins| dot(wins)).collect()).collect();
        if heaviest == n {
            costs.push(vec![vec![0; weightings.len()]]);
        }
        let least_share: Vec<usize> =
            (3..=heaviest).step_by(2).map(|w: usize| w.saturating_sub(n - s)).collect();
        let budget: Option<Vec<u128>> = dot(&split.messages)
            .into_iter()
            .zip(dot(&split.single))
            .map(|(all, light_cost)| {
                let spent = if s == 0 { 0 } else { singles as u128 * light_cost / s as u128 };
                (frame.budget as u128 * all).checked_sub(light.empty as u128 * all + spent)
            })
            .collect();
        let tables = (0..costs.len())
            .map(|lightest| {
                (0..weightings.len())
                    .map(|c| {
                        let cheapest: Vec<u128> = costs
                            .iter()
                            .enumerate()
                            .map(|(v, shares)| {
                                if v < lightest {
                                    u128::MAX
                                } else {
                                    shares.iter().map(|costs| costs[c]).min().unwrap_or(0)
                                }
                            })
                            .collect();
                        let mut table = least(&cheapest, rows, excess);
                        for row in &mut table {
                            for x in 1..row.len() {
                                row[x] = row[x].min(row[x - 1]);
                            }
                        }
                        table
                    })
                    .collect()
            })
            .collect();
        let light = light.clone();
        Some(Self { n, heaviest, b, light, rows, excess, costs, least_share, budget: budget?, tables })
    }

    /// Whether a family (its rows that are not light, lightest first) may have a completion.
    fn promising(&self, heavy: &[u16]) -> bool {
        let dictators = (1_u16 << self.light.singles.len()) - 1;
        let mut left = self.budget.clone();
        let mut excess = self.excess;
        let mut last = 0;
        for &row in heavy {
            let v = (row.count_ones() as usize - 3) / 2;
            let share = (row & dictators).count_ones() as usize - self.least_share[v];
            let Some(rest) = excess.checked_sub(v) else { return false };
            excess = rest;
            last = v;
            for (left, cost) in left.iter_mut().zip(&self.costs[v][share]) {
                let Some(rest) = left.checked_sub(*cost) else { return false };
                *left = rest;
            }
        }
        let rows = self.rows - heavy.len();
        let fits = self.tables[last].iter().zip(&left).all(|(table, left)| table[rows][excess] <= *left);
        // Theorem 6: every partition is held by 2b + 1 workers.
        let missing = (0..self.n).map(|i| {
            let singles = self.light.singles.get(i).copied().unwrap_or(0);
            let held = heavy.iter().filter(|&&row| row >> i & 1 == 1).count();
            (2 * self.b + 1).saturating_sub(singles + held)
        });
        let (most, sum) = missing.fold((0, 0), |(most, sum), missing| (missing.max(most), sum + missing));
        fits && most <= rows && sum <= 3 * rows + 2 * excess
    }

    pub(super) fn run(
        &self,
        messages: &Messages,
        families: &mut u64,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Outcome {
        let full = (1_u16 << self.n) - 1;
        let mut light: Vec<u16> = vec![0; self.light.empty];
        for (i, &singles) in self.light.singles.iter().enumerate() {
            light.extend(std::iter::repeat_n(1 << i, singles));
        }
        let budget = (self.n - 1) / 2 - self.b;
        let mut layer: Vec<Vec<u16>> = Vec::new();
        if self.promising(&[]) {
            layer.push(Vec::new());
        }
        while !layer.is_empty() {
            *families += layer.len() as u64;
            for family in &layer {
                let used: usize = family.iter().map(|row| (row.count_ones() as usize - 3) / 2).sum();
                let rest = self.rows - family.len();
                if (rest == 0 || self.heaviest == self.n) && used + rest * (self.n - 3) / 2 <= self.excess {
                    let mut rows = [light.clone(), family.clone()].concat();
                    rows.resize(self.n, full);
                    return Outcome::Found(rows);
                }
            }
            if stopped() {
                return Outcome::Stopped;
            }
            let grown: Vec<HashSet<Vec<u16>>> = layer
                .par_chunks(256)
                .map(|families| {
                    let mut next = HashSet::new();
                    for family in families {
                        if !stopped() {
                            self.grow(&light, family, budget, messages, &mut next);
                        }
                    }
                    next
                })
                .collect();
            if stopped() {
                return Outcome::Stopped;
            }
            let mut next = HashSet::new();
            for more in grown {
                next.extend(more);
            }
            layer = next.into_iter().collect();
        }
        Outcome::None
    }

    /// Adds to `next` every promising family with one more row, in canonical form.
    fn grow(
        &self,
        light: &[u16],
        family: &[u16],
        budget: usize,
        messages: &Messages,
        next: &mut HashSet<Vec<u16>>,
    ) {
        if family.len() == self.rows {
            return;
        }
        let all = [light, family].concat();
        let tight = messages.tight(&all, budget);
        let lightest = family.last().map_or(3, |row| row.count_ones() as usize);
        further(self.n, &all, (lightest, self.heaviest.min(self.n - 2)), |row| {
            if messages.of(row).iter().zip(&tight).all(|(wins, tight)| wins & tight == 0) {
                let grown = [family, &[row]].concat();
                if self.promising(&grown) {
                    next.insert(canonical(self.n, light, &grown));
                }
            }
        });
    }
}
