//! A search in rounds, each with a seed of its own and longer than the one before, that can be written down
//! after any round and taken up again.
//!
//! # What is promised
//! A hunt that is written down, read and gone on with finds after so many rounds what it would have found
//! without: a round depends on the parameters, its number and the best that the finished rounds found, and a
//! round that is cut short leaves no trace in the state.

use serde_json::{Value, json};

use super::family::{Effort, Quest, improve, improve_beside, lighten};
use super::pursue::pursue;
use crate::construct::{
    Block, ConstructError, Demand, Kind, Objective, best_for, known_part, parameter, parse_blocks,
};

/// What is hunted, and with which random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prey {
    /// The code that is asked for.
    pub demand: Demand,
    /// Loads of rows that share no partition with others; empty for any rows.
    pub beside: Vec<usize>,
    /// Only a part of so many points, to be glued; `None` for whole codes.
    pub part: Option<usize>,
    /// The seed of the first round; the next ones count on.
    pub seed: u64,
}

/// Rounds do not get longer than this many times the first.
const LONGEST: u32 = 7;

impl Prey {
    /// Whether it is a code with as many workers as partitions, n odd, and fewest ones, whose local rows can
    /// be searched alone.
    fn plain(&self) -> bool {
        let Demand { n, k, objective, .. } = self.demand;
        n == k && n % 2 == 1 && !self.demand.limited() && objective == Objective::Ones
    }

    /// Points that the search is over.
    fn points(&self) -> Option<usize> {
        let Demand { n, b, .. } = self.demand;
        if self.beside.is_empty() {
            Some(Quest::whole(n, b).points)
        } else {
            n.checked_sub(self.beside.iter().sum())
        }
    }

    fn check(&self) -> Result<(), ConstructError> {
        self.demand.check()?;
        if let Some(even) = self.beside.iter().find(|&&load| load % 2 == 0) {
            return parameter(format!("rows beside others have odd loads, not {even}"));
        }
        if !self.plain() {
            return if self.beside.is_empty() && self.part.is_none() {
                Ok(())
            } else {
                parameter(
                    "a search beside given rows, or for a part, takes k = n, odd, no limit on loads and --objective ones"
                        .to_owned(),
                )
            };
        }
        if self.demand.b == 0 {
            return parameter("b = 0 needs no search: every worker its own partition".to_owned());
        }
        if let Some(points) = self.part {
            let (least, most) = (2 * self.demand.b, Quest::MOST_PART_POINTS);
            if !self.beside.is_empty() {
                return parameter("a search for a part is not beside given rows".to_owned());
            }
            return if (least..=most).contains(&points) {
                Ok(())
            } else {
                parameter(format!(
                    "a part for b = {} has {least} to {most} points, not {points}",
                    self.demand.b
                ))
            };
        }
        let most = Quest::MOST_POINTS;
        match self.points() {
            Some(points) if (1..=most).contains(&points) => Ok(()),
            Some(points) => parameter(format!(
                "n = {}, b = {}: the search would be over {points} partitions, and takes 1 to {most}; \
                 'ecode design' builds larger codes from small parts, --beside leaves fewer to search",
                self.demand.n, self.demand.b
            )),
            None => parameter("these rows have more partitions than n".to_owned()),
        }
    }

    /// The best part of one round: mostly one that is lighter than the best so far or known before.
    fn part_round(
        &self,
        points: usize,
        round: u64,
        known: Option<&Block>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<Block> {
        let moves = 50_000 << round.min(3);
        let effort = Effort { moves, restarts: 4, seed: self.seed.wrapping_add(round), turn: 1 };
        let b = self.demand.b;
        match known {
            Some(known) if round % 4 != 3 => lighten(known, effort, stopped),
            _ => {
                let effort = Effort { turn: [1, 3, 2][(round / 4 % 3) as usize], ..effort };
                let old = (2 * b + 1).min(points) as u8;
                improve(Quest { kind: Kind::Part, b, points, old }, effort, stopped)
            }
        }
    }

    /// The best family or code of one round.
    fn round(
        &self,
        round: u64,
        than: Option<(usize, usize)>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Block>, ConstructError> {
        let moves = 50_000 << round.min(u64::from(LONGEST));
        // Any families, then those with some symmetry, of which there are far fewer.
        let turn = [1, 3, 2][(round % 3) as usize];
        let effort = Effort { moves, restarts: 8, seed: self.seed.wrapping_add(round), turn };
        let Demand { n, b, .. } = self.demand;
        if !self.plain() {
            return pursue(&self.demand, effort, than, stopped);
        }
        let family = if self.beside.is_empty() {
            improve(Quest::whole(n, b), effort, stopped)
        } else {
            improve_beside(n, b, &self.beside, effort, stopped)
        };
        Ok(family)
    }

    fn to_json(&self) -> Value {
        let Demand { n, k, b, ties, max_load, objective } = self.demand;
        let objective = name_of(objective);
        json!({
            "n": n, "k": k, "b": b, "max_load": max_load, "objective": objective,
            "ties": ties.name(), "beside": self.beside, "part": self.part, "seed": self.seed,
        })
    }
}

/// `ones`, `max-load` or `lexicographic`.
fn name_of(objective: Objective) -> &'static str {
    match objective {
        Objective::Ones => "ones",
        Objective::MaxLoad => "max-load",
        Objective::Lexicographic => "lexicographic",
    }
}

/// Why a text is no state of this hunt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HuntError {
    /// It is no state at all.
    #[error("not the state of a search: expected {0}")]
    Broken(&'static str),
    /// It is that of another hunt.
    #[error("the state of a search with {name} = {stored}, not {asked}")]
    Other {
        /// The parameter that differs.
        name: String,
        /// What the state has.
        stored: String,
        /// What is asked for.
        asked: String,
    },
}

/// A hunt and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunt {
    prey: Prey,
    /// The price of the best code that was known when the hunt began, if one was.
    known: Option<(usize, usize)>,
    rounds: u64,
    best: Option<Block>,
    /// What was known before, where the hunt is for parts to be glued to it; else nothing.
    blocks: Vec<Block>,
}

