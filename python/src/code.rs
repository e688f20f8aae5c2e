//! A code: an allocation matrix with what is known of it.

mod asked;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;

use ecode::analysis::{Analysis, Options};
use ecode::certificate::{Scope, certify_usual};
use ecode::code::TieRule;
use ecode::format::{Format, MatrixFile, verification_json, write_whole};
use ecode::report::{Glyphs, analysis_json, matrix_svg, picture, standalone};
use ecode::train::{Agreement, Bits, Vote, VoteEngine};
use numpy::{PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple, PyType};

use crate::array::{bits, matrix_file, packed, python};
use crate::errors::{bad, ties};
use crate::verdict::Verdict;
use crate::work;

/// An allocation matrix G: which of n workers computes which of k partitions.
///
/// Args:
///     matrix: an array of n rows (workers) and k columns (partitions) of 0 and 1, a file's name, or a code.
///     b: the number of Byzantine workers that it is made for.
#[pyclass(frozen, module = "election_coding")]
#[derive(Clone)]
pub(crate) struct Code {
    file: MatrixFile,
    verdict: Option<Arc<ecode::verify::Verdict>>,
}

#[pymethods]
impl Code {
    #[new]
    #[pyo3(signature = (matrix, b=None))]
    fn new(matrix: &Bound<'_, PyAny>, b: Option<usize>) -> PyResult<Self> {
        let mut code = Self::of(matrix)?;
        if b.is_some() && b != code.file.b {
            (code.file.b, code.verdict) = (b, None);
        }
        Ok(code)
    }

    /// Reads a matrix file: json, csv, tsv, txt, npy, npz, mtx or alist by its extension.
    ///
    /// `draw` picks one of several trials that a file holds, from 0.
    #[classmethod]
    #[pyo3(signature = (path, *, draw=None))]
    fn load(class: &Bound<'_, PyType>, path: PathBuf, draw: Option<usize>) -> PyResult<Self> {
        let path = path.into_pyobject(class.py())?;
        Ok(Self { file: matrix_file(path.as_any(), draw)?, verdict: None })
    }

    /// The code of an `ecode/matrix/1` document.
    #[classmethod]
    fn from_json(_class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        Ok(Self { file: MatrixFile::parse(text.as_bytes(), Format::Json).map_err(bad)?, verdict: None })
    }

    /// The document `ecode/matrix/1`, with what was verified.
    fn to_json(&self) -> String {
        let mut file = self.file.clone();
        if let Some(verdict) = &self.verdict {
            file.verification = Some(verification_json(verdict, &self.file.matrix));
        }
        String::from_utf8_lossy(&file.to_bytes(Format::Json)).into_owned()
    }

