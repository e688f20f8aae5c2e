//! Branch and bound over the classes of partitions, for matrices without structure.
//!
//! # How
//! Classes are decided one after the other. At a node some are decided, `left` partitions are still to
//! be chosen among the rest, and every voter still needs some of those. The node is given up when no
//! completion can beat the best choice known, which a local search supplies at the start:
//!
//! - *Reach*: voters whose need exceeds what is left, or what their row still holds, are lost.
//! - *Cover*: more chosen partitions never turn fewer voters. So instead of every completion it is
//!   enough to look at a family of larger choices such that every completion lies within one of them
//!   (a covering design): for 8 of 16 partitions some hundred choices of 10 stand for 12 870. They are
//!   counted 512 at a time, voters that are turned most rarely first, and a block is left as soon as too
//!   few voters remain: of 41 voters one looks at about 16.
//! - Near the leaves the family is the completions themselves, and the count is exact.
//!
//! # What is promised
//! Every choice is either counted or lies below a node that was given up for one of these two reasons;
//! the choices so covered are added up and must be all of them, else no floor is returned. The answer
//! does not depend on the number of threads: tasks go in waves of a fixed size, and know only what
//! earlier waves found.
//!
//! # References
//! A. H. Land and A. G. Doig, *An Automatic Method of Solving Discrete Programming Problems*, Econometrica 28 (1960),
//! 497–520. D. M. Gordon, G. Kuperberg and O. Patashnik, *New Constructions for Covering Designs*, Journal of
//! Combinatorial Designs 3 (1995), 269–284.

mod cover;
mod task;
mod tree;

use task::{Task, Tried};
use tree::Tree;

use rayon::prelude::*;

use crate::control::Control;
use crate::engine::{Engine, Finding, Goal, Unsuitable};
use crate::instance::Instance;
use crate::local::LocalSearch;
use ecode_core::Outcome;

/// The engine.
pub struct Branch;

/// Beyond this many messages it is not tried by itself.
const MOST_CHOICES: u128 = 1 << 63;
/// The most tasks that a class may cut the work into.
const MOST_TASKS: usize = 1 << 16;
/// The work is cut into at least this many tasks where there are as many choices.
const TASKS: usize = 2048;
/// Tasks that go together, before they tell the others what they found.
const WAVE: usize = 128;

impl crate::engine::Sealed for Branch {}

impl Engine for Branch {
    fn name(&self) -> &'static str {
        "branch"
    }

    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable> {
        let choices = instance.sides().iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        if choices <= MOST_CHOICES {
            return Ok(());
        }
        Err(Unsuitable("'branch' takes matrices of at most 2^63 messages; try --method sat".to_owned()))
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        goal: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let sides = instance.sides();
        let total = sides.iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
        control.begin(u64::try_from(total).unwrap_or(u64::MAX));
        let mut finding = Finding::default();
        let mut floor = i64::MAX;
        let mut complete = true;
        for side in &sides {
            let enough = match goal {
                Goal::Radius => i64::MAX,
                Goal::Tolerates(b) => side.loss_for(b as i64 - 1),
            };
            let start = start
                .filter(|start| start.correct == side.correct)
                .and_then(|start| side.counts(&start.message))
                .unwrap_or_else(|| LocalSearch::default().search(side, enough, control));
            finding.keep_worse(instance.outcome(&side.message(&start)));
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) {
                return finding;
            }
            let searched = Tree::new(side).run(side.loss(&start), enough, control);
            finding.evaluated += searched.evaluated;
            if let Some(counts) = &searched.counts {
                finding.keep_worse(instance.outcome(&side.message(counts)));
            }
            match searched.most {
                Some(most) => {
                    finding.messages = finding.messages.saturating_add(side.messages());
                    floor = floor.min(side.margin(most));
                }
                None => complete = false,
            }
            if matches!(goal, Goal::Tolerates(b) if finding.beats(b)) || control.stopped() && !complete {
                break;
            }
        }
        if complete && !matches!(goal, Goal::Tolerates(b) if finding.beats(b)) {
            finding.floor = Some(floor);
        } else {
            finding.messages = 0;
        }
        finding
    }
}

