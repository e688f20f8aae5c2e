//! The worst-case distortion of a redundancy scheme: the most files whose majority q liars overturn.
//!
//! DRACO, DETOX, ByzShield and Aspis hand each *file* (a partition) to several workers, and take a majority for each
//! file. q liars overturn a file of which they hold at least half of the copies. The largest number of files that
//! q liars overturn is c_max(q). Transposed, it is the question of this crate: files as rows, workers as columns, and
//! a choice of q columns ([`Instance::of_weight`]). So the engines answer it.
//!
//! # What is promised
//! - The worst set of a [`Distortion`] was counted again by [`overturned`], on the assignment itself.
//! - [`Distortion::is_exact`] says that no other set overturns more. Where the work was stopped, it does not, and
//!   `at_most` is a bound that was proved on the way.
//!
//! # References
//! - L. Chen, H. Wang, Z. Charles and D. Papailiopoulos: DRACO. ICML 2018.
//! - S. Rajput, H. Wang, Z. Charles and D. Papailiopoulos: DETOX. NeurIPS 2019.
//! - K. Konstantinidis and A. Ramamoorthy: ByzShield. MLSys 2021.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use itertools::Itertools as _;
use num_bigint::BigUint;

use super::bound::most_loss;
use super::control::Control;
use super::count::Count;
use super::instance::Instance;
use super::method::Method;
use super::plan::Request;
use super::verdict::{Verdict, VerifyError};
use ecode_core::{AllocationMatrix, Workers, overturned};

/// A file that no worker holds: its majority does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no worker holds partition {0}, so it has no majority")]
pub struct NoHolder(pub usize);

/// Which worker holds which files, ready for questions.
///
/// ```
/// use ecode_core::AllocationMatrix;
/// use ecode_verify::{Assignment, Control, Method};
/// // Six workers in two groups of three; each group shares one file.
/// let g = AllocationMatrix::from_fn(6, 2, |j, i| j / 3 == i)?;
/// let assignment = Assignment::new(&g)?;
/// let worst = assignment.worst(2, 0, Method::Auto, &Control::default())?;
/// assert_eq!((worst.files, worst.is_exact()), (1, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Assignment<'a> {
    matrix: &'a AllocationMatrix,
    /// Files × workers.
    files: AllocationMatrix,
}

/// How much q liars overturn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distortion {
    /// q.
    pub liars: usize,
    /// How many files the worst set overturns that was met.
    pub files: usize,
    /// Proved: no set of q liars overturns more.
    pub at_most: usize,
    /// The worst set of q workers that was met.
    pub worst: Workers,
    /// The workers whose copies are missing then, where some are.
    pub missing: Workers,
    /// The name of the engine that proved `at_most`.
    pub method: &'static str,
    /// Sets that were evaluated one by one, after merging what is alike.
    pub evaluated: u128,
    /// Wall time.
    pub elapsed: Duration,
}

impl Distortion {
    /// Whether this is c_max(q): no set overturns more.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.files == self.at_most
    }
}

impl<'a> Assignment<'a> {
    /// The assignment of a matrix: row j lists the files of worker j.
    ///
    /// # Errors
    /// [`NoHolder`].
    pub fn new(matrix: &'a AllocationMatrix) -> Result<Self, NoHolder> {
        match matrix.partition_loads().iter().position(|&copies| copies == 0) {
            Some(file) => Err(NoHolder(file)),
            None => Ok(Self { matrix, files: matrix.transposed() }),
        }
    }

