//! Local search: messages that make many workers wrong, found in milliseconds.
//!
//! # How
//! A walk moves one chosen partition at a time from one class to another: it gives up the partition
//! that is missed least, then takes the one that helps most, and may not undo either for some steps
//! (tabu search). What helps is not only a voter turned, but also one that comes near to it. Several
//! walks start from random choices.
//!
//! # What is promised
//! Nothing is proven but what a message shows: no floor is ever returned. The same input gives the same
//! message at any number of threads: walks are seeded, and their length is counted in work, not in time.
//!
//! # References
//! F. Glover, *Tabu Search, Part I*, ORSA Journal on Computing 1 (1989), 190–206.

use rayon::prelude::*;

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::instance::Instance;
use super::reduce::Side;
use ecode_core::Outcome;

/// The search, with what it may spend.
#[derive(Clone, Copy, Debug)]
pub struct LocalSearch {
    /// Elementary updates over all walks of a side: about 10⁹ a second and core.
    pub work: u64,
}

impl Default for LocalSearch {
    /// Some milliseconds.
    fn default() -> Self {
        Self { work: 1 << 22 }
    }
}

/// How many walks start; a fixed number, so that the answer does not depend on the threads.
const WALKS: u64 = 8;
/// What a voter is worth by how many ones it still needs: turned, one short, two short, …
const WORTH: [i64; 4] = [64, 16, 4, 1];

impl super::engine::Sealed for LocalSearch {}

impl Engine for LocalSearch {
    fn name(&self) -> &'static str {
        "local search"
    }

    fn suits(&self, _: Instance<'_>) -> Result<(), Unsuitable> {
        Ok(())
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        goal: Goal,
        _: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let mut finding = Finding::default();
        for side in instance.sides() {
            let enough = match goal {
                Goal::Radius => i64::MAX,
                Goal::Tolerates(b) => side.loss_for(b as i64 - 1),
            };
            let counts = self.search(&side, enough, control);
            finding.keep_worse(instance.outcome(&side.message(&counts)));
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) {
                break;
            }
        }
        finding
    }
}

impl LocalSearch {
    /// The counts of the best choice met, of the side's weight; a walk ends early at the loss `enough`.
    pub(super) fn search(self, side: &Side, enough: i64, control: &Control) -> Vec<usize> {
        let graph = Graph::of(side);
        let walks: Vec<(i64, Vec<usize>)> = (0..WALKS)
            .into_par_iter()
            .map(|walk| Walk::new(side, &graph, walk + 1).run(self.work / WALKS, enough, control))
            .collect();
        // The largest loss; among equals the first walk's.
        let best = walks.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, counts)| counts).unwrap_or_default()
    }
}

/// Who holds what, both ways.
struct Graph {
    holders: Vec<Vec<usize>>,
    held: Vec<Vec<usize>>,
}

impl Graph {
    fn of(side: &Side) -> Self {
        let held = side
            .voters
            .iter()
            .map(|voter| (0..side.classes.len()).filter(|&class| voter.holds[class]).collect());
        let held: Vec<Vec<usize>> = held.collect();
        // Their room first: of large matrices these lists are most of the work.
        let mut sizes = vec![0_usize; side.classes.len()];
        held.iter().flatten().for_each(|&class| sizes[class] += 1);
        let mut holders: Vec<Vec<usize>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for (voter, classes) in held.iter().enumerate() {
            for &class in classes {
                holders[class].push(voter);
            }
        }
        Self { holders, held }
    }
}

/// One walk: a choice of the side's weight, with what each change would be worth.
struct Walk<'a> {
    side: &'a Side,
    graph: &'a Graph,
    counts: Vec<usize>,
    seen: Vec<usize>,
    loss: i64,
    /// What one more of the class is worth, and what one fewer costs.
    gain: Vec<i64>,
    cost: Vec<i64>,
    /// The step until which a class may not change again.
    resting: Vec<u64>,
    random: u64,
    work: u64,
}

impl<'a> Walk<'a> {
    fn new(side: &'a Side, graph: &'a Graph, seed: u64) -> Self {
        let classes = side.classes.len();
        let mut walk = Self {
            side,
            graph,
            counts: vec![0; classes],
            seen: vec![0; side.voters.len()],
            loss: side.constant as i64,
            gain: vec![0; classes],
            cost: vec![0; classes],
            resting: vec![0; classes],
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            work: 0,
        };
        // A random choice: shuffle the partitions' classes, take the first.
        let mut all: Vec<usize> =
            side.classes.iter().enumerate().flat_map(|(c, class)| vec![c; class.len()]).collect();
        for place in 0..side.weight {
            let other = place + walk.draw((all.len() - place) as u64) as usize;
            all.swap(place, other);
            walk.counts[all[place]] += 1;
        }
        for (voter, held) in graph.held.iter().enumerate() {
            let seen = held.iter().map(|&class| walk.counts[class]).sum();
            walk.seen[voter] = seen;
            walk.loss += if seen >= side.voters[voter].needed { side.voters[voter].units as i64 } else { 0 };
            let (gain, cost) = walk.steps(voter, seen);
            for &class in held {
                walk.gain[class] += gain;
                walk.cost[class] += cost;
            }
        }
        walk
    }

