//! The fewest ones of any tolerant code, by exhaustion.
//!
//! By Lemma 10 of docs/theory.md every load may be taken to be odd or 0. A *family* is the rows of a code
//! that are not full, lightest first; families are built row by row, all of one size before the next,
//! and of those that differ only by the names of workers and partitions one is kept. A family is
//! dropped when some message of weight t wins more than t − b of its rows, or when a lower bound says
//! that no completion has few enough ones.
//!
//! # What is promised
//! - No bound on the ones is returned unless every family below it was built or excluded.
//! - A code that is returned wins at most t − b rows with every message of weight t; it is for
//!   [`ecode_verify`] to say that it is tolerant.
//!
//! # References
//! B. D. McKay, *Isomorph-Free Exhaustive Generation*, Journal of Algorithms 26 (1998), 306–324.

mod canonical;
mod case;
mod closed;
mod light;
mod messages;

use super::bounds::Frame;
use case::{Case, Outcome};
pub use closed::{ClosedFamilies, closed_families};
use light::cases;
use messages::Messages;

use crate::construct::{ConstructError, refuse};
use ecode_core::AllocationMatrix;

/// The exact search is for up to this many workers.
const MOST: usize = 15;

/// What an exact search found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// No tolerant code has fewer ones.
    pub at_least: usize,
    /// A code with exactly that many ones, where the search came to one before it had to end.
    pub matrix: Option<AllocationMatrix>,
    /// The totals that were tried, each with the number of families that were built for it.
    pub tried: Vec<(usize, u64)>,
}

/// Finds the fewest ones of any b-tolerant code of n workers and n partitions, n odd, by trying the
/// totals upwards from `from`, which must be a proven lower bound, to below `to`; every smaller total
/// of either parity is excluded. `stopped` ends the work, which then says what it knows.
///
/// ```
/// let found = ecode_design::search::minimum(7, 1, 27, 49, &|| false)?;
/// assert_eq!(found.at_least, 29);
/// assert!(found.matrix.is_some_and(|code| code.ones() == 29));
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// When n is even or above 15, or b is 0 or above (n − 1)/2.
pub fn minimum(
    n: usize,
    b: usize,
    from: usize,
    to: usize,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Exact, ConstructError> {
    minimum_within(n, b, n, from, to, stopped)
}

/// The same of the codes in which no worker holds more than `heaviest` partitions. Where `to` is above
/// n·`heaviest` and no code is found, there is none.
///
/// ```
/// // Five workers that hold at most three partitions each tolerate no liar.
/// let found = ecode_design::search::minimum_within(5, 1, 3, 15, 16, &|| false)?;
/// assert_eq!((found.at_least, found.matrix), (16, None));
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
///
/// # Errors
/// Those of [`minimum`], and when `heaviest` is below 3 or above n.
pub fn minimum_within(
    n: usize,
    b: usize,
    heaviest: usize,
    from: usize,
    to: usize,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Exact, ConstructError> {
    if n % 2 == 0 || n > MOST || b == 0 || 2 * b + 1 > n {
        return refuse(format!(
            "the exact search takes odd n up to {MOST} and 1 ≤ b ≤ (n − 1)/2, not n = {n}, b = {b}"
        ));
    }
    if !(3..=n).contains(&heaviest) {
        return refuse(format!("the exact search takes a largest load from 3 to n = {n}, not {heaviest}"));
    }
    // Lemma 10: all loads may be taken to be odd.
    let frame = Frame { heaviest: heaviest - (heaviest + 1) % 2, ..Frame::square(n, b) };
    let mut exact = Exact { at_least: from, matrix: None, tried: Vec::new() };
    let messages = Messages::new(n);
    while exact.at_least < to {
        let mut families = 0;
        for light in cases(n, b) {
            let Some(case) = Case::new(frame, b, &light, exact.at_least) else { continue };
            match case.run(&messages, &mut families, stopped) {
                Outcome::Found(rows) => {
                    let rows: Vec<Vec<usize>> =
                        rows.iter().map(|row| (0..n).filter(|i| row >> i & 1 == 1).collect()).collect();
                    exact.matrix = Some(AllocationMatrix::from_supports(n, &rows)?);
                    exact.tried.push((exact.at_least, families));
                    return Ok(exact);
                }
                Outcome::None => {}
                Outcome::Stopped => return Ok(exact),
            }
        }
        exact.tried.push((exact.at_least, families));
        exact.at_least += 1;
    }
    Ok(exact)
}

/// Every further row beside these, of odd load in a range, but for the names of partitions that the same rows hold.
fn further(n: usize, rows: &[u16], (lightest, heaviest): (usize, usize), mut each: impl FnMut(u16)) {
    // Partitions that the same rows hold are alike: a new row takes the first ones of each class.
    let mut classes: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
    for i in 0..n {
        let held: Vec<bool> = rows.iter().map(|row| row >> i & 1 == 1).collect();
        match classes.iter_mut().find(|(class, _)| *class == held) {
            Some((_, members)) => members.push(i),
            None => classes.push((held, vec![i])),
        }
    }
    let mut counts = vec![0; classes.len()];
    // Every vector of counts.
    while let Some(c) = (0..counts.len()).find(|&c| counts[c] < classes[c].1.len()) {
        counts[..c].fill(0);
        counts[c] += 1;
        let load: usize = counts.iter().sum();
        if load % 2 == 1 && (lightest..=heaviest).contains(&load) {
            let chosen = classes.iter().zip(&counts).flat_map(|((_, members), &count)| &members[..count]);
            each(chosen.fold(0_u16, |row, i| row | 1 << i));
        }
    }
}
