//! Steps that are opened before they are settled: primaries' vectors first, digests later.
//!
//! # What is promised
//! - A step goes on when each partition has a whole vector, of whoever sends one: who does not in time is silent, and the next
//!   holder is asked.
//! - What comes of an open step is kept until it closes. Who left meanwhile and came back is asked anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecode_grpc::{Heard, Task};
use ecode_server::Wait;
use ecode_server::reactive::{Assignment, Digest, FACTOR, Header, LEAST, Question};

use super::panel::{News, Panel};
use super::records::Records;
use crate::bits::Bits;
use crate::error::TrainError;
use crate::reactive::Table;
use crate::state::State;

/// What liars know, where an attack is rehearsed.
pub(crate) type Rehearsal = Option<(Vec<Vec<usize>>, Vec<usize>)>;

/// A step that is opened.
pub(crate) struct Opening<'a> {
    pub(crate) header: Header,
    /// The steps that are open beside it.
    pub(crate) open: &'a [Header],
    pub(crate) table: &'a Table,
    pub(crate) rehearsal: &'a Rehearsal,
    /// The state before it.
    pub(crate) state: &'a State,
}

/// What the primaries sent.
pub(crate) struct Commitment {
    /// Who sent each partition's vector.
    pub(crate) primaries: Vec<usize>,
    pub(crate) digests: Vec<Digest>,
    pub(crate) vectors: Vec<Bits>,
    /// Who was silent when it was to send one.
    pub(crate) silent: Vec<usize>,
}

/// Who is asked for which vector, and who is next.
struct Commits {
    /// Of each partition, whoever may be asked.
    candidates: Vec<Vec<usize>>,
    got: Vec<Option<(usize, Digest, Bits)>>,
    due: BTreeMap<usize, BTreeSet<usize>>,
    silent: Vec<usize>,
}

impl Commits {
    fn new(table: &Table) -> Self {
        let candidates = |holders: &Vec<usize>| {
            let others = table.present.iter().filter(|worker| !holders.contains(worker));
            holders.iter().chain(others).copied().collect()
        };
        let candidates: Vec<Vec<usize>> = table.assignment.holders.iter().map(candidates).collect();
        let got = vec![None; candidates.len()];
        Self { candidates, got, due: BTreeMap::new(), silent: Vec::new() }
    }

    /// Whom to ask now for what. Where nobody is left who could be asked for a partition, that.
    fn questions(&mut self) -> Result<BTreeMap<usize, Vec<usize>>, usize> {
        let mut questions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (partition, candidates) in self.candidates.iter_mut().enumerate() {
            if self.got[partition].is_some() {
                continue;
            }
            candidates.retain(|candidate| !self.silent.contains(candidate));
            let &worker = candidates.first().ok_or(partition)?;
            if self.due.entry(worker).or_default().insert(partition) {
                questions.entry(worker).or_default().push(partition);
            }
        }
        Ok(questions)
    }

    /// A worker has sent a vector.
    fn sent(&mut self, worker: usize, partition: usize, digest: Digest, vector: Bits) {
        let Some(due) = self.due.get_mut(&worker) else { return };
        if due.remove(&partition) {
            self.got[partition] = Some((worker, digest, vector));
        }
        if due.is_empty() {
            self.due.remove(&worker);
        }
    }

    /// A worker will send nothing more of the step.
    fn gone(&mut self, worker: usize) {
        if self.due.remove(&worker).is_some() {
            self.silent.push(worker);
        }
    }
}

