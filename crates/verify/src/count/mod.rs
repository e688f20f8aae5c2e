//! Every message that matters, counted by its margin, in an order from which parts can be cut.
//!
//! # The order
//! The deciding sides one after the other, that of the answer 0 first. On a side the classes of partitions
//! ([`Side::classes`]) are put in the order of their sizes, the largest first, among equals the one with the
//! lowest partition first. A *choice* is a vector of counts, one a class; the choices whose counts add up to the
//! side's weight stand in lexicographic order. A choice's place in this list is its *rank*. It stands for
//! Π C(size, count) messages, of which [`Side::message`] is one.
//!
//! # What is promised
//! - The order depends on the matrix and the tie rule alone: neither on the number of threads or parts nor
//!   on how fast anything is. Parts of different runs fit together when their ranks do.
//! - [`Enumeration::count`] counts each choice of its range once, times the messages that it stands for. The
//!   counts are integers of any size. The worst message is the first of those with the smallest margin.
//!
//! # How
//! As in [`super::exhaustive`]: the last classes are *inner*, their count vectors stand in a table, and a
//! choice of the others picks one row a voter. Where a range begins or ends between the choices of one such
//! table scan, these are counted one by one.

mod rank;
mod walk;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use num_bigint::{BigInt, BigUint};
use rayon::prelude::*;

use rank::Ranked;
pub use rank::binomials;
use walk::{Best, Counted, SidePlan, Walk};

use crate::exhaustive::Exhaustive;
use crate::instance::Instance;

use crate::control::Control;
use crate::engine::{Engine as _, Unsuitable};
use ecode_core::{AllocationMatrix, Message, Outcome, TieRule};

/// The first chunk's choices; the next ones take as long as they should.
const FIRST_CHUNK: u64 = 1 << 20;
/// A chunk is cut into so many tasks a thread, so that no thread waits long for the last one.
const TASKS: u64 = 8;

/// How many messages of each side leave which margin, and one with the smallest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// For each deciding side: margin → messages, all above zero.
    pub margins: Vec<BTreeMap<i64, BigUint>>,
    /// The first message, in the order of the ranks, with the smallest margin; `None` where nothing was counted.
    pub worst: Option<Outcome>,
}

impl Count {
    /// Nothing counted yet, for so many sides.
    #[must_use]
    pub fn none(sides: usize) -> Self {
        Self { margins: vec![BTreeMap::new(); sides], worst: None }
    }

    /// Adds what was counted further on in the order.
    pub fn add(&mut self, later: Self) {
        for (sum, more) in self.margins.iter_mut().zip(later.margins) {
            for (margin, messages) in more {
                *sum.entry(margin).or_default() += messages;
            }
        }
        let smaller = |new: &Outcome| self.worst.as_ref().is_none_or(|old| new.margin < old.margin);
        if later.worst.as_ref().is_some_and(smaller) {
            self.worst = later.worst;
        }
    }
}

/// All messages that decide a claim, in a fixed order.
///
/// ```
/// use std::time::Duration;
/// use ecode_core::TieRule;
/// use ecode_verify::{Control, Enumeration};
/// let g = ecode_design::construct::algorithm1(9, 2)?;
/// let all = Enumeration::new(&g, TieRule::Adversarial)?;
/// // C(9,4) messages, 12 of them really different.
/// assert_eq!((all.total(), &all.messages(0..12)[0]), (12, &126_u32.into()));
/// let mut save = |_, _: &_| Ok(());
/// let (end, count) = all.count(0..12, all.nothing(), &Control::default(), Duration::MAX, &mut save)?;
/// assert_eq!((end, count.worst.map(|worst| worst.margin)), (12, Some(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Enumeration {
    matrix: AllocationMatrix,
    ties: TieRule,
    /// How many partitions are chosen, where that is fixed.
    weight: Option<usize>,
    sides: Vec<Ranked>,
}

impl Enumeration {
    /// Lists what there is to count.
    ///
    /// # Errors
    /// [`Unsuitable`] where there are more than 2^63 choices.
    pub fn new(g: &AllocationMatrix, ties: TieRule) -> Result<Self, Unsuitable> {
        Self::of(Instance::new(g, ties))
    }

    /// Lists what there is to count of any instance.
    ///
    /// # Errors
    /// [`Unsuitable`] where there are more than 2^63 choices.
    pub fn of(instance: Instance<'_>) -> Result<Self, Unsuitable> {
        Exhaustive.suits(instance)?;
        let mut ranked: Vec<Ranked> = Vec::new();
        for side in instance.sides() {
            let start = ranked.last().map_or(0, Ranked::end);
            ranked.push(Ranked::new(side, start));
        }
        let (matrix, ties) = (instance.matrix.clone(), instance.ties);
        Ok(Self { matrix, ties, weight: instance.weight(), sides: ranked })
    }

