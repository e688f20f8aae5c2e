//! Work that takes long: on threads of its own, without Python's lock, ended by Ctrl-C.
//!
//! # What is promised
//! - A child that Python forks gets threads of its own: those of the parent do not exist there.
//! - An interrupt stops the work and is raised once it has ended, a few milliseconds later.
//! - A panic is a `RuntimeError`; the interpreter goes on.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ecode::verify::Control;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::bad;

/// How often a waiting call lets Python look at its signals.
const LOOK: Duration = Duration::from_millis(20);

/// What only waits for others has so long to end, once it is interrupted.
#[cfg(feature = "grpc")]
const GRACE: Duration = Duration::from_millis(100);

/// The threads, and whose they are.
struct Threads {
    process: u32,
    /// 0 for one a core.
    count: usize,
    pool: Option<Arc<ThreadPool>>,
}

/// Locked only while Python's lock is held, so that no other thread holds it when Python forks.
static THREADS: Mutex<Threads> = Mutex::new(Threads { process: 0, count: 0, pool: None });

pub(crate) fn set_threads(count: usize) {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    threads.count = count;
    if threads.process == std::process::id() {
        threads.pool = None;
    }
}

fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if threads.process != process {
        // The parent's threads do not run here; dropping their pool would wait for them for ever.
        std::mem::forget(threads.pool.take());
        threads.process = process;
    }
    if let Some(pool) = &threads.pool {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads.count)
        .thread_name(|i| format!("ecode-{i}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let pool = Arc::new(pool);
    threads.pool = Some(Arc::clone(&pool));
    Ok(pool)
}

/// Runs `work` without Python's lock; where it is interrupted, what it had found is dropped.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    timeout: Option<f64>,
    work: impl FnOnce(&Control) -> T + Send + 'static,
) -> PyResult<T> {
    run_watched(py, timeout, None, work)
}

/// The same, while a function of Python's hears how far it is: (done, all), all being 0 where that is not known. What it raises
/// ends the work.
pub(crate) fn run_watched<T: Send + 'static>(
    py: Python<'_>,
    timeout: Option<f64>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Control) -> T + Send + 'static,
) -> PyResult<T> {
    let pool = pool()?;
    let look = |control: &Control| match progress {
        Some(progress) => progress.call1(control.progress()).map(|_| ()),
        None => Ok(()),
    };
    let (result, interrupt) = attend(py, timeout, None, look, move |control| pool.install(|| work(control)))?;
    interrupt.map_or(Ok(result), Err)
}

/// The same for what waits for others and computes nothing: it takes none of the threads that compute, and an interrupt
/// waits for it only as long as [`GRACE`]. It then ends by itself.
#[cfg(feature = "grpc")]
pub(crate) fn wait<T: Send + 'static>(
    py: Python<'_>,
    timeout: Option<f64>,
    work: impl FnOnce(&Control) -> T + Send + 'static,
) -> PyResult<T> {
    let (result, interrupt) = attend(py, timeout, Some(GRACE), |_| Ok(()), work)?;
    interrupt.map_or(Ok(result), Err)
}

/// As [`run`], but what the interrupted work answers counts: a command says what it knows and how it ended.
pub(crate) fn run_stoppable<T: Send + 'static>(
    py: Python<'_>,
    timeout: Option<f64>,
    work: impl FnOnce(&Control) -> T + Send + 'static,
) -> PyResult<T> {
    let pool = pool()?;
    Ok(attend(py, timeout, None, |_| Ok(()), move |control| pool.install(|| work(control)))?.0)
}

fn attend<T: Send + 'static>(
    py: Python<'_>,
    timeout: Option<f64>,
    grace: Option<Duration>,
    look: impl Fn(&Control) -> PyResult<()>,
    work: impl FnOnce(&Control) -> T + Send + 'static,
) -> PyResult<(T, Option<PyErr>)> {
    let timeout = match timeout.map(Duration::try_from_secs_f64) {
        None => None,
        Some(Ok(time)) => Some(time),
        Some(Err(_)) => return Err(bad("timeout: expected seconds, 0 or more")),
    };
    let control = Control::with_timeout(timeout);
    let (send, mut receive) = channel();
    let thread = {
        let control = control.clone();
        std::thread::Builder::new()
            .name("ecode".into())
            .spawn(move || {
                let result = work(&control);
                // The receiver waits until the thread has ended.
                let _ = send.send(result);
            })
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?
    };
    let mut interrupt = None;
    let mut since = None;
    let result = loop {
        let (given_back, got) = py.detach(|| {
            let got = receive.recv_timeout(LOOK);
            (receive, got)
        });
        receive = given_back;
        match got {
            Ok(result) => break Some(result),
            Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => {
                let looked = py
                    .check_signals()
                    .and_then(|()| if interrupt.is_none() { look(&control) } else { Ok(()) });
                if let Err(error) = looked {
                    control.stop();
                    interrupt.get_or_insert(error);
                    since.get_or_insert_with(Instant::now);
                }
                let over = since.zip(grace).is_some_and(|(since, grace)| since.elapsed() > grace);
                if let Some(error) = interrupt.take_if(|_| over) {
                    return Err(error);
                }
            }
        }
    };
    let ended = py.detach(move || thread.join());
    match (result, ended) {
        (Some(result), Ok(())) => Ok((result, interrupt)),
        (_, Err(panic)) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            Err(PyRuntimeError::new_err(format!("please report this: {text}")))
        }
        (None, Ok(())) => Err(PyRuntimeError::new_err("the work ended without an answer")),
    }
}