    /// Workers × files: row j lists the files of worker j.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        self.matrix
    }

    /// Files × workers: row i lists the holders of file i.
    #[must_use]
    pub fn files(&self) -> &AllocationMatrix {
        &self.files
    }

    /// The instance that engines and enumerations take: all choices of q workers.
    ///
    /// # Panics
    /// When there are fewer workers.
    #[must_use]
    pub fn instance(&self, liars: usize) -> Instance<'_> {
        Instance::of_weight(&self.files, liars)
    }

    /// The most files that q liars overturn. Where copies of `stragglers` workers are missing, too, the worst such
    /// workers are: a file is overturned when the liars hold at least half of the copies that are there, and
    /// lost when none is there, which counts as well.
    ///
    /// # Errors
    /// [`VerifyError`]: a method that is not built or does not take the matrix, or contradicting engines.
    ///
    /// # Panics
    /// When there are fewer workers than liars and stragglers together.
    pub fn worst(
        &self,
        liars: usize,
        stragglers: usize,
        method: Method,
        control: &Control,
    ) -> Result<Distortion, VerifyError> {
        let n = self.matrix.n();
        assert!(liars + stragglers <= n, "{liars} liars and {stragglers} stragglers of {n} workers");
        let start = Instant::now();
        let mut all: Option<Distortion> = None;
        for missing in (0..n).combinations(stragglers) {
            let missing = Workers::from_indices(n, missing);
            let here = self.with_missing(liars, &missing, method, control)?;
            let sum = all.get_or_insert_with(|| here.clone());
            let (at_most, evaluated) = (sum.at_most.max(here.at_most), sum.evaluated + here.evaluated);
            if here.files > sum.files {
                *sum = here;
            }
            (sum.at_most, sum.evaluated) = (at_most, evaluated);
            if control.stopped() {
                // Whatever the stragglers, they and the liars overturn no more than as many liars.
                sum.at_most = self.bound(liars + stragglers);
                break;
            }
        }
        let Some(mut all) = all else { unreachable!("there is a choice of no stragglers") };
        all.elapsed = start.elapsed();
        Ok(all)
    }

    /// [`Self::worst`] for each of these numbers of liars, in increasing order. Where the work is stopped, what is
    /// known of one number is used for the others: more liars never overturn fewer files.
    ///
    /// # Errors
    /// Those of [`Self::worst`].
    ///
    /// # Panics
    /// Those of [`Self::worst`], and when the numbers do not increase.
    pub fn points(
        &self,
        liars: &[usize],
        stragglers: usize,
        method: Method,
        control: &Control,
    ) -> Result<Vec<Distortion>, VerifyError> {
        assert!(liars.is_sorted_by(|a, b| a < b), "{liars:?} do not increase");
        let points = liars.iter().map(|&liars| self.worst(liars, stragglers, method, control));
        let mut points = points.collect::<Result<Vec<_>, _>>()?;
        tighten(self.matrix, &mut points);
        Ok(points)
    }

    fn with_missing(
        &self,
        liars: usize,
        missing: &Workers,
        method: Method,
        control: &Control,
    ) -> Result<Distortion, VerifyError> {
        let present: Vec<usize> = (0..self.matrix.n()).filter(|&j| !missing.contains(j)).collect();
        let rest;
        let files = if missing.count() == 0 {
            &self.files
        } else {
            // One present worker at least stays: a matrix has a column.
            let columns = if present.is_empty() { &[0][..] } else { &present };
            let held = |i: usize, j: usize| !present.is_empty() && self.files.holds(i, columns[j]);
            let Ok(made) = AllocationMatrix::from_fn(self.files.n(), columns.len(), held) else {
                unreachable!("a part of a matrix has a valid size")
            };
            rest = made;
            &rest
        };
        let verdict = Request::of_weight(files, liars).method(method).decide(control)?;
        self.of_search(&verdict, files, liars, missing, &present)
    }

    /// What a search among all sets of liars found.
    pub(crate) fn of_verdict(&self, verdict: &Verdict, liars: usize) -> Result<Distortion, VerifyError> {
        let all: Vec<usize> = (0..self.matrix.n()).collect();
        self.of_search(verdict, &self.files, liars, &Workers::empty(all.len()), &all)
    }

    /// The same where only the copies of the workers `present` are there, the columns of `files`. The set is counted
    /// again.
    fn of_search(
        &self,
        verdict: &Verdict,
        files: &AllocationMatrix,
        liars: usize,
        missing: &Workers,
        present: &[usize],
    ) -> Result<Distortion, VerifyError> {
        let chosen = verdict.worst.as_ref().map(|worst| worst.message.indices().collect::<Vec<_>>());
        let chosen = chosen.unwrap_or_else(|| (0..liars).collect());
        let worst = Workers::from_indices(self.matrix.n(), chosen.into_iter().map(|i| present[i]));
        let won = overturned(self.matrix, &worst, missing).count();
        // A margin is ⌊rows/2⌋ less the rows won.
        let of_margin = |margin: i64| (self.files.n() / 2) as i64 - margin;
        if verdict.worst.as_ref().is_some_and(|worst| of_margin(worst.margin) != won as i64) {
            return Err(VerifyError::Replay(verdict.method));
        }
        let proved = verdict.floor.and_then(|floor| usize::try_from(of_margin(floor)).ok());
        let bound = Instance::of_weight(files, liars).sides().iter().map(|side| most_loss(side) / 2).max();
        let at_most = proved.unwrap_or(usize::MAX).min(bound.unwrap_or(usize::MAX)).min(self.files.n());
        if at_most < won {
            return Err(VerifyError::Replay(verdict.method));
        }
        Ok(Distortion {
            liars,
            files: won,
            at_most,
            worst,
            missing: missing.clone(),
            method: verdict.method,
            evaluated: verdict.evaluated,
            elapsed: verdict.elapsed,
        })
    }

    /// How many sets of liars overturn how many files: files → sets, of what was counted over [`Self::instance`].
    #[must_use]
    pub fn sets_by_files(&self, count: &Count) -> BTreeMap<usize, BigUint> {
        // A margin is half of the files less those that are overturned.
        let half = (self.files.n() / 2) as i64;
        let files = |margin: i64| usize::try_from(half - margin).ok();
        let counted = count.margins.iter().flatten();
        counted.filter_map(|(&margin, sets)| Some((files(margin)?, sets.clone()))).collect()
    }

    /// What is known of so many liars without work: by the loads alone.
    pub(crate) fn bound(&self, liars: usize) -> usize {
        let sides = self.instance(liars).sides();
        sides.iter().map(|side| most_loss(side) / 2).max().unwrap_or(0).min(self.files.n())
    }
}

/// Lets points tell each other what they know: more liars never overturn fewer files. `points` stand in
/// increasing order of their liars, all of one assignment and number of stragglers.
fn tighten(matrix: &AllocationMatrix, points: &mut [Distortion]) {
    for place in 1..points.len() {
        let (before, here) = points.split_at_mut(place);
        let (before, here) = (&before[place - 1], &mut here[0]);
        if before.files > here.files {
            let spare = (0..matrix.n()).filter(|&j| !before.worst.contains(j) && !before.missing.contains(j));
            let more = spare.take(here.liars - before.liars);
            here.worst = Workers::from_indices(matrix.n(), before.worst.indices().chain(more));
            here.missing = before.missing.clone();
            here.files = overturned(matrix, &here.worst, &here.missing).count();
        }
    }
    for place in (1..points.len()).rev() {
        points[place - 1].at_most = points[place - 1].at_most.min(points[place].at_most);
    }
}
