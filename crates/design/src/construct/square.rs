//! The best known codes with as many partitions as workers.

use super::block::Block;
use super::disjoint::Disjoint;
use super::error::{ConstructError, refuse};
use super::gluing::Gluing;
use super::known::{KnownCode, Provenance};
use super::listed::listed_codes;
use super::{algorithm1, uncoded};
use ecode_core::MAX_SIZE;

/// The code with the fewest ones that the program knows for an odd n and b, with as many partitions as workers;
/// among equal ones Algorithm 1's.
///
/// ```
/// use ecode_design::construct::{algorithm1, best};
/// assert_eq!(best(9, 2)?.matrix.ones(), 59);
/// assert_eq!(algorithm1(9, 2)?.ones(), 61);
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// When n is even or above 4096, or b > (n − 1)/2.
pub fn best(n: usize, b: usize) -> Result<KnownCode, ConstructError> {
    best_with(n, b, super::blocks())
}

/// The same with other blocks than the program's own.
///
/// # Errors
/// Those of [`best`].
pub fn best_with(n: usize, b: usize, blocks: &[Block]) -> Result<KnownCode, ConstructError> {
    if n % 2 == 0 || n > MAX_SIZE {
        return refuse(format!(
            "the best known codes with as many partitions as workers are for odd numbers up to {MAX_SIZE}, but n = {n}"
        ));
    }
    if b > (n - 1) / 2 {
        let most = (n - 1) / 2;
        return refuse(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
    }
    if b == 0 {
        return Ok(KnownCode { matrix: uncoded(n)?, b, provenance: Provenance::Uncoded });
    }
    let mut best = KnownCode { matrix: algorithm1(n, b)?, b, provenance: Provenance::Algorithm1 };
    let glued = Gluing::with_blocks(n, b, blocks)?;
    if glued.matrix.ones() < best.matrix.ones() {
        best = KnownCode { matrix: glued.matrix, b, provenance: Provenance::Gluing(glued.shape) };
    }
    let disjoint = Disjoint::new(n, b)?;
    if disjoint.ones() < best.matrix.ones() {
        best = KnownCode { matrix: disjoint.matrix()?, b, provenance: Provenance::Disjoint };
    }
    let listed = listed_codes(n, n, b, blocks).min_by_key(|code| code.matrix.ones());
    if let Some(listed) = listed.filter(|listed| listed.matrix.ones() < best.matrix.ones()) {
        best = listed;
    }
    Ok(best)
}
