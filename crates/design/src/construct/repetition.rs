//! Fractional repetition: groups of workers share the same partitions.

use serde_json::json;

use super::construction::{CLAIM, Construction, WORKERS};
use super::error::{ConstructError, refuse};
use super::parameter::{Domain, Parameter};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "repetition",
    summary: "Groups of workers share their partitions",
    source: "Chen et al., ICML 2018 (DRACO); Rajput et al., NeurIPS 2019 (DETOX)",
    parameters: &[
        WORKERS,
        CLAIM,
        Parameter::new(
            "group",
            Domain::Whole { least: 1, most: MAX_SIZE as u64 },
            "workers per group, a divisor of n",
        ),
    ],
    example: "n=9,b=1,group=3",
    build: |arguments, _, _| {
        let (n, group) = (arguments.needed("n")?, arguments.needed("group")?);
        let made = arguments.provenance(&[("n", json!(n)), ("group", json!(group))]);
        Ok((repetition(n, group)?, made))
    },
};

/// Groups of g workers share the same g partitions, r = g.
///
/// # Errors
/// When g does not divide n, or n is no size of a matrix.
///
/// # References
/// - L. Chen, H. Wang, Z. Charles and D. Papailiopoulos: DRACO: Byzantine-resilient distributed training via redundant
///   gradients. ICML 2018.
/// - S. Rajput, H. Wang, Z. Charles and D. Papailiopoulos: DETOX: a redundancy-based framework for faster and more
///   robust gradient aggregation. NeurIPS 2019.
pub fn repetition(n: usize, group: usize) -> Result<AllocationMatrix, ConstructError> {
    if group == 0 || n % group != 0 {
        return refuse(format!("repetition needs a group size that divides n = {n}, but group = {group}"));
    }
    Ok(AllocationMatrix::from_fn(n, n, |j, i| i / group == j / group)?)
}
