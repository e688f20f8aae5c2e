//! Finding codes with fewer ones, and how few there can be.
//!
//! # What is promised
//! A search returns only families that pass every test of their kind; that a code made from one is
//! tolerant is then for [`ecode_verify`] to say.

pub mod anneal;
mod bounds;
mod budget;
mod catalogue;
mod code;
mod effort;
mod exact;
mod family;
mod files;
mod kept;
mod local;
mod request;
mod run;

pub use bounds::{
    Bound, BoundError, Bounds, Case, Exhausted, LeftOut, Multipliers, SecondMoment, Weighed, bounds,
    bounds_for, bounds_on_ones, exhausted, second_moment,
};
pub use budget::{
    BudgetEntry, BudgetRequest, BudgetRun, BudgetStateError, Budgeted, Liars, budget_catalogue, least_errors,
    q_range,
};
pub use catalogue::{CATALOGUE, Entry, catalogue};
pub use code::anneal_code;
pub use effort::Effort;
pub use exact::{ClosedFamilies, Exact, closed_families, minimum, minimum_within};
pub use family::{FamilyProblem, anneal_family, anneal_with_disjoint_rows, reduce_weight};
pub use files::{AssignError, AssignRequest, AssignRun, Assigned, AssignedEntry, assigned_catalogue};
pub use local::LocalRows;
pub use request::SearchRequest;
pub use run::{SearchRun, StateError};
