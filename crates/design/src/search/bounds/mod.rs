//! Lower bounds on the ones of a tolerant code.
//!
//! # What is promised
//! Every bound holds for every code with n = k that tolerates b under `adversarial`, `zero` or `one`,
//! and under `abstain` where all loads are odd; the columns bound without that restriction. Rows may be
//! empty. Proofs: docs/theory/bounds.md. All arithmetic is in integers.
//!
//! # References
//! Ours, by elementary counting. docs/theory/bounds.md has each bound with its proof.

mod averaging;
mod binomials;
mod demand;
mod exhausted;
mod moments;
mod split;

pub use demand::{BoundError, Bounds, bounds_for, bounds_on_ones};
pub use exhausted::{Exhausted, exhausted};
pub use moments::{Case, LeftOut, Multipliers, SecondMoment, Weighed, second_moment};

pub(super) use averaging::{Frame, least};
pub(super) use binomials::{Binomials, choose};
pub(super) use split::Split;

use crate::construct::{Algorithm1, ConstructError, refuse};
use averaging::{AVERAGED, averaging};
use split::split;

/// A number that no tolerant code is below: of ones, unless something else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What the bound is called.
    pub name: &'static str,
    /// No tolerant code has fewer.
    pub least: usize,
    /// Where the proof is.
    pub source: &'static str,
}

impl Bound {
    /// Whether it was found by exhaustion and not by a theorem.
    #[must_use]
    pub fn by_search(&self) -> bool {
        self.name == EXHAUSTION
    }
}

/// The split bound is worked out up to here: within a second on one core.
const SPLIT: usize = 41;

/// Second moments are worked out up to here: within a second on one core, and in 128 bits.
const SECOND_MOMENT: usize = 31;

/// Every bound that is known for (n, b), the strongest last (among equal ones the simplest last).
///
/// ```
/// use ecode_design::search::bounds;
/// let strongest = bounds(9, 3)?.pop().ok_or("no bound")?;
/// // Algorithm 1 has 71 ones for (9, 3): nothing can be better.
/// assert_eq!(strongest.least, 71);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When n is even or 0, or b > (n − 1)/2: there no code tolerates b, or the bounds do not speak of it.
pub fn bounds(n: usize, b: usize) -> Result<Vec<Bound>, ConstructError> {
    if n % 2 == 0 {
        return refuse(format!("the bounds speak of an odd number of workers, but n = {n}"));
    }
    let t = (n - 1) / 2;
    if b > t {
        return refuse(format!("no code tolerates b = {b} of n = {n} workers: b is at most {t}"));
    }
    let mut bounds = Vec::new();
    if b > 0 && b < t && n <= SECOND_MOMENT {
        bounds.push(Bound {
            name: MOMENTS,
            least: second_moment(n, b, Algorithm1::new(n, b)?.ones()).at_least,
            source: "docs/theory.md, Theorem 32",
        });
    }
    if b > 0 && n <= SPLIT {
        bounds.push(Bound {
            name: "split averaging",
            least: split(Frame::square(n, b), Algorithm1::new(n, b)?.ones()),
            source: "docs/theory.md, Theorem 12",
        });
    }
    if b > 0
        && n <= AVERAGED
        && let Some(least) = averaging(Frame::square(n, b))
    {
        bounds.push(Bound { name: "averaging", least, source: "docs/theory.md, Theorem 11" });
    }
    if b + 1 == t && b > 0 {
        bounds.push(Bound { name: "two rows", least: n * n - n - 1, source: "docs/theory.md, Theorem 13" });
    }
    if b + 2 == t && b > 0 && n >= 9 {
        let least = n * n - 2 * n - 4;
        bounds.push(Bound { name: "three rows", least, source: "docs/theory.md, Theorem 33" });
    }
    bounds.push(Bound {
        name: "columns",
        least: n * (2 * b + 1),
        source: "docs/theory.md, Theorem 6; n(2b + 1)",
    });
    if let Some(excluded) = exhausted().find(|excluded| (excluded.n, excluded.b) == (n, b)) {
        let source = "ecode search --exact; docs/theory/exhaustion.md";
        bounds.push(Bound { name: EXHAUSTION, least: excluded.at_least, source });
    }
    bounds.sort_by_key(|bound| bound.least);
    Ok(bounds)
}

const MOMENTS: &str = "second moment";
const EXHAUSTION: &str = "exhaustion";
