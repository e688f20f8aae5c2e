//! The server: an election, the connections of its workers, and what its caller hears and says.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::generated::Decode;
use super::generated::election_server::ElectionServer;
use super::happening::{self, Happening, Past, ServerError, Settings};
use super::health::Health;
use super::keys::{Keys, read_rows};
use super::scheme::{Shares, Task};
use super::service::Service;
use super::shared::Shared;
use super::transport::{Connection, accept, acceptor};
use ecode_server::reactive::Header;
use ecode_server::{Event, Standing};

/// What a message may have besides its block's bits.
const BESIDE: usize = 64 << 10;
/// A peer that does not answer a ping for so long is gone.
const ALIVE: Duration = Duration::from_secs(10);
/// A server that ends waits so long for its last words to be taken.
const GOODBYE: Duration = Duration::from_secs(5);

/// A running server. Dropping it ends all connections.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    happenings: Receiver<Happening>,
    address: SocketAddr,
    health: Health,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts a server with the keys of a folder that [`keys::make`](super::keys::make) made.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(settings: Settings, keys: &Path) -> Result<Self, ServerError> {
        Self::begin(settings, None, keys)
    }

    /// The same for a server that holds no model: workers bring theirs, and find the decodes that were told before.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start_with(settings: Settings, past: Past, keys: &Path) -> Result<Self, ServerError> {
        Self::begin(settings, Some(past), keys)
    }

    fn begin(mut settings: Settings, past: Option<Past>, keys: &Path) -> Result<Self, ServerError> {
        settings.block_bytes = settings.block_bytes.clamp(1, 1 << 20);
        settings.rules.blocks = settings.dimension.div_ceil(8 * settings.block_bytes).max(1);
        let pins = Arc::new(read_rows(keys, settings.rules.n)?);
        let mut signers = vec![None; settings.rules.n];
        for pin in &pins.rows {
            signers[pin.row] = pin.public_key();
            if settings.partitions.is_some() && signers[pin.row].is_none() {
                return Err(ServerError::Tls(format!(
                    "rows.toml has no key of row {}, and answers are signed: ecode keys makes keys that sign",
                    pin.row
                )));
            }
        }
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
        let shared = Arc::new(Shared::new(settings, past, signers, told));
        let (sender, accepted) = mpsc::channel(1);
        runtime.spawn(accept(listener, acceptor, pins, sender));
        runtime.spawn(Arc::clone(&shared).watch());
        runtime.spawn(serve(Arc::clone(&shared), ReceiverStream::new(accepted)));
        let health = Health::start(runtime.handle(), &shared);
        Ok(Self { shared, happenings, address, health, runtime: Some(runtime) })
    }

    /// Where it listens: the port that the system chose where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many blocks a step has, and the bytes of each but the last.
    #[must_use]
    pub fn blocks(&self) -> (usize, usize) {
        (self.shared.settings.rules.blocks, self.shared.settings.block_bytes)
    }

    /// The next happening, waiting so long at most.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<Happening> {
        self.happenings.recv_timeout(wait).ok()
    }

    /// Tells all workers what came out of a block. `tied` is empty where no coordinate was.
    pub fn announce(&self, step: u64, block: usize, negative: Bytes, tied: Bytes, loss: f64) {
        self.shared.announce(Decode {
            step,
            block: block as u32,
            negative,
            tied,
            loss,
            account: None,
            undone: 0,
        });
    }

    /// The same of a decode with its account.
    pub fn tell(&self, decode: happening::Decode) {
        self.shared.announce(decode.into());
    }

    /// Keeps the state before a step for workers that are too far behind for the decodes that are kept.
    pub fn keep_state(&self, step: u64, state: Bytes) {
        self.shared.keep_state(step, state);
    }

    /// Under a scheme: what the present step's messages are about, and how vectors travel in it, where they do in shares. What
    /// comes of other steps is not heard from now on.
    pub fn convene(&self, header: Header, shares: Option<Shares>) {
        self.shared.convene(header, shares);
    }

    /// The same where these earlier steps are open, whose vectors travel whole: what comes of them is heard, too.
    pub fn convene_beside(&self, open: &[Header], header: Header) {
        self.shared.convene_beside(open, header);
    }

    /// Under a scheme: goes back to a step, which is done anew. Workers go back to the state that they had before it; who has
    /// none takes the server's.
    pub fn go_back(&self, step: u64) {
        self.shared.go_back(step);
    }

    /// Under a scheme: asks a row. Whether it is there to be asked.
    #[must_use]
    pub fn ask(&self, row: usize, task: Task) -> bool {
        self.shared.ask(row, task)
    }

    /// Under a scheme: tells all workers what came out of a step, where the decode is negative, block by block, and goes on to
    /// the next. These rows answered in time.
    pub fn conclude(
        &self,
        step: u64,
        blocks: Vec<Bytes>,
        loss: f64,
        answered: impl IntoIterator<Item = usize>,
    ) {
        self.conclude_tied(step, blocks.into_iter().map(|negative| (negative, Bytes::new())), loss, answered);
    }

    /// The same where votes may tie: each block's decode, and where it was a tie; empty where none was.
    pub fn conclude_tied(
        &self,
        step: u64,
        blocks: impl IntoIterator<Item = (Bytes, Bytes)>,
        loss: f64,
        answered: impl IntoIterator<Item = usize>,
    ) {
        let decode = |(block, (negative, tied)): (usize, (Bytes, Bytes))| {
            let undone = self.shared.undone();
            Decode { step, block: block as u32, negative, tied, loss, undone, account: None }
        };
        self.shared.conclude(blocks.into_iter().enumerate().map(decode).collect(), answered);
    }

    /// Under a scheme: the key by which a row signs.
    #[must_use]
    pub fn key(&self, row: usize) -> Option<[u8; 32]> {
        self.shared.key(row)
    }

    /// A row was proved to lie or to compute wrong.
    pub fn name(&self, row: usize) {
        self.shared.take(Event::Named { row });
    }

    /// Something that tells at any time, from any thread, which step is voted on and where each row stands.
    pub fn watch(&self) -> impl Fn() -> (u64, Vec<Standing>) + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.rows()
    }

    /// Something that answers standard health checks (`grpc.health.v1`, without TLS) on a connection that its caller has
    /// accepted, and returns at once. Whoever can connect may ask: that it serves, and whether so many workers are
    /// connected that steps can be decoded as proved.
    pub fn health(&self) -> impl Fn(TcpStream) -> std::io::Result<()> + Send + use<> {
        let health = self.health.clone();
        move |stream| health.serve(stream)
    }

    /// Tells all workers that it is over, and ends.
    pub fn stop(mut self, why: &str, done: bool) {
        self.shared.end(why, done);
        if let Some(runtime) = self.runtime.take() {
            // So that what was said is still sent.
            let told = async {
                let _ = tokio::time::timeout(GOODBYE, self.shared.all_told()).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            runtime.block_on(told);
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
async fn serve(shared: Arc<Shared>, accepted: ReceiverStream<std::io::Result<Connection>>) {
    let block = shared.settings.block_bytes;
    let description = shared.offer().config_text.len() + shared.offer().matrix_text.len();
    let service = ElectionServer::new(Service(Arc::clone(&shared)))
        .max_decoding_message_size(2 * block + BESIDE)
        .max_encoding_message_size((2 << 20).max(description) + BESIDE);
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
