//! Matrices that fall apart: workers that share no partition, however indirectly, are looked at apart.
//!
//! # How
//! Voters and classes of a [`Side`] form a graph; its connected components know nothing of each other.
//! For every component the *profile* says how large a loss x chosen partitions can cause in it, for
//! every x, and the profiles are combined by (max, +) convolution: the best way to spend the side's
//! weight. Inside a component the profile comes from whichever is cheaper:
//!
//! - Dynamic programming over the classes in an order that keeps few voters *open* (some of their
//!   classes decided, some not). A state is what the open voters still need and how much was spent; a
//!   voter that has what it needs is counted at once, one that can no longer get it is forgotten, so
//!   that states which differ in nothing that matters are one.
//! - Enumeration of the component alone, one weight at a time, by the exhaustive engine's walk.
//!
//! # What is promised
//! The floor is exact: both ways cover every choice of the component. Where neither fits its budget the
//! engine gives up and says so: it proves nothing and returns no floor. The answer does not depend on
//! the number of threads, nor on the order in which rows and columns arrive, but for which of several
//! worst messages is shown.

mod components;
mod profile;
mod states;

use crate::control::Control;
use crate::engine::{Engine, Finding, Goal, Unsuitable};
use crate::exhaustive::Plan;
use crate::instance::Instance;
use crate::order::Component;
use crate::reduce::Side;
pub(crate) use components::apart;
use components::components;
use ecode_core::Outcome;
use profile::{Choice, Profile};
use states::by_states;

/// The engine that takes components apart, with what it may spend on each of them.
#[derive(Clone, Copy, Debug)]
pub struct Structure {
    /// The most states that dynamic programming keeps over all classes of a component.
    pub most_states: u128,
    /// The most bytes that the states of two neighbouring places take, with what finds them.
    pub most_bytes: usize,
    /// The most choices of a component that are enumerated.
    pub most_choices: u128,
}

impl Default for Structure {
    /// Some hundred megabytes of states; some minutes of enumeration on two cores.
    fn default() -> Self {
        Self { most_states: 1 << 22, most_bytes: 768 << 20, most_choices: 1 << 41 }
    }
}

/// States below which dynamic programming is always worth trying.
const MIN_STATES: u128 = 1 << 12;
/// An enumerated choice costs so much less than a state of the dynamic program.
const CHOICES_PER_STATE: u128 = 1 << 11;

impl crate::engine::Sealed for Structure {}

impl Engine for Structure {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn suits(&self, _: Instance<'_>) -> Result<(), Unsuitable> {
        Ok(())
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        _: Goal,
        _: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        control.begin(0);
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        if control.stopped() {
            return finding;
        }
        for side in instance.sides() {
            let Some(solved) = self.solve(&side, control) else { return Finding::default() };
            finding.evaluated += solved.evaluated;
            floor = floor.min(side.margin(side.constant + solved.loss));
            let outcome = instance.outcome(&side.message(&solved.counts));
            let key = |o: &Outcome| (o.margin, o.wrong.len() - o.wrong.count());
            if finding.worst.as_ref().is_none_or(|worst| key(&outcome) < key(worst)) {
                finding.worst = Some(outcome);
            }
        }
        finding.floor = Some(floor);
        finding
    }
}

/// The best choice of a side: its loss beside the constant, and how many of each class it takes.
struct Solved {
    loss: usize,
    counts: Vec<usize>,
    evaluated: u128,
}

impl Structure {
    fn solve(&self, side: &Side, control: &Control) -> Option<Solved> {
        if control.stopped() {
            return None;
        }
        let budget = side.weight;
        let mut evaluated = 0;
        let mut profiles = Vec::new();
        for component in components(side) {
            let profile = self.profile(side, &component, control)?;
            evaluated += profile.evaluated;
            profiles.push((component, profile));
        }
        // best[x]: the largest loss of x spent on the components so far; spent[i][x]: what of it goes to i.
        let mut best = vec![0_usize; budget + 1];
        let mut spent = Vec::with_capacity(profiles.len());
        let mut most = 0;
        for (_, profile) in &profiles {
            let choices = &profile.choices;
            most = (most + choices.len() - 1).min(budget);
            let mut next = vec![0; budget + 1];
            let mut here = vec![0_u16; budget + 1];
            for x in 0..=budget {
                for (y, choice) in choices.iter().enumerate().take(x + 1) {
                    // best[] beyond what the earlier components can take equals its last useful entry.
                    let loss = best[x - y] + choice.loss;
                    if loss > next[x] {
                        next[x] = loss;
                        here[x] = y as u16;
                    }
                }
            }
            best = next;
            spent.push(here);
        }
        let mut counts = vec![0; side.classes.len()];
        let mut left = budget;
        for ((component, profile), here) in profiles.iter().zip(&spent).rev() {
            let y = usize::from(here[left]);
            left -= y;
            for (&class, &count) in component.classes.iter().zip(&profile.choices[y].counts) {
                counts[class] = usize::from(count);
            }
        }
        // What is left over turns nobody back: spend it anywhere.
        let mut left = budget - counts.iter().sum::<usize>();
        for (count, class) in counts.iter_mut().zip(&side.classes) {
            let more = left.min(class.len() - *count);
            *count += more;
            left -= more;
        }
        Some(Solved { loss: best[budget], counts, evaluated })
    }

