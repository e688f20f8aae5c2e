//! The search in rounds.
//!
//! # What is promised
//! The same request, known assignments and number of rounds find the same. The best is judged by an engine, not by the walk.

use ecode_core::{AllocationMatrix, Workers};
use ecode_verify::{Assignment, Control, Distortion, Method, VerifyError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rayon::prelude::*;

use super::pool::{Pool, climbed};
use super::request::AssignRequest;
use super::rotation::Rotation;
use super::walk::{Files, Schedule, anneal, random_files};
use crate::construct::ConstructError;

/// An assignment with what was proved of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Workers × files.
    pub matrix: AllocationMatrix,
    /// The most files that q liars overturn.
    pub worst: Distortion,
}

impl Assigned {
    /// Whether no set of liars overturns more than the one that is named.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.worst.is_exact()
    }
}

/// A search and how far it is.
pub struct AssignRun {
    request: AssignRequest,
    /// The orders of rotations that walks try in turn.
    rotations: Vec<Rotation>,
    /// Sets that walks were missing, where not all are listed.
    met: Vec<u64>,
    rounds: u64,
    best: Assigned,
}

/// Walks of a round.
const WALKS: u64 = 4;
/// What a walk of the first round takes, in sets looked at; each further round takes twice as much …
const WORK: u64 = 1 << 30;
/// … so many times.
const DOUBLINGS: u64 = 4;
/// Changes of a walk at the most.
const MOST_MOVES: u64 = 1 << 22;
/// Where a walk's sets were too few, it goes on with the ones that were missing, so many times.
const REPAIRS: usize = 64;
/// Beginnings of a search for such sets.
const BEGINNINGS: usize = 48;
/// Temperatures, in files too many.
const HOT: f64 = 2.5;
const COLD: f64 = 0.2;

impl AssignRun {
    /// A search that has not begun: from the best of the assignments that are known, or from a random one.
    ///
    /// # Errors
    /// Those of [`AssignRequest::check`].
    pub fn new(
        request: AssignRequest,
        known: &[AllocationMatrix],
        control: &Control,
    ) -> Result<Self, AssignError> {
        request.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(request.seed);
        let rotations = Rotation::all(request.workers, request.files);
        let still = rotations[rotations.len() - 1];
        let start = matrix_of(&request, &random_files(&request, still, &mut random))?;
        let mut best: Option<Assigned> = None;
        for matrix in known.iter().filter(|known| request.fits(known)).chain([&start]) {
            let judged = judge(&request, matrix.clone(), control)?;
            if best.as_ref().is_none_or(|best| judged.worst.at_most < best.worst.at_most) {
                best = Some(judged);
            }
        }
        let Some(best) = best else { unreachable!("the start was judged") };
        Ok(Self { request, rotations, met: Vec::new(), rounds: 0, best })
    }

    /// Rounds finished so far.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// The best so far.
    #[must_use]
    pub fn best(&self) -> &Assigned {
        &self.best
    }

