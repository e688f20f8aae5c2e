//! Gluing: codes for every odd n and every b, put together from small blocks.
//!
//! Their shape, and why they tolerate b: [`ecode_verify::Shape`] and docs/theory/lighter.md.
//! [`Gluing`] chooses the parts by dynamic programming.

use serde_json::json;

use super::block::{Block, Placement};
use super::block_text::blocks;
use super::construction::{CATALOGUE, Construction, LIARS, WORKERS};
use super::error::{ConstructError, refuse};
use ecode_core::{AllocationMatrix, MAX_SIZE};
use ecode_verify::{Part, Shape};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "gluing",
    summary: "Small blocks glued together: fewer ones than algorithm1 (n odd, b ≥ 1)",
    source: "docs/theory/lighter.md",
    parameters: &[WORKERS, LIARS, CATALOGUE],
    example: "n=9,b=1",
    build: |arguments, _, blocks| {
        let (n, b) = (arguments.needed("n")?, arguments.needed("b")?);
        let code = Gluing::with_blocks(n, b, blocks)?;
        let parts = code.shape.to_json();
        Ok((code.matrix, arguments.provenance(&[("n", json!(n)), ("b", json!(b)), ("parts", parts)])))
    },
};

/// How the best family on some number of points ends.
#[derive(Clone, Copy, Debug)]
enum Ending<'a> {
    /// No points at all.
    Empty,
    /// One more point that no row holds.
    Point,
    /// The only part: rows of weight 2b + 1, 2b + 3, …, this many.
    Staircase(usize),
    /// A block found by search, after a family on the points before it (none unless it is a part).
    Block(&'a Block),
    /// The lemma with the best family on this many points inside.
    Lemma(usize),
}

/// The best family on some number of points.
#[derive(Clone, Copy, Debug)]
struct Choice<'a> {
    /// Σ (weight − n) over its rows: what it saves against full rows, negated.
    cost: i64,
    rows: usize,
    ending: Ending<'a>,
}

/// The code that gluing makes for (n, b), with the shape that proves it.
#[derive(Clone, Debug)]
pub struct Gluing {
    /// The allocation matrix, n × n.
    pub matrix: AllocationMatrix,
    /// How its U was cut, for [`Shape::prove`].
    pub shape: Shape,
}

impl Gluing {
    /// The fewest ones that gluing reaches with the program's own blocks.
    ///
    /// ```
    /// use ecode_design::construct::{Gluing, algorithm1};
    /// let code = Gluing::new(101, 1)?;
    /// assert!(code.matrix.ones() * 100 <= algorithm1(101, 1)?.ones() * 65);
    /// // Too large for any enumeration of messages: the theorem's premises are checked instead.
    /// assert_eq!(code.shape.prove(&code.matrix, 1)?.b(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When n is even or above 4096, b = 0, or b > (n − 1)/2.
    pub fn new(n: usize, b: usize) -> Result<Self, ConstructError> {
        Self::with_blocks(n, b, blocks())
    }

    /// The same with other blocks.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_blocks(n: usize, b: usize, blocks: &[Block]) -> Result<Self, ConstructError> {
        if n % 2 == 0 || n > MAX_SIZE {
            return refuse(format!("gluing needs an odd number of workers up to {MAX_SIZE}, but n = {n}"));
        }
        let t = (n - 1) / 2;
        if b == 0 || b > t {
            return refuse(format!("gluing needs 1 ≤ b ≤ (n − 1)/2 = {t}, but b = {b}"));
        }
        let points = t + 1 + b;
        let best = plan(n, b, points, blocks);
        let mut rows = Vec::new();
        let shape = build(&best, points, b, 0, &mut rows);
        let singles = t - b;
        let mut matrix_rows: Vec<Vec<usize>> = (0..singles).map(|i| vec![i]).collect();
        rows.sort_by_key(Vec::len);
        matrix_rows.extend(rows.into_iter().map(|row| row.into_iter().map(|i| i + singles).collect()));
        matrix_rows.resize(n, (0..n).collect());
        Ok(Self { matrix: AllocationMatrix::from_supports(n, &matrix_rows)?, shape })
    }
}

