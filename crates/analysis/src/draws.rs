//! Random codes one by one: how many of some draws tolerate how many liars.
//!
//! # What is promised
//! Every draw that is counted was verified. The probabilities that come from the counts carry intervals.

use rayon::prelude::*;

use super::estimate::interval;
use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::{Control, Method, Radius, VerifyError, verify};

/// Why draws could not be counted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError<E> {
    /// A matrix could not be drawn.
    #[error(transparent)]
    Draw(E),
    /// The engines contradict each other on a draw.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// How many of some draws have which radius.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RadiusDraws {
    /// How many draws have no radius: they fail without liars.
    pub none: u64,
    /// How many have the radius 0, 1, ….
    pub by_radius: Vec<u64>,
}

impl RadiusDraws {
    /// Verifies `draw(0)`, `draw(1)`, …; fewer than asked when the control says stop.
    ///
    /// # Errors
    /// [`DrawError`]: an error of `draw`, or of the engines that verify.
    pub fn of<E: Send>(
        draw: impl Fn(u64) -> Result<AllocationMatrix, E> + Sync,
        draws: u64,
        ties: TieRule,
        control: &Control,
    ) -> Result<Self, DrawError<E>> {
        control.begin(draws);
        (0..draws)
            .into_par_iter()
            // Nothing is kept of draws that were not made: there may be 10¹² of them.
            .take_any_while(|_| !control.stopped())
            .map(|number| {
                let g = draw(number).map_err(DrawError::Draw)?;
                // A control of its own: the shared one counts draws.
                let verdict = verify(&g, None, ties, Method::Auto, &control.unwatched())?;
                control.advance(1);
                Ok(verdict.radius())
            })
            .try_fold(Self::nothing, |found, radius: Result<Radius, DrawError<E>>| Ok(found.with(radius?)))
            .try_reduce(Self::nothing, |found, other| Ok(found.and(&other)))
    }

    fn nothing() -> Self {
        Self { none: 0, by_radius: Vec::new() }
    }

    /// One draw more.
    fn with(mut self, radius: Radius) -> Self {
        match radius {
            // What was not settled counts neither way.
            Radius::AtLeast(_) | Radius::Unknown => {}
            Radius::FailsWithoutLiars => self.none += 1,
            Radius::Exactly(radius) => {
                self.reach(radius);
                self.by_radius[radius] += 1;
            }
        }
        self
    }

    /// Both together.
    fn and(mut self, other: &Self) -> Self {
        self.none += other.none;
        if let Some(last) = other.by_radius.len().checked_sub(1) {
            self.reach(last);
        }
        self.by_radius.iter_mut().zip(&other.by_radius).for_each(|(sum, more)| *sum += more);
        self
    }

    fn reach(&mut self, radius: usize) {
        if self.by_radius.len() <= radius {
            self.by_radius.resize(radius + 1, 0);
        }
    }

    /// How many draws were verified.
    #[must_use]
    pub fn draws(&self) -> u64 {
        self.none + self.by_radius.iter().sum::<u64>()
    }

    /// How many of them tolerate b liars.
    #[must_use]
    pub fn tolerant(&self, b: usize) -> u64 {
        self.by_radius.iter().skip(b).sum()
    }

    /// The part of `hits` in the draws, and an interval that holds its probability with 95% confidence.
    #[must_use]
    pub fn part(&self, hits: u64) -> (f64, f64, f64) {
        let draws = self.draws();
        let met = hits as f64 / draws.max(1) as f64;
        let (low, high) = if draws == 0 { (0.0, 1.0) } else { interval(met, draws, 0.05) };
        (met, low, high)
    }
}