    /// Whether no assignment of these numbers is better: [`AssignRequest::least`] is met.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.best.worst.at_most <= self.request.least()
    }

    /// One more round: whether it found something better. A round that is stopped changes the best all the same, where it
    /// found something.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn advance(&mut self, control: &Control) -> Result<bool, AssignError> {
        let Some(most) = self.best.worst.at_most.checked_sub(1) else { return Ok(false) };
        let work = WORK << self.rounds.min(DOUBLINGS);
        let (request, rotations) = (&self.request, &self.rotations);
        let from = files_of(&self.best.matrix);
        let walked: Vec<Result<Walked, AssignError>> = (0..WALKS)
            .into_par_iter()
            .map(|walk| {
                let number = self.rounds * WALKS + walk;
                let mut random = ChaCha8Rng::seed_from_u64(request.seed);
                random.set_stream(1 + number);
                let rotation = rotations[(number % rotations.len() as u64) as usize];
                // Every other walk without a rotation begins at the best, less hot.
                let again = rotation.order() == 1 && number / rotations.len() as u64 % 2 == 1;
                let (start, hot) = if again {
                    (from.clone(), HOT / 2.0)
                } else {
                    (random_files(request, rotation, &mut random), HOT)
                };
                let sizes = (request.workers, request.liars);
                let pool = Pool::new(sizes, rotation, &self.met, &mut random);
                let walk = Walk { request, rotation, pool, work, most };
                walk.walked(start, hot, &mut random, control)
            })
            .collect();
        let mut better = false;
        for walked in walked {
            let Walked { found, met } = walked?;
            self.met.extend(met);
            if let Some(found) = found
                && found.worst.at_most < self.best.worst.at_most
            {
                (self.best, better) = (found, true);
            }
        }
        if !control.stopped() {
            self.rounds += 1;
        }
        Ok(better)
    }
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssignError {
    /// What is asked for does not fit.
    #[error(transparent)]
    Construct(#[from] ConstructError),
    /// An engine contradicts itself or another.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// What became of a walk.
struct Walked {
    /// An assignment that is better, judged.
    found: Option<Assigned>,
    /// Sets that were missing among those that it was tried against.
    met: Vec<u64>,
}

/// A walk that is to be made.
struct Walk<'a> {
    request: &'a AssignRequest,
    rotation: Rotation,
    pool: Pool,
    /// What it takes, in sets looked at.
    work: u64,
    /// No set may overturn more.
    most: usize,
}

impl Walk<'_> {
    fn walked(
        mut self,
        start: Files,
        mut hot: f64,
        random: &mut ChaCha8Rng,
        control: &Control,
    ) -> Result<Walked, AssignError> {
        let Self { request, rotation, work, most, .. } = self;
        let limits = (request.half(), most);
        let (mut base, mut met) = (start, Vec::new());
        for _ in 0..=REPAIRS {
            let each = (self.pool.sets.len() * rotation.order()) as u64;
            let schedule = Schedule { moves: (work / each.max(1)).min(MOST_MOVES), hot, cold: COLD };
            let sets = &self.pool.sets;
            if !anneal(&mut base, rotation, sets, limits, &schedule, random, &|| control.stopped()) {
                break;
            }
            let files = rotation.images(&base);
            let mut missing = Vec::new();
            if !self.pool.complete {
                let sizes = (request.workers, request.liars);
                missing = climbed(&files, sizes, limits, BEGINNINGS, random);
            }
            if missing.is_empty() {
                let judged = judge(request, matrix_of(request, &files)?, control)?;
                if judged.worst.at_most <= most {
                    return Ok(Walked { found: Some(judged), met });
                }
                if judged.worst.files <= most {
                    // It was stopped.
                    break;
                }
                missing.push(word(&judged.worst.worst));
            }
            let before = met.len();
            met.extend(missing.into_iter().filter(|&set| self.pool.add(set)));
            if met.len() == before {
                break;
            }
            // What is nearly right is not to be forgotten.
            hot = HOT / 5.0;
        }
        Ok(Walked { found: None, met })
    }
}

fn judge(
    request: &AssignRequest,
    matrix: AllocationMatrix,
    control: &Control,
) -> Result<Assigned, AssignError> {
    let Ok(assignment) = Assignment::new(&matrix) else {
        return Err(ConstructError::Parameter("a file has no holder".to_owned()).into());
    };
    let worst = assignment.worst(request.liars, 0, Method::Auto, control)?;
    Ok(Assigned { matrix, worst })
}

impl AssignRequest {
    /// Whether a matrix has these sizes and copies, and loads that differ by one at the most.
    fn fits(&self, g: &AllocationMatrix) -> bool {
        let loads = g.worker_loads();
        let (least, most) = (loads.iter().min().unwrap_or(&0), loads.iter().max().unwrap_or(&0));
        (g.n(), g.k()) == (self.workers, self.files)
            && g.partition_loads().iter().all(|&copies| copies == self.copies)
            && most - least <= 1
    }
}

fn word(workers: &Workers) -> u64 {
    workers.indices().fold(0, |word, j| word | 1 << j)
}

fn files_of(g: &AllocationMatrix) -> Files {
    (0..g.k()).map(|i| (0..g.n()).filter(|&j| g.holds(j, i)).fold(0, |word, j| word | 1 << j)).collect()
}

/// Files in the order of their words: the order in which a walk has them means nothing.
fn matrix_of(request: &AssignRequest, files: &[u64]) -> Result<AllocationMatrix, AssignError> {
    let mut files = files.to_vec();
    files.sort_unstable_by_key(|file| file.reverse_bits());
    files.reverse();
    let made = AllocationMatrix::from_fn(request.workers, request.files, |j, i| files[i] >> j & 1 == 1);
    Ok(made.map_err(ConstructError::from)?)
}
