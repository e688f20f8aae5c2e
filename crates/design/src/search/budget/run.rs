//! A search for a budgeted code in rounds that can be written down after any round and taken up again.
//!
//! # What is promised
//! A run that is written down, read and continued finds after so many rounds what it would have found without: a round
//! depends on the request, its number and the best of the finished rounds, and a round that is cut short leaves no
//! trace in the state.

use ecode_core::AllocationMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::messages::Messages;
use super::objective::{Objective, between};
use super::request::BudgetRequest;
use super::row::Row;
use super::votes::Votes;
use super::walk::{Schedule, anneal, random_rows};
use crate::construct::ConstructError;

/// Why a text is no state of this search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetStateError {
    /// It is no state at all.
    #[error("not the state of a search for a budgeted code: expected {0}")]
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

/// A code that keeps the budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budgeted {
    /// The code.
    pub matrix: AllocationMatrix,
    /// For each q of the request: the probability of a wrong sign, exact where [`BudgetRequest::is_exact`], else over
    /// the messages that were drawn for the search.
    pub errors: Vec<f64>,
    /// The geometric mean of the errors.
    pub value: f64,
}

/// A search and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetRun {
    request: BudgetRequest,
    rounds: u64,
    best: Option<Budgeted>,
}

/// Walks of a round.
const WALKS: u64 = 8;
/// What a walk of the first round takes, in blocks of messages; each further round takes twice as much …
const WORK: u64 = 1 << 23;
/// … so many times.
const DOUBLINGS: u64 = 4;
/// A look costs about as much as so many blocks beside those that it counts.
const OVERHEAD: u64 = 24;
/// Small matrices take no more moves than this for each of their entries.
const MOVES_AN_ENTRY: u64 = 1000;
/// The part of the best error that messages left out of a search may be worth.
const LEFT_OUT: f64 = 0.01;
/// So many messages of each weight are drawn where there are too many to count.
const DRAWN: u64 = 1 << 14;

impl BudgetRun {
    /// A search that has not begun; from a code that is known, where there is one that keeps the budget.
    ///
    /// # Errors
    /// Those of [`BudgetRequest::check`].
    pub fn new(request: BudgetRequest, known: Option<&AllocationMatrix>) -> Result<Self, ConstructError> {
        request.check()?;
        let mut run = Self { request, rounds: 0, best: None };
        if let Some(known) = known.filter(|known| run.keeps(known)) {
            run.best = Some(run.judge(&rows_of(known))?);
        }
        Ok(run)
    }

    /// What is searched for.
    #[must_use]
    pub fn request(&self) -> &BudgetRequest {
        &self.request
    }

    /// Rounds finished so far.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// The best code of the finished rounds.
    #[must_use]
    pub fn best(&self) -> Option<&Budgeted> {
        self.best.as_ref()
    }

    /// Whether a code keeps the budget, with odd loads.
    fn keeps(&self, g: &AllocationMatrix) -> bool {
        (g.n(), g.k()) == (self.request.n, self.request.k)
            && g.all_loads_odd()
            && g.ones() <= self.request.ones
            && g.worker_loads().iter().all(|&load| load <= self.request.heaviest())
    }

    /// The weights up to which messages count in a search, so that those left out are worth little beside an error.
    fn last(&self, errors: &[f64]) -> usize {
        let k = self.request.k;
        let enough = |last: usize| {
            let mut qs = self.request.qs.iter().zip(errors);
            qs.all(|(&q, error)| between(k, q, last) <= LEFT_OUT * error)
        };
        (0..=k / 2).find(|&last| enough(last)).unwrap_or(k / 2)
    }

    fn messages(&self, last: usize) -> Messages {
        let most = if self.request.is_exact() { u64::MAX } else { DRAWN };
        Messages::new(self.request.k, last, most, self.request.seed)
    }

    /// The weights for the first round: those that matter for a random code a hundred times better than it is.
    fn first_last(&self) -> usize {
        let half = self.request.k / 2;
        let rows = random_rows(&self.request, &mut ChaCha8Rng::seed_from_u64(self.request.seed));
        let mut last = half.min(4);
        loop {
            let messages = self.messages(last);
            let objective = Objective::new(&self.request, &messages);
            let mut votes = Votes::new(&self.request, &messages, &objective, &rows);
            votes.value();
            let hoped: Vec<f64> = votes.errors().iter().map(|error| error / 10.0).collect();
            let needed = self.last(&hoped);
            if needed <= last {
                return last;
            }
            last = needed.min(last + 1);
        }
    }

