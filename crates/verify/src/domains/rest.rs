//! What a matrix must tolerate when certain workers lie: a claim about the others.

use crate::engine::Unsuitable;
use ecode_core::{AllocationMatrix, MAX_SIZE, Workers};

/// A claim that holds exactly where certain liars overturn no message: that [`Rest::matrix`] tolerates [`Rest::b`] workers.
///
/// Let ℓ workers lie. For ℓ even the matrix is that of the others, and b is ℓ/2. For ℓ odd every other worker stands in it
/// twice, and b is ℓ (docs/theory/domains.md, Theorem 41).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The others' rows.
    pub matrix: AllocationMatrix,
    /// How many of them are to be tolerated.
    pub b: usize,
}

impl Rest {
    /// What the workers that do not lie must tolerate; none where all lie, which overturns every message.
    ///
    /// # Errors
    /// [`Unsuitable`] where the matrix would be too large.
    ///
    /// # Panics
    /// When the set is not of the matrix's workers.
    pub fn of(g: &AllocationMatrix, liars: &Workers) -> Result<Option<Self>, Unsuitable> {
        assert_eq!(liars.len(), g.n(), "a set of the matrix's workers");
        let others: Vec<usize> = (0..g.n()).filter(|&j| !liars.contains(j)).collect();
        let lying = liars.count();
        if others.is_empty() {
            return Ok(None);
        }
        let (times, b) = if lying % 2 == 0 { (1, lying / 2) } else { (2, lying) };
        let rows = times * others.len();
        let row = |j: usize| others[j / times];
        let matrix = AllocationMatrix::from_fn(rows, g.k(), |j, i| g.holds(row(j), i)).map_err(|_| {
            Unsuitable(format!(
                "{lying} of {} workers in a set of domains: the claim about the others has {rows} rows, more than \
                 {MAX_SIZE}",
                g.n()
            ))
        })?;
        Ok(Some(Self { matrix, b }))
    }
}
