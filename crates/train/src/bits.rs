//! Sign bits, one a coordinate, 64 a word.
//!
//! Invariant: bits at and beyond `len` are zero, and the words fill whole blocks of [`BLOCK`], so that
//! everything that works on them needs no rest loop.

use rayon::prelude::*;

/// Words in a block: 512 coordinates, one line of cache.
pub(super) const BLOCK: usize = 8;

/// Coordinates that one task packs, and the smallest gradient that is worth more than one.
const CHUNK: usize = 1 << 16;

/// One bit a coordinate: for a message 1 where the gradient is negative, for a vote what is sent.
///
/// ```
/// use ecode_train::Bits;
/// let bits = Bits::pack(&[1.5, -2.0, 0.0, -0.0, f32::MIN], false);
/// assert_eq!((0..5).map(|i| bits.get(i)).collect::<Vec<_>>(), [false, true, false, false, true]);
/// assert_eq!(bits.to_bytes(), [0b1_0010]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bits {
    len: usize,
    words: Vec<u64>,
}

impl Bits {
    /// `len` zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self { len, words: vec![0; len.div_ceil(64 * BLOCK) * BLOCK] }
    }

    /// `len` ones.
    #[must_use]
    pub fn ones(len: usize) -> Self {
        let mut bits = Self { len, words: vec![u64::MAX; len.div_ceil(64 * BLOCK) * BLOCK] };
        bits.clear_padding();
        bits
    }

    /// The bit of each coordinate, from a function of its index.
    #[must_use]
    pub fn from_fn(len: usize, mut bit: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Self::zeros(len);
        for i in 0..len {
            bits.words[i / 64] |= u64::from(bit(i)) << (i % 64);
        }
        bits
    }

    /// The bits of each word of 64 coordinates, from a function of the word's index.
    pub(super) fn from_words(len: usize, mut word: impl FnMut(usize) -> u64) -> Self {
        let mut bits = Self::zeros(len);
        for (place, bits) in bits.words.iter_mut().enumerate() {
            *bits = word(place);
        }
        bits.clear_padding();
        bits
    }

    /// The signs of a gradient: 1 where it is negative, `zero` where it is +0 or −0, else 0 (also for NaN).
    #[must_use]
    pub fn pack(gradient: &[f32], zero: bool) -> Self {
        let mut bits = Self::zeros(gradient.len());
        bits.repack(gradient, zero);
        bits
    }

    /// As [`Self::pack`], of a gradient in pieces.
    ///
    /// ```
    /// use ecode_train::Bits;
    /// let pieces: [&[f32]; 3] = [&[1.0, -1.0], &[], &[-1.0]];
    /// assert_eq!(Bits::pack_pieces(&pieces, false), Bits::pack(&[1.0, -1.0, -1.0], false));
    /// ```
    #[must_use]
    pub fn pack_pieces(pieces: &[impl std::ops::Deref<Target = [f32]>], zero: bool) -> Self {
        let mut bits = Self::zeros(pieces.iter().map(|piece| piece.len()).sum());
        let mut first = 0;
        for piece in pieces {
            if first % 64 == 0 {
                pack_in_parts(piece, zero, &mut bits.words[first / 64..]);
            } else {
                let rest = Self::pack(piece, zero);
                for (place, &word) in rest.words[..piece.len().div_ceil(64)].iter().enumerate() {
                    let at = first / 64 + place;
                    bits.words[at] |= word << (first % 64);
                    // Beyond the last word of all there are zeros only.
                    if let Some(next) = bits.words.get_mut(at + 1) {
                        *next |= word >> (64 - first % 64);
                    }
                }
            }
            first += piece.len();
        }
        bits
    }

    /// As [`Self::pack`], into memory that is there already.
    ///
    /// # Panics
    /// When the gradient has another length.
    pub fn repack(&mut self, gradient: &[f32], zero: bool) {
        assert_eq!(gradient.len(), self.len, "one bit a coordinate");
        pack_in_parts(gradient, zero, &mut self.words);
    }

    /// The number of coordinates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no coordinates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bit of coordinate `i`; false beyond the last one.
    #[must_use]
    pub fn get(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }

    /// How many bits are 1.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// On how many coordinates two lists of the same length differ.
    pub(crate) fn differing(&self, other: &Self) -> u64 {
        let words = self.words.iter().zip(&other.words);
        words.map(|(one, other)| u64::from((one ^ other).count_ones())).sum()
    }

    /// The packed words, lowest coordinate first, whole blocks.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Makes the bits beyond `len` zero again.
    pub(super) fn clear_padding(&mut self) {
        let whole = self.len / 64;
        if let Some(word) = self.words.get_mut(whole) {
            *word &= (1 << (self.len % 64)) - 1;
        }
        for word in self.words.iter_mut().skip(whole + 1) {
            *word = 0;
        }
    }

    /// `len` coordinates from `first` on, a multiple of 64.
    #[cfg(feature = "grpc")]
    pub(super) fn part(&self, first: usize, len: usize) -> Self {
        let mut part = Self::zeros(len);
        let words = &self.words[first / 64..];
        let count = len.div_ceil(64);
        part.words[..count].copy_from_slice(&words[..count]);
        part.clear_padding();
        part
    }

    /// Puts a part back to where [`Self::part`] took it from.
    #[cfg(feature = "grpc")]
    pub(super) fn put(&mut self, first: usize, part: &Self) {
        let count = part.len.div_ceil(64);
        self.words[first / 64..first / 64 + count].copy_from_slice(&part.words[..count]);
    }

    /// ⌈len/8⌉ bytes, coordinate i in bit i mod 8 of byte ⌊i/8⌋: what travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(self.len.div_ceil(8));
        bytes
    }

    /// The bits of ⌈len/8⌉ bytes; bits beyond `len` are ignored. `None` for another number of bytes.
    #[must_use]
    pub fn from_bytes(len: usize, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != len.div_ceil(8) {
            return None;
        }
        let mut bits = Self::zeros(len);
        for (word, bytes) in bits.words.iter_mut().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        }
        bits.clear_padding();
        Some(bits)
    }
}

