//! How long the votes that liars cannot delay usually take.

use std::time::Duration;

/// How many closed blocks are remembered.
const KEPT: usize = 31;

/// A soft deadline is this part of the usual time.
const SHARE: u32 = 4;

/// No soft deadline is shorter: what a busy machine needs to look around.
const LEAST: Duration = Duration::from_millis(1);

/// The usual time until all but `liars` of the present rows have voted.
///
/// Of any set of rows of which at most `liars` lie, the last of all but `liars` to vote is no later than the
/// slowest honest row: whatever liars do, they do not raise this time above it, so a deadline that is made from it does
/// not feed on itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    times: Vec<Duration>,
    next: usize,
}

impl Pace {
    /// Remembers one block: when each present row voted, counted from the opening of the block.
    pub(crate) fn note(&mut self, mut votes: Vec<Duration>, liars: usize) {
        votes.sort_unstable();
        let Some(&time) = votes.len().checked_sub(liars + 1).and_then(|at| votes.get(at)) else { return };
        if self.times.len() < KEPT {
            self.times.push(time);
        } else {
            self.times[self.next] = time;
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// How long a block waits for votes that are not needed.
    pub(crate) fn grace(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(LEAST, |&usual| (usual / SHARE).max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_liar_that_is_late_on_purpose_does_not_stretch_the_deadline() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        for step in 0..100 {
            // The liar answers just before each deadline, ever later.
            pace.note(vec![second, second, 2 * second, 100 * second * (step + 1)], 1);
        }
        assert_eq!(pace.grace(), 2 * second / SHARE);
    }

    #[test]
    fn with_too_few_rows_nothing_is_learnt() {
        let mut pace = Pace::default();
        pace.note(vec![Duration::from_secs(9)], 1);
        assert_eq!(pace.grace(), LEAST);
    }
}
