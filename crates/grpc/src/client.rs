//! A worker's side: one stream, from a thread that may block.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ecode_core::digest::sha256;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status, Streaming};

use super::PROTOCOL;
use super::generated::election_client::ElectionClient;
use super::generated::{self, Ballot, DescribeRequest, Down, Hello, StateRequest, Up, down, up};
use super::happening::{Account, Report, Vote};
use super::keys::{Keys, KeysError, SERVER_NAME};
use super::scheme::{Signed, Task};

/// A server that does not answer a ping for so long is gone.
const ALIVE: Duration = Duration::from_secs(10);
/// The largest message: a block's bits twice, and what is beside them.
const MESSAGE: usize = (2 << 20) + (64 << 10);
/// The largest description: a matrix of many rows in JSON.
const DESCRIPTION: usize = 256 << 20;
/// Bytes of a piece of a vector.
const PIECE: usize = 1 << 20;
/// A state of more bytes is not taken.
const MOST_STATE: u64 = 1 << 40;

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The keys are not usable.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The server cannot be reached, or has gone: worth another try.
    #[error("{0}")]
    Gone(String),
    /// The server does not want this worker: another try will not help.
    #[error("the server refuses this worker: {0}")]
    Refused(String),
    /// What came is not what the protocol says.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
}

/// What the server says first.
pub type Welcome = generated::Welcome;

/// What is run.
pub type Description = generated::Description;

/// What a worker says first. Digests that are not empty must be the server's.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    /// The program and its version.
    pub version: String,
    /// The matrix's digest.
    pub matrix: String,
    /// The configuration's digest.
    pub config: String,
    /// The data's digest.
    pub data: String,
    /// The step of the worker's state, and the incarnation of the server that it had it from; 0 at the beginning.
    pub have: (u64, u64),
    /// Under a scheme: what came of the gradients that server and workers both compute.
    pub probe: Option<[u8; 32]>,
}

/// The way to a server, which is not gone yet.
#[derive(Debug)]
pub struct Line {
    runtime: Runtime,
    client: ElectionClient<tonic::transport::Channel>,
}

/// What the server says later.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it comes, and never kept")]
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A block was decoded.
    Decode {
        /// The step.
        step: u64,
        /// The block.
        block: usize,
        /// Where the decode is negative, a bit a coordinate.
        negative: Bytes,
        /// Where the vote was a tie; empty where it never was.
        tied: Bytes,
        /// The mean loss, as far as workers said it.
        loss: f64,
        /// How often the run has gone back to an earlier step.
        undone: u32,
        /// How the step came about: in its last block, of a server that holds no model.
        account: Option<Account>,
    },
    /// This worker's state is of no use: [`Client::state`] has the server's.
    Behind {
        /// The server's step.
        step: u64,
    },
    /// Under a scheme that detects lies: this worker is asked.
    Task(Task),
    /// The run is over.
    Stop {
        /// Why.
        why: String,
        /// Whether all was done.
        done: bool,
    },
}

/// A worker's connection.
#[derive(Debug)]
pub struct Client {
    line: Line,
    up: mpsc::Sender<Up>,
    down: Streaming<Down>,
}

