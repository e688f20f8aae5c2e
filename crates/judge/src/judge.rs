//! A run's judge: assigns each step, takes what happened, says what is to be done.
//!
//! # What is promised
//! What `Settlement` and `Roster` promise. It is deterministic: judges that are told the same in the same order say the same,
//! so that each of several peers may have its own.

use serde::{Deserialize, Serialize};

use crate::{
    Assignment, Budget, Certificate, Digest, Evidence, Header, Named, Next, OwnContradictions, Record,
    Roster, Settlement, Signed, assign, certify,
};

/// What happened, in any order and however often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A worker's digest of a partition has come: [`Judge::header`]'s digest of the vector, or the caller's own kind, of which
    /// equal ones mean equal values.
    Answer {
        /// Who sent it.
        worker: usize,
        /// The partition.
        partition: usize,
        /// The digest.
        digest: Digest,
    },
    /// A worker has sent the vector of a partition whole, and this is the digest of what came.
    Vector {
        /// Who sent it.
        worker: usize,
        /// The partition.
        partition: usize,
        /// The digest of what came.
        digest: Digest,
    },
    /// The vector of a digest can be had without asking: vectors travel in another way, or are not needed.
    Available {
        /// The partition.
        partition: usize,
        /// The digest.
        digest: Digest,
    },
    /// A trusted referee has computed the partition: this is its digest, and the vector is there.
    Referee {
        /// The partition.
        partition: usize,
        /// The digest.
        digest: Digest,
    },
    /// A worker did not answer in time. It is named for nothing by that.
    Silent {
        /// Who.
        worker: usize,
    },
}

/// What a judge cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The numbers do not fit.
    #[error("{0}")]
    Numbers(String),
    /// An event or a question came between two steps.
    #[error("no step is open")]
    Closed,
    /// A step is open where none may be.
    #[error("a step is open: its state is for between steps")]
    Open,
    /// Too few workers are left to check each other.
    #[error("{left} workers are left, and {needed} are needed to check each other")]
    TooFew {
        /// How many can be asked.
        left: usize,
        /// How many are needed.
        needed: usize,
    },
    /// More were named than the promise allows.
    #[error("more workers were named than can be wrong")]
    Excess,
    /// There is no such worker, or no such partition.
    #[error("{what} {index}: there are {what}s 0 to {}", count - 1)]
    Unknown {
        /// "worker" or "partition".
        what: &'static str,
        /// Which.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Holders that the caller has chosen are not present workers, one list a partition.
    #[error("holders: expected present workers for each of the {0} partitions")]
    Holders(usize),
    /// The state is not one of this run.
    #[error("the state is of another run")]
    OtherRun,
}

/// What the next step needs of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgeState {
    /// The digest of what identifies the run.
    pub run: Digest,
    /// The next step.
    pub step: u64,
    /// The digest of the state before it.
    pub state: Digest,
    /// What is known of each worker.
    pub records: Vec<Record>,
}

/// Judges a run of n workers over k partitions.
///
/// ```
/// use ecode_judge::{Budget, Event, Judge, Next};
///
/// // Five workers, one of which may be wrong; each of three partitions is computed twice.
/// let mut judge = Judge::new(5, 3, 1, Budget::AtOnce, 0, b"an example")?;
/// let holders = judge.open(&[0, 1, 2, 3, 4])?;
/// let liar = holders[0][0];
/// let value = |judge: &Judge, worker: usize, partition: usize| {
///     judge.header().digest(partition, if worker == liar { b"wrong" } else { b"right" })
/// };
/// let mut asked: Vec<(usize, usize)> =
///     holders.iter().enumerate().flat_map(|(i, list)| list.iter().map(move |&worker| (i, worker))).collect();
/// let accepted = loop {
///     for (partition, worker) in asked.drain(..) {
///         let digest = value(&judge, worker, partition);
///         judge.tell(Event::Answer { worker, partition, digest })?;
///         judge.tell(Event::Available { partition, digest })?;
///     }
///     match judge.next()? {
///         Next::Trip { asks, .. } => asked = asks.iter().map(|ask| (ask.partition, ask.worker)).collect(),
///         Next::Settled(accepted) => break accepted,
///         other => return Err(format!("{other:?}").into()),
///     }
/// };
/// assert!((0..3).all(|i| accepted[i] == judge.header().digest(i, b"right")));
/// assert_eq!(judge.named().iter().map(|named| named.0).collect::<Vec<_>>(), [liar]);
/// judge.close(b"what was decoded");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Judge {
    roster: Roster,
    header: Header,
    k: usize,
    asleep: Vec<usize>,
    settlement: Option<Settlement>,
    /// b' when the open step was opened.
    opened: usize,
}

