//! How long a search takes, and with which random numbers.

use super::anneal::{Problem, Rotation};

/// How long and with which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Moves per restart.
    pub moves: u64,
    /// Restarts per number of rows.
    pub restarts: u64,
    /// The random seed.
    pub seed: u64,
    /// Look only for families that a rotation of this order leaves as they are; 0 or 1 for any families. Where the
    /// points could all lie in cycles, they do for even seeds.
    pub rotation: usize,
}

impl Effort {
    /// How what it finds was found.
    pub(super) fn found(self) -> String {
        let rotation =
            if self.rotation > 1 { format!(", rotation {}", self.rotation) } else { String::new() };
        format!("search, seed {}{rotation}", self.seed)
    }

    /// The problem that is searched: the first `points` points may be rotated.
    pub(super) fn with_symmetry(self, problem: Problem, points: usize) -> Problem {
        let order = self.rotation;
        if order < 2 || order > points {
            return problem;
        }
        let spare = usize::from(points % order == 0 && self.seed % 2 == 1 && order < points);
        problem.rotated(Rotation { order, cycles: points / order - spare })
    }
}
