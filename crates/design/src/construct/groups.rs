//! Groups of workers that compute the same file.

use serde_json::json;

use super::construction::{CLAIM, Construction, REPLICAS, WORKERS};
use super::error::{ConstructError, refuse};
use ecode_core::AllocationMatrix;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "groups",
    summary: "Each group of r workers computes one file",
    source: "Chen et al., ICML 2018 (DRACO); Rajput et al., NeurIPS 2019 (DETOX)",
    parameters: &[WORKERS, CLAIM, REPLICAS],
    example: "n=15,b=0,r=3",
    build: |arguments, _, _| {
        let (n, r) = (arguments.needed("n")?, arguments.needed("replicas")?);
        let made = arguments.provenance(&[("n", json!(n)), ("replicas", json!(r))]);
        Ok((groups(n, r)?, made))
    },
};

/// n/r groups of r workers, each with one file: load 1. With r odd, q liars overturn at most
/// ⌊q / ((r + 1)/2)⌋ files. [`repetition`](super::repetition()) is the same with r files for each group.
///
/// # Errors
/// When r does not divide n, or n is no size of a matrix.
///
/// # References
/// - L. Chen, H. Wang, Z. Charles and D. Papailiopoulos: DRACO: Byzantine-resilient distributed training via redundant
///   gradients. ICML 2018.
/// - S. Rajput, H. Wang, Z. Charles and D. Papailiopoulos: DETOX: a redundancy-based framework for faster and more
///   robust gradient aggregation. NeurIPS 2019.
pub fn groups(n: usize, r: usize) -> Result<AllocationMatrix, ConstructError> {
    if r == 0 || n % r != 0 {
        return refuse(format!("groups needs an r that divides n = {n}, but r = {r}"));
    }
    Ok(AllocationMatrix::from_fn(n, n / r, |worker, file| worker / r == file)?)
}
