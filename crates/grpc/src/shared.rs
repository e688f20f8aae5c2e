//! What all tasks of a server share: the election, the decodes that are kept, and a state for who is too far behind.

mod hearing;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_core::digest::sha256;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::generated::{self, Ballot, Behind, Decode, Stop, Welcome, down};
use super::happening::{Happening, Offer, Past, Report, Settings, Vote};
use super::history::{Fallen, History, Kept};
use super::scheme::{Dues, Shares, Task};
use ecode_server::reactive::{Digest, Header};
use ecode_server::{Action, Cut, Election, Event, Place, Standing};

/// Bytes of decodes that are kept, or four steps' where these are more.
const HISTORY: usize = 64 << 20;
/// A kept state is given out until so many steps are done since: who takes it applies their decodes.
const OLD: u64 = 1000;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Whether the server holds no model, and so has no state to give.
    pub(crate) holds_no_model: bool,
    /// Under a scheme: the key by which each row signs.
    keys: Vec<Option<Digest>>,
    begun: Instant,
    inner: Mutex<Inner>,
    told: Sender<Happening>,
    changed: Notify,
    /// When the election is to be told the time may have changed.
    clock: Notify,
    connections: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    election: Election<Vote>,
    history: History,
    kept: Option<Kept>,
    /// Whether the caller was asked for a state.
    wanted: bool,
    /// Blocks that are closed and not yet decoded.
    undecoded: usize,
    /// Decodes of the present step that were announced.
    announced: usize,
    /// How it ended.
    ended: Option<Stop>,
    /// Connections that still have something to be told.
    listening: usize,
    /// How often each row may take the state: once each time that it is told that its own is of no use, or says so of a task.
    pulls: Vec<u32>,
    /// Under a scheme: what the present step's messages are about; before it, the steps that are open beside it.
    headers: Vec<(Header, Option<Shares>)>,
    /// The oldest step that is asked about, where that may be one before the present.
    oldest: Option<u64>,
    /// How often the run has gone back.
    undone: u32,
    /// Under a scheme: what each row is still to be asked, and what it may send.
    asked: Vec<(VecDeque<Task>, Dues)>,
}

/// What a worker sends under a scheme.
pub(crate) enum Spoken {
    Answer(generated::Answer),
    Vector(generated::Vector),
    Refusal(generated::Refusal),
}

