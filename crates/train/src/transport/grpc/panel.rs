//! The server's side of a scheme that detects lies: who is there, and what is heard of them.
//!
//! # What is promised
//! - Of a class of hardware only those are there who compute its bits; who does not is named for nothing.
//! - Only what was signed by a worker's key counts as said by it. Everything else that it sends costs it its connection,
//!   which is silence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_grpc::{Happening, Heard, Server, Settings};
use ecode_server::reactive::{Digest, Header};
use ecode_server::{Cut, Election, Wait};
use ecode_verify::Control;

use super::running::Running;
use super::{Listen, state_bytes};
use crate::bits::Bits;
use crate::blame::Named;
use crate::error::TrainError;
use crate::reactive::Hardware;
use crate::state::State;
use crate::transport::LOOK;
use crate::vote::Vote;

/// Once as many workers as a step needs are there, others are waited for so long at the start.
const GATHERING: Duration = Duration::from_secs(10);

/// What was heard of one worker.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it comes, and never kept")]
pub(super) enum News {
    Gone(usize),
    Heard(usize, Header, Heard),
}

/// The server of a run under a scheme.
pub(crate) struct Panel {
    pub(super) running: Running,
    control: Control,
    pub(super) say: Box<dyn FnMut(&str) + Send>,
    pub(super) begun: Instant,
    /// The rows that are connected, and since when.
    pub(super) there: BTreeMap<usize, Duration>,
    pub(super) wait: Wait,
    pub(super) patience: Duration,
    /// Whether a step was begun.
    started: bool,
    /// What was heard of steps that are open, and when.
    pub(super) early: Vec<(Duration, usize, Header, Heard)>,
    /// What each row computed when it joined.
    probes: BTreeMap<usize, Bytes>,
    /// The rows that compute other bits than their class, once that is known.
    strangers: BTreeSet<usize>,
    /// The votes of a code, where they are taken by now.
    pub(super) votes: Option<Election<Vote>>,
    partitions: usize,
    /// Whom open steps have named, to be left out once they are closed.
    pub(super) named: Vec<(usize, u64)>,
}

impl Panel {
    pub(crate) fn open(
        settings: Settings,
        listen: &Listen,
        control: Control,
        mut say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, TrainError> {
        let partitions = settings.partitions.unwrap_or(0);
        let running = Running::start(settings, None, listen, &mut say)?;
        Ok(Self {
            running,
            control,
            say,
            begun: Instant::now(),
            there: BTreeMap::new(),
            wait: listen.wait,
            patience: listen.patience,
            started: false,
            early: Vec::new(),
            probes: BTreeMap::new(),
            strangers: BTreeSet::new(),
            votes: None,
            partitions,
            named: Vec::new(),
        })
    }

    /// How many partitions there are.
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }

    pub(super) fn server(&self) -> Result<&Server, TrainError> {
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
    pub(super) fn hear(
        &mut self,
        wait: Duration,
        state: &State,
        chain: &Digest,
    ) -> Result<Option<News>, TrainError> {
        if self.control.stopped() {
            return Err(TrainError::Interrupted);
        }
        let Some(happening) = self.server()?.next(wait.min(LOOK)) else { return Ok(None) };
        Ok(match happening {
            Happening::Heard { row, of, heard } => Some(News::Heard(row, of, heard)),
            Happening::Joined { row, version, probe } => {
                (self.say)(&format!("worker {row} has joined ({version})"));
                self.probes.insert(row, probe);
                let again = self.there.insert(row, self.begun.elapsed()).is_some();
                again.then_some(News::Gone(row))
            }
            Happening::Left { row } => {
                if self.there.remove(&row).is_some() {
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

    /// Who of these workers is there, but for those that compute other bits than their class.
    fn present(&mut self, among: &[usize], hardware: Option<(&Hardware, usize)>) -> Vec<usize> {
        let there = among.iter().copied().filter(|worker| self.there.contains_key(worker));
        let Some((hardware, b)) = hardware else { return there.collect() };
        let there: Vec<usize> = there.collect();
        let mut own = BTreeMap::new();
        for class in 0..hardware.count() {
            let members: Vec<usize> = hardware.members(class).collect();
            let mut classes: BTreeMap<&Bytes, usize> = BTreeMap::new();
            for probe in members.iter().filter_map(|member| self.probes.get(member)) {
                *classes.entry(probe).or_default() += 1;
            }
            // b + 1 include an honest one. Where there are two such values its members differ, and disputes will show it.
            let mut known = classes.iter().filter(|(_, members)| **members > b);
            if let (Some((&probe, _)), None) = (known.next(), known.next()) {
                own.insert(class, probe.clone());
            }
        }
        let strange = |worker: &usize| {
            let probe = own.get(&hardware.workers[*worker]);
            probe.is_some_and(|own| self.probes.get(worker).is_some_and(|probe| probe != own))
        };
        let (strangers, present): (Vec<usize>, Vec<usize>) = there.into_iter().partition(strange);
        for worker in strangers {
            if self.strangers.insert(worker) {
                let class = hardware.workers[worker];
                (self.say)(&format!(
                    "worker {worker} computes other bits than the others of class {class}: it is not asked, and named for nothing"
                ));
            }
        }
        present
    }

    /// Waits until enough of the workers are there that take part, and at the start for all of them for a while.
    pub(crate) fn gather(
        &mut self,
        unnamed: &[usize],
        enough: &dyn Fn(&[usize]) -> bool,
        hardware: Option<(&Hardware, usize)>,
        (state, chain): (&State, &Digest),
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
            let there = self.present(unnamed, hardware);
            if enough(&there) {
                enough_since.get_or_insert_with(Instant::now);
            } else {
                enough_since = None;
            }
            let over = begun.elapsed() >= self.patience;
            if unnamed.iter().all(|worker| self.there.contains_key(worker))
                || over
                || enough_since.is_some_and(|since| since.elapsed() >= grace)
            {
                self.started = true;
                return Ok(there);
            }
            let news = self.hear(LOOK, state, chain)?;
            self.keep_early(news);
        }
    }

    /// Keeps what was heard of open steps until they close.
    pub(super) fn keep_early(&mut self, news: Option<News>) {
        if let Some(News::Heard(worker, of, heard)) = news {
            self.early.push((self.begun.elapsed(), worker, of, heard));
        }
    }

    /// All open steps are closed: whom they have named is left out.
    pub(crate) fn close(&mut self) {
        let named = std::mem::take(&mut self.named);
        self.leave_out(named);
    }

    /// Goes back to a step, which is done anew.
    pub(crate) fn go_back(&mut self, step: u64) -> Result<(), TrainError> {
        self.early.clear();
        self.server()?.go_back(step);
        Ok(())
    }

    /// Tells what came of a step, block by block; where the vote tied, as far as it can.
    pub(crate) fn conclude(
        &mut self,
        step: u64,
        (negative, tied): (&Bits, Option<&Bits>),
        loss: Option<f64>,
        answered: impl IntoIterator<Item = usize>,
    ) -> Result<(), TrainError> {
        let server = self.server()?;
        let (blocks, bytes) = server.blocks();
        let part = |bits: &Bits, block: usize| {
            let first = 8 * bytes * block;
            Bytes::from(bits.part(first, (8 * bytes).min(bits.len() - first)).to_bytes())
        };
        let tied = tied.filter(|tied| tied.count() > 0);
        let block =
            |block: usize| (part(negative, block), tied.map_or_else(Bytes::new, |tied| part(tied, block)));
        server.conclude_tied(step, (0..blocks).map(block), loss.unwrap_or(f64::NAN), answered);
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
