//! Reactive schemes at a server: the judge of `crates/judge`, and a [`Sitting`], a settlement with a clock for workers that
//! are processes of their own.

mod sitting;

pub use ecode_judge::*;
pub use sitting::{FACTOR, LEAST, Question, Sent, Sitting};
