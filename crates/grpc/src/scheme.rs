//! What travels under a scheme that detects lies: tasks down; digests, vectors and refusals up, each signed by the
//! worker's key.
//!
//! # What is promised
//! - Nobody is heard who was not asked: a connection may send twice as many digests as it was asked for (a second one that
//!   differs is evidence), and as many vectors. Of each connection one vector at most is held, while it comes.
//! - What reaches the caller was signed by its row's key. What was not is rubbish, and shows nothing of anybody.

use bytes::Bytes;
use ecode_server::reactive::{Claim, Digest, Header, Sizes, signed, signed_again, signed_bytes};

use super::generated::{self, Holders, Rehearsal, Slot};
use super::happening::Report;

/// A digest that a worker announced, or that of a vector that it sent, with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The partition.
    pub partition: usize,
    /// The digest.
    pub digest: Digest,
    /// Its signature.
    pub signature: [u8; 64],
    /// Whether it was computed once more, and signed as that: what is said then shows nothing of what was said before.
    pub again: bool,
}

/// How vectors travel in a step where every holder sends a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// So many rebuild a vector.
    pub threshold: usize,
    /// So many there are.
    pub holders: usize,
    /// Bytes of a list with a share, as it is sent.
    pub bytes: usize,
    /// Bytes of a whole vector.
    pub whole: usize,
}

/// What a worker is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// The step, from 0.
    pub step: u64,
    /// The digest of the run's identity.
    pub run: Digest,
    /// The digest of the state to compute from.
    pub state: Digest,
    /// Partitions to compute.
    pub partitions: Vec<usize>,
    /// Those whose vector is to be sent.
    pub vectors: Vec<usize>,
    /// Vectors that are fetched: partition and digest.
    pub fetches: Vec<(usize, Digest)>,
    /// What liars know, where an attack is rehearsed: each partition's holders, and the liars that were not named.
    pub rehearsal: Option<(Vec<Vec<usize>>, Vec<usize>)>,
    /// Where vectors travel in shares: how many rebuild one, and how many there are.
    pub cut: Option<(usize, usize)>,
    /// Shares to send: partition and place.
    pub shares: Vec<(usize, usize)>,
    /// Partitions to compute once more.
    pub again: Vec<usize>,
    /// The partitions of a row to vote over, where votes are taken by now.
    pub row: Option<Vec<usize>>,
    /// How often the run has gone back.
    pub undone: u32,
}

impl Task {
    /// What digests are headed by.
    #[must_use]
    pub fn header(&self) -> Header {
        Header { run: self.run, step: self.step, state: self.state }
    }

    pub(crate) fn to_message(&self) -> generated::Task {
        let numbers = |list: &[usize]| list.iter().map(|&number| number as u32).collect::<Vec<u32>>();
        let fetch = |(partition, digest): &(usize, Digest)| Slot {
            partition: *partition as u32,
            digest: Bytes::copy_from_slice(digest),
            signature: Bytes::new(),
            again: false,
        };
        let share = |&(partition, place): &(usize, usize)| generated::Share {
            partition: partition as u32,
            place: place as u32,
        };
        let rehearsal = self.rehearsal.as_ref().map(|(holders, liars)| Rehearsal {
            holders: holders.iter().map(|workers| Holders { workers: numbers(workers) }).collect(),
            liars: numbers(liars),
        });
        generated::Task {
            step: self.step,
            run: Bytes::copy_from_slice(&self.run),
            state: Bytes::copy_from_slice(&self.state),
            partitions: numbers(&self.partitions),
            vectors: numbers(&self.vectors),
            fetches: self.fetches.iter().map(fetch).collect(),
            rehearsal,
            threshold: self.cut.map_or(0, |cut| cut.0 as u32),
            holders: self.cut.map_or(0, |cut| cut.1 as u32),
            shares: self.shares.iter().map(share).collect(),
            again: numbers(&self.again),
            row: self.row.as_ref().map(|row| generated::Row { partitions: numbers(row) }),
            undone: self.undone,
        }
    }

    pub(crate) fn of_message(task: generated::Task) -> Option<Self> {
        let numbers = |list: Vec<u32>| list.into_iter().map(|number| number as usize).collect::<Vec<usize>>();
        let fetch = |slot: Slot| Some((slot.partition as usize, fixed(&slot.digest)?));
        let rehearsal = task.rehearsal.map(|rehearsal| {
            let holders = rehearsal.holders.into_iter().map(|holders| numbers(holders.workers)).collect();
            (holders, numbers(rehearsal.liars))
        });
        Some(Self {
            step: task.step,
            run: fixed(&task.run)?,
            state: fixed(&task.state)?,
            partitions: numbers(task.partitions),
            vectors: numbers(task.vectors),
            fetches: task.fetches.into_iter().map(fetch).collect::<Option<_>>()?,
            rehearsal,
            cut: (task.threshold > 0).then_some((task.threshold as usize, task.holders as usize)),
            shares: task
                .shares
                .iter()
                .map(|share| (share.partition as usize, share.place as usize))
                .collect(),
            again: numbers(task.again),
            row: task.row.map(|row| numbers(row.partitions)),
            undone: task.undone,
        })
    }
}

