//! Theorem 32: every total, every number of rows of each kind, every choice of light loads.

use std::collections::HashMap;

use super::kernels::{Kernels, ONE};
use super::moments::{Light, Moment, Others, excludes};
use super::wins::{Choose, Taken};
use super::{BoundCase, BoundCertificate};
use crate::budget::Budget;
use crate::outcome::{Refused, invalid};

/// The rows that are not light, and for every load from 3 on how many rows have it.
type Choice = (Others, Vec<usize>);

/// The work on one certificate.
pub(super) struct Totals<'a> {
    n: usize,
    b: usize,
    kernels: Kernels,
    /// By the number of partitions that are taken.
    taken: Vec<Taken>,
    cases: HashMap<Choice, &'a BoundCase>,
    used: usize,
    budget: Budget<'a>,
    /// What was gone through.
    pub(super) choices: u64,
}

/// Partitions that win some rows for certain, and the wins of all rows so far, counted over the sets.
#[derive(Clone, Copy)]
struct Won {
    partitions: usize,
    wins: i128,
}

/// Light rows that are still to be chosen, none lighter than `load`.
#[derive(Clone, Copy)]
struct Rest {
    load: usize,
    rows: usize,
    sum: usize,
    /// Partitions that win all rows of load 1 and all light ones so far, if at most t.
    partitions: Option<usize>,
}

impl<'a> Totals<'a> {
    pub(super) fn new(
        certificate: &'a BoundCertificate,
        stopped: &'a dyn Fn() -> bool,
    ) -> Result<Self, Refused> {
        let BoundCertificate { n, b, ones, .. } = *certificate;
        let choose = Choose::new();
        let mut cases = HashMap::new();
        for (i, case) in certificate.cases.iter().enumerate() {
            let choice = choice(case, n, b).or_else(|why| invalid(format!("case {i}: {why}")))?;
            if cases.insert(choice, case).is_some() {
                return invalid(format!("case {i} is there twice"));
            }
        }
        let budget = Budget::new(stopped);
        let mut taken = Vec::new();
        for x in 0..=(n - 1) / 2 {
            budget.spend(n * n * ones)?;
            taken.push(Taken::new(n, x, ones, &choose));
        }
        Ok(Self { n, b, kernels: Kernels::new(n), taken, cases, used: 0, budget, choices: 0 })
    }

    /// Whether every case was of use.
    pub(super) fn all_used(&self) -> bool {
        self.used == self.cases.len()
    }