/// What a connection is to be told next.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it is made, and never kept")]
pub(crate) enum Next {
    /// This.
    Say(Box<down::Is>),
    /// Nothing for now.
    Wait,
    /// Nothing any more: it is cut.
    Gone,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        past: Option<Past>,
        keys: Vec<Option<Digest>>,
        told: Sender<Happening>,
    ) -> Self {
        let holds_no_model = past.is_some();
        let fresh = || History::new(settings.step, HISTORY.max(settings.dimension));
        let history = past.map_or_else(fresh, Past::history);
        let inner = Inner {
            election: match settings.partitions {
                None => Election::new(settings.rules, settings.step),
                Some(_) => Election::attendance(settings.rules, settings.step),
            },
            history,
            kept: None,
            wanted: false,
            undecoded: 0,
            announced: 0,
            ended: None,
            listening: 0,
            pulls: vec![0; settings.rules.n],
            headers: Vec::new(),
            oldest: None,
            undone: 0,
            asked: (0..settings.rules.n).map(|_| Default::default()).collect(),
        };
        Self {
            settings,
            holds_no_model,
            keys,
            begun: Instant::now(),
            inner: Mutex::new(inner),
            told,
            changed: Notify::new(),
            clock: Notify::new(),
            connections: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, happening: Happening) {
        // A caller that has gone hears nothing.
        let _ = self.told.send(happening);
    }

    pub(crate) fn offer(&self) -> &Offer {
        &self.settings.offer
    }

    /// How many coordinates a block has.
    fn coordinates(&self, block: usize) -> Option<usize> {
        let each = 8 * self.settings.block_bytes;
        let start = block.checked_mul(each)?;
        (start < self.settings.dimension).then(|| each.min(self.settings.dimension - start))
    }

    /// Ends when something may have changed after this call.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Where a vote belongs. While as many blocks wait to be decoded as may be open, no further vote is read.
    pub(crate) fn place(&self, row: usize, connection: u64, step: u64, block: usize) -> Place {
        let inner = self.lock();
        match inner.election.place(row, connection, step, block) {
            Place::Now if inner.undecoded >= self.settings.rules.window.max(1) => Place::Later,
            place => place,
        }
    }

    /// Whether this connection still speaks for its row.
    pub(crate) fn speaks(&self, row: usize, connection: u64) -> bool {
        speaks(&self.lock(), row, connection)
    }

    pub(crate) fn rows(&self) -> (u64, Vec<Standing>) {
        let inner = self.lock();
        (inner.election.step(), inner.election.rows().to_vec())
    }

    /// Whether so many workers are there that a step can be decoded as proved; under a scheme, whether anybody is.
    pub(crate) fn is_quorate(&self) -> bool {
        let inner = self.lock();
        let connected = |standing: &Standing| standing.connection.is_some();
        inner.ended.is_none()
            && match self.settings.partitions {
                None => inner.election.is_quorate(),
                Some(_) => inner.election.rows().iter().any(connected),
            }
    }

    pub(crate) fn report(&self, row: usize, step: u64, report: Report) {
        self.tell(Happening::Reported { row, step, report });
    }

    /// The state for a worker that is too far behind; where there is none of use, the caller is asked for one.
    pub(crate) fn state(&self) -> Option<Kept> {
        let mut inner = self.lock();
        let kept = usable(&inner).cloned();
        if kept.is_none() && !std::mem::replace(&mut inner.wanted, true) {
            self.tell(Happening::StateWanted);
        }
        kept
    }

    /// Whether a row may take the state now, which it then has done.
    pub(crate) fn may_pull(&self, row: usize) -> bool {
        let mut inner = self.lock();
        let Some(pulls) = inner.pulls.get_mut(row).filter(|pulls| **pulls > 0) else { return false };
        *pulls -= 1;
        true
    }

    pub(crate) fn keep_state(&self, step: u64, bytes: Bytes) {
        let sha256 = sha256(&bytes);
        let mut inner = self.lock();
        inner.kept = Some(Kept { step, bytes, sha256 });
        inner.wanted = false;
        self.changed.notify_waiters();
    }

    /// Tells the election what happened, and does what it says.
    pub(crate) fn take(&self, event: Event<Vote>) {
        let mut inner = self.lock();
        let actions = inner.election.handle(self.begun.elapsed(), event);
        self.act(&mut inner, actions);
    }

    fn act(&self, inner: &mut Inner, actions: Vec<Action<Vote>>) {
        let nothing = actions.is_empty();
        for action in actions {
            match action {
                Action::Close { step, block, votes, verified } => {
                    inner.undecoded += 1;
                    self.tell(Happening::Closed { step, block, votes, verified });
                }
                // Who comes back too soon could fill the caller's ears.
                Action::Cut { why: Cut::TooSoon(_), .. } => {}
                Action::Cut { row, why, .. } => self.tell(Happening::Cut { row, why }),
                Action::Lost { row, step } => self.tell(Happening::Lost { row, step }),
                Action::Back { row, step } => self.tell(Happening::Back { row, step }),
                Action::Stop { step, missing, may_miss } => {
                    self.tell(Happening::Stopped { step, missing, may_miss });
                }
                _ => {}
            }
        }
        self.clock.notify_one();
        if !nothing {
            self.changed.notify_waiters();
        }
    }

    /// A new connection of a row, whose worker's state is at a step of an incarnation: its number, its welcome, and
    /// the place in the history from which on it is told.
    pub(crate) fn connect(
        &self,
        row: usize,
        (have, incarnation): (u64, u64),
        version: String,
        probe: Bytes,
    ) -> Result<(u64, Welcome, u64), Cut> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        let actions = inner.election.handle(self.begun.elapsed(), Event::Joined { row, connection });
        let refused = actions.iter().find_map(|action| match action {
            Action::Cut { connection: cut, why, .. } if *cut == connection => Some(*why),
            _ => None,
        });
        self.act(&mut inner, actions);
        if let Some(why) = refused {
            return Err(why);
        }
        if let Some(asked) = inner.asked.get_mut(row) {
            // What the old connection was asked died with it.
            *asked = Default::default();
        }
        self.tell(Happening::Joined { row, version, probe });
        let step = inner.election.step();
        // The state of another incarnation may be one of a step that a resumed server does anew, or one that was
        // not proved.
        let present = self.settings.incarnation.wrapping_add(u64::from(inner.undone));
        let fits = (have == 0 && inner.history.from() == 0)
            || (incarnation == present && (inner.history.from()..=step).contains(&have));
        let place = if fits { inner.history.place_of(have) } else { place_after_state(&inner) };
        let welcome = Welcome {
            row: row as u32,
            run: self.settings.run,
            incarnation: present,
            step,
            block_bytes: self.settings.block_bytes as u32,
            blocks: self.settings.rules.blocks as u32,
            dimension: self.settings.dimension as u64,
            window: self.settings.rules.window as u32,
            behind: !fits,
            undone: inner.undone,
            kept_from: inner.history.from(),
        };
        inner.listening += 1;
        // One that is still on its way of an older connection is not taken back.
        if let Some(pulls) = inner.pulls.get_mut(row).filter(|_| !fits) {
            *pulls = (*pulls + 1).min(2);
        }
        Ok((connection, welcome, place))
    }

    /// A connection that was told all that it will be told.
    pub(crate) fn done_listening(&self) {
        self.lock().listening -= 1;
        self.changed.notify_waiters();
    }

    /// What is to be said to a connection that was told all before a place of the history.
    pub(crate) fn next(&self, row: usize, connection: u64, place: &mut u64) -> Next {
        let mut inner = self.lock();
        let step = inner.election.step();
        match inner.history.get(*place) {
            _ if !speaks(&inner, row, connection) => Next::Gone,
            Ok(Some(decode)) => {
                *place += 1;
                Next::Say(Box::new(down::Is::Decode(decode.clone())))
            }
            Ok(None) => {
                if let Some(stop) = inner.ended.clone() {
                    return Next::Say(Box::new(down::Is::Stop(stop)));
                }
                let oldest = inner.oldest.unwrap_or(step);
                let Some((tasks, _)) = inner.asked.get_mut(row) else { return Next::Wait };
                tasks.retain(|task| task.step >= oldest);
                tasks
                    .pop_front()
                    .map_or(Next::Wait, |task| Next::Say(Box::new(down::Is::Task(task.to_message()))))
            }
            Err(Fallen) => {
                *place = place_after_state(&inner);
                if let Some(pulls) = inner.pulls.get_mut(row) {
                    *pulls += 1;
                }
                Next::Say(Box::new(down::Is::Behind(Behind { step: inner.election.step() })))
            }
        }
    }

    pub(crate) fn announce(&self, decode: Decode) {
        let mut inner = self.lock();
        inner.undecoded = inner.undecoded.saturating_sub(1);
        inner.history.push(decode);
        inner.announced += 1;
        if inner.announced == self.settings.rules.blocks {
            inner.announced = 0;
            // Only now can anybody work on the next step.
            let actions = inner.election.handle(self.begun.elapsed(), Event::Begun);
            self.act(&mut inner, actions);
        }
        self.changed.notify_waiters();
    }

    pub(crate) fn key(&self, row: usize) -> Option<Digest> {
        self.keys.get(row).copied().flatten()
    }

    /// Under a scheme: what the present step's messages are about.
    pub(crate) fn convene(&self, header: Header, shares: Option<Shares>) {
        let mut inner = self.lock();
        (inner.headers, inner.oldest) = (vec![(header, shares)], None);
    }

    /// Under a scheme: the same beside open steps.
    pub(crate) fn convene_beside(&self, open: &[Header], header: Header) {
        let headers: Vec<_> = open.iter().copied().chain([header]).map(|header| (header, None)).collect();
        let mut inner = self.lock();
        inner.oldest = headers.first().map(|(header, _)| header.step);
        inner.headers = headers;
    }

    /// Under a scheme: goes back to a step.
    pub(crate) fn go_back(&self, step: u64) {
        let mut inner = self.lock();
        inner.history.go_back(step);
        inner.election.go_back(step);
        (inner.kept, inner.undone) = (None, inner.undone + 1);
        (inner.headers, inner.oldest) = (Vec::new(), None);
        inner.asked.iter_mut().for_each(|(tasks, _)| tasks.clear());
        self.changed.notify_waiters();
    }

    /// How often the run has gone back.
    pub(crate) fn undone(&self) -> u32 {
        self.lock().undone
    }

    /// Under a scheme: asks a row. Whether it is there.
    pub(crate) fn ask(&self, row: usize, mut task: Task) -> bool {
        let mut inner = self.lock();
        task.undone = inner.undone;
        let there = inner.election.rows().get(row).is_some_and(|standing| standing.connection.is_some());
        if let Some((tasks, dues)) = inner.asked.get_mut(row).filter(|_| there) {
            dues.asked(&task, self.settings.partitions.unwrap_or(0));
            tasks.push_back(task);
        }
        self.changed.notify_waiters();
        there
    }

    /// Under a scheme: a step is decided; these rows answered in time.
    pub(crate) fn conclude(&self, decodes: Vec<Decode>, answered: impl IntoIterator<Item = usize>) {
        let mut inner = self.lock();
        decodes.into_iter().for_each(|decode| inner.history.push(decode));
        inner.election.proceed(answered);
        self.changed.notify_waiters();
    }

    /// Under a scheme: a connection has ended.
    pub(crate) fn left(&self, row: usize, connection: u64) {
        let mut inner = self.lock();
        let spoke = speaks(&inner, row, connection);
        let actions = inner.election.handle(self.begun.elapsed(), Event::Left { row, connection });
        self.act(&mut inner, actions);
        if spoke {
            self.changed.notify_waiters();
        }
        if spoke && self.settings.partitions.is_some() {
            self.tell(Happening::Left { row });
        }
    }

    pub(crate) fn end(&self, why: &str, done: bool) {
        self.lock().ended = Some(Stop { why: why.to_owned(), done });
        self.changed.notify_waiters();
    }

    /// Ends when every connection was told the end.
    pub(crate) async fn all_told(&self) {
        loop {
            let changed = self.changed();
            if self.lock().listening == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Tells the election the time when it is due.
    pub(crate) async fn watch(self: Arc<Self>) {
        loop {
            let changed = self.clock.notified();
            let wake = self.lock().election.wake();
            let now = self.begun.elapsed();
            match wake.map(|wake| wake.saturating_sub(now)) {
                Some(Duration::ZERO) => self.take(Event::Tick),
                Some(left) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(left) => self.take(Event::Tick),
                    }
                }
                None => changed.await,
            }
        }
    }

    /// A ballot as a vote; none where it is not as its row's must be: another size than its block's, bits beyond the
    /// last coordinate, a plane of silence that is missing or has no business there.
    pub(crate) fn vote(&self, row: usize, ballot: Ballot) -> Option<(Vote, Option<Report>)> {
        let coordinates = self.coordinates(ballot.block as usize)?;
        let fits = |bits: &Bytes| {
            let padding = coordinates % 8;
            let last = bits.last().copied().unwrap_or(0);
            bits.len() == coordinates.div_ceil(8) && (padding == 0 || last >> padding == 0)
        };
        let silent = Some(ballot.silent).filter(|silent| !silent.is_empty());
        let can_be_silent = self.settings.can_be_silent.get(row).copied().unwrap_or(false);
        if !fits(&ballot.negative) || silent.is_some() != can_be_silent || !silent.as_ref().is_none_or(fits) {
            return None;
        }
        let report = ballot.report.filter(|report| report.losses.len() <= self.settings.most_losses);
        let report = report.map(|report| Report { losses: report.losses, gradient_s: report.gradient_s });
        Some((Vote { negative: ballot.negative, silent }, report))
    }
}

fn speaks(inner: &Inner, row: usize, connection: u64) -> bool {
    inner.election.rows().get(row).is_some_and(|standing| standing.connection == Some(connection))
}

/// The state that is kept, where its worker finds all decodes since.
fn usable(inner: &Inner) -> Option<&Kept> {
    let kept = inner.kept.as_ref()?;
    let (from, step) = (inner.history.from(), inner.election.step());
    (kept.step >= from && kept.step + OLD > step).then_some(kept)
}

/// From where on a worker is to be told that will take a state: the one that is kept, or the next.
fn place_after_state(inner: &Inner) -> u64 {
    let step = usable(inner).map_or(inner.election.step(), |kept| kept.step);
    inner.history.place_of(step)
}
