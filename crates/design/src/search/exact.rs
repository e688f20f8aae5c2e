//! The fewest ones of any tolerant code, by exhaustion.
//!
//! By Lemma 10 of docs/theory.md every load may be taken to be odd or 0. A *family* is the rows of a code
//! that are not full, lightest first; families are built row by row, all of one size before the next,
//! and of those that differ only by the names of workers and partitions one is kept. A family is
//! dropped when some message of weight t wins more than t − b of its rows, or when a lower bound says
//! that no completion has few enough ones.
//!
//! # What is promised
//! - No bound on the ones is returned unless every family below it was built or excluded.
//! - A code that is returned wins at most t − b rows with every message of weight t; it is for
//!   [`ecode_verify`] to say that it is tolerant.

use std::collections::HashSet;

use rayon::prelude::*;

use super::bounds::{Binomials, Frame, Split, least};
use crate::construct::{ConstructError, parameter};
use ecode_core::AllocationMatrix;

/// The exact search is for up to this many workers.
const MOST: usize = 15;

/// What an exact search found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// No tolerant code has fewer ones.
    pub at_least: usize,
    /// A code with exactly that many ones, where the search came to one before it had to end.
    pub matrix: Option<AllocationMatrix>,
    /// The totals that were tried, each with the number of families that were built for it.
    pub tried: Vec<(usize, u64)>,
}

