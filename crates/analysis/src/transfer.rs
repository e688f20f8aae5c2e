//! Counting by dynamic programming: the same components and the same order of classes as
//! `verify::structure`, but with the number of messages instead of the largest loss.
//!
//! # How
//! A component's classes are decided one after the other. What matters of the past is how many ones each
//! *open* worker (one with classes decided and classes to come, whose vote is not settled) has seen; for
//! each such state a polynomial counts the messages by (weight, won, tied). The components' polynomials
//! are multiplied.
//!
//! # What is promised
//! The counts are exact integers of any size. What would take more memory than is allowed is not counted
//! at all.

use std::collections::{BTreeMap, HashMap};

use num_bigint::BigUint;

use super::cell::Cell;
use super::reduce::Reduced;
use ecode_verify::{Component, Control, binomials, components, narrow_order};

/// The most terms, of all states' polynomials together, that are kept.
pub(super) const MOST_TERMS: usize = 1 << 21;
/// The most states that are kept: where there are more, there is no structure.
const MOST_STATES: usize = 1 << 15;
/// The most products of two terms in one multiplication, for each term that may be kept.
const PRODUCTS_PER_TERM: usize = 64;

/// Between two looks at the control so many terms are multiplied.
const GLANCE: usize = 1 << 12;

/// How many messages there are of (weight, won workers, tied workers), packed into one word.
type Polynomial = HashMap<u64, BigUint>;

/// Where the three exponents stand in a packed word: 4096 needs 13 bits.
const SHIFT: u32 = 20;

fn pack(weight: usize, above: usize, tied: usize) -> u64 {
    (weight as u64) << (2 * SHIFT) | (above as u64) << SHIFT | tied as u64
}

fn weight_of(term: u64) -> usize {
    (term >> (2 * SHIFT)) as usize
}

/// The counts of the messages by weight up to k/2; `None` when it would keep more than `most` terms, or has
/// to stop.
pub(super) fn count(
    reduced: &Reduced,
    most: usize,
    control: &Control,
) -> Option<Vec<BTreeMap<Cell, BigUint>>> {
    let half = reduced.half();
    let mut factors: Vec<Polynomial> = Vec::new();
    for component in components(&holders(reduced), reduced.voters.len()) {
        factors.push(of_component(reduced, &component, most, control)?);
    }
    // The smallest first: most components are single partitions.
    let mut product: Polynomial = HashMap::from([(0, BigUint::from(1_u32))]);
    factors.sort_by_key(HashMap::len);
    for factor in factors {
        product = multiply(&product, &factor, half, most, control)?;
    }
    let mut counts = vec![BTreeMap::new(); half + 1];
    for (term, count) in product {
        let mask = (1 << SHIFT) - 1;
        let cell = Cell { above: (term >> SHIFT & mask) as usize, tied: (term & mask) as usize };
        counts[weight_of(term)].insert(cell, count);
    }
    Some(counts)
}

fn multiply(
    a: &Polynomial,
    b: &Polynomial,
    half: usize,
    most: usize,
    control: &Control,
) -> Option<Polynomial> {
    if a.len().saturating_mul(b.len()) > most.saturating_mul(PRODUCTS_PER_TERM) {
        return None;
    }
    let mut product = HashMap::with_capacity(a.len() + b.len());
    for (s, x) in a {
        for (place, (t, y)) in b.iter().enumerate() {
            if place % GLANCE == 0 && control.stopped() {
                return None;
            }
            if weight_of(s + t) <= half {
                *product.entry(s + t).or_insert(BigUint::ZERO) += x * y;
            }
        }
        if product.len() > most {
            return None;
        }
    }
    Some(product)
}

/// For each class the voters that hold it.
fn holders(reduced: &Reduced) -> Vec<Vec<usize>> {
    let mut holders = vec![Vec::new(); reduced.sizes.len()];
    for (voter, row) in reduced.voters.iter().enumerate() {
        for &class in &row.holds {
            holders[class].push(voter);
        }
    }
    holders
}

