//! The server's side: who is there, what they hold, and their votes of each step.

use std::time::{Duration, Instant};

use super::message::MAX_TEXT;
use super::{GOODBYE, LOOK, Link, Message, VOTE_HEADER};
use crate::blame::Blame;
use crate::error::TrainError;
use crate::vote::Vote;
use ecode_core::shown_sentence;
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
    /// How long a worker may take for its vote.
    patience: Duration,
    control: Control,
    /// What each worker's vote looks like.
    shapes: Vec<VoteShape>,
    /// d.
    dimension: usize,
    /// Whether each worker is still waited for.
    alive: Vec<bool>,
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
    pub(crate) fn new(
        link: Box<dyn Link>,
        patience: Duration,
        control: Control,
        shapes: Vec<VoteShape>,
        dimension: usize,
    ) -> Self {
        let alive = vec![true; shapes.len()];
        let blame = Blame::new(shapes.len(), Vec::new());
        let (lost, remarks, stuck, finished) = (Vec::new(), Vec::new(), false, false);
        Self { link, patience, control, shapes, dimension, alive, blame, lost, remarks, stuck, finished }
    }

    /// The ranks that are still waited for.
    fn waited(&self) -> Vec<usize> {
        (0..self.alive.len()).filter(|&worker| self.alive[worker]).map(|worker| worker + 1).collect()
    }

    /// Whether no worker answers any more.
    pub(crate) fn is_alone(&self) -> bool {
        !self.alive.contains(&true)
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

    fn give_up(&mut self, ranks: &[usize]) {
        if !ranks.is_empty() {
            self.leave_with(UNFINISHED);
        }
        for rank in ranks {
            if std::mem::replace(&mut self.alive[rank - 1], false) {
                self.lost.push(rank - 1);
            }
        }
    }

    fn failed(&mut self, rank: usize, text: &str) {
        let text = shown_sentence(text);
        self.give_up(&[rank]);
        if !self.remarks.iter().any(|remark| remark.ends_with(&text)) {
            self.remarks.push(format!("worker {}: {text}", rank - 1));
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
        let start = Instant::now();
        let mut ballots: Vec<Option<Ballot>> = self.shapes.iter().map(|_| None).collect();
        let mut waiting = self.waited();
        let most = self.longest();
        while !waiting.is_empty() {
            let Some(left) = self.patience.checked_sub(start.elapsed()) else {
                self.give_up(&waiting);
                break;
            };
            if self.control.stopped() {
                return Err(TrainError::Interrupted);
            }
            let Some((rank, bytes)) = self.link.receive(left.min(LOOK), most) else { continue };
            // What comes late from a worker that was given up, or a second time, is of no use any more.
            let Some(place) = waiting.iter().position(|&waits| waits == rank) else { continue };
            match Message::from_bytes(&bytes, self.dimension) {
                // A vote of another step: the right one may still come.
                Some(Message::Vote { step: of, .. }) if of != step => continue,
                Some(Message::Vote { gradient_s, losses, vote, .. }) => {
                    ballots[rank - 1] = self.ballot(rank - 1, vote, losses, gradient_s, start.elapsed());
                }
                Some(Message::Failed(why)) => self.failed(rank, &why),
                // A worker whose message is none has spoken, too.
                _ => {}
            }
            waiting.swap_remove(place);
        }
        Ok(ballots)
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
        let gone = self.link.send(&self.waited(), message.to_bytes());
        self.give_up(&gone);
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
