//! The claim "G is not b-tolerant" as inequalities between 0/1 variables, for any pseudo-Boolean solver.
//!
//! # What is promised
//! G is b-tolerant under the tie rule exactly when the formulas of all [`deciding_sides`] are unsatisfiable. A
//! formula is made from G alone, row by row, with nothing merged or left out: docs/formats.md says how, and is
//! enough to make it again. In the same way, no q workers overturn more than c files exactly when
//! [`Formula::distortion`] is unsatisfiable.
//!
//! # References
//! Theorems 1 to 3 of docs/theory.md.

use std::fmt::Write as _;

use super::digest;
use super::matrix::AllocationMatrix;
use super::vote::TieRule;

/// Σ coefficient · variable ≥ `at_least`. Variables count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inequality {
    /// Coefficients, never zero, with their variables in increasing order.
    pub terms: Vec<(i64, usize)>,
    /// The right-hand side.
    pub at_least: i64,
}

/// A worker with a threshold: it counts as turned when `needed` of its partitions are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The worker.
    pub worker: usize,
    /// How many chosen partitions turn it. 0 means that it is turned whatever is chosen.
    pub needed: usize,
    /// What it adds to the loss when it is turned.
    pub units: usize,
}

/// One side of the negated claim: "at most b Byzantine workers overturn some message with this correct answer".
///
/// Variable i + 1, for i < k, says that partition i is *chosen*: its bit speaks against the correct
/// answer. Variable k + 1 + p says that the p-th entry of [`turned`](Self::turned) counts as turned.
///
/// ```
/// use ecode_core::{AllocationMatrix, Formula, TieRule, deciding_sides};
/// // Three workers that hold everything: is there a wrong decode with two liars?
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// assert_eq!(deciding_sides(&g, TieRule::Zero), [false]);
/// let formula = Formula::new(&g, TieRule::Zero, 2, false);
/// assert_eq!(formula.opb().lines().last(), Some("1 x4 1 x5 1 x6 >= 0 ;"));
/// # Ok::<(), ecode_core::MatrixError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Formula {
    /// The number of partitions.
    pub k: usize,
    /// μ, the correct answer on this side.
    pub correct: bool,
    /// The largest number of partitions that a message of this side chooses.
    pub weight: usize,
    /// Which workers can be turned, in the order of the workers.
    pub turned: Vec<Turned>,
    /// The number of units that overturns the decode.
    pub overturn: i64,
    /// First an inequality for each entry of `turned` that needs a partition, in that order. Then "at most `weight`
    /// partitions are chosen". Last "the units of the turned workers reach `overturn`".
    pub inequalities: Vec<Inequality>,
}

/// The correct answers μ whose formulas decide the claim. It is one where one side decides for both, else both.
///
/// # References
/// Theorem 3 of docs/theory.md.
#[must_use]
pub fn deciding_sides(g: &AllocationMatrix, ties: TieRule) -> Vec<bool> {
    let odd_loads = g.all_loads_odd();
    if g.n() % 2 == 1 && (odd_loads || matches!(ties, TieRule::Adversarial | TieRule::One)) {
        return vec![false];
    }
    if g.k() % 2 == 1 && (odd_loads || ties != TieRule::One) {
        return vec![true];
    }
    vec![false, true]
}

impl Formula {
    /// The formula of one side of the claim that b Byzantine workers overturn some message.
    #[must_use]
    pub fn new(g: &AllocationMatrix, ties: TieRule, b: usize, correct: bool) -> Self {
        Self::below(g, ties, b as i64, correct)
    }

