//! Blocks: families of rows that a search found, from which gluing and the list of codes draw.

use super::error::{ConstructError, refuse};
use ecode_core::AllocationMatrix;

/// Where a family of rows may stand in a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Glued to any family with enough points.
    Part,
    /// Before all other parts.
    First,
    /// Alone: all local rows of a code, so that only sets of at most t points matter.
    Whole,
    /// No family for gluing but a code as it is: its points are all partitions, and its rows all that are
    /// not full.
    Code,
}

impl Placement {
    pub(super) const ALL: [Self; 4] = [Self::Part, Self::First, Self::Whole, Self::Code];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::First => "first",
            Self::Whole => "whole",
            Self::Code => "code",
        }
    }
}

/// A family of rows that was found by search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it may stand.
    pub placement: Placement,
    /// The number of Byzantine workers.
    pub b: usize,
    /// New points.
    pub points: usize,
    /// The workers of a code; 0 for a family.
    pub workers: usize,
    /// The new points that each row holds, and how many old ones.
    pub rows: Vec<(Vec<usize>, usize)>,
    /// How it was found.
    pub found: String,
}

impl Block {
    /// Its ones, old points included.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.rows.iter().map(|(new, old)| new.len() + old).sum()
    }

    /// The code that the block stands for, full rows added: its points are the partitions.
    ///
    /// # Errors
    /// When the block is no code: it is placed elsewhere, or has more rows than workers.
    pub fn code(&self) -> Result<AllocationMatrix, ConstructError> {
        if self.placement != Placement::Code || self.rows.len() > self.workers {
            let placement = self.placement.name();
            return refuse(format!("a family placed as '{placement}' is no code of its own"));
        }
        let mut rows: Vec<Vec<usize>> = self.rows.iter().map(|(row, _)| row.clone()).collect();
        rows.resize(self.workers, (0..self.points).collect());
        Ok(AllocationMatrix::from_supports(self.points, &rows)?)
    }

    pub(super) fn most_old(&self) -> usize {
        self.rows.iter().map(|&(_, old)| old).max().unwrap_or(0)
    }
}
