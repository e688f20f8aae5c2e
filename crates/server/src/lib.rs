//! What the server of a coded vote decides, without I/O, threads or a clock of its own.
//!
//! An [`Election`] takes [`Event`]s (a worker joined, left, voted, sent rubbish; time passed) with the time at which
//! they happened, and returns [`Action`]s (decode this block, cut this connection, stop). Whatever carries the
//! votes, channels, MPI, gRPC or a caller in another language, asks the same type and so keeps the same promises.
//!
//! # What is promised
//! - Every block of every step is closed once, in the order of the steps, with at most one vote of each row: the
//!   first that this row sent for this block.
//! - A block is closed as *verified* only where 2·liars + missing ≤ 2·radius, with the declared liars and the votes
//!   that are missing (the theorem on errors and erasures, docs/theory/errors.md). Then the decode is the exact
//!   majority, whichever votes are missing, and the parameters are those of a run without any loss, bit for bit.
//! - A row that is silent, slow, flapping or flooding costs one deadline, not one a step: a row that missed a
//!   deadline is awaited again only once it has voted in time.
//! - Nothing that a row sends makes the state larger than rows × window votes.
//!
//! ```
//! use std::time::Duration;
//! use ecode_server::{Action, Election, Event, Rules, Wait};
//!
//! // Five workers, radius 2, one declared liar: two votes may be missing.
//! let rules = Rules { wait: Wait::Quorum, ..Rules::new(5, 2, 1)? };
//! let mut election = Election::new(rules, 0);
//! let now = Duration::ZERO;
//! for row in 0..5 {
//!     election.handle(now, Event::Joined { row, connection: row as u64 });
//! }
//! let mut closed = Vec::new();
//! for row in [4, 0, 2] {
//!     let vote = Event::Voted { row, connection: row as u64, step: 0, block: 0, vote: format!("vote of {row}") };
//!     closed.extend(election.handle(now, vote));
//! }
//! // Rows 1 and 3 were awaited: that they are no longer comes first.
//! let Some(Action::Close { step: 0, block: 0, votes, verified: true }) = closed.last() else { panic!() };
//! assert_eq!(votes.iter().flatten().count(), 3);
//! assert_eq!(election.step(), 1);
//! # Ok::<(), ecode_server::RulesError>(())
//! ```
//!
//! # References
//! Errors and erasures: docs/theory/errors.md. Waiting for the fastest n − s workers is as old as gradient coding
//! (Tandon et al., ICML 2017); here the decode stays exact, so that determinism survives it.

mod election;
mod mailbox;
mod pace;
pub mod reactive;
mod roll;
mod rules;

pub use election::{Action, Cut, Election, Event};
pub use mailbox::Place;
pub use roll::Standing;
pub use rules::{OnExcess, Rules, RulesError, Seats, Wait};
