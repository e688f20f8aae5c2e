//! Disjoint rows: no two workers but the full ones share a partition. Lighter than everything else known
//! for many b around n/4.
//!
//! # References
//! Ours: docs/theory/lighter.md has the theorem and its proof.

use serde_json::json;

use super::construction::{Construction, LIARS, WORKERS};
use super::error::{ConstructError, refuse};
use ecode_core::{AllocationMatrix, MAX_SIZE};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "disjoint",
    summary: "Rows that share no partition, beside full ones (n odd, b ≥ 1)",
    source: "docs/theory/lighter.md",
    parameters: &[WORKERS, LIARS],
    example: "n=15,b=4",
    build: |arguments, _, _| {
        let (n, b) = (arguments.needed("n")?, arguments.needed("b")?);
        let made = arguments.provenance(&[("n", json!(n)), ("b", json!(b))]);
        Ok((Disjoint::new(n, b)?.matrix()?, made))
    },
};

/// A code of disjoint rows and full ones.
///
/// A row of load 2a − 1 is won by a partitions. With c = (n − 1)/2 − b, a code of disjoint rows tolerates
/// b exactly when the c + 1 lightest need more than (n − 1)/2 partitions together (docs/theory/lighter.md).
///
/// ```
/// use ecode_design::construct::Disjoint;
/// let code = Disjoint::new(15, 4)?;
/// assert_eq!(code.loads(), [3, 3, 3, 3, 3]);
/// assert_eq!(code.ones(), 165);
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disjoint {
    n: usize,
    loads: Vec<usize>,
}

impl Disjoint {
    /// The fewest ones among: d rows of load 1, c + 1 − d of as equal loads as possible, and as many more
    /// of the heaviest load as fit, for every d.
    ///
    /// # Errors
    /// When n is even or above 4096, b = 0, or b > (n − 1)/2.
    pub fn new(n: usize, b: usize) -> Result<Self, ConstructError> {
        if n % 2 == 0 || n > MAX_SIZE {
            return refuse(format!("disjoint needs an odd number of workers up to {MAX_SIZE}, but n = {n}"));
        }
        let t = (n - 1) / 2;
        if b == 0 || b > t {
            return refuse(format!("disjoint needs 1 ≤ b ≤ (n − 1)/2 = {t}, but b = {b}"));
        }
        let c = t - b;
        let codes = (0..=c).map(|d| {
            let (equal, needed) = (c + 1 - d, t + 1 - d);
            let most = needed.div_ceil(equal);
            let lighter = equal * most - needed;
            // These take n − c partitions, whatever d is.
            let mut loads = vec![1; d];
            loads.extend(std::iter::repeat_n((2 * most).saturating_sub(3).max(1), lighter));
            loads.resize(c + 1 + c / (2 * most - 1), 2 * most - 1);
            Self { n, loads }
        });
        codes.min_by_key(Self::ones).map_or_else(|| refuse("no code".to_owned()), Ok)
    }

    /// The loads of the rows that are not full, lightest first.
    #[must_use]
    pub fn loads(&self) -> &[usize] {
        &self.loads
    }

    /// The number of ones.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.n * (self.n - self.loads.len()) + self.loads.iter().sum::<usize>()
    }

    /// The allocation matrix, n × n.
    ///
    /// # Errors
    /// None for a code of [`Self::new`].
    pub fn matrix(&self) -> Result<AllocationMatrix, ConstructError> {
        let mut start = 0;
        let mut rows: Vec<Vec<usize>> = Vec::with_capacity(self.n);
        for load in &self.loads {
            rows.push((start..start + load).collect());
            start += load;
        }
        rows.resize(self.n, (0..self.n).collect());
        Ok(AllocationMatrix::from_supports(self.n, &rows)?)
    }
}
