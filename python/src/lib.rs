//! The Python module `election_coding._election_coding`: the library of this workspace as Python sees it.
//!
//! # What is promised
//! - Answers, digests and certificates are those of the command `ecode`: it is the same code.
//! - Work that may take long runs without Python's lock, and Ctrl-C ends it.
//! - What is wrong with an argument is an `EcodeError`, which is a `ValueError`, with its place.
#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands over what Python passed")]

mod array;
mod budget;
mod checked;
mod code;
mod detect;
mod errors;
mod fingerprint;
mod judge;
#[cfg(feature = "grpc")]
mod link;
mod verdict;
mod vote;
mod work;

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use ecode::construct::{Demand, Objective, Specification, blocks, construction, default_partitions};
use ecode::format::MatrixFile;
use ecode::search::{BoundError, bounds_on_ones};
use ecode::verify::Control;
use errors::bad;

/// Makes a code for n workers of which b may lie, and verifies it.
///
/// Args:
///     n: workers. For an even number there are k = n - 1 partitions, unless `k` says otherwise: for an even
///         number of partitions no code tolerates a liar.
///     b: Byzantine workers.
///     construction: the name of a construction, as `ecode design --help` lists them.
///     ties: what a worker does whose own vote ties: "adversarial", "zero", "one" or "abstain".
///     timeout: seconds for the verification; none without it.
///     **parameters: those of the construction, as `k=8` or `max_load=4`.
///
/// Returns:
///     The code with its verdict: `code.verdict`.
///
/// Raises:
///     EcodeError: no such construction or parameter, or no code can do this; the text has the theorem.
///
/// References:
///     Sohn, Han, Choi, Moon: Election Coding for Distributed Learning (NeurIPS 2020).
#[pyfunction]
#[pyo3(signature = (n, b, *, construction="best", ties="adversarial", timeout=None, **parameters))]
fn design(
    py: Python<'_>,
    n: usize,
    b: usize,
    construction: &str,
    ties: &str,
    timeout: Option<f64>,
    parameters: Option<&Bound<'_, PyDict>>,
) -> PyResult<code::Code> {
    let ties = errors::ties(ties)?;
    let mut specification = Specification::new(self::construction(construction).map_err(bad)?);
    let mut set = |key: &str, text: &str| specification.arguments.set(key, text).map_err(bad);
    set("n", &n.to_string())?;
    set("b", &b.to_string())?;
    for (key, value) in parameters.into_iter().flatten() {
        let key = key.extract::<String>()?.replace('_', "-");
        let text = match value.extract::<bool>() {
            Ok(on) => on.to_string(),
            Err(_) => value.str()?.extract::<String>()?,
        };
        set(&key, &text)?;
    }
    work::run(py, timeout, move |control| {
        let built = specification.build(ties, blocks()).map_err(bad)?;
        let construction = Some(built.provenance);
        let file = MatrixFile { matrix: built.matrix, b: Some(b), construction, verification: None };
        code::Code::made(file, ties, control).map_err(bad)
    })?
}

