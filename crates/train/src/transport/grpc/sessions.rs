//! A step is settled with the workers that are there: what the settlement asks goes out, and what they say goes in.
//!
//! # What is promised
//! What follows from answers is decided by `ecode_server::reactive` alone, as in one process; namings are on the disk before
//! anything is asked by them.

use std::time::Duration;

use ecode_grpc::{Shares, Task};
use ecode_server::reactive::{Ask, Digest, Fetch, Header, Next, Question, Roster, Sitting};

use super::panel::{News, Panel};
use super::records::Records;
use crate::bits::Bits;
use crate::error::TrainError;
use crate::reactive::{Course, Failure, HEADER, Journal, Minutes, QUESTION, Table};
use crate::state::State;

/// What a panel needs of a trainer while it settles a step.
pub(crate) struct Sought<'a> {
    pub(crate) header: Header,
    pub(crate) table: Table,
    /// Where the step was opened before: what its primaries sent, and when the others were asked.
    pub(crate) committed: Option<(Vec<Digest>, Duration)>,
    /// Whether a partition is accepted as it was committed where all that were asked agree.
    pub(crate) believes: bool,
    /// What liars know, where an attack is rehearsed.
    pub(crate) rehearsal: Option<(Vec<Vec<usize>>, Vec<usize>)>,
    pub(crate) roster: &'a Roster,
    /// The present state with its digest, for workers that have another.
    pub(crate) state: &'a State,
    pub(crate) chain: Digest,
    pub(crate) journal: Option<&'a mut (dyn Journal + 'static)>,
    /// Computes a partition's signs at the server.
    pub(crate) referee: &'a mut dyn FnMut(usize) -> Result<Bits, TrainError>,
}

/// A step that was settled.
pub(crate) struct Session {
    pub(crate) course: Course,
    /// The mean loss, as far as workers say it.
    pub(crate) loss: Option<f64>,
    /// Seconds of a gradient, as they say.
    pub(crate) gradient_s: f64,
}

impl Panel {
    /// Settles a step with the workers that are there.
    pub(crate) fn settle(
        &mut self,
        sought: Sought<'_>,
        pick: &mut dyn FnMut(&[usize]) -> usize,
    ) -> Result<Result<Session, Failure>, TrainError> {
        let Sought { header, mut table, rehearsal, roster, state, chain, mut journal, referee, .. } = sought;
        let opened = sought.committed.as_ref().map(|(_, asked_at)| *asked_at);
        let mut believed = sought.committed.as_ref().filter(|_| sought.believes).map(|(digests, _)| digests);
        let mut sitting = self.sit(header, &table, rehearsal.as_ref(), opened)?;
        let mut minutes = Minutes::new(table.left, &table.retired);
        let bytes = state.parameters.len().div_ceil(8) as u64;
        sitting.account.bytes_down = (HEADER as u64 + bytes) * table.present.len() as u64;
        let accepted = loop {
            let now = self.begun.elapsed();
            if !sitting.sitting.is_over(now) {
                let wait = sitting.sitting.deadline().saturating_sub(now);
                let news = self.hear(wait, state, &chain)?;
                self.take(&mut sitting, news, opened.is_some());
                continue;
            }
            if let Some(committed) = believed.take() {
                sitting.believe(committed);
            }
            let left = sitting.sitting.settlement().left();
            let Some((next, questions)) = sitting.sitting.next(now, pick) else { continue };
            minutes.own.clone_from(&sitting.own);
            let signed = |worker, partition, digest: &Digest, of_vector| {
                let signature = sitting.signatures.get(&(worker, partition, *digest, of_vector))?;
                Some((self.running.server()?.key(worker)?, *signature))
            };
            let settlement = sitting.sitting.settlement().clone();
            match minutes.keep(&settlement, &header, left, journal.as_deref_mut(), &signed) {
                Ok(named) => {
                    let named = named.iter().map(|named| (named.worker, header.step));
                    if opened.is_some() {
                        // What it says of other open steps counts as anybody's there.
                        self.named.extend(named);
                    } else {
                        self.leave_out(named);
                    }
                }
                Err(failure) => return Ok(Err(failure)),
            }
            match next {
                Next::Trip { asks, fetches } => {
                    minutes.asked(&asks);
                    sitting.account.bytes_down += QUESTION * (asks.len() + fetches.len()) as u64;
                    let what = asked_for(&asks, &fetches);
                    let trip = settlement.trips();
                    (self.say)(&format!("step {}, extra trip {trip}: {}", header.step, what));
                    self.ask(&mut sitting, questions, rehearsal.as_ref());
                }
                Next::Settled(accepted) => break accepted,
                Next::Short(open) => {
                    table.asleep.retain(|worker| self.there.contains_key(worker));
                    if let Some(place) = roster.least_missing(&table.asleep) {
                        sitting.sitting.settlement().admit(table.asleep.swap_remove(place));
                    } else if table.referee {
                        for partition in open {
                            let vector = referee(partition)?.to_bytes();
                            let digest = sitting.digest(partition, &vector);
                            sitting.account.referee_gradients += 1;
                            sitting.sitting.settlement().referee(partition, digest);
                            sitting.vectors.insert((partition, digest), vector);
                        }
                    } else {
                        let silent = settlement.silents().count();
                        let answering = table.present.len() - silent.min(table.present.len());
                        return Ok(Err(Failure::Short { open, answering }));
                    }
                }
                Next::Again(asks) => {
                    sitting.account.bytes_down += QUESTION * asks.len() as u64;
                    sitting.again.extend(asks.iter().map(|ask| (ask.worker, ask.partition)));
                    let (step, trip) = (header.step, settlement.trips());
                    (self.say)(&format!("step {step}, extra trip {trip}: {}", once_more(&asks)));
                    self.ask(&mut sitting, questions, rehearsal.as_ref());
                }
                Next::Compare(pairs) => {
                    let d = state.parameters.len();
                    pairs.iter().for_each(|pair| sitting.compare(pair, d));
                }
                Next::Stop(excess) => return Ok(Err(Failure::Excess(excess))),
            }
        };
        let mut session = sitting.into_session(&accepted, state.parameters.len(), &minutes)?;
        std::mem::take(&mut session.course.remarks).iter().for_each(|line| (self.say)(line));
        Ok(Ok(session))
    }