impl Line {
    /// Connects to a server, with the keys of a folder that [`keys::make`](super::keys::make) made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(server: &str, keys: &Path) -> Result<Self, ClientError> {
        let keys = Keys::read(keys)?;
        let gone = |error: &dyn std::error::Error| ClientError::Gone(format!("{server}: {}", chain(error)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ecode-grpc")
            .enable_all()
            .build()
            .map_err(|error| gone(&error))?;
        let tls = ClientTlsConfig::new()
            .domain_name(SERVER_NAME)
            .ca_certificate(Certificate::from_pem(&keys.authority))
            .identity(Identity::from_pem(&keys.own, &keys.key));
        let endpoint = Endpoint::from_shared(format!("https://{server}"))
            .and_then(|endpoint| endpoint.tls_config(tls))
            .map_err(|error| ClientError::Refused(format!("'{server}' is no address: {}", chain(&error))))?
            .connect_timeout(ALIVE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(Some(MESSAGE as u32))
            .initial_connection_window_size(Some(MESSAGE as u32));
        let channel = runtime.block_on(endpoint.connect()).map_err(|error| gone(&error))?;
        let client = ElectionClient::new(channel)
            .max_decoding_message_size(DESCRIPTION)
            .max_encoding_message_size(MESSAGE);
        Ok(Self { runtime, client })
    }

    /// What is run.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn describe(&mut self) -> Result<Description, ClientError> {
        let described = self.runtime.block_on(self.client.describe(DescribeRequest {}));
        described.map(tonic::Response::into_inner).map_err(|status| refusal(&status))
    }

    /// Joins the election.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn join(mut self, greeting: &Greeting) -> Result<(Client, Welcome), ClientError> {
        let hello = Hello {
            protocol: PROTOCOL,
            version: greeting.version.clone(),
            matrix: greeting.matrix.clone(),
            config: greeting.config.clone(),
            data: greeting.data.clone(),
            have_step: greeting.have.0,
            incarnation: greeting.have.1,
            probe: greeting.probe.map_or_else(Bytes::new, |probe| Bytes::copy_from_slice(&probe)),
        };
        let (up, outgoing) = mpsc::channel(2);
        let client = &mut self.client;
        let joined = self.runtime.block_on(async {
            let ended = || ClientError::Gone("the server has closed the connection".to_owned());
            up.send(Up { is: Some(up::Is::Hello(hello)) }).await.map_err(|_| ended())?;
            let answer =
                client.join(ReceiverStream::new(outgoing)).await.map_err(|status| refusal(&status))?;
            let mut down = answer.into_inner();
            match down.message().await.map_err(|status| refusal(&status))?.ok_or_else(ended)?.is {
                Some(down::Is::Welcome(welcome)) => Ok((down, welcome)),
                _ => Err(ClientError::Protocol("it did not begin with a welcome".to_owned())),
            }
        });
        let (down, welcome) = joined?;
        Ok((Client { line: self, up, down }, welcome))
    }
}

impl Client {
    /// Whether the next vote can be sent at once, waiting so long at most: the server takes no more than it has room for.
    ///
    /// # Errors
    /// [`ClientError::Gone`].
    pub fn ready(&mut self, wait: Duration) -> Result<bool, ClientError> {
        let up = &self.up;
        let ready = self.line.runtime.block_on(async { tokio::time::timeout(wait, up.reserve()).await });
        let Ok(ready) = ready else { return Ok(false) };
        ready.map(|_| true).map_err(|_| ClientError::Gone("the server has closed the connection".to_owned()))
    }

    /// Sends a vote on one block. Waits while the server is not ready for it.
    ///
    /// # Errors
    /// [`ClientError::Gone`].
    pub fn vote(
        &mut self,
        step: u64,
        block: usize,
        vote: Vote,
        report: Option<&Report>,
    ) -> Result<(), ClientError> {
        let report = report
            .map(|report| generated::Report { losses: report.losses.clone(), gradient_s: report.gradient_s });
        let ballot = Ballot {
            step,
            block: block as u32,
            negative: vote.negative,
            silent: vote.silent.unwrap_or_default(),
            report,
        };
        let sent = self.line.runtime.block_on(self.up.send(Up { is: Some(up::Is::Ballot(ballot)) }));
        sent.map_err(|_| ClientError::Gone("the server has closed the connection".to_owned()))
    }

    fn say(&self, is: up::Is) -> Result<(), ClientError> {
        let sent = self.line.runtime.block_on(self.up.send(Up { is: Some(is) }));
        sent.map_err(|_| ClientError::Gone("the server has closed the connection".to_owned()))
    }

    /// Answers a task with digests of a state, with a loss for each. No digests say that the worker's state is another one.
    ///
    /// # Errors
    /// [`ClientError::Gone`].
    pub fn answer(
        &mut self,
        step: u64,
        state: &[u8; 32],
        digests: &[Signed],
        report: &Report,
    ) -> Result<(), ClientError> {
        let slot = |signed: &Signed| generated::Slot {
            partition: signed.partition as u32,
            digest: Bytes::copy_from_slice(&signed.digest),
            signature: Bytes::copy_from_slice(&signed.signature),
            again: signed.again,
        };
        self.say(up::Is::Answer(generated::Answer {
            step,
            state: Bytes::copy_from_slice(state),
            digests: digests.iter().map(slot).collect(),
            report: Some(generated::Report { losses: report.losses.clone(), gradient_s: report.gradient_s }),
        }))
    }

