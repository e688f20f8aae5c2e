//! Symmetries of a side: permutations of its classes that map the voters onto themselves.
//!
//! # What is promised
//! Every permutation was checked against all voters before it joins two classes ([`is_symmetry`]). The search that
//! proposes it may miss some: the orbits are then smaller than they could be, and no less right.

use std::collections::{BTreeMap, BTreeSet};

use crate::control::Control;
use crate::reduce::Side;

/// A search for one symmetry looks at so many partial maps at most.
const MOST_NODES: usize = 200;

/// What a voter is to a symmetry: its classes, what it needs, its units.
type Row = (Vec<bool>, usize, usize);

/// The orbits of the classes under symmetries that were found, the largest first, among equals by the lowest class;
/// `None` where the control said stop.
pub(super) fn orbits(side: &Side, control: &Control) -> Option<Vec<Vec<usize>>> {
    let rows: BTreeSet<Row> =
        side.voters.iter().map(|voter| (voter.holds.clone(), voter.needed, voter.units)).collect();
    let search = Search::new(side);
    let count = side.classes.len();
    let mut leader: Vec<usize> = (0..count).collect();
    let start = search.start();
    for class in 0..count {
        for other in 0..class {
            // Each orbit so far is asked once, by its leader.
            if leader[other] != other || leader[class] != class || start.0[other] != start.0[class] {
                continue;
            }
            if control.stopped() {
                return None;
            }
            let mut nodes = MOST_NODES;
            let found = search.map(&start, &start, Some((other, class)), &mut nodes);
            if let Some(map) = found.filter(|map| is_symmetry(side, &rows, map)) {
                for (from, to) in map.into_iter().enumerate() {
                    let (a, b) = (leader[from].min(leader[to]), leader[from].max(leader[to]));
                    leader.iter_mut().filter(|leader| **leader == b).for_each(|leader| *leader = a);
                }
            }
        }
    }
    let mut orbits: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (class, leader) in leader.into_iter().enumerate() {
        orbits.entry(leader).or_default().push(class);
    }
    let mut orbits: Vec<Vec<usize>> = orbits.into_values().collect();
    orbits.sort_by_key(|orbit| (std::cmp::Reverse(orbit.len()), orbit[0]));
    Some(orbits)
}

/// Whether a map of the classes is a permutation that keeps their sizes and maps the voters onto themselves.
fn is_symmetry(side: &Side, rows: &BTreeSet<Row>, map: &[usize]) -> bool {
    let mut sorted = map.to_vec();
    sorted.sort_unstable();
    let sizes = |(from, &to): (usize, &usize)| side.classes[from].len() == side.classes[to].len();
    // No two voters are alike, and a permutation keeps them apart: as many images as voters, all of them voters.
    rows.len() == side.voters.len()
        && sorted.into_iter().eq(0..side.classes.len())
        && map.iter().enumerate().all(sizes)
        && side.voters.iter().all(|voter| {
            let mut holds = vec![false; map.len()];
            for (from, &held) in voter.holds.iter().enumerate() {
                holds[map[from]] = held;
            }
            rows.contains(&(holds, voter.needed, voter.units))
        })
}

/// Colours of classes and of voters: what is not alike has different ones.
#[derive(Clone)]
struct Colours(Vec<usize>, Vec<usize>);