    fn profile(&self, side: &Side, component: &Component, control: &Control) -> Option<Profile> {
        let sizes = component.classes.iter().map(|&class| side.classes[class].len());
        let all = sizes.fold(1_u128, |all, size| all.saturating_mul(size as u128 + 1));
        let states = (all / CHOICES_PER_STATE).min(self.most_states).max(MIN_STATES);
        let mut profile = match by_states(side, component, (states as usize, self.most_bytes), control) {
            Ok(profile) => profile,
            Err(_) if all > self.most_choices => return None,
            Err(_) => by_enumeration(side, component, control)?,
        };
        profile.rise();
        Some(profile)
    }
}

fn by_enumeration(side: &Side, component: &Component, control: &Control) -> Option<Profile> {
    let size: usize = component.classes.iter().map(|&class| side.classes[class].len()).sum();
    let mut choices = Vec::new();
    let mut evaluated = 0;
    for weight in 0..=size.min(side.weight) {
        let part = side.part(&component.classes, &component.voters, weight);
        let scanned = Plan::new(&part).run(control);
        if !scanned.complete {
            return None;
        }
        evaluated += scanned.choices;
        let counts = scanned.counts?;
        let loss = part.loss(&counts);
        choices.push(Choice { loss, counts: counts.into_iter().map(|count| count as u16).collect() });
    }
    Some(Profile { choices, evaluated })
}

#[cfg(test)]
mod tests {
    use super::states::Outlook;
    use super::*;
    use crate::reduce::sides;
    use ecode_core::{AllocationMatrix, TieRule};
    use ecode_design::construct::{Bernoulli, algorithm1, bernoulli};

    /// Both ways to a profile give the same losses, on components of every kind.
    #[test]
    fn states_and_enumeration_agree() {
        let mut state = 1_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..200 {
            let (n, k) = (1 + (random() % 9) as usize, 1 + (random() % 11) as usize);
            let dense = 1 + random() % 9;
            let Ok(g) = AllocationMatrix::from_fn(n, k, |_, _| random() % 10 < dense) else { continue };
            for ties in TieRule::ALL {
                for side in sides(&g, ties) {
                    for component in components(&side) {
                        let control = Control::default();
                        let states = by_states(&side, &component, (1 << 20, usize::MAX), &control);
                        let listed = by_enumeration(&side, &component, &control);
                        let losses = |profile: Option<Profile>| -> Option<Vec<usize>> {
                            let mut profile = profile?;
                            profile.rise();
                            Some(profile.choices.iter().map(|choice| choice.loss).collect())
                        };
                        assert_eq!(losses(states.ok()), losses(listed), "{g:?} {ties:?}");
                    }
                }
            }
        }
    }

    /// Where no two choices are alike for long, the dynamic program gives up far below its bound.
    #[test]
    fn dense_matrices_are_given_up_soon() {
        for seed in 0..3 {
            let how = Bernoulli { n: 41, k: 41, p: 0.5, seed, draw: 0, redraw_empty: false, odd_rows: true };
            let Ok(g) = bernoulli(how) else { panic!("41 x 41 is a size") };
            let side = &sides(&g, TieRule::Adversarial)[0];
            let most = Structure::default().most_states as usize;
            let kept = by_states(side, &components(side)[0], (most, usize::MAX), &Control::default()).err();
            assert!(kept.is_some_and(|kept| kept < most as u128 / 64), "{kept:?} states, seed {seed}");
        }
    }

    /// States that are as many as the choices are no reason to give up where voters soon close, or where
    /// what the open ones need leaves room for few.
    #[test]
    fn hope_is_not_given_up_too_soon() {
        let dense = Outlook { states: 1 << 14, choices: 1 << 14, coming: 1 << 20, room: u128::MAX };
        assert!(dense.too_many(1 << 22));
        assert!(!Outlook { coming: 1 << 10, ..dense }.too_many(1 << 22));
        assert!(!Outlook { room: 1 << 30, ..dense }.too_many(1 << 22));
        assert!(!Outlook { choices: 1 << 17, ..dense }.too_many(1 << 22));
        assert!(!Outlook { states: 1 << 13, ..dense }.too_many(1 << 22));
    }

    /// Algorithm 1's chain has few open workers, in whatever order its rows and columns arrive.
    #[test]
    fn a_shuffled_chain_stays_narrow() {
        let Ok(g) = algorithm1(201, 5) else { panic!("n is odd") };
        let shuffled = |n: usize, step: usize| (0..n).map(|i| i * step % n).collect::<Vec<_>>();
        let Ok(g) = g.permuted(&shuffled(201, 50), &shuffled(201, 77)) else { panic!("permutations") };
        let finding =
            Structure::default().examine(&g, TieRule::Adversarial, Goal::Radius, &Control::default());
        assert_eq!(finding.floor, Some(5));
        assert!(finding.evaluated < 200_000, "{} states", finding.evaluated);
    }
}
