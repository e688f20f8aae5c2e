//! The judge of `crates/judge`, for whoever carries digests by other means: it asks, accepts and names.

use std::collections::BTreeMap;

use ecode_judge::{Budget, Digest, Event, Judge as Inner, JudgeError, JudgeState, Next, Signer};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::bad;

/// What is to be done after a round trip. `word` is "trip", "settled", "short" or "stop".
#[pyclass(frozen, get_all, module = "election_coding")]
pub(crate) struct Turn {
    /// "trip": answer `asks` and `fetches`. "settled": `accepted` holds. "short": `open` cannot be settled with the
    /// workers that are left. "stop": the promise is void, `reason` says why, and nobody is named by it.
    word: &'static str,
    /// Gradients to compute: (partition, worker, whether the vector is to be sent as well).
    asks: Vec<(usize, usize, bool)>,
    /// Vectors to send: (partition, worker).
    fetches: Vec<(usize, usize)>,
    /// The accepted digest of each partition.
    accepted: Vec<Digest>,
    /// The partitions that cannot be settled.
    open: Vec<usize>,
    /// Why it stops.
    reason: String,
}

impl Turn {
    fn new(word: &'static str) -> Self {
        let (asks, fetches, accepted) = (Vec::new(), Vec::new(), Vec::new());
        Self { word, asks, fetches, accepted, open: Vec::new(), reason: String::new() }
    }
}

#[pymethods]
impl Turn {
    fn __repr__(&self) -> String {
        format!("<Turn {}: {} asks, {} fetches>", self.word, self.asks.len(), self.fetches.len())
    }
}

/// Detects lies with b + 1 holders of each partition, asks others where holders differ, and names who was wrong.
///
/// Deterministic: judges that are told the same in the same order say the same, so that each of several ranks may
/// have its own.
///
/// Args:
///     n: workers.
///     k: partitions.
///     b: how many workers can be wrong at any time.
///     spare: holders of a partition beyond b + 1.
///     total: b workers are wrong in the whole run, so that every naming leaves one less; otherwise at any time.
///     run: what identifies the run: code, data, configuration.
///
/// References:
///     docs/theory/reactive.md, Theorems 18 to 21.
#[pyclass(module = "election_coding")]
pub(crate) struct Judge {
    inner: Inner,
}

/// What the library says, as Python knows it.
fn said<T>(result: Result<T, JudgeError>) -> PyResult<T> {
    result.map_err(|error| match error {
        JudgeError::Closed => bad("no step is open: call begin()"),
        JudgeError::Open => bad("a step is open: state() is for between steps"),
        other => bad(other),
    })
}

fn signer(seed: Digest) -> PyResult<Signer> {
    if seed == [0; 32] { Err(bad("a seed of zeros is no secret")) } else { Ok(Signer::new(seed)) }
}

#[pymethods]
impl Judge {
    #[new]
    #[pyo3(signature = (n, k, b, *, spare=0, total=false, run=None))]
    fn new(n: usize, k: usize, b: usize, spare: usize, total: bool, run: Option<&[u8]>) -> PyResult<Self> {
        let budget = if total { Budget::Total } else { Budget::AtOnce };
        let inner = said(Inner::new(n, k, b, budget, spare, run.unwrap_or_default()))?;
        Ok(Self { inner })
    }

    /// Who of these can be asked in the step: who is neither named nor suspended; of the suspended, as many as are needed.
    fn present(&self, connected: Vec<usize>) -> Vec<usize> {
        self.inner.present(&connected)
    }

    /// Opens the step: who holds each partition, the one first that is to send the vector.
    ///
    /// Args:
    ///     connected: the workers that can be asked. Named ones are left out, suspended ones where others do.
    ///     holders: the holders of each partition, where somebody else has chosen them.
    ///
    /// Raises:
    ///     EcodeError: fewer than b + 1 workers are left: nothing could be checked.
    #[pyo3(signature = (connected, holders=None))]
    fn begin(
        &mut self,
        connected: Vec<usize>,
        holders: Option<Vec<Vec<usize>>>,
    ) -> PyResult<Vec<Vec<usize>>> {
        match holders {
            None => said(self.inner.open(&connected)),
            Some(holders) => {
                said(self.inner.open_with(&connected, holders.clone()))?;
                Ok(holders)
            }
        }
    }

