//! Checks the premises of the gluing theorem (docs/theory/lighter.md) on a matrix.
//!
//! # What is promised
//! `Ok` means that every premise of the theorem holds for the entries of the matrix, so that it tolerates b under
//! every tie rule. How the partitions are cut into parts may come from anywhere: a wrong cut can only make a premise
//! fail. `ecode_verify` checks the same premises with code of its own; nothing is shared.
//!
//! # In short
//! n = k is odd and t = (n − 1)/2. t − b workers hold one partition each, all different; the other partitions are U. Every
//! other row has odd load and lies in U, or is full. U is cut into parts P, one after the other; a row belongs to
//! the last part that it touches, and its partitions of the parts before (which together are V) are its old ones. With
//! W(L, c) the number of P's rows of which L ⊆ P and any c old partitions hold the majority, P is valid when
//! W(L, c) ≤ max(0, |L| + c − b) for c < b, and W(L, c) ≤ |L| for c ≥ b, wherever |L| + c ≤ t.

use std::collections::BTreeMap;

use super::budget::{Budget, Stopped};
use super::certificate::GluedPart;
use super::outcome::Refused;
use ecode_core::AllocationMatrix;

/// Why a premise is not shown.
enum Fails {
    Premise(String),
    Stopped,
}

impl From<Stopped> for Fails {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

fn fails<T>(what: impl Into<String>) -> Result<T, Fails> {
    Err(Fails::Premise(what.into()))
}

/// Checks every premise for this cut, and returns how many choices of points were looked at.
///
/// # Errors
/// [`Refused::Invalid`] with the first premise that does not hold.
pub(crate) fn premises(
    g: &AllocationMatrix,
    b: usize,
    parts: &[GluedPart],
    budget: &Budget,
) -> Result<u64, Refused> {
    shaped(g, b, parts, budget).map_err(|fails| match fails {
        Fails::Premise(what) => Refused::Invalid(format!("gluing: {what}")),
        Fails::Stopped => Refused::Stopped,
    })
}

/// A row over the points of U, which are numbered part after part.
type Row = Vec<usize>;

fn shaped(g: &AllocationMatrix, b: usize, parts: &[GluedPart], budget: &Budget) -> Result<u64, Fails> {
    let n = g.n();
    if g.k() != n || n % 2 == 0 {
        return fails("the theorem needs as many partitions as workers, an odd number");
    }
    let t = (n - 1) / 2;
    if !(1..=t).contains(&b) {
        return fails(format!("the theorem needs 1 ≤ b ≤ {t}"));
    }
    let rows: Vec<Row> = (0..n).map(|j| g.support(j).collect()).collect();
    if let Some(j) = rows.iter().position(|row| row.len() % 2 == 0) {
        return fails(format!("worker {j} holds an even number of partitions"));
    }
    let mut alone: Vec<usize> = rows.iter().filter(|row| row.len() == 1).map(|row| row[0]).collect();
    if alone.len() != t - b {
        return fails(format!("{} workers hold one partition, not t − b = {}", alone.len(), t - b));
    }
    alone.sort_unstable();
    if alone.windows(2).any(|pair| pair[0] == pair[1]) {
        return fails("two workers hold the same single partition");
    }
    // Each partition of U in order: its point.
    let inside: Vec<usize> = (0..n).filter(|i| alone.binary_search(i).is_err()).collect();
    let points: usize = parts.iter().map(GluedPart::points).sum();
    if points != inside.len() {
        return fails(format!("the parts have {points} points, but there are {}", inside.len()));
    }
    let mut local = Vec::new();
    for (j, row) in rows.iter().enumerate().filter(|(_, row)| row.len() > 1 && row.len() < n) {
        let placed: Result<Row, usize> = row.iter().map(|i| inside.binary_search(i)).collect();
        match placed {
            Ok(placed) => local.push(placed),
            Err(_) => return fails(format!("worker {j} holds a partition that another worker holds alone")),
        }
    }
    valid(parts, &local, b, t, budget)
}

/// Whether the rows, over the points of all parts, win at most max(0, |K| − b) with any K of at most t points.
fn valid(parts: &[GluedPart], rows: &[Row], b: usize, t: usize, budget: &Budget) -> Result<u64, Fails> {
    let mut choices = 0;
    let mut before = 0;
    for part in parts {
        let behind = before + part.points();
        // The rows whose last point lies in the part, as (points of the part, number of old points).
        let mut own: Vec<(Row, usize)> = Vec::new();
        for row in rows {
            if row.iter().max().is_some_and(|last| (before..behind).contains(last)) {
                let new: Row = row.iter().filter(|&&i| i >= before).map(|&i| i - before).collect();
                own.push((new.clone(), row.len() - new.len()));
            }
        }
        choices += match part {
            GluedPart::Enumerated(points) => {
                let mut choice = Choice { rows: &own, before, b, t, budget, count: 0 };
                choice.every(&alike(*points, &own), 0, &mut vec![0; own.len()])?;
                choice.count
            }
            GluedPart::Counted(points) => heavy(*points, &own, b)?,
            GluedPart::Lemma(inner) => {
                let family = over_the_whole(part.points(), before, &own, b)?;
                valid(inner, &family, b, t, budget)?
            }
        };
        before = behind;
    }
    Ok(choices)
}

/// Points that the same rows hold are alike: for each kind of points, how many there are, and those rows.
fn alike(points: usize, rows: &[(Row, usize)]) -> Vec<(usize, Vec<usize>)> {
    let mut kinds: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for point in 0..points {
        let holders = (0..rows.len()).filter(|&row| rows[row].0.contains(&point)).collect();
        *kinds.entry(holders).or_default() += 1;
    }
    kinds.into_iter().map(|(holders, size)| (size, holders)).collect()
}

/// The choices of L ⊆ P, one for all that are alike.
struct Choice<'a> {
    rows: &'a [(Row, usize)],
    before: usize,
    b: usize,
    t: usize,
    budget: &'a Budget<'a>,
    count: u64,
}