/// Finds the fewest ones of any b-tolerant code of n workers and n partitions, n odd, by trying the
/// totals upwards from `from`, which must be a proven lower bound, to below `to`; every smaller total
/// of either parity is excluded. `stopped` ends the work, which then says what it knows.
///
/// ```
/// let found = ecode_design::search::minimum(7, 1, 27, 49, &|| false)?;
/// assert_eq!(found.at_least, 29);
/// assert!(found.matrix.is_some_and(|code| code.ones() == 29));
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// When n is even or above 15, or b is 0 or above (n − 1)/2.
pub fn minimum(
    n: usize,
    b: usize,
    from: usize,
    to: usize,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Exact, ConstructError> {
    minimum_within(n, b, n, from, to, stopped)
}

/// The same of the codes in which no worker holds more than `heaviest` partitions. Where `to` is above
/// n·`heaviest` and no code is found, there is none.
///
/// ```
/// // Five workers that hold at most three partitions each tolerate no liar.
/// let found = ecode_design::search::minimum_within(5, 1, 3, 15, 16, &|| false)?;
/// assert_eq!((found.at_least, found.matrix), (16, None));
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// Those of [`minimum`], and when `heaviest` is below 3 or above n.
pub fn minimum_within(
    n: usize,
    b: usize,
    heaviest: usize,
    from: usize,
    to: usize,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Exact, ConstructError> {
    if n % 2 == 0 || n > MOST || b == 0 || 2 * b + 1 > n {
        return parameter(format!(
            "the exact search takes odd n up to {MOST} and 1 ≤ b ≤ (n − 1)/2, not n = {n}, b = {b}"
        ));
    }
    if !(3..=n).contains(&heaviest) {
        return parameter(format!("the exact search takes a largest load from 3 to n = {n}, not {heaviest}"));
    }
    // Lemma 10: all loads may be taken to be odd.
    let frame = Frame { heaviest: heaviest - (heaviest + 1) % 2, ..Frame::square(n, b) };
    let mut exact = Exact { at_least: from, matrix: None, tried: Vec::new() };
    let messages = Messages::new(n);
    while exact.at_least < to {
        let mut families = 0;
        for light in cases(n, b) {
            let Some(case) = Case::new(frame, b, &light, exact.at_least) else { continue };
            match case.run(&messages, &mut families, stopped) {
                Outcome::Found(rows) => {
                    let rows: Vec<Vec<usize>> =
                        rows.iter().map(|row| (0..n).filter(|i| row >> i & 1 == 1).collect()).collect();
                    exact.matrix = Some(AllocationMatrix::from_supports(n, &rows)?);
                    exact.tried.push((exact.at_least, families));
                    return Ok(exact);
                }
                Outcome::None => {}
                Outcome::Stopped => return Ok(exact),
            }
        }
        exact.tried.push((exact.at_least, families));
        exact.at_least += 1;
    }
    Ok(exact)
}

/// Rows lighter than 3: how many are empty, and for each partition of S how many hold only it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Light {
    empty: usize,
    singles: Vec<usize>,
}

/// All ways to have at most t − b light rows, up to the names of partitions.
fn cases(n: usize, b: usize) -> Vec<Light> {
    fn split(left: usize, most: usize, parts: &mut Vec<usize>, empty: usize, all: &mut Vec<Light>) {
        all.push(Light { empty, singles: parts.clone() });
        for part in 1..=most.min(left) {
            parts.push(part);
            split(left - part, part, parts, empty, all);
            parts.pop();
        }
    }
    let budget = (n - 1) / 2 - b;
    let mut all = Vec::new();
    for empty in 0..=budget {
        split(budget - empty, budget, &mut Vec::new(), empty, &mut all);
    }
    all
}

/// The messages of weight t, and for each row the set of those that win it.
struct Messages {
    words: usize,
    wins: Vec<u64>,
}

impl Messages {
    fn new(n: usize) -> Self {
        let t = (n - 1) / 2;
        let messages: Vec<u16> = (0..1_u16 << n).filter(|m| m.count_ones() as usize == t).collect();
        let words = messages.len().div_ceil(64);
        let mut wins = vec![0; words << n];
        for row in 0..1_usize << n {
            for (x, message) in messages.iter().enumerate() {
                let won = 2 * (row as u16 & message).count_ones() >= (row as u16).count_ones();
                wins[row * words + x / 64] |= u64::from(won) << (x % 64);
            }
        }
        Self { words, wins }
    }

    fn of(&self, row: u16) -> &[u64] {
        &self.wins[usize::from(row) * self.words..][..self.words]
    }

    /// The messages that win at least `budget` of the rows.
    fn tight(&self, rows: &[u16], budget: usize) -> Vec<u64> {
        // at_least[c]: the messages that win more than c of the rows so far.
        let mut more = vec![vec![0_u64; self.words]; budget];
        for &row in rows {
            let mut carry = self.of(row).to_vec();
            for level in &mut more {
                for (held, carry) in level.iter_mut().zip(&mut carry) {
                    let both = *held & *carry;
                    *held |= *carry;
                    *carry = both;
                }
            }
        }
        more.pop().unwrap_or_else(|| vec![u64::MAX; self.words])
    }
}

enum Outcome {
    Found(Vec<u16>),
    None,
    Stopped,
}

/// The search for one total and one choice of light rows.
struct Case {
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
    fn new(frame: Frame, b: usize, light: &Light, total: usize) -> Option<Self> {
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

    fn run(&self, messages: &Messages, families: &mut u64, stopped: &(dyn Fn() -> bool + Sync)) -> Outcome {
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
        // Partitions that the same rows hold are alike: a new row takes the first ones of each kind.
        let mut kinds: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
        for i in 0..self.n {
            let held: Vec<bool> = all.iter().map(|row| row >> i & 1 == 1).collect();
            match kinds.iter_mut().find(|(kind, _)| *kind == held) {
                Some((_, members)) => members.push(i),
                None => kinds.push((held, vec![i])),
            }
        }
        let lightest = family.last().map_or(3, |row| row.count_ones() as usize);
        let mut counts = vec![0; kinds.len()];
        // Every vector of counts.
        while let Some(c) = (0..counts.len()).find(|&c| counts[c] < kinds[c].1.len()) {
            counts[..c].fill(0);
            counts[c] += 1;
            let load: usize = counts.iter().sum();
            if load % 2 == 0 || load < lightest || load > self.heaviest.min(self.n - 2) {
                continue;
            }
            let row = kinds
                .iter()
                .zip(&counts)
                .flat_map(|((_, members), &count)| &members[..count])
                .fold(0_u16, |row, i| row | 1 << i);
            if messages.of(row).iter().zip(&tight).any(|(wins, tight)| wins & tight != 0) {
                continue;
            }
            let grown = [family, &[row]].concat();
            if self.promising(&grown) {
                next.insert(canonical(self.n, light, &grown));
            }
        }
    }
}

/// The least of all families that differ from this one only by the names of partitions outside the
/// light rows, of like partitions inside, and of rows of one load.
fn canonical(n: usize, light: &[u16], heavy: &[u16]) -> Vec<u16> {
    // Colours of partitions: how many light rows hold only it.
    let points: Vec<u64> =
        (0..n).map(|i| light.iter().filter(|&&row| row == 1 << i).count() as u64).collect();
    let rows: Vec<u64> = heavy.iter().map(|row| u64::from(row.count_ones())).collect();
    let mut best = None;
    order(heavy, &points, &points, rows, &mut best);
    best.map_or(Vec::new(), |(_, rows)| rows)
}

fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// Refines the colours of rows by those of their partitions and back, and where rows stay alike tries
/// each of them as the first.
fn order(
    heavy: &[u16],
    light: &[u64],
    start: &[u64],
    mut rows: Vec<u64>,
    best: &mut Option<(Vec<u64>, Vec<u16>)>,
) {
    let n = start.len();
    let mut points = start.to_vec();
    let mut distinct = 0;
    loop {
        points = (0..n)
            .map(|i| {
                let sum = heavy
                    .iter()
                    .zip(&rows)
                    .filter(|(row, _)| **row >> i & 1 == 1)
                    .fold(0_u64, |sum, (_, &colour)| sum.wrapping_add(mix(colour)));
                mix(points[i].wrapping_mul(31).wrapping_add(sum))
            })
            .collect();
        rows = heavy
            .iter()
            .zip(&rows)
            .map(|(row, &colour)| {
                let sum = (0..n)
                    .filter(|i| row >> i & 1 == 1)
                    .fold(0_u64, |sum, i| sum.wrapping_add(mix(points[i])));
                mix(colour.wrapping_mul(37).wrapping_add(sum))
            })
            .collect();
        let count = rows.iter().collect::<HashSet<_>>().len();
        if count == distinct {
            break;
        }
        distinct = count;
    }
    // The colour whose rows are not all equal, the smallest.
    let mut colours = rows.clone();
    colours.sort_unstable();
    colours.dedup();
    for colour in colours {
        let mut members: Vec<usize> = (0..rows.len()).filter(|&j| rows[j] == colour).collect();
        members.sort_by_key(|&j| heavy[j]);
        members.dedup_by_key(|j| heavy[*j]);
        if members.len() > 1 {
            for member in members {
                let mut chosen = rows.clone();
                for j in 0..rows.len() {
                    if rows[j] == colour && heavy[j] == heavy[member] {
                        chosen[j] = mix(colour ^ 0x9e37_79b9_7f4a_7c15);
                    }
                }
                order(heavy, light, &points, chosen, best);
            }
            return;
        }
    }
    // Rows in the order of load and colour; then the partitions by what holds them.
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by_key(|&j| (heavy[j].count_ones(), rows[j]));
    let mut columns: Vec<(u64, u64)> = (0..n)
        .map(|i| {
            let held = places.iter().fold(0_u64, |held, &j| held << 1 | u64::from(heavy[j] >> i & 1));
            (light[i], held)
        })
        .collect();
    columns.sort_unstable_by(|a, b| b.cmp(a));
    let key: Vec<u64> = columns.iter().map(|&(light, held)| light << 32 | held).collect();
    if best.as_ref().is_none_or(|(least, _)| key < *least) {
        let row = |bit: usize| {
            columns
                .iter()
                .enumerate()
                .fold(0_u16, |row, (i, (_, held))| row | ((held >> bit & 1) as u16) << i)
        };
        *best = Some((key, (0..places.len()).rev().map(row).collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Names do not matter to the canonical form, and it is one of the family's own.
        #[test]
        fn the_canonical_form_forgets_names(
            rows in prop::collection::vec(1_u16..127, 1..6),
            order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
            turn in 0..6_usize,
        ) {
            let mut rows = rows;
            rows.sort_by_key(|row| row.count_ones());
            let mut renamed: Vec<u16> = rows
                .iter()
                .map(|row| (0..7).filter(|i| row >> i & 1 == 1).fold(0, |to, i| to | 1 << order[i]))
                .collect();
            let turn = turn % renamed.len();
            renamed.rotate_left(turn);
            renamed.sort_by_key(|row| row.count_ones());
            let form = canonical(7, &[], &rows);
            prop_assert_eq!(&form, &canonical(7, &[], &renamed));
            prop_assert_eq!(&form, &canonical(7, &[], &form));
            // The same wins: how many messages win how many rows.
            let wins = |rows: &[u16]| {
                let mut counts = vec![0; rows.len() + 1];
                for message in (0..128_u16).filter(|m| m.count_ones() == 3) {
                    counts[rows.iter().filter(|&row| 2 * (row & message).count_ones() > row.count_ones()).count()] += 1;
                }
                counts
            };
            prop_assert_eq!(wins(&form), wins(&rows));
        }
    }

    #[test]
    fn tight_messages_are_those_that_win_the_budget() {
        let messages = Messages::new(7);
        let rows = [0b1, 0b111, 0b1_1100, 0b111_1110, 0];
        let all: Vec<u16> = (0..128_u16).filter(|m| m.count_ones() == 3).collect();
        for budget in 0..=4 {
            let tight = messages.tight(&rows, budget);
            for (x, message) in all.iter().enumerate() {
                let won =
                    rows.iter().filter(|&row| 2 * (row & message).count_ones() >= row.count_ones()).count();
                assert_eq!(tight[x / 64] >> (x % 64) & 1 == 1, won >= budget, "budget {budget}, {message:b}");
            }
        }
    }
}
