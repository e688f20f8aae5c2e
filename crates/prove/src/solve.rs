//! Asks the SAT solver varisat for a DRAT proof.

use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use varisat::{ExtendFormula as _, Lit, ProofFormat, Solver};

use super::prove::{MOST_BYTES, NoProof};
use ecode_core::Clauses;

/// The name of the thread in which the solver works.
const THREAD: &str = "varisat";

/// Proves that the clauses have no solution, as DRAT text; asks `stopped` now and then whether to go on.
///
/// # Errors
/// [`NoProof`].
pub fn refute_clauses(clauses: &Clauses, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    let text = Bounded::default();
    let writer = text.clone();
    let clauses = clauses.clone();
    let (reply, answer) = mpsc::channel();
    // varisat can be stopped by an error of its proof's writer alone, which it meets within some thousand steps.
    let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        let mut solver = Solver::new();
        solver.write_proof(writer, ProofFormat::Drat);
        for clause in &clauses.clauses {
            let literals: Vec<Lit> = clause.iter().map(|&l| Lit::from_dimacs(l as isize)).collect();
            solver.add_clause(&literals);
        }
        let solved = solver.solve().and_then(|solved| {
            solver.close_proof()?;
            Ok(solved)
        });
        // Nobody listens any more when the work was stopped.
        let _ = reply.send(solved.ok());
    });
    let Ok(thread) = thread else { return Err(NoProof::Stopped) };
    let solved = loop {
        match answer.recv_timeout(Duration::from_millis(20)) {
            Ok(Some(true)) => break Err(NoProof::Satisfiable),
            Ok(Some(false)) => break Ok(()),
            // The only error that can come is that of the writer.
            Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => break Err(NoProof::TooLong(MOST_BYTES)),
            Err(mpsc::RecvTimeoutError::Timeout) if stopped() => {
                text.lock().full = true;
                break Err(NoProof::Stopped);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    };
    // No thread outlives the call. A panic in it has been told by the channel.
    let _ = thread.join();
    solved?;
    let bytes = std::mem::take(&mut text.lock().bytes);
    String::from_utf8(bytes).map_err(|_| NoProof::TooLong(MOST_BYTES))
}

/// A text that stops growing at [`MOST_BYTES`].
#[derive(Clone, Default)]
struct Bounded(Arc<Mutex<Text>>);

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    full: bool,
}

impl Bounded {
    fn lock(&self) -> std::sync::MutexGuard<'_, Text> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.lock();
        if text.full || text.bytes.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the proof is too long"));
        }
        text.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use ecode_core::Encoding;

    /// One pigeon more than holes: so hard for this solver that it does not end by itself.
    fn pigeons(holes: i32) -> Clauses {
        let variable = |pigeon: i32, hole: i32| pigeon * holes + hole + 1;
        let mut clauses = Clauses::new(((holes + 1) * holes) as usize, Encoding::default());
        for pigeon in 0..=holes {
            clauses.add((0..holes).map(|hole| variable(pigeon, hole)).collect());
            for (other, hole) in (0..pigeon).flat_map(|other| (0..holes).map(move |hole| (other, hole))) {
                clauses.add(vec![-variable(pigeon, hole), -variable(other, hole)]);
            }
        }
        clauses
    }

    #[test]
    fn a_stopped_solver_leaves_no_thread() {
        let name = |task: io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        let is_ours = |name: &String| name.trim_end() == THREAD;
        let tasks = || std::fs::read_dir("/proc/self/task").into_iter().flatten();
        let looks = Cell::new(0);
        let stopped = || {
            looks.set(looks.get() + 1);
            looks.get() > 5
        };
        if cfg!(target_os = "linux") {
            assert!(tasks().find_map(name).is_some(), "threads are seen");
        }
        assert_eq!(refute_clauses(&pigeons(12), &stopped), Err(NoProof::Stopped));
        assert_eq!(tasks().filter_map(name).filter(is_ours).count(), 0);
        assert!(refute_clauses(&pigeons(3), &|| false).is_ok());
    }
}