/// Whether a matrix tolerates b Byzantine workers, for every message and whatever they send.
///
/// Args:
///     matrix: a `Code`, a file's name, or an array of n rows (workers) and k columns (partitions) of 0 and 1.
///     b: Byzantine workers; without it the code's own, and without that the radius is found.
///     ties: what a worker does whose own vote ties: "adversarial" (the worst), "zero", "one" or "abstain".
///     method: "auto", or an engine: "definition", "exhaustive", "structure", "branch", "sat", "all".
///     worst_case: find also how bad it gets, whatever becomes of the claim.
///     timeout: seconds; what is not settled by then is undecided.
///     progress: a function of two numbers that is called while the work goes on: messages counted, and all of them, 0 where
///         that is not known. What it raises ends the work.
///
/// Returns:
///     A `Verdict`; `bool(verdict)` is whether the matrix is tolerant, and raises where that is undecided.
#[pyfunction]
#[pyo3(signature = (matrix, b=None, *, ties="adversarial", method="auto", worst_case=false, timeout=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "Python names them")]
fn verify(
    py: Python<'_>,
    matrix: &Bound<'_, PyAny>,
    b: Option<usize>,
    ties: &str,
    method: &str,
    worst_case: bool,
    timeout: Option<f64>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<verdict::Verdict> {
    code::Code::of(matrix)?.decide(py, b, ties, method, worst_case, (timeout, progress))
}

/// Lower bounds on the number of ones (gradients in all) of a code that tolerates b of n.
///
/// Args:
///     n: workers.
///     b: Byzantine workers.
///     k: partitions; n where n is odd, else n - 1.
///
/// Returns:
///     A list of dicts with `ones`, `name` and `source`, the strongest last.
///
/// Raises:
///     Impossible: it is proved that no code can do this; the text has the theorem.
///     EcodeError: n, b or k is none.
#[pyfunction]
#[pyo3(signature = (n, b, *, k=None))]
fn bounds(py: Python<'_>, n: usize, b: usize, k: Option<usize>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let k = k.unwrap_or_else(|| default_partitions(n, b));
    let ties = ecode::code::TieRule::Adversarial;
    let demand = Demand { n, k, b, ties, max_load: k, objective: Objective::Ones };
    demand.check().map_err(bad)?;
    let all = work::run(py, None, move |_: &Control| bounds_on_ones(&demand))?;
    let all = all.map_err(|error| match error {
        BoundError::Impossible { .. } => errors::Impossible::new_err(error.to_string()),
        error => bad(error),
    })?;
    all.into_iter()
        .map(|bound| {
            let dict = PyDict::new(py);
            dict.set_item("ones", bound.least)?;
            dict.set_item("name", bound.name)?;
            dict.set_item("source", bound.source)?;
            Ok(dict)
        })
        .collect()
}

/// Runs the command `ecode` in this process.
///
/// Args:
///     arguments: the command line, the program's name first.
///
/// Returns:
///     The exit code: 0 tolerant or done, 1 refuted, 2 bad input, 3 undecided, 4 engines disagree or a certificate
///     does not show what it claims.
#[pyfunction]
fn command(py: Python<'_>, arguments: Vec<PathBuf>) -> PyResult<u8> {
    let arguments = arguments.into_iter().map(PathBuf::into_os_string).collect::<Vec<_>>();
    work::run_stoppable(py, None, move |control| ecode::cli::run(arguments, control))
}

/// Sets how many threads are used from now on; 0 for as many as there are cores.
#[pyfunction]
fn set_num_threads(count: usize) {
    work::set_threads(count);
}

#[pymodule]
fn _election_coding(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("EcodeError", module.py().get_type::<errors::EcodeError>())?;
    module.add("Impossible", module.py().get_type::<errors::Impossible>())?;
    module.add("Undecided", module.py().get_type::<errors::Undecided>())?;
    module.add_class::<code::Code>()?;
    module.add_class::<verdict::Verdict>()?;
    module.add_class::<checked::Checked>()?;
    module.add_class::<detect::Rule>()?;
    module.add_class::<judge::Judge>()?;
    module.add_class::<judge::Turn>()?;
    module.add_class::<fingerprint::Fingerprint>()?;
    #[cfg(feature = "grpc")]
    module.add_class::<link::Link>()?;
    module.add_function(wrap_pyfunction!(design, module)?)?;
    module.add_function(wrap_pyfunction!(budget::design_budgeted, module)?)?;
    module.add_function(wrap_pyfunction!(detect::design_detection, module)?)?;
    module.add_function(wrap_pyfunction!(detect::detection, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(bounds, module)?)?;
    module.add_function(wrap_pyfunction!(command, module)?)?;
    module.add_function(wrap_pyfunction!(set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(checked::check, module)?)?;
    module.add_function(wrap_pyfunction!(vote::pack, module)?)?;
    module.add_function(wrap_pyfunction!(vote::unpack, module)?)?;
    module.add_function(wrap_pyfunction!(vote::unpack_into, module)?)?;
    module.add_function(wrap_pyfunction!(vote::unusual, module)?)?;
    Ok(())
}
