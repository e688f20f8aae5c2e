//! Detection rules: who holds what where lies are detected by comparing answers, and what a matrix detects.

use ecode::analysis::Detection;
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Specification, blocks};
use ecode::format::MatrixFile;
use ecode::report::SchemeCost;
use ecode::train::reactive::Plan;
use ecode::train::{Config, Scheme};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::array::python;
use crate::code::Code;
use crate::errors::bad;

/// A detection rule: how many hold each partition, who, and what a step costs beside other schemes.
#[pyclass(frozen, module = "election_coding")]
pub(crate) struct Rule {
    /// Who holds what.
    #[pyo3(get)]
    code: Code,
    /// "reactive", "one-round" or "checked".
    #[pyo3(get)]
    scheme: &'static str,
    /// Workers.
    #[pyo3(get)]
    n: usize,
    /// Partitions.
    #[pyo3(get)]
    k: usize,
    /// Liars whose lies are seen.
    #[pyo3(get)]
    b: usize,
    /// Holders of each partition.
    #[pyo3(get)]
    holders: usize,
    document: Value,
}

#[pymethods]
impl Rule {
    /// What a step costs: a list of dicts, of the best known vote code where there is one, and of each scheme.
    #[getter]
    fn costs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.document["costs"])
    }

    /// The document `ecode/rule/1`, as `ecode design --detect --json` prints it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.document)
    }

    fn __repr__(&self) -> String {
        let Self { scheme, n, k, b, holders, .. } = self;
        format!("<Rule {scheme}: n={n}, k={k}, b={b}, {holders} holders of each partition>")
    }
}

/// Who holds what so that lies of b of n workers are detected, not outvoted: b + 1 holders of each partition.
///
/// `election_coding.torch.ReactiveVote` trains with such a rule.
///
/// Args:
///     n: workers.
///     b: liars.
///     scheme: "reactive" (b + 1 holders; what is wrong is computed again), "one-round" (2b + 1 holders that send shares) or
///         "checked" (right but for the chance `risk` in a whole run, holders drawn in secret).
///     k: partitions; n where n is odd, else n - 1.
///     spare: holders beyond those needed, so that as many answers of a partition may be missing.
///     risk: with "checked" only.
///     coordinates: of the model, for the bytes of a step.
///
/// Returns:
///     A `Rule`.
///
/// Raises:
///     EcodeError: there is no such rule.
///
/// References:
///     docs/theory/reactive.md.
#[pyfunction]
#[pyo3(signature = (n, b, *, scheme="reactive", k=None, spare=0, risk=None, coordinates=1_000_000))]
pub(crate) fn design_detection(
    n: usize,
    b: usize,
    scheme: &str,
    k: Option<usize>,
    spare: usize,
    risk: Option<f64>,
    coordinates: u64,
) -> PyResult<Rule> {
    let names = [Scheme::Reactive, Scheme::OneRound, Scheme::Checked];
    let Some(chosen) = names.into_iter().find(|known| known.name() == scheme) else {
        return Err(bad(format!(
            "scheme {scheme:?}: expected one of {}",
            names.map(Scheme::name).join(", ")
        )));
    };
    let checked = chosen == Scheme::Checked;
    if checked && spare > 0 {
        return Err(bad("spare: risk says how many holders there are"));
    }
    if risk.is_some_and(|risk| !(checked && risk > 0.0 && risk < 1.0)) {
        return Err(bad("risk: for scheme 'checked', above 0 and below 1"));
    }
    let sized = |scheme| {
        let spare = if scheme == Scheme::Checked { 0 } else { spare };
        let risk = risk.unwrap_or(Config::default().risk);
        Plan::of_sizes(&Config { scheme, n: Some(n), b: Some(b), k, spare, risk, ..Config::default() })
    };
    let plan = sized(chosen).map_err(bad)?;
    let matrix = plan.matrix().map_err(bad)?;
    let name = chosen.name();
    let construction = json!({ "name": name, "n": n, "b": b, "k": plan.k, "spare": plan.spare });
    let vote = || {
        let best: Specification = format!("best:n={n},b={b},k={}", plan.k).parse().ok()?;
        let built = best.build(TieRule::Abstain, blocks()).ok()?;
        Some(SchemeCost::vote("vote code, best known", &built.matrix, b, coordinates))
    };
    let schemes = names.into_iter().filter(|&other| checked || other != Scheme::Checked);
    let schemes = schemes.filter_map(|scheme| Some(SchemeCost::of(&sized(scheme).ok()?, coordinates)));
    let costs: Vec<Value> = vote().into_iter().chain(schemes).map(|cost| cost.to_json()).collect();
    let holders = plan.holders(b);
    let document = json!({
        "schema": "ecode/rule/1", "scheme": name, "n": n, "k": plan.k, "b": b, "holders": holders, "spare": plan.spare,
        "floor": 2, "budget": Config::default().to_table()["budget"].as_str(), "window": plan.window,
        "matrix": matrix.digest(), "costs": costs,
    });
    let file = MatrixFile { construction: Some(construction), ..MatrixFile::plain(matrix) };
    Ok(Rule { code: Code::plain(file), scheme: name, n, k: plan.k, b, holders, document })
}

/// How many liars a matrix detects when its holders' answers are compared, and how the next one escapes.
///
/// Args:
///     matrix: a `Code`, a file's name, or an array of 0 and 1.
///     b: liars; without it the fewest that escape are shown.
///     spare: answers of a partition that may be missing.
///
/// Returns:
///     The document of `ecode verify --detect --json`: `detection_radius` and `one_round_radius` (None where a partition has
///     too few holders), `weakest_partition` and its `holders`, `detects` (None without a b), and `worlds`: two runs that
///     look the same to the server and have different answers, where there are some.
#[pyfunction]
#[pyo3(signature = (matrix, b=None, *, spare=0))]
pub(crate) fn detection<'py>(
    py: Python<'py>,
    matrix: &Bound<'py, PyAny>,
    b: Option<usize>,
    spare: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let code = Code::of(matrix)?;
    let document = py.detach(|| document(code.matrix(), b, spare));
    python(py, &document)
}

fn document(g: &AllocationMatrix, b: Option<usize>, spare: usize) -> Value {
    let detection = Detection::of(g, spare);
    let beyond = b.unwrap_or_else(|| detection.radius.map_or(0, |radius| radius + 1));
    let worlds = detection.worlds(g.k(), beyond);
    let bits = |message: &ecode::code::Message| -> String {
        (0..g.k()).map(|i| if message.contains(i) { '1' } else { '0' }).collect()
    };
    json!({
        "digest": g.digest(), "n": g.n(), "k": g.k(), "b": b, "spare": spare,
        "detects": b.map(|_| worlds.is_none()),
        "detection_radius": detection.radius,
        "one_round_radius": detection.one_round,
        "weakest_partition": detection.weakest,
        "holders": detection.holders.indices().collect::<Vec<_>>(),
        "worlds": worlds.as_ref().map(|worlds| json!({
            "honest": bits(&worlds.honest), "answer_honest": u8::from(worlds.answer_honest),
            "lied": bits(&worlds.lied), "answer_lied": u8::from(worlds.answer_lied),
            "liars": worlds.liars.indices().collect::<Vec<_>>(),
        })),
    })
}
