//! The dynamic program: a component's classes one after the other, states that differ in nothing merged.

use std::collections::HashMap;

use super::profile::{Choice, Profile};
use crate::control::Control;
use crate::order::{Component, narrow_order};
use crate::reduce::Side;

/// States of one place from which on dynamic programming is asked whether it will end ([`Outlook`]).
const FORECAST_FROM: usize = 1 << 14;
/// States may turn out to be so many times fewer than foreseen.
const OVERESTIMATE: u128 = 1 << 8;
/// A voter that is forgotten: it has what it needs, or can no longer get it.
pub(super) const CLOSED: u16 = u16::MAX;

/// What is left to do after some classes: the spending, and each open voter's need.
pub(super) type State = Box<[u16]>;

/// How a state was reached: from which state of the place before, by how many of the class.
pub(super) struct Step {
    pub(super) from: u32,
    pub(super) count: u16,
    pub(super) loss: u32,
}

/// Whether the dynamic program may still end within its bound on states, where as many were kept as
/// there are choices: where no two choices were alike yet, nothing says that others will be before a
/// voter has all its classes behind it.
pub(super) struct Outlook {
    /// The states of the last place.
    pub(super) states: usize,
    /// The choices of the classes so far.
    pub(super) choices: u128,
    /// The choices of the classes that come before any open voter has its last one.
    pub(super) coming: u128,
    /// The most states there can be: what the open voters may need, and what may be spent.
    pub(super) room: u128,
}

impl Outlook {
    /// From the sizes of the classes to come, and the most that each number in a state can be.
    pub(super) fn new(
        states: usize,
        choices: u128,
        coming: impl Iterator<Item = usize>,
        numbers: impl Iterator<Item = usize>,
    ) -> Self {
        let product = |all: u128, most: usize| all.saturating_mul(most as u128 + 1);
        Self { states, choices, coming: coming.fold(1, product), room: numbers.fold(1, product) }
    }

    /// Whether far more than `most` states are to come.
    pub(super) fn too_many(&self, most: usize) -> bool {
        let foreseen = (self.states as u128).saturating_mul(self.coming).min(self.room);
        self.states >= FORECAST_FROM
            && self.choices <= 2 * self.states as u128
            && foreseen > OVERESTIMATE.saturating_mul(most as u128)
    }
}

/// The dynamic program. The states kept so far, where it would keep more than `most` of them (or that is
/// to be expected), or has to stop.
pub(super) fn by_states(
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
        let mut active = open.clone();
        active.extend(&opening);
        for &voter in &active {
            if holds(voter, place)
                && let Some(rest) = beyond.get_mut(&voter)
            {
                *rest -= size;
            }
        }
        let rules: Vec<Rule> = active
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
                    std::collections::hash_map::Entry::Occupied(entry) => {
                        let best = &mut reached[*entry.get() as usize];
                        if step.loss > best.loss {
                            *best = step;
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
        open = active.into_iter().filter(|voter| last[voter] > place).collect();
        (layer, reached) = undominated(next, reached);
        kept += reached.len();
        steps.push(reached);
        if layer.len() >= FORECAST_FROM {
            let first = open.iter().map(|voter| last[voter]).min().unwrap_or(place);
            let needs = open.iter().map(|&voter| side.voters[voter].needed);
            let outlook =
                Outlook::new(layer.len(), choices, (place + 1..first).map(size_of), needs.chain([budget]));
            if outlook.too_many(most) {
                return Err(kept as u128);
            }
        }
    }

    let size: usize = (0..order.len()).map(size_of).sum();
    let choices = traced(&order, &layer, &steps, size.min(budget));
    Ok(Profile { choices, evaluated: kept as u128 })
}

/// Each voter's last place of `places`, and how many partitions it holds in all of them.
pub(super) fn horizons(
    voters: &[usize],
    places: usize,
    holds: &dyn Fn(usize, usize) -> bool,
    size_of: &dyn Fn(usize) -> usize,
) -> (HashMap<usize, usize>, HashMap<usize, usize>) {
    let mut last = HashMap::new();
    let mut beyond: HashMap<usize, usize> = HashMap::new();
    for &voter in voters {
        let (mut end, mut held) = (None, 0);
        for place in (0..places).filter(|&place| holds(voter, place)) {
            end = Some(place);
            held += size_of(place);
        }
        if let Some(end) = end {
            last.insert(voter, end);
            beyond.insert(voter, held);
        }
    }
    (last, beyond)
}

/// The choice behind each spending up to `most`. Nobody is open at the end: one state a spending.
pub(super) fn traced(order: &[usize], ends: &[State], steps: &[Vec<Step>], most: usize) -> Vec<Choice> {
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
pub(super) fn undominated(states: Vec<State>, steps: Vec<Step>) -> (Vec<State>, Vec<Step>) {
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
pub(super) struct Rule {
    /// Where the voter's need stands in the state; `None` when it opens here.
    pub(super) slot: Option<usize>,
    pub(super) needed: usize,
    pub(super) units: usize,
    pub(super) holds: bool,
    /// How many partitions it holds in later classes.
    pub(super) beyond: usize,
    /// Whether it is open afterwards.
    pub(super) stays: bool,
}

impl Rule {
    /// The need after `count` of the class are chosen; counts the voter's units when it is turned.
    pub(super) fn after(&self, need: usize, count: usize, loss: &mut u32) -> u16 {
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
pub(super) fn order(side: &Side, component: &Component, control: &Control) -> Option<Vec<usize>> {
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); component.classes.len()];
    for (v, &voter) in component.voters.iter().enumerate() {
        let holds = &side.voters[voter].holds;
        let held = holders.iter_mut().zip(&component.classes).filter(|(_, class)| holds[**class]);
        held.for_each(|(holders, _)| holders.push(v));
    }
    narrow_order(&holders, component.voters.len(), control)
}
