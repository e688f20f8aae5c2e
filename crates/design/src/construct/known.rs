//! Codes that the program knows, with how each was made.

use serde_json::{Value, json};

use ecode_core::AllocationMatrix;
use ecode_verify::Shape;

/// How a code was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The identity, for b = 0.
    Uncoded,
    /// The paper's Algorithm 1.
    Algorithm1,
    /// Parts glued together; the shape is what proves the code.
    Gluing(Shape),
    /// Disjoint rows.
    Disjoint,
    /// Listed row by row: how it was found.
    Listed(String),
    /// Every row full.
    Full,
    /// A code with as many workers as partitions, for another number of workers, beside so many copies
    /// of every partition alone.
    Resized {
        /// How many times every partition stands alone.
        copies: usize,
        /// The shape that proves the code, where there is one worker more and the code was glued.
        shape: Option<Shape>,
    },
}

/// A code that the program knows for some sizes.
#[derive(Clone, Debug)]
pub struct KnownCode {
    /// The allocation matrix.
    pub matrix: AllocationMatrix,
    /// The number of Byzantine workers that it is made for.
    pub b: usize,
    /// How it was made.
    pub provenance: Provenance,
}

impl KnownCode {
    /// The construction's name in the registry: `uncoded`, `algorithm1`, `gluing`, `disjoint`, `listed`,
    /// `full` or `resized`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.provenance {
            Provenance::Uncoded => "uncoded",
            Provenance::Algorithm1 => "algorithm1",
            Provenance::Gluing(_) => "gluing",
            Provenance::Disjoint => "disjoint",
            Provenance::Listed(_) => "listed",
            Provenance::Full => "full",
            Provenance::Resized { .. } => "resized",
        }
    }

    /// What a matrix file says under `construction`: a specification that makes the code again (with the same
    /// blocks), and for a glued code the parts, from which `verify` proves it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut made = json!({"name": self.name(), "n": self.matrix.n()});
        if !matches!(self.provenance, Provenance::Uncoded | Provenance::Full) {
            made["b"] = json!(self.b);
        }
        if self.matrix.k() != self.matrix.n() {
            made["k"] = json!(self.matrix.k());
        }
        match &self.provenance {
            Provenance::Resized { copies, shape } => {
                made["copies"] = json!(copies);
                if let Some(shape) = shape {
                    made["parts"] = shape.to_json();
                }
            }
            Provenance::Gluing(shape) => made["parts"] = shape.to_json(),
            Provenance::Listed(found) => {
                made["found"] = json!(found);
                made["digest"] = json!(self.matrix.digest());
            }
            _ => {}
        }
        made
    }
}
