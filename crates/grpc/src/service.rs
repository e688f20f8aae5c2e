//! The two calls of the protocol, between connections and the election.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::PROTOCOL;
use super::generated::election_server::Election;
use super::generated::{Ballot, Down, Hello, Piece, StateRequest, Up, down, up};
use super::server::{Report, Shared, Vote};
use super::transport::Row;
use ecode_server::{Action, Cut, Event, Place};

/// The first message must come within this time.
const GREETING: Duration = Duration::from_secs(5);
/// Messages that wait for a slow reader. One more, and it is cut.
const OUTGOING: usize = 64;
/// Bytes of a piece of the state.
const PIECE: usize = 1 << 20;

pub(crate) struct Service(pub(crate) Arc<Shared>);

type Stream_<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Election for Service {
    type JoinStream = Stream_<Down>;

    async fn join(&self, request: Request<Streaming<Up>>) -> Result<Response<Self::JoinStream>, Status> {
        let row = row(&request)?;
        let mut inbound = request.into_inner();
        let first = tokio::time::timeout(GREETING, inbound.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no greeting"))??;
        let Some(up::Is::Hello(hello)) = first.and_then(|first| first.is) else {
            return Err(Status::invalid_argument("the first message is to be a hello"));
        };
        self.agrees(&hello)?;
        let (sender, receiver) = mpsc::channel(OUTGOING);
        let shared = Arc::clone(&self.0);
        let connection = shared.connect(row, sender, hello.have_step).map_err(|why| match why {
            Cut::TooSoon(_) => Status::resource_exhausted("this row was here a moment ago: wait, then try again"),
            Cut::Named => Status::permission_denied("this row was proved to compute wrong, and is left out"),
            other => Status::permission_denied(format!("{other:?}")),
        })?;
        tokio::spawn(async move {
            read(&shared, row, connection, &mut inbound).await;
            shared.disconnect(row, connection);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    type StateStream = Stream_<Piece>;

    async fn state(&self, request: Request<StateRequest>) -> Result<Response<Self::StateStream>, Status> {
        row(&request)?;
        let Some((step, state, sha256)) = self.0.state() else {
            return Err(Status::unavailable("the server has no state to give yet"));
        };
        let length = state.len() as u64;
        let count = state.len().div_ceil(PIECE).max(1);
        let pieces = (0..count).map(move |place| {
            let bytes = state.slice(place * PIECE..state.len().min((place + 1) * PIECE));
            let sha256 = if place + 1 == count { sha256.clone() } else { String::new() };
            Ok(Piece { step, length, bytes, sha256 })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces))))
    }
}

/// The row that the request's connection speaks for.
fn row<T>(request: &Request<T>) -> Result<usize, Status> {
    let row = request.extensions().get::<Row>().map(|row| row.0);
    row.ok_or_else(|| Status::permission_denied("no row has this certificate"))
}

impl Service {
    /// Whether a worker works on the same.
    fn agrees(&self, hello: &Hello) -> Result<(), Status> {
        let offer = self.0.offer();
        if hello.protocol != PROTOCOL {
            let what = format!("protocol {} is spoken here, not {}", PROTOCOL, hello.protocol);
            return Err(Status::failed_precondition(what));
        }
        for (what, theirs, ours) in [
            ("matrix", &hello.matrix, &offer.matrix),
            ("configuration", &hello.config, &offer.config_digest),
            ("data", &hello.data, &offer.data),
        ] {
            if !theirs.is_empty() && theirs != ours {
                let short = |text: &str| text.chars().take(80).collect::<String>();
                let said = format!("the {what} differs: {} here, {} there", short(ours), short(theirs));
                return Err(Status::failed_precondition(said));
            }
        }
        Ok(())
    }
}

/// Reads ballots until the connection ends, or is ended.
async fn read(shared: &Arc<Shared>, row: usize, connection: u64, inbound: &mut Streaming<Up>) {
    while let Some(Ok(message)) = inbound.next().await {
        let Some(up::Is::Ballot(ballot)) = message.is else {
            return shared.take(Event::Rubbish { row, connection });
        };
        let (step, block) = (ballot.step, ballot.block as usize);
        loop {
            let changed = shared.changed();
            match shared.place(row, connection, step, block) {
                // What is ahead of the window stays where it is: the stream's own flow control holds the worker.
                Place::Later => changed.await,
                Place::Late => break,
                Place::Wrong => return shared.take(Event::Rubbish { row, connection }),
                Place::Now => {
                    let Some((vote, report)) = shared.vote(block, ballot) else {
                        return shared.take(Event::Rubbish { row, connection });
                    };
                    shared.report(row, step, report);
                    shared.take(Event::Voted { row, connection, step, block, vote });
                    break;
                }
            }
        }
        if !shared.is_connected(connection) {
            return;
        }
    }
}

impl Shared {
    /// A ballot as a vote; none where its size is not that of its block, or bits beyond the last coordinate are set.
    fn vote(&self, block: usize, ballot: Ballot) -> Option<(Vote, Report)> {
        let coordinates = self.coordinates(block)?;
        let fits = |bits: &Bytes| {
            let padding = coordinates % 8;
            let last = bits.last().copied().unwrap_or(0);
            bits.len() == coordinates.div_ceil(8) && (padding == 0 || last >> padding == 0)
        };
        let silent = Some(ballot.silent).filter(|silent| !silent.is_empty());
        if !fits(&ballot.negative) || !silent.as_ref().is_none_or(fits) {
            return None;
        }
        let report = ballot.report.unwrap_or_default();
        let losses = report.losses.into_iter().take(self.most_losses());
        let report = Report {
            losses: losses.filter(|loss| loss.is_finite()).collect(),
            gradient_s: Some(report.gradient_s).filter(|seconds| seconds.is_finite() && *seconds >= 0.0),
        };
        Some((Vote { negative: ballot.negative, silent }, report))
    }
}

/// Of what is to be done, the part that concerns one new connection.
pub(crate) fn refusal<V>(actions: &[Action<V>], connection: u64) -> Option<Cut> {
    actions.iter().find_map(|action| match action {
        Action::Cut { connection: cut, why, .. } if *cut == connection => Some(*why),
        _ => None,
    })
}

/// A message down.
pub(crate) fn down(is: down::Is) -> Result<Down, Status> {
    Ok(Down { is: Some(is) })
}
