//! The settlement of `crates/server`, for whoever carries digests by other means: it asks, accepts and names.

use ecode_server::reactive::{Assignment, Budget, Digest, Header, Next, Record, Roster, Settlement, assign};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

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
    roster: Roster,
    header: Header,
    k: usize,
    asleep: Vec<usize>,
    settlement: Option<Settlement>,
}

impl Judge {
    fn open(&mut self) -> PyResult<&mut Settlement> {
        self.settlement.as_mut().ok_or_else(|| bad("no step is open: call begin()"))
    }

    fn slot(&self, worker: usize, partition: usize) -> PyResult<()> {
        let n = self.roster.records().len();
        if worker >= n {
            return Err(bad(format!("worker {worker}: there are workers 0 to {}", n - 1)));
        }
        if partition >= self.k {
            return Err(bad(format!("partition {partition}: there are partitions 0 to {}", self.k - 1)));
        }
        Ok(())
    }
}

#[pymethods]
impl Judge {
    #[new]
    #[pyo3(signature = (n, k, b, *, spare=0, total=false, run=None))]
    fn new(n: usize, k: usize, b: usize, spare: usize, total: bool, run: Option<&[u8]>) -> PyResult<Self> {
        if b == 0 || n <= b {
            return Err(bad(format!(
                "b = {b}: from 1 to {} of {n} workers can be wrong",
                n.saturating_sub(1)
            )));
        }
        if k == 0 {
            return Err(bad("k = 0: at least one partition is needed"));
        }
        let budget = if total { Budget::Total } else { Budget::AtOnce };
        let run = blake3::derive_key("ecode 1 run of a judge", run.unwrap_or_default());
        let header = Header { run, step: 0, state: [0; 32] };
        let roster = Roster::new(n, b, budget, 2, spare);
        Ok(Self { roster, header, k, asleep: Vec::new(), settlement: None })
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
        let step = self.header.step;
        let left = self.roster.left().ok_or_else(|| bad("more workers were named than can be wrong"))?;
        let mut present = self.roster.present(step, connected.iter().copied());
        let unnamed =
            |worker: usize| self.roster.records().get(worker).is_some_and(|record| record.named.is_none());
        let needed = (left + 1).max(2);
        if present.len() < needed {
            return Err(bad(format!(
                "{} workers are left, and {needed} are needed to check each other",
                present.len()
            )));
        }
        self.asleep = connected.into_iter().filter(|w| unnamed(*w) && !present.contains(w)).collect();
        // Everybody draws the same order, a new one in each step.
        let mut hasher = blake3::Hasher::new_derive_key("ecode 1 order of the workers in a step");
        hasher.update(&self.header.run).update(&step.to_le_bytes());
        let mut draws = hasher.finalize_xof();
        present.sort_unstable();
        for last in (1..present.len()).rev() {
            let mut draw = [0; 8];
            draws.fill(&mut draw);
            present.swap(last, (u64::from_le_bytes(draw) % (last as u64 + 1)) as usize);
        }
        let assignment = match holders {
            None => assign(&present, self.k, self.roster.holders()),
            Some(holders) => {
                let known = |list: &Vec<usize>| list.iter().all(|worker| present.contains(worker));
                if holders.len() != self.k || !holders.iter().all(known) {
                    return Err(bad("holders: expected present workers for each of the k partitions"));
                }
                Assignment { holders }
            }
        };
        self.settlement = Some(Settlement::new(&assignment, &present, left));
        Ok(assignment.holders)
    }

