//! The paper's Algorithm 1: s workers with a partition of their own, a chain of L workers with 2b + 1
//! partitions each that overlap their neighbours in b, and workers that hold everything.

use serde_json::json;

use super::construction::{Construction, LIARS, WORKERS};
use super::error::{ConstructError, refuse};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "algorithm1",
    summary: "The deterministic code of the election coding paper (n odd)",
    source: "Sohn, Han, Choi and Moon, NeurIPS 2020, Algorithm 1",
    parameters: &[WORKERS, LIARS],
    example: "n=9,b=2",
    build: |arguments, _, _| {
        let (n, b) = (arguments.needed("n")?, arguments.needed("b")?);
        Ok((algorithm1(n, b)?, arguments.provenance(&[("n", json!(n)), ("b", json!(b))])))
    },
};

/// The parameters of Algorithm 1 and what follows from them.
///
/// ```
/// use ecode_design::construct::Algorithm1;
/// let code = Algorithm1::new(9, 2)?;
/// assert_eq!((code.s, code.l, code.ones()), (2, 1, 61));
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm1 {
    /// Workers and partitions; odd.
    pub n: usize,
    /// The Byzantine workers that are tolerated, by Theorem 3 of the paper.
    pub b: usize,
    /// Workers with one partition: s = (n − 1)/2 − b.
    pub s: usize,
    /// Workers with 2b + 1 partitions: L = ⌊(n + 1) / (2(b + 1))⌋, as many as fit.
    pub l: usize,
}

impl Algorithm1 {
    /// The parameters for n workers and b Byzantine ones. b = 0 gives the uncoded identity.
    ///
    /// # Errors
    /// When n is even or above 4096, or b > (n − 1)/2.
    pub fn new(n: usize, b: usize) -> Result<Self, ConstructError> {
        if n % 2 == 0 || n > MAX_SIZE {
            return refuse(format!(
                "algorithm1 needs an odd number of workers up to {MAX_SIZE}, but n = {n}"
            ));
        }
        let most = (n - 1) / 2;
        if b > most {
            return refuse(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
        }
        Ok(Self { n, b, s: most - b, l: n.div_ceil(2) / (b + 1) })
    }

    /// The number of ones, s + (2b + 1)·L + n·(n − s − L).
    #[must_use]
    pub fn ones(&self) -> usize {
        if self.b == 0 {
            return self.n;
        }
        self.s + (2 * self.b + 1) * self.l + self.n * (self.n - self.s - self.l)
    }

    /// The redundancy by the closed form of Theorem 3: (n+2b+1)/2 − (L−½)(n−(2b+1))/n, for b ≥ 1.
    #[must_use]
    pub fn redundancy(&self) -> f64 {
        let (n, w) = (self.n as f64, (2 * self.b + 1) as f64);
        (n + w) / 2.0 - (self.l as f64 - 0.5) * (n - w) / n
    }
}

/// Algorithm 1 of the paper: perfectly b-Byzantine tolerant for odd n (Theorem 3).
///
/// ```
/// let g = ecode_design::construct::algorithm1(5, 1)?;
/// assert_eq!(g.worker_loads(), [1, 3, 5, 5, 5]);
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// Those of [`Algorithm1::new`].
///
/// # References
/// - J. Sohn, D.-J. Han, B. Choi and J. Moon: Election coding for distributed learning: protecting SignSGD against
///   Byzantine attacks. NeurIPS 2020, Algorithm 1 and Theorem 3.
pub fn algorithm1(n: usize, b: usize) -> Result<AllocationMatrix, ConstructError> {
    let Algorithm1 { s, l, .. } = Algorithm1::new(n, b)?;
    if b == 0 {
        return super::uncoded(n);
    }
    Ok(AllocationMatrix::from_fn(n, n, |j, i| {
        if j < s {
            i == j
        } else if j < s + l {
            let start = s + (j - s) * (b + 1);
            (start..=start + 2 * b).contains(&i)
        } else {
            true
        }
    })?)
}
