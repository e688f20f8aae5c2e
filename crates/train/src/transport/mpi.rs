//! The link that `mpirun` gives.

use std::time::{Duration, Instant};

use mpi::environment::Universe;
use mpi::point_to_point::MatchedReceiveVec as _;
use mpi::request::{Request, StaticScope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, Destination as _, Source as _};
use mpi::{Threading, environment};

use super::Link;

/// How long a process that waits sleeps between two looks: it must not take the core from one that computes.
const NAP: Duration = Duration::from_micros(100);

/// How long it looks without sleeping first.
const EAGER: Duration = Duration::from_micros(200);

pub(super) struct MpiLink {
    world: SimpleCommunicator,
    /// Whether a rank hangs, so that leaving in order would wait for it.
    stuck: bool,
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
        Ok(Self { world: universe.world(), stuck: false, _universe: universe })
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

    fn receive(&mut self, wait: Duration) -> Option<(usize, Vec<u8>)> {
        let start = Instant::now();
        loop {
            if let Some(message) = self.world.any_process().immediate_matched_probe() {
                let (bytes, status) = message.matched_receive_vec::<u8>();
                return Some((status.source_rank() as usize, bytes));
            }
            if start.elapsed() >= wait {
                return None;
            }
            pause(start);
        }
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>, wait: Duration) -> Vec<usize> {
        let start = Instant::now();
        let bytes: &'static [u8] = Box::leak(bytes.into_boxed_slice());
        let begin = |&rank: &usize| {
            (rank, self.world.process_at_rank(rank as i32).immediate_send(StaticScope, bytes))
        };
        let mut open: Vec<(usize, Request<'static, [u8], StaticScope>)> = to.iter().map(begin).collect();
        loop {
            let test = |(rank, request): (usize, Request<'static, [u8], StaticScope>)| {
                request.test().err().map(|request| (rank, request))
            };
            open = open.into_iter().filter_map(test).collect();
            if open.is_empty() || start.elapsed() >= wait {
                break;
            }
            pause(start);
        }
        if open.is_empty() {
            // SAFETY: the slice is the box that was leaked above, all sends that read it are complete, and no
            // other reference to it is left.
            drop(unsafe { Box::from_raw(std::ptr::from_ref(bytes).cast_mut()) });
        }
        open.into_iter()
            .map(|(rank, request)| {
                // MPI may read the bytes later: neither they nor the request are ever freed.
                std::mem::forget(request);
                rank
            })
            .collect()
    }

    fn give_up(&mut self) {
        self.stuck = true;
    }
}

impl Drop for MpiLink {
    fn drop(&mut self) {
        if self.stuck {
            self.world.abort(0);
        }
    }
}
