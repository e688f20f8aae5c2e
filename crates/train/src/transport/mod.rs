//! Training by many processes: rank 0 serves, ranks 1 to n work. Here is what carries their messages, and what each
//! side does about the other; what is computed between messages is the trainer's. Over gRPC (`grpc`) there are no ranks:
//! workers come and go.
//!
//! # What is promised
//! - The server waits for a worker once: who has not voted in time is lost, and no message to it is waited for.
//! - Whatever bytes come, memory is taken for as many as a right message has, and not before their number is known.
//! - A worker waits for the server with a limit, too, and says when it is over.

mod channel;
#[cfg(feature = "grpc")]
pub mod grpc;
mod message;
#[cfg(feature = "mpi")]
mod mpi;
mod server;
mod worker;

use std::time::Duration;

use ecode_core::shown_sentence;

pub use channel::{Channel, channels};
pub use message::{Message, VOTE_HEADER};
pub(crate) use server::{Server, VoteShape};
pub(crate) use worker::Worker;

/// How often waiting looks up whether it should stop.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// The largest loss that a worker is believed, in nats.
pub(crate) const MAX_LOSS: f64 = 1e6;

/// How long a process that leaves waits for others to take its last words.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long ranks wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A worker that has not voted for so long is lost.
    pub worker: Duration,
    /// A server that has said nothing for so long is gone. To be longer than `worker`: a server that waits for a
    /// worker is silent to the others.
    pub server: Duration,
}

/// What carries messages between ranks.
pub trait Link {
    /// This process: 0 for the server, j + 1 for worker j.
    fn rank(&self) -> usize;

    /// How many there are, the server included.
    fn ranks(&self) -> usize;

    /// The next message from any rank, with its sender, waiting so long at most. A message of more than `most` bytes
    /// comes as an empty one: no memory is taken for it.
    fn receive(&mut self, wait: Duration, most: usize) -> Option<(usize, Vec<u8>)>;

    /// Sets a message on its way to some ranks without waiting, and returns those that are gone, or have left too
    /// many earlier ones lying.
    fn send(&mut self, to: &[usize], bytes: Vec<u8>) -> Vec<usize>;

    /// Waits until all messages are taken, but not longer than that. Whether they are.
    fn flush(&mut self, wait: Duration) -> bool;

    /// Some rank does not answer any more: the end must not wait for it. Where leaving without it ends all processes,
    /// they end with this exit code.
    fn give_up(&mut self, _code: i32) {}
}

/// What one process is in a deployment.
pub(crate) enum Deployment {
    Server(Box<Server>),
    Worker(Worker),
    /// A server whose workers are on any machines.
    #[cfg(feature = "grpc")]
    Desk(Box<grpc::Desk>),
    /// The same under a scheme that detects lies.
    #[cfg(feature = "grpc")]
    Panel(Box<grpc::Panel>),
}

impl Deployment {
    /// All steps are done: nobody has to be told to stop.
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Server(server) => server.finish(),
            Self::Worker(worker) => worker.dismissed = true,
            #[cfg(feature = "grpc")]
            Self::Desk(desk) => desk.finish(),
            #[cfg(feature = "grpc")]
            Self::Panel(panel) => panel.finish(),
        }
    }
}

/// A process that cannot start says why to those that wait for it: a worker to the server, the server to all.
pub fn leave(mut link: Box<dyn Link>, why: &str) {
    let why = shown_sentence(why);
    if link.rank() == 0 {
        let to: Vec<usize> = (1..link.ranks()).collect();
        link.send(&to, Message::Stop(why).to_bytes());
    } else {
        link.send(&[0], Message::Failed(why).to_bytes());
    }
    link.flush(GOODBYE);
}

/// The link of this process, started by `mpirun`.
///
/// # Errors
/// A line that says why there is none.
pub fn mpi_link() -> Result<Box<dyn Link>, String> {
    #[cfg(feature = "mpi")]
    return mpi::MpiLink::new().map(|link| Box::new(link) as Box<dyn Link>);
    #[cfg(not(feature = "mpi"))]
    return Err(
        "transport mpi needs MPI, which this program was built without: scripts/mpi in its source folder, \
                then cargo install --path . --features mpi"
            .into(),
    );
}

/// One line on gRPC.
#[must_use]
pub fn grpc_library() -> &'static str {
    if cfg!(feature = "grpc") {
        "built in"
    } else {
        "not built in: in the source folder, cargo install --path . --features grpc"
    }
}

/// One line on MPI.
#[must_use]
pub fn mpi_library() -> String {
    #[cfg(feature = "mpi")]
    return mpi::library();
    #[cfg(not(feature = "mpi"))]
    return "not built in: scripts/mpi in the source folder, then cargo install --path . --features mpi"
        .into();
}
