//! Training by many processes: rank 0 serves, ranks 1 to n work.
//!
//! # What is promised
//! - Each worker computes the gradients of its own partitions only (a liar who must know all messages computes
//!   all), and sends its vote; the server computes none. The same seed gives the same parameters as in one
//!   process, bit for bit, where the model's gradients have the same bits.
//! - Training starts only when all ranks hold the same matrix, configuration, data and version.
//! - A worker that is silent for too long, or whose message is none, counts as Byzantine.

mod deployment;
mod message;
#[cfg(feature = "mpi")]
mod mpi;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub(super) use deployment::Deployment;
pub use message::{Message, VOTE_HEADER};

/// What carries messages between ranks.
pub trait Link {
    /// This process: 0 for the server, j + 1 for worker j.
    fn rank(&self) -> usize;

    /// How many there are, the server included.
    fn ranks(&self) -> usize;

    /// The next message from any rank, with its sender, waiting so long at most.
    fn receive(&mut self, wait: Duration) -> Option<(usize, Vec<u8>)>;

    /// Sends a message to some ranks, and returns those that had not taken it after so long.
    fn send(&mut self, to: &[usize], bytes: Vec<u8>, wait: Duration) -> Vec<usize>;

    /// Some rank does not answer any more: the end must not wait for it.
    fn give_up(&mut self) {}
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

/// One line on MPI.
#[must_use]
pub fn mpi_library() -> String {
    #[cfg(feature = "mpi")]
    return mpi::library();
    #[cfg(not(feature = "mpi"))]
    return "not built in: scripts/mpi in the source folder, then cargo install --path . --features mpi"
        .into();
}

/// A link between threads of one process.
#[derive(Debug)]
pub struct Channel {
    rank: usize,
    others: Vec<Sender<(usize, Vec<u8>)>>,
    inbox: Receiver<(usize, Vec<u8>)>,
}

/// Links between as many threads as there are ranks.
///
/// ```
/// use std::time::Duration;
/// use ecode_train::transport::{Link as _, channels};
/// let mut links = channels(3);
/// let wait = Duration::from_secs(1);
/// assert!(links[0].send(&[1, 2], vec![7], wait).is_empty());
/// assert_eq!(links[2].receive(wait), Some((0, vec![7])));
/// ```
#[must_use]
pub fn channels(ranks: usize) -> Vec<Channel> {
    let (others, inboxes): (Vec<_>, Vec<_>) = (0..ranks).map(|_| channel()).unzip();
    let link = |(rank, inbox)| Channel { rank, others: others.clone(), inbox };
    inboxes.into_iter().enumerate().map(link).collect()
}

impl Link for Channel {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.others.len()
    }

    fn receive(&mut self, wait: Duration) -> Option<(usize, Vec<u8>)> {
        self.inbox.recv_timeout(wait).ok()
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>, _wait: Duration) -> Vec<usize> {
        let gone = |rank: &usize| self.others[*rank].send((self.rank, bytes.clone())).is_err();
        to.iter().copied().filter(gone).collect()
    }
}