struct Search<'a> {
    side: &'a Side,
    holders: Vec<Vec<usize>>,
    held: Vec<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn new(side: &'a Side) -> Self {
        let held: Vec<Vec<usize>> = side
            .voters
            .iter()
            .map(|voter| (0..side.classes.len()).filter(|&class| voter.holds[class]).collect())
            .collect();
        let mut holders = vec![Vec::new(); side.classes.len()];
        for (voter, classes) in held.iter().enumerate() {
            classes.iter().for_each(|&class| holders[class].push(voter));
        }
        Self { side, holders, held }
    }

    fn start(&self) -> Colours {
        let classes = self.side.classes.iter().map(Vec::len).collect();
        let voters = self.side.voters.iter().map(|voter| voter.needed * 3 + voter.units).collect();
        let mut one = Colours(classes, voters);
        let mut other = one.clone();
        self.refine(&mut one, &mut other);
        one
    }

    /// Refines both colourings in step, until neighbours tell nothing more apart; whether they look alike.
    fn refine(&self, left: &mut Colours, right: &mut Colours) -> bool {
        let mut known = 0;
        loop {
            for of_classes in [false, true] {
                let signature = |colours: &Colours, at: usize| {
                    let (own, neighbours, others) = if of_classes {
                        (colours.0[at], &self.holders[at], &colours.1)
                    } else {
                        (colours.1[at], &self.held[at], &colours.0)
                    };
                    let mut seen: Vec<usize> = neighbours.iter().map(|&at| others[at]).collect();
                    seen.sort_unstable();
                    (own, seen)
                };
                let count = if of_classes { self.holders.len() } else { self.held.len() };
                let all = |colours: &Colours| (0..count).map(|at| signature(colours, at)).collect::<Vec<_>>();
                let (one, other) = (all(left), all(right));
                let names: BTreeMap<_, usize> =
                    one.iter().chain(&other).collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
                let named =
                    |list: &[(usize, Vec<usize>)]| list.iter().map(|it| names[it]).collect::<Vec<_>>();
                let (one, other) = (named(&one), named(&other));
                let sorted = |list: &[usize]| {
                    let mut list = list.to_vec();
                    list.sort_unstable();
                    list
                };
                if sorted(&one) != sorted(&other) {
                    return false;
                }
                if of_classes {
                    (left.0, right.0) = (one, other);
                } else {
                    (left.1, right.1) = (one, other);
                }
            }
            let colours = |list: &[usize]| list.iter().collect::<BTreeSet<_>>().len();
            let now = colours(&left.0) + colours(&left.1);
            if now == known {
                return true;
            }
            known = now;
        }
    }

    /// A map of the classes that takes one colouring to the other, and the first of `pair` to the second.
    fn map(
        &self,
        left: &Colours,
        right: &Colours,
        pair: Option<(usize, usize)>,
        nodes: &mut usize,
    ) -> Option<Vec<usize>> {
        *nodes = nodes.checked_sub(1)?;
        let (mut left, mut right) = (left.clone(), right.clone());
        if let Some((from, to)) = pair {
            // A colour that nobody has.
            (left.0[from], right.0[to]) = (usize::MAX, usize::MAX);
        }
        if !self.refine(&mut left, &mut right) {
            return None;
        }
        let mut cells: BTreeMap<usize, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (class, &colour) in left.0.iter().enumerate() {
            cells.entry(colour).or_default().0.push(class);
        }
        for (class, &colour) in right.0.iter().enumerate() {
            cells.entry(colour).or_default().1.push(class);
        }
        let Some((from, to)) =
            cells.values().filter(|(from, _)| from.len() > 1).min_by_key(|cell| cell.0.len())
        else {
            let mut map = vec![0; left.0.len()];
            for (from, to) in cells.values() {
                map[from[0]] = *to.first()?;
            }
            return Some(map);
        };
        to.iter().find_map(|&to| self.map(&left, &right, Some((from[0], to)), nodes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instance;
    use ecode_design::construct::{algorithm1, cyclic, mols};

    fn sizes(side: &Side) -> Vec<usize> {
        orbits(side, &Control::default()).unwrap_or_default().iter().map(Vec::len).collect()
    }

    #[test]
    fn orbits_are_those_of_well_known_matrices() {
        let Ok(g) = mols(5, 3) else { panic!("5 is a prime") };
        let transposed = g.transposed();
        assert_eq!(sizes(&Instance::of_weight(&transposed, 6).sides()[0]), [15]);
        let Ok(g) = cyclic(11, 3) else { panic!("a size") };
        assert_eq!(sizes(&Instance::of_weight(&g, 4).sides()[0]), [11]);
        let Ok(g) = algorithm1(9, 2) else { panic!("n is odd") };
        let side = &crate::reduce::sides(&g, ecode_core::TieRule::Adversarial)[0];
        assert_eq!(sizes(side).iter().sum::<usize>(), side.classes.len());
    }

    /// A map that is none is refused, whatever proposed it.
    #[test]
    fn what_maps_no_voters_onto_voters_is_no_symmetry() {
        let Ok(g) = cyclic(7, 3) else { panic!("a size") };
        let side = &Instance::of_weight(&g, 3).sides()[0];
        let rows = side.voters.iter().map(|voter| (voter.holds.clone(), voter.needed, voter.units)).collect();
        let shifted: Vec<usize> = (0..7).map(|class| (class + 2) % 7).collect();
        assert!(is_symmetry(side, &rows, &shifted));
        for wrong in [vec![1, 0, 2, 3, 4, 5, 6], vec![0; 7], vec![0, 1, 2]] {
            assert!(!is_symmetry(side, &rows, &wrong), "{wrong:?}");
        }
    }
}
