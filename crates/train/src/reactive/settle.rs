//! One step's round trips: what the crowd says goes into the settlement, and its questions go back.

use std::collections::BTreeMap;

use ecode_server::reactive::{
    Assignment, Claim, Content, Digest, Drift, Excess, Header, Next, Pair, Roster, Settlement, Signer,
};

use super::account::Account;
use super::crowd::Crowd;
use super::journal::Journal;
use super::kinds::Hardware;
use super::minutes::Minutes;
use super::plan::HEADER;
use super::shares::Cut;
use crate::bits::Bits;

/// The key of a simulated worker: its secret is no secret of anybody.
fn simulated_key(run: &Digest, worker: usize) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("ecode 1 key of a simulated worker");
    *hasher.update(run).update(&(worker as u64).to_le_bytes()).finalize().as_bytes()
}

/// Bytes of a question.
pub(crate) const QUESTION: u64 = 12;

/// Who takes part in a step.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Who is asked, in the order in which they were drawn.
    pub(crate) present: Vec<usize>,
    /// Who is neither named nor asked.
    pub(crate) asleep: Vec<usize>,
    pub(crate) assignment: Assignment,
    /// b' at the beginning of the step.
    pub(crate) left: usize,
    /// How vectors are cut into shares, where they are.
    pub(crate) cut: Option<Cut>,
    /// Whether the server computes what cannot be settled.
    pub(crate) referee: bool,
    /// Partitions that are accepted as they are, without b' + 1 supporters, since all that were asked agree.
    pub(crate) trusted: BTreeMap<usize, Content>,
    /// What primaries sent before: vectors are sent once.
    pub(crate) committed: Vec<Content>,
    /// Who was silent when it was to send a vector.
    pub(crate) silent: Vec<usize>,
    /// Classes of hardware, and how workers that are right may differ.
    pub(crate) hardware: Option<Hardware>,
    pub(crate) drift: Drift,
    /// Whom evidence of another step has named since: they are asked nothing more.
    pub(crate) retired: Vec<usize>,
}

impl Table {
    /// The settlement of the step of a header.
    pub(crate) fn open(&self, header: Header) -> Settlement {
        let mut settlement =
            Settlement::new(&self.assignment, &self.present, self.left).of(header).drifting(self.drift);
        if let Some(Hardware { workers, partitions }) = self.hardware.clone() {
            settlement = settlement.of_classes(workers, partitions);
        }
        if self.cut.is_some() {
            settlement = settlement.without_primaries();
        }
        self.silent.iter().for_each(|&worker| settlement.silent(worker));
        self.retired.iter().for_each(|&worker| settlement.retire(worker));
        settlement
    }
}

/// How a step went.
pub(crate) struct Course {
    /// The accepted vectors.
    pub(crate) vectors: Vec<Bits>,
    pub(crate) settlement: Settlement,
    pub(crate) account: Account,
    /// A line for each dispute and each naming.
    pub(crate) remarks: Vec<String>,
}

/// Why a step has no decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("more workers are faulty than the scheme provides for: {0}")]
    Excess(Excess),
    #[error(
        "{} cannot be settled by the {answering} workers that answer: 2b + 1 are enough, or --referee server",
        partitions(.open)
    )]
    Short { open: Vec<usize>, answering: usize },
    #[error("a naming could not be kept: {0}")]
    Journal(String),
}

fn partitions(open: &[usize]) -> String {
    match open {
        [one] => format!("partition {one}"),
        [first, rest @ ..] => format!("partition {first} and {} more", rest.len()),
        [] => "nothing".to_owned(),
    }
}

/// The state of a step's round trips.
struct Trips<'c, 'a, 'j> {
    crowd: &'c mut Crowd<'a>,
    settlement: Settlement,
    journal: Option<&'j mut (dyn Journal + 'static)>,
    account: Account,
    /// What each digest is of, as far as a vector of it has come.
    contents: BTreeMap<(usize, Digest), Content>,
    /// Right shares by partition, digest and place.
    shares: BTreeMap<(usize, Digest), BTreeMap<usize, Vec<u8>>>,
    minutes: Minutes,
    vector_bytes: u64,
}

