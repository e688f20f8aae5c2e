//! The margin enumerator: how many messages of each weight turn how many workers.
//!
//! It is to majority voting over an allocation matrix what the weight enumerator is to a linear code:
//! every error probability under independent sign errors can be read off it.
//!
//! # References
//! F. J. MacWilliams and N. J. A. Sloane, *The Theory of Error-Correcting Codes*, 1977, chapter 5: weight enumerators.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::cell::{Cell, majority_of_weight};
use super::reduce::Reduced;
use super::{enumeration, transfer};
use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::Control;

/// How an enumerator was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// All messages, 512 at a time.
    Enumeration,
    /// Dynamic programming over the matrix's components.
    Structure,
}

impl How {
    /// The name for people and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enumeration => "enumeration",
            Self::Structure => "structure",
        }
    }
}

/// Why there is no exact enumerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncountable {
    /// Too many messages after merging, and no small components.
    #[error("too many messages to count them all, and no structure that would merge them")]
    TooMany,
    /// The control said stop.
    #[error("stopped before all messages were counted")]
    Stopped,
}

/// For each weight v, how many messages of weight v leave how many workers above half and tied.
///
/// ```
/// use ecode_analysis::{Cell, enumerate};
/// use ecode_core::{AllocationMatrix, TieRule};
/// use ecode_verify::Control;
/// // Three workers that hold all of three partitions vote alike.
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let enumerator = enumerate(&g, &Control::default())?;
/// assert_eq!(enumerator.count(1, Cell { above: 0, tied: 0 }), 3_u32.into());
/// assert_eq!(enumerator.count(2, Cell { above: 3, tied: 0 }), 3_u32.into());
/// assert_eq!(enumerator.radius(TieRule::Adversarial), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumerator {
    n: usize,
    k: usize,
    /// By weight, 0 to k.
    counts: Vec<BTreeMap<Cell, BigUint>>,
    how: How,
}

/// For each weight, how many messages leave which margin, and how many turn how many workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Margins {
    /// A[v][(w, s)]: messages of weight v on which exactly w workers are wrong and s silent.
    pub wrong: Vec<BTreeMap<(usize, usize), BigUint>>,
    /// Messages of any weight by their margin.
    pub margins: BTreeMap<i64, BigUint>,
}

