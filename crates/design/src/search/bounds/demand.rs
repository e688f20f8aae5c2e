//! Bounds for a [`Demand`]: any numbers of workers and partitions, any limit on loads.
//!
//! # What is promised
//! What is called impossible is so, by the theorem that is named; the bounds hold for every code that tolerates b under
//! the tie rule and keeps the limit.

use super::averaging::{AVERAGED, Frame, averaging};
use super::split::split;
use super::{Bound, bounds};
use crate::construct::{ConstructError, Demand, Objective};
use ecode_core::{AllocationMatrix, TieRule};

/// The strongest bounds for a demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// On the ones of codes that keep the demand's limit on loads.
    pub ones: Bound,
    /// On the partitions that the heaviest worker holds.
    pub max_load: Bound,
}

/// Why there are no bounds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundError {
    /// The demand is none.
    #[error(transparent)]
    Demand(#[from] ConstructError),
    /// No code meets the demand: proven.
    #[error("no code exists: {reason} ({proof})")]
    Impossible {
        /// In a few words.
        reason: String,
        /// Where the proof is.
        proof: &'static str,
    },
}

/// Split averaging under a limit is worked out up to here: within a second on one core.
const SPLIT_LIMITED: usize = 21;

/// (n, b) for which exhaustion has shown that some worker holds everything (k = n).
const FULL_ROW_NEEDED: [(usize, usize); 3] = [(7, 1), (9, 1), (11, 2)];

/// The strongest bounds that are known for the demand.
///
/// ```
/// use ecode_design::construct::Demand;
/// use ecode_design::search::{BoundError, bounds_for};
/// // Nine workers, a liar among them, and as many partitions: somebody has to hold all of them.
/// let demand = Demand { max_load: 3, ..Demand::square(9, 1) };
/// assert!(matches!(bounds_for(&demand), Err(BoundError::Impossible { reason, .. }) if reason.contains("at least 9")));
/// // With five partitions nobody needs more than three.
/// let demand = Demand { k: 5, ..demand };
/// assert!(bounds_for(&demand)?.max_load.least <= 3);
/// # Ok::<(), BoundError>(())
/// ```
///
/// # Errors
/// [`BoundError`]: sizes that are none, or a demand that no code meets.
pub fn bounds_for(demand: &Demand) -> Result<Bounds, BoundError> {
    let max_load = heaviest_load(demand)?;
    let weakest = columns(demand);
    let ones = bounds_on_ones(demand)?.pop().unwrap_or(weakest);
    Ok(Bounds { ones, max_load })
}

impl Bounds {
    /// Whether these bounds for the demand say that no code for it is better than this one.
    ///
    /// # Errors
    /// Those of [`bounds_for`].
    pub fn met_by(&self, demand: &Demand, g: &AllocationMatrix) -> Result<bool, BoundError> {
        let heaviest = Demand::heaviest(g);
        let lightest = heaviest == self.max_load.least;
        Ok(match demand.objective {
            Objective::Ones => g.ones() == self.ones.least,
            Objective::MaxLoad => lightest,
            // The ones are compared among codes with this heaviest load.
            Objective::Lexicographic => {
                lightest && g.ones() == bounds_for(&Demand { max_load: heaviest, ..*demand })?.ones.least
            }
        })
    }
}

/// Every bound on the ones that is known for the demand, the strongest last (among equal ones the simplest last).
///
/// # Errors
/// Those of [`bounds_for`].
pub fn bounds_on_ones(demand: &Demand) -> Result<Vec<Bound>, BoundError> {
    heaviest_load(demand)?;
    let Demand { n, k, b, .. } = *demand;
    if !odd_loads_suffice(demand) {
        return Ok(vec![columns(demand)]);
    }
    let square = n == k && n % 2 == 1;
    if square && !demand.limited() {
        return Ok(bounds(n, b)?);
    }
    let mut all = Vec::new();
    if n.max(k) <= AVERAGED {
        let frame = frame(demand, demand.max_load.min(k));
        all.extend(by_split(frame));
        all.extend(averaging(frame).map(by_averaging));
    }
    all.push(columns(demand));
    if square {
        // What holds for all codes holds for those that keep a limit.
        all.extend(bounds(n, b)?);
    }
    all.sort_by_key(|bound| bound.least);
    Ok(all)
}

