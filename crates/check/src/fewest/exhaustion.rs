//! Exhaustion: families of rows, closed under adding one more row, of which none becomes a code with few ones.
//!
//! # What is checked
//! By Lemma 10 of docs/theory/bounds.md a tolerant code with the fewest ones has rows of odd load or of load 0, at most t − b of
//! them lighter than 3. For every choice of these light rows the file lists *families*: rows of load 3 to n − 2, lightest
//! first. Here each family that a code with too few ones could begin with is shown to be listed, and none to be such a
//! code (docs/theory/exhaustion.md, Proposition 49):
//!
//! - the family without rows is listed, or what it costs leaves no room;
//! - with each further row a listed family is a listed one again but for the names of partitions and of rows, or a message
//!   of weight t wins more than t − b rows, or there is no room;
//! - full rows in the place of all that a listed family lacks are too many ones.
//!
//! There is no room where some partition cannot come to 2b + 1 workers (Theorem 6), or where the messages with j partitions
//! in S win, in all, more rows than t − b each (Theorem 12, one j at a time).

use std::collections::HashSet;

use super::label::Label;
use super::messages::{Messages, many};
use super::{AcceptedBound, BoundCertificate};
use crate::budget::Budget;
use crate::options::Options;
use crate::outcome::{Refused, invalid};

/// Messages are gone through one by one: C(15, 7) = 6435 of them.
const MOST: usize = 15;

/// No completion has so few wins.
const NONE: u64 = u64::MAX;

/// Checks a certificate whose rule is exhaustion.
pub(super) fn exhausted(certificate: &BoundCertificate, options: Options) -> Result<AcceptedBound, Refused> {
    let BoundCertificate { n, b, ones, .. } = *certificate;
    if !(3..=MOST).contains(&n) || b == 0 || ones == 0 || ones > n * n {
        return invalid(format!(
            "exhaustion is checked for 3 ≤ n ≤ {MOST}, b ≥ 1 and 1 to n² ones, not for n = {n}, b = {b} and {ones} ones"
        ));
    }
    let budget = Budget::new(options.stopped);
    let messages = Messages::new(n);
    let cases = light_rows(n / 2 - b);
    let mut used = 0;
    let mut rows = 0;
    for (empty, singles) in &cases {
        let mut sets = certificate.closed.iter().filter(|set| (set.empty, &set.singles) == (*empty, singles));
        let families = sets.next().map_or(&[][..], |set| &set.families);
        if sets.next().is_some() {
            return invalid(format!("the light rows {empty} and {singles:?} are there twice"));
        }
        used += usize::from(!families.is_empty());
        let case = Case::new(certificate, &messages, *empty, singles);
        let checked = case.map_or(Ok(0), |case| case.closed(families, &budget));
        rows += checked.map_err(|refused| match refused {
            Refused::Invalid(why) => {
                Refused::Invalid(format!("{empty} empty rows and {singles:?} of load 1: {why}"))
            }
            other => other,
        })?;
    }
    if used != certificate.closed.len() {
        return invalid("some light rows are none of such a code, or are listed without families");
    }
    let families: usize = certificate.closed.iter().map(|set| set.families.len()).sum();
    Ok(AcceptedBound {
        checked: vec![
            format!(
                "for each of {} choices of rows lighter than 3 (Lemma 10): all families are listed",
                cases.len()
            ),
            format!(
                "{families} families, and {rows} further rows: each gives a listed family, or lets a message win more than \
                 {} rows, or leaves no room below {ones} ones (Theorems 6 and 12)",
                n / 2 - b
            ),
        ],
    })
}

/// How many rows are empty, and how many hold nothing but each partition of S: at most so many rows in all, up to the names
/// of partitions.
fn light_rows(most: usize) -> Vec<(usize, Vec<usize>)> {
    fn extend(left: usize, singles: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        all.push(singles.clone());
        for more in 1..=left.min(singles.last().copied().unwrap_or(left)) {
            singles.push(more);
            extend(left - more, singles, all);
            singles.pop();
        }
    }
    let with = |empty: usize| {
        let mut all = Vec::new();
        extend(most - empty, &mut Vec::new(), &mut all);
        all.into_iter().map(move |singles| (empty, singles))
    };
    (0..=most).flat_map(with).collect()
}

