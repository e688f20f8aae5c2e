//! The gluing theorem: tolerance of large codes of one shape, from a check of small parts.
//!
//! # The shape
//! t − b workers hold one partition each, all different; the other N = t + 1 + b partitions are U (here
//! t = (k − 1)/2). Every other worker is *local*, its row lies inside U, or *full*. Write W(K) for the
//! number of local rows of which K holds the majority. Such a code tolerates b exactly when
//! W(K) ≤ |K| − b for every K ⊆ U with b ≤ |K| ≤ t.
//!
//! There are as many partitions as workers, an odd number, or one fewer than an even number of workers: t wrong
//! workers are a minority of 2t + 2 as of 2t + 1, so that one full row more changes nothing.
//!
//! # Gluing
//! U is cut into consecutive *parts*. A local row belongs to the last part that it touches, and what it
//! holds of earlier parts are its *old* points. When a part's rows satisfy a condition on the part alone
//! (how many they can win with a given set of the part's points and c old ones, see [`Shape::prove`]),
//! the part can be glued to any family before it. Proofs: docs/theory/lighter.md.
//!
//! # What is promised
//! [`Shape::prove`] looks at the matrix, not at how it was made: a shape may come from anywhere, and a
//! proof that is returned stands for the matrix whatever the shape's author did.
//!
//! # References
//! Ours: docs/theory/lighter.md has the theorem and its proof.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::control::Control;
use super::engine::Goal;
use super::instance::Instance;
use super::local::LocalSearch;
use super::verdict::run;
use super::verdict::{Conclusion, Verdict, VerifyError};
use ecode_core::{AllocationMatrix, MAX_SIZE, TieRule};

/// How U is cut into parts, in the order in which they are glued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(pub Vec<Part>);

/// The parts in the order in which they are glued: `7` an enumerated part, `7c` a counted one, and in
/// brackets one under the lemma.
impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0.as_slice();
        while let Some(part) = rest.first() {
            let run = rest.iter().take_while(|other| *other == part).count();
            match part {
                Part::Enumerated(points) => write!(f, "{points}")?,
                Part::Counted(points) => write!(f, "{points}c")?,
                Part::Lemma(inner) => write!(f, "({inner})")?,
            }
            if run > 1 {
                write!(f, "×{run}")?;
            }
            rest = &rest[run..];
            if !rest.is_empty() {
                f.write_str(" + ")?;
            }
        }
        Ok(())
    }
}

/// A part of U: consecutive points, and the way in which its condition is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This many points; every choice of how many points of each kind is looked at.
    Enumerated(usize),
    /// This many points; the rows lie inside the part, and the i-th lightest (from 0) has weight at
    /// least 2(b + i) + 1, so that only b + i + 1 points win it.
    Counted(usize),
    /// The gluing lemma: b rows that hold the whole part and old points, the others a family inside the
    /// part that has this shape itself.
    Lemma(Shape),
}

impl Part {
    /// The number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        match self {
            Self::Enumerated(points) | Self::Counted(points) => *points,
            Self::Lemma(inner) => inner.points(),
        }
    }
}

/// Enumerating one part stops here: 2^24 choices, about a second.
const ENUMERABLE: u64 = 1 << 24;

/// A premise of the gluing theorem that a matrix does not meet, or that was not checked in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Premise(String);

fn premise<T>(text: impl Into<String>) -> Result<T, Premise> {
    Err(Premise(text.into()))
}

/// That a matrix tolerates b: every premise of the gluing theorem was checked on its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    b: usize,
    choices: u64,
}

impl Proof {
    /// The number of Byzantine workers that the matrix tolerates.
    #[must_use]
    pub fn b(&self) -> usize {
        self.b
    }

    /// How many choices of points were looked at, all parts together.
    #[must_use]
    pub fn choices(&self) -> u64 {
        self.choices
    }
}

/// A local row inside one part: which of the part's points it holds, and how many old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PartRow {
    new: Vec<usize>,
    old: usize,
}

impl PartRow {
    fn needed(&self) -> usize {
        (self.new.len() + self.old).div_ceil(2)
    }
}

impl Shape {
    /// The number of points of all parts.
    #[must_use]
    pub fn points(&self) -> usize {
        self.0.iter().map(Part::points).sum()
    }