    /// The digest of a partition's vector in this step: 32 bytes.
    fn digest<'py>(&self, py: Python<'py>, partition: usize, vector: &[u8]) -> Bound<'py, PyBytes> {
        let header = self.inner.header();
        PyBytes::new(py, &py.detach(|| header.digest(partition, vector)))
    }

    /// A worker's digest of a partition has come.
    fn answer(&mut self, worker: usize, partition: usize, digest: Digest) -> PyResult<()> {
        said(self.inner.tell(Event::Answer { worker, partition, digest })).map(drop)
    }

    /// A worker has sent the vector of a partition whole, and this is the digest of what came. Returns whether it is
    /// worth keeping: whether it is the worker's own digest.
    fn vector(&mut self, worker: usize, partition: usize, digest: Digest) -> PyResult<bool> {
        said(self.inner.tell(Event::Vector { worker, partition, digest }))
    }

    /// The vector of this digest can be had without asking.
    fn available(&mut self, partition: usize, digest: Digest) -> PyResult<()> {
        said(self.inner.tell(Event::Available { partition, digest })).map(drop)
    }

    /// A worker did not answer in time. It is named for nothing by that.
    fn silent(&mut self, worker: usize) -> PyResult<()> {
        said(self.inner.tell(Event::Silent { worker })).map(drop)
    }

    /// When everybody has answered or is silent: what is to be done.
    fn next(&mut self) -> PyResult<Turn> {
        match said(self.inner.next())? {
            Next::Trip { asks, fetches } => {
                let asks = asks.iter().map(|ask| (ask.partition, ask.worker, ask.vector)).collect();
                let fetches = fetches.iter().map(|fetch| (fetch.partition, fetch.worker)).collect();
                Ok(Turn { asks, fetches, ..Turn::new("trip") })
            }
            Next::Settled(accepted) => Ok(Turn { accepted, ..Turn::new("settled") }),
            Next::Short(open) => Ok(Turn { open, ..Turn::new("short") }),
            // Here everybody's numbers are reproducible, or its contradictions are evidence.
            Next::Again(_) | Next::Compare(_) => Err(bad("nobody drifts here")),
            Next::Stop(excess) => Ok(Turn { reason: excess.to_string(), ..Turn::new("stop") }),
        }
    }

    /// Closes the step with what was decoded, and goes on to the next: digests of other steps are other digests. A
    /// judge that did not open the step goes on without having learned of anybody.
    fn close(&mut self, decode: &[u8]) {
        self.inner.close(decode);
    }

    /// Goes to a step: a judge that rests in between, or a run that was resumed.
    fn seek(&mut self, step: u64) {
        self.inner.seek(step);
    }

    /// The step, from 0.
    #[getter]
    fn step(&self) -> u64 {
        self.inner.header().step
    }

    /// How many of the unnamed workers can be wrong, in the open step or in the next one.
    #[getter]
    fn left(&self) -> usize {
        self.inner.left()
    }

    /// Who was named: (worker, step, why), those of the open step included.
    #[getter]
    fn named(&self) -> Vec<(usize, u64, String)> {
        let named = self.inner.named().into_iter();
        named.map(|(worker, step, evidence)| (worker, step, evidence.to_string())).collect()
    }

    /// (gradients beyond the assignment, round trips beyond the first) of the open step.
    #[getter]
    fn extra(&self) -> (usize, usize) {
        self.inner.settlement().map_or((0, 0), |open| (open.helpers(), open.trips()))
    }

    /// The public key of a seed of 32 bytes (Ed25519).
    #[staticmethod]
    fn key(py: Python<'_>, seed: Digest) -> PyResult<Bound<'_, PyBytes>> {
        Ok(PyBytes::new(py, &signer(seed)?.key()))
    }

    /// A worker's signature, by the key of its seed, of the digest that it announced of a partition in this step: 64 bytes.
    fn sign<'py>(
        &self,
        py: Python<'py>,
        seed: Digest,
        partition: usize,
        digest: Digest,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let signature = signer(seed)?.sign(&self.inner.header(), partition, &digest, false);
        Ok(PyBytes::new(py, &signature))
    }

    /// Certificates (`ecode/naming/1`, JSON) of those whom the open step has named by what others announced.
    ///
    /// Args:
    ///     keys: each worker's public key.
    ///     signatures: (worker, partition) -> its signature of the digest that it announced.
    fn certificates(
        &self,
        keys: Vec<Digest>,
        signatures: BTreeMap<(usize, usize), [u8; 64]>,
    ) -> PyResult<Vec<(usize, String)>> {
        let signed = |worker: usize, partition: usize, _: &Digest, of_vector: bool| {
            let signature = signatures.get(&(worker, partition)).filter(|_| !of_vector)?;
            Some((*keys.get(worker)?, *signature))
        };
        let certificates = self.inner.certificates(&signed).into_iter();
        certificates.map(|one| Ok((one.worker, serde_json::to_string(&one).map_err(bad)?))).collect()
    }

    /// What the next step needs of the past, as JSON.
    fn state(&self) -> PyResult<String> {
        serde_json::to_string(&said(self.inner.state())?).map_err(bad)
    }

    /// Goes on from what `state()` gave.
    ///
    /// Raises:
    ///     EcodeError: it is of another run, or of other workers.
    fn load(&mut self, state: &str) -> PyResult<()> {
        let state: JudgeState = serde_json::from_str(state).map_err(bad)?;
        said(self.inner.resume(state))
    }
}
