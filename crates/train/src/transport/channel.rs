//! A link between threads of one process: for tests, and for servers and workers that are threads.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::Link;

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
/// assert!(links[0].send(&[1, 2], vec![7]).is_empty());
/// assert_eq!(links[2].receive(wait, 10), Some((0, vec![7])));
/// // What is longer than expected comes empty.
/// assert_eq!(links[1].receive(wait, 0), Some((0, vec![])));
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

    fn receive(&mut self, wait: Duration, most: usize) -> Option<(usize, Vec<u8>)> {
        let (rank, bytes) = self.inbox.recv_timeout(wait).ok()?;
        Some((rank, if bytes.len() <= most { bytes } else { Vec::new() }))
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>) -> Vec<usize> {
        let gone = |rank: &usize| self.others[*rank].send((self.rank, bytes.clone())).is_err();
        to.iter().copied().filter(gone).collect()
    }

    fn flush(&mut self, _wait: Duration) -> bool {
        true
    }
}