impl Judge {
    /// A judge of n workers of which b can be wrong, at any time or in the whole run. `run` says what identifies the run: code,
    /// data, configuration. Each partition gets b + 1 holders and `spare` more.
    ///
    /// # Errors
    /// [`JudgeError::Numbers`] for b = 0, b ≥ n or k = 0.
    pub fn new(
        n: usize,
        k: usize,
        b: usize,
        budget: Budget,
        spare: usize,
        run: &[u8],
    ) -> Result<Self, JudgeError> {
        if b == 0 || n <= b {
            let most = n.saturating_sub(1);
            return Err(JudgeError::Numbers(format!(
                "b = {b}: from 1 to {most} of {n} workers can be wrong"
            )));
        }
        if k == 0 {
            return Err(JudgeError::Numbers("k = 0: at least one partition is needed".into()));
        }
        let header =
            Header { run: blake3::derive_key("ecode 1 run of a judge", run), step: 0, state: [0; 32] };
        let roster = Roster::new(n, b, budget, 2, spare);
        Ok(Self { roster, header, k, asleep: Vec::new(), settlement: None, opened: b })
    }

    /// Who of these can be asked in the step: who is neither named nor suspended; of the suspended, as many as are needed.
    #[must_use]
    pub fn present(&self, connected: &[usize]) -> Vec<usize> {
        self.roster.present(self.header.step, connected.iter().copied())
    }

    /// Opens the step: who holds each partition, the one first that is to send the vector.
    ///
    /// # Errors
    /// [`JudgeError::TooFew`] where nothing could be checked.
    pub fn open(&mut self, connected: &[usize]) -> Result<Vec<Vec<usize>>, JudgeError> {
        self.begin(connected, None)
    }

    /// Opens the step with holders that the caller has chosen among [`Self::present`].
    ///
    /// # Errors
    /// As [`Self::open`]; [`JudgeError::Holders`] where they are others.
    pub fn open_with(&mut self, connected: &[usize], holders: Vec<Vec<usize>>) -> Result<(), JudgeError> {
        self.begin(connected, Some(holders)).map(drop)
    }

    fn begin(
        &mut self,
        connected: &[usize],
        holders: Option<Vec<Vec<usize>>>,
    ) -> Result<Vec<Vec<usize>>, JudgeError> {
        let left = self.roster.left().ok_or(JudgeError::Excess)?;
        let mut present = self.present(connected);
        let needed = (left + 1).max(2);
        if present.len() < needed {
            return Err(JudgeError::TooFew { left: present.len(), needed });
        }
        let unnamed =
            |worker: usize| self.roster.records().get(worker).is_some_and(|record| record.named.is_none());
        self.asleep = connected.iter().copied().filter(|w| unnamed(*w) && !present.contains(w)).collect();
        present.sort_unstable();
        self.shuffle(&mut present);
        let assignment = match holders {
            None => assign(&present, self.k, self.roster.holders()),
            Some(holders) => {
                let known = |list: &Vec<usize>| list.iter().all(|worker| present.contains(worker));
                if holders.len() != self.k || !holders.iter().all(known) {
                    return Err(JudgeError::Holders(self.k));
                }
                Assignment { holders }
            }
        };
        self.settlement = Some(Settlement::new(&assignment, &present, left));
        self.opened = left;
        Ok(assignment.holders)
    }

    /// Everybody draws the same order, a new one in each step.
    fn shuffle(&self, present: &mut [usize]) {
        let mut hasher = blake3::Hasher::new_derive_key("ecode 1 order of the workers in a step");
        hasher.update(&self.header.run).update(&self.header.step.to_le_bytes());
        let mut draws = hasher.finalize_xof();
        for last in (1..present.len()).rev() {
            let mut draw = [0; 8];
            draws.fill(&mut draw);
            let place = u64::from_le_bytes(draw) % (last as u64 + 1);
            present.swap(last, usize::try_from(place).unwrap_or(last));
        }
    }

