//! One step of a scheme with workers that come and go: answers and the time in, questions out.
//!
//! # What is promised
//! - A round trip ends when everybody who was asked has answered or is gone, or at its deadline. Who has not answered then is
//!   silent, and named for nothing.
//! - The deadline rests on the time by which all but b' workers had answered everything, of the same step. No b' workers
//!   can raise that above the slowest honest one's time, nor does one step's deadline rest on another's: liars slow a
//!   step by the factor [`FACTOR`] and [`LEAST`] at most, for each round trip.
//!
//! # References
//! docs/theory/reactive.md.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Ask, Assignment, Digest, Fetch, Header, Next, Settlement};
use crate::rules::Wait;

/// A round trip is waited for so many times as long as all but b' workers took for the first one.
pub const FACTOR: u32 = 4;

/// And so long beside it: what a busy machine needs to look around.
pub const LEAST: Duration = Duration::from_secs(1);

/// What one worker is asked in one round trip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The worker.
    pub worker: usize,
    /// Partitions to compute, and to answer with a digest.
    pub compute: Vec<usize>,
    /// Those of them whose vector is to be sent, too; or a share of it, where every holder of the first round trip sends one.
    pub vectors: Vec<usize>,
    /// Vectors to be sent of digests that were answered before.
    pub fetches: Vec<(usize, Digest)>,
}

/// What a worker's share of a vector came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is that of the digest that the worker announced.
    Right,
    /// The same, and with it there are enough to rebuild the vector of this digest.
    Enough(Digest),
    /// It is of no vector that the worker announced; this is a digest of what it sent.
    Wrong(Digest),
}

/// What a worker has been asked and has not answered.
#[derive(Clone, Debug, Default)]
struct Due {
    digests: BTreeSet<usize>,
    vectors: BTreeSet<usize>,
}

/// A step's settlement with a clock.
#[derive(Clone, Debug)]
pub struct Sitting {
    settlement: Settlement,
    header: Header,
    wait: Wait,
    longest: Duration,
    /// b' at the beginning.
    left: usize,
    due: BTreeMap<usize, Due>,
    /// When the present round trip began.
    since: Duration,
    /// What all but b' workers took for the first one.
    base: Option<Duration>,
    /// The most gradients that a worker is asked for in the present round trip, after the first.
    asked: Option<u32>,
}

impl Sitting {
    /// A settlement of the step of a header, and what its holders are asked first. What is needed is waited for up to
    /// `longest`; `wait` says for how long what b' workers may owe is.
    #[must_use]
    pub fn open(
        settlement: Settlement,
        assignment: &Assignment,
        header: Header,
        (wait, longest): (Wait, Duration),
        now: Duration,
    ) -> (Self, Vec<Question>) {
        let mut questions: BTreeMap<usize, Question> = BTreeMap::new();
        for (partition, holders) in assignment.holders.iter().enumerate() {
            for (place, &worker) in holders.iter().enumerate() {
                let question = questions.entry(worker).or_default();
                question.compute.push(partition);
                if place == 0 || settlement.is_shared() {
                    question.vectors.push(partition);
                }
            }
        }
        let mut sitting = Self {
            left: settlement.left(),
            settlement: settlement.of(header),
            header,
            wait,
            longest,
            due: BTreeMap::new(),
            since: now,
            base: None,
            asked: None,
        };
        let questions = sitting.ask(questions);
        (sitting, questions)
    }

    /// The settlement itself: for [`Settlement::admit`], [`Settlement::referee`], and for what came of it.
    pub fn settlement(&mut self) -> &mut Settlement {
        &mut self.settlement
    }

    /// What came of it.
    #[must_use]
    pub fn into_settlement(self) -> Settlement {
        self.settlement
    }

    fn ask(&mut self, questions: BTreeMap<usize, Question>) -> Vec<Question> {
        for (&worker, question) in &questions {
            let due = self.due.entry(worker).or_default();
            due.digests.extend(&question.compute);
            due.vectors.extend(&question.vectors);
            due.vectors.extend(question.fetches.iter().map(|(partition, _)| partition));
        }
        questions.into_iter().map(|(worker, question)| Question { worker, ..question }).collect()
    }

    /// Digests have come from a worker, with what it takes for the run, step and state.
    pub fn answered(
        &mut self,
        now: Duration,
        worker: usize,
        header: &Header,
        digests: impl IntoIterator<Item = (usize, Digest)>,
    ) {
        if *header != self.header {
            // It is out of date, and asked for nothing more in this step.
            return self.gone(now, worker);
        }
        for (partition, digest) in digests {
            self.settlement.answer(worker, header, partition, digest);
            if let Some(due) = self.due.get_mut(&worker) {
                due.digests.remove(&partition);
            }
        }
        self.look(now, worker);
    }