    /// The digest of a partition's vector in this step: 32 bytes.
    fn digest<'py>(&self, py: Python<'py>, partition: usize, vector: &[u8]) -> Bound<'py, PyBytes> {
        let header = self.header;
        PyBytes::new(py, &py.detach(|| header.digest(partition, vector)))
    }

    /// A worker's digest of a partition has come.
    fn answer(&mut self, worker: usize, partition: usize, digest: Digest) -> PyResult<()> {
        self.slot(worker, partition)?;
        self.open()?.digest(worker, partition, digest);
        Ok(())
    }

    /// A worker has sent the vector of a partition whole, and this is the digest of what came. Returns whether it is
    /// worth keeping: whether it is the worker's own digest.
    fn vector(&mut self, worker: usize, partition: usize, digest: Digest) -> PyResult<bool> {
        self.slot(worker, partition)?;
        Ok(self.open()?.vector(worker, partition, digest))
    }

    /// The vector of this digest can be had without asking.
    fn available(&mut self, partition: usize, digest: Digest) -> PyResult<()> {
        self.slot(0, partition)?;
        self.open()?.rebuilt(partition, digest);
        Ok(())
    }

    /// A worker did not answer in time. It is named for nothing by that.
    fn silent(&mut self, worker: usize) -> PyResult<()> {
        self.slot(worker, 0)?;
        self.open()?.silent(worker);
        Ok(())
    }

    /// When everybody has answered or is silent: what is to be done.
    fn next(&mut self) -> PyResult<Turn> {
        loop {
            match self.open()?.next(&mut |_| 0) {
                Next::Trip { asks, fetches } => {
                    let asks = asks.iter().map(|ask| (ask.partition, ask.worker, ask.vector)).collect();
                    let fetches = fetches.iter().map(|fetch| (fetch.partition, fetch.worker)).collect();
                    return Ok(Turn { asks, fetches, ..Turn::new("trip") });
                }
                Next::Settled(accepted) => return Ok(Turn { accepted, ..Turn::new("settled") }),
                Next::Short(open) => {
                    let Some(place) = self.roster.least_missing(&self.asleep) else {
                        return Ok(Turn { open, ..Turn::new("short") });
                    };
                    let worker = self.asleep.swap_remove(place);
                    self.open()?.admit(worker);
                }
                // Here everybody's numbers are reproducible, or its contradictions are evidence.
                Next::Again(_) | Next::Compare(_) => return Err(bad("nobody drifts here")),
                Next::Stop(excess) => return Ok(Turn { reason: excess.to_string(), ..Turn::new("stop") }),
            }
        }
    }

    /// Closes the step with what was decoded, and goes on to the next: digests of other steps are other digests. A
    /// judge that did not open the step goes on without having learned of anybody.
    fn close(&mut self, decode: &[u8]) {
        if let Some(settlement) = self.settlement.take() {
            self.roster.note(self.header.step, settlement.asked(), &settlement);
        }
        self.header = self.header.next(decode);
    }

    /// Goes to a step: a judge that rests in between, or a run that was resumed.
    fn seek(&mut self, step: u64) {
        self.settlement = None;
        self.header.step = step;
    }

    /// The step, from 0.
    #[getter]
    fn step(&self) -> u64 {
        self.header.step
    }

    /// How many of the unnamed workers can be wrong, in the open step or in the next one.
    #[getter]
    fn left(&self) -> usize {
        self.settlement.as_ref().map_or_else(|| self.roster.left().unwrap_or(0), Settlement::left)
    }

    /// Who was named: (worker, step, why), those of the open step included.
    #[getter]
    fn named(&self) -> Vec<(usize, u64, String)> {
        let mut named: Vec<_> = (self.roster.records().iter().enumerate())
            .filter_map(|(worker, record)| {
                record.named.map(|(step, evidence)| (worker, step, evidence.to_string()))
            })
            .collect();
        for new in self.settlement.iter().flat_map(Settlement::named) {
            if !named.iter().any(|(worker, ..)| *worker == new.worker) {
                named.push((new.worker, self.header.step, new.evidence.to_string()));
            }
        }
        named
    }

    /// (gradients beyond the assignment, round trips beyond the first) of the open step.
    #[getter]
    fn extra(&self) -> (usize, usize) {
        self.settlement.as_ref().map_or((0, 0), |open| (open.helpers(), open.trips()))
    }

    /// What the next step needs of the past, as JSON.
    fn state(&self) -> PyResult<String> {
        if self.settlement.is_some() {
            return Err(bad("a step is open: state() is for between steps"));
        }
        let Header { run, step, state } = self.header;
        Ok(json!({ "run": run, "step": step, "state": state, "records": self.roster.records() }).to_string())
    }

    /// Goes on from what `state()` gave.
    ///
    /// Raises:
    ///     EcodeError: it is of another run, or of other workers.
    fn load(&mut self, state: &str) -> PyResult<()> {
        let document: serde_json::Value = serde_json::from_str(state).map_err(bad)?;
        let take = |name: &str| document.get(name).cloned().unwrap_or_default();
        let run: Digest = serde_json::from_value(take("run")).map_err(bad)?;
        let records: Vec<Record> = serde_json::from_value(take("records")).map_err(bad)?;
        if run != self.header.run || records.len() != self.roster.records().len() {
            return Err(bad("the state is of another run"));
        }
        self.header.step = serde_json::from_value(take("step")).map_err(bad)?;
        self.header.state = serde_json::from_value(take("state")).map_err(bad)?;
        self.roster = self.roster.clone().resume(records);
        self.settlement = None;
        Ok(())
    }
}
