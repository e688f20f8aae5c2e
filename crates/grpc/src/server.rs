//! The server: an election, the connections of its workers, and what its caller hears and says.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_core::digest::sha256;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::generated::election_server::ElectionServer;
use super::generated::{Behind, Decode, Down, Stop, Welcome, down};
use super::keys::{Keys, KeysError, read_rows};
use super::service::{Service, down, refusal};
use super::transport::{accept, acceptor};
use ecode_server::{Action, Cut, Election, Event, Place, Rules, Standing};

/// What a message may have besides its block's bits.
const BESIDE: usize = 64 << 10;
/// Bytes of decodes that are kept for workers that come back.
const HISTORY: usize = 64 << 20;
/// A peer that does not answer a ping for so long is gone.
const ALIVE: Duration = Duration::from_secs(10);

/// What the server and its workers must agree on.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The matrix's digest.
    pub matrix: String,
    /// The configuration's digest.
    pub config_digest: String,
    /// The data's digest.
    pub data: String,
    /// The configuration, for workers that have not got it.
    pub config: String,
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The rules of the election. The number of blocks follows from `dimension` and `block_bytes`.
    pub rules: Rules,
    /// Coordinates of a vote.
    pub dimension: usize,
    /// Bytes of a block's bits, at most 1 MiB.
    pub block_bytes: usize,
    /// The step to begin with.
    pub step: u64,
    /// The run, and how often its server was started.
    pub run: (u64, u64),
    /// What is agreed on.
    pub offer: Offer,
    /// The most losses that a worker reports: partitions of a row.
    pub most_losses: usize,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The keys are not usable.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// TLS cannot be set up with them.
    #[error("the keys cannot be used: {0}")]
    Tls(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
}

/// A worker's vote on a block: a bit a coordinate, packed, lowest first; bits beyond the last coordinate are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Where the sign is negative.
    pub negative: Bytes,
    /// Where the worker sends nothing; none where it votes on all.
    pub silent: Option<Bytes>,
}

/// What a worker said beside its vote. Nothing of a run may rest on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Finite losses of its partitions.
    pub losses: Vec<f32>,
    /// Seconds of a gradient.
    pub gradient_s: Option<f32>,
}

/// What a server's caller hears.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// A block is closed: decode it and [`Server::announce`] what came out.
    Closed {
        /// The step.
        step: u64,
        /// The block.
        block: usize,
        /// Each row's vote.
        votes: Vec<Option<Vote>>,
        /// Whether the decode is proved exact.
        verified: bool,
    },
    /// A row has connected.
    Joined {
        /// The row.
        row: usize,
    },
    /// Nobody waits for a row any more.
    Lost {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
    },
    /// A row is awaited again.
    Back {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
    },
    /// A connection of a row was ended, and why.
    Cut {
        /// The row.
        row: usize,
        /// Why.
        why: Cut,
    },
    /// A worker reported.
    Reported {
        /// The row.
        row: usize,
        /// The step.
        step: u64,
        /// What it said.
        report: Report,
    },
    /// More votes are missing than the proof allows; the run is over.
    Stopped {
        /// The step, which was not done.
        step: u64,
        /// Missing votes.
        missing: usize,
        /// So many may miss.
        may_miss: usize,
    },
}

/// A running server. Dropping it ends all connections.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    happenings: Receiver<Happening>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

type Outgoing = mpsc::Sender<Result<Down, Status>>;

/// What the tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: Settings,
    begun: Instant,
    state: Mutex<State>,
    told: Mutex<Sender<Happening>>,
    changed: Notify,
    connections: AtomicU64,
}

#[derive(Debug)]
struct State {
    election: Election<Vote>,
    /// Who listens, by connection.
    outgoing: HashMap<u64, (usize, Outgoing)>,
    history: VecDeque<Decode>,
    history_bytes: usize,
    /// The first step whose decodes are all kept.
    history_from: u64,
    /// A step, the state then, and its digest.
    kept: Option<(u64, Bytes, String)>,
}

