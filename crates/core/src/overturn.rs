//! A majority for each partition: which of them liars overturn.
//!
//! Redundancy schemes such as DRACO, DETOX, ByzShield and Aspis send the same *file* (a partition) to several workers
//! and take, for each file, what most of its holders say.
//!
//! # References
//! L. Chen, H. Wang, Z. Charles and D. Papailiopoulos, *DRACO: Byzantine-resilient Distributed Training via Redundant
//! Gradients*, ICML 2018. S. Rajput, H. Wang, Z. Charles and D. Papailiopoulos, *DETOX*, NeurIPS 2019.
//! K. Konstantinidis and A. Ramamoorthy, *ByzShield*, MLSys 2021, and *Aspis*, arXiv:2108.02416.

use super::bits::{IndexSet, Partition, Workers};
use super::matrix::AllocationMatrix;

/// The partitions whose majority these liars overturn: of the copies that are not missing they hold at least half.
/// A partition without any copy is lost, and counts.
///
/// ```
/// use ecode_core::{AllocationMatrix, Workers, overturned};
/// // Three workers share partition 0, the first two also partition 1.
/// let g = AllocationMatrix::from_rows(&[[true, true], [true, true], [true, false]])?;
/// let (liars, none) = (Workers::from_indices(3, [0]), Workers::empty(3));
/// assert_eq!(overturned(&g, &liars, &none).indices().collect::<Vec<_>>(), [1]);
/// let missing = Workers::from_indices(3, [2]);
/// assert_eq!(overturned(&g, &liars, &missing).count(), 2);
/// # Ok::<(), ecode_core::MatrixError>(())
/// ```
///
/// # Panics
/// When the sets are not of n workers.
#[must_use]
pub fn overturned(g: &AllocationMatrix, liars: &Workers, missing: &Workers) -> IndexSet<Partition> {
    assert_eq!((liars.len(), missing.len()), (g.n(), g.n()), "sets of the matrix's workers");
    let is_overturned = |&i: &usize| {
        let copies = (0..g.n()).filter(|&j| g.holds(j, i) && !missing.contains(j));
        let (lies, all) =
            copies.fold((0, 0), |(lies, all), j| (lies + usize::from(liars.contains(j)), all + 1));
        2 * lies >= all
    };
    IndexSet::from_indices(g.k(), (0..g.k()).filter(is_overturned))
}
