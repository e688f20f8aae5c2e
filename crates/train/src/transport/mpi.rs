//! The link that `mpirun` gives.
//!
//! # What is promised
//! Sending never waits: a message that a rank has not taken stays on its way, and its memory with it, while this
//! process goes on; a rank that leaves too many lying is said to be gone.

use std::time::{Duration, Instant};

use mpi::environment::Universe;
use mpi::point_to_point::MatchedReceiveVec as _;
use mpi::request::{Request, StaticScope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination as _, Equivalence as _, Source as _};
use mpi::{Threading, environment};

use super::Link;

/// How long a process that waits sleeps between two looks: it must not take the core from one that computes.
const NAP: Duration = Duration::from_micros(100);

/// How long it looks without sleeping first.
const EAGER: Duration = Duration::from_micros(200);

/// Messages that a rank may leave lying. In order it has one, the decode of the step before.
const LYING: usize = 4;

/// A message to one rank or more that is on its way.
struct Sending {
    /// The bytes, from `Box::into_raw`: MPI reads them until the last request is complete.
    bytes: *mut [u8],
    open: Vec<(usize, Request<'static, [u8], StaticScope>)>,
}

pub(super) struct MpiLink {
    world: SimpleCommunicator,
    sending: Vec<Sending>,
    /// The exit code, where a rank hangs, so that leaving in order would wait for it.
    stuck: Option<i32>,
    _universe: Universe,
}

pub(super) fn library() -> String {
    let text = environment::library_version().unwrap_or_default();
    text.split([',', '\n']).next().unwrap_or_default().trim().to_owned()
}

impl MpiLink {
    pub(super) fn new() -> Result<Self, String> {
        // Only this thread calls MPI.
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)
            .ok_or("MPI was started before in this process")?;
        Ok(Self { world: universe.world(), sending: Vec::new(), stuck: None, _universe: universe })
    }

    /// Looks which messages were taken, and frees their bytes.
    fn progress(&mut self) {
        self.sending = std::mem::take(&mut self.sending).into_iter().filter_map(Sending::progress).collect();
    }
}

impl Sending {
    fn progress(mut self) -> Option<Self> {
        let test = |(rank, request): (usize, Request<'static, [u8], StaticScope>)| {
            request.test().err().map(|request| (rank, request))
        };
        self.open = self.open.into_iter().filter_map(test).collect();
        if !self.open.is_empty() {
            return Some(self);
        }
        // SAFETY: the pointer is that of `Box::into_raw` in `send`, it is freed here only, and all requests that
        // read the bytes are complete, their borrows gone with them.
        drop(unsafe { Box::from_raw(self.bytes) });
        None
    }
}

fn pause(start: Instant) {
    if start.elapsed() < EAGER {
        std::thread::yield_now();
    } else {
        std::thread::sleep(NAP);
    }
}

impl Link for MpiLink {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn ranks(&self) -> usize {
        self.world.size() as usize
    }

    fn receive(&mut self, wait: Duration, most: usize) -> Option<(usize, Vec<u8>)> {
        let start = Instant::now();
        loop {
            self.progress();
            if let Some((message, status)) = self.world.any_process().immediate_matched_probe() {
                let rank = status.source_rank() as usize;
                let count = usize::try_from(status.count(u8::equivalent_datatype()));
                if count.is_ok_and(|count| count <= most) {
                    return Some((rank, (message, status).matched_receive_vec::<u8>().0));
                }
                // It is never received, and so takes no memory here; whoever sent it waits in vain.
                std::mem::forget(message);
                self.stuck.get_or_insert(0);
                return Some((rank, Vec::new()));
            }
            if start.elapsed() >= wait {
                return None;
            }
            pause(start);
        }
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>) -> Vec<usize> {
        self.progress();
        let lying = |rank: &usize| {
            let open = self.sending.iter().flat_map(|sending| &sending.open);
            open.filter(|(other, _)| other == rank).count() >= LYING
        };
        let (gone, to): (Vec<usize>, Vec<usize>) = to.iter().partition(|rank| lying(rank));
        let bytes = Box::into_raw(bytes.into_boxed_slice());
        // SAFETY: the box lives until `Sending::progress` frees it, which it does once every request made here is
        // complete; where one never completes, the bytes stay for good. Nobody writes to them.
        let shared: &'static [u8] = unsafe { &*bytes };
        let begin =
            |rank: usize| (rank, self.world.process_at_rank(rank as i32).immediate_send(StaticScope, shared));
        let open = to.into_iter().map(begin).collect();
        self.sending.extend(Sending { bytes, open }.progress());
        gone
    }

    fn flush(&mut self, wait: Duration) -> bool {
        let start = Instant::now();
        loop {
            self.progress();
            if self.sending.is_empty() || start.elapsed() >= wait {
                return self.sending.is_empty();
            }
            pause(start);
        }
    }

    fn give_up(&mut self, code: i32) {
        self.stuck = Some(code);
    }
}

impl Drop for MpiLink {
    fn drop(&mut self) {
        self.progress();
        for (_, request) in self.sending.drain(..).flat_map(|sending| sending.open) {
            // MPI may read the bytes later: neither they nor the request are ever freed.
            std::mem::forget(request);
            self.stuck.get_or_insert(0);
        }
        if let Some(code) = self.stuck {
            self.world.abort(code);
        }
    }
}