    /// Writes the matrix to a file, in the format of its extension: whole or not at all. Only json keeps more than G.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        let format = Format::of_path(&path)
            .ok_or_else(|| bad(format!("{}: the extension names no format", path.display())))?;
        let bytes = match format {
            Format::Json => self.to_json().into_bytes(),
            other => self.file.to_bytes(other),
        };
        write_whole(&path, &bytes)?;
        Ok(())
    }

    /// Workers.
    #[getter]
    fn n(&self) -> usize {
        self.file.matrix.n()
    }

    /// Partitions.
    #[getter]
    fn k(&self) -> usize {
        self.file.matrix.k()
    }

    /// The number of Byzantine workers that the code is made for, where that is known.
    #[getter]
    fn b(&self) -> Option<usize> {
        self.file.b
    }

    /// How it was made, as its file says: a dict with a `name` and more, or None. Of a budgeted code also how often it is wrong.
    #[getter]
    fn construction<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.file.construction.as_ref().map(|made| python(py, made)).transpose()
    }

    /// Entries of G that are 1: gradients computed a step, by all workers together.
    #[getter]
    fn ones(&self) -> usize {
        self.file.matrix.ones()
    }

    /// Partitions that a worker holds, on average: ones / n.
    #[getter]
    fn redundancy(&self) -> f64 {
        self.file.matrix.redundancy()
    }

    /// SHA-256 of the matrix, as files and certificates give it.
    #[getter]
    fn digest(&self) -> String {
        self.file.matrix.digest()
    }

    /// How many partitions each worker holds.
    #[getter]
    fn loads(&self) -> Vec<usize> {
        self.file.matrix.worker_loads()
    }

    /// The verdict of `design`; None for a matrix that was read: see `verify`.
    #[getter]
    fn verdict(&self) -> Option<Verdict> {
        let verdict = Arc::clone(self.verdict.as_ref()?);
        Some(Verdict { matrix: Arc::new(self.file.matrix.clone()), verdict })
    }

    /// The matrix: uint8 of shape (n, k).
    #[getter(G)]
    fn g<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<u8>> {
        let (n, k) = (self.n(), self.k());
        let array = PyArray2::zeros(py, [n, k], false);
        {
            let mut entries = array.readwrite();
            let mut entries = entries.as_array_mut();
            for j in 0..n {
                for i in self.file.matrix.support(j) {
                    entries[[j, i]] = 1;
                }
            }
        }
        array
    }

    /// The partitions of worker j.
    fn partitions(&self, j: usize) -> PyResult<Vec<usize>> {
        self.row(j)
    }

    /// See `election_coding.verify`.
    #[pyo3(signature = (b=None, *, ties="adversarial", method="auto", worst_case=false, timeout=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "Python names them")]
    fn verify(
        &self,
        py: Python<'_>,
        b: Option<usize>,
        ties: &str,
        method: &str,
        worst_case: bool,
        timeout: Option<f64>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Verdict> {
        self.decide(py, b, ties, method, worst_case, (timeout, progress))
    }

    /// Whether the decode is exact with so many liars and so many missing votes, whoever they are: proved for
    /// 2·liars + missing ≤ 2·radius.
    ///
    /// Raises:
    ///     Undecided: the verification did not settle it within `timeout` seconds.
    #[pyo3(signature = (liars, missing=0, *, ties="adversarial", timeout=None))]
    fn tolerates(
        &self,
        py: Python<'_>,
        liars: usize,
        missing: usize,
        ties: &str,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        let twice = liars.saturating_mul(2).saturating_add(missing);
        let b = twice.div_ceil(2);
        if b > self.n() {
            return Ok(false);
        }
        let verdict = self.decide(py, Some(b), ties, "auto", false, (timeout, None))?;
        verdict.truth()
    }

    /// What a verdict leaves behind for anybody to check: the text of a certificate.
    ///
    /// Raises:
    ///     EcodeError: nothing was decided, or no proof was found in time.
    #[pyo3(signature = (b=None, *, ties="adversarial", worst_case=false, timeout=None))]
    fn certificate(
        &self,
        py: Python<'_>,
        b: Option<usize>,
        ties: &str,
        worst_case: bool,
        timeout: Option<f64>,
    ) -> PyResult<String> {
        let decided = self.decide(py, b, ties, "auto", worst_case, (timeout, None))?;
        let shape = self.shape();
        let scope = if worst_case { Scope::WorstCase } else { Scope::Claim };
        work::run(py, timeout, move |control| {
            let (matrix, verdict) = (&decided.matrix, &decided.verdict);
            certify_usual(matrix, verdict, scope, shape.as_ref(), control).map(|made| made.to_json())
        })?
        .map_err(bad)
    }

    /// How often a decode is wrong, exactly: the document of `ecode analyze --json`.
    ///
    /// Args:
    ///     q: probabilities that one partition's sign is wrong.
    ///     draws: random messages where all 2^k cannot be counted.
    #[pyo3(signature = (q=vec![0.01, 0.05, 0.1, 0.2, 0.3], *, ties="adversarial", draws=1_000_000, seed=0, timeout=None))]
    fn analyze<'py>(
        &self,
        py: Python<'py>,
        q: Vec<f64>,
        ties: &str,
        draws: u64,
        seed: u64,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(wrong) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(bad(format!("q {wrong}: a probability is from 0 to 1")));
        }
        let parts = self.shape().zip(self.file.b);
        let options = Options { ties: self::ties(ties)?, qs: q, draws, seed, parts, ..Options::default() };
        let matrix = self.file.matrix.clone();
        let analysis =
            work::run(py, timeout, move |control| Analysis::of(&matrix, &options, control))?.map_err(bad)?;
        python(py, &analysis_json(&analysis, None))
    }

    /// The vote of worker j: the majority of the signs of its partitions.
    ///
    /// Args:
    ///     j: the worker.
    ///     signs: packed signs of its partitions, in the order of `partitions(j)`.
    ///     d: coordinates.
    ///     ties: "zero" (a tie is positive) or "one" (negative).
    ///
    /// Returns:
    ///     Packed signs: uint8 of shape (ceil(d / 8),).
    #[pyo3(signature = (j, signs, d, *, ties="zero"))]
    fn worker_vote<'py>(
        &self,
        py: Python<'py>,
        j: usize,
        signs: Vec<Bound<'py, PyAny>>,
        d: usize,
        ties: &str,
    ) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let (engine, row) = (self.engine(ties)?, self.row(j)?);
        if signs.len() != row.len() {
            return Err(bad(format!(
                "worker {j} holds {} partitions, and {} were given",
                row.len(),
                signs.len()
            )));
        }
        let mut messages = vec![Bits::zeros(0); self.k()];
        for (&i, signs) in row.iter().zip(&signs) {
            messages[i] = bits(signs, d, &format!("partition {i}"))?;
        }
        if row.is_empty() {
            return Ok(packed(py, &Bits::zeros(d)));
        }
        let vote = py.detach(|| engine.worker_vote(j, &messages));
        Ok(packed(py, &vote.bits))
    }

    /// The server's decode of the votes.
    ///
    /// Args:
    ///     votes: packed signs of each worker, None where a vote is missing.
    ///     d: coordinates.
    ///
    /// Returns:
    ///     int8 of shape (d,): +1, -1, and 0 where as many voted one way as the other.
    fn server_vote<'py>(
        &self,
        py: Python<'py>,
        votes: Vec<Option<Bound<'py, PyAny>>>,
        d: usize,
    ) -> PyResult<Bound<'py, PyArray1<i8>>> {
        let votes = self.votes(&votes, d)?;
        let engine = VoteEngine::new(&self.file.matrix, TieRule::Zero);
        let signs: Vec<i8> = py.detach(|| {
            let decoded = engine.decode(d, &votes);
            (0..d).map(|i| decoded.sign(i) as i8).collect()
        });
        Ok(PyArray1::from_vec(py, signs))
    }

    /// The server's decode of the votes, as it travels, and what it says of each worker.
    ///
    /// Args:
    ///     votes: packed signs of each worker, None where a vote is missing.
    ///     d: coordinates.
    ///
    /// Returns:
    ///     (signs, ties, compared, differed): packed signs; packed places where as many voted one way as the other,
    ///     None where there are none; and for each worker on how many coordinates without a tie it voted, and on how
    ///     many of them it voted otherwise.
    #[expect(clippy::type_complexity, reason = "it is a tuple in Python")]
    fn tally<'py>(
        &self,
        py: Python<'py>,
        votes: Vec<Option<Bound<'py, PyAny>>>,
        d: usize,
    ) -> PyResult<(Bound<'py, PyArray1<u8>>, Option<Bound<'py, PyArray1<u8>>>, Vec<u64>, Vec<u64>)> {
        let votes = self.votes(&votes, d)?;
        let engine = VoteEngine::new(&self.file.matrix, TieRule::Zero);
        let (decoded, agreements) = py.detach(|| {
            let decoded = engine.decode(d, &votes);
            let agree = |vote: &Option<Vote>| {
                vote.as_ref().map_or_else(Agreement::default, |vote| Agreement::of(vote, &decoded))
            };
            let agreements: Vec<Agreement> = votes.iter().map(agree).collect();
            (decoded, agreements)
        });
        let tied = decoded.tied.as_ref().filter(|tied| tied.words().iter().any(|&word| word != 0));
        Ok((
            packed(py, &decoded.negative),
            tied.map(|tied| packed(py, tied)),
            agreements.iter().map(|agreement| agreement.compared).collect(),
            agreements.iter().map(|agreement| agreement.differed).collect(),
        ))
    }

    /// The matrix as a picture in text.
    fn picture(&self) -> String {
        let worst = self.verdict.as_ref().and_then(|verdict| verdict.worst());
        picture(&self.file.matrix, worst, Glyphs::UNICODE)
    }

    /// The matrix as a picture: an SVG document.
    fn svg(&self) -> String {
        let worst = self.verdict.as_ref().and_then(|verdict| verdict.worst());
        standalone(&matrix_svg(&self.file.matrix, worst))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        // Inside an image its style rules reach nothing else on the page.
        let bytes = PyBytes::new(py, self.svg().as_bytes());
        let data = py.import("base64")?.call_method1("b64encode", (bytes,))?;
        let data: String = data.call_method1("decode", ("ascii",))?.extract()?;
        let alt = format!("Allocation matrix of {} workers and {} partitions", self.n(), self.k());
        Ok(format!("<img alt=\"{alt}\" src=\"data:image/svg+xml;base64,{data}\"/>"))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(bad("a code has no array of its own: copy=False cannot be had"));
        }
        let array = self.g(py).into_any();
        match dtype {
            None => Ok(array),
            Some(dtype) => array.call_method1("astype", (dtype,)),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            (&self.file.matrix, self.file.b) == (&other.file.matrix, other.file.b)
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.digest(), self.file.b).hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.get_type::<Self>().getattr("from_json")?;
        Ok((make, PyTuple::new(py, [self.to_json()])?))
    }

    fn __repr__(&self) -> String {
        let b = self.file.b.map_or(String::new(), |b| format!(", b={b}"));
        let verdict = self.verdict.as_ref().map_or("not verified here", |verdict| verdict.word());
        format!("<Code n={}, k={}{b}, ones={}: {verdict}>", self.n(), self.k(), self.ones())
    }
}
