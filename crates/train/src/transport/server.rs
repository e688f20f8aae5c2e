//! The server's side: who is there, what they hold, and their votes of each step. Who is awaited, what counts as a vote and
//! when a step's votes are all that there will be, an [`Election`] decides, as in any deployment; ranks have fixed seats.

use std::time::{Duration, Instant};

use super::message::MAX_TEXT;
use super::{GOODBYE, LOOK, Link, Message, VOTE_HEADER};
use crate::blame::Blame;
use crate::error::TrainError;
use crate::vote::Vote;
use ecode_core::shown_sentence;
use ecode_server::{Action, Cut, Election, Event, Rules};
use ecode_verify::Control;

/// What a right vote of a worker looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VoteShape {
    /// The partitions of its row.
    pub(crate) partitions: usize,
    /// Whether it can be silent, and tells so in a second plane of bits.
    pub(crate) silent: bool,
}

/// What a worker sent: its vote, and what it reports beside it, which nobody needs to believe.
#[derive(Debug)]
pub(crate) struct Ballot {
    pub(crate) vote: Vote,
    /// The loss of each partition of its row.
    pub(crate) losses: Vec<f64>,
    /// Seconds that one gradient took.
    pub(crate) gradient_s: f64,
}

/// The workers, as the server sees them.
pub(crate) struct Server {
    link: Box<dyn Link>,
    /// Its rows are the workers, and each one's connection has its row's number. How long a worker may take for its vote
    /// is its patience.
    election: Election<Ballot>,
    /// From when on the election's time is counted.
    begun: Instant,
    patience: Duration,
    control: Control,
    /// What each worker's vote looks like.
    shapes: Vec<VoteShape>,
    /// d.
    dimension: usize,
    /// What their votes show of them.
    pub(crate) blame: Blame,
    /// Workers that were given up and not yet told of.
    lost: Vec<usize>,
    /// What workers that left said.
    remarks: Vec<String>,
    /// Whether the end will not wait for some rank.
    stuck: bool,
    finished: bool,
}

/// The exit code of a run that can go on.
const UNFINISHED: i32 = 3;

impl Server {
    /// The server of a run that is at a step, under rules with fixed seats.
    pub(crate) fn new(
        link: Box<dyn Link>,
        (rules, step): (Rules, u64),
        control: Control,
        shapes: Vec<VoteShape>,
        dimension: usize,
    ) -> Self {
        let mut election = Election::new(rules, step);
        for row in 0..rules.n {
            election.handle(Duration::ZERO, Event::Joined { row, connection: row as u64 });
        }
        Self {
            link,
            election,
            begun: Instant::now(),
            patience: rules.patience,
            control,
            shapes,
            dimension,
            blame: Blame::new(rules.n, Vec::new()),
            lost: Vec::new(),
            remarks: Vec::new(),
            stuck: false,
            finished: false,
        }
    }

    /// The ranks that have not been given up.
    fn waited(&self) -> Vec<usize> {
        let rows = self.election.rows().iter().enumerate();
        rows.filter(|(_, standing)| !standing.out).map(|(row, _)| row + 1).collect()
    }

