//! Shares of a vector as they are signed, and what shows that one was wrong.
//!
//! A holder announces the digest of a *list*: threshold, holders and the vector's length, eight little-endian bytes each, and
//! the BLAKE3 digest of each share. It sends the list and its share, and signs in one both digests with its place and the cut.
//!
//! # What is promised
//! Nobody who is right signs, under the digest that it announced, a share that [`Claim::contradicts`]: so the two signatures show
//! a worker to be faulty by themselves, whoever else is.
//!
//! # References
//! docs/theory/reactive.md, Theorem 23.

use crate::{Digest, Header};

/// How vectors are cut: so many shares rebuild one, so many there are, and the vector's length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// So many shares rebuild a vector.
    pub threshold: usize,
    /// So many there are.
    pub holders: usize,
    /// Bytes of a vector.
    pub length: usize,
}

impl Sizes {
    /// The head of a list.
    #[must_use]
    pub fn head(&self) -> [u8; 24] {
        let mut head = [0; 24];
        for (place, size) in [self.threshold, self.holders, self.length].into_iter().enumerate() {
            head[8 * place..8 * place + 8].copy_from_slice(&(size as u64).to_le_bytes());
        }
        head
    }

    /// The length of a list in bytes.
    #[must_use]
    pub fn list_length(&self) -> usize {
        self.head().len().saturating_add(self.holders.saturating_mul(size_of::<Digest>()))
    }

    /// The digest that a list has of the share at a place; none where it is no list of these sizes.
    #[must_use]
    pub fn listed(&self, list: &[u8], place: usize) -> Option<Digest> {
        if list.len() != self.list_length() || !list.starts_with(&self.head()) {
            return None;
        }
        list[self.head().len()..].as_chunks().0.get(place).copied()
    }
}

/// What a worker signs of a share that it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// How vectors are cut.
    pub sizes: Sizes,
    /// The list that it sends.
    pub list: Vec<u8>,
    /// Which share it is.
    pub place: usize,
    /// The BLAKE3 digest of the share that it sends.
    pub share: Digest,
}

impl Claim {
    /// What is sent in one piece, list and share; none where it is too short for a list.
    #[must_use]
    pub fn of(sizes: Sizes, place: usize, bytes: &[u8]) -> Option<Self> {
        let (list, share) = bytes.split_at_checked(sizes.list_length())?;
        Some(Self { sizes, list: list.to_vec(), place, share: *blake3::hash(share).as_bytes() })
    }

    /// The digest that is signed.
    #[must_use]
    pub fn digest(&self, header: &Header, partition: usize) -> Digest {
        let mut hasher =
            blake3::Hasher::new_derive_key("ecode 1 share: threshold, holders, length, list, place, share");
        hasher.update(&self.sizes.head()).update(&header.digest(partition, &self.list));
        *hasher.update(&(self.place as u64).to_le_bytes()).update(&self.share).finalize().as_bytes()
    }

    /// Whether no right worker that announced this digest sends it.
    #[must_use]
    pub fn contradicts(&self, header: &Header, partition: usize, announced: &Digest) -> bool {
        header.digest(partition, &self.list) != *announced
            || self.sizes.listed(&self.list, self.place) != Some(self.share)
    }
}