    /// Opens a step's settlement, and asks for what has not come.
    fn sit(
        &mut self,
        header: Header,
        table: &Table,
        rehearsal: Option<&(Vec<Vec<usize>>, Vec<usize>)>,
        opened: Option<Duration>,
    ) -> Result<Records, TrainError> {
        let cut = table.cut;
        let shares = cut.map(|cut| Shares {
            threshold: cut.threshold,
            holders: cut.w,
            bytes: cut.list_length() + cut.share_length(),
            whole: cut.length,
        });
        if opened.is_none() {
            self.server()?.convene(header, shares);
            self.early.clear();
        }
        let since = opened.unwrap_or_else(|| self.begun.elapsed());
        let Table { assignment, present, .. } = table;
        let wait = (self.wait, self.patience);
        let (sitting, questions) = Sitting::open(table.open(header), assignment, header, wait, since);
        let mut sitting = Records::new(sitting, header, cut, assignment.holders.clone());
        sitting.account.partitions = assignment.holders.len() as u64;
        sitting.account.bytes_up = (HEADER * present.len()) as u64;
        match opened {
            None => self.ask(&mut sitting, questions, rehearsal),
            Some(asked_at) => self.go_on(&mut sitting, questions, rehearsal, asked_at),
        }
        Ok(sitting)
    }

    /// Takes what was heard; what is of another open step is kept, where there can be one.
    fn take(&mut self, records: &mut Records, news: Option<News>, others: bool) {
        match news {
            Some(News::Gone(worker)) => records.sitting.gone(self.begun.elapsed(), worker),
            Some(News::Heard(worker, of, heard)) if of == records.header => {
                records.take(self.begun.elapsed(), worker, heard);
            }
            // What was on its way when its step ended says nothing of the next one.
            other if others => self.keep_early(other),
            _ => {}
        }
    }

    /// Asks workers. Who is not there any more is silent.
    pub(super) fn ask(
        &mut self,
        records: &mut Records,
        questions: Vec<Question>,
        rehearsal: Option<&(Vec<Vec<usize>>, Vec<usize>)>,
    ) {
        let Header { run, step, state } = records.header;
        for Question { worker, compute: partitions, mut vectors, fetches } in questions {
            let rehearsal = rehearsal.filter(|(_, liars)| liars.contains(&worker)).cloned();
            // The holders of an assignment have shares; who is asked later sends whole vectors.
            let share = |&partition: &usize| Some((partition, records.place(worker, partition)?));
            let shares: Vec<(usize, usize)> = vectors.iter().filter_map(share).collect();
            vectors.retain(|partition| shares.iter().all(|(shared, _)| shared != partition));
            let cut = records.cut.map(|cut| (cut.threshold, cut.w));
            let (again, partitions): (Vec<usize>, Vec<usize>) =
                partitions.into_iter().partition(|&partition| records.again.contains(&(worker, partition)));
            let task = Task {
                step,
                run,
                state,
                partitions,
                vectors,
                fetches,
                rehearsal,
                cut,
                shares,
                again,
                ..Task::default()
            };
            if !self.running.server().is_some_and(|server| server.ask(worker, task)) {
                records.sitting.gone(self.begun.elapsed(), worker);
            }
        }
    }
}

/// What a round trip asks for, in words.
fn asked_for(asks: &[Ask], fetches: &[Fetch]) -> String {
    let asks =
        asks.iter().map(|ask| format!("worker {} is asked for partition {}", ask.worker, ask.partition));
    let fetches = fetches.iter().map(|fetch| {
        format!("the vector of partition {} is fetched from worker {}", fetch.partition, fetch.worker)
    });
    asks.chain(fetches).collect::<Vec<String>>().join("; ")
}

/// The same of partitions that are computed once more.
fn once_more(asks: &[Ask]) -> String {
    let ask = |ask: &Ask| format!("worker {} computes partition {} once more", ask.worker, ask.partition);
    asks.iter().map(ask).collect::<Vec<String>>().join("; ")
}