    /// A worker has sent a whole vector, of this digest. Returns whether it is worth keeping; what nobody asked for is not,
    /// nor is what comes before the digest.
    pub fn sent(&mut self, now: Duration, worker: usize, partition: usize, digest: Digest) -> bool {
        let Some(due) = self.due.get_mut(&worker) else { return false };
        if due.digests.contains(&partition) || !due.vectors.remove(&partition) {
            return false;
        }
        let kept = self.settlement.vector(worker, partition, digest);
        self.look(now, worker);
        kept
    }

    /// A worker has sent its share of a vector. What nobody asked for is not heard, nor is what comes before the digest.
    pub fn shared(&mut self, now: Duration, worker: usize, partition: usize, sent: Sent) {
        let Some(due) = self.due.get_mut(&worker) else { return };
        if due.digests.contains(&partition) || !due.vectors.remove(&partition) {
            return;
        }
        match sent {
            Sent::Right => {}
            Sent::Enough(digest) => self.settlement.rebuilt(partition, digest),
            Sent::Wrong(digest) => {
                self.settlement.vector(worker, partition, digest);
            }
        }
        self.look(now, worker);
    }

    /// Whether a vector, or a share, of this partition is awaited from a worker now.
    #[must_use]
    pub fn awaits(&self, worker: usize, partition: usize) -> bool {
        let due = self.due.get(&worker);
        due.is_some_and(|due| !due.digests.contains(&partition) && due.vectors.contains(&partition))
    }

    /// A worker's connection has ended, or it says that it cannot: silence, as far as it was asked for anything.
    pub fn gone(&mut self, now: Duration, worker: usize) {
        if self.due.remove(&worker).is_some() {
            self.settlement.silent(worker);
        }
        self.enough(now);
    }

    /// Looks whether a worker owes nothing more.
    fn look(&mut self, now: Duration, worker: usize) {
        let owes = |due: &Due| !due.digests.is_empty() || !due.vectors.is_empty();
        if !self.due.get(&worker).is_some_and(owes) {
            self.due.remove(&worker);
        }
        self.enough(now);
    }

    /// Notes when all but b' workers have answered the first round trip.
    fn enough(&mut self, now: Duration) {
        if self.base.is_none() && self.asked.is_none() && self.due.len() <= self.left {
            self.base = Some(now.saturating_sub(self.since));
        }
    }

    /// When the present round trip is over, whoever has not answered.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let longest = self.since + self.longest;
        let Some(base) = self.base.filter(|_| self.wait != Wait::All) else { return longest };
        let trip = base * (1 + self.asked.unwrap_or(0));
        let grace = match self.wait {
            // Helpers compute after all others have.
            Wait::Soft(grace) if self.asked.is_none() => trip + grace,
            Wait::Soft(grace) => FACTOR * trip + grace,
            _ => FACTOR * trip + LEAST,
        };
        longest.min(self.since + grace)
    }

    /// Whether the round trip is over.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        self.due.is_empty() || now >= self.deadline() || self.is_enough()
    }

    /// Whether the step is settled by what is there, and what is not there need not be waited for.
    fn is_enough(&self) -> bool {
        self.wait == Wait::Quorum && self.settlement.is_undisputed()
    }

    /// When a round trip is over: what follows, and what is to be asked. Namings are to be on disk before anything is asked.
    /// None while answers are waited for.
    pub fn next(
        &mut self,
        now: Duration,
        pick: &mut dyn FnMut(&[usize]) -> usize,
    ) -> Option<(Next, Vec<Question>)> {
        if !self.is_over(now) {
            return None;
        }
        if !self.is_enough() {
            for worker in std::mem::take(&mut self.due).into_keys() {
                self.settlement.silent(worker);
            }
        }
        let next = self.settlement.next(pick);
        let (asks, fetches): (&[Ask], &[Fetch]) = match &next {
            Next::Trip { asks, fetches } => (asks, fetches),
            Next::Again(asks) => (asks, &[]),
            _ => return Some((next, Vec::new())),
        };
        self.base = self.base.or(Some(self.longest));
        self.since = now;
        let mut questions: BTreeMap<usize, Question> = BTreeMap::new();
        for ask in asks {
            let question = questions.entry(ask.worker).or_default();
            question.compute.push(ask.partition);
            if ask.vector {
                question.vectors.push(ask.partition);
            }
        }
        for fetch in fetches {
            questions.entry(fetch.worker).or_default().fetches.push((fetch.partition, fetch.digest));
        }
        let most = questions.values().map(|question| question.compute.len()).max().unwrap_or(0);
        self.asked = Some(u32::try_from(most).unwrap_or(u32::MAX - 1));
        let questions = self.ask(questions);
        Some((next, questions))
    }
}