    /// The error of these rows over all messages that can be counted, or over the sample.
    fn judge(&self, rows: &[Row]) -> Result<Budgeted, ConstructError> {
        let messages = self.messages(self.request.k / 2);
        let objective = Objective::new(&self.request, &messages);
        let mut votes = Votes::new(&self.request, &messages, &objective, rows);
        let value = votes.value();
        let supports: Vec<Vec<usize>> = rows.iter().map(|row| row.held().collect()).collect();
        let matrix = AllocationMatrix::from_supports(self.request.k, &supports)?;
        Ok(Budgeted { matrix, errors: votes.errors().to_vec(), value })
    }

    /// One more round. Returns what it found, if it is better than everything before; a round that `stopped` cuts
    /// short may find something, too, but does not count.
    ///
    /// # Errors
    /// When the code that was found is none: a bug.
    pub fn advance(
        &mut self,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Budgeted>, ConstructError> {
        let last = self.best.as_ref().map_or_else(|| self.first_last(), |best| self.last(&best.errors));
        let messages = self.messages(last);
        let objective = Objective::new(&self.request, &messages);
        let enough = MOVES_AN_ENTRY * (self.request.n * self.request.k) as u64;
        let moves =
            (WORK / (messages.blocks as u64 + OVERHEAD)).clamp(512, enough) << self.rounds.min(DOUBLINGS);
        let walk = |walk: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(self.request.seed);
            random.set_stream(self.rounds * WALKS + walk + 1);
            // Half of the walks go on from the best so far, not as freely.
            let best = self.best.as_ref().filter(|_| walk % 2 == 1);
            let (rows, hot) = match best {
                Some(best) => (rows_of(&best.matrix), 0.05),
                None => (random_rows(&self.request, &mut random), 0.4),
            };
            let mut votes = Votes::new(&self.request, &messages, &objective, &rows);
            let schedule = Schedule { moves, hot, cold: 0.004 };
            let (value, rows) = anneal(&self.request, &mut votes, rows, schedule, &mut random, stopped);
            (value, walk, rows)
        };
        let found =
            (0..WALKS).into_par_iter().map(walk).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let found = match found {
            Some((_, _, rows)) => Some(self.judge(&rows)?),
            None => None,
        };
        let better = |found: &Budgeted| self.best.as_ref().is_none_or(|best| found.value < best.value);
        let found = found.filter(better);
        if !stopped() {
            self.rounds += 1;
            if found.is_some() {
                self.best.clone_from(&found);
            }
        }
        Ok(found)
    }

    /// The state as a JSON document, `ecode/budget/1`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rows = |best: &Budgeted| -> Vec<Vec<usize>> {
            (0..best.matrix.n()).map(|j| best.matrix.support(j).collect()).collect()
        };
        json!({
            "schema": "ecode/budget/1",
            "search": self.request.to_json(),
            "rounds": self.rounds,
            "best": self.best.as_ref().map(rows),
        })
    }

    /// Reads the state of a search for this request.
    ///
    /// # Errors
    /// [`BudgetStateError`]: the text is no state, or that of another search.
    pub fn resume(request: BudgetRequest, text: &str) -> Result<Self, BudgetStateError> {
        let state: Value =
            serde_json::from_str(text).map_err(|_| BudgetStateError::Broken("a JSON document"))?;
        if state["schema"] != "ecode/budget/1" {
            return Err(BudgetStateError::Broken("the schema ecode/budget/1"));
        }
        for (name, asked) in request.to_json().as_object().into_iter().flatten() {
            let stored = &state["search"][name];
            if stored != asked {
                let (name, stored, asked) = (name.clone(), stored.to_string(), asked.to_string());
                return Err(BudgetStateError::Other { name, stored, asked });
            }
        }
        let rounds = state["rounds"].as_u64().ok_or(BudgetStateError::Broken("'rounds' as a number"))?;
        let broken = || BudgetStateError::Broken("'best' as the rows of a code within the budget, or null");
        let mut run = Self { request, rounds, best: None };
        run.request.check().map_err(|_| broken())?;
        if !state["best"].is_null() {
            let rows: Vec<Vec<usize>> =
                serde_json::from_value(state["best"].clone()).map_err(|_| broken())?;
            let matrix = AllocationMatrix::from_supports(run.request.k, &rows).map_err(|_| broken())?;
            if !run.keeps(&matrix) {
                return Err(broken());
            }
            run.best = Some(run.judge(&rows_of(&matrix)).map_err(|_| broken())?);
        }
        Ok(run)
    }
}

fn rows_of(g: &AllocationMatrix) -> Vec<Row> {
    (0..g.n()).map(|j| Row::of(g.k(), g.support(j))).collect()
}
