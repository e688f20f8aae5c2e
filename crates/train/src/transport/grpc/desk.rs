//! The server's desk: blocks come closed from the election and go out decoded; who lies, comes and goes is noted.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_grpc::{Account, Decode, Happening, Past, Report, Settings};
use ecode_server::Cut;
use ecode_verify::Control;

use super::running::Running;
use super::{Listen, state_bytes};
use crate::bits::Bits;
use crate::blame::{Agreement, Blame, Named, unusual};
use crate::clock::median;
use crate::error::TrainError;
use crate::standing::Excess;
use crate::state::State;
use crate::transport::{LOOK, MAX_LOSS};
use crate::vote::{Decoded, Vote, VoteEngine};

/// A step as it was decided.
pub(crate) struct Decided {
    pub(crate) decoded: Decoded,
    /// The mean loss, as far as workers say it.
    pub(crate) loss: Option<f64>,
    /// Seconds of a gradient, as they say.
    pub(crate) gradient_s: f64,
    /// Where too many were missing: how many.
    pub(crate) unproved: Option<usize>,
}

/// What a run keeps beside deciding.
pub(crate) trait Keeper {
    /// The state before the present step, as it travels; none of a run that holds no model.
    fn state(&self) -> Option<Vec<u8>>;

    /// A block was decoded, proved or not, and nobody was told yet. After an error nobody is.
    fn keep(&mut self, decode: &Decode, verified: bool) -> Result<(), TrainError>;

    /// Whether workers are told how a step came about.
    fn accounts(&self) -> bool;
}

impl Keeper for &State {
    fn state(&self) -> Option<Vec<u8>> {
        Some(state_bytes(&self.parameters, &self.velocity))
    }

    fn keep(&mut self, _decode: &Decode, _verified: bool) -> Result<(), TrainError> {
        Ok(())
    }

    fn accounts(&self) -> bool {
        false
    }
}

/// The server of a run.
pub(crate) struct Desk {
    running: Running,
    control: Control,
    blocks: usize,
    block_bytes: usize,
    /// Each row's last report, and its step.
    reports: Vec<Option<(u64, Report)>>,
    blame: Blame,
    /// How often each row was lost: said at the first, second, fourth, … time.
    losses: Vec<u64>,
    lost: Vec<(usize, u64)>,
    say: Box<dyn FnMut(&str) + Send>,
}