impl Tree<'_> {
    /// Searches for a loss above `reached`, and not below `enough` where that is more.
    fn run(&self, reached: usize, enough: i64, control: &Control) -> Searched {
        let unit = self.unit as i64;
        let constant = self.side.constant as i64;
        // In units beyond the constant: the least that is worth finding.
        let enough = (enough != i64::MAX).then(|| (enough - constant + unit - 1).div_euclid(unit));
        let mut wanted = ((reached as i64 - constant) / unit + 1).max(enough.unwrap_or(i64::MIN));
        let mut prefixes = vec![Vec::new()];
        let mut depth = 0;
        while depth < self.order.len() && prefixes.len() < TASKS && !self.levels[depth].all_exact() {
            if prefixes.len() * (self.side.classes[self.order[depth]].len() + 1) > MOST_TASKS {
                break;
            }
            prefixes = prefixes.iter().flat_map(|prefix| self.longer(prefix)).collect();
            depth += 1;
        }
        let mut counts = None;
        let mut evaluated = 0;
        let mut covered = 0_u64;
        let mut tried = vec![Tried::default(); self.levels.len()];
        for wave in prefixes.chunks(WAVE) {
            let results: Vec<Task> = wave
                .par_iter()
                .map(|prefix| {
                    let mut task = Task::new(self, wanted, &tried, control);
                    task.run(prefix);
                    task
                })
                .collect();
            for result in results {
                evaluated += u128::from(result.evaluated);
                covered = covered.saturating_add(result.covered);
                for (all, one) in tried.iter_mut().zip(&result.tried) {
                    all.trials += one.trials;
                    all.successes += one.successes;
                }
                // Among equals the first task's.
                if result.found.is_some() && result.wanted > wanted {
                    wanted = result.wanted;
                    counts = result.found;
                }
            }
            if control.stopped() || (enough.is_some() && counts.is_some()) {
                break;
            }
        }
        let counts = counts.map(|found| {
            let mut counts = vec![0; self.side.classes.len()];
            for (&class, count) in self.order.iter().zip(found) {
                counts[class] = count;
            }
            counts
        });
        let most = (covered == self.levels[0].ways[self.side.weight])
            .then(|| usize::try_from(constant + (wanted - 1) * unit).ok())
            .flatten();
        Searched { counts, most, evaluated }
    }

    /// The prefixes with one class more that can still be completed.
    fn longer(&self, prefix: &[usize]) -> Vec<Vec<usize>> {
        let left = self.side.weight - prefix.iter().sum::<usize>();
        let size = self.side.classes[self.order[prefix.len()]].len();
        let beyond = self.levels[prefix.len() + 1].size;
        (left.saturating_sub(beyond)..=size.min(left))
            .map(|count| {
                let mut longer = prefix.to_vec();
                longer.push(count);
                longer
            })
            .collect()
    }
}

/// What became of one side.
struct Searched {
    /// A choice with a larger loss than the one that was known.
    counts: Option<Vec<usize>>,
    /// Proven: no choice has a larger loss.
    most: Option<usize>,
    /// Choices and members of covering families that were counted.
    evaluated: u128,
}

#[cfg(test)]
mod tests {
    use super::cover::{cover, vectors};
    use super::*;
    use crate::exhaustive::Plan;
    use crate::reduce::{choices_by_weight, sides};
    use ecode_core::TieRule;
    use ecode_design::construct::{Bernoulli, bernoulli};

    /// The tree finds the largest loss by itself. The engine hardly ever needs that, since its local search
    /// has found it before: a bound that gives up too much would otherwise go unseen.
    #[test]
    fn the_tree_finds_what_a_local_search_would_have_missed() {
        let sizes = [(5, 6), (9, 8), (12, 13), (17, 16), (23, 21), (27, 27), (28, 28)];
        for draw in 0..42 {
            let (n, k) = sizes[draw as usize % sizes.len()];
            let p = [0.15, 0.3, 0.4, 0.5, 0.6, 0.8][draw as usize / sizes.len()];
            let ties = TieRule::ALL[draw as usize % 4];
            let how = Bernoulli { n, k, p, seed: 3, draw, redraw_empty: false, odd_rows: draw % 2 == 0 };
            let Ok(g) = bernoulli(how) else { panic!("sizes are valid") };
            for side in sides(&g, ties) {
                let control = Control::default();
                let Some(best) = Plan::new(&side).run(&control).counts else { panic!("there is a choice") };
                let most = side.loss(&best);
                let tree = Tree::new(&side);
                // One short of the largest, where covers decide most; and from far below, where small.
                let far = if k < 25 { most.saturating_sub(4 * tree.unit) } else { most };
                for reached in [most.saturating_sub(tree.unit), far] {
                    let reached = reached.max(side.constant);
                    let searched = tree.run(reached, i64::MAX, &control);
                    assert_eq!(searched.most, Some(most), "n {n} k {k} p {p} draw {draw} {ties}");
                    let found = searched.counts.map(|counts| side.loss(&counts));
                    assert_eq!(found, (reached < most).then_some(most));
                }
            }
        }
    }

    #[test]
    fn a_family_covers_every_completion() {
        for sizes in [vec![1; 14], vec![3, 2, 1, 1, 1, 1, 1, 1, 1], vec![1; 15]] {
            for sum in 4..=8 {
                let family = cover(&sizes, sum, 512);
                let all = vectors(&sizes, sum);
                assert_eq!(all.len() as u128, choices_by_weight(&sizes, sum)[sum]);
                for vector in &all {
                    let within = |member: &Vec<u16>| member.iter().zip(vector).all(|(m, v)| v <= m);
                    assert!(family.iter().any(within), "{vector:?} of {sizes:?}");
                }
                assert!(
                    all.len() < 1000 || family.len() < all.len() / 3,
                    "{} of {}",
                    family.len(),
                    all.len()
                );
            }
        }
    }
}