/// One choice of light rows.
struct Case<'a> {
    n: usize,
    b: usize,
    messages: &'a Messages,
    singles: &'a [usize],
    light: Vec<u16>,
    /// Rows that are not light.
    heavy: usize,
    /// Ones that they have at most.
    ones: usize,
    /// By j.
    classes: Vec<Class>,
}

/// The messages with j partitions in S.
struct Class {
    messages: Vec<u64>,
    /// The wins that they may have in all.
    most: u64,
    /// Their wins of the light rows.
    light: u64,
    /// `least[load][rows][ones]`: their least wins of so many rows, none lighter than the load and with at most so many ones
    /// in all.
    least: Vec<Vec<Vec<u64>>>,
}

impl<'a> Case<'a> {
    /// `None` where the light rows alone have too many ones.
    fn new(
        certificate: &BoundCertificate,
        messages: &'a Messages,
        empty: usize,
        singles: &'a [usize],
    ) -> Option<Self> {
        let BoundCertificate { n, b, ones, .. } = *certificate;
        let single: usize = singles.iter().sum();
        let ones = (ones - 1).checked_sub(single)?;
        let heavy = n - empty - single;
        let mut light = vec![0; empty];
        for (i, &rows) in singles.iter().enumerate() {
            light.extend(std::iter::repeat_n(1 << i, rows));
        }
        let s = singles.len();
        let held = (1_u16 << s) - 1;
        let class = |j: usize| {
            let class = messages.those(|message| (message & held).count_ones() as usize == j);
            // Of the rows of a load, those with so many partitions in S win alike.
            let lightest = |load: usize| {
                let shares = load.saturating_sub(n - s)..=load.min(s);
                let row = |share: usize| ((1_u16 << share) - 1) | ((1_u16 << (load - share)) - 1) << s;
                shares.map(|share| messages.wins_among(row(share), &class)).min().unwrap_or(NONE)
            };
            let wins: Vec<(usize, u64)> =
                (3..n).step_by(2).map(|load| (load, lightest(load))).chain([(n, 0)]).collect();
            Class {
                most: many(&class) * (n / 2 - b) as u64,
                light: light.iter().map(|&row| messages.wins_among(row, &class)).sum(),
                least: (0..=n).map(|load| least(&wins, load, heavy, ones)).collect(),
                messages: class,
            }
        };
        let classes = (0..=s).map(class).collect();
        Some(Self { n, b, messages, singles, light, heavy, ones, classes })
    }

    /// Refuses unless the families are closed; returns how many further rows were looked at.
    fn closed(&self, families: &[Vec<u16>], budget: &Budget<'_>) -> Result<usize, Refused> {
        let label = Label::new(self.n, self.singles);
        let mut labels = HashSet::with_capacity(families.len());
        for (at, family) in families.iter().enumerate() {
            budget.spend(self.n * self.n * 64)?;
            if let Some(why) = self.is_none(family) {
                return invalid(format!("family {at}: {why}"));
            }
            labels.insert(label.of(family));
        }
        if !labels.contains(&Vec::new()) && self.has_room(&[]) {
            return invalid("the family without rows is not listed");
        }
        let mut rows = 0;
        for (at, family) in families.iter().enumerate() {
            let lacking = self.heavy - family.len();
            let held: usize = family.iter().map(|row| row.count_ones() as usize).sum();
            if held + self.n * lacking <= self.ones {
                return invalid(format!("family {at} with full rows beside it is a code with fewer ones"));
            }
            if lacking == 0 {
                continue;
            }
            let all = [&self.light[..], family].concat();
            let tight = self.messages.won_by(&all, self.n / 2 - self.b);
            budget.spend(all.len() * tight.len())?;
            for row in self.further(&all, family.last().map_or(3, |row| row.count_ones() as usize)) {
                rows += 1;
                budget.spend(tight.len() + 64)?;
                if self.messages.wins_one(row, &tight) {
                    continue;
                }
                let grown = [&family[..], &[row]].concat();
                budget.spend(self.n * self.n * 64)?;
                if self.has_room(&grown) && !labels.contains(&label.of(&grown)) {
                    return invalid(format!("family {at} with the row {} is not listed", shown(row)));
                }
            }
        }
        Ok(rows)
    }

