//! Matrices with symmetries: of choices that a symmetry maps to each other one is looked at.
//!
//! # How
//! Let O₁, O₂, … be the orbits of the classes under symmetries of the [`Side`]. A choice that takes a partition of
//! a class in O₁ is mapped by some symmetry to one that takes a partition of the first class of O₁, and the loss stays
//! the same. A choice that takes none of O₁, …, Oᵢ₋₁ but one of Oᵢ, likewise: symmetries map every orbit onto
//! itself. So it is enough to look, for each i, at the choices that take one of the first class of Oᵢ and none of O₁, …,
//! Oᵢ₋₁. That is a smaller side, with one partition less to choose, and is cut the same way, by symmetries of its own.
//! Where that gains nothing, or few choices are left, they are enumerated ([`super::exhaustive`]).
//!
//! # What is promised
//! The floor is exact. Symmetries are checked against all voters ([`group`]), and a part is left out only
//! where its voters' loads alone show that no choice in it is worse than one that was met.
//!
//! # References
//! Proposition 25 of docs/theory.md.

mod group;

use super::bound::most_loss;
use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::exhaustive::{MOST_CHOICES, Plan, unit};
use super::instance::Instance;
use super::local::LocalSearch;
use super::reduce::Side;
use ecode_core::{Message, Outcome};

/// The engine.
pub struct Symmetry;

/// So many choices are enumerated without looking for symmetries: milliseconds.
const FEW: u128 = 1 << 25;

impl super::engine::Sealed for Symmetry {}

impl Engine for Symmetry {
    fn name(&self) -> &'static str {
        "symmetry"
    }

    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable> {
        let choices = instance.sides().iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        if choices <= MOST_CHOICES {
            return Ok(());
        }
        Err(Unsuitable("'symmetry' takes matrices of at most 2^63 messages; try --method sat".to_owned()))
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        _: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        control.begin(0);
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        for side in instance.sides() {
            let start = start.filter(|start| start.correct == side.correct);
            let start = start
                .and_then(|start| side.counts(&start.message))
                .unwrap_or_else(|| LocalSearch::default().search(&side, i64::MAX, control));
            let mut walk = Walk { few: FEW, best: side.loss(&start), chosen: None, evaluated: 0, control };
            let complete = walk.part(&side, &[]).is_some();
            finding.evaluated += walk.evaluated;
            let message = match &walk.chosen {
                None => side.message(&start),
                Some(chosen) => {
                    let chosen = Message::from_indices(instance.matrix.k(), chosen.iter().copied());
                    if side.correct { chosen.complement() } else { chosen }
                }
            };
            finding.keep_worse(instance.outcome(&message));
            if !complete {
                finding.messages = 0;
                return finding;
            }
            finding.messages = finding.messages.saturating_add(side.messages());
            floor = floor.min(side.margin(walk.best));
        }
        finding.floor = Some(floor);
        finding
    }
}

/// Whether symmetries leave at most half of the choices.
pub(super) fn worthwhile(side: &Side, control: &Control) -> bool {
    group::orbits(side, control).is_some_and(|orbits| gains(side, &orbits))
}

/// Whether cutting by these orbits leaves at most half of the choices.
fn gains(side: &Side, orbits: &[Vec<usize>]) -> bool {
    let parts = (0..orbits.len()).map(|place| taking(side, orbits, place).choices());
    side.weight > 0 && 2 * parts.fold(0, u128::saturating_add) <= side.choices()
}

/// The choices that take one of the first class of an orbit, and none of the orbits before it.
fn taking(side: &Side, orbits: &[Vec<usize>], place: usize) -> Side {
    let excluded: Vec<usize> = orbits[..place].iter().flatten().copied().collect();
    side.taking(orbits[place][0], &excluded)
}

/// A walk over the parts of one side.
struct Walk<'a> {
    few: u128,
    /// The largest loss met.
    best: usize,
    /// The partitions of a choice with it, where it is not the one that was known at the start.
    chosen: Option<Vec<usize>>,
    evaluated: u128,
    control: &'a Control,
}

impl Walk<'_> {
    /// Looks at all choices of a part that also takes the partitions `fixed`; `None` where the control said stop.
    fn part(&mut self, side: &Side, fixed: &[usize]) -> Option<()> {
        if self.control.stopped() {
            return None;
        }
        if side.choices() == 0 || most_loss(side) <= self.best {
            return Some(());
        }
        if side.choices() > self.few {
            let orbits = group::orbits(side, self.control)?;
            if gains(side, &orbits) {
                for place in 0..orbits.len() {
                    let first = side.classes[orbits[place][0]][0];
                    self.part(&taking(side, &orbits, place), &[fixed, &[first]].concat())?;
                }
                return Some(());
            }
        }
        // In units beyond the constant: a choice below that is no better than what is known.
        let reached = (self.best as i64 - side.constant as i64).div_euclid(unit(side) as i64);
        let scanned = Plan::new(side).run_above(reached, self.control);
        self.evaluated += scanned.choices;
        if let Some(counts) = &scanned.counts
            && side.loss(counts) > self.best
        {
            self.best = side.loss(counts);
            let chosen = side.classes.iter().zip(counts).flat_map(|(class, &count)| &class[..count]);
            self.chosen = Some(fixed.iter().chain(chosen).copied().collect());
        }
        scanned.complete.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::{AllocationMatrix, TieRule};
    use ecode_design::construct::{Bernoulli, algorithm1, bernoulli, cyclic, mols, ramanujan, repetition};

    /// With symmetries looked for in the smallest parts too, the largest loss is that of the enumeration.
    #[test]
    fn cutting_by_orbits_loses_no_choice() {
        let random = |draw| {
            let how = Bernoulli { n: 9, k: 8, p: 0.4, seed: 5, draw, redraw_empty: false, odd_rows: false };
            bernoulli(how).ok()
        };
        let named = [
            cyclic(11, 3).ok(),
            cyclic(12, 4).ok(),
            algorithm1(11, 2).ok(),
            repetition(12, 3).ok(),
            mols(4, 3).ok().map(|g| g.transposed()),
            ramanujan(2, 5).ok().map(|g| g.transposed()),
            AllocationMatrix::from_fn(3, 7, |j, i| (i + j) % 7 > 2).ok(),
        ];
        let mut cut = 0;
        for g in named.into_iter().chain((0..40).map(random)).flatten() {
            let weights = (0..=g.k()).map(|weight| Instance::of_weight(&g, weight));
            let ties = TieRule::ALL.map(|ties| Instance::new(&g, ties));
            for side in weights.chain(ties).flat_map(|instance| instance.sides()) {
                let control = Control::default();
                let Some(counts) = Plan::new(&side).run(&control).counts else { panic!("there is a choice") };
                let most = side.loss(&counts);
                // From nothing, from just below, and from the answer itself.
                for reached in [0, most.saturating_sub(1), most] {
                    let mut walk =
                        Walk { few: 0, best: reached, chosen: None, evaluated: 0, control: &control };
                    assert_eq!(walk.part(&side, &[]), Some(()));
                    assert_eq!(walk.best, most, "{g:?} {side:?}");
                    cut += usize::from(walk.evaluated < side.choices());
                    if let Some(chosen) = walk.chosen {
                        let count = |class: &Vec<usize>| class.iter().filter(|i| chosen.contains(i)).count();
                        let counts: Vec<usize> = side.classes.iter().map(count).collect();
                        assert_eq!((chosen.len(), side.loss(&counts)), (side.weight, most));
                    }
                }
            }
        }
        assert!(cut > 300, "{cut}");
    }
}
