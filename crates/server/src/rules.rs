//! What is promised of a run and how long it waits: the numbers that every decision rests on.

use std::time::Duration;

/// For how long a block waits for votes that are not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For every awaited row, up to [`Rules::patience`].
    All,
    /// For none: a block closes as soon as the missing votes cannot change its decode.
    Quorum,
    /// For awaited rows, so long after the votes that are needed are in.
    Soft(Duration),
    /// As `Soft`, for a quarter of the usual time to the votes that liars cannot delay.
    Adaptive,
}

/// What happens when more votes are missing than the proof allows, and [`Rules::patience`] is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExcess {
    /// The run stops: its state is that before the step.
    #[default]
    Stop,
    /// It goes on and says that it is unverified from this step on.
    Warn,
}

/// Whether a row can come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seats {
    /// Connections end, are cut, and are made anew: a row that is not there may come back at any time.
    #[default]
    Open,
    /// Every row has one connection for the whole run, as the ranks of a job and the threads of a process have. It cannot be
    /// cut: what no honest worker sends is a missing vote in the blocks that are open, and costs the row no more. A row that
    /// leaves, or has not voted within [`Rules::patience`], is out for good, and nobody waits for what nobody can bring: a
    /// block closes once all who are left have spoken.
    Fixed,
}

/// The rules of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Workers: rows of the allocation matrix.
    pub n: usize,
    /// How many liars the code is proved to tolerate when every vote arrives.
    pub radius: usize,
    /// How many liars the run declares, at most `radius`.
    pub liars: usize,
    /// Blocks of coordinates in a step.
    pub blocks: usize,
    /// How many blocks beyond the first open one are taken; at least 1. Votes kept: n × window.
    pub window: usize,
    /// How long a block waits for votes that are not needed.
    pub wait: Wait,
    /// How long a block waits for votes that *are* needed, and under [`Wait::All`] for all.
    pub patience: Duration,
    /// What happens then.
    pub on_excess: OnExcess,
    /// Whether a row that was proved to lie is left out from then on.
    pub quarantine: bool,
    /// Whether a row can come back.
    pub seats: Seats,
}

/// Numbers that make no rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// There is no worker.
    #[error("an election needs at least one worker")]
    NoWorkers,
    /// More liars are declared than are tolerated.
    #[error("{liars} liars are declared, but the code is proved for {radius} only")]
    Liars {
        /// The declared liars.
        liars: usize,
        /// What is proved.
        radius: usize,
    },
}

impl Rules {
    /// Rules for n workers whose code tolerates `radius` liars, of which `liars` are declared: one block, a
    /// minute of patience, [`Wait::Adaptive`], stop on excess, rows that come and go.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn new(n: usize, radius: usize, liars: usize) -> Result<Self, RulesError> {
        if n == 0 {
            return Err(RulesError::NoWorkers);
        }
        if liars > radius {
            return Err(RulesError::Liars { liars, radius });
        }
        Ok(Self {
            n,
            radius,
            liars,
            blocks: 1,
            window: 1,
            wait: Wait::Adaptive,
            patience: Duration::from_secs(60),
            on_excess: OnExcess::default(),
            quarantine: false,
            seats: Seats::default(),
        })
    }

    /// How many votes may be missing, when so many rows were named. As many liars are taken to be there as were
    /// declared, or named where these are more. Named rows that are left out lie no more, but are missing.
    #[must_use]
    pub fn may_miss(&self, named: usize) -> usize {
        let liars = self.liars.max(named) - if self.quarantine { named } else { 0 };
        2 * self.radius.saturating_sub(liars)
    }

    /// Whether the decode is proved exact when so many rows were named and so many votes are missing, those of
    /// rows that are left out among them.
    #[must_use]
    pub fn covers(&self, named: usize, missing: usize) -> bool {
        let lying = if self.quarantine { 0 } else { named };
        lying <= self.radius && missing <= self.may_miss(named) && missing < self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_vote_costs_half_a_lie() {
        let rules = Rules::new(9, 3, 1).unwrap();
        assert_eq!(rules.may_miss(0), 4);
        assert!(rules.covers(0, 4) && !rules.covers(0, 5));
        // A named liar that is left out is missing instead of lying: one more may miss, besides itself.
        let quarantine = Rules { quarantine: true, ..rules };
        assert_eq!([0, 1, 2].map(|named| quarantine.may_miss(named)), [4, 6, 6]);
        // One that is not left out goes on lying; more of them than declared leave less room.
        assert_eq!([0, 1, 2, 3].map(|named| rules.may_miss(named)), [4, 4, 2, 0]);
        assert!(rules.covers(3, 0) && !rules.covers(4, 0));
        assert_eq!(Rules::new(9, 3, 4), Err(RulesError::Liars { liars: 4, radius: 3 }));
        assert_eq!(Rules::new(0, 0, 0), Err(RulesError::NoWorkers));
    }

    #[test]
    fn a_decode_of_nothing_is_never_proved() {
        let rules = Rules::new(3, 2, 0).unwrap();
        assert!(rules.covers(0, 2) && !rules.covers(0, 3));
    }
}
