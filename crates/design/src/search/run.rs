//! A search in rounds, each with a seed of its own and longer than the one before, that can be written down
//! after any round and taken up again.
//!
//! # What is promised
//! A run that is written down, read and continued finds after so many rounds what it would have found
//! without: a round depends on the parameters, its number and the best that the finished rounds found, and a
//! round that is cut short leaves no trace in the state.

use serde_json::{Value, json};

use super::family::FamilyProblem;
use super::request::SearchRequest;
use crate::construct::{Block, ConstructError, Placement, best_for, parse_blocks, part_with_most_rows};

/// Why a text is no state of this search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It is no state at all.
    #[error("not the state of a search: expected {0}")]
    Broken(&'static str),
    /// It is that of another search.
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

/// A search and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRun {
    request: SearchRequest,
    /// The price of the best code that was known when the search began, if one was.
    known: Option<(usize, usize)>,
    rounds: u64,
    best: Option<Block>,
    /// What was known before, where the search is for parts to be glued to it; else nothing.
    blocks: Vec<Block>,
}

impl SearchRun {
    /// A search for codes better than all that these blocks make.
    ///
    /// # Errors
    /// When there is nothing to search for: sizes that are none or too large.
    pub fn new(request: SearchRequest, blocks: &[Block]) -> Result<Self, ConstructError> {
        request.check()?;
        let known = best_for(&request.demand, blocks)?.map(|code| request.demand.price(&code.matrix));
        let blocks = if request.part.is_some() { blocks.to_vec() } else { Vec::new() };
        Ok(Self { request, known, rounds: 0, best: None, blocks })
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
            best_for(&self.request.demand, &[&self.blocks, std::slice::from_ref(found)].concat()).ok()??;
        Some(self.request.demand.price(&code.matrix))
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
        let found = match self.request.part {
            Some(points) => {
                let known = || part_with_most_rows(self.request.demand.b, points, &self.blocks);
                let known = self.best.clone().or_else(known);
                self.request.part_round(points, self.rounds, known.as_ref(), stopped)
            }
            None => self.request.round(self.rounds, least, stopped)?,
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
            "search": self.request.to_json(),
            "known": self.known.map(|(first, second)| [first, second]),
            "rounds": self.rounds,
            "best": self.best.as_ref().map(Block::to_string),
        })
    }

    /// Reads the state of a search for this request that began with these blocks.
    ///
    /// # Errors
    /// [`StateError`]: the text is no state, or that of another search.
    pub fn resume(request: SearchRequest, blocks: &[Block], text: &str) -> Result<Self, StateError> {
        let state: Value = serde_json::from_str(text).map_err(|_| StateError::Broken("a JSON document"))?;
        if state["schema"] != "ecode/search/1" {
            return Err(StateError::Broken("the schema ecode/search/1"));
        }
        let asked = request.to_json();
        for (name, value) in asked.as_object().into_iter().flatten() {
            let stored = match (name.as_str(), &state["search"]["beside"]) {
                // What these loads were called before.
                ("disjoint_loads", loads) if loads.is_array() => loads,
                _ => &state["search"][name],
            };
            if stored != value {
                let (name, stored, asked) = (name.clone(), stored.to_string(), value.to_string());
                return Err(StateError::Other { name, stored, asked });
            }
        }
        let known = match &state["known"] {
            Value::Null => None,
            known => {
                let number = |at: usize| known[at].as_u64().map(|number| number as usize);
                Some(number(0).zip(number(1)).ok_or(StateError::Broken("'known' as two numbers or null"))?)
            }
        };
        let rounds = state["rounds"].as_u64().ok_or(StateError::Broken("'rounds' as a number"))?;
        let listed = StateError::Broken("'best' as a family of rows for these n, k and b, or null");
        let best = match &state["best"] {
            Value::Null => None,
            best => {
                let mut blocks =
                    parse_blocks(best.as_str().unwrap_or_default()).map_err(|_| listed.clone())?;
                let block = blocks.pop().ok_or(listed.clone())?;
                let sizes = match block.placement {
                    Placement::Part => request.part == Some(block.points),
                    Placement::Code => (block.workers, block.points) == (request.demand.n, request.demand.k),
                    _ => block.points == FamilyProblem::whole(request.demand.n, request.demand.b).points,
                };
                if !sizes || block.b != request.demand.b {
                    return Err(listed);
                }
                Some(block)
            }
        };
        let blocks = if request.part.is_some() { blocks.to_vec() } else { Vec::new() };
        Ok(Self { request, known, rounds, best, blocks })
    }
}
