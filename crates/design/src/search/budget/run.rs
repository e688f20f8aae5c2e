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

use super::bound::least_errors;
use super::messages::Messages;
use super::objective::{Objective, between};
use super::request::BudgetRequest;
use super::row::Row;
use super::votes::Votes;
use super::walk::{Schedule, Structure, anneal, random_rows, structured};
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
    /// No code errs less often, at each q.
    least: Vec<f64>,
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
/// A walk looks at all messages of a weight, or at so many that are drawn anew in every round.
const SEARCHED: u64 = 1 << 15;
/// What a round has found is judged by all messages of each weight, or by so many that no walk has seen.
const JUDGED: u64 = 1 << 17;

impl BudgetRun {
    /// A search that has not begun; from the best of the codes that are known, where one keeps the budget.
    ///
    /// # Errors
    /// Those of [`BudgetRequest::check`].
    pub fn new(request: BudgetRequest, known: &[AllocationMatrix]) -> Result<Self, ConstructError> {
        request.check()?;
        let mut run = Self { least: least_errors(&request), request, rounds: 0, best: None };
        let known: Vec<&AllocationMatrix> = known.iter().filter(|known| run.keeps(known)).collect();
        if !known.is_empty() {
            let judged = run.judged();
            for known in known {
                let code = run.judge(&judged, &rows_of(known))?;
                if run.best.as_ref().is_none_or(|best| code.value < best.value) {
                    run.best = Some(code);
                }
            }
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

    /// What no code within the budget errs less often than, at each q.
    #[must_use]
    pub fn least(&self) -> &[f64] {
        &self.least
    }

    /// Whether nothing within the budget errs less often than the best of the finished rounds.
    #[must_use]
    pub fn settled(&self) -> bool {
        let least = |best: &Budgeted| -> bool {
            let mut errors = self.least.iter().zip(&best.errors);
            // A bound has lost something to rounding.
            self.request.is_exact() && errors.all(|(least, &error)| error <= least * (1.0 + 2e-9))
        };
        self.best.as_ref().is_some_and(least)
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

    /// The messages of a round's walks.
    fn searched(&self, last: usize) -> Messages {
        Messages::new(self.request.k, last, SEARCHED, self.request.seed.wrapping_add(self.rounds))
    }

    /// The messages by which codes are judged.
    fn judged(&self) -> Messages {
        let most = if self.request.is_exact() { u64::MAX } else { JUDGED };
        Messages::new(self.request.k, self.request.k / 2, most, !self.request.seed)
    }

    /// The weights for the first round: those that matter for a code ten times better than a random one.
    fn first_last(&self) -> usize {
        let half = self.request.k / 2;
        let rows = random_rows(&self.request, &mut ChaCha8Rng::seed_from_u64(self.request.seed));
        let mut last = half.min(4);
        loop {
            let messages = self.searched(last);
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
    fn judge(&self, messages: &Messages, rows: &[Row]) -> Result<Budgeted, ConstructError> {
        let objective = Objective::new(&self.request, messages);
        let mut votes = Votes::new(&self.request, messages, &objective, rows);
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
        let messages = self.searched(last);
        let objective = Objective::new(&self.request, &messages);
        let enough = MOVES_AN_ENTRY * (self.request.n * self.request.k) as u64;
        let moves =
            (WORK / (messages.blocks as u64 + OVERHEAD)).clamp(512, enough) << self.rounds.min(DOUBLINGS);
        let walk = |walk: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(self.request.seed);
            random.set_stream(self.rounds * WALKS + walk + 1);
            // Like loads are a part of all codes that wide limits make hard to find.
            let like = self.request.ones.div_ceil(self.request.n) | 1;
            let limited = BudgetRequest { max_load: like.min(self.request.max_load), ..self.request.clone() };
            let structures = [Structure::Uncoded, Structure::Cyclic, Structure::Groups];
            let (cool, free) = (0.05, 0.4);
            // Half of the walks go on from the best so far, not as freely.
            let (request, rows, hot) = match (walk, &self.best) {
                (1 | 3 | 5 | 7, Some(best)) => (&self.request, rows_of(&best.matrix), cool),
                (4 | 6 | 7, _) => {
                    let which = (self.rounds * 2 + walk / 2) as usize + usize::from(walk == 7);
                    (&self.request, structured(&self.request, structures[which % 3]), cool)
                }
                (2, _) => (&limited, random_rows(&limited, &mut random), free),
                _ => (&self.request, random_rows(&self.request, &mut random), free),
            };
            let mut votes = Votes::new(&self.request, &messages, &objective, &rows);
            let schedule = Schedule { moves, hot, cold: 0.004 };
            let (_, rows) = anneal(request, &mut votes, rows, schedule, &mut random, stopped);
            (walk, rows)
        };
        let mut found: Vec<(u64, Vec<Row>)> = (0..WALKS).into_par_iter().map(walk).collect();
        found.sort_unstable_by_key(|found| found.0);
        let judged = self.judged();
        // One after the other: the votes of large codes take much memory.
        let mut best: Option<Budgeted> = None;
        for (_, rows) in found {
            let found = self.judge(&judged, &rows)?;
            if best.as_ref().is_none_or(|best| found.value < best.value) {
                best = Some(found);
            }
        }
        let found = best;
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
        request.check().map_err(|_| broken())?;
        let mut run = Self { least: least_errors(&request), request, rounds, best: None };
        if !state["best"].is_null() {
            let rows: Vec<Vec<usize>> =
                serde_json::from_value(state["best"].clone()).map_err(|_| broken())?;
            let matrix = AllocationMatrix::from_supports(run.request.k, &rows).map_err(|_| broken())?;
            if !run.keeps(&matrix) {
                return Err(broken());
            }
            run.best = Some(run.judge(&run.judged(), &rows_of(&matrix)).map_err(|_| broken())?);
        }
        Ok(run)
    }
}

fn rows_of(g: &AllocationMatrix) -> Vec<Row> {
    (0..g.n()).map(|j| Row::of(g.k(), g.support(j))).collect()
}