/// As [`pack`], a large gradient on all threads.
fn pack_in_parts(gradient: &[f32], zero: bool, words: &mut [u64]) {
    if gradient.len() <= CHUNK {
        pack(gradient, zero, words);
    } else {
        let words = words.par_chunks_mut(CHUNK / 64);
        words.zip(gradient.par_chunks(CHUNK)).for_each(|(words, part)| pack(part, zero, words));
    }
}

/// Packs a gradient into words that are long enough for it.
fn pack(gradient: &[f32], zero: bool, words: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        unsafe { pack_avx2(gradient, zero, words) };
        return;
    }
    pack_portable(gradient, zero, words);
}

fn pack_portable(gradient: &[f32], zero: bool, words: &mut [u64]) {
    for (word, part) in words.iter_mut().zip(gradient.chunks(64)) {
        let bit = |value: f32| value < 0.0 || (zero && value == 0.0);
        *word = part.iter().enumerate().fold(0, |word, (i, &value)| word | u64::from(bit(value)) << i);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn pack_avx2(gradient: &[f32], zero: bool, words: &mut [u64]) {
    use std::arch::x86_64::{
        _CMP_LE_OQ, _CMP_LT_OQ, _mm256_cmp_ps, _mm256_loadu_ps, _mm256_movemask_ps, _mm256_setzero_ps,
    };
    let none = _mm256_setzero_ps();
    let mut parts = gradient.chunks_exact(64);
    let mut places = words.iter_mut();
    for (part, word) in parts.by_ref().zip(places.by_ref()) {
        let mut packed = 0;
        for eight in 0..8 {
            // SAFETY: the part has 64 values, of which this reads 8 from 8 · eight on.
            let values = unsafe { _mm256_loadu_ps(part.as_ptr().add(8 * eight)) };
            let negative = if zero {
                _mm256_cmp_ps::<_CMP_LE_OQ>(values, none)
            } else {
                _mm256_cmp_ps::<_CMP_LT_OQ>(values, none)
            };
            packed |= u64::from(_mm256_movemask_ps(negative) as u32) << (8 * eight);
        }
        *word = packed;
    }
    pack_portable(parts.remainder(), zero, places.into_slice());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(f32::NAN),
            Just(-f32::NAN),
            Just(f32::NEG_INFINITY),
            Just(-f32::MIN_POSITIVE / 2.0),
            -1.0_f32..1.0
        ]
    }

    proptest! {
        #[test]
        fn packing_is_the_definition_and_bytes_travel(gradient in prop::collection::vec(value(), 0..700), zero: bool) {
            let bits = Bits::pack(&gradient, zero);
            let expected = Bits::from_fn(gradient.len(), |i| gradient[i] < 0.0 || zero && gradient[i] == 0.0);
            prop_assert_eq!(&bits, &expected);
            let mut portable = Bits::zeros(gradient.len());
            pack_portable(&gradient, zero, portable.words_mut());
            prop_assert_eq!(&bits, &portable);
            let bytes = bits.to_bytes();
            prop_assert_eq!(bytes.len(), gradient.len().div_ceil(8));
            prop_assert_eq!(Bits::from_bytes(gradient.len(), &bytes), Some(bits));
        }
    }

    #[test]
    fn long_gradients_are_packed_in_parallel_to_the_same_bits() {
        let gradient: Vec<f32> = (0..3 * CHUNK + 77).map(|i| ((i * 7919 % 1001) as f32) - 500.0).collect();
        let expected = Bits::from_fn(gradient.len(), |i| gradient[i] < 0.0);
        assert_eq!(Bits::pack(&gradient, false), expected);
        assert_eq!(Bits::ones(70).count(), 70);
        assert_eq!(Bits::from_bytes(9, &[255, 255]), Some(Bits::ones(9)));
        assert_eq!(Bits::from_bytes(9, &[255]), None);
    }
}
