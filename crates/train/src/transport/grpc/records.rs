//! What the workers have said in one step under a scheme: signed digests, vectors and shares, losses and times.

use std::collections::BTreeMap;
use std::time::Duration;

use ecode_grpc::Heard;
use ecode_server::reactive::{Digest, Header, Sent, Sitting};

use crate::bits::Bits;
use crate::clock::median;
use crate::error::TrainError;
use crate::reactive::{Account, Cut as Sharing};
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
            shares: BTreeMap::new(),
        }
    }

    /// Which share of a partition a worker has; none where it has none, or vectors travel whole.
    pub(super) fn place(&self, worker: usize, partition: usize) -> Option<usize> {
        self.cut?;
        self.holders.get(partition)?.iter().position(|&holder| holder == worker)
    }

    /// A worker has sent a list with its share, of this digest.
    fn share(&self, worker: usize, partition: usize, bytes: &[u8]) -> Option<(usize, Digest, Vec<u8>)> {
        let (cut, place) = (self.cut?, self.place(worker, partition)?);
        let (list, share) = bytes.split_at_checked(cut.list_length())?;
        let own = *self.first.get(&(worker, partition))?;
        let listed = Sharing::listed(list, place)? == &blake3::hash(share).as_bytes()[..];
        let right = listed && cut.heads(list) && self.header.digest(partition, list) == own;
        right.then(|| (place, own, share.to_vec()))
    }

    /// Takes a list with a share.
    fn take_share(&mut self, now: Duration, worker: usize, partition: usize, bytes: &[u8]) {
        if !self.sitting.awaits(worker, partition) {
            return;
        }
        let sent = match (self.cut, self.share(worker, partition, bytes)) {
            (Some(cut), Some((place, digest, share))) => {
                let right = self.shares.entry((partition, digest)).or_default();
                right.insert(place, share);
                let whole = (right.len() >= cut.threshold).then(|| cut.rebuild(right)).flatten();
                match whole {
                    Some(whole) => {
                        self.vectors.entry((partition, digest)).or_insert(whole);
                        Sent::Enough(digest)
                    }
                    None => Sent::Right,
                }
            }
            _ => Sent::Wrong(self.header.digest(partition, bytes)),
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
            }
            Heard::Vector { bytes, of, share: true } => {
                self.account.bytes_up += bytes.len() as u64;
                self.take_share(now, worker, of.partition, &bytes);
            }
            // Its digest is that of the list of its shares, which nobody has signed: it names without a certificate.
            Heard::Vector { bytes, of, share: false } if self.cut.is_some() => {
                let Some(cut) = self.cut else { return };
                self.account.bytes_up += bytes.len() as u64;
                let digest = self.header.digest(of.partition, &cut.list(&cut.shares(&bytes)));
                if self.sitting.sent(now, worker, of.partition, digest) {
                    self.vectors.entry((of.partition, digest)).or_insert(bytes);
                }
            }
            Heard::Vector { bytes, of, share: false } => {
                let (partition, digest) = (of.partition, of.digest);
                self.account.bytes_up += bytes.len() as u64;
                self.signatures.insert((worker, partition, digest, true), of.signature);
                if self.sitting.sent(now, worker, partition, digest) {
                    self.vectors.entry((partition, digest)).or_insert(bytes);
                } else if self.first.get(&(worker, partition)).is_some_and(|own| *own != digest) {
                    self.own.vectors.entry((worker, partition)).or_insert(digest);
                }
            }
            Heard::Refusal { .. } => self.sitting.gone(now, worker),
        }
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