    /// Why these rows are no family.
    fn is_none(&self, family: &[u16]) -> Option<&'static str> {
        let load = |row: &u16| row.count_ones() as usize;
        if family.len() > self.heavy {
            Some("it has too many rows")
        } else if family.iter().any(|row| u32::from(*row) >> self.n != 0) {
            Some("a row holds a partition that there is not")
        } else if family.iter().any(|row| load(row) % 2 == 0 || !(3..self.n).contains(&load(row))) {
            Some("a load is not odd, from 3 to n − 2")
        } else if !family.is_sorted_by_key(load) {
            Some("a row is lighter than the one before it")
        } else {
            None
        }
    }

    /// Every further row that is not lighter than `load` and not full, but for the names of partitions that the same rows hold.
    fn further(&self, rows: &[u16], load: usize) -> impl Iterator<Item = u16> + use<> {
        let holders = |i: usize| rows.iter().fold(0_u32, |held, row| held << 1 | u32::from(row >> i & 1));
        let holders: Vec<u32> = (0..self.n).map(holders).collect();
        let n = self.n;
        // Of like partitions it holds the first ones.
        let before: Vec<Option<usize>> =
            (0..n).map(|i| (0..i).rev().find(|&other| holders[other] == holders[i])).collect();
        (0..1_u16 << n).filter(move |row| {
            let ones = row.count_ones() as usize;
            ones % 2 == 1
                && (load..n).contains(&ones)
                && (0..n).all(|i| row >> i & 1 == 0 || before[i].is_none_or(|other| row >> other & 1 == 1))
        })
    }

    /// Whether a code with few ones may begin with this family, as far as two theorems say.
    fn has_room(&self, family: &[u16]) -> bool {
        let lacking = self.heavy - family.len();
        let held: usize = family.iter().map(|row| row.count_ones() as usize).sum();
        let Some(left) = self.ones.checked_sub(held) else { return false };
        let missing = (0..self.n).map(|i| {
            let single = self.singles.get(i).copied().unwrap_or(0);
            let holders = single + family.iter().filter(|&row| row >> i & 1 == 1).count();
            (2 * self.b + 1).saturating_sub(holders)
        });
        let (most, sum) = missing.fold((0, 0), |(most, sum), missing| (missing.max(most), sum + missing));
        let lightest = family.last().map_or(3, |row| row.count_ones() as usize);
        let fits = |class: &Class| {
            let spent: u64 = family.iter().map(|&row| self.messages.wins_among(row, &class.messages)).sum();
            let rest = class.least[lightest][lacking][left];
            rest != NONE && class.light + spent + rest <= class.most
        };
        most <= lacking && sum <= left && self.classes.iter().all(fits)
    }
}

/// The least wins of 0 to `most` rows none of which is lighter than `load`, with at most 0 to `ones` ones.
fn least(wins: &[(usize, u64)], load: usize, most: usize, ones: usize) -> Vec<Vec<u64>> {
    let mut table = vec![vec![0_u64; ones + 1]];
    for _ in 0..most {
        let last = &table[table.len() - 1];
        let with = |sum: usize| {
            let each = wins.iter().filter(|(of, _)| (load..=sum).contains(of));
            each.map(|&(of, wins)| last[sum - of].saturating_add(wins)).min().unwrap_or(NONE)
        };
        table.push((0..=ones).map(with).collect());
    }
    table
}

/// A row's partitions.
fn shown(row: u16) -> String {
    let held: Vec<String> = (0..16).filter(|i| row >> i & 1 == 1).map(|i: u32| i.to_string()).collect();
    format!("{{{}}}", held.join(", "))
}