    /// A number below `end` (xorshift).
    fn draw(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end.max(1)
    }

    /// What a voter gains by one more, and loses by one fewer.
    fn steps(&self, voter: usize, seen: usize) -> (i64, i64) {
        let voter = &self.side.voters[voter];
        let worth = |seen: usize| WORTH.get(voter.needed.saturating_sub(seen)).map_or(0, |&worth| worth);
        let here = worth(seen);
        let fewer = if seen == 0 { here } else { worth(seen - 1) };
        (voter.units as i64 * (worth(seen + 1) - here), voter.units as i64 * (here - fewer))
    }

    /// One more of a class, or one fewer.
    fn change(&mut self, class: usize, more: bool) {
        let graph = self.graph;
        self.counts[class] = if more { self.counts[class] + 1 } else { self.counts[class] - 1 };
        self.work += graph.holders[class].len() as u64;
        for &voter in &graph.holders[class] {
            let before = self.seen[voter];
            let after = if more { before + 1 } else { before - 1 };
            self.seen[voter] = after;
            let Voted { needed, units } = self.voted(voter);
            self.loss += units * (i64::from(after >= needed) - i64::from(before >= needed));
            let (old, new) = (self.steps(voter, before), self.steps(voter, after));
            let (gain, cost) = (new.0 - old.0, new.1 - old.1);
            if (gain, cost) != (0, 0) {
                self.work += graph.held[voter].len() as u64;
                for &class in &graph.held[voter] {
                    self.gain[class] += gain;
                    self.cost[class] += cost;
                }
            }
        }
    }

    fn voted(&self, voter: usize) -> Voted {
        let voter = &self.side.voters[voter];
        Voted { needed: voter.needed, units: voter.units as i64 }
    }

    /// The class of the highest score that may change; random among equals.
    fn pick(&mut self, step: u64, score: impl Fn(&Self, usize) -> Option<i64>) -> Option<usize> {
        let classes = self.counts.len();
        self.work += classes as u64;
        let start = self.draw(classes as u64) as usize;
        let mut best: Option<(i64, usize)> = None;
        for class in (start..classes).chain(0..start) {
            if self.resting[class] <= step
                && let Some(score) = score(self, class)
                && best.is_none_or(|(most, _)| score > most)
            {
                best = Some((score, class));
            }
        }
        best.map(|(_, class)| class)
    }

    fn run(mut self, work: u64, enough: i64, control: &Control) -> (i64, Vec<usize>) {
        let mut best = (self.loss, self.counts.clone());
        let mut step = 0;
        while self.work < work && best.0 < enough {
            step += 1;
            if step % 256 == 0 && control.stopped() {
                break;
            }
            let side = self.side;
            let given = self.pick(step, |walk, class| (walk.counts[class] > 0).then(|| -walk.cost[class]));
            let Some(given) = given else { continue };
            self.change(given, false);
            let taken = self.pick(step, |walk, class| {
                (class != given && walk.counts[class] < side.classes[class].len()).then(|| walk.gain[class])
            });
            let Some(taken) = taken else {
                self.change(given, true);
                continue;
            };
            self.change(taken, true);
            self.resting[given] = step + 2 + self.draw(6);
            self.resting[taken] = step + 2 + self.draw(6);
            if self.loss > best.0 {
                best = (self.loss, self.counts.clone());
            }
        }
        best
    }
}

/// What turns a voter, and what it adds then.
struct Voted {
    needed: usize,
    units: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reduce::sides;
    use ecode_core::TieRule;
    use ecode_design::construct::{Bernoulli, bernoulli};

    /// The running sums of a walk are those of its choice.
    #[test]
    fn a_walk_keeps_its_accounts() {
        for draw in 0..20 {
            let how = Bernoulli { n: 30, k: 25, p: 0.3, seed: 1, draw, redraw_empty: false, odd_rows: false };
            let Ok(g) = bernoulli(how) else { panic!("sizes are valid") };
            for ties in TieRule::ALL {
                for side in sides(&g, ties) {
                    let graph = Graph::of(&side);
                    let walk = Walk::new(&side, &graph, 7);
                    let start = walk.loss;
                    assert_eq!(start, side.loss(&walk.counts) as i64);
                    let (loss, counts) = walk.run(20_000, i64::MAX, &Control::default());
                    assert_eq!(loss, side.loss(&counts) as i64);
                    assert_eq!(counts.iter().sum::<usize>(), side.weight);
                    assert!(loss >= start);
                }
            }
        }
    }

    /// A sparse random code of 201 workers tolerates nobody, and that shows at once.
    #[test]
    fn a_sparse_random_code_is_refuted_by_a_short_walk() {
        let how = Bernoulli { n: 201, k: 201, p: 0.05, seed: 1, draw: 0, redraw_empty: true, odd_rows: true };
        let Ok(g) = bernoulli(how) else { panic!("sizes are valid") };
        let search = LocalSearch { work: 1 << 18 };
        let finding = search.examine(&g, TieRule::Adversarial, Goal::Tolerates(1), &Control::default());
        assert!(finding.beats(1));
        assert_eq!(finding.floor, None);
    }
}
