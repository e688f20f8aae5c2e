//! A file for every set of r workers.

use itertools::Itertools as _;
use serde_json::json;

use super::construction::{CLAIM, Construction, REPLICAS, WORKERS};
use super::error::{ConstructError, refuse};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "subsets",
    summary: "Every set of r workers has a file of its own",
    source: "Konstantinidis and Ramamoorthy, arXiv:2108.02416 (Aspis)",
    parameters: &[WORKERS.called("K"), CLAIM, REPLICAS],
    example: "n=6,b=0,r=3",
    build: |arguments, _, _| {
        let (n, r) = (arguments.needed("n")?, arguments.needed("replicas")?);
        let made = arguments.provenance(&[("n", json!(n)), ("replicas", json!(r))]);
        Ok((subsets(n, r)?, made))
    },
};

/// C(n, r) files, one for each set of r of the n workers, in lexicographic order.
///
/// # Errors
/// When r is not in 1..=n, or there would be more files than a matrix has columns.
///
/// # References
/// - K. Konstantinidis and A. Ramamoorthy: Aspis: robust detection for distributed learning. arXiv:2108.02416, 2021.
pub fn subsets(n: usize, r: usize) -> Result<AllocationMatrix, ConstructError> {
    if !(1..=n).contains(&r) {
        return refuse(format!("subsets needs 1 ≤ r ≤ n = {n}, but r = {r}"));
    }
    let sets: Vec<Vec<usize>> = (0..n.min(MAX_SIZE)).combinations(r).take(MAX_SIZE + 1).collect();
    if sets.len() > MAX_SIZE {
        return refuse(format!("subsets: {n} workers have more than {MAX_SIZE} sets of {r}"));
    }
    Ok(AllocationMatrix::from_fn(n, sets.len(), |worker, file| sets[file].contains(&worker))?)
}