    /// Sends a whole vector of a partition, or a list with the share of a place, signed as what was sent.
    ///
    /// # Errors
    /// [`ClientError::Gone`].
    pub fn vector(
        &mut self,
        step: u64,
        state: &[u8; 32],
        partition: usize,
        (bytes, share): (&Bytes, Option<usize>),
        signature: &[u8; 64],
    ) -> Result<(), ClientError> {
        for first in (0..bytes.len()).step_by(PIECE) {
            let end = bytes.len().min(first + PIECE);
            let signature: &[u8] = if end == bytes.len() { signature } else { &[] };
            self.say(up::Is::Vector(generated::Vector {
                step,
                state: Bytes::copy_from_slice(state),
                partition: partition as u32,
                first: first as u64,
                length: bytes.len() as u64,
                negative: bytes.slice(first..end),
                signature: Bytes::copy_from_slice(signature),
                share: share.is_some(),
                place: share.map_or(0, |place| place as u32),
            }))?;
        }
        Ok(())
    }

    /// Says that a vector cannot be sent.
    ///
    /// # Errors
    /// [`ClientError::Gone`].
    pub fn refuse(&mut self, step: u64, partition: usize) -> Result<(), ClientError> {
        self.say(up::Is::Refusal(generated::Refusal { step, partition: partition as u32 }))
    }

    /// The next news, waiting so long at most.
    ///
    /// # Errors
    /// [`ClientError`]: the connection has ended.
    pub fn next(&mut self, wait: Duration) -> Result<Option<News>, ClientError> {
        let down = &mut self.down;
        let next = self.line.runtime.block_on(async { tokio::time::timeout(wait, down.message()).await });
        let Ok(next) = next else { return Ok(None) };
        let ended = || ClientError::Gone("the server has closed the connection".to_owned());
        let message = next.map_err(|status| refusal(&status))?.ok_or_else(ended)?;
        Ok(Some(match message.is {
            Some(down::Is::Decode(decode)) => News::Decode {
                step: decode.step,
                block: decode.block as usize,
                negative: decode.negative,
                tied: decode.tied,
                loss: decode.loss,
                undone: decode.undone,
                account: decode.account.map(Into::into),
            },
            Some(down::Is::Behind(behind)) => News::Behind { step: behind.step },
            Some(down::Is::Task(task)) => News::Task(
                Task::of_message(task)
                    .ok_or_else(|| ClientError::Protocol("a task without its digests".to_owned()))?,
            ),
            Some(down::Is::Stop(stop)) => News::Stop { why: stop.why, done: stop.done },
            _ => return Err(ClientError::Protocol("a message without meaning".to_owned())),
        }))
    }

    /// The server's state, and the step that it is before.
    ///
    /// # Errors
    /// [`ClientError`]; also where the bytes are not those of their digest.
    pub fn state(&mut self) -> Result<(u64, Vec<u8>), ClientError> {
        let Line { runtime, client } = &mut self.line;
        let wrong = |what: &str| ClientError::Protocol(format!("the state {what}"));
        runtime.block_on(async {
            let mut pieces =
                client.state(StateRequest {}).await.map_err(|status| refusal(&status))?.into_inner();
            let mut state = Vec::new();
            while let Some(piece) = pieces.message().await.map_err(|status| refusal(&status))? {
                if piece.length > MOST_STATE || state.len() as u64 + piece.bytes.len() as u64 > piece.length {
                    return Err(wrong("is longer than was said"));
                }
                state.extend_from_slice(&piece.bytes);
                if !piece.sha256.is_empty() {
                    let whole = state.len() as u64 == piece.length && sha256(&state) == piece.sha256;
                    return if whole { Ok((piece.step, state)) } else { Err(wrong("arrived broken")) };
                }
            }
            Err(wrong("was cut off"))
        })
    }
}

/// What a status means for a worker.
fn refusal(status: &Status) -> ClientError {
    let message = status.message().to_owned();
    match status.code() {
        Code::FailedPrecondition | Code::PermissionDenied | Code::InvalidArgument | Code::Unimplemented => {
            ClientError::Refused(message)
        }
        code => ClientError::Gone(if message.is_empty() { code.to_string() } else { message }),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let reason = next.to_string();
        if !text.contains(&reason) {
            text += ": ";
            text += &reason;
        }
        cause = next.source();
    }
    text
}