    /// The formula of one side of "some message has a margin below this". A negative margin says by how many votes
    /// a message is decoded wrong when nobody lies.
    ///
    /// # References
    /// Theorems 1 and 2 of docs/theory.md.
    #[must_use]
    pub fn below(g: &AllocationMatrix, ties: TieRule, margin: i64, correct: bool) -> Self {
        let (n, k) = (g.n(), g.k());
        // The bits that speak against the answer: at most k/2 ones where it is 0, fewer than k/2 zeros where it is 1.
        let weight = if correct { (k - 1) / 2 } else { k / 2 };
        let mut turned = Vec::new();
        for worker in 0..n {
            let load = g.worker_load(worker);
            let (half, beyond) = (load.div_ceil(2), load / 2 + 1);
            // A wrong worker costs the lead of the right votes two units, a silent one costs it one.
            match ties {
                _ if half == beyond => turned.push(Turned { worker, needed: half, units: 2 }),
                TieRule::Abstain => {
                    turned.push(Turned { worker, needed: half, units: 1 });
                    turned.push(Turned { worker, needed: beyond, units: 1 });
                }
                TieRule::Adversarial => turned.push(Turned { worker, needed: half, units: 2 }),
                TieRule::Zero | TieRule::One => {
                    // The rule gives a tied worker its bit. The worker is turned when that bit is wrong.
                    let tie_is_wrong = (ties == TieRule::One) != correct;
                    let needed = if tie_is_wrong { half } else { beyond };
                    turned.push(Turned { worker, needed, units: 2 });
                }
            }
        }
        // The margin is ⌊(n − loss − [μ = 1]) / 2⌋.
        let mut overturn = n as i64 - i64::from(correct) - 2 * margin + 1;
        if turned.iter().all(|turned| turned.units == 2) {
            for turned in &mut turned {
                turned.units = 1;
            }
            overturn = overturn.div_euclid(2) + overturn.rem_euclid(2);
        }
        Self::of(g, correct, weight, turned, overturn)
    }

    /// "Some q workers, or fewer, overturn more than this many files", a file being a partition of which liars hold at least half
    /// of the copies. Variable j + 1 says that worker j lies, variable n + 1 + i that file i counts as overturned: the
    /// same inequalities as of a side, for the transposed matrix, with q for the weight and units of 1.
    ///
    /// ```
    /// use ecode_core::{AllocationMatrix, Formula};
    /// // Three workers share one file: can one of them overturn it?
    /// let g = AllocationMatrix::from_fn(3, 1, |_, _| true)?;
    /// let formula = Formula::distortion(&g, 1, 0);
    /// assert_eq!(formula.opb().lines().nth(1), Some("1 x1 1 x2 1 x3 -2 x4 >= 0 ;"));
    /// assert_eq!(formula.opb().lines().nth(2), Some("-1 x1 -1 x2 -1 x3 >= -1 ;"));
    /// # Ok::<(), ecode_core::MatrixError>(())
    /// ```
    #[must_use]
    pub fn distortion(g: &AllocationMatrix, liars: usize, files: usize) -> Self {
        let rows = g.transposed();
        let half = |file| Turned { worker: file, needed: rows.worker_load(file).div_ceil(2), units: 1 };
        let turned = (0..rows.n()).map(half).collect();
        Self::of(&rows, false, liars, turned, files as i64 + 1)
    }

    /// The inequalities over the rows of a matrix.
    fn of(g: &AllocationMatrix, correct: bool, weight: usize, turned: Vec<Turned>, overturn: i64) -> Self {
        let k = g.k();
        let mut inequalities = Vec::new();
        for (place, &Turned { worker, needed, .. }) in turned.iter().enumerate() {
            if needed > 0 {
                let mut terms: Vec<_> = g.support(worker).map(|i| (1, i + 1)).collect();
                terms.push((-(needed as i64), k + 1 + place));
                inequalities.push(Inequality { terms, at_least: 0 });
            }
        }
        let terms = (1..=k).map(|x| (-1, x)).collect();
        inequalities.push(Inequality { terms, at_least: -(weight as i64) });
        let terms = turned.iter().enumerate().map(|(place, t)| (t.units as i64, k + 1 + place)).collect();
        inequalities.push(Inequality { terms, at_least: overturn });
        Self { k, correct, weight, turned, overturn, inequalities }
    }

    /// How many variables there are.
    #[must_use]
    pub fn variables(&self) -> usize {
        self.k + self.turned.len()
    }

    /// The formula as OPB text: the header, then one line an inequality.
    #[must_use]
    pub fn opb(&self) -> String {
        let mut text =
            format!("* #variable= {} #constraint= {}\n", self.variables(), self.inequalities.len());
        for inequality in &self.inequalities {
            for (coefficient, variable) in &inequality.terms {
                // Writing to a String cannot fail.
                let _ = write!(text, "{coefficient} x{variable} ");
            }
            let _ = writeln!(text, ">= {} ;", inequality.at_least);
        }
        text
    }

    /// `sha256:` and the SHA-256 of [`Self::opb`] in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::sha256(self.opb().as_bytes())
    }
}
