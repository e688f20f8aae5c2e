//! Bit-sliced counting: 512 choices at once, their sums kept as bit planes.
//!
//! # What is promised
//! Every function gives the same answer on every processor: the portable code is compiled three times
//! (AVX-512, AVX2, baseline) and the widest version that the processor has is called.
//! A sum costs about two logic operations per input and 512 choices: a carry-save adder takes two inputs off
//! the list for each of the five operations it needs, two where ternary logic exists.
//!
//! Here is the unsafe code of the engines, and none of the mathematics: what a choice, a weight or a loss means
//! is the caller's.

mod counter;
mod instructions;
mod reaches;
mod sums;
mod tally;
mod threshold;
mod vector;

pub use counter::{Best, Counter};
pub use instructions::Instructions;
pub use reaches::{Hit, largest, reaches};
pub use sums::{Change, Sums};
pub use tally::{Block, Counts, Starts, Tally};
pub use threshold::{Threshold, differing};
pub use vector::Lanes;
