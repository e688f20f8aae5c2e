//! Lemma 31 of docs/theory/bounds.md: whether the second moments leave room for rows of these loads.

use super::kernel::{Kernels, ONE, ceiling};
use super::weights::Weighing;

/// How many rows a code has of each kind that is not light, of n rows, for b Byzantine workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) n: usize,
    pub(super) b: usize,
    /// Rows that hold nothing.
    pub(super) empty: usize,
    /// Rows of load 1.
    pub(super) single: usize,
    /// Partitions that rows of load 1 hold.
    pub(super) held: usize,
    /// Full rows.
    pub(super) full: usize,
}

impl Cell {
    /// Rows of loads 3 to n − 2.
    pub(super) fn light(self) -> usize {
        self.n - self.empty - self.single - self.full
    }

    /// h: full rows beyond the 2b + 1 + e that every partition needs; negative where they are too few.
    fn spare(self) -> i64 {
        self.full as i64 - (2 * self.b + 1 + self.empty) as i64
    }
}

/// What is summed over all partitions z, from the light loads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// A = Σ a_z.
    holders: i64,
    /// 𝔅 = Σ b_z.
    ties: i128,
    /// The largest τ of a light row.
    most_tied: i64,
}

impl Sums {
    /// For light rows of these loads, `counts[i]` of load 3 + 2i.
    pub(super) fn of(cell: Cell, counts: &[usize], kernels: &Kernels) -> Self {
        let loads = || counts.iter().enumerate().filter(|&(_, &count)| count > 0);
        let light: usize = loads().map(|(i, count)| count * (3 + 2 * i)).sum();
        let tied = |i: usize| kernels.tied[2 + 2 * i];
        let ties =
            loads().map(|(i, count)| (count * (3 + 2 * i)) as i128 * i128::from(tied(i))).sum::<i128>();
        let most_tied = loads().map(|(i, _)| tied(i)).max().unwrap_or(0);
        Self::new(cell, light, ties, most_tied)
    }

    /// For any light rows whose loads have this sum: each is tied as often as one of load 3 at most.
    pub(super) fn of_any(cell: Cell, light: usize, kernels: &Kernels) -> Self {
        let most_tied = kernels.tied[2];
        Self::new(cell, light, light as i128 * i128::from(most_tied), most_tied)
    }

    fn new(cell: Cell, light: usize, ties: i128, most_tied: i64) -> Self {
        let certain = cell.n as i64 * cell.spare() + cell.single as i64;
        let holders = certain + light as i64;
        Self { holders, ties: i128::from(certain) * i128::from(ONE) + ties, most_tied }
    }

    /// ⌊A/n⌋, at least 1: about what a_z is.
    pub(super) fn about(self, n: usize) -> i64 {
        (self.holders / n as i64).max(1)
    }

    /// A/n.
    pub(super) fn mean(self, n: usize) -> f64 {
        self.holders as f64 / n as f64
    }

    /// Whether the sums alone leave nothing.
    fn impossible(self) -> bool {
        self.holders < 0 || self.ties < 0
    }
}

/// The multipliers that an exclusion rests on: σ in units of 2⁻⁴⁰, and 1/r, or 0 for r = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multipliers {
    /// σ.
    pub sigma: i64,
    /// 1/r, or 0.
    pub rho: i64,
}

/// The test for one cell.
pub(super) struct Exclusion {
    pub(super) cell: Cell,
    pub(super) sums: Sums,
    /// Any so many proper sets can be untied at once.
    pub(super) untied: i64,
}

/// σ = 1000.
const MANY: i64 = 1000 * ONE;

impl Exclusion {
    /// Whether no code has such loads, by the ties alone (Λ = 0).
    pub(super) fn trivial(&self) -> bool {
        let nothing = Weighing::default();
        self.sums.impossible() || self.by(&nothing, Multipliers { sigma: MANY, rho: 0 })
    }

    /// The first multipliers by which the second moment leaves no code.
    pub(super) fn find(&self, weighing: &Weighing) -> Option<Multipliers> {
        let about = self.sums.about(self.cell.n);
        let moment = weighing.moment.max(0);
        let sigmas = [
            moment / (about * (about + 1)),
            if about > 1 { moment / (about * (about - 1)) } else { MANY },
            moment / ((about + 1) * (about + 2)),
            moment / (about * about),
            moment / ((about + 1) * (about + 1)),
            MANY,
        ];
        let rhos = || (0..=about + 2).filter(|&rho| rho == 0 || rho >= about - 1);
        sigmas
            .into_iter()
            .flat_map(|sigma| rhos().map(move |rho| Multipliers { sigma, rho }))
            .find(|&multipliers| self.by(weighing, multipliers))
    }

    /// Whether the test excludes these loads with these multipliers.
    pub(super) fn by(&self, weighing: &Weighing, Multipliers { sigma, rho }: Multipliers) -> bool {
        let Cell { n, single, held, .. } = self.cell;
        let wide = |number: i64| i128::from(number);
        let spare = self.cell.spare();
        let moment = weighing.moment.max(0);
        let most = spare + (single + self.cell.light()) as i64;
        let mut total = 0;
        for (holds_single, partitions) in
            [(false, n - held), (true, held)].into_iter().filter(|&(_, z)| z > 0)
        {
            let (singles, here) = if holds_single { ((single - held + 1) as i64, 1) } else { (0, 0) };
            let mut least_holders = (spare + here).max(0);
            if spare + singles < 0 {
                least_holders = least_holders.max(self.untied);
            }
            let value = |holders: i64| -> Option<i128> {
                let others = holders - spare - here;
                let lost = if holds_single {
                    weighing.lost_single + weighing.lost_single.max(weighing.lost_light) * others
                } else {
                    weighing.lost_light * others
                };
                let singles = singles.min(holders - spare);
                let ties = wide(spare + singles) * wide(ONE)
                    + wide(self.sums.most_tied) * wide(holders - spare - singles);
                let left = moment - lost;
                if ties < 0 || wide(holders) * ties < wide(left) {
                    return None;
                }
                if holders == 0 {
                    return Some(0);
                }
                let with_losses = left.div_euclid(holders) + if rho > 0 { lost / rho } else { 0 };
                let room = (moment / holders).min(with_losses).max(0);
                Some(wide(sigma) * wide(holders) + wide(room))
            };
            let Some(least) = (least_holders..=most).filter_map(value).min() else { return true };
            total += least * partitions as i128;
        }
        let losses = if rho > 0 { ceiling(wide(weighing.losses), wide(rho)) } else { 0 };
        total > wide(sigma) * wide(self.sums.holders) + self.sums.ties + wide(losses)
    }
}
