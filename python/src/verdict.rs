//! A verdict, as Python sees it.

use std::sync::Arc;

use ecode::code::AllocationMatrix;
use ecode::format::verdict_json;
use ecode::report::{refutation, verdict_table};
use pyo3::prelude::*;

use crate::array::python;
use crate::errors::Undecided;

/// What was found out about a matrix. Only `verify` and `design` make one.
#[pyclass(frozen, module = "election_coding")]
pub(crate) struct Verdict {
    pub(crate) matrix: Arc<AllocationMatrix>,
    pub(crate) verdict: Arc<ecode::verify::Verdict>,
}

impl Verdict {
    /// Whether it is tolerant, where that is decided.
    pub(crate) fn truth(&self) -> PyResult<bool> {
        if self.verdict.is_undecided() {
            let text = "the verdict is undecided: look at .tolerant, or give it more time";
            return Err(Undecided::new_err(text));
        }
        Ok(self.verdict.is_tolerant())
    }
}

#[pymethods]
impl Verdict {
    /// True: proved for every message; False: refuted, `counterexample` shows it; None: undecided.
    #[getter]
    fn tolerant(&self) -> Option<bool> {
        (!self.verdict.is_undecided()).then(|| self.verdict.is_tolerant())
    }

    /// The number of Byzantine workers that the verdict is about; None where no radius was found.
    #[getter]
    fn b(&self) -> Option<usize> {
        self.verdict.b()
    }

    /// The most Byzantine workers that are tolerated; None where it is not determined, or where the code fails
    /// without any.
    #[getter]
    fn radius(&self) -> Option<usize> {
        self.verdict.radius().exactly()
    }

    /// So many Byzantine workers at least are tolerated, as far as is known.
    #[getter]
    fn radius_at_least(&self) -> Option<usize> {
        self.verdict.radius_at_least()
    }

    /// The rule for a worker whose own vote ties.
    #[getter]
    fn ties(&self) -> &'static str {
        self.verdict.ties().name()
    }

    /// The engine or the theorem that settled it.
    #[getter]
    fn method(&self) -> &'static str {
        self.verdict.method()
    }

    /// "tolerant", "refuted" or "undecided".
    #[getter]
    fn word(&self) -> &'static str {
        self.verdict.word()
    }

    /// Why nothing was decided, or which rule decided.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.verdict.reason()
    }

    /// Seconds that it took.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.verdict.elapsed().as_secs_f64()
    }

    /// The worst message that was met: a dict with `message`, `wrong`, `workers`, `silent` and `margin`.
    #[getter]
    fn worst<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.get_item("worst")
    }

    /// What the liars send to overturn the vote: a dict with `message`, `byzantine`, `sent`, `decoded` and `correct`;
    /// None where the claim is not refuted.
    #[getter]
    fn counterexample<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.get_item("counterexample")
    }

    /// In words: the attack step by step, or what was proved.
    fn explain(&self) -> String {
        let table = verdict_table(&self.matrix, &self.verdict);
        match self.verdict.attack() {
            Some(attack) => format!("{table}\n\n{}", refutation(&self.matrix, self.verdict.ties(), attack)),
            None => table,
        }
    }

    /// The document `ecode/verdict/1`, as `ecode verify --json` prints it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &verdict_json(&self.verdict, &self.matrix))
    }

    fn __bool__(&self) -> PyResult<bool> {
        self.truth()
    }

    fn __repr__(&self) -> String {
        let or_none = |number: Option<usize>| number.map_or("None".to_owned(), |number| number.to_string());
        format!(
            "<Verdict {}: b={}, radius={}, ties={}, by {}>",
            self.verdict.word(),
            or_none(self.verdict.b()),
            or_none(self.radius()),
            self.verdict.ties().name(),
            self.verdict.method()
        )
    }
}
