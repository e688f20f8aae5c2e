//! What the workers have said in one step under a scheme: signed digests, vectors and shares, losses and times.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecode_grpc::{Heard, Signed};
use ecode_server::reactive::{Claim, Digest, Header, Pair, Sent, Sitting};

use super::sessions::Session;
use crate::bits::Bits;
use crate::clock::median;
use crate::error::TrainError;
use crate::reactive::{Account, Course, Cut as Sharing, Minutes};
use crate::transport::MAX_LOSS;

/// Bytes of a digest with its signature.
const SIGNED: u64 = 32 + 64;

/// What was heard in a step.
pub(super) struct Records {
    pub(super) sitting: Sitting,
    pub(super) header: Header,
    pub(super) account: Account,
    /// Vectors that came, and are those of their senders' digests.
    pub(super) vectors: BTreeMap<(usize, Digest), Vec<u8>>,
    /// Who signed what: worker, partition, digest, and whether as that of a vector.
    pub(super) signatures: BTreeMap<(usize, usize, Digest, bool), [u8; 64]>,
    /// Everybody's first digest of each partition.
    pub(super) first: BTreeMap<(usize, usize), Digest>,
    pub(super) own: ecode_server::reactive::OwnContradictions,
    pub(super) losses: BTreeMap<usize, Vec<f64>>,
    pub(super) seconds: Vec<f64>,
    /// How vectors are cut into shares, where they are.
    pub(super) cut: Option<Sharing>,
    pub(super) holders: Vec<Vec<usize>>,
    /// Vectors that came before their digests, as those that move the parameters do where digests come later.
    held: Vec<(usize, Heard)>,
    /// Who was asked to compute what once more, and has not said it.
    pub(super) again: BTreeSet<(usize, usize)>,
    /// Right shares by partition, digest and place.
    pub(super) shares: BTreeMap<(usize, Digest), BTreeMap<usize, Vec<u8>>>,
}

impl Records {
    pub(super) fn new(
        sitting: Sitting,
        header: Header,
        cut: Option<Sharing>,
        holders: Vec<Vec<usize>>,
    ) -> Self {
        Self {
            sitting,
            header,
            account: Account::default(),
            vectors: BTreeMap::new(),
            signatures: BTreeMap::new(),
            first: BTreeMap::new(),
            own: ecode_server::reactive::OwnContradictions::default(),
            losses: BTreeMap::new(),
            seconds: Vec::new(),
            cut,
            holders,
            held: Vec::new(),
            again: BTreeSet::new(),
            shares: BTreeMap::new(),
        }
    }

    /// Which share of a partition a worker has; none where it has none, or vectors travel whole.
    pub(super) fn place(&self, worker: usize, partition: usize) -> Option<usize> {
        self.cut?;
        self.holders.get(partition)?.iter().position(|&holder| holder == worker)
    }

    /// Takes a list with a share, which are signed as those of a place.
    fn take_share(&mut self, now: Duration, worker: usize, bytes: &[u8], (of, place): (Signed, usize)) {
        let partition = of.partition;
        if !self.sitting.awaits(worker, partition) {
            return;
        }
        let own = self.first.get(&(worker, partition)).copied();
        let (Some(cut), Some(own)) = (self.cut, own) else { return };
        let claim =
            Claim::of(cut.sizes(), place, bytes).filter(|_| self.place(worker, partition) == Some(place));
        // Who sends another share than it was asked for says nothing that could be held against it.
        let Some(claim) = claim else { return self.sitting.gone(now, worker) };
        let sent = if claim.contradicts(&self.header, partition, &own) {
            let wrong = self.header.digest(partition, bytes);
            self.own.shares.entry((worker, partition)).or_insert((claim, of.signature));
            Sent::Wrong(wrong)
        } else {
            let right = self.shares.entry((partition, own)).or_default();
            right.insert(place, bytes[cut.list_length()..].to_vec());
            let whole = (right.len() >= cut.threshold).then(|| cut.rebuild(right)).flatten();
            match whole {
                Some(whole) => {
                    self.vectors.entry((partition, own)).or_insert(whole);
                    Sent::Enough(own)
                }
                None => Sent::Right,
            }
        };
        self.sitting.shared(now, worker, partition, sent);
    }

    pub(super) fn take(&mut self, now: Duration, worker: usize, heard: Heard) {
        match heard {
            Heard::Answer { state, digests, report } => {
                let header = Header { state, ..self.header };
                let paired = digests.len() == report.losses.len();
                for (place, signed) in digests.iter().enumerate() {
                    let (partition, digest) = (signed.partition, signed.digest);
                    self.account.bytes_up += SIGNED;
                    if signed.again {
                        let asked = self.again.remove(&(worker, partition));
                        self.account.gradients += u64::from(asked);
                        self.account.extra_gradients += u64::from(asked);
                        continue;
                    }
                    self.signatures.insert((worker, partition, digest, false), signed.signature);
                    let own = self.first.get(&(worker, partition)).copied();
                    match own {
                        None => {
                            self.first.insert((worker, partition), digest);
                            self.account.gradients += 1;
                        }
                        Some(own) if own != digest => {
                            self.own.seconds.entry((worker, partition)).or_insert(digest);
                        }
                        Some(_) => {}
                    }
                    let loss = f64::from(report.losses.get(place).copied().unwrap_or(f32::NAN));
                    if paired && loss.is_finite() {
                        self.losses.entry(partition).or_default().push(loss.clamp(0.0, MAX_LOSS));
                    }
                }
                if report.gradient_s.is_finite() {
                    self.seconds.push(f64::from(report.gradient_s).clamp(0.0, now.as_secs_f64()));
                }
                let digests: Vec<(usize, Digest)> =
                    digests.into_iter().map(|signed| (signed.partition, signed.digest)).collect();
                self.sitting.answered(now, worker, &header, digests);
                for (worker, heard) in std::mem::take(&mut self.held) {
                    self.vector(now, worker, heard);
                }
            }
            Heard::Vector { ref bytes, .. } => {
                self.account.bytes_up += bytes.len() as u64;
                self.vector(now, worker, heard);
            }
            Heard::Refusal { .. } => self.sitting.gone(now, worker),
        }
    }