impl Trips<'_, '_, '_> {
    /// A worker has computed a partition and answers. Returns whether it said anything.
    fn answer(&mut self, worker: usize, partition: usize) -> bool {
        let claimed = self.crowd.says(worker, partition);
        let header = self.crowd.header;
        for &(_, digest) in &claimed {
            self.settlement.answer(worker, &header, partition, digest);
            if digest != claimed[0].1 {
                self.minutes.own.seconds.insert((worker, partition), digest);
            }
        }
        if claimed.is_empty() {
            self.settlement.silent(worker);
        } else {
            self.account.gradients += 1;
            self.account.bytes_up += size_of::<Digest>() as u64 * claimed.len() as u64;
        }
        !claimed.is_empty()
    }

    /// A worker computes once more what it has answered.
    fn again(&mut self, worker: usize, partition: usize) {
        let Some(digest) = self.crowd.says_again(worker, partition) else {
            return self.settlement.silent(worker);
        };
        self.account.gradients += 1;
        self.account.extra_gradients += 1;
        self.account.bytes_up += size_of::<Digest>() as u64;
        let header = self.crowd.header;
        self.settlement.answer(worker, &header, partition, digest);
    }

    /// Counts in how many coordinates two vectors differ.
    fn compare(&mut self, pair: &Pair) {
        let bits = |digest| {
            let content = self.contents.get(&(pair.partition, digest)).copied();
            self.crowd.bits(pair.partition, content.unwrap_or(Content::Honest))
        };
        let coordinates = bits(pair.accepted).differing(&bits(pair.other));
        self.settlement.compared(pair, usize::try_from(coordinates).unwrap_or(usize::MAX));
    }

    /// A worker sends a whole vector.
    fn vector(&mut self, worker: usize, partition: usize) {
        let Some((content, digest)) = self.crowd.sends(worker, partition) else {
            return self.settlement.silent(worker);
        };
        self.account.bytes_up += self.vector_bytes;
        if self.settlement.vector(worker, partition, digest) {
            self.contents.insert((partition, digest), content);
        } else {
            self.minutes.own.vectors.insert((worker, partition), digest);
        }
    }

    /// The vector that a primary has sent before is put beside the digest that it answers.
    fn committed(&mut self, worker: usize, partition: usize, content: Content) {
        let digest = self.crowd.digest(partition, content);
        self.account.bytes_up += self.vector_bytes;
        if self.settlement.vector(worker, partition, digest) {
            self.contents.insert((partition, digest), content);
        } else {
            self.minutes.own.vectors.insert((worker, partition), digest);
        }
    }

    /// A worker sends its share of a partition, at its place among the holders, with the list of its digest.
    fn share(&mut self, cut: Cut, place: usize, worker: usize, partition: usize) {
        let Some(&(own, digest)) = self.crowd.says(worker, partition).first() else { return };
        let Some((content, sent)) = self.crowd.sends(worker, partition) else {
            return self.settlement.silent(worker);
        };
        self.account.bytes_up += (cut.share_length() + cut.list_length()) as u64;
        let share = self.crowd.coded(partition, content).0[place].clone();
        let header = self.crowd.header;
        let (_, list) = self.crowd.coded(partition, own);
        let digest_of = *blake3::hash(&share).as_bytes();
        let claim = Claim { sizes: cut.sizes(), list: list.clone(), place, share: digest_of };
        if claim.contradicts(&header, partition, &digest) {
            self.settlement.vector(worker, partition, sent);
            let signer = Signer::new(simulated_key(&header.run, worker));
            let signature = signer.sign_share(&header, partition, &claim);
            self.minutes.own.shares.insert((worker, partition), (claim, signature));
        } else {
            let right = self.shares.entry((partition, digest)).or_default();
            right.insert(place, share);
            if right.len() >= cut.threshold {
                self.settlement.rebuilt(partition, digest);
                self.contents.insert((partition, digest), own);
            }
        }
    }

    /// Keeps new namings before anything is built on them.
    fn keep(&mut self, left: usize) -> Result<(), Failure> {
        let header = self.crowd.header;
        let signed = |worker, partition, digest: &Digest, of_vector| {
            let signer = Signer::new(simulated_key(&header.run, worker));
            Some((signer.key(), signer.sign(&header, partition, digest, of_vector)))
        };
        let journal = self.journal.as_deref_mut();
        self.minutes.keep(&self.settlement, &header, left, journal, &signed).map(drop)
    }
}