    /// Refuses unless no tolerant code has this total.
    pub(super) fn exclude(&mut self, total: usize) -> Result<(), Refused> {
        let Self { n, b, .. } = *self;
        let most_light = (n - 1) / 2 - b;
        for empty in 0..=most_light {
            if n * (2 * b + 1 + empty) > total {
                return Ok(());
            }
            for single in 0..=most_light - empty {
                for held in usize::from(single > 0)..=single {
                    for full in 0..=n - empty - single {
                        let others = Others { n, b, empty, single, held, full };
                        let Some(sum) = total.checked_sub(single + n * full) else { continue };
                        let rows = others.light();
                        if sum % 2 == rows % 2 && 3 * rows <= sum && sum <= (n - 2) * rows {
                            self.exclude_rows(others, sum)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn exclude_rows(&mut self, others: Others, sum: usize) -> Result<(), Refused> {
        self.budget.spend(1 << 10)?;
        let most_tied = self.kernels.tied(2);
        let light = Light { sum, ties: sum as i128 * most_tied, most_tied };
        if excludes(others, light, Moment::default(), 1000 * ONE, 0) {
            return Ok(());
        }
        let Others { empty, single, held, .. } = others;
        let won = (0..=held).map(|x| {
            let certain = (x * single).div_ceil(held.max(1));
            let taken = &self.taken[x];
            let wins = (empty + certain) as i128 * taken.sets + (single - certain) as i128 * taken.wins[1];
            Won { partitions: x, wins }
        });
        let won: Vec<Won> = won.collect();
        let rest = Rest { load: 3, rows: others.light(), sum, partitions: Some(held) };
        self.exclude_light(others, &mut vec![0; (self.n - 3) / 2], rest, &won)
    }

    /// Goes on with how many rows have the load `rest.load`.
    fn exclude_light(
        &mut self,
        others: Others,
        counts: &mut Vec<usize>,
        rest: Rest,
        won: &[Won],
    ) -> Result<(), Refused> {
        self.budget.spend(won.len() << 4)?;
        let Rest { load, rows, sum, partitions } = rest;
        let most = ((self.n - 1) / 2 - self.b) as i128;
        let violates = |won: &Won| {
            let taken = &self.taken[won.partitions];
            taken.rest(load, rows, sum).is_none_or(|rest| won.wins + rest > most * taken.sets)
        };
        if won.iter().any(violates) {
            return Ok(());
        }
        if rows == 0 {
            return self.exclude_choice(others, counts);
        }
        let mut won = won.to_vec();
        let mut partitions = partitions;
        for more in 0..=rows {
            if more > 0 {
                for one in &mut won {
                    one.wins += self.taken[one.partitions].wins[load];
                }
                partitions = partitions.map(|x| x + load.div_ceil(2)).filter(|&x| x <= (self.n - 1) / 2);
                if let Some(partitions) = partitions {
                    let certain = others.n - others.full - (rows - more);
                    won.push(Won { partitions, wins: certain as i128 * self.taken[partitions].sets });
                }
            }
            let Some(sum) = sum.checked_sub(more * load) else { break };
            counts[(load - 3) / 2] = more;
            let rest = Rest { load: load + 2, rows: rows - more, sum, partitions };
            self.exclude_light(others, counts, rest, &won)?;
        }
        counts[(load - 3) / 2] = 0;
        Ok(())
    }

    fn exclude_choice(&mut self, others: Others, counts: &[usize]) -> Result<(), Refused> {
        self.choices += 1;
        self.budget.spend(1 << 12)?;
        let mut light = Light { sum: 0, ties: 0, most_tied: 0 };
        for (i, &rows) in counts.iter().enumerate().filter(|&(_, &rows)| rows > 0) {
            let (load, tied) = (3 + 2 * i, self.kernels.tied(2 + 2 * i));
            light.sum += rows * load;
            light.ties += (rows * load) as i128 * tied;
            light.most_tied = light.most_tied.max(tied);
        }
        if excludes(others, light, Moment::default(), 1000 * ONE, 0) {
            return Ok(());
        }
        let Some(case) = self.cases.get(&(others, counts.to_vec())) else {
            return invalid(format!("no test excludes {}", named(others, counts)));
        };
        self.used += 1;
        let moment = Moment::of(case, self.n, &self.kernels);
        if excludes(others, light, moment, i128::from(case.sigma) << 8, i128::from(case.rho)) {
            Ok(())
        } else {
            invalid(format!("the weights do not exclude {}", named(others, counts)))
        }
    }
}

/// The choice of loads that a case speaks of, its numbers being in range.
fn choice(case: &BoundCase, n: usize, b: usize) -> Result<Choice, String> {
    let BoundCase { empty, single, held, full, .. } = *case;
    let mut counts = vec![0; (n - 3) / 2];
    let mut singles = 0;
    let mut before = 0;
    for &(load, rows, weight) in &case.loads {
        if load % 2 == 0 || load <= before || load > n - 2 || rows == 0 || rows > n || weight > 4096 {
            return Err(format!("load {load}, {rows} rows, weight {weight}: expected odd loads that rise"));
        }
        before = load;
        if load == 1 {
            singles = rows;
        } else {
            counts[(load - 3) / 2] = rows;
        }
    }
    let rows = [empty, full].into_iter().chain(case.loads.iter().map(|&(_, rows, _)| rows));
    if singles != single || rows.fold(0, usize::saturating_add) != n {
        return Err(format!("expected {n} rows in all, {single} of them of load 1"));
    }
    if case.sigma >= 1 << 62 || case.rho > 64 {
        return Err("sigma or rho is too large".to_owned());
    }
    if let Some((_, theta)) = case.left_out {
        let weight = case.loads.first().map_or(0, |&(_, _, weight)| weight);
        if !(1..20).contains(&theta) || weight > 1024 || case.loads.iter().any(|load| load.2 != weight) {
            return Err(
                "where loads are left out all weights are the same, at most 1024, and 0 < θ < 1".to_owned()
            );
        }
    }
    Ok((Others { n, b, empty, single, held, full }, counts))
}

fn named(others: Others, counts: &[usize]) -> String {
    let Others { empty, single, held, full, .. } = others;
    let loads = counts.iter().enumerate().filter(|&(_, &rows)| rows > 0);
    let loads: Vec<String> = loads.map(|(i, rows)| format!("{rows}×{}", 3 + 2 * i)).collect();
    format!(
        "{empty} empty rows, {single} of load 1 on {held} partitions, {full} full ones, and loads {}",
        loads.join(", ")
    )
}