    /// Whether a worker has said all that it is asked for.
    pub(super) fn has(&self, worker: usize, partition: usize, vector: bool) -> bool {
        let said = self.first.contains_key(&(worker, partition));
        let sent = |(by, heard): &(usize, Heard)| matches!(heard, Heard::Vector { of, .. } if *by == worker && of.partition == partition);
        if vector {
            self.held.iter().any(sent) || (said && !self.sitting.awaits(worker, partition))
        } else {
            said
        }
    }

    /// Takes a vector, or a list with a share; where its digest has not come it is kept until then.
    fn vector(&mut self, now: Duration, worker: usize, heard: Heard) {
        let Heard::Vector { of, .. } = &heard else { return };
        if !self.first.contains_key(&(worker, of.partition)) {
            if self.held.len() < self.holders.iter().map(Vec::len).sum() {
                self.held.push((worker, heard));
            }
            return;
        }
        match heard {
            Heard::Vector { bytes, of, share: Some(place) } => {
                self.take_share(now, worker, &bytes, (of, place));
            }
            // Its digest is that of the list of its shares, which nobody has signed: it names without a certificate.
            Heard::Vector { bytes, of, share: None } if self.cut.is_some() => {
                let digest = self.digest(of.partition, &bytes);
                if self.sitting.sent(now, worker, of.partition, digest) {
                    self.vectors.entry((of.partition, digest)).or_insert(bytes);
                }
            }
            Heard::Vector { bytes, of, share: None } => {
                let (partition, digest) = (of.partition, of.digest);
                self.signatures.insert((worker, partition, digest, true), of.signature);
                if self.sitting.sent(now, worker, partition, digest) {
                    self.vectors.entry((partition, digest)).or_insert(bytes);
                } else if self.first.get(&(worker, partition)).is_some_and(|own| *own != digest) {
                    self.own.vectors.entry((worker, partition)).or_insert(digest);
                }
            }
            _ => {}
        }
    }

    /// Accepts what was committed wherever all that were asked say it.
    pub(super) fn believe(&mut self, committed: &[Digest]) {
        for (partition, digest) in committed.iter().enumerate() {
            let agrees = |&worker: &usize| {
                let slot = (worker, partition);
                self.first.get(&slot) == Some(digest) && !self.own.seconds.contains_key(&slot)
            };
            if self.holders[partition].iter().all(agrees) {
                self.sitting.settlement().referee(partition, *digest);
            }
        }
    }

    /// Counts in how many coordinates two vectors differ that are both there.
    pub(super) fn compare(&mut self, pair: &Pair, d: usize) {
        let bits = |digest| {
            let bytes = self.vectors.get(&(pair.partition, digest))?;
            Bits::from_bytes(d, bytes)
        };
        // What is no vector of d signs is as far as can be.
        let coordinates = match (bits(pair.accepted), bits(pair.other)) {
            (Some(accepted), Some(other)) => {
                usize::try_from(accepted.differing(&other)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        };
        self.sitting.settlement().compared(pair, coordinates);
    }

    /// The digest of a vector, as workers announce it.
    pub(super) fn digest(&self, partition: usize, vector: &[u8]) -> Digest {
        match self.cut {
            Some(cut) => self.header.digest(partition, &cut.list(&cut.shares(vector))),
            None => self.header.digest(partition, vector),
        }
    }

    /// What the step came to.
    pub(super) fn into_session(
        mut self,
        accepted: &[Digest],
        d: usize,
        minutes: &Minutes,
    ) -> Result<Session, TrainError> {
        let (vectors, loss) = (self.bits(accepted, d)?, self.loss());
        let gradient_s = median(std::mem::take(&mut self.seconds)).unwrap_or(0.0);
        let (mut account, step) = (self.account, self.header.step);
        let settlement = self.sitting.into_settlement();
        let (disputes, remarks) = minutes.remarks(&settlement, step, accepted.len());
        account.disputes = disputes;
        account.extra_gradients += settlement.helpers() as u64;
        account.close_disputes = settlement.close().len() as u64;
        account.extra_trips = settlement.trips() as u64;
        account.timeouts = settlement.silents().count() as u64;
        account.heaviest = settlement.heaviest() as u64;
        let course = Course { vectors, settlement, account, remarks };
        Ok(Session { course, loss, gradient_s })
    }

    /// The bits of accepted vectors.
    pub(super) fn bits(&self, accepted: &[Digest], d: usize) -> Result<Vec<Bits>, TrainError> {
        let bits = |(partition, digest): (usize, &Digest)| {
            let bytes = self.vectors.get(&(partition, *digest));
            // The vector of an accepted digest is that of an honest worker.
            bytes.and_then(|bytes| Bits::from_bytes(d, bytes)).ok_or_else(|| {
                let step = self.header.step;
                TrainError::Transport(format!(
                    "the accepted vector of partition {partition} in step {step} is none"
                ))
            })
        };
        accepted.iter().enumerate().map(bits).collect()
    }

    /// The mean over partitions of the median of what workers say.
    pub(super) fn loss(&self) -> Option<f64> {
        let losses: Vec<f64> = self.losses.values().cloned().filter_map(median).collect();
        (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
    }
}