impl Choice<'_> {
    /// Every number of points of each kind; `inside` points of the kinds before were chosen, of which each row has
    /// `seen`.
    fn every(
        &mut self,
        kinds: &[(usize, Vec<usize>)],
        inside: usize,
        seen: &mut [usize],
    ) -> Result<(), Fails> {
        let Some(((size, holders), rest)) = kinds.split_first() else { return self.look(inside, seen) };
        // More than t points are never chosen.
        let most = (*size).min(self.t - inside);
        for chosen in 0..=most {
            self.every(rest, inside + chosen, seen)?;
            if chosen < most {
                holders.iter().for_each(|&row| seen[row] += 1);
            }
        }
        holders.iter().for_each(|&row| seen[row] -= most);
        Ok(())
    }

    /// Whether these points win few enough rows, with any number of old ones.
    fn look(&mut self, inside: usize, seen: &[usize]) -> Result<(), Fails> {
        self.budget.spend(self.rows.len() * (self.b + 2))?;
        self.count += 1;
        let most = self.before.min(self.t - inside);
        // From b old points on the limit is the same, and more points win more.
        let numbers = (0..self.b.min(most + 1)).chain((most >= self.b).then_some(most));
        for old in numbers {
            let wins =
                |((new, of), seen): &(&(Row, usize), &usize)| 2 * (**seen + old.min(*of)) > new.len() + of;
            let won = self.rows.iter().zip(seen).filter(wins).count();
            let allowed = if old < self.b { (inside + old).saturating_sub(self.b) } else { inside };
            if won > allowed {
                return fails(format!(
                    "{inside} points of a part and {old} old ones win {won} rows, but may win {allowed}"
                ));
            }
        }
        Ok(())
    }
}

/// The lemma of counting: all rows lie in the part, and the i-th lightest, from 0, has a load of at least 2(b + i) + 1.
fn heavy(points: usize, rows: &[(Row, usize)], b: usize) -> Result<u64, Fails> {
    let mut loads: Vec<usize> = rows.iter().map(|(new, _)| new.len()).collect();
    loads.sort_unstable();
    if rows.iter().any(|&(_, old)| old > 0) || (0..).zip(&loads).any(|(i, &load)| load < 2 * (b + i) + 1) {
        return fails(format!("a part of {points} points has rows too light to be counted"));
    }
    Ok(1)
}

/// The lemma of b rows over a whole part of m ≥ 2b points: they have m + 1 − 2i old points, i = 1, …, b, of at least
/// m − 1; the others, at most m − 2b, lie inside and are returned.
fn over_the_whole(m: usize, before: usize, rows: &[(Row, usize)], b: usize) -> Result<Vec<Row>, Fails> {
    let (over, within): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, old)| *old > 0);
    let mut old: Vec<usize> = over.iter().map(|(_, old)| *old).collect();
    old.sort_unstable();
    old.reverse();
    let formed = m >= 2 * b
        && before + 1 >= m
        && over.iter().all(|(new, _)| new.len() == m)
        && old.iter().copied().eq((1..=b).map(|i| m + 1 - 2 * i));
    if !formed || within.len() > m - 2 * b {
        return fails(format!("a part of {m} points is not of the lemma's form"));
    }
    Ok(within.into_iter().map(|(new, _)| new.clone()).collect())
}