impl Enumerator {
    /// From the counts for the weights up to half; the complement of a message swaps above and below.
    pub(super) fn from_half(reduced: &Reduced, half: Vec<BTreeMap<Cell, BigUint>>, how: How) -> Self {
        let (n, k) = (reduced.n, reduced.k);
        let mut counts = vec![BTreeMap::new(); k + 1];
        for (v, cells) in half.into_iter().enumerate() {
            let always = reduced.empty + if 2 * v == k { reduced.full } else { 0 };
            for (Cell { above, tied }, count) in cells {
                let tied = tied + always;
                if 2 * v < k {
                    counts[k - v].insert(Cell { above: n - above - tied, tied }, count.clone());
                }
                counts[v].insert(Cell { above, tied }, count);
            }
        }
        Self { n, k, counts, how }
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The number of partitions.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// How it was counted.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }

    /// The cells that messages of this weight fall into, with their counts (all above zero).
    pub fn cells(&self, weight: usize) -> impl Iterator<Item = (Cell, &BigUint)> {
        self.counts.get(weight).into_iter().flatten().map(|(&cell, count)| (cell, count))
    }

    /// How many messages of this weight fall into this cell.
    #[must_use]
    pub fn count(&self, weight: usize, cell: Cell) -> BigUint {
        self.counts.get(weight).and_then(|cells| cells.get(&cell)).cloned().unwrap_or_default()
    }

    /// The margin enumerator under a tie rule.
    #[must_use]
    pub fn margins(&self, ties: TieRule) -> Margins {
        let mut all = Margins { wrong: vec![BTreeMap::new(); self.k + 1], margins: BTreeMap::new() };
        for (v, cells) in self.counts.iter().enumerate() {
            let correct = majority_of_weight(self.k, v);
            for (cell, count) in cells {
                let (right, silent) = cell.votes(self.n, ties, correct);
                *all.wrong[v].entry((self.n - right - silent, silent)).or_default() += count;
                *all.margins.entry(cell.margin(self.n, ties, correct)).or_default() += count;
            }
        }
        all
    }

    /// The largest b that the code tolerates; none where some message is decoded wrong without liars.
    #[must_use]
    pub fn radius(&self, ties: TieRule) -> Option<usize> {
        let margins = self.margins(ties).margins;
        margins.keys().next().and_then(|&smallest| usize::try_from(smallest).ok())
    }

    /// Whether the counts of every weight add up to C(k, v), as they must.
    #[cfg(test)]
    pub(super) fn is_complete(&self) -> bool {
        let all = ecode_verify::binomials(self.k);
        self.counts.iter().zip(all).all(|(cells, all)| cells.values().sum::<BigUint>() == all)
    }
}

/// Up to this many choices nothing is tried before they are enumerated.
const ENUMERATED_FIRST: u128 = 1 << 24;
/// Up to this many choices are enumerated where there is no structure: minutes.
const MOST_ENUMERATED: u128 = 1 << 38;

/// Counts all 2^k messages.
///
/// # Errors
/// [`Uncountable`]: too many of them, or stopped.
pub fn enumerate(g: &AllocationMatrix, control: &Control) -> Result<Enumerator, Uncountable> {
    let reduced = Reduced::new(g);
    let choices = reduced.choices();
    let enumerable = choices <= MOST_ENUMERATED && enumeration::suits(&reduced);
    let counted = |half, how| Enumerator::from_half(&reduced, half, how);
    if !(enumerable && choices <= ENUMERATED_FIRST) {
        if control.stopped() {
            return Err(Uncountable::Stopped);
        }
        // A trial that costs a fraction of the enumeration, where there is one.
        let most = if enumerable { (choices >> 14) as usize } else { transfer::MOST_TERMS };
        let most = most.clamp(1 << 12, transfer::MOST_TERMS);
        if let Some(half) = transfer::count(&reduced, most, control) {
            return Ok(counted(half, How::Structure));
        }
    }
    if control.stopped() {
        return Err(Uncountable::Stopped);
    }
    if !enumerable {
        return Err(Uncountable::TooMany);
    }
    enumeration::count(&reduced, control)
        .map(|half| counted(half, How::Enumeration))
        .ok_or(Uncountable::Stopped)
}

/// Counts with one method, `None` where it does not get through.
#[cfg(test)]
pub(super) fn enumerate_by(g: &AllocationMatrix, how: How) -> Option<Enumerator> {
    let reduced = Reduced::new(g);
    let control = Control::default();
    let half = match how {
        How::Enumeration => enumeration::count(&reduced, &control),
        How::Structure => transfer::count(&reduced, transfer::MOST_TERMS, &control),
    };
    Some(Enumerator::from_half(&reduced, half?, how))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::{Message, majority};
    use ecode_design::construct::{algorithm1, cyclic};

    /// Both ways count what the definition counts, on shapes from empty to full rows.
    #[test]
    fn both_ways_equal_the_definition() {
        let mut state = 7_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..300 {
            let (n, k) = (1 + (random() % 9) as usize, 1 + (random() % 10) as usize);
            let dense = random() % 11;
            let alike = 1 + random() % 3;
            let mut rows = Vec::new();
            for j in 0..n {
                let row: Vec<bool> = (0..k).map(|_| random() % 10 < dense).collect();
                let copy = j > 0 && random() % (alike + 1) == 0;
                rows.push(if copy { Vec::clone(&rows[j - 1]) } else { row });
            }
            let Ok(g) = AllocationMatrix::from_rows(&rows) else { continue };
            let mut expected = vec![BTreeMap::<Cell, BigUint>::new(); k + 1];
            for bits in 0_u32..1 << k {
                let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                let sees = |j: usize| (2 * g.ones_seen(j, &message)).cmp(&g.worker_load(j));
                let above = (0..n).filter(|&j| sees(j).is_gt()).count();
                let tied = (0..n).filter(|&j| sees(j).is_eq()).count();
                assert_eq!(majority(&message), majority_of_weight(k, message.count()));
                *expected[message.count()].entry(Cell { above, tied }).or_default() += 1_u32;
            }
            for how in [How::Enumeration, How::Structure] {
                let Some(counted) = enumerate_by(&g, how) else { panic!("small") };
                assert_eq!(counted.counts, expected, "{how:?} {g:?}");
                assert!(counted.is_complete());
            }
        }
    }

    /// Where no definition reaches, both ways still agree: merged columns, ties, many outer classes.
    #[test]
    fn both_ways_agree_on_larger_codes() {
        let rows = |rows: &[&[usize]], k: usize| AllocationMatrix::from_supports(k, rows);
        let wheel: Vec<Vec<usize>> = (0..21).map(|j| (0..4).map(|i| (j + i) % 21).collect()).collect();
        let codes = [
            algorithm1(21, 2).ok(),
            algorithm1(23, 5).ok(),
            algorithm1(25, 1).ok(),
            cyclic(22, 3).ok(),
            AllocationMatrix::from_supports(21, &wheel).ok(),
            rows(&[&[0, 1], &[1, 2, 3, 4], &[], &[5, 6, 7, 8, 9, 10]], 24).ok(),
        ];
        for g in codes.into_iter().flatten() {
            let [listed, counted] = [How::Enumeration, How::Structure].map(|how| enumerate_by(&g, how));
            let (Some(listed), Some(counted)) = (listed, counted) else { panic!("{g:?}") };
            assert_eq!(listed.counts, counted.counts, "{g:?}");
            assert!(listed.is_complete());
        }
    }

    /// 2^201 messages, each counted once, and the radius that the theorem gives.
    #[test]
    fn algorithm_1_is_exact_for_201_workers() {
        for b in [1, 5, 20] {
            let Ok(g) = algorithm1(201, b) else { panic!("n is odd") };
            let Ok(counted) = enumerate(&g, &Control::default()) else { panic!("small components") };
            assert_eq!((counted.how(), counted.is_complete()), (How::Structure, true));
            assert_eq!(counted.radius(TieRule::Adversarial), Some(b));
            assert_eq!(
                counted.margins(TieRule::Zero).margins.values().sum::<BigUint>(),
                BigUint::from(1_u32) << 201
            );
        }
    }
}
