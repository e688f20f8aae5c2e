//! The election itself: events and the time in, actions out.

use std::time::Duration;

use super::mailbox::{Mailbox, Open, Place};
use super::pace::Pace;
use super::roll::{Roll, Standing};
use super::rules::{OnExcess, Rules, Seats, Wait};

/// What happened. `V` is a vote on one block, whatever it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<V> {
    /// Somebody who may speak for this row has connected. Connections are numbered by who carries them, each
    /// number once.
    Joined {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
    },
    /// A connection has ended.
    Left {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
    },
    /// A vote has come in. Ask [`Election::place`] before reading one: what does not fit the window now is
    /// taken for rubbish here.
    Voted {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
        /// The step, from 0.
        step: u64,
        /// The block within the step, from 0.
        block: usize,
        /// The vote.
        vote: V,
    },
    /// A vote was thrown away unread, as [`Election::place`] says that it may be.
    Late {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
    },
    /// Only now can the present step be worked on: all have been told how the one before ended.
    Begun,
    /// Something has come in that is no vote: a wrong length, a wrong digest, set padding bits.
    Rubbish {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
    },
    /// A row was proved to lie or to compute wrong.
    Named {
        /// The row.
        row: usize,
    },
    /// Time has passed: see [`Election::wake`].
    Tick,
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// There is no such row.
    NoSuchRow,
    /// The row comes back too often: it may try again at this time.
    TooSoon(Duration),
    /// A newer connection speaks for the row.
    Replaced,
    /// It sent what no honest worker sends.
    Rubbish,
    /// The row was proved to lie, and proven liars are left out.
    Named,
    /// The row left or missed a deadline, and rows do not come back in this run ([`Seats::Fixed`]).
    Out,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action<V> {
    /// A row is in: let it know the present step.
    Welcome {
        /// The row.
        row: usize,
        /// The connection.
        connection: u64,
        /// The present step.
        step: u64,
    },
    /// Decode this block and tell everybody.
    Close {
        /// The step, from 0.
        step: u64,
        /// The block within the step, from 0.
        block: usize,
        /// Each row's vote; none where it is missing.
        votes: Vec<Option<V>>,
        /// Whether the decode is proved exact while at most the declared liars lie.
        verified: bool,
    },
    /// End a connection.
    Cut {
        /// The row that it spoke for.
        row: usize,
        /// The connection.
        connection: u64,
        /// Why.
        why: Cut,
    },
    /// Nobody waits for this row any more.
    Lost {
        /// The row.
        row: usize,
        /// The step in which it missed its deadline, or left.
        step: u64,
    },
    /// This row voted in time and is awaited again.
    Back {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
    },
    /// End the run: more votes are missing than the proof allows. Comes once, and nothing after it.
    Stop {
        /// The step, which was not done.
        step: u64,
        /// Missing votes.
        missing: usize,
        /// So many may miss.
        may_miss: usize,
    },
}

/// The state of an election. Times are counted from any beginning, and must not go back.
#[derive(Debug)]
pub struct Election<V> {
    rules: Rules,
    step: u64,
    now: Duration,
    roll: Roll,
    mailbox: Mailbox<V>,
    pace: Pace,
    /// Whether the last block that was closed missed more votes than the proof allows: patience was had already.
    exceeded: bool,
    stopped: bool,
    /// Whether votes are taken at all.
    votes: bool,
}

impl<V> Election<V> {
    /// An election that begins, or goes on, at a step. Nobody is connected yet.
    #[must_use]
    pub fn new(rules: Rules, step: u64) -> Self {
        let now = Duration::ZERO;
        Self {
            rules,
            step,
            now,
            roll: Roll::new(rules.n),
            mailbox: Mailbox::new(rules.n, rules.blocks, rules.window, now),
            pace: Pace::default(),
            exceeded: false,
            stopped: false,
            votes: true,
        }
    }

    /// Who is there in a run that takes no votes: rows join, leave, are cut and named as in any election, and the caller
    /// says when a step is over ([`Self::proceed`]).
    #[must_use]
    pub fn attendance(rules: Rules, step: u64) -> Self {
        let mut election = Self::new(rules, step);
        election.mailbox.open.clear();
        election.votes = false;
        election
    }

    /// Goes on to the next step of a run that takes no votes, in which these rows answered in time.
    pub fn proceed(&mut self, answered: impl IntoIterator<Item = usize>) {
        if self.votes {
            return;
        }
        self.step += 1;
        for row in answered {
            if let Some(standing) = self.roll.get_mut(row) {
                standing.in_time();
            }
        }
    }