/// What was heard of a worker that was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Digests of the present step. A worker whose state is another has none.
    Answer {
        /// The state that they are of.
        state: Digest,
        /// The digests.
        digests: Vec<Signed>,
        /// What it said beside them: one loss for each digest.
        report: Report,
    },
    /// A whole vector of the present step.
    Vector {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Its partition, and the digest of these bytes.
        of: Signed,
        /// Where it is a list with a share, not a vector: which share.
        share: Option<usize>,
    },
    /// It cannot send a vector of this partition.
    Refusal {
        /// The partition.
        partition: usize,
    },
}

/// What a row may send.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dues {
    pub(crate) answers: usize,
    pub(crate) digests: usize,
    pub(crate) vectors: usize,
}

/// The longest list of digests of shares, beside the vector itself: as many as there can be workers.
const LONGEST_LIST: usize = 64 + 32 * 4096;

/// So many tasks may be unanswered; what is beyond is answered by nobody in time. With a window each open step has some.
const TASKS: usize = 64;

impl Dues {
    /// A task is on its way.
    pub(crate) fn asked(&mut self, task: &Task, partitions: usize) {
        self.answers = (self.answers + 2).min(2 * TASKS);
        self.digests =
            (self.digests + 2 * (task.partitions.len() + task.again.len())).min(2 * TASKS * partitions);
        let planes = 2 * usize::from(task.row.is_some());
        self.vectors = (self.vectors + task.vectors.len() + task.fetches.len() + task.shares.len() + planes)
            .min(TASKS * partitions);
    }

    /// Takes so many off; whether there were as many.
    pub(crate) fn take(of: &mut usize, count: usize) -> bool {
        of.checked_sub(count).map(|rest| *of = rest).is_some()
    }
}

/// A vector that comes piece by piece.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) step: u64,
    pub(crate) state: Digest,
    partition: usize,
    /// What has come; only its length is kept of a vector that is of no use any more.
    bytes: Vec<u8>,
    came: usize,
    wanted: bool,
    /// Bytes of the whole.
    length: usize,
    share: Option<usize>,
}

/// What a piece made of a vector.
#[derive(Debug)]
pub(crate) enum Pieced {
    /// It is not whole.
    More(Partial),
    /// It is whole, and of the present step.
    Whole(Heard),
    /// It is whole, and of no use.
    Useless,
}

/// Which share a piece is of; none of a whole vector.
fn share_of(piece: &generated::Vector) -> Option<usize> {
    piece.share.then_some(piece.place as usize)
}

/// What no honest worker sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rubbish;

impl Partial {
    /// The first piece of a vector, while a header is that of the present step, in which vectors have so many bytes, and
    /// travel in shares or not.
    pub(crate) fn begin(
        piece: &generated::Vector,
        header: &Header,
        whole: usize,
        shares: Option<Shares>,
    ) -> Result<Self, Rubbish> {
        let state = fixed(&piece.state).ok_or(Rubbish)?;
        let wanted = piece.step == header.step && state == header.state;
        let length = usize::try_from(piece.length).map_err(|_| Rubbish)?;
        let right = match (piece.share, shares) {
            (false, _) => length == whole,
            (true, Some(Shares { bytes, .. })) if wanted => length == bytes,
            // Of another step, in which there may have been others.
            (true, _) => !wanted && length <= whole + LONGEST_LIST,
        };
        if !right {
            return Err(Rubbish);
        }
        let (partition, share) = (piece.partition as usize, share_of(piece));
        Ok(Self { step: piece.step, state, partition, bytes: Vec::new(), came: 0, wanted, length, share })
    }

