//! What is searched for: sizes, price, and against how many liars.

use crate::construct::ConstructError;
use ecode_verify::binomials;
use num_bigint::BigUint;

/// Workers, files, copies of each file, and how many lie. The loads of the workers differ by one at the most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignRequest {
    /// K.
    pub workers: usize,
    /// f.
    pub files: usize,
    /// r: so many workers hold each file.
    pub copies: usize,
    /// q: against so many liars.
    pub liars: usize,
    /// The random seed.
    pub seed: u64,
}

/// A set of workers is a word.
pub(super) const MOST_WORKERS: usize = 64;
const MOST_FILES: usize = 255;

impl AssignRequest {
    /// Whether it can be searched for.
    ///
    /// # Errors
    /// [`ConstructError`] with what does not fit.
    pub fn check(&self) -> Result<(), ConstructError> {
        let Self { workers, files, copies, liars, .. } = *self;
        let refuse = |what: String| Err(ConstructError::Parameter(what));
        if !(2..=MOST_WORKERS).contains(&workers) {
            return refuse(format!("the search takes 2 to {MOST_WORKERS} workers, not {workers}"));
        }
        if !(2..=MOST_FILES).contains(&files) {
            return refuse(format!("the search takes 2 to {MOST_FILES} files, not {files}"));
        }
        if !(1..workers).contains(&copies) {
            return refuse(format!("each file has 1 to {} copies, not {copies}", workers - 1));
        }
        if !(1..=workers).contains(&liars) {
            return refuse(format!("there are {workers} workers, so 1 to {workers} lie, not {liars}"));
        }
        Ok(())
    }

    /// Copies of a file that liars need.
    pub(super) fn half(&self) -> usize {
        self.copies.div_ceil(2)
    }

    /// No assignment with so many copies of each file has a smaller worst case: the mean over all sets of liars, which is
    /// the same for all of them, rounded up.
    #[must_use]
    pub fn least(&self) -> usize {
        let (own, other) = (binomials(self.copies), binomials(self.workers - self.copies));
        let seen = self.half().max((self.liars + self.copies).saturating_sub(self.workers))
            ..=self.copies.min(self.liars);
        let overturning: BigUint = seen.map(|lies| &own[lies] * &other[self.liars - lies]).sum();
        let (sum, sets) = (overturning * self.files, &binomials(self.workers)[self.liars]);
        usize::try_from((sum + sets - 1_u32) / sets).unwrap_or(self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_assignment_is_below_the_mean() {
        let least =
            |workers, files, copies, liars| AssignRequest { workers, files, copies, liars, seed: 0 }.least();
        // 2.033 and 8.516 on the average (docs/schemes.md).
        assert_eq!((least(15, 25, 3, 3), least(15, 25, 3, 6)), (3, 9));
        // Groups of three: two of six liars hold two copies of one of two files with probability 6/15 = 0.4.
        assert_eq!((least(6, 2, 3, 2), least(6, 2, 3, 6), least(6, 2, 3, 1)), (1, 2, 0));
    }
}