    /// Goes back to an earlier step of a run that takes no votes, which is done anew.
    pub fn go_back(&mut self, step: u64) {
        if !self.votes {
            self.step = self.step.min(step);
        }
    }

    /// The present step, from 0.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Where each row stands.
    #[must_use]
    pub fn rows(&self) -> &[Standing] {
        self.roll.rows()
    }

    /// Whether so many rows are connected that their votes would make a proved decode.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        let absent = self.rows().iter().filter(|standing| standing.connection.is_none()).count();
        !self.stopped && self.rules.covers(self.roll.named(), absent)
    }

    /// Whether the run was ended.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Where a vote belongs that a row announces: whether it is worth reading now.
    #[must_use]
    pub fn place(&self, row: usize, connection: u64, step: u64, block: usize) -> Place {
        if !self.roll.speaks(row, connection) || step < self.step || self.stopped {
            return Place::Late;
        }
        if step > self.step || !self.votes {
            Place::Wrong
        } else {
            self.mailbox.place(row, connection, block)
        }
    }

    /// When [`Event::Tick`] is due if nothing else happens before.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        if self.stopped {
            return None;
        }
        self.mailbox.open.iter().map(|open| self.deadline(open)).min()
    }

    /// Takes what happened, and answers what is to be done, in order.
    pub fn handle(&mut self, now: Duration, event: Event<V>) -> Vec<Action<V>> {
        let mut actions = Vec::new();
        if self.stopped {
            return actions;
        }
        self.now = self.now.max(now);
        match event {
            Event::Joined { row, connection } => self.join(row, connection, &mut actions),
            Event::Left { row, connection } => {
                if self.roll.speaks(row, connection) {
                    self.leave(row, &mut actions);
                }
            }
            Event::Voted { row, connection, step, block, vote } => {
                match self.place(row, connection, step, block) {
                    Place::Now => self.mailbox.put(row, connection, block, vote, self.now),
                    Place::Late => {
                        if let Some(standing) = self.roll.get_mut(row) {
                            standing.late += 1;
                        }
                    }
                    // Where nobody can be cut, the first vote stands.
                    Place::Later | Place::Wrong if self.rules.seats == Seats::Fixed => {
                        if let Some(standing) = self.roll.get_mut(row) {
                            standing.late += 1;
                        }
                    }
                    Place::Later | Place::Wrong => self.cut(row, connection, Cut::Rubbish, &mut actions),
                }
            }
            Event::Late { row, connection } => {
                if self.roll.speaks(row, connection)
                    && let Some(standing) = self.roll.get_mut(row)
                {
                    standing.late += 1;
                }
            }
            Event::Begun => self.mailbox.begin(self.now),
            Event::Rubbish { row, connection } if self.rules.seats == Seats::Fixed => {
                if self.roll.speaks(row, connection) {
                    self.mailbox.spoil(row);
                }
            }
            Event::Rubbish { row, connection } => self.cut(row, connection, Cut::Rubbish, &mut actions),
            Event::Named { row } => self.name(row, &mut actions),
            Event::Tick => {}
        }
        self.settle(&mut actions);
        actions
    }

    fn join(&mut self, row: usize, connection: u64, actions: &mut Vec<Action<V>>) {
        let (now, quarantine) = (self.now, self.rules.quarantine);
        let refuse = |why| Action::Cut { row, connection, why };
        let Some(standing) = self.roll.get_mut(row) else { return actions.push(refuse(Cut::NoSuchRow)) };
        if standing.named && quarantine {
            return actions.push(refuse(Cut::Named));
        }
        if standing.out {
            return actions.push(refuse(Cut::Out));
        }
        if now < standing.refused_until {
            return actions.push(refuse(Cut::TooSoon(standing.refused_until)));
        }
        if let Some(old) = standing.connection {
            actions.push(Action::Cut { row, connection: old, why: Cut::Replaced });
            standing.leave(now);
        }
        standing.connection = Some(connection);
        actions.push(Action::Welcome { row, connection, step: self.step });
    }

    /// The row's connection is gone. Its votes stay: they were whole.
    fn leave(&mut self, row: usize, actions: &mut Vec<Action<V>>) {
        let (now, step) = (self.now, self.step);
        let for_good = self.rules.seats == Seats::Fixed;
        let Some(standing) = self.roll.get_mut(row) else { return };
        standing.leave(now);
        standing.out |= for_good;
        if std::mem::take(&mut standing.awaited) {
            actions.push(Action::Lost { row, step });
        }
    }

    /// What it sent was detected to be wrong: it is missing, which costs half of what a lie costs.
    fn cut(&mut self, row: usize, connection: u64, why: Cut, actions: &mut Vec<Action<V>>) {
        if !self.roll.speaks(row, connection) {
            return;
        }
        actions.push(Action::Cut { row, connection, why });
        self.mailbox.withdraw(row);
        self.leave(row, actions);
        if let Some(standing) = self.roll.get_mut(row) {
            standing.cuts += 1;
        }
    }

    fn name(&mut self, row: usize, actions: &mut Vec<Action<V>>) {
        let Some(standing) = self.roll.get_mut(row) else { return };
        standing.named = true;
        if !self.rules.quarantine {
            return;
        }
        if let Some(connection) = standing.connection {
            self.cut(row, connection, Cut::Named, actions);
        } else {
            self.mailbox.withdraw(row);
        }
        if let Some(standing) = self.roll.get_mut(row)
            && std::mem::take(&mut standing.awaited)
        {
            actions.push(Action::Lost { row, step: self.step });
        }
    }

    fn covers(&self, open: &Open<V>) -> bool {
        self.rules.covers(self.roll.named(), self.rules.n - open.count())
    }

    /// Whether a row that is awaited has not spoken on the block.
    fn awaits(&self, open: &Open<V>) -> bool {
        self.roll.rows().iter().enumerate().any(|(row, standing)| standing.awaited && !open.heard(row))
    }

    /// When a block is closed, or given up, whoever votes.
    fn deadline(&self, open: &Open<V>) -> Duration {
        let patience = open.since + self.rules.patience;
        let Some(enough) = open.enough_since else { return patience };
        match self.rules.wait {
            Wait::All => patience,
            Wait::Quorum => enough,
            Wait::Soft(grace) => patience.min(enough + grace),
            Wait::Adaptive => patience.min(enough + self.pace.grace()),
        }
    }

    /// Closes what can be closed.
    fn settle(&mut self, actions: &mut Vec<Action<V>>) {
        loop {
            let mut due = None;
            for at in 0..self.mailbox.open.len() {
                let covered = self.covers(&self.mailbox.open[at]);
                let open = &mut self.mailbox.open[at];
                match (covered, open.enough_since) {
                    (true, None) => open.enough_since = Some(self.now),
                    // A vote was taken back.
                    (false, Some(_)) => open.enough_since = None,
                    _ => {}
                }
                let open = &self.mailbox.open[at];
                let over = self.now >= self.deadline(open);
                // Where rows can come back, one may still bring what is needed.
                let (complete, fixed) = (!self.awaits(open), self.rules.seats == Seats::Fixed);
                if over || (complete && (fixed || ((covered || self.exceeded) && open.count() > 0))) {
                    due = Some((at, covered));
                    break;
                }
            }
            let Some((at, covered)) = due else { return };
            let present = self.mailbox.open[at].count();
            if !covered && (self.rules.on_excess == OnExcess::Stop || present == 0) {
                self.stopped = true;
                let may_miss = self.rules.may_miss(self.roll.named());
                actions.push(Action::Stop { step: self.step, missing: self.rules.n - present, may_miss });
                return;
            }
            self.close(at, covered, actions);
        }
    }

    fn close(&mut self, at: usize, verified: bool, actions: &mut Vec<Action<V>>) {
        let open = self.mailbox.close(at, self.now);
        let given_up = self.rules.seats == Seats::Fixed && self.now >= open.since + self.rules.patience;
        self.exceeded = !verified;
        self.pace.note(open.times(), self.rules.liars);
        let step = self.step;
        for (row, vote) in open.votes.iter().enumerate() {
            let Some(standing) = self.roll.get_mut(row) else { continue };
            if vote.is_some() {
                standing.in_time();
                if standing.connection.is_some() && !std::mem::replace(&mut standing.awaited, true) {
                    actions.push(Action::Back { row, step });
                }
            } else {
                standing.missed += 1;
                if open.heard(row) {
                    continue;
                }
                if std::mem::take(&mut standing.awaited) {
                    actions.push(Action::Lost { row, step });
                }
                if given_up {
                    standing.out = true;
                    let cut = |connection| Action::Cut { row, connection, why: Cut::Out };
                    actions.extend(standing.connection.take().map(cut));
                }
            }
        }
        let votes = open.votes.into_iter().map(|slip| slip.map(|slip| slip.vote)).collect();
        actions.push(Action::Close { step, block: open.block, votes, verified });
        if self.mailbox.is_empty() {
            self.step += 1;
            self.mailbox.restart(self.now);
        }
    }
}
