//! What a digest is a digest of: a vector, in its run, step, state and partition.
//!
//! # What is promised
//! - Two digests agree only where run, step, state, partition and vector agree, unless BLAKE3 has a collision: a replay
//!   from another slot is a wrong digest.
//! - A state is told apart by everything that was decoded since it was hashed as a whole.
//!
//! # References
//! O'Connor, Aumasson, Neves, Wilcox-O'Hearn, *BLAKE3* (2020): the keyed mode and key derivation used here.

/// A digest of a vector, salted with its slot, or of a state.
pub type Digest = [u8; 32];

/// The step of a run that a message is about, with the state that its sender computed from.
///
/// A worker with another state is out of date, not guilty: its digests say nothing of this slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The digest of what identifies the run: matrix, configuration, data, dimension.
    pub run: Digest,
    /// The step, from 0.
    pub step: u64,
    /// The digest of the state before the step.
    pub state: Digest,
}

impl Header {
    /// The digest of a vector of a partition, as the bytes that travel.
    ///
    /// ```
    /// use ecode_judge::Header;
    /// let header = Header { run: [1; 32], step: 7, state: [2; 32] };
    /// let later = Header { step: 8, ..header };
    /// assert_eq!(header.digest(0, &[5, 6]), header.digest(0, &[5, 6]));
    /// assert_ne!(header.digest(0, &[5, 6]), header.digest(1, &[5, 6]));
    /// assert_ne!(header.digest(0, &[5, 6]), later.digest(0, &[5, 6]));
    /// ```
    #[must_use]
    pub fn digest(&self, partition: usize, vector: &[u8]) -> Digest {
        *blake3::keyed_hash(&self.key(partition), vector).as_bytes()
    }

    /// The key of a slot: every field has a fixed width.
    fn key(&self, partition: usize) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("ecode 1 slot: run, step, state, partition");
        hasher.update(&self.run).update(&self.step.to_le_bytes()).update(&self.state);
        *hasher.update(&(partition as u64).to_le_bytes()).finalize().as_bytes()
    }

    /// The header of the next step, after this step's decode: hashing d/8 bytes, where a whole state has 8·d or more.
    #[must_use]
    pub fn next(&self, decode: &[u8]) -> Self {
        let mut hasher =
            blake3::Hasher::new_derive_key("ecode 1 state after a step: run, step, state, decode");
        hasher.update(&self.run).update(&self.step.to_le_bytes()).update(&self.state).update(decode);
        Self { step: self.step + 1, state: *hasher.finalize().as_bytes(), ..*self }
    }
}
