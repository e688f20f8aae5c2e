//! The server's side of a scheme that detects lies: who is there, what they are asked, and what was heard of them.
//!
//! # What is promised
//! - What follows from answers is decided by `ecode_server::reactive` alone, as in one process; namings are on the disk before
//!   anything is asked by them.
//! - Only what was signed by a worker's key counts as said by it. Everything else that it sends costs it its connection,
//!   which is silence.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_grpc::{Happening, Heard, Server, Settings, Shares, Task};
use ecode_server::reactive::{Ask, Digest, Fetch, Header, Next, Question, Roster, Sitting};
use ecode_server::{Cut, Wait};
use ecode_verify::Control;

use super::records::Records;
use super::running::Running;
use super::{Listen, state_bytes};
use crate::bits::Bits;
use crate::blame::Named;
use crate::clock::median;
use crate::error::TrainError;
use crate::reactive::{Course, Failure, HEADER, Journal, Minutes, QUESTION, Table};
use crate::state::State;
use crate::transport::LOOK;

/// Once as many workers as a step needs are there, others are waited for so long at the start.
const GATHERING: Duration = Duration::from_secs(10);

/// What a panel needs of a trainer while it settles a step.
pub(crate) struct Sought<'a> {
    pub(crate) header: Header,
    pub(crate) table: Table,
    /// What liars know, where an attack is rehearsed.
    pub(crate) rehearsal: Option<(Vec<Vec<usize>>, Vec<usize>)>,
    pub(crate) roster: &'a Roster,
    /// The state before the step, for workers that have another.
    pub(crate) state: &'a State,
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

/// What was heard of one worker.
enum News {
    Gone(usize),
    Heard(usize, Heard),
}

/// The server of a run under a scheme.
pub(crate) struct Panel {
    running: Running,
    control: Control,
    say: Box<dyn FnMut(&str) + Send>,
    begun: Instant,
    /// The rows that are connected.
    there: BTreeSet<usize>,
    wait: Wait,
    patience: Duration,
    /// Whether a step was begun.
    started: bool,
}