/// The part on so many points with the most rows that these blocks know, among those the one with the fewest ones: one of
/// them, or what the lemma of b rows over a whole part makes of the best family inside. `None` where there is none.
#[must_use]
pub fn part_with_most_rows(b: usize, points: usize, blocks: &[Block]) -> Option<Block> {
    // Rows count more than ones: so it is in large codes.
    const LARGE: usize = 1 << 20;
    let families: Vec<Block> = blocks
        .iter()
        .filter(|block| matches!(block.placement, Placement::First | Placement::Part))
        .cloned()
        .collect();
    let best = plan(LARGE, b, points, &families);
    let inside = best.get(points)?;
    let lemma = (b >= 1 && points >= 2 * b && inside.rows <= points - 2 * b).then(|| {
        let mut rows = Vec::new();
        build(&best, points, b, 0, &mut rows);
        let mut rows: Vec<(Vec<usize>, usize)> = rows.into_iter().map(|row| (row, 0)).collect();
        rows.extend((1..=b).map(|i| ((0..points).collect(), points + 1 - 2 * i)));
        Block { placement: Placement::Part, b, points, workers: 0, rows, found: "the lemma".to_owned() }
    });
    let known = families
        .iter()
        .filter(|block| (block.placement, block.b, block.points) == (Placement::Part, b, points));
    known.cloned().chain(lemma).max_by_key(|block| (block.rows.len(), std::cmp::Reverse(block.weight())))
}

/// The best family for every number of points up to `points`.
fn plan(n: usize, b: usize, points: usize, blocks: &[Block]) -> Vec<Choice<'_>> {
    let n = n as i64;
    let blocks: Vec<&Block> = blocks.iter().filter(|block| block.b == b).collect();
    let mut best = vec![Choice { cost: 0, rows: 0, ending: Ending::Empty }];
    for size in 1..=points {
        let mut choice = Choice { ending: Ending::Point, ..best[size - 1] };
        let mut offer = |cost: i64, rows: usize, ending| {
            if cost < choice.cost {
                choice = Choice { cost, rows, ending };
            }
        };
        if size > 2 * b {
            // Rows of weight 2b + 1, 2b + 3, … up to the number of points.
            let rows = (size - 2 * b).div_ceil(2);
            offer((0..rows).map(|i| (2 * b + 1 + 2 * i) as i64 - n).sum(), rows, Ending::Staircase(rows));
        }
        for block in &blocks {
            let fits = match block.placement {
                Placement::Part => block.points + block.most_old() <= size,
                Placement::First => block.points == size,
                Placement::Whole => block.points == size && size == points,
                Placement::Code => false,
            };
            if fits {
                let before = &best[size - block.points];
                let cost = before.cost + block.weight() as i64 - n * block.rows.len() as i64;
                offer(cost, before.rows + block.rows.len(), Ending::Block(block));
            }
        }
        // Points m of the new part, at least 2b, with at least m − 1 before.
        for m in 2 * b..=size.div_ceil(2) {
            let (before, inside) = (&best[size - m], &best[m]);
            if m < size && inside.rows <= m - 2 * b {
                let glue = (b * (2 * m - b)) as i64 - n * b as i64;
                offer(before.cost + inside.cost + glue, before.rows + inside.rows + b, Ending::Lemma(m));
            }
        }
        best.push(choice);
    }
    best
}

/// Writes the rows of the best family on `points` points, the first of which is `start`.
fn build(best: &[Choice<'_>], points: usize, b: usize, start: usize, rows: &mut Vec<Vec<usize>>) -> Shape {
    let shift = |i: &usize| i + start;
    match best[points].ending {
        Ending::Empty => Shape::default(),
        Ending::Point => {
            let mut shape = build(best, points - 1, b, start, rows);
            shape.0.push(Part::Enumerated(1));
            shape
        }
        Ending::Staircase(count) => {
            rows.extend((0..count).map(|i| (start..=start + 2 * (b + i)).collect()));
            Shape(vec![Part::Counted(points)])
        }
        Ending::Block(block) => {
            let before = points - block.points;
            let mut shape = build(best, before, b, start, rows);
            rows.extend(block.rows.iter().map(|(new, old)| {
                (before - old..before).chain(new.iter().map(|i| i + before)).map(|i| shift(&i)).collect()
            }));
            shape.0.push(Part::Enumerated(block.points));
            shape
        }
        Ending::Lemma(m) => {
            let before = points - m;
            let mut shape = build(best, before, b, start, rows);
            let inner = build(best, m, b, start + before, rows);
            for i in 1..=b {
                rows.push((before - (m + 1 - 2 * i)..points).map(|i| shift(&i)).collect());
            }
            shape.0.push(Part::Lemma(inner));
            shape
        }
    }
}