    /// The shape as nested JSON lists: a number is an enumerated part, `{"counted": points}` a counted one, a list
    /// one under the lemma.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parts = self.0.iter().map(|part| match part {
            Part::Enumerated(points) => json!(points),
            Part::Counted(points) => json!({"counted": points}),
            Part::Lemma(inner) => inner.to_json(),
        });
        Value::Array(parts.collect())
    }

    /// Reads what [`Self::to_json`] wrote; `None` where it is no shape.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let points =
            |value: &Value| usize::try_from(value.as_u64()?).ok().filter(|&points| points <= MAX_SIZE);
        let part = |part: &Value| match part {
            Value::Array(_) => Self::from_json(part).map(Part::Lemma),
            Value::Object(_) => points(part.get("counted")?).map(Part::Counted),
            _ => points(part).map(Part::Enumerated),
        };
        value.as_array()?.iter().map(part).collect::<Option<_>>().map(Self)
    }

    /// Checks every premise of the gluing theorem on G, for this cut of U.
    ///
    /// A part of m points P, after a family on V, passes when for every L ⊆ P and every possible number c
    /// of old points, its rows win at most max(0, |L| + c − b) with L and c of their old points where
    /// c < b, and at most |L| where c ≥ b; or by the lemma. Only |L| + c ≤ t matters.
    ///
    /// # Errors
    /// [`Premise`]: the first that does not hold. This refutes the shape, not the tolerance of G.
    pub fn prove(&self, g: &AllocationMatrix, b: usize) -> Result<Proof, Premise> {
        self.prove_within(g, b, &Control::default())
    }

    /// As [`Self::prove`], until the control says stop.
    ///
    /// # Errors
    /// [`Premise`]: the first that does not hold, or that could not be checked in time.
    pub fn prove_within(&self, g: &AllocationMatrix, b: usize, control: &Control) -> Result<Proof, Premise> {
        let (n, k) = (g.n(), g.k());
        if k % 2 == 0 || !(n == k || n == k + 1) {
            return premise(
                "the theorem speaks of an odd number of partitions and as many workers, or one more",
            );
        }
        let t = (k - 1) / 2;
        if b == 0 || b > t {
            return premise(format!("the theorem speaks of 1 ≤ b ≤ {t}"));
        }
        let mut owned = vec![false; k];
        let mut local = Vec::new();
        for j in 0..n {
            let row: Vec<usize> = g.support(j).collect();
            match row.len() {
                1 if owned[row[0]] => return premise(format!("two workers hold only partition {}", row[0])),
                1 => owned[row[0]] = true,
                load if load == k => {}
                load if load % 2 == 1 => local.push((j, row)),
                _ => return premise(format!("worker {j} holds an even number of partitions")),
            }
        }
        let singles = owned.iter().filter(|&&owned| owned).count();
        if singles != t - b {
            return premise(format!("{singles} workers hold one partition, not t − b = {}", t - b));
        }
        let mut place = vec![usize::MAX; k];
        for (point, i) in (0..k).filter(|&i| !owned[i]).enumerate() {
            place[i] = point;
        }
        let mut rows = Vec::with_capacity(local.len());
        for (j, row) in local {
            if row.iter().any(|&i| owned[i]) {
                return premise(format!("worker {j} holds a partition that another holds alone"));
            }
            rows.push(row.iter().map(|&i| place[i]).collect());
        }
        if self.points() != t + 1 + b {
            return premise(format!("the parts have {} points, not {}", self.points(), t + 1 + b));
        }
        let choices = valid(&self.0, &rows, b, t, control)?;
        Ok(Proof { b, choices })
    }
}

/// Checks that a family is b-valid for all K of at most t points: W(K) ≤ max(0, |K| − b). Returns the
/// number of choices looked at.
fn valid(parts: &[Part], rows: &[Vec<usize>], b: usize, t: usize, control: &Control) -> Result<u64, Premise> {
    let ends: Vec<usize> = parts
        .iter()
        .scan(0, |end, part| {
            *end += part.points();
            Some(*end)
        })
        .collect();
    let mut of_part: Vec<Vec<PartRow>> = vec![Vec::new(); parts.len()];
    for row in rows {
        let last = row.iter().max().copied().unwrap_or(0);
        let p = ends.partition_point(|&end| end <= last);
        let start = ends[p] - parts[p].points();
        let new: Vec<usize> = row.iter().filter(|&&i| i >= start).map(|&i| i - start).collect();
        of_part[p].push(PartRow { old: row.len() - new.len(), new });
    }
    let mut choices = 0;
    for (p, part) in parts.iter().enumerate() {
        let before = ends[p] - part.points();
        choices += match part {
            Part::Enumerated(points) => enumerate(*points, before, &of_part[p], (b, t), control)?,
            Part::Counted(points) => counted(*points, &of_part[p], b)?,
            Part::Lemma(inner) => lemma(inner, before, &of_part[p], (b, t), control)?,
        };
    }
    Ok(choices)
}

/// The premises of counting: no old points, and weights of at least 2b + 1, 2b + 3, …
fn counted(m: usize, rows: &[PartRow], b: usize) -> Result<u64, Premise> {
    let mut weights: Vec<usize> = rows.iter().map(|row| row.new.len()).collect();
    weights.sort_unstable();
    let heavy = weights.iter().enumerate().all(|(i, &weight)| weight > 2 * (b + i));
    if !heavy || rows.iter().any(|row| row.old > 0) {
        return premise(format!("a part of {m} points has rows too light to be counted"));
    }
    Ok(1)
}

