//! The allocation matrix G: which worker holds which partitions.
//!
//! Invariant: 1 ≤ n, k ≤ [`MAX_SIZE`], and the padding bits of every packed row are zero.
//!
//! # References
//! J. Sohn, D.-J. Han, B. Choi and J. Moon, *Election Coding for Distributed Learning: Protecting SignSGD against
//! Byzantine Attacks*, NeurIPS 2020, section 3: the data allocation matrix G.

use super::bits::{IndexSet, Message, Worker};
use super::digest;

/// The largest number of workers or partitions that a matrix may have.
pub const MAX_SIZE: usize = 4096;

/// Why a matrix cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// n or k is zero or above [`MAX_SIZE`].
    #[error("{what} is {found}, but must be from 1 to {MAX_SIZE}")]
    Size {
        /// Which of the two sizes, in words.
        what: &'static str,
        /// The size found.
        found: usize,
    },
    /// Rows of different lengths.
    #[error("row {row} has {found} entries, but row 0 has {expected}")]
    Ragged {
        /// The row, from 0.
        row: usize,
        /// Its number of entries.
        found: usize,
        /// The number of entries of row 0.
        expected: usize,
    },
    /// A permutation that is not one of `0..len`.
    #[error("not a permutation of 0..{len}")]
    Permutation {
        /// The length expected.
        len: usize,
    },
}

/// An allocation matrix G ∈ {0,1}^{n×k}: row j lists the partitions of worker j.
///
/// ```
/// use ecode_core::AllocationMatrix;
/// let g = AllocationMatrix::from_rows(&[[true, false], [true, true], [false, true]])?;
/// assert_eq!((g.n(), g.k(), g.ones()), (3, 2, 4));
/// assert_eq!(g.worker_load(1), 2);
/// assert_eq!(g.partition_loads(), [2, 2]);
/// # Ok::<(), ecode_core::MatrixError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AllocationMatrix {
    n: usize,
    k: usize,
    stride: usize,
    words: Vec<u64>,
}

impl AllocationMatrix {
    /// A matrix whose entry (worker j, partition i) is `entry(j, i)`.
    ///
    /// # Errors
    /// [`MatrixError::Size`] when n or k is 0 or above [`MAX_SIZE`].
    pub fn from_fn(
        n: usize,
        k: usize,
        mut entry: impl FnMut(usize, usize) -> bool,
    ) -> Result<Self, MatrixError> {
        for (what, found) in [("the number of workers", n), ("the number of partitions", k)] {
            if !(1..=MAX_SIZE).contains(&found) {
                return Err(MatrixError::Size { what, found });
            }
        }
        let stride = k.div_ceil(64);
        let mut words = vec![0_u64; n * stride];
        for j in 0..n {
            for i in 0..k {
                words[j * stride + i / 64] |= u64::from(entry(j, i)) << (i % 64);
            }
        }
        Ok(Self { n, k, stride, words })
    }

    /// A matrix from its rows.
    ///
    /// # Errors
    /// [`MatrixError::Size`] and [`MatrixError::Ragged`].
    pub fn from_rows<R: AsRef<[bool]>>(rows: &[R]) -> Result<Self, MatrixError> {
        let expected = rows.first().map_or(0, |row| row.as_ref().len());
        if let Some((row, found)) =
            rows.iter().map(|row| row.as_ref().len()).enumerate().find(|&(_, found)| found != expected)
        {
            return Err(MatrixError::Ragged { row, found, expected });
        }
        Self::from_fn(rows.len(), expected, |j, i| rows[j].as_ref()[i])
    }

    /// A matrix of k columns from the list of partitions that each worker holds.
    ///
    /// # Errors
    /// [`MatrixError::Size`], also when a partition is not below k.
    pub fn from_supports<R: AsRef<[usize]>>(k: usize, rows: &[R]) -> Result<Self, MatrixError> {
        if let Some(&found) = rows.iter().flat_map(AsRef::as_ref).find(|&&i| i >= k) {
            return Err(MatrixError::Size { what: "a partition's index + 1", found: found + 1 });
        }
        let mut matrix = Self::from_fn(rows.len(), k, |_, _| false)?;
        for (row, words) in rows.iter().zip(matrix.words.chunks_mut(matrix.stride)) {
            row.as_ref().iter().for_each(|i| words[i / 64] |= 1 << (i % 64));
        }
        Ok(matrix)
    }

