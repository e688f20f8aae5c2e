//! Sets of indices, kept as bits and typed by what they index: the compiler refuses a [`Message`] where
//! [`Workers`] are meant.
//!
//! Invariant: bits at and beyond `len` are zero, so that equality, hashing and counting work on whole words.

use std::fmt;
use std::marker::PhantomData;

/// Marker: the set indexes data partitions (columns of the allocation matrix).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {}

/// Marker: the set indexes workers (rows of the allocation matrix).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worker {}

/// A message m ∈ {0,1}^k: bit i is 1 where the gradient sign of partition i is negative.
pub type Message = IndexSet<Partition>;

/// A set of workers, such as the Byzantine ones.
pub type Workers = IndexSet<Worker>;

/// A subset of `0..len`, with one bit for each index.
///
/// ```
/// use ecode_core::Message;
/// let mut m = Message::empty(5);
/// m.insert(0);
/// m.insert(3);
/// assert_eq!(m.count(), 2);
/// assert_eq!(m.indices().collect::<Vec<_>>(), [0, 3]);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexSet<Of> {
    len: usize,
    words: Vec<u64>,
    of: PhantomData<Of>,
}

impl<Of> IndexSet<Of> {
    /// The empty subset of `0..len`.
    #[must_use]
    pub fn empty(len: usize) -> Self {
        Self { len, words: vec![0; len.div_ceil(64)], of: PhantomData }
    }

    /// The whole of `0..len`.
    #[must_use]
    pub fn full(len: usize) -> Self {
        Self::from_indices(len, 0..len)
    }

    /// The subset that holds the given indices.
    ///
    /// # Panics
    /// When an index is not below `len`.
    #[must_use]
    pub fn from_indices(len: usize, indices: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::empty(len);
        for index in indices {
            set.insert(index);
        }
        set
    }

    /// The number of indices that may be in the set: n for workers, k for messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no index is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// How many indices are in the set (the weight of a message).
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether `index` is in the set; false beyond its length.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Adds `index`.
    ///
    /// # Panics
    /// When `index` is not below `len`.
    pub fn insert(&mut self, index: usize) {
        assert!(index < self.len, "index {index} is outside 0..{}", self.len);
        self.words[index / 64] |= 1 << (index % 64);
    }

    /// The indices in the set, in increasing order.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len).filter(|&index| self.contains(index))
    }

    /// The indices of `0..len` that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::from_indices(self.len, (0..self.len).filter(|&index| !self.contains(index)))
    }

    /// The packed words, 64 indices each, lowest first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

impl<Of> fmt::Debug for IndexSet<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.indices()).finish()
    }
}

impl<Of> fmt::Display for IndexSet<Of> {
    /// Indices in braces, as in `{0, 3}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, index) in self.indices().enumerate() {
            write!(f, "{}{index}", if place == 0 { "" } else { ", " })?;
        }
        f.write_str("}")
    }
}