impl Panel {
    pub(crate) fn open(
        settings: Settings,
        listen: &Listen,
        control: Control,
        mut say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, TrainError> {
        let running = Running::start(settings, None, listen, &mut say)?;
        Ok(Self {
            running,
            control,
            say,
            begun: Instant::now(),
            there: BTreeSet::new(),
            wait: listen.wait,
            patience: listen.patience,
            started: false,
        })
    }

    fn server(&self) -> Result<&Server, TrainError> {
        self.running.get()
    }

    /// Leaves out whom evidence has named.
    pub(crate) fn leave_out(&mut self, named: impl IntoIterator<Item = (usize, u64)>) {
        let mut facts = self.running.facts.lock().unwrap_or_else(PoisonError::into_inner);
        for (worker, step) in named {
            if facts.named.iter().all(|named| named.worker != worker) {
                facts.named.push(Named { worker, step });
                if let Some(server) = self.running.server() {
                    server.name(worker);
                }
                self.there.remove(&worker);
            }
        }
    }

    /// What is heard next of anybody, waiting so long at most.
    fn hear(&mut self, wait: Duration, state: &State, chain: &Digest) -> Result<Option<News>, TrainError> {
        if self.control.stopped() {
            return Err(TrainError::Interrupted);
        }
        let Some(happening) = self.server()?.next(wait.min(LOOK)) else { return Ok(None) };
        Ok(match happening {
            // What was on its way when its step ended says nothing of the next one.
            Happening::Heard { row, step, heard } => (step == state.step).then_some(News::Heard(row, heard)),
            Happening::Joined { row, version } => {
                (self.say)(&format!("worker {row} has joined ({version})"));
                let again = !self.there.insert(row);
                again.then_some(News::Gone(row))
            }
            Happening::Left { row } => {
                if self.there.remove(&row) {
                    (self.say)(&format!("worker {row} has left"));
                }
                Some(News::Gone(row))
            }
            Happening::Cut { row, why } => {
                match why {
                    Cut::Rubbish => {
                        (self.say)(&format!("worker {row} was cut off: it sent what no honest worker sends"));
                        self.there.remove(&row);
                    }
                    Cut::Replaced => {
                        (self.say)(&format!("worker {row} was cut off: a newer connection speaks for it"));
                    }
                    _ => {
                        self.there.remove(&row);
                    }
                }
                Some(News::Gone(row))
            }
            Happening::StateWanted => {
                let mut bytes = state_bytes(&state.parameters, &state.velocity);
                bytes.extend_from_slice(chain);
                self.server()?.keep_state(state.step, bytes.into());
                None
            }
            _ => None,
        })
    }

    /// Waits until so many of the unnamed workers are there, and at the start for all of them for a while.
    pub(crate) fn gather(
        &mut self,
        unnamed: &[usize],
        needed: usize,
        state: &State,
        chain: &Digest,
    ) -> Result<Vec<usize>, TrainError> {
        let begun = Instant::now();
        let mut enough_since: Option<Instant> = None;
        let grace = match self.wait {
            _ if self.started => Duration::ZERO,
            Wait::All => self.patience,
            Wait::Quorum => Duration::ZERO,
            Wait::Soft(time) => time,
            Wait::Adaptive => GATHERING,
        };
        loop {
            let there: Vec<usize> =
                unnamed.iter().copied().filter(|worker| self.there.contains(worker)).collect();
            if there.len() < needed {
                enough_since = None;
            } else {
                enough_since.get_or_insert_with(Instant::now);
            }
            let over = begun.elapsed() >= self.patience;
            if there.len() == unnamed.len()
                || over
                || enough_since.is_some_and(|since| since.elapsed() >= grace)
            {
                self.started = true;
                return Ok(there);
            }
            self.hear(LOOK, state, chain)?;
        }
    }

    /// Settles a step with the workers that are there.
    pub(crate) fn settle(
        &mut self,
        sought: Sought<'_>,
        pick: &mut dyn FnMut(&[usize]) -> usize,
    ) -> Result<Result<Session, Failure>, TrainError> {
        let Sought { header, mut table, rehearsal, roster, state, mut journal, referee } = sought;
        let settlement = table.open(header);
        let cut = table.cut;
        let shares = cut.map(|cut| Shares {
            threshold: cut.threshold,
            holders: cut.w,
            bytes: cut.list_length() + cut.share_length(),
        });
        self.server()?.convene(header, shares);
        let (sitting, questions) = Sitting::open(
            settlement,
            &table.assignment,
            header,
            (self.wait, self.patience),
            self.begun.elapsed(),
        );
        let mut sitting = Records::new(sitting, header, cut, table.assignment.holders.clone());
        self.ask(&mut sitting, questions, rehearsal.as_ref());
        let mut minutes = Minutes::new(table.left, &table.retired);
        let bytes = state.parameters.len().div_ceil(8) as u64;
        let present = table.present.len() as u64;
        sitting.account.partitions = table.assignment.holders.len() as u64;
        sitting.account.bytes_up = HEADER as u64 * present;
        sitting.account.bytes_down = (HEADER as u64 + bytes) * present;
        let accepted = loop {
            let now = self.begun.elapsed();
            if !sitting.sitting.is_over(now) {
                let wait = sitting.sitting.deadline().saturating_sub(now);
                match self.hear(wait, state, &header.state)? {
                    Some(News::Gone(worker)) => sitting.sitting.gone(self.begun.elapsed(), worker),
                    Some(News::Heard(worker, heard)) => sitting.take(self.begun.elapsed(), worker, heard),
                    None => {}
                }
                continue;
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
                Ok(named) => self.leave_out(named.iter().map(|named| (named.worker, header.step))),
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
                    table.asleep.retain(|worker| self.there.contains(worker));
                    if let Some(place) = roster.least_missing(&table.asleep) {
                        sitting.sitting.settlement().admit(table.asleep.swap_remove(place));
                    } else if table.referee {
                        for partition in open {
                            let vector = referee(partition)?.to_bytes();
                            let digest = header.digest(partition, &vector);
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
                // A scheme in which workers may drift is refused before.
                Next::Again(_) | Next::Compare(_) => {
                    return Err(TrainError::Transport("workers may not drift over transport grpc".into()));
                }
                Next::Stop(excess) => return Ok(Err(Failure::Excess(excess))),
            }
        };
        let vectors = sitting.bits(&accepted, state.parameters.len())?;
        let loss = sitting.loss();
        let gradient_s = median(std::mem::take(&mut sitting.seconds)).unwrap_or(0.0);
        let Records { sitting, mut account, .. } = sitting;
        let settlement = sitting.into_settlement();
        let (disputes, remarks) = minutes.remarks(&settlement, header.step, accepted.len());
        account.disputes = disputes;
        account.extra_gradients = settlement.helpers() as u64;
        account.extra_trips = settlement.trips() as u64;
        account.timeouts = settlement.silents().count() as u64;
        account.heaviest = settlement.heaviest() as u64;
        remarks.iter().for_each(|line| (self.say)(line));
        let course = Course { vectors, settlement, account, remarks: Vec::new() };
        Ok(Ok(Session { course, loss, gradient_s }))
    }

    /// Asks workers. Who is not there any more is silent.
    fn ask(
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
            let task = Task { step, run, state, partitions, vectors, fetches, rehearsal, cut, shares };
            if !self.running.server().is_some_and(|server| server.ask(worker, task)) {
                records.sitting.gone(self.begun.elapsed(), worker);
            }
        }
    }

    /// Tells what came of a step, block by block.
    pub(crate) fn conclude(
        &mut self,
        step: u64,
        negative: &Bits,
        loss: Option<f64>,
        answered: impl IntoIterator<Item = usize>,
    ) -> Result<(), TrainError> {
        let server = self.server()?;
        let (blocks, bytes) = server.blocks();
        let block = |block: usize| {
            let first = 8 * bytes * block;
            Bytes::from(negative.part(first, (8 * bytes).min(negative.len() - first)).to_bytes())
        };
        server.conclude(step, (0..blocks).map(block).collect(), loss.unwrap_or(f64::NAN), answered);
        Ok(())
    }

    /// Something for people to hear.
    pub(crate) fn tell(&mut self, text: &str) {
        (self.say)(text);
    }

    /// What the workers are told when it ends.
    pub(crate) fn last_words(&mut self, why: String) {
        self.running.last_words(why);
    }

    /// All steps are done: the workers are told, and the server ends.
    pub(crate) fn finish(&mut self) {
        self.running.finish();
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