impl Panel {
    /// The vectors of a step's primaries, or of whoever sends one; or the partition that nobody sends.
    pub(crate) fn commit(&mut self, opening: &Opening<'_>) -> Result<Result<Commitment, usize>, TrainError> {
        let &Opening { header, open, table, rehearsal, state } = opening;
        self.early.retain(|(_, _, of, _)| open.contains(of));
        self.server()?.convene_beside(open, header);
        let mut commits = Commits::new(table);
        let (mut since, mut base) = (self.begun.elapsed(), None);
        let mut longer = 1;
        loop {
            let questions = match commits.questions() {
                Ok(questions) => questions,
                Err(partition) => return Ok(Err(partition)),
            };
            if base.is_some() && !questions.is_empty() {
                (since, longer) = (self.begun.elapsed(), 2);
            }
            for (worker, vectors) in questions {
                let task = Task { vectors, ..task(&header, worker, rehearsal) };
                if !self.server()?.ask(worker, task) {
                    commits.gone(worker);
                }
            }
            let now = self.begun.elapsed();
            if commits.due.len() <= table.left {
                base.get_or_insert(now.saturating_sub(since));
            }
            if commits.due.is_empty() {
                if commits.got.iter().all(Option::is_some) {
                    break;
                }
                continue;
            }
            let deadline = since + self.grace(base.map(|base| longer * base));
            if now >= deadline {
                let late: Vec<usize> = commits.due.keys().copied().collect();
                late.into_iter().for_each(|worker| commits.gone(worker));
                continue;
            }
            match self.hear(deadline.saturating_sub(now), state, &header.state)? {
                Some(News::Heard(worker, of, heard)) => {
                    if let (true, Heard::Vector { bytes, of: signed, .. }) = (of == header, &heard)
                        && let Some(bits) = Bits::from_bytes(state.parameters.len(), bytes)
                    {
                        commits.sent(worker, signed.partition, signed.digest, bits);
                    } else if of == header && says_nothing(&heard) {
                        commits.gone(worker);
                    }
                    self.keep_early(Some(News::Heard(worker, of, heard)));
                }
                Some(News::Gone(worker)) => commits.gone(worker),
                None => {}
            }
        }
        let (mut primaries, mut digests, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
        for (primary, digest, vector) in commits.got.into_iter().flatten() {
            primaries.push(primary);
            digests.push(digest);
            vectors.push(vector);
        }
        Ok(Ok(Commitment { primaries, digests, vectors, silent: commits.silent }))
    }

    /// How long a round trip may take of which all but b' workers took so long.
    fn grace(&self, base: Option<Duration>) -> Duration {
        let grace = match (self.wait, base) {
            (Wait::All, _) | (_, None) => self.patience,
            (Wait::Soft(grace), Some(base)) => base + grace,
            (_, Some(base)) => FACTOR * base + LEAST,
        };
        grace.min(self.patience)
    }

    /// Asks an opened step's holders for their digests, and says when.
    pub(crate) fn ask_digests(
        &mut self,
        header: &Header,
        assignment: &Assignment,
        rehearsal: &Rehearsal,
    ) -> Result<Duration, TrainError> {
        let mut held: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (partition, holders) in assignment.holders.iter().enumerate() {
            holders.iter().for_each(|&worker| held.entry(worker).or_default().push(partition));
        }
        for (worker, partitions) in held {
            // Who is not there is asked when the step closes, where it is back by then.
            let _ = self.server()?.ask(worker, Task { partitions, ..task(header, worker, rehearsal) });
        }
        Ok(self.begun.elapsed())
    }

    /// Takes what was heard of a step since its digests were asked for, and asks for the rest whoever was away.
    pub(super) fn go_on(
        &mut self,
        records: &mut Records,
        questions: Vec<Question>,
        rehearsal: Option<&(Vec<Vec<usize>>, Vec<usize>)>,
        asked_at: Duration,
    ) {
        let header = records.header;
        let (early, rest) =
            std::mem::take(&mut self.early).into_iter().partition(|(_, _, of, _)| *of == header);
        self.early = rest;
        let early: Vec<(Duration, usize, Header, Heard)> = early;
        for (came, worker, _, heard) in early {
            records.take(came.max(asked_at), worker, heard);
        }
        let rest = questions.into_iter().filter_map(|mut question| {
            let worker = question.worker;
            question.compute.retain(|&partition| !records.has(worker, partition, false));
            question.vectors.retain(|&partition| !records.has(worker, partition, true));
            let owes = !question.compute.is_empty() || !question.vectors.is_empty();
            let away = self.there.get(&worker).is_none_or(|&since| since > asked_at);
            (owes && (away || !question.vectors.is_empty())).then_some(question)
        });
        let rest: Vec<Question> = rest.collect();
        self.ask(records, rest, rehearsal);
    }
}

/// Whether a worker says that it cannot answer: its state is another one, or it has no such vector.
fn says_nothing(heard: &Heard) -> bool {
    match heard {
        Heard::Answer { digests, .. } => digests.is_empty(),
        Heard::Refusal { .. } => true,
        Heard::Vector { .. } => false,
    }
}

/// A task of a step that asks for nothing yet.
fn task(header: &Header, worker: usize, rehearsal: &Rehearsal) -> Task {
    let &Header { run, step, state } = header;
    let rehearsal = rehearsal.as_ref().filter(|(_, liars)| liars.contains(&worker)).cloned();
    Task { step, run, state, rehearsal, ..Task::default() }
}
