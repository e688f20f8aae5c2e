//! A digest of numbers that sees where they stand: two-level multilinear hashing, on the CPU.
//!
//! # What is promised
//! - Two different sequences of words have one digest with probability at most 2^-64 over the key, if the weights are
//!   random; they are BLAKE3's output, so whoever tells them from random tells BLAKE3's.
//! - The digest does not depend on how the sequence is split into calls, nor on where its chunks' sums were computed.
//!
//! # References
//! The proof: docs/faulty-accelerator.md. Multilinear hashing modulo 2^64: Lemire, Kaser, *Strongly universal string
//! hashing is fast* (The Computer Journal, 2014); two levels are the tree of Carter, Wegman (1979).

use numpy::{PyArray2, PyArray3, PyArrayMethods as _, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::bad;

/// Words of a chunk.
pub(crate) const CHUNK: usize = 4096;

/// Independent digests side by side.
const LANES: usize = 2;

/// Chunks beyond any sequence: their weights are those of its length.
const LENGTH: u64 = 1 << 58;

/// The digest of a sequence of 32-bit words, 16 bytes, fed piece by piece.
///
/// A number of 4 bytes is one word, a narrower one a word of its bits, one of 8 bytes two words, the low one first.
///
/// Args:
///     key: any bytes. A liar that knows it can make two sequences with one digest; a fault cannot.
#[pyclass(module = "election_coding")]
pub(crate) struct Fingerprint {
    table: Vec<[u64; LANES]>,
    chunks: blake3::OutputReader,
    words: u64,
    chunk: [u64; LANES],
    sum: [u64; LANES],
}

impl Fingerprint {
    /// The weights of the two halves of a chunk's sum, a pair a lane.
    fn weights(chunks: &blake3::OutputReader, chunk: u64) -> [[u64; 2]; LANES] {
        let mut reader = chunks.clone();
        reader.set_position(chunk * 16 * LANES as u64);
        std::array::from_fn(|_| std::array::from_fn(|_| draw(&mut reader)))
    }

    /// What a chunk's sum, or a length, adds to the digest.
    fn fold(&mut self, chunk: u64, value: [u64; LANES]) {
        let weights = Self::weights(&self.chunks, chunk);
        for lane in 0..LANES {
            let (low, high) = (value[lane] & 0xffff_ffff, value[lane] >> 32);
            let [first, second] = weights[lane];
            let added = first.wrapping_mul(low).wrapping_add(second.wrapping_mul(high));
            self.sum[lane] = self.sum[lane].wrapping_add(added);
        }
    }

    /// Adds words to the open chunk, which they do not overfill, and closes it where they fill it.
    fn add(&mut self, sums: [u64; LANES], words: usize) {
        for (own, more) in self.chunk.iter_mut().zip(sums) {
            *own = own.wrapping_add(more);
        }
        self.words += words as u64;
        if words > 0 && self.words % CHUNK as u64 == 0 {
            let chunk = self.words / CHUNK as u64 - 1;
            self.fold(chunk, self.chunk);
            self.chunk = [0; LANES];
        }
    }

    fn feed<const N: usize>(&mut self, bytes: &[u8], word: impl Fn([u8; N]) -> u32 + Copy) {
        let mut numbers = bytes.as_chunks::<N>().0;
        while !numbers.is_empty() {
            let place = (self.words % CHUNK as u64) as usize;
            let (now, rest) = numbers.split_at(numbers.len().min(CHUNK - place));
            let mut sums = [0_u64; LANES];
            for (number, weights) in now.iter().zip(&self.table[place..]) {
                let x = u64::from(word(*number));
                for lane in 0..LANES {
                    sums[lane] = sums[lane].wrapping_add(weights[lane].wrapping_mul(x));
                }
            }
            self.add(sums, now.len());
            numbers = rest;
        }
    }
}

fn draw(reader: &mut blake3::OutputReader) -> u64 {
    let mut bytes = [0; 8];
    reader.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[pymethods]
impl Fingerprint {
    #[new]
    #[pyo3(signature = (key=None))]
    fn new(key: Option<&[u8]>) -> Self {
        let key = key.unwrap_or_default();
        let level = |name: &str| blake3::Hasher::new_derive_key(name).update(key).finalize_xof();
        let mut words = level("ecode 1 fingerprint: weights of words");
        let table = (0..CHUNK).map(|_| std::array::from_fn(|_| draw(&mut words))).collect();
        let chunks = level("ecode 1 fingerprint: weights of chunks");
        Self { table, chunks, words: 0, chunk: [0; LANES], sum: [0; LANES] }
    }

    /// Adds the numbers of a buffer: uint8 of shape (bytes,), each number of `size` bytes, 1, 2, 4 or 8.
    fn update(&mut self, py: Python<'_>, data: PyReadonlyArray1<'_, u8>, size: usize) -> PyResult<()> {
        let bytes = data.as_slice()?;
        if ![1, 2, 4, 8].contains(&size) || bytes.len() % size != 0 {
            return Err(bad(format!("{} bytes are no numbers of {size} bytes: 1, 2, 4 or 8", bytes.len())));
        }
        py.detach(|| match size {
            1 => self.feed(bytes, |[byte]| u32::from(byte)),
            2 => self.feed(bytes, |number| u32::from(u16::from_le_bytes(number))),
            _ => self.feed(bytes, u32::from_le_bytes),
        });
        Ok(())
    }

    /// Adds words whose sums were computed elsewhere: int64 of shape (pieces, 2), the first piece up to the end of the
    /// open chunk, the others whole chunks, the last what is left of `words`.
    fn update_sums(&mut self, sums: PyReadonlyArray2<'_, i64>, words: usize) -> PyResult<()> {
        let sums = sums.as_array();
        let mut left = words;
        for piece in sums.rows() {
            let now = left.min(CHUNK - (self.words % CHUNK as u64) as usize);
            if piece.len() != LANES || now == 0 {
                return Err(bad(
                    "sums: expected shape (pieces, 2), a piece for each chunk that the words touch",
                ));
            }
            self.add(std::array::from_fn(|lane| piece[lane].cast_unsigned()), now);
            left -= now;
        }
        if left > 0 {
            return Err(bad("sums: fewer pieces than the words touch chunks"));
        }
        Ok(())
    }

    /// Begins anew, with the same key.
    fn reset(&mut self) {
        (self.words, self.chunk, self.sum) = (0, [0; LANES], [0; LANES]);
    }

    /// Words so far.
    #[getter]
    fn words(&self) -> u64 {
        self.words
    }

    /// The digest so far: 16 bytes.
    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut end = Self {
            table: Vec::new(),
            chunks: self.chunks.clone(),
            words: self.words,
            chunk: self.chunk,
            sum: self.sum,
        };
        end.fold(self.words / CHUNK as u64, self.chunk);
        end.fold(LENGTH, [self.words; LANES]);
        let bytes: Vec<u8> = end.sum.iter().flat_map(|lane| lane.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }

    /// The weights of the words of a chunk: int64 of shape (2, 4096), a row a lane.
    fn table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let array = PyArray2::zeros(py, [LANES, CHUNK], false);
        let mut entries = array.try_readwrite().map_err(bad)?;
        for (place, weights) in self.table.iter().enumerate() {
            for lane in 0..LANES {
                entries.as_array_mut()[[lane, place]] = weights[lane].cast_signed();
            }
        }
        drop(entries);
        Ok(array)
    }

    /// The weights of the sums of chunks: int64 of shape (count, 2, 2), for each chunk and lane those of its low and
    /// its high half.
    fn chunk_weights<'py>(&self, py: Python<'py>, first: u64, count: usize) -> Bound<'py, PyArray3<i64>> {
        let array = PyArray3::zeros(py, [count, LANES, 2], false);
        let mut entries = array.readwrite();
        for chunk in 0..count {
            let weights = Self::weights(&self.chunks, first + chunk as u64);
            for lane in 0..LANES {
                for half in 0..2 {
                    entries.as_array_mut()[[chunk, lane, half]] = weights[lane][half].cast_signed();
                }
            }
        }
        drop(entries);
        array
    }
}
