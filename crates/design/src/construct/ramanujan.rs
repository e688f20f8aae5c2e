//! Ramanujan bigraphs: blocks of cyclic shifts.

use serde_json::json;

use super::construction::{CLAIM, Construction, WORKERS};
use super::error::{ConstructError, refuse};
use super::parameter::{Domain, Fallback, Parameter};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "ramanujan",
    summary: "Workers and files form a Ramanujan bigraph, made of s by s cyclic shifts",
    source: "Konstantinidis and Ramamoorthy, MLSys 2021 (ByzShield)",
    parameters: &[
        WORKERS.or(Fallback::Derived("m·s where m < s, else s²")),
        CLAIM,
        Parameter::new(
            "width",
            Domain::Whole { least: 1, most: MAX_SIZE as u64 },
            "number of blocks of shifts side by side, m",
        )
        .called("m"),
        Parameter::new("shift", Domain::Whole { least: 2, most: 64 }, "size of a cyclic shift, a prime s")
            .called("s"),
    ],
    example: "n=25,b=0,m=5,s=5",
    build: |arguments, _, _| {
        let (m, s) = (arguments.needed("width")?, arguments.needed("shift")?);
        let matrix = ramanujan(m, s)?;
        arguments.agrees("n", matrix.n())?;
        let made =
            arguments.provenance(&[("n", json!(matrix.n())), ("width", json!(m)), ("shift", json!(s))]);
        Ok((matrix, made))
    },
};

/// The s² × m·s matrix B whose block (a, c), for a < s and c < m, is the cyclic shift by a·c. Where m < s (the
/// paper's case 1) its columns are the workers: m·s of them, s² files, load s, r = m. Where m is a multiple of s
/// (case 2) its rows are: s² workers, m·s files, load m, r = s.
///
/// # Errors
/// When s is no prime up to 64, or m is neither below s nor a multiple of it, or the matrix would be too large.
///
/// # References
/// - K. Konstantinidis and A. Ramamoorthy: ByzShield: an efficient and robust system for distributed training.
///   MLSys 2021.
/// - S. P. Burnwal, K. Sinha and M. Vidyasagar: New and explicit constructions of unbalanced Ramanujan bipartite
///   graphs. The Ramanujan Journal 57, 2022.
pub fn ramanujan(m: usize, s: usize) -> Result<AllocationMatrix, ConstructError> {
    if !(2..=64).contains(&s) || (2..s).any(|divisor| s % divisor == 0) {
        return refuse(format!("ramanujan needs a prime s, 2 to 64, but s = {s}"));
    }
    if m == 0 || m >= s && m % s != 0 {
        return refuse(format!("ramanujan needs an m below s = {s} or a multiple of it, but m = {m}"));
    }
    let joined = |row: usize, column: usize| {
        let (a, x, c, y) = (row / s, row % s, column / s, column % s);
        (x + a * c) % s == y
    };
    Ok(if m < s {
        AllocationMatrix::from_fn(m * s, s * s, |worker, file| joined(file, worker))?
    } else {
        AllocationMatrix::from_fn(s * s, m * s, joined)?
    })
}
