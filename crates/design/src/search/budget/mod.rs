//! Budgeted codes: for a given number of ones, and a heaviest load, the code whose decode is the wrong sign least often.
//!
//! # The model
//! Each of the k partitions has the wrong sign with probability q, independently. A worker votes for the majority of its
//! partitions; b workers lie, and s votes are missing, the worst ones. The decode is a *wrong sign* when it is not the
//! true sign, as `Kind::Sign` of the crate for analyses has it.
//!
//! # What is promised
//! - A code that is found keeps its budget, and the probability that comes with it is exact but for rounding where all
//!   messages are counted ([`BudgetRequest::is_exact`]); else it is that of a sample of each weight's messages, on which
//!   the code was not searched, but which chose it among a round's.
//! - Nothing is said about tolerance: most such codes tolerate no liar.
//! - The same request, seed and number of rounds find the same code, at any number of threads.
//!
//! # Why all rows are odd
//! Under the tie rule `adversarial` a row of even weight 2a ≥ 2 is wrong when a of its partitions are. Without any one
//! of them it is wrong only when a of the other 2a − 1 are, which is rarer on every message, and costs a one less. So a
//! code with even rows is never better than one without (docs/theory/budget.md, Theorem 46).

mod bound;
mod catalogue;
mod loss;
mod messages;
mod objective;
mod pairs;
mod request;
mod row;
mod run;
mod votes;
mod walk;

pub use bound::least_errors;
pub use catalogue::{BudgetEntry, budget_catalogue};
pub use request::{BudgetRequest, Liars, q_range};
pub use run::{BudgetRun, BudgetStateError, Budgeted};