    /// Adds a piece.
    pub(crate) fn add(
        mut self,
        piece: &generated::Vector,
        header: &Header,
        shares: Option<Shares>,
        key: &Digest,
    ) -> Result<Pieced, Rubbish> {
        let length = self.length;
        let same = piece.step == self.step
            && piece.state[..] == self.state
            && share_of(piece) == self.share
            && piece.partition as usize == self.partition;
        let fits = piece.first == self.came as u64
            && piece.length == length as u64
            && !piece.negative.is_empty()
            && piece.negative.len() <= length - self.came;
        if !same || !fits {
            return Err(Rubbish);
        }
        self.came += piece.negative.len();
        if self.wanted {
            self.bytes.extend_from_slice(&piece.negative);
        }
        if self.came < length {
            return Ok(Pieced::More(self));
        }
        // The step may be over since its first piece.
        if !self.wanted || (header.step, header.state) != (self.step, self.state) {
            return Ok(Pieced::Useless);
        }
        // As it was received: padding is not masked.
        let digest = header.digest(self.partition, &self.bytes);
        let signature = fixed(&piece.signature).ok_or(Rubbish)?;
        let right = match (shares, self.share) {
            (Some(Shares { threshold, holders, whole, .. }), Some(place)) => {
                let sizes = Sizes { threshold, holders, length: whole };
                Claim::of(sizes, place, &self.bytes).is_some_and(|claim| {
                    let digest = claim.digest(header, self.partition);
                    signed_bytes(key, header, self.partition, &digest, &signature)
                })
            }
            (Some(_), None) => signed_bytes(key, header, self.partition, &digest, &signature),
            (None, _) => signed(key, header, self.partition, &digest, true, &signature),
        };
        if !right {
            return Err(Rubbish);
        }
        let of = Signed { partition: self.partition, digest, signature, again: false };
        Ok(Pieced::Whole(Heard::Vector { bytes: self.bytes, of, share: self.share }))
    }
}

/// An answer of the present step, where all that it says was signed. None where it is of another step.
pub(crate) fn answer(
    answer: generated::Answer,
    header: &Header,
    partitions: usize,
    key: &Digest,
) -> Result<Option<Heard>, Rubbish> {
    let state: Digest = fixed(&answer.state).ok_or(Rubbish)?;
    if answer.step != header.step {
        return Ok(None);
    }
    let report = answer.report.unwrap_or_default();
    if report.losses.len() > answer.digests.len() {
        return Err(Rubbish);
    }
    let report = Report { losses: report.losses, gradient_s: report.gradient_s };
    if state != header.state {
        return Ok(Some(Heard::Answer { state, digests: Vec::new(), report }));
    }
    let read = |slot: Slot| -> Option<Signed> {
        let partition = slot.partition as usize;
        let (digest, signature) = (fixed(&slot.digest)?, fixed(&slot.signature)?);
        let right = partition < partitions
            && if slot.again {
                signed_again(key, header, partition, &digest, &signature)
            } else {
                signed(key, header, partition, &digest, false, &signature)
            };
        right.then_some(Signed { partition, digest, signature, again: slot.again })
    };
    let digests = answer.digests.into_iter().map(read).collect::<Option<_>>().ok_or(Rubbish)?;
    Ok(Some(Heard::Answer { state, digests, report }))
}

