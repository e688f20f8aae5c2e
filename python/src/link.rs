//! A worker's way to `ecode serve`, for a training loop in Python.
//!
//! # What is promised
//! - Whatever waits does so without Python's lock and outside the threads that compute; Ctrl-C ends it.
//! - A child that Python forks does not touch its parent's connection.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecode::format::{Format, MatrixFile};
use ecode::train::TrainError;
use ecode::train::transport::grpc::{Join, Member, Run, Settled};
use ecode::verify::Control;
use numpy::PyArray1;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use serde_json::json;

use crate::array::{bits, packed, python};
use crate::code::Code;
use crate::errors::bad;
use crate::work;

/// A decode: packed signs, packed places of ties where there are any, and how it came about.
type Told<'py> = (Bound<'py, PyArray1<u8>>, Option<Bound<'py, PyArray1<u8>>>, Bound<'py, PyAny>);

/// A worker's connection to a server of votes (`ecode serve`), made again where it is lost.
///
/// Args:
///     server: host and port.
///     keys: the folder of this worker's keys, which `ecode keys` makes. They say which worker this is.
///     give_up_after: seconds for which a server that cannot be reached is tried.
///
/// Raises:
///     ConnectionError: the server refuses this worker, or was not reached.
#[pyclass(frozen, module = "election_coding._election_coding")]
pub(crate) struct Link {
    join: Join,
    process: u32,
    code: Code,
    row: usize,
    dimension: u64,
    member: Mutex<Option<Arc<Mutex<Member>>>>,
}

/// What the library says, to Python's logging.
fn say(text: &str) {
    let level = if text.starts_with("works as") { "info" } else { "warning" };
    // Nobody listens to a thread that is left over while the interpreter ends.
    let _ = Python::try_attach(|py| {
        let told = (|| {
            let logger = py.import("logging")?.call_method1("getLogger", ("election_coding",))?;
            logger.call_method1(level, (text,))
        })();
        if let Err(error) = told {
            error.write_unraisable(py, None);
        }
    });
}

fn failed(error: TrainError) -> PyErr {
    match error {
        TrainError::Transport(text) | TrainError::Dismissed(text) => {
            pyo3::exceptions::PyConnectionError::new_err(text)
        }
        other => PyRuntimeError::new_err(other.to_string()),
    }
}

impl Link {
    /// Runs something with the connection, which other calls wait for.
    fn with<T: Send + 'static>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&mut Member, &Control) -> Result<T, TrainError> + Send + 'static,
    ) -> PyResult<T> {
        self.own()?;
        let member = self.member.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let member = member.ok_or_else(|| PyRuntimeError::new_err("join() comes first"))?;
        let called = work::wait(py, None, move |control| {
            call(&mut member.lock().unwrap_or_else(PoisonError::into_inner), control)
        })?;
        called.map_err(failed)
    }

    fn own(&self) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(PyRuntimeError::new_err("this connection belongs to the process that made it, not to its child"))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // The threads that it would wait for are the parent's.
            std::mem::forget(self.member.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

fn told(py: Python<'_>, settled: Settled) -> PyResult<Told<'_>> {
    let Settled { decoded, account } = settled;
    let rows = |rows: &[(usize, u64)]| {
        rows.iter().map(|(row, step)| (row.to_string(), json!(step))).collect::<serde_json::Map<_, _>>()
    };
    let facts = json!({
        "missing": account.missing,
        "verified": account.verified,
        "lost": rows(&account.lost),
        "named": rows(&account.named),
        "unusual": account.unusual,
    });
    Ok((packed(py, &decoded.negative), decoded.tied.map(|tied| packed(py, &tied)), python(py, &facts)?))
}

#[pymethods]
impl Link {
    #[new]
    #[pyo3(signature = (server, keys, *, give_up_after=600.0))]
    fn new(py: Python<'_>, server: String, keys: PathBuf, give_up_after: f64) -> PyResult<Self> {
        let give_up_after = Duration::try_from_secs_f64(give_up_after)
            .map_err(|_| bad("give_up_after: expected seconds, 0 or more"))?;
        let join = Join { server, keys, give_up_after };
        let asked = join.clone();
        let run =
            work::wait(py, None, move |control| Run::ask(&asked, control, &mut say))?.map_err(failed)?;
        let Some(dimension) = run.brought else {
            return Err(bad(format!(
                "{} trains a model of its own (ecode train): votes for yours are decoded by ecode serve",
                join.server
            )));
        };
        let file = MatrixFile::parse(run.matrix.as_bytes(), Format::Json).map_err(bad)?;
        let (process, code) = (std::process::id(), Code::plain(file));
        Ok(Self { join, process, code, row: run.row, dimension, member: Mutex::new(None) })
    }

    /// The server's code.
    #[getter]
    fn code(&self) -> Code {
        self.code.clone()
    }

    /// Which worker this is, by its keys.
    #[getter]
    fn row(&self) -> usize {
        self.row
    }

    /// Coordinates of a vote.
    #[getter]
    fn dimension(&self) -> u64 {
        self.dimension
    }

    /// The server's run; 0 before there was a connection.
    fn run(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |member, _| Ok(member.run()))
    }

    /// Says what this worker's model is: of how many coordinates, before which step, and of which run, 0 of none. To be
    /// called before anything else, and again where another model takes its place.
    #[pyo3(signature = (d, step=0, run=0))]
    fn join(&self, py: Python<'_>, d: usize, step: u64, run: u64) -> PyResult<()> {
        self.own()?;
        if d as u64 != self.dimension {
            let (there, server) = (self.dimension, &self.join.server);
            return Err(bad(format!("the model has {d} parameters, and {server} decodes votes on {there}")));
        }
        let version = format!("election_coding {}", env!("CARGO_PKG_VERSION"));
        let member = Member::new(
            self.join.clone(),
            version,
            self.code.matrix().digest(),
            d,
            (step, run),
            Box::new(say),
        );
        let old =
            self.member.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(Mutex::new(member)));
        py.detach(|| drop(old));
        Ok(())
    }

    /// The decode of a step that was decided without this worker; None where this step is still open.
    ///
    /// Raises:
    ///     ConnectionError: the server has ended, refuses this worker, or cannot give what it missed.
    fn decided<'py>(&self, py: Python<'py>, step: u64) -> PyResult<Option<Told<'py>>> {
        let settled = self.with(py, move |member, control| member.decided(step, control))?;
        settled.map(|settled| told(py, settled)).transpose()
    }

    /// Votes in a step, and waits for its decode.
    ///
    /// Args:
    ///     step: from 0.
    ///     vote: packed signs, uint8 of shape (ceil(d / 8),).
    ///
    /// Returns:
    ///     The decode: packed signs; packed places of ties, or None; a dict of how it came about: `missing`, `verified`,
    ///     `lost`, `named`, `unusual`.
    ///
    /// Raises:
    ///     ConnectionError: as for `decided`.
    fn vote<'py>(&self, py: Python<'py>, step: u64, vote: &Bound<'py, PyAny>) -> PyResult<Told<'py>> {
        let vote = bits(vote, self.dimension as usize, "vote")?;
        let settled = self.with(py, move |member, control| member.vote(step, vote, control))?;
        told(py, settled)
    }
}
