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

use std::collections::HashMap;

use super::exhaustive::Plan;
use super::order::{self, Component, narrow_order};
use super::reduce::{Side, sides};
use super::{Control, Engine, Finding, Goal, Unsuitable};
use ecode_core::{AllocationMatrix, Outcome, TieRule};

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

/// States of one place from which on dynamic programming is asked whether it will end ([`Outlook`]).
const DOUBTFUL: usize = 1 << 14;
/// States may turn out to be so many times fewer than foreseen.
const HOPE: u128 = 1 << 8;
/// States below which dynamic programming is always worth trying.
const FEW_STATES: u128 = 1 << 12;
/// An enumerated choice costs so much less than a state of the dynamic program.
const CHOICES_PER_STATE: u128 = 1 << 11;
impl super::engine::Sealed for Structure {}

impl Engine for Structure {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn suits(&self, _: &AllocationMatrix, _: TieRule) -> Result<(), Unsuitable> {
        Ok(())
    }

    fn examine_from(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        _: Goal,
        _: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        control.begin(0);
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        for side in sides(g, ties) {
            let Some(solved) = self.solve(&side, control) else { return Finding::default() };
            finding.evaluated += solved.evaluated;
            floor = floor.min(side.margin(side.constant + solved.loss));
            let outcome = Outcome::of(g, ties, &side.message(&solved.counts));
            let key = |o: &Outcome| (o.margin, g.n() - o.wrong.count());
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
        let states = (all / CHOICES_PER_STATE).min(self.most_states).max(FEW_STATES);
        let mut profile = match by_states(side, component, (states as usize, self.most_bytes), control) {
            Ok(profile) => profile,
            Err(_) if all > self.most_choices => return None,
            Err(_) => by_enumeration(side, component, control)?,
        };
        profile.rise();
        Some(profile)
    }
}

/// How many choices the components have that must be enumerated, where there are several: what taking them
/// apart costs at most.
pub(super) fn apart(side: &Side) -> Option<u128> {
    let components = components(side);
    let choices = |component: &Component| {
        let sizes = component.classes.iter().map(|&class| side.classes[class].len());
        sizes.fold(1_u128, |all, size| all.saturating_mul(size as u128 + 1))
    };
    (components.len() > 1).then(|| components.iter().map(choices).fold(0, u128::saturating_add))
}

/// The components that have a voter, by their first class.
fn components(side: &Side) -> Vec<Component> {
    let holders: Vec<Vec<usize>> = (0..side.classes.len())
        .map(|class| (0..side.voters.len()).filter(|&voter| side.voters[voter].holds[class]).collect())
        .collect();
    let mut components = order::components(&holders, side.voters.len());
    components.retain(|component| !component.voters.is_empty());
    components
}

/// What x partitions of a component can do.
#[derive(Clone, Debug, Default)]
struct Choice {
    loss: usize,
    /// How many of each of the component's classes; x in all, or fewer.
    counts: Vec<u16>,
}

/// The best choice for each number of partitions spent; the losses never fall.
struct Profile {
    choices: Vec<Choice>,
    evaluated: u128,
}

impl Profile {
    /// Fills in what more spending cannot improve.
    fn rise(&mut self) {
        for x in 1..self.choices.len() {
            if self.choices[x].loss < self.choices[x - 1].loss {
                self.choices[x] = self.choices[x - 1].clone();
            }
        }
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

/// A voter that is forgotten: it has what it needs, or can no longer get it.
const CLOSED: u16 = u16::MAX;

/// What is left to do after some classes: the spending, and each open voter's need.
type State = Box<[u16]>;

/// How a state was reached: from which state of the place before, by how many of the class.
struct Step {
    from: u32,
    count: u16,
    loss: u32,
}

/// Whether the dynamic program may still end within its bound on states, where as many were kept as
/// there are choices: where no two choices were alike yet, nothing says that others will be before a
/// voter has all its classes behind it.
struct Outlook {
    /// The states of the last place.
    states: usize,
    /// The choices of the classes so far.
    choices: u128,
    /// The choices of the classes that come before any open voter has its last one.
    coming: u128,
    /// The most states there can be: what the open voters may need, and what may be spent.
    room: u128,
}

impl Outlook {
    /// From the sizes of the classes to come, and the most that each number in a state can be.
    fn new(
        states: usize,
        choices: u128,
        coming: impl Iterator<Item = usize>,
        numbers: impl Iterator<Item = usize>,
    ) -> Self {
        let product = |all: u128, most: usize| all.saturating_mul(most as u128 + 1);
        Self { states, choices, coming: coming.fold(1, product), room: numbers.fold(1, product) }
    }

    /// Whether far more than `most` states are to come.
    fn hopeless(&self, most: usize) -> bool {
        let foreseen = (self.states as u128).saturating_mul(self.coming).min(self.room);
        self.states >= DOUBTFUL
            && self.choices <= 2 * self.states as u128
            && foreseen > HOPE.saturating_mul(most as u128)
    }
}

/// The dynamic program. The states kept so far, where it would keep more than `most` of them (or that is
/// to be expected), or has to stop.
fn by_states(
    side: &Side,
    component: &Component,
    (most, most_bytes): (usize, usize),
    control: &Control,
) -> Result<Profile, u128> {
    let Some(order) = order(side, component, control) else { return Err(0) };
    let size_of = |place: usize| side.classes[component.classes[order[place]]].len();
    let holds = |voter: usize, place: usize| side.voters[voter].holds[component.classes[order[place]]];
    let budget = side.weight;

    // Each voter's last place, and how many partitions it holds beyond a place.
    let (last, mut beyond) = horizons(&component.voters, order.len(), &holds, &size_of);
    let mut open: Vec<usize> = Vec::new();
    let mut layer: Vec<State> = vec![Box::new([0])];
    let mut steps: Vec<Vec<Step>> = vec![vec![Step { from: 0, count: 0, loss: 0 }]];
    let mut kept = 1;
    let mut choices = 1_u128;
    for place in 0..order.len() {
        let size = size_of(place);
        choices = choices.saturating_mul(size as u128 + 1);
        // The voters that open here, then those that were open, and which of all stay so.
        let opening: Vec<usize> = component
            .voters
            .iter()
            .copied()
            .filter(|voter| holds(*voter, place) && !open.contains(voter))
            .collect();
        let mut known = open.clone();
        known.extend(&opening);
        for &voter in &known {
            if holds(voter, place)
                && let Some(rest) = beyond.get_mut(&voter)
            {
                *rest -= size;
            }
        }
        let rules: Vec<Rule> = known
            .iter()
            .enumerate()
            .map(|(slot, voter)| Rule {
                slot: (slot < open.len()).then_some(slot + 1),
                needed: side.voters[*voter].needed,
                units: side.voters[*voter].units,
                holds: holds(*voter, place),
                beyond: beyond[voter],
                stays: last[voter] > place,
            })
            .collect();
        // A new state is kept twice for the time being, each time with a box, a place in a list and a step.
        let (before, after) = (2 * open.len() + 48, 4 * rules.iter().filter(|rule| rule.stays).count() + 128);
        let room = most_bytes.saturating_sub(layer.len() * before) / after;
        let mut index: HashMap<State, u32> = HashMap::new();
        let mut next: Vec<State> = Vec::new();
        let mut reached: Vec<Step> = Vec::new();
        for (from, state) in layer.iter().enumerate() {
            if from % 1024 == 0 && control.stopped() {
                return Err((kept + reached.len()) as u128);
            }
            let before = steps[place][from].loss;
            for count in 0..=size.min(budget - usize::from(state[0])) {
                let mut loss = before;
                let mut after = Vec::with_capacity(rules.len() + 1);
                after.push(state[0] + count as u16);
                for rule in &rules {
                    let need = rule.slot.map_or(rule.needed, |slot| usize::from(state[slot]));
                    let need = rule.after(need, count, &mut loss);
                    if rule.stays {
                        after.push(need);
                    }
                }
                let step = Step { from: from as u32, count: count as u16, loss };
                match index.entry(after.into_boxed_slice()) {
                    std::collections::hash_map::Entry::Occupied(known) => {
                        let known = &mut reached[*known.get() as usize];
                        if step.loss > known.loss {
                            *known = step;
                        }
                    }
                    std::collections::hash_map::Entry::Vacant(new) => {
                        next.push(new.key().clone());
                        new.insert(reached.len() as u32);
                        reached.push(step);
                        if kept + reached.len() > most || reached.len() > room {
                            return Err((kept + reached.len()) as u128);
                        }
                    }
                }
            }
        }
        open = known.into_iter().filter(|voter| last[voter] > place).collect();
        (layer, reached) = undominated(next, reached);
        kept += reached.len();
        steps.push(reached);
        if layer.len() >= DOUBTFUL {
            let first = open.iter().map(|voter| last[voter]).min().unwrap_or(place);
            let needs = open.iter().map(|&voter| side.voters[voter].needed);
            let outlook =
                Outlook::new(layer.len(), choices, (place + 1..first).map(size_of), needs.chain([budget]));
            if outlook.hopeless(most) {
                return Err(kept as u128);
            }
        }
    }

    let size: usize = (0..order.len()).map(size_of).sum();
    let choices = traced(&order, &layer, &steps, size.min(budget));
    Ok(Profile { choices, evaluated: kept as u128 })
}

/// Each voter's last place of `places`, and how many partitions it holds in all of them.
fn horizons(
    voters: &[usize],
    places: usize,
    holds: &dyn Fn(usize, usize) -> bool,
    size_of: &dyn Fn(usize) -> usize,
) -> (HashMap<usize, usize>, HashMap<usize, usize>) {
    let mut last = HashMap::new();
    let mut beyond: HashMap<usize, usize> = HashMap::new();
    for &voter in voters {
        for place in (0..places).filter(|&place| holds(voter, place)) {
            last.insert(voter, place);
            *beyond.entry(voter).or_default() += size_of(place);
        }
    }
    (last, beyond)
}

/// The choice behind each spending up to `most`. Nobody is open at the end: one state a spending.
fn traced(order: &[usize], ends: &[State], steps: &[Vec<Step>], most: usize) -> Vec<Choice> {
    let mut choices = vec![Choice { loss: 0, counts: vec![0; order.len()] }; most + 1];
    for (end, state) in ends.iter().enumerate() {
        let choice = &mut choices[usize::from(state[0])];
        choice.loss = steps[order.len()][end].loss as usize;
        let mut at = end;
        for place in (0..order.len()).rev() {
            let step = &steps[place + 1][at];
            choice.counts[order[place]] = step.count;
            at = step.from as usize;
        }
    }
    choices
}

/// Leaves out every state that another one with the same needs makes useless: spent no more and lost
/// as much. The profile's losses never fall with the spending, so none of them changes.
fn undominated(states: Vec<State>, steps: Vec<Step>) -> (Vec<State>, Vec<Step>) {
    let mut both: Vec<(State, Step)> = states.into_iter().zip(steps).collect();
    both.sort_unstable_by(|(a, _), (b, _)| (&a[1..], a[0]).cmp(&(&b[1..], b[0])));
    let mut kept: Vec<(State, Step)> = Vec::with_capacity(both.len());
    for (state, step) in both {
        let useless =
            kept.last().is_some_and(|(other, better)| other[1..] == state[1..] && better.loss >= step.loss);
        if !useless {
            kept.push((state, step));
        }
    }
    kept.into_iter().unzip()
}

/// What a class does to one voter that is open.
struct Rule {
    /// Where the voter's need stands in the state; `None` when it opens here.
    slot: Option<usize>,
    needed: usize,
    units: usize,
    holds: bool,
    /// How many partitions it holds in later classes.
    beyond: usize,
    /// Whether it is open afterwards.
    stays: bool,
}

impl Rule {
    /// The need after `count` of the class are chosen; counts the voter's units when it is turned.
    fn after(&self, need: usize, count: usize, loss: &mut u32) -> u16 {
        if need == usize::from(CLOSED) {
            return CLOSED;
        }
        let need = if self.holds { need.saturating_sub(count) } else { need };
        if need == 0 {
            *loss += self.units as u32;
            CLOSED
        } else if need > self.beyond {
            CLOSED
        } else {
            need as u16
        }
    }
}

/// An order of the component's classes (as places in its list) that keeps few voters open.
fn order(side: &Side, component: &Component, control: &Control) -> Option<Vec<usize>> {
    let holders: Vec<Vec<usize>> = component
        .classes
        .iter()
        .map(|&class| {
            (0..component.voters.len()).filter(|&v| side.voters[component.voters[v]].holds[class]).collect()
        })
        .collect();
    narrow_order(&holders, component.voters.len(), control)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(dense.hopeless(1 << 22));
        assert!(!Outlook { coming: 1 << 10, ..dense }.hopeless(1 << 22));
        assert!(!Outlook { room: 1 << 30, ..dense }.hopeless(1 << 22));
        assert!(!Outlook { choices: 1 << 17, ..dense }.hopeless(1 << 22));
        assert!(!Outlook { states: 1 << 13, ..dense }.hopeless(1 << 22));
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