/// No tolerant code has a lighter heaviest worker, whatever the demand's limit is.
///
/// # Errors
/// [`BoundError`]: sizes that are none, or a limit below what it returns.
fn heaviest_load(demand: &Demand) -> Result<Bound, BoundError> {
    demand.check()?;
    let Demand { n, k, b, ties, max_load, .. } = *demand;
    if k % 2 == 0 && b > 0 && ties != TieRule::Zero {
        return Err(BoundError::Impossible {
            reason: format!(
                "an even number of partitions, k = {k}, leaves room for a liar under the tie rule zero only; \
                 take an odd one, such as k = {}",
                k - 1
            ),
            proof: "docs/theory.md, Theorem 4",
        });
    }
    let mut bound = Bound { least: columns(demand).least.div_ceil(n), ..columns(demand) };
    if odd_loads_suffice(demand) {
        bound.least |= 1;
        if n == k && n % 2 == 1 && FULL_ROW_NEEDED.contains(&(n, b)) {
            let source = "ecode search --exact --max-load; docs/theory/exhaustion.md";
            bound = Bound { name: "exhaustion", least: n, source };
        } else if n.max(k) <= AVERAGED {
            // The first load under which an average leaves a code; with full rows there is one.
            while let Some(stronger) = excluded(frame(demand, bound.least)) {
                bound = Bound { least: bound.least + 2, ..stronger };
            }
        }
    }
    let most = max_load.min(k);
    if bound.least > most {
        return Err(BoundError::Impossible {
            reason: format!("some worker holds at least {} partitions, and the limit is {most}", bound.least),
            proof: bound.source,
        });
    }
    Ok(bound)
}

/// The average that leaves no code in the frame, if one does.
fn excluded(frame: Frame) -> Option<Bound> {
    match averaging(frame) {
        None => Some(by_averaging(0)),
        Some(_) => by_split(frame).filter(|bound| bound.least == no_code(frame)),
    }
}

/// More ones than a code of the frame can have.
fn no_code(frame: Frame) -> usize {
    frame.n * frame.heaviest + 1
}

fn by_averaging(least: usize) -> Bound {
    Bound { name: "averaging", least, source: "docs/theory.md, Theorem 11" }
}

/// Where it speaks of the frame and takes no longer than a second.
fn by_split(frame: Frame) -> Option<Bound> {
    let speaks = frame.n.max(frame.k) <= SPLIT_LIMITED && frame.budget < frame.v();
    let least = speaks.then(|| split(frame, no_code(frame)))?;
    Some(Bound { name: "split averaging", least, source: "docs/theory.md, Theorem 12" })
}

fn columns(demand: &Demand) -> Bound {
    let Demand { k, b, .. } = *demand;
    Bound { name: "columns", least: (2 * b + 1) * k, source: "docs/theory.md, Theorem 6" }
}

/// Whether all loads may be taken to be odd (Lemma 10): k is odd, and the tie rule asks for as much as `adversarial`
/// (Theorem 5).
fn odd_loads_suffice(demand: &Demand) -> bool {
    let Demand { n, k, ties, .. } = *demand;
    let alike = matches!(ties, TieRule::Adversarial | TieRule::Zero) || ties == TieRule::One && n % 2 == 1;
    k % 2 == 1 && alike
}

fn frame(demand: &Demand, heaviest: usize) -> Frame {
    let Demand { n, k, b, .. } = *demand;
    Frame { n, k, budget: (n - 1) / 2 - b, heaviest: heaviest - (heaviest + 1) % 2 }
}
