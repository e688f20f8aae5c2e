//! One slot a row and block, for the blocks that are open: never a shared queue.
//!
//! # What is promised
//! At most rows × window votes are held, whatever arrives.

use std::time::Duration;

/// What is to be done with a vote that has not been read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It would be taken now.
    Now,
    /// It belongs to a block beyond the window: leave it where it is, and ask again when a block has closed.
    Later,
    /// Its block is closed, or its step is over: it may be thrown away.
    Late,
    /// No honest worker sends it: another step than the present one, a block that there is not, a second vote.
    Wrong,
}

/// An open block.
#[derive(Debug)]
pub(crate) struct Open<V> {
    /// Its number in the step.
    pub(crate) block: usize,
    /// When it was opened.
    pub(crate) since: Duration,
    /// Each row's vote.
    pub(crate) votes: Vec<Option<Slip<V>>>,
    /// The rows that have spoken and not voted: nothing more is taken of them.
    pub(crate) spoilt: Vec<bool>,
    /// When the votes that are needed were in.
    pub(crate) enough_since: Option<Duration>,
}

/// A vote as it lies in its slot.
#[derive(Debug)]
pub(crate) struct Slip<V> {
    pub(crate) vote: V,
    /// When it came.
    pub(crate) came: Duration,
    /// The connection that brought it.
    connection: u64,
}

impl<V> Open<V> {
    fn new(block: usize, n: usize, since: Duration) -> Self {
        let votes = (0..n).map(|_| None).collect();
        Self { block, since, votes, spoilt: vec![false; n], enough_since: None }
    }

    /// Whether a row has said what it will say.
    pub(crate) fn heard(&self, row: usize) -> bool {
        self.votes[row].is_some() || self.spoilt[row]
    }

    /// How many votes are there.
    pub(crate) fn count(&self) -> usize {
        self.votes.iter().flatten().count()
    }

    /// When each vote came, counted from the opening.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.votes.iter().flatten().map(|slip| slip.came.saturating_sub(self.since)).collect()
    }
}

/// The open blocks of the present step, in order.
#[derive(Debug)]
pub(crate) struct Mailbox<V> {
    n: usize,
    blocks: usize,
    window: usize,
    /// The first block that was never opened.
    next: usize,
    pub(crate) open: Vec<Open<V>>,
}

impl<V> Mailbox<V> {
    pub(crate) fn new(n: usize, blocks: usize, window: usize, now: Duration) -> Self {
        let mut mailbox = Self { n, blocks: blocks.max(1), window: window.max(1), next: 0, open: Vec::new() };
        mailbox.refill(now);
        mailbox
    }

    /// Opens blocks up to the window. The window reaches from the first open block on, so that one slow block
    /// holds the others back instead of the memory.
    fn refill(&mut self, now: Duration) {
        let first = self.open.first().map_or(self.next, |open| open.block);
        while self.next < self.blocks.min(first + self.window) {
            self.open.push(Open::new(self.next, self.n, now));
            self.next += 1;
        }
    }

    /// Begins the next step.
    pub(crate) fn restart(&mut self, now: Duration) {
        self.next = 0;
        self.open.clear();
        self.refill(now);
    }

    /// Counts the time of what is open and has not got all votes that it needs from now on.
    pub(crate) fn begin(&mut self, now: Duration) {
        for open in self.open.iter_mut().filter(|open| open.enough_since.is_none()) {
            open.since = now;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Where a row's vote for a block of the present step belongs.
    pub(crate) fn place(&self, row: usize, connection: u64, block: usize) -> Place {
        if block >= self.blocks {
            return Place::Wrong;
        }
        match self.open.iter().find(|open| open.block == block) {
            Some(open) if open.spoilt.get(row) == Some(&true) => Place::Late,
            Some(open) => match open.votes.get(row) {
                Some(None) => Place::Now,
                // A worker that was restarted votes again; its first vote stands.
                Some(Some(slip)) if slip.connection != connection => Place::Late,
                _ => Place::Wrong,
            },
            None if block >= self.next => Place::Later,
            None => Place::Late,
        }
    }

    /// Keeps a vote that [`Self::place`] says is to be taken now.
    pub(crate) fn put(&mut self, row: usize, connection: u64, block: usize, vote: V, came: Duration) {
        if let Some(open) = self.open.iter_mut().find(|open| open.block == block) {
            open.votes[row] = Some(Slip { vote, came, connection });
        }
    }

    /// Takes a row's votes back: what it sent cannot be trusted to be what it meant.
    pub(crate) fn withdraw(&mut self, row: usize) {
        for open in &mut self.open {
            open.votes[row] = None;
        }
    }

    /// What a row sent in place of votes: it is missing in the open blocks for which it has not voted.
    pub(crate) fn spoil(&mut self, row: usize) {
        for open in &mut self.open {
            open.spoilt[row] = open.votes[row].is_none();
        }
    }

    /// Takes an open block out, by its place among the open ones.
    pub(crate) fn close(&mut self, at: usize, now: Duration) -> Open<V> {
        let open = self.open.remove(at);
        self.refill(now);
        open
    }
}