/// So many bytes; none where there are more or fewer.
fn fixed<const N: usize>(bytes: &Bytes) -> Option<[u8; N]> {
    bytes[..].try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_server::reactive::Signer;

    const HEADER: Header = Header { run: [1; 32], step: 4, state: [2; 32] };

    fn piece(first: usize, bytes: &[u8], signature: &[u8]) -> generated::Vector {
        generated::Vector {
            step: 4,
            state: Bytes::copy_from_slice(&HEADER.state),
            partition: 3,
            first: first as u64,
            length: 5,
            negative: Bytes::copy_from_slice(bytes),
            signature: Bytes::copy_from_slice(signature),
            share: false,
            place: 0,
        }
    }

    /// A list with a share has a length of its own, and a signature of its own kind: that of a vector shows nothing of it,
    /// nor the other way round.
    #[test]
    fn shares_are_no_vectors() {
        let signer = Signer::new([7; 32]);
        let sizes = Sizes { threshold: 2, holders: 3, length: 5 };
        let bytes = [&sizes.head()[..], &[9; 96], &[1, 2, 3, 4]].concat();
        let of = |bytes| Shares { threshold: 2, holders: 3, bytes, whole: 5 };
        let shares = Some(of(bytes.len()));
        let piece = |signature: &[u8]| generated::Vector {
            length: bytes.len() as u64,
            negative: Bytes::copy_from_slice(&bytes),
            share: true,
            place: 1,
            ..piece(0, &[], signature)
        };
        let heard = |piece: &generated::Vector, shares| {
            Partial::begin(piece, &HEADER, 5, shares)?.add(piece, &HEADER, shares, &signer.key())
        };
        let claim = |place| Claim::of(sizes, place, &bytes).unwrap();
        let right = signer.sign_share(&HEADER, 3, &claim(1));
        match heard(&piece(&right), shares) {
            Ok(Pieced::Whole(Heard::Vector { share: Some(1), of, .. })) => {
                assert_eq!(of.digest, HEADER.digest(3, &bytes));
            }
            other => panic!("{other:?}"),
        }
        let of_vector = signer.sign(&HEADER, 3, &HEADER.digest(3, &bytes), true);
        assert!(heard(&piece(&of_vector), shares).is_err());
        assert!(heard(&piece(&right), None).is_err(), "nobody sends shares");
        assert!(heard(&piece(&right), Some(of(bytes.len() + 1))).is_err());
        let of_another_place = signer.sign_share(&HEADER, 3, &claim(2));
        assert!(heard(&piece(&of_another_place), shares).is_err());
        // One of an earlier step, which had others, is of no use, and no rubbish.
        let late = generated::Vector { step: 3, ..piece(&right) };
        assert!(matches!(heard(&late, None), Ok(Pieced::Useless)));
    }

    /// A vector is judged only where it is whole, in order, and signed by the row's key.
    #[test]
    fn pieces_make_a_vector_or_rubbish() {
        let signer = Signer::new([7; 32]);
        let digest = HEADER.digest(3, &[1, 2, 3, 4, 5]);
        let signature = signer.sign(&HEADER, 3, &digest, true);
        let first = piece(0, &[1, 2, 3], &[]);
        let begun = || match Partial::begin(&first, &HEADER, 5, None)
            .and_then(|partial| partial.add(&first, &HEADER, None, &signer.key()))
        {
            Ok(Pieced::More(partial)) => partial,
            other => panic!("{other:?}"),
        };
        let last = piece(3, &[4, 5], &signature);
        match begun().add(&last, &HEADER, None, &signer.key()) {
            Ok(Pieced::Whole(Heard::Vector { bytes, of, share: None })) => {
                assert_eq!((bytes, of.digest), (vec![1, 2, 3, 4, 5], digest));
            }
            other => panic!("{other:?}"),
        }
        // The step was decided while it came.
        let later = Header { step: 5, ..HEADER };
        assert!(matches!(begun().add(&last, &later, None, &signer.key()), Ok(Pieced::Useless)));
        let announced = signer.sign(&HEADER, 3, &digest, false);
        let wrong = [
            piece(2, &[4, 5], &signature),
            piece(3, &[4, 5, 6], &signature),
            piece(3, &[], &signature),
            piece(3, &[4, 6], &signature),
            piece(3, &[4, 5], &announced),
            piece(3, &[4, 5], &[]),
            generated::Vector { partition: 2, ..last.clone() },
            generated::Vector { length: 6, ..last.clone() },
        ];
        for wrong in wrong {
            assert!(begun().add(&wrong, &HEADER, None, &signer.key()).is_err(), "{wrong:?}");
        }
        let other = Signer::new([8; 32]);
        assert!(begun().add(&last, &HEADER, None, &other.key()).is_err(), "signed by somebody else");
    }

    #[test]
    fn an_answer_of_another_state_says_nothing_and_an_unsigned_one_is_rubbish() {
        let signer = Signer::new([7; 32]);
        let digest = [9; 32];
        let slot = |signature: [u8; 64]| Slot {
            partition: 1,
            digest: Bytes::copy_from_slice(&digest),
            signature: Bytes::copy_from_slice(&signature),
            again: false,
        };
        let right = slot(signer.sign(&HEADER, 1, &digest, false));
        let said = |state: &[u8], step, digests: Vec<Slot>| {
            let said =
                generated::Answer { step, state: Bytes::copy_from_slice(state), digests, report: None };
            answer(said, &HEADER, 2, &signer.key())
        };
        let count = |heard| match heard {
            Ok(Some(Heard::Answer { digests, .. })) => Some(digests.len()),
            _ => None,
        };
        assert_eq!(count(said(&HEADER.state, 4, vec![right.clone()])), Some(1));
        assert_eq!(count(said(&[3; 32], 4, vec![right.clone()])), Some(0));
        assert_eq!(said(&HEADER.state, 3, vec![right.clone()]), Ok(None));
        assert_eq!(said(&[3; 31], 4, vec![]), Err(Rubbish));
        // Signed as the digest of a vector; of a partition that there is not.
        let wrong = [slot(signer.sign(&HEADER, 1, &digest, true)), Slot { partition: 2, ..right }];
        for wrong in wrong {
            assert_eq!(said(&HEADER.state, 4, vec![wrong]), Err(Rubbish));
        }
    }

    /// Twice what was asked for, and no allowance grows without end.
    #[test]
    fn nobody_is_heard_who_was_not_asked() {
        let mut dues = Dues::default();
        assert!(!Dues::take(&mut dues.answers, 1));
        let task = Task { partitions: vec![0, 1], vectors: vec![0], ..Task::default() };
        dues.asked(&task, 3);
        assert!(Dues::take(&mut dues.digests, 4) && !Dues::take(&mut dues.digests, 1));
        assert!(Dues::take(&mut dues.vectors, 1) && !Dues::take(&mut dues.vectors, 1));
        (0..1000).for_each(|_| dues.asked(&task, 3));
        assert_eq!((dues.answers, dues.digests, dues.vectors), (128, 384, 192));
    }
}
