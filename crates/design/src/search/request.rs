//! What a search is asked for, and one round of it.

use serde_json::{Value, json};

use super::code::anneal_code;
use super::effort::Effort;
use super::family::{FamilyProblem, anneal_family, anneal_with_disjoint_rows, reduce_weight};
use super::local::{self, LocalRows};
use crate::construct::{Block, ConstructError, Demand, Objective, Placement, refuse};

/// What is asked for, and with which random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRequest {
    /// The code that is asked for.
    pub demand: Demand,
    /// Loads of rows that share no partition with others; empty for any rows.
    pub disjoint_loads: Vec<usize>,
    /// Only a part of so many points, to be glued; `None` for whole codes.
    pub part: Option<usize>,
    /// Only so many local rows, and the largest load of one where that is limited; `None` for any rows.
    pub local: Option<(usize, Option<usize>)>,
    /// The seed of the first round; the next ones count on.
    pub seed: u64,
}

/// Rounds get twice as long so many times.
const DOUBLINGS: u64 = 7;

impl SearchRequest {
    /// Whether it is a code with as many workers as partitions, n odd, and fewest ones, whose local rows can
    /// be searched alone.
    fn plain(&self) -> bool {
        let Demand { n, k, objective, .. } = self.demand;
        n == k && n % 2 == 1 && !self.demand.limited() && objective == Objective::Ones
    }

    /// Points that the search is over.
    fn points(&self) -> Option<usize> {
        let Demand { n, b, .. } = self.demand;
        if self.disjoint_loads.is_empty() {
            Some(FamilyProblem::whole(n, b).points)
        } else {
            n.checked_sub(self.disjoint_loads.iter().sum())
        }
    }

    pub(super) fn check(&self) -> Result<(), ConstructError> {
        self.demand.check()?;
        if let Some(even) = self.disjoint_loads.iter().find(|&&load| load % 2 == 0) {
            return refuse(format!("rows that share no partition with others have odd loads, not {even}"));
        }
        if !self.plain() {
            return if self.disjoint_loads.is_empty() && self.part.is_none() && self.local.is_none() {
                Ok(())
            } else {
                refuse(
                    "a search with disjoint loads, for local rows or for a part takes k = n, odd, no limit on loads and the objective ones"
                        .to_owned(),
                )
            };
        }
        if self.demand.b == 0 {
            return refuse("b = 0 needs no search: every worker its own partition".to_owned());
        }
        if let Some(points) = self.part {
            let (least, most) = (2 * self.demand.b, FamilyProblem::MOST_PART_POINTS);
            if !self.disjoint_loads.is_empty() {
                return refuse("a search for a part has no disjoint loads".to_owned());
            }
            if self.local.is_some() {
                return refuse("a search for a part does not say how many local rows there are".to_owned());
            }
            return if (least..=most).contains(&points) {
                Ok(())
            } else {
                refuse(format!("a part for b = {} has {least} to {most} points, not {points}", self.demand.b))
            };
        }
        let most = FamilyProblem::MOST_POINTS;
        match self.points() {
            Some(points) if (1..=most).contains(&points) => Ok(()),
            Some(points) => refuse(format!(
                "n = {}, b = {}: the search would be over {points} partitions, and takes 1 to {most}; \
                 'ecode design' builds larger codes from small parts, --disjoint-loads leaves fewer to search",
                self.demand.n, self.demand.b
            )),
            None => refuse("these rows have more partitions than n".to_owned()),
        }
    }