/// A worker whose vote is settled.
const SETTLED: u16 = u16::MAX;

/// What the open workers have seen.
type State = Box<[u16]>;

/// What a class does to one voter that is open.
struct Rule {
    /// Where the voter stands in the state; `None` when it opens here.
    slot: Option<usize>,
    load: usize,
    units: usize,
    holds: bool,
    /// How many of its partitions are in later classes.
    beyond: usize,
    /// Whether it is open afterwards.
    stays: bool,
}

impl Rule {
    /// What the voter has seen after `count` of the class, and the term by which it counts once settled.
    fn after(&self, seen: u16, count: usize) -> (u16, u64) {
        if seen == SETTLED {
            return (SETTLED, 0);
        }
        let seen = usize::from(seen) + if self.holds { count } else { 0 };
        if 2 * seen > self.load {
            (SETTLED, pack(0, self.units, 0))
        } else if 2 * (seen + self.beyond) < self.load {
            (SETTLED, 0)
        } else if self.beyond == 0 {
            // 2·seen ≤ load ≤ 2·seen: a tie.
            (SETTLED, pack(0, 0, self.units))
        } else {
            (seen as u16, 0)
        }
    }
}

fn of_component(
    reduced: &Reduced,
    component: &Component,
    most: usize,
    control: &Control,
) -> Option<Polynomial> {
    let half = reduced.half();
    // A voter of the component holds classes of the component only.
    let places: HashMap<usize, usize> =
        component.classes.iter().enumerate().map(|(place, &class)| (class, place)).collect();
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); component.classes.len()];
    for (v, &voter) in component.voters.iter().enumerate() {
        for class in &reduced.voters[voter].holds {
            holders[places[class]].push(v);
        }
    }
    let order = narrow_order(&holders, component.voters.len(), control)?;
    let mut beyond: Vec<usize> = component.voters.iter().map(|&voter| reduced.voters[voter].load).collect();
    let mut open: Vec<usize> = Vec::new();
    let mut layer: HashMap<State, Polynomial> =
        HashMap::from([(State::default(), HashMap::from([(0, BigUint::from(1_u32))]))]);
    for place in order {
        let size = reduced.sizes[component.classes[place]];
        let ways = binomials(size);
        let mut active = open.clone();
        active.extend(holders[place].iter().filter(|voter| !open.contains(voter)));
        for &voter in &holders[place] {
            beyond[voter] -= size;
        }
        let rules: Vec<Rule> = active
            .iter()
            .enumerate()
            .map(|(slot, &voter)| Rule {
                slot: (slot < open.len()).then_some(slot),
                load: reduced.voters[component.voters[voter]].load,
                units: reduced.voters[component.voters[voter]].units,
                holds: holders[place].contains(&voter),
                beyond: beyond[voter],
                stays: beyond[voter] > 0,
            })
            .collect();
        let mut next: HashMap<State, Polynomial> = HashMap::new();
        let mut kept = 0;
        for (state, polynomial) in &layer {
            for (count, ways) in ways.iter().enumerate().take(half + 1) {
                let mut shift = pack(count, 0, 0);
                let mut after = Vec::with_capacity(rules.len());
                for rule in &rules {
                    let (seen, term) = rule.after(rule.slot.map_or(0, |slot| state[slot]), count);
                    shift += term;
                    if rule.stays {
                        after.push(seen);
                    }
                }
                let target = next.entry(after.into_boxed_slice()).or_default();
                let before = target.len();
                for (place, (term, messages)) in polynomial.iter().enumerate() {
                    if place % GLANCE == 0 && control.stopped() {
                        return None;
                    }
                    if weight_of(term + shift) <= half {
                        *target.entry(term + shift).or_insert(BigUint::ZERO) += messages * ways;
                    }
                }
                kept += target.len() - before;
                if kept > most || next.len() > MOST_STATES {
                    return None;
                }
            }
        }
        open = active.into_iter().filter(|&voter| beyond[voter] > 0).collect();
        layer = next;
    }
    // Nobody is open at the end.
    layer.into_values().next()
}