/// Settles a step.
pub(crate) fn settle(
    mut table: Table,
    crowd: &mut Crowd<'_>,
    roster: &Roster,
    pick: &mut dyn FnMut(&[usize]) -> usize,
    journal: Option<&mut (dyn Journal + 'static)>,
) -> Result<Course, Failure> {
    let settlement = table.open(crowd.header);
    let vector_bytes = crowd.lies.honest.first().map_or(0, |bits| bits.len().div_ceil(8)) as u64;
    let mut trips = Trips {
        crowd,
        settlement,
        journal,
        account: Account { partitions: table.assignment.holders.len() as u64, ..Account::default() },
        contents: BTreeMap::new(),
        shares: BTreeMap::new(),
        minutes: Minutes::new(table.left, &table.retired),
        vector_bytes,
    };
    let present = table.present.len() as u64;
    trips.account.bytes_up = HEADER as u64 * present;
    trips.account.bytes_down = (HEADER as u64 + vector_bytes) * present;
    for (partition, holders) in table.assignment.holders.iter().enumerate() {
        for (place, &worker) in holders.iter().enumerate() {
            if !trips.answer(worker, partition) {
                continue;
            }
            match table.cut {
                Some(cut) => trips.share(cut, place, worker, partition),
                None if place == 0 => match table.committed.get(partition) {
                    Some(&content) => trips.committed(worker, partition, content),
                    None => trips.vector(worker, partition),
                },
                None => {}
            }
        }
    }
    for (&partition, &content) in &table.trusted {
        let digest = trips.crowd.digest(partition, content);
        trips.settlement.referee(partition, digest);
        trips.contents.insert((partition, digest), content);
    }
    let accepted = loop {
        let left = trips.settlement.left();
        let next = trips.settlement.next(pick);
        trips.keep(left)?;
        match next {
            Next::Trip { asks, fetches } => {
                trips.account.bytes_down += QUESTION * (asks.len() + fetches.len()) as u64;
                trips.minutes.asked(&asks);
                for ask in asks {
                    if trips.answer(ask.worker, ask.partition) && ask.vector {
                        trips.vector(ask.worker, ask.partition);
                    }
                }
                fetches.iter().for_each(|fetch| trips.vector(fetch.worker, fetch.partition));
            }
            Next::Again(asks) => {
                trips.account.bytes_down += QUESTION * asks.len() as u64;
                asks.iter().for_each(|ask| trips.again(ask.worker, ask.partition));
            }
            Next::Compare(pairs) => pairs.iter().for_each(|pair| trips.compare(pair)),
            Next::Settled(accepted) => break accepted,
            Next::Short(open) => {
                if let Some(place) = roster.least_missing(&table.asleep) {
                    trips.settlement.admit(table.asleep.swap_remove(place));
                } else if table.referee {
                    for partition in open {
                        trips.account.referee_gradients += 1;
                        let digest = trips.crowd.digest(partition, Content::Honest);
                        trips.settlement.referee(partition, digest);
                        trips.contents.insert((partition, digest), Content::Honest);
                    }
                } else {
                    let answering = table.present.len() - trips.settlement.silents().count();
                    return Err(Failure::Short { open, answering });
                }
            }
            Next::Stop(excess) => return Err(Failure::Excess(excess)),
        }
    };
    let Trips { settlement, mut account, contents, shares, crowd, minutes, .. } = trips;
    let (disputes, remarks) = minutes.remarks(&settlement, crowd.header.step, accepted.len());
    account.disputes = disputes;
    let contents: Vec<Content> = accepted
        .iter()
        .enumerate()
        .map(|(partition, digest)| contents.get(&(partition, *digest)).copied().unwrap_or(Content::Honest))
        .collect();
    let vector = |(partition, digest): (usize, &Digest)| {
        let rebuilt = table.cut.and_then(|cut| {
            let bytes = cut.rebuild(shares.get(&(partition, *digest))?)?;
            Bits::from_bytes(crowd.lies.honest[partition].len(), &bytes)
        });
        rebuilt.unwrap_or_else(|| crowd.bits(partition, contents[partition]))
    };
    let vectors = accepted.iter().enumerate().map(vector).collect();
    account.extra_gradients += settlement.helpers() as u64;
    account.close_disputes = settlement.close().len() as u64;
    account.extra_trips = settlement.trips() as u64;
    account.timeouts = settlement.silents().count() as u64;
    account.heaviest = settlement.heaviest() as u64;
    Ok(Course { vectors, settlement, account, remarks })
}
