//! What is asked of a code, by its methods and by the module's functions.

use std::sync::Arc;

use ecode::code::{AllocationMatrix, TieRule};
use ecode::format::MatrixFile;
use ecode::train::{Vote, VoteEngine};
use ecode::verify::{Control, Method, Request, Shape, VerifyError};
use pyo3::prelude::*;

use super::Code;
use crate::array::{bits, matrix_file};
use crate::errors::{bad, ties};
use crate::verdict::Verdict;
use crate::work;

/// What is asked of a code.
struct Question {
    b: Option<usize>,
    ties: TieRule,
    method: Method,
    worst_case: bool,
}

impl Code {
    /// What a Python object stands for.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(code) = object.cast::<Self>() {
            return Ok(code.get().clone());
        }
        Ok(Self { file: matrix_file(object, None)?, verdict: None })
    }

    /// A code of which nothing was decided here.
    pub(crate) fn plain(file: MatrixFile) -> Self {
        Self { file, verdict: None }
    }

    /// G.
    pub(crate) fn matrix(&self) -> &AllocationMatrix {
        &self.file.matrix
    }

    /// The parts of a code by the gluing theorem, where its file lists them.
    pub(super) fn shape(&self) -> Option<Shape> {
        Shape::from_json(self.file.construction.as_ref()?.get("parts")?)
    }

    /// Answers about this code, under the control of whoever asks.
    fn ask(&self, request: &Question, control: &Control) -> Result<ecode::verify::Verdict, VerifyError> {
        let Question { b, ties, method, worst_case } = *request;
        let shape = self.shape();
        let request = Request::new(&self.file.matrix).b(b).ties(ties).method(method).shape(shape.as_ref());
        request.worst_case(worst_case).decide(control)
    }

    /// A matrix that was made just now, verified for the b that it is made for.
    pub(crate) fn made(file: MatrixFile, ties: TieRule, control: &Control) -> Result<Self, VerifyError> {
        let code = Self { file, verdict: None };
        let question = Question { b: code.file.b, ties, method: Method::Auto, worst_case: false };
        let verdict = code.ask(&question, control)?;
        Ok(Self { verdict: Some(Arc::new(verdict)), ..code })
    }

    pub(crate) fn decide(
        &self,
        py: Python<'_>,
        b: Option<usize>,
        rule: &str,
        method: &str,
        worst_case: bool,
        (timeout, progress): (Option<f64>, Option<&Bound<'_, PyAny>>),
    ) -> PyResult<Verdict> {
        let method = method.parse::<Method>().map_err(bad)?;
        let question = Question { b: b.or(self.file.b), ties: ties(rule)?, method, worst_case };
        let code = self.clone();
        let verdict = work::run_watched(py, timeout, progress, move |control| code.ask(&question, control))?
            .map_err(bad)?;
        Ok(Verdict { matrix: Arc::new(self.file.matrix.clone()), verdict: Arc::new(verdict) })
    }

    pub(super) fn engine(&self, rule: &str) -> PyResult<VoteEngine> {
        let rule = ties(rule)?;
        if rule == TieRule::Adversarial {
            return Err(bad("ties: 'adversarial' is a rule for proofs; a worker follows 'zero' or 'one'"));
        }
        let engine = VoteEngine::new(&self.file.matrix, rule);
        if (0..self.file.matrix.n()).any(|j| engine.can_be_silent(j)) {
            return Err(bad(
                "ties: under 'abstain' a worker with an even load may be silent on a coordinate, which \
                            packed signs cannot say; take 'zero' or 'one'",
            ));
        }
        Ok(engine)
    }

    /// The votes of all workers, none where one is missing.
    pub(super) fn votes(&self, votes: &[Option<Bound<'_, PyAny>>], d: usize) -> PyResult<Vec<Option<Vote>>> {
        let n = self.file.matrix.n();
        if votes.len() != n {
            return Err(bad(format!("{} votes of {n} workers: give None for a missing one", votes.len())));
        }
        let one = |(j, vote): (usize, &Option<Bound<'_, PyAny>>)| {
            let bits = vote.as_ref().map(|vote| bits(vote, d, &format!("vote of worker {j}"))).transpose()?;
            Ok(bits.map(|bits| Vote { bits, silent: None }))
        };
        votes.iter().enumerate().map(one).collect()
    }

    pub(super) fn row(&self, j: usize) -> PyResult<Vec<usize>> {
        let n = self.file.matrix.n();
        if j >= n {
            return Err(bad(format!("worker {j}: there are workers 0 to {}", n - 1)));
        }
        Ok(self.file.matrix.support(j).collect())
    }
}
