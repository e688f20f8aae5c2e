//! What a code is: the allocation matrix, messages, sets of workers, tie rules, the claim that an
//! engine decides, and that claim as a formula for other solvers. This room knows no other.

mod bits;
mod clauses;
pub mod digest;
mod formula;
mod matrix;
mod shown;
mod vote;

pub use bits::{IndexSet, Message, Partition, Worker, Workers};
pub use clauses::{Clauses, Encoding, MOST_CLAUSES};
pub use formula::{Formula, Inequality, Turned, deciding_sides};
pub use matrix::{AllocationMatrix, MAX_SIZE, MatrixError};
pub use shown::{shown, shown_sentence};
pub use vote::{Counterexample, Outcome, TieRule, UnknownTieRule, decode, honest_vote, majority};

/// The claim "G is perfectly b-Byzantine tolerant under this tie rule" (the paper's Proposition 2):
/// for every message, every set of at most b workers and everything that they may send, μ̂ = μ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The allocation matrix G.
    pub matrix: AllocationMatrix,
    /// The number of Byzantine workers.
    pub b: usize,
    /// What a worker sends whose own vote ties.
    pub ties: TieRule,
}
