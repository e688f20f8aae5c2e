//! All workers of a step: what they say, send and compute.

use std::collections::BTreeMap;

use ecode_server::reactive::{Adversary, Content, Digest, Header, Said, View};

use super::lies::Lies;
use super::shares::Cut;
use crate::bits::Bits;

/// A vector's shares, and their list.
pub(crate) type Coded = (Vec<Vec<u8>>, Vec<u8>);

/// The workers of one step, simulated.
pub(crate) struct Crowd<'a> {
    pub(crate) lies: &'a Lies,
    pub(crate) header: Header,
    pub(crate) adversary: Adversary,
    /// All liars that were not named before the step, in order.
    pub(crate) liars: &'a [usize],
    pub(crate) holders: &'a [Vec<usize>],
    /// How vectors are cut into shares, where they are.
    cut: Option<Cut>,
    digests: BTreeMap<(usize, Content), Digest>,
    cuts: BTreeMap<(usize, Content), Coded>,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(
        lies: &'a Lies,
        header: Header,
        adversary: Adversary,
        liars: &'a [usize],
        holders: &'a [Vec<usize>],
    ) -> Self {
        let (digests, cuts) = (BTreeMap::new(), BTreeMap::new());
        Self { lies, header, adversary, liars, holders, cut: None, digests, cuts }
    }

    /// The same with vectors that are cut into shares: digests are then those of the lists.
    pub(crate) fn cut(self, cut: Cut) -> Self {
        Self { cut: Some(cut), ..self }
    }

    /// How vectors are cut into shares, where they are.
    #[cfg(feature = "grpc")]
    pub(crate) fn cutting(&self) -> Option<Cut> {
        self.cut
    }

    fn view(&self) -> View<'_> {
        let Self { header, holders, liars, .. } = self;
        View { seed: self.lies.seed, step: header.step, holders, liars }
    }

    /// The digest of a content: what its holders send, and what the server computes of a vector that it gets.
    pub(crate) fn digest(&mut self, partition: usize, content: Content) -> Digest {
        if let Some(&digest) = self.digests.get(&(partition, content)) {
            return digest;
        }
        let digest = if self.cut.is_some() {
            let header = self.header;
            header.digest(partition, &self.coded(partition, content).1)
        } else {
            self.header.digest(partition, &self.lies.bits(partition, content).to_bytes())
        };
        self.digests.insert((partition, content), digest);
        digest
    }

    /// The shares of a content, and their list.
    pub(crate) fn coded(&mut self, partition: usize, content: Content) -> &Coded {
        let Self { cuts, cut, lies, .. } = self;
        cuts.entry((partition, content)).or_insert_with(|| {
            let Some(cut) = cut else { return (Vec::new(), Vec::new()) };
            let shares = cut.shares(&lies.bits(partition, content).to_bytes());
            let list = cut.list(&shares);
            (shares, list)
        })
    }

    /// The digests that a worker sends for a partition: one, none or two.
    pub(crate) fn says(&mut self, worker: usize, partition: usize) -> Vec<(Content, Digest)> {
        let Said { digest, second } = if self.liars.contains(&worker) {
            self.adversary.digests(&self.view(), worker, partition)
        } else {
            Said::once(self.lies.right(worker, partition))
        };
        digest.into_iter().chain(second).map(|content| (content, self.digest(partition, content))).collect()
    }

    /// The digest that a worker sends when it is to compute a partition again: liars insist.
    pub(crate) fn says_again(&mut self, worker: usize, partition: usize) -> Option<Digest> {
        let unsteady = self.lies.other.as_ref().is_some_and(|other| !other.steady);
        let content = if unsteady && !self.liars.contains(&worker) {
            Some(Content::Honest)
        } else {
            self.says(worker, partition).first().map(|&(content, _)| content)
        };
        content.map(|content| self.digest(partition, content))
    }

    /// The vector that a worker sends when it is to, and the digest that it then has; none where it withholds it.
    pub(crate) fn sends(&mut self, worker: usize, partition: usize) -> Option<(Content, Digest)> {
        let content = if self.liars.contains(&worker) {
            self.adversary.vector(&self.view(), worker, partition)?
        } else {
            self.lies.right(worker, partition)
        };
        Some((content, self.digest(partition, content)))
    }

    /// The bits of an accepted content.
    pub(crate) fn bits(&self, partition: usize, content: Content) -> Bits {
        self.lies.bits(partition, content).into_owned()
    }
}
