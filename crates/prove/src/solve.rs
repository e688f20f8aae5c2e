//! Asks the SAT solver varisat for a DRAT proof.

use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use varisat::{ExtendFormula as _, Lit, ProofFormat, Solver};

use super::prove::{MOST_BYTES, NoProof};
use ecode_core::Clauses;

/// Proves that the clauses have no solution, as DRAT text; asks `stopped` now and then whether to go on.
///
/// # Errors
/// [`NoProof`].
pub fn refute_clauses(clauses: &Clauses, stopped: &dyn Fn() -> bool) -> Result<String, NoProof> {
    let text = Bounded::default();
    let writer = text.clone();
    let clauses = clauses.clone();
    let (reply, answer) = mpsc::channel();
    // varisat cannot be interrupted: the thread is left behind when the work must stop.
    std::thread::spawn(move || {
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
    loop {
        match answer.recv_timeout(Duration::from_millis(20)) {
            Ok(Some(true)) => return Err(NoProof::Satisfiable),
            Ok(Some(false)) => break,
            // The only error that can come is that of the writer.
            Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => return Err(NoProof::TooLong(MOST_BYTES)),
            Err(mpsc::RecvTimeoutError::Timeout) if stopped() => {
                text.lock().full = true;
                return Err(NoProof::Stopped);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
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
