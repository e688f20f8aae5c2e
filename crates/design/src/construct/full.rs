//! Full replication: every worker holds everything.

use serde_json::json;

use super::construction::{CLAIM, Construction, PARTITIONS, WORKERS};
use super::error::ConstructError;
use ecode_core::AllocationMatrix;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "full",
    summary: "Every worker holds everything",
    source: "the trivial code: majority vote over replicas",
    parameters: &[WORKERS, CLAIM, PARTITIONS],
    example: "n=9,b=4,k=5",
    build: |arguments, _, _| {
        let (n, k) = (arguments.needed("n")?, arguments.partitions()?);
        Ok((full(n, k)?, arguments.provenance(&[("n", json!(n)), ("k", json!(k))])))
    },
};

/// All ones: every worker holds everything, r = k. Tolerates (n − 1)/2 Byzantine workers, rounded down, where k is odd.
///
/// # Errors
/// When n or k is no size of a matrix.
pub fn full(n: usize, k: usize) -> Result<AllocationMatrix, ConstructError> {
    Ok(AllocationMatrix::from_fn(n, k, |_, _| true)?)
}
