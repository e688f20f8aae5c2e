//! Uncoded SignSGD: every worker its own partition.

use serde_json::json;

use super::construction::{Construction, LIARS, WORKERS};
use super::error::ConstructError;
use super::parameter::{Fallback, Parameter};
use ecode_core::AllocationMatrix;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "uncoded",
    summary: "Every worker its own partition",
    source: "Bernstein et al., ICLR 2019: SignSGD with majority vote",
    parameters: &[WORKERS, Parameter { fallback: Fallback::Value("0"), ..LIARS }],
    example: "n=9",
    build: |arguments, _, _| {
        let n = arguments.needed("n")?;
        Ok((uncoded(n)?, arguments.provenance(&[("n", json!(n))])))
    },
};

/// The identity: each worker its own partition, r = 1. Tolerates no Byzantine worker.
///
/// # Errors
/// When n is no size of a matrix.
///
/// # References
/// - J. Bernstein, J. Zhao, K. Azizzadenesheli and A. Anandkumar: signSGD with majority vote is communication
///   efficient and fault tolerant. ICLR 2019.
pub fn uncoded(n: usize) -> Result<AllocationMatrix, ConstructError> {
    Ok(AllocationMatrix::from_fn(n, n, |j, i| i == j)?)
}
