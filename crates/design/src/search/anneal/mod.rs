//! Simulated annealing over families of rows.
//!
//! A problem is a list of *tests*: sets of points, each with the number of rows that it may win. A family
//! is *feasible* when no test wins more. The energy is the number of wins too many, all tests together,
//! plus a price on the ones. The tests are kept as bit columns (bit x of column i says whether test x
//! holds point i), so one move is evaluated on all tests with a few word operations.
//!
//! A *rotation* of order m moves the points of every one of some cycles of m points one on. Families that a
//! rotation leaves as they are can be searched alone: a move then changes a row and all its images, and of tests
//! that rotate into each other one is enough. There are far fewer such families, and many good ones.
//!
//! # What is promised
//! - A family that is returned wins no more than allowed in any test of the problem. Whether the tests
//!   are all that matter is the caller's affair: nothing here claims tolerance.
//! - The same problem, seed and restart give the same family on every machine.

mod columns;
mod evaluation;
mod neighbourhood;
mod problem;
mod rotation;
mod test_sets;
mod walk;

pub(super) use neighbourhood::below;
pub use problem::{Problem, Row, Test};
pub use rotation::Rotation;
pub use test_sets::{local_tests, message_tests, part_tests};
pub use walk::{Schedule, anneal};