    /// Takes what happened. Returns whether a vector is worth keeping: whether it is that of its sender's own digest.
    ///
    /// # Errors
    /// [`JudgeError::Closed`] between two steps, [`JudgeError::Unknown`] for a worker or partition that is not there.
    pub fn tell(&mut self, event: Event) -> Result<bool, JudgeError> {
        let (n, k) = (self.roster.records().len(), self.k);
        let within = |what: &'static str, index: usize, count: usize| {
            (index < count).then_some(()).ok_or(JudgeError::Unknown { what, index, count })
        };
        if let Event::Answer { worker, .. } | Event::Vector { worker, .. } | Event::Silent { worker } = event
        {
            within("worker", worker, n)?;
        }
        if let Event::Answer { partition, .. }
        | Event::Vector { partition, .. }
        | Event::Available { partition, .. }
        | Event::Referee { partition, .. } = event
        {
            within("partition", partition, k)?;
        }
        let open = self.settlement.as_mut().ok_or(JudgeError::Closed)?;
        match event {
            Event::Answer { worker, partition, digest } => open.digest(worker, partition, digest),
            Event::Vector { worker, partition, digest } => return Ok(open.vector(worker, partition, digest)),
            Event::Available { partition, digest } => open.rebuilt(partition, digest),
            Event::Referee { partition, digest } => open.referee(partition, digest),
            Event::Silent { worker } => open.silent(worker),
        }
        Ok(true)
    }

    /// When everybody has answered or is silent: what is accepted, or to be asked. It never says
    /// [`Next::Again`] or [`Next::Compare`].
    ///
    /// # Errors
    /// [`JudgeError::Closed`] between two steps.
    #[allow(clippy::should_implement_trait, reason = "a judge is no list; it says what follows")]
    pub fn next(&mut self) -> Result<Next, JudgeError> {
        let open = self.settlement.as_mut().ok_or(JudgeError::Closed)?;
        loop {
            let next = open.next(&mut |_| 0);
            if !matches!(next, Next::Short(_)) {
                return Ok(next);
            }
            let Some(place) = self.roster.least_missing(&self.asleep) else { return Ok(next) };
            open.admit(self.asleep.swap_remove(place));
        }
    }

    /// Closes the step with what was decoded, and goes on to the next: digests of other steps are other digests. A judge
    /// that did not open the step goes on without having learned of anybody.
    pub fn close(&mut self, decode: &[u8]) {
        if let Some(settlement) = self.settlement.take() {
            self.roster.note(self.header.step, settlement.asked(), &settlement);
        }
        self.header = self.header.next(decode);
    }

    /// Goes to a step: a judge that rests in between, or a run that was resumed. An open step is given up.
    pub fn seek(&mut self, step: u64) {
        self.settlement = None;
        self.header.step = step;
    }

    /// The run, the step and the state that digests are about.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// The open step.
    #[must_use]
    pub fn settlement(&self) -> Option<&Settlement> {
        self.settlement.as_ref()
    }

    /// Certificates of those whom the open step has named by what others announced, from who signed what. Sign and certify
    /// before [`Self::close`].
    #[must_use]
    pub fn certificates(&self, signed: Signed<'_>) -> Vec<Certificate> {
        let own = OwnContradictions::default();
        let make = |open| certify(open, &self.header, self.opened, &own, signed);
        self.settlement.as_ref().map(make).unwrap_or_default()
    }

    /// How many workers there are, and how many partitions.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.roster.records().len(), self.k)
    }

    /// How many of the unnamed workers can be wrong, in the open step or in the next one.
    #[must_use]
    pub fn left(&self) -> usize {
        self.settlement.as_ref().map_or_else(|| self.roster.left().unwrap_or(0), Settlement::left)
    }

    /// Who was named: worker, step, why, those of the open step included.
    #[must_use]
    pub fn named(&self) -> Vec<(usize, u64, Evidence)> {
        let records = self.roster.records().iter().enumerate();
        let mut named: Vec<_> = records
            .filter_map(|(worker, record)| record.named.map(|(step, evidence)| (worker, step, evidence)))
            .collect();
        for Named { worker, evidence } in self.settlement.iter().flat_map(Settlement::named) {
            if !named.iter().any(|one| one.0 == worker) {
                named.push((worker, self.header.step, evidence));
            }
        }
        named
    }

    /// What the next step needs of the past.
    ///
    /// # Errors
    /// [`JudgeError::Open`] in an open step.
    pub fn state(&self) -> Result<JudgeState, JudgeError> {
        let Header { run, step, state } = self.header;
        let records = self.roster.records().to_vec();
        if self.settlement.is_some() {
            Err(JudgeError::Open)
        } else {
            Ok(JudgeState { run, step, state, records })
        }
    }

    /// Goes on from what [`Self::state`] gave.
    ///
    /// # Errors
    /// [`JudgeError::OtherRun`] where it is of another run, or of other workers.
    pub fn resume(&mut self, state: JudgeState) -> Result<(), JudgeError> {
        if state.run != self.header.run || state.records.len() != self.roster.records().len() {
            return Err(JudgeError::OtherRun);
        }
        self.header = Header { run: state.run, step: state.step, state: state.state };
        self.roster = self.roster.clone().resume(state.records);
        self.settlement = None;
        Ok(())
    }
}
