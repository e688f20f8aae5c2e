//! Allocations known from elsewhere, for comparison.

use super::{ConstructError, parameter};
use ecode_core::AllocationMatrix;

/// The identity: each worker its own partition, r = 1. SignSGD with majority vote (Bernstein et al.,
/// ICLR 2019); tolerates no Byzantine worker.
///
/// # Errors
/// When n is no size of a matrix.
pub fn uncoded(n: usize) -> Result<AllocationMatrix, ConstructError> {
    Ok(AllocationMatrix::from_fn(n, n, |j, i| i == j)?)
}

/// All ones: every worker holds everything, r = k. Tolerates (n − 1)/2 Byzantine workers.
///
/// # Errors
/// When n or k is no size of a matrix.
pub fn full(n: usize, k: usize) -> Result<AllocationMatrix, ConstructError> {
    Ok(AllocationMatrix::from_fn(n, k, |_, _| true)?)
}

/// Fractional repetition: groups of g workers share the same g partitions, r = g, as in DRACO (Chen et
/// al., ICML 2018) and DETOX (Rajput et al., NeurIPS 2019).
///
/// # Errors
/// When g does not divide n, or n is no size of a matrix.
pub fn repetition(n: usize, group: usize) -> Result<AllocationMatrix, ConstructError> {
    if group == 0 || n % group != 0 {
        return parameter(format!("repetition needs a group size that divides n = {n}, but g = {group}"));
    }
    Ok(AllocationMatrix::from_fn(n, n, |j, i| i / group == j / group)?)
}

/// Cyclic: worker j holds the d partitions j, j+1, …, j+d−1 (mod n), r = d, as in gradient coding
/// (Tandon et al., ICML 2017).
///
/// # Errors
/// When d is not in 1..=n, or n is no size of a matrix.
pub fn cyclic(n: usize, d: usize) -> Result<AllocationMatrix, ConstructError> {
    if !(1..=n).contains(&d) {
        return parameter(format!("cyclic needs 1 ≤ d ≤ n = {n}, but d = {d}"));
    }
    Ok(AllocationMatrix::from_fn(n, n, |j, i| (i + n - j) % n < d)?)
}
