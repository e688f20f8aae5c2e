//! What a check may cost: it can be stopped at any time, and its memory has stated limits.
//!
//! # What is promised
//! Every loop whose length a file decides asks [`Budget::spend`], so a check ends within a fraction of a second after
//! it was told to stop. Everything that grows with a file is counted against one of the limits below; with all of them
//! reached, a check of a file of 128 MiB stays below 2 GiB.

use std::cell::Cell;

/// The largest certificate that is read, in bytes.
pub const MAX_FILE: u64 = 128 << 20;

/// The inequalities that a cutting-planes proof keeps at the same time have at most so many terms, each
/// inequality being counted as [`INEQUALITY`] more: room for the claim of a matrix of 4096 × 4096 ones.
pub const MOST_TERMS: usize = 3 << 23;

/// What an inequality costs besides its terms, in terms.
pub const INEQUALITY: usize = 4;

/// A DRAT proof has at most so many different clauses, the formula's among them.
pub const MOST_DRAT_CLAUSES: usize = 1 << 23;

/// The variables of a DRAT proof, the formula's among them, are at most so many.
pub const MOST_DRAT_VARIABLES: usize = 1 << 22;

/// A whole number has at most so many digits: C(4096, 2048) has 1232.
pub(crate) const MOST_DIGITS: usize = 1300;

/// The check was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// So many units of work, some nanoseconds each, are done between two looks at the clock.
const GLANCE: usize = 1 << 20;

/// Asks now and then whether to go on.
pub(crate) struct Budget<'a> {
    stopped: &'a dyn Fn() -> bool,
    unseen: Cell<usize>,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(stopped: &'a dyn Fn() -> bool) -> Self {
        Self { stopped, unseen: Cell::new(0) }
    }

    /// Says that so much work was done.
    ///
    /// # Errors
    /// [`Stopped`] when the work should end.
    pub(crate) fn spend(&self, work: usize) -> Result<(), Stopped> {
        let unseen = self.unseen.get().saturating_add(work);
        if unseen < GLANCE {
            self.unseen.set(unseen);
            return Ok(());
        }
        self.unseen.set(0);
        if (self.stopped)() { Err(Stopped) } else { Ok(()) }
    }
}