impl Server {
    /// Starts a server with the keys of a folder that `keys::make` made.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(mut settings: Settings, keys: &Path) -> Result<Self, ServerError> {
        settings.block_bytes = settings.block_bytes.clamp(1, 1 << 20);
        settings.rules.blocks = settings.dimension.div_ceil(8 * settings.block_bytes).max(1);
        let pins = Arc::new(read_rows(keys, settings.rules.n)?);
        let acceptor = acceptor(&Keys::read(keys)?).map_err(ServerError::Tls)?;
        let listen = |error| ServerError::Listen { address: settings.listen, error };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("ecode-grpc")
            .enable_all()
            .build()
            .map_err(listen)?;
        let listener = runtime.block_on(TcpListener::bind(settings.listen)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (told, happenings) = channel();
        let shared = Arc::new(Shared::new(settings, told));
        let (sender, accepted) = mpsc::channel(1);
        runtime.spawn(accept(listener, acceptor, pins, sender));
        runtime.spawn(Arc::clone(&shared).watch());
        runtime.spawn(serve(Arc::clone(&shared), ReceiverStream::new(accepted)));
        Ok(Self { shared, happenings, address, runtime: Some(runtime) })
    }

    /// Where it listens: the port that the system chose where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next happening, waiting so long at most.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<Happening> {
        self.happenings.recv_timeout(wait).ok()
    }

    /// Tells all workers what came out of a block. `tied` is empty where no coordinate was.
    pub fn announce(&self, step: u64, block: usize, negative: Bytes, tied: Bytes, loss: f64) {
        self.shared.announce(Decode { step, block: block as u32, negative, tied, loss });
    }

    /// Keeps the state before a step for workers that are too far behind for the decodes that are kept.
    pub fn keep_state(&self, step: u64, state: Bytes) {
        let digest = sha256(&state);
        self.shared.lock().kept = Some((step, state, digest));
    }

    /// Whether the decodes from this step on are kept, so that a state from then is of use.
    #[must_use]
    pub fn keeps_from(&self) -> u64 {
        self.shared.lock().history_from
    }

    /// A row was proved to lie or to compute wrong.
    pub fn name(&self, row: usize) {
        self.shared.take(Event::Named { row });
    }

    /// Where each row stands.
    #[must_use]
    pub fn rows(&self) -> Vec<Standing> {
        self.shared.lock().election.rows().to_vec()
    }

    /// Tells all workers that it is over, and ends.
    pub fn stop(mut self, why: &str, done: bool) {
        let stop = Stop { why: why.to_owned(), done };
        self.shared.tell_all(&down::Is::Stop(stop));
        if let Some(runtime) = self.runtime.take() {
            // So that what was said is still sent.
            runtime.block_on(async {
                self.shared.lock().outgoing.clear();
                tokio::time::sleep(Duration::from_millis(200)).await;
            });
            runtime.shutdown_background();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves whoever was let in.
async fn serve(shared: Arc<Shared>, accepted: ReceiverStream<std::io::Result<super::transport::Connection>>) {
    let block = shared.settings.block_bytes;
    let service = ElectionServer::new(Service(Arc::clone(&shared)))
        .max_decoding_message_size(2 * block + BESIDE)
        .max_encoding_message_size(2 * block + BESIDE);
    let window = (2 * block + BESIDE) as u32;
    let served = tonic::transport::Server::builder()
        .max_concurrent_streams(2)
        .concurrency_limit_per_connection(4)
        .http2_keepalive_interval(Some(ALIVE))
        .http2_keepalive_timeout(Some(ALIVE))
        .http2_max_header_list_size(Some(8 << 10))
        .initial_stream_window_size(Some(window))
        .initial_connection_window_size(Some(window))
        .add_service(service)
        .serve_with_incoming(accepted)
        .await;
    // It ends when nobody is let in any more.
    drop(served);
}

impl Shared {
    fn new(settings: Settings, told: Sender<Happening>) -> Self {
        let state = State {
            election: Election::new(settings.rules, settings.step),
            outgoing: HashMap::new(),
            history: VecDeque::new(),
            history_bytes: 0,
            history_from: settings.step,
            kept: None,
        };
        Self {
            settings,
            begun: Instant::now(),
            state: Mutex::new(state),
            told: Mutex::new(told),
            changed: Notify::new(),
            connections: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, happening: Happening) {
        // A caller that has gone hears nothing.
        let _ = self.told.lock().unwrap_or_else(PoisonError::into_inner).send(happening);
    }

    pub(crate) fn offer(&self) -> &Offer {
        &self.settings.offer
    }

    pub(crate) fn most_losses(&self) -> usize {
        self.settings.most_losses
    }

    /// How many coordinates a block has.
    pub(crate) fn coordinates(&self, block: usize) -> Option<usize> {
        let each = 8 * self.settings.block_bytes;
        let start = block.checked_mul(each)?;
        (start < self.settings.dimension).then(|| each.min(self.settings.dimension - start))
    }

    /// Ends when something may have changed after this call.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(crate) fn place(&self, row: usize, connection: u64, step: u64, block: usize) -> Place {
        self.lock().election.place(row, connection, step, block)
    }

    pub(crate) fn is_connected(&self, connection: u64) -> bool {
        self.lock().outgoing.contains_key(&connection)
    }

    pub(crate) fn report(&self, row: usize, step: u64, report: Report) {
        if report != Report::default() {
            self.tell(Happening::Reported { row, step, report });
        }
    }

    pub(crate) fn state(&self) -> Option<(u64, Bytes, String)> {
        self.lock().kept.clone()
    }

    /// Tells the election what happened, and does what it says.
    pub(crate) fn take(&self, event: Event<Vote>) {
        let mut state = self.lock();
        let actions = state.election.handle(self.begun.elapsed(), event);
        self.act(&mut state, actions);
    }

    fn act(&self, state: &mut State, actions: Vec<Action<Vote>>) {
        for action in actions {
            match action {
                Action::Welcome { row, .. } => self.tell(Happening::Joined { row }),
                Action::Close { step, block, votes, verified } => {
                    self.tell(Happening::Closed { step, block, votes, verified });
                }
                Action::Cut { row, connection, why } => {
                    state.outgoing.remove(&connection);
                    self.tell(Happening::Cut { row, why });
                }
                Action::Lost { row, step } => self.tell(Happening::Lost { row, step }),
                Action::Back { row, step } => self.tell(Happening::Back { row, step }),
                Action::Stop { step, missing, may_miss } => {
                    self.tell(Happening::Stopped { step, missing, may_miss });
                }
                _ => {}
            }
        }
        self.changed.notify_waiters();
    }

    /// A new connection of a row, whose worker's state is at a step: welcomed, and told what it missed.
    pub(crate) fn connect(&self, row: usize, sender: Outgoing, have: u64) -> Result<u64, Cut> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        let actions = state.election.handle(self.begun.elapsed(), Event::Joined { row, connection });
        if let Some(why) = refusal(&actions, connection) {
            self.act(&mut state, actions);
            return Err(why);
        }
        let step = state.election.step();
        let (run, incarnation) = self.settings.run;
        let welcome = Welcome {
            row: row as u32,
            run,
            incarnation,
            step,
            block_bytes: self.settings.block_bytes as u32,
            blocks: self.settings.rules.blocks as u32,
            dimension: self.settings.dimension as u64,
            window: self.settings.rules.window as u32,
            config: self.settings.offer.config.clone(),
        };
        let mut messages = vec![down::Is::Welcome(welcome)];
        // A state from before the decodes that are kept, or from after the server's own, is of no use.
        if have < state.history_from || have > step {
            messages.push(down::Is::Behind(Behind { step }));
        } else {
            let missed = state.history.iter().filter(|decode| decode.step >= have);
            messages.extend(missed.cloned().map(down::Is::Decode));
        }
        state.outgoing.insert(connection, (row, sender.clone()));
        for message in messages {
            if sender.try_send(down(message)).is_err() {
                // More than fits: it takes the state instead, and comes back.
                state.outgoing.remove(&connection);
                break;
            }
        }
        self.act(&mut state, actions);
        Ok(connection)
    }

    pub(crate) fn disconnect(&self, row: usize, connection: u64) {
        self.lock().outgoing.remove(&connection);
        self.take(Event::Left { row, connection });
    }

    fn tell_all(&self, message: &down::Is) {
        let mut state = self.lock();
        Self::send_all(&mut state, message);
    }

    /// Who does not read is cut: its channel is full.
    fn send_all(state: &mut State, message: &down::Is) -> Vec<(usize, u64)> {
        let mut slow = Vec::new();
        state.outgoing.retain(|&connection, (row, sender)| {
            let sent = sender.try_send(down(message.clone())).is_ok();
            if !sent {
                slow.push((*row, connection));
            }
            sent
        });
        slow
    }

    fn announce(&self, decode: Decode) {
        let mut state = self.lock();
        state.history_bytes += decode.negative.len() + decode.tied.len();
        state.history.push_back(decode.clone());
        while state.history_bytes > HISTORY
            && let Some(old) = state.history.pop_front()
        {
            state.history_bytes -= old.negative.len() + old.tied.len();
            state.history_from = old.step + 1;
        }
        let slow = Self::send_all(&mut state, &down::Is::Decode(decode));
        for (row, connection) in slow {
            let actions = state.election.handle(self.begun.elapsed(), Event::Left { row, connection });
            self.act(&mut state, actions);
        }
    }

    /// Tells the election the time when it is due.
    async fn watch(self: Arc<Self>) {
        loop {
            let changed = self.changed();
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
}
