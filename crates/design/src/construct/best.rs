//! The code with the fewest ones among all that the program knows for n workers and b liars.

use serde_json::{Value, json};

use super::{Block, ConstructError, Disjoint, Gluing, Kind, algorithm1, blocks, parameter, uncoded};
use ecode_core::{AllocationMatrix, MAX_SIZE};
use ecode_verify::Shape;

/// How a code of [`best`] is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// The identity, for b = 0.
    Uncoded,
    /// The paper's Algorithm 1.
    Algorithm1,
    /// Parts glued together; the shape is what proves the code.
    Gluing(Shape),
    /// Disjoint rows.
    Disjoint,
    /// Listed row by row: who found it.
    Listed(String),
    /// Every row full.
    Full,
    /// A code with as many workers as partitions, for another number of workers, beside so many copies
    /// of every partition alone.
    Resized {
        /// How many times every partition stands alone.
        copies: usize,
    },
}

/// A code with the fewest ones known.
#[derive(Clone, Debug)]
pub struct Best {
    /// The allocation matrix, n × n.
    pub matrix: AllocationMatrix,
    /// The number of Byzantine workers that it is made for.
    pub b: usize,
    /// How it is made.
    pub made: Made,
}

impl Best {
    /// The construction's name: `uncoded`, `algorithm1`, `gluing`, `disjoint`, `listed`,
    /// `full` or `resized`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.made {
            Made::Uncoded => "uncoded",
            Made::Algorithm1 => "algorithm1",
            Made::Gluing(_) => "gluing",
            Made::Disjoint => "disjoint",
            Made::Listed(_) => "listed",
            Made::Full => "full",
            Made::Resized { .. } => "resized",
        }
    }

    /// What a matrix file says under `construction`; `verify` reads the parts of a glued code from it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut made = json!({"name": self.name(), "n": self.matrix.n()});
        if self.made != Made::Uncoded {
            made["b"] = json!(self.b);
        }
        if self.matrix.k() != self.matrix.n() {
            made["k"] = json!(self.matrix.k());
        }
        if let Made::Resized { copies } = self.made {
            made["copies"] = json!(copies);
        }
        if let Made::Gluing(shape) = &self.made {
            made["parts"] = shape.to_json();
        }
        if let Made::Listed(found) = &self.made {
            made["found"] = json!(found);
        }
        made
    }
}

/// The code with the fewest ones that the program knows for an odd n and b; among equal ones
/// Algorithm 1's.
///
/// ```
/// use ecode_design::construct::{algorithm1, best};
/// assert_eq!(best(9, 2)?.matrix.ones(), 59);
/// assert_eq!(algorithm1(9, 2)?.ones(), 61);
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// When n is even or above 4096, or b > (n − 1)/2.
pub fn best(n: usize, b: usize) -> Result<Best, ConstructError> {
    best_with(n, b, blocks())
}

/// The same with other families of rows than the program's own.
///
/// # Errors
/// Those of [`best`].
pub fn best_with(n: usize, b: usize, blocks: &[Block]) -> Result<Best, ConstructError> {
    if n % 2 == 0 || n > MAX_SIZE {
        return parameter(format!(
            "the best known codes are for an odd number of workers up to {MAX_SIZE}, but n = {n}"
        ));
    }
    if b > (n - 1) / 2 {
        let most = (n - 1) / 2;
        return parameter(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
    }
    if b == 0 {
        return Ok(Best { matrix: uncoded(n)?, b, made: Made::Uncoded });
    }
    let paper = algorithm1(n, b)?;
    let glued = Gluing::with_blocks(n, b, blocks)?;
    let listed = blocks
        .iter()
        .filter(|block| block.kind == Kind::Code && (block.workers, block.points, block.b) == (n, n, b))
        .filter_map(|block| Some((block.code().ok()?, &block.found)))
        .min_by_key(|(matrix, _)| matrix.ones());
    let mut best = Best { matrix: paper, b, made: Made::Algorithm1 };
    if glued.matrix.ones() < best.matrix.ones() {
        best = Best { matrix: glued.matrix, b, made: Made::Gluing(glued.shape) };
    }
    let disjoint = Disjoint::new(n, b)?;
    if disjoint.ones() < best.matrix.ones() {
        best = Best { matrix: disjoint.matrix()?, b, made: Made::Disjoint };
    }
    if let Some((matrix, found)) = listed.filter(|(matrix, _)| matrix.ones() < best.matrix.ones()) {
        best = Best { matrix, b, made: Made::Listed(found.clone()) };
    }
    Ok(best)
}
