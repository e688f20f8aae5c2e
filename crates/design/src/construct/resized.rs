//! Resizing: a code with as many partitions as workers, made into one for another number of workers.

use super::block::Block;
use super::construction::{CATALOGUE, Construction, LIARS, PARTITIONS, WORKERS};
use super::error::{ConstructError, refuse};
use super::full;
use super::known::{KnownCode, Provenance};
use super::square::best_with;
use ecode_core::AllocationMatrix;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "resized",
    summary: "A best known code of k workers and k partitions (k odd), for another number of workers",
    source: "docs/theory/lighter.md",
    parameters: &[WORKERS, LIARS, PARTITIONS, CATALOGUE],
    example: "n=15,b=2,k=7",
    build: |arguments, _, blocks| {
        let (n, k, b) = (arguments.needed("n")?, arguments.partitions()?, arguments.needed("b")?);
        let code = resized(n, k, b, blocks)?;
        let made = code.to_json();
        Ok((code.matrix, made))
    },
};

/// Of a code for k workers and k partitions only the number of rows that a message of weight v = (k − 1)/2 can win
/// matters. With (n − 1)/2 − b rounded down = m·v + B and B ≤ v, take every partition alone m times, and beside them the
/// best known code for (k, v − B), its full rows left out or repeated until there are n (docs/theory/lighter.md).
///
/// # Errors
/// When k is even, or b > (n − 1)/2.
pub(super) fn resized(n: usize, k: usize, b: usize, blocks: &[Block]) -> Result<KnownCode, ConstructError> {
    if k % 2 == 0 {
        return refuse(format!("resized needs an odd number of partitions, but k = {k}"));
    }
    let Some(budget) = (n.saturating_sub(1) / 2).checked_sub(b) else {
        let most = n.saturating_sub(1) / 2;
        return refuse(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
    };
    let v = (k - 1) / 2;
    if v == 0 {
        return Ok(KnownCode { matrix: full(n, k)?, b, provenance: Provenance::Full });
    }
    let copies = budget / v;
    let inner = best_with(k, v - (budget - copies * v), blocks)?;
    let mut rows: Vec<Vec<usize>> = (0..copies * k).map(|j| vec![j % k]).collect();
    let mut more: Vec<Vec<usize>> =
        (0..k).map(|j| inner.matrix.support(j).collect()).filter(|row: &Vec<usize>| row.len() < k).collect();
    more.sort_by_key(Vec::len);
    rows.extend(more);
    rows.resize(n, (0..k).collect());
    let matrix = AllocationMatrix::from_supports(k, &rows)?;
    let shape = match inner.provenance {
        Provenance::Gluing(shape) if n == k + 1 => Some(shape),
        _ => None,
    };
    Ok(KnownCode { matrix, b, provenance: Provenance::Resized { copies, shape } })
}
