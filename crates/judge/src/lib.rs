//! Reactive redundancy: b + 1 holders of each partition detect every lie, and only a detected lie is corrected.
//!
//! What honest workers compute for a partition is reproducible bit for bit, signs or gradients, so its holders send a digest
//! of it and one of them, the *primary*, the vector itself. A digest that b' + 1 workers support, where b' is how many of
//! the unnamed can lie, has an honest supporter and is right. Where holders differ, fresh workers are asked, one disputed
//! partition at a time, until a digest has b' + 1 supporters; whoever differs from it is named.
//!
//! No I/O, no threads, no clock: what happens is told, what is to be done is returned.
//!
//! - [`Judge`] is all of it for whoever carries digests by any means: [`Judge::open`] assigns a step, [`Judge::tell`] takes what
//!   happened, [`Judge::next`] says what is accepted, asked and who is named. Its parts:
//! - [`assign`] gives every partition its holders, [`Settlement`] settles one step, [`Roster`] keeps from step to step
//!   who was named, who is suspended, and who is asked. A [`Header`] says what a digest is about.
//! - [`Dispute`] narrows a dispute to one stage of the computation, a layer for instance, before a referee computes anything.
//! - [`Drift`] is what workers may do that are right and do not compute the same bits.
//! - [`Certificate`] is what a naming leaves behind for whoever was not there.
//! - [`Adversary`] is what liars do in tests and in simulated runs.
//!
//! # What is promised
//! While at most b workers are faulty, gradients are reproducible and digests do not collide:
//! - an accepted value is the honest one, and nobody honest is named;
//! - a step in which nobody is silent asks at most as many helpers, and takes at most as many extra round trips,
//!   as it names workers; with σ ≥ 1 silent workers, at most named + σ + 1 trips.
//!
//! What is kept of an open step is at most one digest a worker and partition, and of the past one [`Record`] a worker, whatever
//! is sent.
//!
//! # References
//! Model, proofs and what was known before: docs/theory/reactive.md. Escalation from b + 1 to 2b + 1 copies is
//! old (Gupta and Vaidya, *Randomized reactive redundancy*, arXiv:1912.09528).

mod adversary;
mod assign;
mod certify;
mod dispute;
mod drift;
#[cfg(test)]
mod game;
mod judge;
mod naming;
mod outcome;
mod questions;
mod roster;
mod rule;
mod rules;
mod settlement;
mod share;
mod slot;

pub use adversary::{Adversary, Content, Said, View};
pub use assign::{Assignment, assign, assign_apart};
pub use certify::{OwnContradictions, Signed, certify};
pub use dispute::{Blame, Dispute, Inquiry};
pub use drift::{Doubt, Drift, Pair};
pub use judge::{Event, Judge, JudgeError, JudgeState};
pub use naming::{
    Certificate, NamingError, ShareStatement, Signer, Statement, signed, signed_again, signed_bytes,
};
pub use outcome::{Ask, Evidence, Excess, Fetch, Named, Next};
pub use roster::{Budget, Record, Roster};
pub use settlement::Settlement;
pub use share::{Claim, Sizes};
pub use slot::{Digest, Header};
