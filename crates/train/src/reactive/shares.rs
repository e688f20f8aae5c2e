//! Reed–Solomon shares of a vector: any `threshold` of w rebuild it, and a list of digests tells right ones from wrong ones.
//!
//! # What is promised
//! The digest of a list is bound to w, the threshold and the length, so that lists of other assignments are others.
//!
//! # References
//! I. S. Reed and G. Solomon, *Polynomial codes over certain finite fields*, 1960. The code is that of the crate
//! `reed-solomon-simd` over GF(2¹⁶).

use std::collections::BTreeMap;

use ecode_server::reactive::Sizes;

/// How a vector is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// How many shares rebuild it.
    pub(crate) threshold: usize,
    /// How many shares there are.
    pub(crate) w: usize,
    /// The vector's length in bytes.
    pub(crate) length: usize,
}

impl Cut {
    /// The length of a share in bytes, an even number.
    pub(crate) fn share_length(self) -> usize {
        self.length.div_ceil(self.threshold).next_multiple_of(2).max(2)
    }

    /// The w shares of a vector.
    pub(crate) fn shares(self, vector: &[u8]) -> Vec<Vec<u8>> {
        let size = self.share_length();
        let original = |place: usize| {
            let from = (place * size).min(vector.len());
            let mut share = vector[from..(from + size).min(vector.len())].to_vec();
            share.resize(size, 0);
            share
        };
        let mut shares: Vec<Vec<u8>> = (0..self.threshold).map(original).collect();
        if self.w > self.threshold {
            // Sizes and counts are right by construction, as far as w ≤ 4096.
            let more = reed_solomon_simd::encode(self.threshold, self.w - self.threshold, &shares);
            shares.extend(more.unwrap_or_default());
        }
        shares
    }

    /// What the digest of a cut vector is of: the cut, and each share's digest.
    pub(crate) fn list(self, shares: &[Vec<u8>]) -> Vec<u8> {
        let shares = shares.iter().flat_map(|share| *blake3::hash(share).as_bytes());
        self.sizes().head().into_iter().chain(shares).collect()
    }

    /// The length of a list in bytes.
    pub(crate) fn list_length(self) -> usize {
        self.sizes().list_length()
    }

    /// The sizes that a list begins with.
    pub(crate) fn sizes(self) -> Sizes {
        Sizes { threshold: self.threshold, holders: self.w, length: self.length }
    }

    /// The vector, from shares by their places; none where they are too few.
    pub(crate) fn rebuild(self, shares: &BTreeMap<usize, Vec<u8>>) -> Option<Vec<u8>> {
        let t = self.threshold;
        let originals =
            || shares.iter().filter(|(place, _)| **place < t).map(|(&place, share)| (place, share));
        let restored = if originals().count() == t {
            BTreeMap::default()
        } else {
            let more =
                shares.iter().filter(|(place, _)| **place >= t).map(|(&place, share)| (place - t, share));
            reed_solomon_simd::decode(t, self.w - t, originals(), more).ok()?
        };
        let mut vector = Vec::with_capacity(t * self.share_length());
        for place in 0..t {
            vector.extend_from_slice(shares.get(&place).or_else(|| restored.get(&place))?);
        }
        vector.truncate(self.length);
        Some(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use itertools::Itertools as _;

    #[test]
    fn any_shares_of_the_threshold_rebuild_and_fewer_do_not() {
        for (threshold, w, length) in [(3, 5, 982), (3, 5, 1), (1, 3, 10), (4, 4, 33), (2, 5, 64)] {
            let cut = Cut { threshold, w, length };
            let vector: Vec<u8> = (0..length).map(|i| (i * 37 % 251) as u8).collect();
            let shares = cut.shares(&vector);
            assert_eq!(shares.len(), w);
            let list = cut.list(&shares);
            assert_eq!(list.len(), cut.list_length());
            for (place, share) in shares.iter().enumerate() {
                assert_eq!(cut.sizes().listed(&list, place), Some(*blake3::hash(share).as_bytes()));
            }
            assert_eq!(cut.sizes().listed(&list, w), None);
            for places in (0..w).combinations(threshold) {
                let some = places.iter().map(|&place| (place, shares[place].clone())).collect();
                assert_eq!(cut.rebuild(&some).as_ref(), Some(&vector), "{cut:?} {places:?}");
            }
            let few = (0..threshold - 1).map(|place| (place, shares[place].clone())).collect();
            assert_eq!(cut.rebuild(&few), None);
        }
    }

    #[test]
    fn lists_of_other_cuts_are_others() {
        let vector = vec![7; 100];
        let of = |threshold, w| {
            let cut = Cut { threshold, w, length: 100 };
            cut.list(&cut.shares(&vector))
        };
        assert_ne!(of(2, 4), of(2, 5));
        assert_ne!(of(2, 4), of(3, 4));
    }
}
