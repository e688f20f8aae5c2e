//! Certificates, checked.

use ecode::certificate::{Certificate, Options, Refused, check_with};
use pyo3::prelude::*;
use serde_json::Value;

use crate::array::{document, python};
use crate::errors::bad;
use crate::work;

/// What the checker says of a certificate.
#[pyclass(frozen, module = "election_coding")]
pub(crate) struct Checked {
    /// True: it shows what it claims; False: it does not; None: that cannot be told without counting again.
    #[pyo3(get)]
    valid: Option<bool>,
    /// The answer as `ecode check --json` prints it.
    document: Value,
    /// Why it is not valid.
    #[pyo3(get)]
    reason: Option<String>,
}

#[pymethods]
impl Checked {
    /// Whether the certificate claims that its matrix is tolerant; None where it is not valid.
    #[getter]
    fn tolerant(&self) -> Option<bool> {
        self.valid.filter(|&valid| valid)?;
        self.document["verdict"].as_str().map(|word| word == "tolerant")
    }

    /// The answer as `ecode check --json` prints it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.document)
    }

    fn __bool__(&self) -> bool {
        self.valid == Some(true)
    }

    fn __repr__(&self) -> String {
        match (self.valid, &self.reason) {
            (Some(true), _) => "<Checked: valid>".into(),
            (_, Some(reason)) => format!("<Checked: {reason}>"),
            (valid, None) => format!("<Checked: valid={valid:?}>"),
        }
    }
}

/// Checks a certificate. The checker shares no code with the engines.
///
/// Args:
///     certificate: a file's name, or the document as text, bytes or a dict.
///     recount: count again what a certificate by enumeration only records.
///     timeout: seconds.
///
/// Returns:
///     A `Checked`; true where the certificate shows what it claims.
///
/// Raises:
///     EcodeError: it is no certificate.
#[pyfunction]
#[pyo3(signature = (certificate, *, recount=false, timeout=None))]
pub(crate) fn check(
    py: Python<'_>,
    certificate: &Bound<'_, PyAny>,
    recount: bool,
    timeout: Option<f64>,
) -> PyResult<Checked> {
    let certificate = Certificate::parse(&document(certificate)?).map_err(bad)?;
    work::run(py, timeout, move |control| {
        let outcome = check_with(&certificate, Options { stopped: &|| control.stopped(), recount });
        let reason = outcome.as_ref().err().map(ToString::to_string);
        let valid = match &outcome {
            Ok(_) => Some(true),
            Err(refused) if refused.exit_code() == 3 => None,
            Err(Refused::Malformed(why)) => return Err(why.clone()),
            Err(_) => Some(false),
        };
        Ok(Checked { valid, document: certificate.document(&outcome), reason })
    })?
    .map_err(bad)
}
