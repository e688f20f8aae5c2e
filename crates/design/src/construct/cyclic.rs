//! Cyclic repetition: every worker holds consecutive partitions.

use serde_json::json;

use super::construction::{CLAIM, Construction, WORKERS};
use super::error::{ConstructError, refuse};
use super::parameter::{Domain, Parameter};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "cyclic",
    summary: "Every worker holds consecutive partitions",
    source: "Tandon et al., ICML 2017: gradient coding",
    parameters: &[
        WORKERS,
        CLAIM,
        Parameter::new(
            "degree",
            Domain::Whole { least: 1, most: MAX_SIZE as u64 },
            "consecutive partitions per worker, at most n",
        ),
    ],
    example: "n=9,b=0,degree=3",
    build: |arguments, _, _| {
        let (n, degree) = (arguments.needed("n")?, arguments.needed("degree")?);
        let made = arguments.provenance(&[("n", json!(n)), ("degree", json!(degree))]);
        Ok((cyclic(n, degree)?, made))
    },
};

/// Worker j holds the d partitions j, j + 1, …, j + d − 1 (mod n), r = d.
///
/// # Errors
/// When d is not in 1..=n, or n is no size of a matrix.
///
/// # References
/// - R. Tandon, Q. Lei, A. G. Dimakis and N. Karampatziakis: Gradient coding: avoiding stragglers in distributed
///   learning. ICML 2017.
pub fn cyclic(n: usize, d: usize) -> Result<AllocationMatrix, ConstructError> {
    if !(1..=n).contains(&d) {
        return refuse(format!("cyclic needs 1 ≤ degree ≤ n = {n}, but degree = {d}"));
    }
    Ok(AllocationMatrix::from_fn(n, n, |j, i| (i + n - j) % n < d)?)
}
