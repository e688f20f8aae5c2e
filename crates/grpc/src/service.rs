//! The calls of the protocol, between connections and the election.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};

use super::PROTOCOL;
use super::generated::election_server::Election;
use super::generated::{
    DescribeRequest, Description, Down, Hello, Piece, StateRequest, Up, Welcome, down, up,
};
use super::history::Kept;
use super::shared::{Next, Shared, Spoken};
use super::transport::Row;
use ecode_server::{Cut, Event, Place};

/// The first message must come within this time.
const GREETING: Duration = Duration::from_secs(5);
/// A worker that needs the state waits so long for the server to have it, and each piece so long for the worker.
const STATE: Duration = Duration::from_secs(60);
/// Bytes of a piece of the state.
const PIECE: usize = 1 << 20;

pub(crate) struct Service(pub(crate) Arc<Shared>);

type Stream_<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Election for Service {
    async fn describe(&self, request: Request<DescribeRequest>) -> Result<Response<Description>, Status> {
        let offer = self.0.offer();
        Ok(Response::new(Description {
            version: offer.version.clone(),
            config: offer.config_text.clone(),
            matrix: offer.matrix_text.clone(),
            row: row(&request)? as u32,
            matrix_digest: offer.matrix.clone(),
            config_digest: offer.config.clone(),
            data_digest: offer.data.clone(),
            data: offer.data_text.clone(),
            brought_dimension: if self.0.holds_no_model { self.0.settings.dimension as u64 } else { 0 },
        }))
    }

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
        let shared = Arc::clone(&self.0);
        let had = (hello.have_step, hello.incarnation);
        let connected = shared.connect(row, had, short(&hello.version), hello.probe);
        let (connection, welcome, place) = connected.map_err(|why| match why {
            Cut::TooSoon(_) => {
                Status::resource_exhausted("this row was here a moment ago: wait, then try again")
            }
            Cut::Named => Status::permission_denied("this row was proved to compute wrong, and is left out"),
            _ => Status::permission_denied("there is no such row"),
        })?;
        let (sender, receiver) = mpsc::channel(2);
        let reading = Arc::clone(&shared);
        tokio::spawn(async move {
            read(&reading, row, connection, &mut inbound).await;
            reading.left(row, connection);
        });
        tokio::spawn(async move {
            say(&shared, row, connection, (welcome, place), &sender).await;
            shared.done_listening();
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    type StateStream = Stream_<Piece>;

    async fn state(&self, request: Request<StateRequest>) -> Result<Response<Self::StateStream>, Status> {
        let row = row(&request)?;
        if self.0.holds_no_model {
            return Err(Status::failed_precondition("this server holds no model, and so no state of one"));
        }
        if !self.0.may_pull(row) {
            return Err(Status::resource_exhausted(
                "the state was not offered to this row, or it has had it",
            ));
        }
        let kept = tokio::time::timeout(STATE, async {
            loop {
                let changed = self.0.changed();
                if let Some(kept) = self.0.state() {
                    return kept;
                }
                changed.await;
            }
        });
        let kept = kept.await.map_err(|_| Status::unavailable("the server has no state to give yet"))?;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in pieces(&kept) {
                // Who does not take it holds a state that others may not need any more.
                if !matches!(tokio::time::timeout(STATE, sender.send(Ok(piece))).await, Ok(Ok(()))) {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// A state in pieces.
fn pieces(kept: &Kept) -> impl Iterator<Item = Piece> + use<'_> {
    let Kept { step, bytes, sha256 } = kept;
    let count = bytes.len().div_ceil(PIECE).max(1);
    (0..count).map(move |place| Piece {
        step: *step,
        length: bytes.len() as u64,
        bytes: bytes.slice(place * PIECE..bytes.len().min((place + 1) * PIECE)),
        sha256: if place + 1 == count { sha256.clone() } else { String::new() },
    })
}

/// The row that the request's connection speaks for.
fn row<T>(request: &Request<T>) -> Result<usize, Status> {
    let row = request.extensions().get::<Row>().map(|row| row.0);
    row.ok_or_else(|| Status::permission_denied("no row has this certificate"))
}

/// What a peer said, of bearable length and in plain characters.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

impl Service {
    /// Whether a worker works on the same.
    fn agrees(&self, hello: &Hello) -> Result<(), Status> {
        let offer = self.0.offer();
        if hello.protocol != PROTOCOL {
            let what = format!("protocol {PROTOCOL} is spoken here, not {}", hello.protocol);
            return Err(Status::failed_precondition(what));
        }
        for (what, theirs, ours) in [
            ("matrix", &hello.matrix, &offer.matrix),
            ("configuration", &hello.config, &offer.config),
            ("data", &hello.data, &offer.data),
        ] {
            if !theirs.is_empty() && theirs != ours {
                let said =
                    format!("the {what} differs: the server has {ours}, this worker {}", short(theirs));
                return Err(Status::failed_precondition(said));
            }
        }
        if offer.probe.is_some_and(|probe| hello.probe[..] != probe) {
            return Err(Status::failed_precondition(
                "this worker's gradients are other bits than the server's, so it would be named without having lied: ecode \
                 doctor --reproducible --digests compares machines, and a vote code needs no equal bits",
            ));
        }
        Ok(())
    }
}

/// Tells a connection what it is to know, at its own pace.
async fn say(
    shared: &Arc<Shared>,
    row: usize,
    connection: u64,
    (welcome, mut place): (Welcome, u64),
    sender: &mpsc::Sender<Result<Down, Status>>,
) {
    let mut message = down::Is::Welcome(welcome);
    loop {
        let last = matches!(message, down::Is::Stop(_));
        // A worker that does not read waits here, and is let go when it is cut.
        let sent = sender.send(Ok(Down { is: Some(message) }));
        tokio::pin!(sent);
        loop {
            let changed = shared.changed();
            tokio::select! {
                sent = &mut sent => {
                    if sent.is_err() || last {
                        return;
                    }
                    break;
                }
                () = changed => {
                    if !shared.speaks(row, connection) {
                        return;
                    }
                }
            }
        }
        message = loop {
            let changed = shared.changed();
            match shared.next(row, connection, &mut place) {
                Next::Say(message) => break *message,
                Next::Gone => {
                    let _ = sender.try_send(Err(Status::cancelled("the server has ended this connection")));
                    return;
                }
                Next::Wait => {
                    tokio::select! {
                        () = changed => {}
                        () = sender.closed() => return,
                    }
                }
            }
        };
    }
}

/// Reads ballots until the connection ends, or is ended.
async fn read(shared: &Arc<Shared>, row: usize, connection: u64, inbound: &mut Streaming<Up>) {
    let (mut last, mut partial) = (None, None);
    loop {
        let changed = shared.changed();
        if !shared.speaks(row, connection) {
            return;
        }
        let message = tokio::select! {
            message = inbound.next() => message,
            () = changed => continue,
        };
        let message = match message {
            Some(Ok(message)) => message,
            // Too long for a message.
            Some(Err(status)) if status.code() == Code::OutOfRange => {
                return shared.take(Event::Rubbish { row, connection });
            }
            Some(Err(_)) | None => return,
        };
        let spoken = match message.is {
            Some(up::Is::Answer(answer)) => Err(Spoken::Answer(answer)),
            Some(up::Is::Vector(vector)) => Err(Spoken::Vector(vector)),
            Some(up::Is::Refusal(refusal)) => Err(Spoken::Refusal(refusal)),
            Some(up::Is::Ballot(ballot)) => Ok(ballot),
            _ => return shared.take(Event::Rubbish { row, connection }),
        };
        let ballot = match spoken {
            Ok(ballot) => ballot,
            Err(spoken) => match shared.hear(row, connection, spoken, &mut partial) {
                Ok(()) => continue,
                Err(_) => return shared.take(Event::Rubbish { row, connection }),
            },
        };
        let (step, block) = (ballot.step, ballot.block as usize);
        // In order, each once: so a flood has no more votes than the run has blocks.
        if last.replace((step, block)).is_some_and(|last| last >= (step, block)) {
            return shared.take(Event::Rubbish { row, connection });
        }
        loop {
            let changed = shared.changed();
            match shared.place(row, connection, step, block) {
                // What is ahead of the window stays where it is: the stream's own flow control holds the worker.
                Place::Later => {
                    changed.await;
                    continue;
                }
                Place::Late => shared.take(Event::Late { row, connection }),
                Place::Wrong => return shared.take(Event::Rubbish { row, connection }),
                Place::Now => {
                    let Some((vote, report)) = shared.vote(row, ballot) else {
                        return shared.take(Event::Rubbish { row, connection });
                    };
                    if let Some(report) = report {
                        shared.report(row, step, report);
                    }
                    shared.take(Event::Voted { row, connection, step, block, vote });
                }
            }
            break;
        }
    }
}