    fn instance(&self) -> Instance<'_> {
        match self.weight {
            None => Instance::new(&self.matrix, self.ties),
            Some(weight) => Instance::of_weight(&self.matrix, weight),
        }
    }

    /// Counts one message by the definitions.
    pub(super) fn outcome(&self, message: &Message) -> Outcome {
        self.instance().outcome(message)
    }

    /// How many choices there are; ranks are below this.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sides.last().map_or(0, Ranked::end)
    }

    /// μ on each deciding side, in the order of the ranks.
    #[must_use]
    pub fn sides(&self) -> Vec<bool> {
        self.sides.iter().map(|ranked| ranked.side.correct).collect()
    }

    /// A count of nothing.
    #[must_use]
    pub fn nothing(&self) -> Count {
        Count::none(self.sides.len())
    }

    /// The ranks of shard `index` of `of`: all shards together cover everything once, and their sizes differ by at most one.
    ///
    /// # Panics
    /// When `index` is not below `of`.
    #[must_use]
    pub fn shard(&self, index: u64, of: u64) -> Range<u64> {
        assert!(index < of, "shard {index} of {of}");
        let cut = |index: u64| (u128::from(self.total()) * u128::from(index) / u128::from(of)) as u64;
        cut(index)..cut(index + 1)
    }

    /// How many messages of each side the choices of a range stand for.
    #[must_use]
    pub fn messages(&self, range: Range<u64>) -> Vec<BigUint> {
        let count = |ranked: &Ranked| {
            let own = ranked.own(&range);
            ranked.messages_before(own.end) - ranked.messages_before(own.start)
        };
        self.sides.iter().map(count).collect()
    }

    /// The losses ([`Side`]) of all messages of each side together, worked out one worker at a time instead of
    /// one message at a time: what a count must add up to.
    pub(super) fn losses(&self) -> Vec<BigUint> {
        let losses = |ranked: &Ranked| {
            let side = &ranked.side;
            let mut alike: BTreeMap<(usize, usize), usize> = BTreeMap::new();
            for voter in &side.voters {
                let held = side.classes.iter().zip(&voter.holds).filter(|&(_, &holds)| holds);
                *alike.entry((held.map(|(class, _)| class.len()).sum(), voter.needed)).or_default() +=
                    voter.units;
            }
            let turned = alike.into_iter().map(|((load, needed), units)| {
                let (own, other) = (binomials(load), binomials(self.matrix.k() - load));
                // The rest of the choice lies outside the row.
                let seen = needed.max((side.weight + 1).saturating_sub(other.len()))..=load.min(side.weight);
                seen.map(|seen| &own[seen] * &other[side.weight - seen]).sum::<BigUint>() * units
            });
            turned.sum::<BigUint>() + &ranked.messages[0][side.weight] * side.constant
        };
        self.sides.iter().map(losses).collect()
    }

    /// The same for what was counted; `None` where margins do not tell it.
    pub(super) fn counted_losses(&self, margins: &[BTreeMap<i64, BigUint>]) -> Vec<Option<BigInt>> {
        let losses = |(ranked, margins): (&Ranked, &BTreeMap<i64, BigUint>)| {
            let each = |(&margin, messages): (&i64, &BigUint)| {
                Some(BigInt::from(messages.clone()) * ranked.side.loss_of_margin(margin)?)
            };
            margins.iter().map(each).sum()
        };
        self.sides.iter().zip(margins).map(losses).collect()
    }

    /// The rank of the choice that a message belongs to; `None` for a message that no side counts.
    #[must_use]
    pub fn rank(&self, message: &Message) -> Option<u64> {
        if message.len() != self.matrix.k() {
            return None;
        }
        self.sides.iter().find_map(|ranked| {
            let side = &ranked.side;
            let chosen =
                |class: &Vec<usize>| class.iter().filter(|&&i| message.contains(i) != side.correct).count();
            let counts: Vec<usize> = side.classes.iter().map(chosen).collect();
            let own = self.weight.is_some() || ecode_core::majority(message) == side.correct;
            let counted = own && counts.iter().sum::<usize>() == side.weight;
            counted.then(|| ranked.start + ranked.rank(&counts))
        })
    }

    /// Counts a range, on top of what is `known` of the ranks before it, and says how far it came: to the end, or
    /// less far where the control said stop. `save` is called with this every now and then, at the latest
    /// when `every` and the time of one chunk (half of `every`, at most a second) have passed, and at the end.
    ///
    /// # Errors
    /// Those of `save`.
    pub fn count(
        &self,
        range: Range<u64>,
        so_far: Count,
        control: &Control,
        every: Duration,
        save: &mut dyn FnMut(u64, &Count) -> std::io::Result<()>,
    ) -> std::io::Result<(u64, Count)> {
        let plans: Vec<SidePlan> = self.sides.iter().map(SidePlan::new).collect();
        let wanted = (every / 2).min(Duration::from_secs(1)).as_secs_f64().max(1e-3);
        let (mut at, mut count, mut size) = (range.start, so_far, FIRST_CHUNK);
        let mut saved = Instant::now();
        while at < range.end {
            let begun = Instant::now();
            let chunk = at..range.end.min(at.saturating_add(size));
            let Some(more) = self.chunk(&plans, &chunk, control) else { break };
            count.add(more);
            at = chunk.end;
            // At most four times as much as before: a short chunk says little.
            let pace = (wanted / begun.elapsed().as_secs_f64().max(1e-6)).clamp(0.25, 4.0);
            size = ((size as f64 * pace) as u64).max(FIRST_CHUNK >> 6);
            if at < range.end && saved.elapsed() >= every {
                save(at, &count)?;
                saved = Instant::now();
            }
        }
        save(at, &count)?;
        Ok((at, count))
    }

    /// Counts a range in one go; `None` where the control said stop.
    fn chunk(&self, plans: &[SidePlan], range: &Range<u64>, control: &Control) -> Option<Count> {
        let mut count = self.nothing();
        for (place, plan) in plans.iter().enumerate() {
            let own = plan.ranked.own(range);
            let tasks = u64::from(u32::try_from(rayon::current_num_threads()).unwrap_or(1)) * TASKS;
            let width = own.end - own.start;
            let mut cuts: Vec<u64> = (0..=tasks)
                .map(|i| own.start + (u128::from(width) * u128::from(i) / u128::from(tasks)) as u64)
                .collect();
            for cut in &mut cuts[1..tasks as usize] {
                // Between two tasks no table scan is cut in two.
                *cut =
                    plan.ranked.first_alike((*cut).min(own.end.saturating_sub(1)), plan.depth).max(own.start);
            }
            let ranges: Vec<Range<u64>> =
                cuts.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty()).collect();
            let done: Vec<Option<Counted>> =
                ranges.into_par_iter().map(|range| Walk::count(plan, range, control)).collect();
            let mut best: Option<Best> = None;
            for counted in done {
                let counted = counted?;
                for (cell, messages) in counted.cells.into_iter().enumerate() {
                    if messages != BigUint::ZERO {
                        *count.margins[place].entry(plan.margins[cell]).or_default() += messages;
                    }
                }
                if let Some(new) = counted.best
                    && best.as_ref().is_none_or(|old| new.margin < old.margin)
                {
                    best = Some(new);
                }
            }
            if let Some(best) = best
                && count.worst.as_ref().is_none_or(|worst| best.margin < worst.margin)
            {
                let message = plan.ranked.side.message(&plan.find(&best));
                count.worst = Some(self.instance().outcome(&message));
            }
        }
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_design::construct::{algorithm1, cyclic};

    fn counted(all: &Enumeration, range: Range<u64>) -> Count {
        let mut save = |_, _: &Count| Ok(());
        let end = range.end;
        let done = all.count(range, all.nothing(), &Control::default(), Duration::MAX, &mut save);
        let Ok((reached, count)) = done else { panic!("nothing fails to be saved") };
        assert_eq!(reached, end);
        count
    }

    /// Margins by the definitions, over all messages of the sides' weights.
    fn defined(g: &AllocationMatrix, ties: TieRule) -> Vec<BTreeMap<i64, BigUint>> {
        let k = g.k();
        crate::reduce::sides(g, ties)
            .iter()
            .map(|side| {
                let mut margins = BTreeMap::new();
                let ones = if side.correct { k - side.weight } else { side.weight };
                for bits in (0_u32..1 << k).filter(|bits| bits.count_ones() as usize == ones) {
                    let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                    *margins.entry(Outcome::of(g, ties, &message).margin).or_default() += 1_u32;
                }
                margins
            })
            .collect()
    }

    fn random() -> impl FnMut() -> u64 {
        let mut state = 7_u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    /// Whole, and in parts cut anywhere: the same counts as the definitions', the same worst message.
    #[test]
    fn counts_are_those_of_the_definitions_in_one_part_or_many() {
        let mut random = random();
        for round in 0..300 {
            let (n, k) = (1 + (random() % 9) as usize, 1 + (random() % 11) as usize);
            let (dense, alike) = (random() % 11, 1 + random() % 3);
            let mut rows: Vec<Vec<bool>> = Vec::new();
            for j in 0..n {
                let row = (0..k).map(|i| random() % 10 < dense || (i > 0 && i as u64 % alike > 0)).collect();
                let copy = j > 0 && random() % (alike + 1) == 0;
                rows.push(if copy { rows[j - 1].clone() } else { row });
            }
            let Ok(g) = AllocationMatrix::from_rows(&rows) else { panic!("sizes") };
            for ties in TieRule::ALL {
                let Ok(all) = Enumeration::new(&g, ties) else { panic!("small") };
                let whole = counted(&all, 0..all.total());
                assert_eq!(whole.margins, defined(&g, ties), "round {round}, {ties}, {g:?}");
                let smallest = whole.margins.iter().filter_map(|margins| margins.keys().next()).min();
                assert_eq!(whole.worst.as_ref().map(|worst| &worst.margin), smallest);

                let mut cuts: Vec<u64> = (0..3).map(|_| random() % (all.total() + 1)).collect();
                cuts.extend([0, all.total()]);
                cuts.sort_unstable();
                let mut sum = all.nothing();
                for cut in cuts.windows(2) {
                    let range = cut[0]..cut[1];
                    let part = counted(&all, range.clone());
                    let messages: Vec<BigUint> =
                        part.margins.iter().map(|margins| margins.values().sum()).collect();
                    assert_eq!(messages, all.messages(range.clone()));
                    if let Some(worst) = &part.worst {
                        assert!(all.rank(&worst.message).is_some_and(|rank| range.contains(&rank)));
                    }
                    sum.add(part);
                }
                assert_eq!(sum, whole, "{cuts:?}");
            }
        }
    }

    /// Codes with many outer classes, of equal and of different sizes: the engine's worst case, and every message.
    #[test]
    fn larger_codes_are_counted_whole_and_in_shards() {
        let mut random = random();
        let dense = AllocationMatrix::from_fn(23, 23, |_, _| random() % 2 == 0);
        let wheel: Vec<Vec<usize>> = (0..22).map(|j| (0..4).map(|i| (j + i) % 22).collect()).collect();
        let codes = [
            dense.ok(),
            algorithm1(25, 1).ok(),
            algorithm1(301, 1).ok().filter(|g| Exhaustive.suits(Instance::new(g, TieRule::Zero)).is_ok()),
            cyclic(22, 3).ok(),
            AllocationMatrix::from_supports(22, &wheel).ok(),
            AllocationMatrix::from_supports(200, &[(0..90).collect::<Vec<_>>(), (50..199).collect()]).ok(),
        ];
        for g in codes.into_iter().flatten() {
            for ties in [TieRule::Adversarial, TieRule::Abstain] {
                let Ok(all) = Enumeration::new(&g, ties) else { panic!("fits") };
                let found = Exhaustive.examine(&g, ties, crate::engine::Goal::Radius, &Control::default());
                let whole = counted(&all, 0..all.total());
                assert_eq!(whole.worst.as_ref().map(|worst| worst.margin), found.floor);
                let mut sum = all.nothing();
                for index in 0..7 {
                    sum.add(counted(&all, all.shard(index, 7)));
                }
                assert_eq!(sum, whole);
                let messages: Vec<BigUint> =
                    whole.margins.iter().map(|margins| margins.values().sum()).collect();
                assert_eq!(messages, all.messages(0..all.total()));
            }
        }
    }

    #[test]
    fn what_was_counted_before_a_stop_is_kept() {
        let Ok(g) = algorithm1(21, 2) else { panic!("n is odd") };
        let Ok(all) = Enumeration::new(&g, TieRule::Zero) else { panic!("small") };
        let half = counted(&all, 0..5);
        let control = Control::default();
        control.stop();
        let mut saved = Vec::new();
        let mut save = |at, count: &Count| {
            saved.push((at, count.clone()));
            Ok(())
        };
        let Ok((at, count)) = all.count(5..all.total(), half.clone(), &control, Duration::ZERO, &mut save)
        else {
            panic!("saved")
        };
        assert_eq!((at, &count), (5, &half));
        assert_eq!(saved, [(5, half)]);
    }
}