impl Hunt {
    /// A hunt for codes better than all that these blocks make.
    ///
    /// # Errors
    /// When there is nothing to hunt: sizes that are none or too large.
    pub fn new(prey: Prey, blocks: &[Block]) -> Result<Self, ConstructError> {
        prey.check()?;
        let known = best_for(&prey.demand, blocks)?.map(|code| prey.demand.price(&code.matrix));
        let blocks = if prey.part.is_some() { blocks.to_vec() } else { Vec::new() };
        Ok(Self { prey, known, rounds: 0, best: None, blocks })
    }

    /// Rounds finished so far.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// What the finished rounds found that is better than what was known.
    #[must_use]
    pub fn best(&self) -> Option<&Block> {
        self.best.as_ref()
    }

    /// The price of the code that a family makes with no other blocks' help, a part with that of all that were known.
    fn price(&self, found: &Block) -> Option<(usize, usize)> {
        let code =
            best_for(&self.prey.demand, &[&self.blocks, std::slice::from_ref(found)].concat()).ok()??;
        Some(self.prey.demand.price(&code.matrix))
    }

    /// The price to beat.
    fn least(&self) -> Option<(usize, usize)> {
        self.best.as_ref().map_or(self.known, |best| self.price(best))
    }

    /// One more round. Returns what it found, if it is better than everything before; a round that
    /// `stopped` cuts short may find something, too, but does not count.
    ///
    /// # Errors
    /// When the search is not for codes of these sizes.
    pub fn advance(&mut self, stopped: &(dyn Fn() -> bool + Sync)) -> Result<Option<Block>, ConstructError> {
        let least = self.least();
        let found = match self.prey.part {
            Some(points) => {
                let known = || known_part(self.prey.demand.b, points, &self.blocks);
                let known = self.best.clone().or_else(known);
                self.prey.part_round(points, self.rounds, known.as_ref(), stopped)
            }
            None => self.prey.round(self.rounds, least, stopped)?,
        };
        let better = |price: &(usize, usize)| least.is_none_or(|least| *price < least);
        let found = found.filter(|found| self.price(found).is_some_and(|price| better(&price)));
        if !stopped() {
            self.rounds += 1;
            if found.is_some() {
                self.best.clone_from(&found);
            }
        }
        Ok(found)
    }

    /// The state as a JSON document, `ecode/search/1`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "schema": "ecode/search/1",
            "search": self.prey.to_json(),
            "known": self.known.map(|(first, second)| [first, second]),
            "rounds": self.rounds,
            "best": self.best.as_ref().map(Block::to_string),
        })
    }

    /// Reads the state of a hunt for this prey that began with these blocks.
    ///
    /// # Errors
    /// [`HuntError`]: the text is no state, or that of another hunt.
    pub fn resume(prey: Prey, blocks: &[Block], text: &str) -> Result<Self, HuntError> {
        let state: Value = serde_json::from_str(text).map_err(|_| HuntError::Broken("a JSON document"))?;
        if state["schema"] != "ecode/search/1" {
            return Err(HuntError::Broken("the schema ecode/search/1"));
        }
        let asked = prey.to_json();
        for (name, value) in asked.as_object().into_iter().flatten() {
            let stored = &state["search"][name];
            if stored != value {
                let (name, stored, asked) = (name.clone(), stored.to_string(), value.to_string());
                return Err(HuntError::Other { name, stored, asked });
            }
        }
        let known = match &state["known"] {
            Value::Null => None,
            known => {
                let number = |at: usize| known[at].as_u64().map(|number| number as usize);
                Some(number(0).zip(number(1)).ok_or(HuntError::Broken("'known' as two numbers or null"))?)
            }
        };
        let rounds = state["rounds"].as_u64().ok_or(HuntError::Broken("'rounds' as a number"))?;
        let listed = HuntError::Broken("'best' as a family of rows for these n, k and b, or null");
        let best = match &state["best"] {
            Value::Null => None,
            best => {
                let mut blocks =
                    parse_blocks(best.as_str().unwrap_or_default()).map_err(|_| listed.clone())?;
                let block = blocks.pop().ok_or(listed.clone())?;
                let sizes = match block.kind {
                    Kind::Part => prey.part == Some(block.points),
                    Kind::Code => (block.workers, block.points) == (prey.demand.n, prey.demand.k),
                    _ => block.points == Quest::whole(prey.demand.n, prey.demand.b).points,
                };
                if !sizes || block.b != prey.demand.b {
                    return Err(listed);
                }
                Some(block)
            }
        };
        let blocks = if prey.part.is_some() { blocks.to_vec() } else { Vec::new() };
        Ok(Self { prey, known, rounds, best, blocks })
    }
}
