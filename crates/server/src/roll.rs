//! Where each row stands: connected or not, awaited or not, proved to lie or not.

use std::time::Duration;

/// The first wait of a row that comes back again and again, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Where a row stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The connection that speaks for the row.
    pub connection: Option<u64>,
    /// Whether blocks wait for it: it voted in time when it was last awaited.
    pub awaited: bool,
    /// Whether it was proved to lie or to compute wrong.
    pub named: bool,
    /// Blocks that closed without its vote.
    pub missed: u64,
    /// Votes that came after their block had closed.
    pub late: u64,
    /// How often it was cut for what no honest worker sends.
    pub cuts: u64,
    /// Whether it is gone for good.
    pub out: bool,
    /// Before this time it is not let in again.
    pub refused_until: Duration,
    back_off: Duration,
}

impl Standing {
    /// Its connection has ended. A row that has voted in time since it joined may come back at once.
    pub(crate) fn leave(&mut self, now: Duration) {
        self.connection = None;
        self.refused_until = now + self.back_off;
        self.back_off = (2 * self.back_off).clamp(BACK_OFF.0, BACK_OFF.1);
    }

    /// It voted before its block was closed.
    pub(crate) fn in_time(&mut self) {
        self.back_off = Duration::ZERO;
    }
}

/// All rows.
#[derive(Clone, Debug)]
pub(crate) struct Roll(Vec<Standing>);

impl Roll {
    /// Nobody is connected, and everybody is awaited: a run starts with all who come within its patience.
    pub(crate) fn new(n: usize) -> Self {
        Self(vec![Standing { awaited: true, ..Standing::default() }; n])
    }

    pub(crate) fn rows(&self) -> &[Standing] {
        &self.0
    }

    pub(crate) fn get_mut(&mut self, row: usize) -> Option<&mut Standing> {
        self.0.get_mut(row)
    }

    /// Whether this connection speaks for this row.
    pub(crate) fn speaks(&self, row: usize, connection: u64) -> bool {
        self.0.get(row).is_some_and(|standing| standing.connection == Some(connection))
    }

    /// How many rows were named.
    pub(crate) fn named(&self) -> usize {
        self.0.iter().filter(|standing| standing.named).count()
    }
}
