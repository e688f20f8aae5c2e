//! Namings on the disk before anything is built on them.

use ecode_server::reactive::{Certificate, Digest, Evidence, Header};
use serde::{Deserialize, Serialize};

/// A worker that was named, with what it was named by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// The run's digest, in hexadecimal.
    pub run: String,
    /// The step that the evidence is of, from 0.
    pub step: u64,
    /// The digest of the state before it, in hexadecimal.
    pub state: String,
    /// b' before the naming: how many of the unnamed workers could be faulty.
    pub left: usize,
    /// The worker.
    pub worker: usize,
    /// The rule.
    pub evidence: Evidence,
    /// What shows it to others; none where it rests on what the server computed itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(digest: &Digest) -> String {
    ecode_core::digest::hexadecimal(digest)
}

impl Naming {
    /// A naming without its certificate.
    pub(crate) fn new(header: &Header, left: usize, worker: usize, evidence: Evidence) -> Self {
        let (run, state) = (hexadecimal(&header.run), hexadecimal(&header.state));
        Self { run, step: header.step, state, left, worker, evidence, certificate: None }
    }
}

/// Where namings are kept.
pub trait Journal: Send {
    /// Keeps a naming. When this returns it outlives the machine's next failure; b' is lowered only then.
    ///
    /// # Errors
    /// Why it could not be kept; the step is then given up.
    fn keep(&mut self, naming: &Naming) -> Result<(), String>;
}