    /// The best part of one round: mostly one that is lighter than the best so far or known before.
    pub(super) fn part_round(
        &self,
        points: usize,
        round: u64,
        best_known: Option<&Block>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<Block> {
        let moves = 50_000 << round.min(3);
        let effort = Effort { moves, restarts: 4, seed: self.seed.wrapping_add(round), rotation: 1 };
        let b = self.demand.b;
        match best_known {
            Some(part) if round % 4 != 3 => reduce_weight(part, effort, stopped),
            _ => {
                let effort = Effort { rotation: [1, 3, 2][(round / 4 % 3) as usize], ..effort };
                let old = (2 * b + 1).min(points) as u8;
                anneal_family(FamilyProblem { placement: Placement::Part, b, points, old }, effort, stopped)
            }
        }
    }

    /// The block with the words that say how to find it again: the same seed, and so many rounds.
    fn named(&self, block: Block, words: &str, round: u64) -> Block {
        Block { found: format!("{words}, seed {}, round {}", self.seed, round + 1), ..block }
    }

    /// Local rows beside others: first beside rows of load 1 alone, every fourth time beside rows of load 1 and 3.
    fn local_round(
        &self,
        round: u64,
        than: Option<(usize, usize)>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<Block> {
        let Demand { n, .. } = self.demand;
        let than = than.map_or(n * n, |(ones, _)| ones);
        let moves = 25_000 << (round / 2).min(DOUBLINGS);
        let effort = Effort { moves, restarts: 4, seed: self.seed.wrapping_add(round), rotation: 1 };
        let kinds = if round % 4 == 1 {
            local::beside_others(&self.demand, than)
        } else {
            local::beside_singles(&self.demand, than)
        };
        let ones = |block: &Block| {
            let rows = block.rows.len();
            let full = if block.placement == Placement::Code { n - rows } else { block.points - rows };
            block.weight() + full * n
        };
        kinds.iter().filter_map(|kind| kind.anneal(effort, stopped)).min_by_key(ones)
    }

    /// The best family or code of one round.
    pub(super) fn round(
        &self,
        round: u64,
        than: Option<(usize, usize)>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Block>, ConstructError> {
        let Demand { n, b, .. } = self.demand;
        if let Some((rows, heaviest)) = self.local {
            let kind = LocalRows::beside_singles(n, b, rows, heaviest.unwrap_or(2 * b + 5));
            let kind = if self.disjoint_loads.is_empty() {
                kind
            } else {
                LocalRows { disjoint: self.disjoint_loads.clone(), ..kind }
            };
            let moves = 200_000 << round.min(DOUBLINGS);
            let effort = Effort { moves, restarts: 8, seed: self.seed.wrapping_add(round), rotation: 1 };
            let loads: Vec<String> = self.disjoint_loads.iter().map(usize::to_string).collect();
            let beside = if loads.is_empty() {
                String::new()
            } else {
                format!(" --disjoint-loads {}", loads.join(","))
            };
            let found = format!("search{beside} --local-rows {rows} --local-load {}", kind.heaviest);
            return Ok(kind.anneal(effort, stopped).map(|block| self.named(block, &found, round)));
        }
        let whole = self.plain() && self.disjoint_loads.is_empty();
        if whole && round % 2 == 0 {
            let found = self.local_round(round / 2, than, stopped);
            return Ok(found.map(|block| self.named(block, "search", round)));
        }
        let round = if whole { round / 2 } else { round };
        let moves = 50_000 << round.min(DOUBLINGS);
        // Any families, then those with some symmetry, of which there are far fewer.
        let rotation = [1, 3, 2][(round % 3) as usize];
        let effort = Effort { moves, restarts: 8, seed: self.seed.wrapping_add(round), rotation };
        if !self.plain() {
            return anneal_code(&self.demand, effort, than, stopped);
        }
        let family = if self.disjoint_loads.is_empty() {
            anneal_family(FamilyProblem::whole(n, b), effort, stopped)
        } else {
            anneal_with_disjoint_rows(n, b, &self.disjoint_loads, effort, stopped)
        };
        Ok(family)
    }

    pub(super) fn to_json(&self) -> Value {
        let Demand { n, k, b, ties, max_load, objective } = self.demand;
        let objective = objective.name();
        json!({
            "n": n, "k": k, "b": b, "max_load": max_load, "objective": objective,
            "ties": ties.name(), "disjoint_loads": self.disjoint_loads, "part": self.part, "seed": self.seed,
            "local_rows": self.local.map(|(rows, _)| rows), "local_load": self.local.and_then(|(_, load)| load),
        })
    }
}