impl Desk {
    pub(crate) fn open(
        settings: Settings,
        past: Option<Past>,
        listen: &Listen,
        control: Control,
        mut say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, TrainError> {
        let n = settings.rules.n;
        let running = Running::start(settings, past, listen, &mut say)?;
        let (blocks, block_bytes) = running.get()?.blocks();
        Ok(Self {
            running,
            control,
            blocks,
            block_bytes,
            reports: vec![None; n],
            blame: Blame::new(n, Vec::new()),
            losses: vec![0; n],
            lost: Vec::new(),
            say,
        })
    }

    /// The workers that nobody waits for, and since which step.
    pub(crate) fn lost(&self) -> &[(usize, u64)] {
        &self.lost
    }

    pub(crate) fn named(&self) -> &[Named] {
        &self.blame.named
    }

    /// What was known before the server was started anew.
    pub(crate) fn remember(&mut self, named: &[Named]) {
        for named in named {
            self.blame.named.push(*named);
            if let Some(server) = self.running.server() {
                server.name(named.worker);
            }
        }
    }

    pub(crate) fn agreements(&self) -> &[Agreement] {
        &self.blame.agreements
    }

    /// Collects the votes of a step on d coordinates and decodes them.
    pub(crate) fn decide(
        &mut self,
        engine: &VoteEngine,
        (step, d): (u64, usize),
        mut keeper: impl Keeper,
    ) -> Result<Decided, TrainError> {
        let start = Instant::now();
        let mut whole = Decoded { negative: Bits::zeros(d), tied: None, wrong: 0 };
        let (mut done, mut unproved, mut missing) = (0, None, 0);
        while done < self.blocks {
            if self.control.stopped() {
                return Err(TrainError::Interrupted);
            }
            let server = self.running.get()?;
            match server.next(LOOK) {
                None => {}
                Some(Happening::Closed { step: of, block, votes, verified }) if of == step => {
                    let first = 8 * self.block_bytes * block;
                    let count = (8 * self.block_bytes).min(d - first);
                    let votes: Vec<Option<Vote>> =
                        votes.into_iter().map(|vote| vote.and_then(|vote| read(&vote, count))).collect();
                    let decoded = engine.decode(count, &votes);
                    let (loss, _) = self.reported(engine, step, start.elapsed());
                    let bytes = |bits: &Bits| Bytes::from(bits.to_bytes());
                    let tied = decoded.tied.as_ref().filter(|tied| tied.count() > 0);
                    let absent = votes.iter().filter(|vote| vote.is_none()).count();
                    missing = missing.max(absent);
                    if !verified {
                        unproved = unproved.max(Some(absent));
                    }
                    let new = self.blame.compare(engine, step, &votes, &decoded, verified);
                    let last = done + 1 == self.blocks && keeper.accounts();
                    let decode = Decode {
                        step,
                        block,
                        negative: bytes(&decoded.negative),
                        tied: tied.map_or_else(Bytes::new, bytes),
                        loss: loss.unwrap_or(f64::NAN),
                        account: last.then(|| self.account(engine, missing, unproved.is_none())),
                    };
                    keeper.keep(&decode, verified)?;
                    self.running.get()?.tell(decode);
                    for (row, why) in new {
                        (self.say)(&why);
                        self.running.get()?.name(row);
                    }
                    whole.negative.put(first, &decoded.negative);
                    if let Some(tied) = tied {
                        whole.tied.get_or_insert_with(|| Bits::zeros(d)).put(first, tied);
                    }
                    done += 1;
                }
                Some(Happening::StateWanted) => {
                    if let Some(state) = keeper.state() {
                        server.keep_state(step, state.into());
                    }
                }
                Some(Happening::Stopped { step, missing, may_miss }) => {
                    let why = format!("{missing} votes are missing, and {may_miss} may be");
                    self.running.last_words(why.clone());
                    return Err(TrainError::Excess(Excess { step, why }));
                }
                Some(other) => self.note(other),
            }
        }
        let (loss, gradient_s) = self.reported(engine, step, start.elapsed());
        let mut facts = self.running.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.named.clone_from(&self.blame.named);
        facts.agreements.clone_from(&self.blame.agreements);
        if unproved.is_some() {
            facts.unproved.get_or_insert(step);
        }
        drop(facts);
        Ok(Decided { decoded: whole, loss, gradient_s: gradient_s.unwrap_or(0.0), unproved })
    }

    /// The mean over partitions of the median of what workers say, and the median of what a gradient takes them. A
    /// worker may say anything: what is believed is bounded.
    fn reported(&self, engine: &VoteEngine, step: u64, waited: Duration) -> (Option<f64>, Option<f64>) {
        let mut losses = vec![Vec::new(); engine.partitions()];
        let mut seconds = Vec::new();
        for (report, row) in self.reports.iter().zip(engine.rows()) {
            let Some((_, report)) = report.as_ref().filter(|(of, _)| *of == step) else { continue };
            if report.gradient_s.is_finite() {
                seconds.push(f64::from(report.gradient_s).clamp(0.0, waited.as_secs_f64()));
            }
            if report.losses.len() != row.len() {
                continue;
            }
            for (&partition, &loss) in row.iter().zip(&report.losses) {
                if loss.is_finite() {
                    losses[partition].push(f64::from(loss).clamp(0.0, MAX_LOSS));
                }
            }
        }
        let losses: Vec<f64> = losses.into_iter().filter_map(median).collect();
        let loss = (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64);
        (loss, median(seconds))
    }

    /// How a step came about and where the workers stand.
    fn account(&self, engine: &VoteEngine, missing: usize, verified: bool) -> Account {
        let loads: Vec<usize> = engine.rows().iter().map(Vec::len).collect();
        Account {
            missing,
            verified,
            lost: self.lost.clone(),
            named: self.blame.named.iter().map(|named| (named.worker, named.step)).collect(),
            unusual: unusual(&loads, &self.blame.agreements),
        }
    }

    /// Notes who comes and goes.
    fn note(&mut self, happening: Happening) {
        match happening {
            Happening::Joined { row, version, .. } => {
                (self.say)(&format!("worker {row} has joined ({version})"));
            }
            Happening::Lost { row, step } => {
                self.lost.retain(|(worker, _)| *worker != row);
                self.lost.push((row, step));
                self.losses[row] += 1;
                if self.losses[row].is_power_of_two() {
                    let times = match self.losses[row] {
                        1 => String::new(),
                        times => format!(", for the {times}th time"),
                    };
                    (self.say)(&format!("worker {row} is not waited for from step {step} on{times}"));
                }
            }
            Happening::Back { row, step } => {
                self.lost.retain(|(worker, _)| *worker != row);
                if self.losses[row].is_power_of_two() {
                    (self.say)(&format!("worker {row} votes in time again since step {step}"));
                }
            }
            Happening::Cut { row, why } => {
                let why = match why {
                    Cut::Rubbish => "it sent what no honest worker sends",
                    Cut::Replaced => "a newer connection speaks for it",
                    Cut::Named => "it was proved to compute wrong, and is left out",
                    _ => return,
                };
                (self.say)(&format!("worker {row} was cut off: {why}"));
            }
            Happening::Reported { row, step, report } => self.reports[row] = Some((step, report)),
            _ => {}
        }
    }

    /// All steps are done. Rows that are not there at this moment may come back for what they missed, for so long at most.
    pub(crate) fn linger(&mut self, most: Duration) -> Result<(), TrainError> {
        let until = Instant::now() + most;
        let (_, rows) = self.running.get()?.watch()();
        let mut told: Vec<bool> = rows.iter().map(|row| row.connection.is_some()).collect();
        while told.contains(&false) && Instant::now() < until && !self.control.stopped() {
            let happening = self.running.get()?.next(LOOK);
            if let Some(Happening::Joined { row, .. }) = &happening {
                told[*row] = true;
            }
            if let Some(happening) = happening {
                self.note(happening);
            }
        }
        Ok(())
    }

    /// All steps are done: the workers are told, and the server ends.
    pub(crate) fn finish(&mut self) {
        self.running.finish();
    }
}

/// A vote's bits; their number was looked at when it came.
fn read(vote: &ecode_grpc::Vote, count: usize) -> Option<Vote> {
    let silent = match &vote.silent {
        Some(silent) => Some(Bits::from_bytes(count, silent)?),
        None => None,
    };
    let mut bits = Bits::from_bytes(count, &vote.negative)?;
    if let Some(silent) = &silent {
        // Who is silent says nothing.
        bits = Bits::from_words(count, |i| bits.words()[i] & !silent.words()[i]);
    }
    Some(Vote { bits, silent })
}
