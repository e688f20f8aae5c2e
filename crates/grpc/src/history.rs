//! What is kept for workers that come back or fall behind: decodes, and a state.
//!
//! # What is promised
//! One list for all, of bounded size: a worker that does not read costs nothing but its place in it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::generated::Decode;

/// A state that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) step: u64,
    pub(crate) bytes: Bytes,
    pub(crate) sha256: String,
}

/// A place in the list has fallen out of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fallen;

/// The last decodes, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct History {
    decodes: VecDeque<Decode>,
    /// The place of the first one, counted from the server's start.
    first: u64,
    bytes: usize,
    most: usize,
    /// The first step whose decodes are all kept.
    from: u64,
}

impl History {
    /// Nothing yet, at a step; later so many bytes at most.
    pub(crate) fn new(step: u64, most: usize) -> Self {
        Self { decodes: VecDeque::new(), first: 0, bytes: 0, most, from: step }
    }

    /// Decodes of an earlier time, from a step on.
    pub(crate) fn with(from: u64, most: usize, decodes: Vec<Decode>) -> Self {
        let mut history = Self::new(from, most);
        decodes.into_iter().for_each(|decode| history.push(decode));
        history
    }

    pub(crate) fn push(&mut self, decode: Decode) {
        self.bytes += size(&decode);
        self.decodes.push_back(decode);
        while self.bytes > self.most
            && let Some(old) = self.decodes.pop_front()
        {
            self.bytes -= size(&old);
            self.first += 1;
            self.from = old.step + 1;
        }
    }

    /// Forgets all decodes: the run goes back to a step. Who has not been told all of them has fallen out.
    pub(crate) fn go_back(&mut self, step: u64) {
        self.first += self.decodes.len() as u64;
        self.decodes.clear();
        (self.bytes, self.from) = (0, step);
    }

    /// The first step whose decodes are all kept: a state from then on is of use.
    pub(crate) fn from(&self) -> u64 {
        self.from
    }

    /// The place of the first decode of this step or a later one.
    pub(crate) fn place_of(&self, step: u64) -> u64 {
        self.first + self.decodes.partition_point(|decode| decode.step < step) as u64
    }

    /// The decode at a place; none where it was not made yet.
    pub(crate) fn get(&self, place: u64) -> Result<Option<&Decode>, Fallen> {
        let at = place.checked_sub(self.first).ok_or(Fallen)?;
        Ok(self.decodes.get(at as usize))
    }
}

/// Bytes that a decode takes, about.
fn size(decode: &Decode) -> usize {
    decode.negative.len() + decode.tied.len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fell_out_is_known_to_have() {
        let mut history = History::new(5, 3 * 65);
        assert_eq!((history.from(), history.place_of(5), history.get(0)), (5, 0, Ok(None)));
        for (step, block) in [(5, 0), (5, 1), (6, 1), (6, 0), (7, 0)] {
            history.push(Decode { step, block, negative: vec![1].into(), ..Decode::default() });
        }
        // Three are kept: the steps 6 and 7.
        assert_eq!((history.from(), history.get(1), history.place_of(7)), (6, Err(Fallen), 4));
        let kept = |place| history.get(place).unwrap().map(|decode| (decode.step, decode.block));
        assert_eq!([2, 3, 4, 5].map(kept), [Some((6, 1)), Some((6, 0)), Some((7, 0)), None]);
        // The run goes back to step 6: whoever was told all goes on, the others take a state.
        history.go_back(6);
        assert_eq!((history.from(), history.get(5), history.get(4)), (6, Ok(None), Err(Fallen)));
        history.push(Decode { step: 6, ..Decode::default() });
        assert_eq!(history.get(5).unwrap().map(|decode| decode.step), Some(6));
    }
}