    /// The number of workers.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The number of partitions.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Whether worker j holds partition i.
    ///
    /// # Panics
    /// When j or i is out of range.
    #[must_use]
    pub fn holds(&self, j: usize, i: usize) -> bool {
        assert!(i < self.k, "partition {i} is outside 0..{}", self.k);
        self.row(j)[i / 64] >> (i % 64) & 1 == 1
    }

    /// Row j, packed 64 partitions a word, lowest first.
    ///
    /// # Panics
    /// When j is not below n.
    #[must_use]
    pub fn row(&self, j: usize) -> &[u64] {
        &self.words[j * self.stride..(j + 1) * self.stride]
    }

    /// The partitions of worker j, in increasing order.
    pub fn support(&self, j: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.k).filter(move |&i| self.holds(j, i))
    }

    /// How many partitions worker j holds: the weight of row j.
    #[must_use]
    pub fn worker_load(&self, j: usize) -> usize {
        self.row(j).iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Every worker's load, n numbers.
    #[must_use]
    pub fn worker_loads(&self) -> Vec<usize> {
        (0..self.n).map(|j| self.worker_load(j)).collect()
    }

    /// For each partition, how many workers hold it: k numbers.
    #[must_use]
    pub fn partition_loads(&self) -> Vec<usize> {
        (0..self.k).map(|i| (0..self.n).filter(|&j| self.holds(j, i)).count()).collect()
    }

    /// How many ones G has: the gradients that are computed in a step, all workers together.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The redundancy r = ones(G)/n: mean partitions per worker.
    #[must_use]
    pub fn redundancy(&self) -> f64 {
        self.ones() as f64 / self.n as f64
    }

    /// Workers that hold no partition at all: only a random draw has them.
    #[must_use]
    pub fn empty_workers(&self) -> IndexSet<Worker> {
        IndexSet::from_indices(self.n, (0..self.n).filter(|&j| self.worker_load(j) == 0))
    }

    /// Whether every worker holds an odd number of partitions, so that no worker's vote can tie.
    #[must_use]
    pub fn all_loads_odd(&self) -> bool {
        (0..self.n).all(|j| self.worker_load(j) % 2 == 1)
    }

    /// How many of worker j's partitions are ones of the message.
    #[must_use]
    pub fn ones_seen(&self, j: usize, message: &Message) -> usize {
        let words = self.row(j).iter().zip(message.words());
        words.map(|(row, message)| (row & message).count_ones() as usize).sum()
    }

    /// The matrix whose row j is row `workers[j]` of this one, and column i column `partitions[i]`.
    ///
    /// # Errors
    /// [`MatrixError::Permutation`] when a list is not a permutation of its range.
    pub fn permuted(&self, workers: &[usize], partitions: &[usize]) -> Result<Self, MatrixError> {
        for (list, len) in [(workers, self.n), (partitions, self.k)] {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            if !sorted.iter().copied().eq(0..len) {
                return Err(MatrixError::Permutation { len });
            }
        }
        Self::from_fn(self.n, self.k, |j, i| self.holds(workers[j], partitions[i]))
    }

    /// The matrix whose row i is column i of this one.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let (n, k, stride) = (self.k, self.n, self.n.div_ceil(64));
        let mut words = vec![0_u64; n * stride];
        for i in 0..k {
            for j in self.support(i) {
                words[j * stride + i / 64] |= 1 << (i % 64);
            }
        }
        Self { n, k, stride, words }
    }

    /// The text that the digest is taken of: `ecode/matrix/1`, `<n> <k>`, then a line of `0`/`1` a row.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        let mut text = format!("ecode/matrix/1\n{} {}\n", self.n, self.k);
        for j in 0..self.n {
            text.extend((0..self.k).map(|i| if self.holds(j, i) { '1' } else { '0' }));
            text.push('\n');
        }
        text
    }

    /// `sha256:` and the SHA-256 of [`Self::canonical_text`] in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::sha256(self.canonical_text().as_bytes())
    }
}

impl std::fmt::Debug for AllocationMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.canonical_text())
    }
}