/// The premises of the lemma: b rows P ∪ Oᵢ with |Oᵢ| = m + 1 − 2i, and a b-valid family of at most
/// m − 2b rows inside P.
fn lemma(
    inner: &Shape,
    before: usize,
    rows: &[PartRow],
    (b, t): (usize, usize),
    control: &Control,
) -> Result<u64, Premise> {
    let m = inner.points();
    let (glue, family): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.old > 0);
    let mut old: Vec<usize> = glue.iter().map(|row| row.old).collect();
    old.sort_unstable_by(|a, b| b.cmp(a));
    let expected: Vec<usize> = (1..=b).map(|i| (m + 1).saturating_sub(2 * i)).collect();
    if m < 2 * b || old != expected || glue.iter().any(|row| row.new.len() != m) || old[0] > before {
        return premise(format!("a part of {m} points has no {b} rows of the lemma's form"));
    }
    if family.len() > m - 2 * b {
        return premise(format!("a part of {m} points has {} rows inside, more than m − 2b", family.len()));
    }
    let family: Vec<Vec<usize>> = family.iter().map(|row| row.new.clone()).collect();
    valid(&inner.0, &family, b, t, control)
}

/// Looks at every choice of points of one part, points that the same rows hold being alike.
fn enumerate(
    m: usize,
    before: usize,
    rows: &[PartRow],
    (b, t): (usize, usize),
    control: &Control,
) -> Result<u64, Premise> {
    let mut kinds: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    for i in 0..m {
        *kinds.entry(rows.iter().map(|row| row.new.contains(&i)).collect()).or_default() += 1;
    }
    let total = kinds.values().fold(1_u64, |product, &size| product.saturating_mul(size as u64 + 1));
    if total > ENUMERABLE {
        return premise(format!("a part of {m} points has {total} choices, too many to look at"));
    }
    let (kinds, sizes): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
    let mut counts = vec![0; sizes.len()];
    for looked in 1_u64.. {
        if looked % 1024 == 0 && control.stopped() {
            return premise(format!("a part of {m} points was not looked at in time"));
        }
        let inside: usize = counts.iter().sum();
        if inside <= t {
            let seen: Vec<usize> = (0..rows.len())
                .map(|j| kinds.iter().zip(&counts).filter(|(kind, _)| kind[j]).map(|(_, &count)| count).sum())
                .collect();
            let most = before.min(t - inside);
            // Below b old points each number has its own limit; from b on the largest is the worst.
            let cases = (0..=most.min(b - 1)).chain((most >= b).then_some(most));
            for c in cases {
                let won = rows
                    .iter()
                    .zip(&seen)
                    .filter(|(row, seen)| **seen + c.min(row.old) >= row.needed())
                    .count();
                let allowed = if c >= b { inside } else { (inside + c).saturating_sub(b) };
                if won > allowed {
                    return premise(format!(
                        "a part of {m} points loses {won} rows to {inside} of its points and {c} old ones"
                    ));
                }
            }
        }
        // The next count vector.
        let Some(c) = (0..counts.len()).find(|&c| counts[c] < sizes[c]) else { break };
        counts[..c].fill(0);
        counts[c] += 1;
    }
    Ok(total)
}

/// The verdict that the gluing theorem gives with this cut of U, or the premise that does not hold. The
/// rows are odd, so it holds under every tie rule. A local search looks for a message that contradicts
/// it, and may find the radius.
///
/// ```
/// use ecode_core::TieRule;
/// use ecode_design::construct::Gluing;
/// use ecode_verify::{Control, verify_by_gluing};
/// let code = Gluing::new(101, 10)?;
/// let verdict = verify_by_gluing(&code.matrix, &code.shape, 10, TieRule::Adversarial, &Control::default())??;
/// assert!(verdict.is_tolerant());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The outer error is [`VerifyError`]: a message contradicts the theorem. The inner one is the
/// [`Premise`] that the matrix does not meet.
pub fn verify_by_gluing(
    g: &AllocationMatrix,
    shape: &Shape,
    b: usize,
    ties: TieRule,
    control: &Control,
) -> Result<Result<Verdict, Premise>, VerifyError> {
    let start = std::time::Instant::now();
    let proof = match shape.prove_within(g, b, control) {
        Ok(proof) => proof,
        Err(premise) => return Ok(Err(premise)),
    };
    let mut verdict =
        run(&LocalSearch::default(), Instance::new(g, ties), Some(b + 1), Goal::Tolerates(b + 1), control)?;
    if let Some(worst) = verdict.worst.as_ref().filter(|worst| worst.margin < b as i64) {
        return Err(VerifyError::Disagreement(format!(
            "the gluing theorem proves at least {b}, a message shows {}",
            worst.margin
        )));
    }
    verdict.b = Some(b);
    verdict.floor = Some(b as i64);
    verdict.conclusion = Conclusion::Tolerant;
    verdict.method = "gluing";
    verdict.elapsed = start.elapsed();
    verdict.reason =
        Some(format!("the premises of the gluing theorem hold on the matrix ({} choices)", proof.choices()));
    Ok(Ok(verdict))
}