    /// The workers that were given up since this was asked last.
    pub(crate) fn take_lost(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.lost)
    }

    /// What workers that left have said since this was asked last, each text once.
    pub(crate) fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Something for people to hear.
    pub(crate) fn say(&mut self, text: String) {
        self.remarks.push(text);
    }

    /// Tells the election what happened, and does what it says about workers. Returns a step's ballots when they are all
    /// that there will be; all missing where nobody is left to vote.
    fn tell(&mut self, event: Event<Ballot>) -> Option<Vec<Option<Ballot>>> {
        let mut ballots = None;
        for action in self.election.handle(self.begun.elapsed(), event) {
            match action {
                Action::Lost { row, .. } => {
                    self.lost.push(row);
                    self.leave_with(UNFINISHED);
                }
                Action::Cut { row, why: Cut::Out, .. } => {
                    // Should it come to itself, it is to leave in order instead of waiting for the server.
                    self.link.send(&[row + 1], Message::Stop(String::new()).to_bytes());
                }
                Action::Close { votes, .. } => ballots = Some(votes),
                Action::Stop { .. } => ballots = Some(self.none()),
                _ => {}
            }
        }
        ballots
    }

    fn none(&self) -> Vec<Option<Ballot>> {
        self.shapes.iter().map(|_| None).collect()
    }

    fn failed(&mut self, row: usize, text: &str) {
        let text = shown_sentence(text);
        if !self.remarks.iter().any(|remark| remark.ends_with(&text)) {
            self.remarks.push(format!("worker {row}: {text}"));
        }
    }

    /// Waits for every worker's greeting, and compares it with what this process holds.
    pub(crate) fn greet(&mut self, mine: &str) -> Result<(), TrainError> {
        let start = Instant::now();
        let mut waiting = self.waited();
        let mut wrong: Option<(usize, String)> = None;
        while !waiting.is_empty() {
            if self.control.stopped() {
                return Err(TrainError::Interrupted);
            }
            if start.elapsed() > self.patience {
                let ranks: Vec<String> = waiting.iter().map(ToString::to_string).collect();
                return Err(TrainError::Transport(format!(
                    "ranks {} did not answer within {:.0} s: training needs all workers to start",
                    ranks.join(", "),
                    self.patience.as_secs_f64()
                )));
            }
            let Some((rank, bytes)) = self.link.receive(LOOK, MAX_TEXT) else { continue };
            let text = match Message::from_bytes(&bytes, self.dimension) {
                Some(Message::Hello(theirs)) => difference(mine, &theirs)
                    .map(|text| format!("rank {rank} differs from rank 0: {}", shown_sentence(&text))),
                Some(Message::Failed(why)) => Some(format!("rank {rank}: {}", shown_sentence(&why))),
                _ => continue,
            };
            waiting.retain(|&waits| waits != rank);
            if let Some(text) = text
                && wrong.as_ref().is_none_or(|(other, _)| rank < *other)
            {
                wrong = Some((rank, text));
            }
        }
        wrong.map_or(Ok(()), |(_, text)| Err(TrainError::Transport(text)))
    }

    /// Every worker's ballot of a step; none from those that are lost, now or before, or sent something else.
    pub(crate) fn collect(&mut self, step: u64) -> Result<Vec<Option<Ballot>>, TrainError> {
        debug_assert_eq!(self.election.step(), step, "every step is collected once");
        let start = Instant::now();
        let most = self.longest();
        let mut ballots = if self.election.stopped() { Some(self.none()) } else { self.tell(Event::Begun) };
        while ballots.is_none() {
            if self.control.stopped() {
                return Err(TrainError::Interrupted);
            }
            let wake = self.election.wake().unwrap_or_default().saturating_sub(self.begun.elapsed());
            let event = match self.link.receive(wake.min(LOOK), most) {
                Some((rank @ 1.., bytes)) if rank <= self.shapes.len() => {
                    self.event(rank - 1, &bytes, start.elapsed())
                }
                _ => Event::Tick,
            };
            ballots = self.tell(event);
        }
        Ok(ballots.unwrap_or_default())
    }

    /// What a worker's bytes are to the election.
    fn event(&mut self, row: usize, bytes: &[u8], waited: Duration) -> Event<Ballot> {
        let connection = row as u64;
        match Message::from_bytes(bytes, self.dimension) {
            Some(Message::Vote { step, gradient_s, losses, vote }) => {
                match self.ballot(row, vote, losses, gradient_s, waited) {
                    Some(vote) => Event::Voted { row, connection, step, block: 0, vote },
                    None => Event::Rubbish { row, connection },
                }
            }
            Some(Message::Failed(why)) => {
                self.failed(row, &why);
                Event::Left { row, connection }
            }
            _ => Event::Rubbish { row, connection },
        }
    }

    /// The longest right message of a worker, in bytes.
    fn longest(&self) -> usize {
        let vote = |shape: &VoteShape| {
            VOTE_HEADER + 8 * shape.partitions + self.dimension.div_ceil(8) * (1 + usize::from(shape.silent))
        };
        self.shapes.iter().map(vote).max().unwrap_or(0).max(MAX_TEXT)
    }

    /// A vote that looks as the worker's must. What it reports beside it is bounded by what the server saw itself.
    fn ballot(
        &self,
        worker: usize,
        vote: Vote,
        losses: Vec<f64>,
        gradient_s: f64,
        waited: Duration,
    ) -> Option<Ballot> {
        let shape = self.shapes[worker];
        let right = losses.len() == shape.partitions && vote.silent.is_some() == shape.silent;
        // NaN is neither below nor above anything: `max` and `min` give the bound instead of it.
        let gradient_s = gradient_s.max(0.0).min(waited.as_secs_f64());
        right.then_some(Ballot { vote, losses, gradient_s })
    }

    /// Sets a message on its way to all workers that are waited for.
    pub(crate) fn announce(&mut self, message: &Message) {
        for rank in self.link.send(&self.waited(), message.to_bytes()) {
            self.tell(Event::Left { row: rank - 1, connection: rank as u64 - 1 });
        }
    }

    /// All steps are done: waits until the last decode is taken.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
        if !self.link.flush(self.patience) || self.stuck {
            self.leave_with(0);
        }
    }

    fn leave_with(&mut self, code: i32) {
        self.stuck = true;
        self.link.give_up(code);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.finished {
            self.announce(&Message::Stop(String::new()));
            if !self.link.flush(GOODBYE) {
                self.leave_with(UNFINISHED);
            }
        }
    }
}

/// The first line in which two ranks differ.
fn difference(mine: &str, theirs: &str) -> Option<String> {
    let only = |of: &str, other: &str| {
        of.lines().find(|line| !other.lines().any(|same| same == *line)).map(str::to_owned)
    };
    match (only(theirs, mine), only(mine, theirs)) {
        (None, None) => None,
        (theirs, mine) => {
            let or = |line: Option<String>| line.unwrap_or_else(|| "no such line".into());
            Some(format!("it has '{}', rank 0 has '{}'", or(theirs), or(mine)))
        }
    }
}
