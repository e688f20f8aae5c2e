//! Random codes one by one: how many of some draws tolerate how many liars.
//!
//! # What is promised
//! Every draw that is counted was verified. The probabilities that come from the counts carry intervals.

use rayon::prelude::*;

use super::estimate::interval;
use ecode_core::{AllocationMatrix, TieRule};
use ecode_verify::{Control, Method, Radius, VerifyError, verify};

/// Draws that are verified at once, by all threads.
const BATCH: u64 = 1 << 14;

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
    /// [`DrawError`]: the first error of `draw`, or of the engines that verify.
    pub fn of<E: Send>(
        draw: impl Fn(u64) -> Result<AllocationMatrix, E> + Sync,
        draws: u64,
        ties: TieRule,
        control: &Control,
    ) -> Result<Self, DrawError<E>> {
        control.begin(draws);
        let radius = |number| {
            if control.stopped() {
                return Ok(Radius::Unknown);
            }
            let g = draw(number).map_err(DrawError::Draw)?;
            // A control of its own: the shared one counts draws.
            let verdict = verify(&g, None, ties, Method::Auto, &control.unwatched())?;
            control.advance(1);
            Ok(verdict.radius())
        };
        let mut found = Self { none: 0, by_radius: Vec::new() };
        let mut first = 0;
        // In batches: what is left costs neither time nor memory after a stop.
        while first < draws && !control.stopped() {
            let end = draws.min(first + BATCH);
            let radii: Vec<Radius> =
                (first..end).into_par_iter().map(radius).collect::<Result<_, DrawError<E>>>()?;
            for radius in radii {
                match radius {
                    // What was not settled counts neither way.
                    Radius::AtLeast(_) | Radius::Unknown => {}
                    Radius::FailsWithoutLiars => found.none += 1,
                    Radius::Exactly(radius) => {
                        if found.by_radius.len() <= radius {
                            found.by_radius.resize(radius + 1, 0);
                        }
                        found.by_radius[radius] += 1;
                    }
                }
            }
            first = end;
        }
        Ok(found)
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
        let frequency = hits as f64 / draws.max(1) as f64;
        let (low, high) = if draws == 0 { (0.0, 1.0) } else { interval(frequency, draws, 0.05) };
        (frequency, low, high)
    }
}
