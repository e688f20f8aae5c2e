//! The bits of what workers claim: honest vectors, and what an attack makes of them.

use std::borrow::Cow;

use ecode_server::reactive::Content;

use super::kinds::OtherBits;
use crate::attack::{Attack, coins};
use crate::bits::Bits;

/// The vectors of a step, as honest workers and liars know them.
#[derive(Clone, Debug)]
pub(crate) struct Lies {
    /// Each partition's signs.
    pub(crate) honest: Vec<Bits>,
    /// Each partition's signs with flipped labels, where liars flip them; else empty.
    pub(crate) instead: Vec<Bits>,
    /// The true majority's opposite, for liars who know it.
    pub(crate) opposite: Option<Bits>,
    pub(crate) attack: Attack,
    pub(crate) seed: u64,
    pub(crate) step: u64,
    /// What workers of another kind compute, where there are some.
    pub(crate) other: Option<OtherBits>,
}

impl Lies {
    /// What a worker computes that is right.
    pub(crate) fn right(&self, worker: usize, partition: usize) -> Content {
        match &self.other {
            Some(other) if other.differs(worker, partition) => Content::Drifted,
            _ => Content::Honest,
        }
    }

    /// The bits of a content. Lie 0 is the attack's; lie j + 1 is the honest vector with one bit turned, another one for
    /// each j.
    pub(crate) fn bits(&self, partition: usize, content: Content) -> Cow<'_, Bits> {
        let honest = &self.honest[partition];
        let story = match (content, &self.other) {
            (Content::Lie(story), _) => story,
            (Content::Drifted, Some(other)) => return Cow::Borrowed(&other.vectors[partition]),
            (Content::Drifted, None) | (Content::Honest, _) => return Cow::Borrowed(honest),
        };
        let d = honest.len();
        if story > 0 {
            let turned = (story - 1) % d.max(1);
            let mut bits = honest.clone();
            bits.words_mut()[turned / 64] ^= 1 << (turned % 64);
            return Cow::Owned(bits);
        }
        match self.attack {
            Attack::Reverse => Cow::Owned(Bits::from_words(d, |i| !honest.words()[i])),
            Attack::Random => Cow::Owned(coins(d, self.seed, self.step, partition)),
            Attack::Constant => Cow::Owned(Bits::ones(d)),
            Attack::Omniscient => self.opposite.as_ref().map_or(Cow::Borrowed(honest), Cow::Borrowed),
            Attack::LabelFlip => self.instead.get(partition).map_or(Cow::Borrowed(honest), Cow::Borrowed),
            // What makes gradients is refused with schemes.
            Attack::None
            | Attack::Alie
            | Attack::Ipm
            | Attack::OptAlie
            | Attack::OptIpm
            | Attack::MinMax
            | Attack::MinSum
            | Attack::Mimic
            | Attack::Gaussian => Cow::Borrowed(honest),
        }
    }
}
