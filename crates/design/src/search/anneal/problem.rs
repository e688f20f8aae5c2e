//! What annealing looks for: rows, the sets of points that test them, and the problem.

use super::rotation::Rotation;

/// A row: the points that it holds (bit i for point i), and how many old points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The points.
    pub points: u32,
    /// The number of old points.
    pub old: u8,
}

impl Row {
    /// The number of ones.
    #[must_use]
    pub fn weight(self) -> usize {
        self.points.count_ones() as usize + usize::from(self.old)
    }

    /// The ones that count: without the points of `free`.
    pub(super) fn load(self, free: u32) -> usize {
        Self { points: self.points & !free, ..self }.weight()
    }

    /// Whether the problem's limits leave room for the row.
    pub(super) fn fits(self, problem: &Problem) -> bool {
        self.points & !problem.free != 0
            && self.old <= problem.old
            && (problem.lightest..=problem.heaviest).contains(&self.load(problem.free))
    }

    pub(super) fn needed(self) -> usize {
        self.weight().div_ceil(2)
    }

    /// Whether an adversary with these points and this many old ones wins the row.
    #[must_use]
    pub fn won_by(self, points: u32, old: u8) -> bool {
        (self.points & points).count_ones() as usize + usize::from(self.old.min(old)) >= self.needed()
    }
}

/// A set of points and old points that may win at most `allowed` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// The points.
    pub points: u32,
    /// The number of old points.
    pub old: u8,
    /// How many rows it may win.
    pub allowed: u8,
}

/// What is to be found: `rows` rows of odd weight on `points` points.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The number of points, at most 31.
    pub points: usize,
    /// The largest number of old points that a row may hold (0 where there are none).
    pub old: u8,
    /// The number of rows.
    pub rows: usize,
    /// The smallest weight of a row, without free points: 1 where there is no limit.
    pub lightest: usize,
    /// The largest weight of a row, without free points.
    pub heaviest: usize,
    /// Points that are no ones, and no row by themselves: how a row of even load is one of odd weight.
    pub free: u32,
    /// The tests.
    pub tests: Vec<Test>,
    /// Only families that this rotation leaves as they are: as many whole orbits of rows as there can be, and
    /// rows that stay.
    pub rotation: Option<Rotation>,
}

impl Problem {
    /// The same for families that the rotation leaves as they are. The tests must be such that every test
    /// turns into another, as those of this module do.
    #[must_use]
    pub fn rotated(mut self, rotation: Rotation) -> Self {
        self.tests.retain(|test| rotation.orbit(test.points).all(|image| test.points <= image));
        self.rotation = Some(rotation);
        self
    }
}
