//! Gluing: codes for every odd n and every b, put together from small blocks.
//!
//! Their shape, and why they tolerate b: [`ecode_verify::Shape`] and docs/theory/lighter.md.
//! [`Gluing`] chooses the parts by dynamic programming.

use std::fmt;
use std::sync::LazyLock;

use itertools::Itertools as _;

use super::{ConstructError, parameter};
use ecode_core::{AllocationMatrix, MAX_SIZE};
use ecode_verify::{Part, Shape};

/// Where a family that was found by search may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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

impl Kind {
    const ALL: [Self; 4] = [Self::Part, Self::First, Self::Whole, Self::Code];

    fn name(self) -> &'static str {
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
    pub kind: Kind,
    /// The number of Byzantine workers.
    pub b: usize,
    /// New points.
    pub points: usize,
    /// The workers of a code; 0 for a family.
    pub workers: usize,
    /// The new points that each row holds, and how many old ones.
    pub rows: Vec<(Vec<usize>, usize)>,
    /// Who found it.
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
    /// When the block is no code: it has another kind, or more rows than workers.
    pub fn code(&self) -> Result<AllocationMatrix, ConstructError> {
        if self.kind != Kind::Code || self.rows.len() > self.workers {
            return parameter(format!("a family of kind '{}' is no code of its own", self.kind.name()));
        }
        let mut rows: Vec<Vec<usize>> = self.rows.iter().map(|(row, _)| row.clone()).collect();
        rows.resize(self.workers, (0..self.points).collect());
        Ok(AllocationMatrix::from_supports(self.points, &rows)?)
    }

    fn most_old(&self) -> usize {
        self.rows.iter().map(|&(_, old)| old).max().unwrap_or(0)
    }
}

/// Why a text is not a list of blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "blocks, line {line}: expected 'part|first|whole|code b points rows found-by', each row 'i,j,…' or 'i,j,…+old', \
     a code's points as 9 or as 9x5, workers x partitions"
)]
pub struct BlockError {
    line: usize,
}

/// Reads blocks, a line each: `part|first|whole|code b points rows found-by`, rows separated by `;`, a row
/// being its new points separated by `,` and the number of old ones after `+` (parts only). A code with
/// another number of workers than partitions says both, as in `9x5`. Lines that
/// start with `#` are remarks.
///
/// # Errors
/// [`BlockError`] with the line.
pub fn parse_blocks(text: &str) -> Result<Vec<Block>, BlockError> {
    let mut blocks = Vec::new();
    for (line, content) in text.lines().enumerate() {
        if content.starts_with('#') || content.trim().is_empty() {
            continue;
        }
        blocks.push(parse_block(content).ok_or(BlockError { line: line + 1 })?);
    }
    Ok(blocks)
}

fn parse_block(text: &str) -> Option<Block> {
    let mut fields = text.splitn(5, ' ');
    let kind = fields.next()?;
    let kind = Kind::ALL.into_iter().find(|other| other.name() == kind)?;
    let b: usize = fields.next()?.parse().ok()?;
    let sizes = fields.next()?;
    let (workers, points) = match (kind, sizes.split_once('x')) {
        (Kind::Code, Some((workers, points))) => (workers.parse().ok()?, points.parse().ok()?),
        (Kind::Code, None) => (sizes.parse().ok()?, sizes.parse().ok()?),
        _ => (0, sizes.parse().ok()?),
    };
    let sound = |size: &usize| (1..=MAX_SIZE).contains(size);
    if !sound(&points) || kind == Kind::Code && !sound(&workers) {
        return None;
    }
    let mut rows = Vec::new();
    for row in fields.next()?.split(';') {
        let (new, old) = row.split_once('+').unwrap_or((row, "0"));
        let new: Vec<usize> = new.split(',').map(|i| i.parse().ok()).collect::<Option<_>>()?;
        let old: usize = old.parse().ok()?;
        let misplaced = old > 0 && kind != Kind::Part;
        if misplaced
            || new.iter().any(|&i| i >= points)
            || !new.iter().all_unique()
            || (new.len() + old) % 2 == 0 && (kind != Kind::Code || points % 2 == 1)
        {
            return None;
        }
        rows.push((new, old));
    }
    if kind == Kind::Code && rows.len() > workers {
        return None;
    }
    Some(Block { kind, b, points, workers, rows, found: fields.next()?.to_owned() })
}

/// The text that [`parse_blocks`] reads, one block.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(new, old)| {
                let new: Vec<String> = new.iter().map(usize::to_string).collect();
                if *old == 0 { new.join(",") } else { format!("{}+{old}", new.join(",")) }
            })
            .collect();
        let sizes = match self.kind {
            Kind::Code if self.workers != self.points => format!("{}x{}", self.workers, self.points),
            _ => self.points.to_string(),
        };
        write!(f, "{} {} {sizes} {} {}", self.kind.name(), self.b, rows.join(";"), self.found)
    }
}

/// The blocks that come with the program. A test checks each of them.
static BLOCKS: LazyLock<Vec<Block>> =
    LazyLock::new(|| parse_blocks(include_str!("blocks.txt")).unwrap_or_default());

/// The blocks that come with the program, for every b.
#[must_use]
pub fn blocks() -> &'static [Block] {
    &BLOCKS
}

/// How the best family on some number of points ends.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
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
struct Best<'a> {
    /// Σ (weight − n) over its rows: what it saves against full rows, negated.
    cost: i64,
    rows: usize,
    step: Step<'a>,
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
            return parameter(format!("gluing needs an odd number of workers up to {MAX_SIZE}, but n = {n}"));
        }
        let t = (n - 1) / 2;
        if b == 0 || b > t {
            return parameter(format!("gluing needs 1 ≤ b ≤ (n − 1)/2 = {t}, but b = {b}"));
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
pub fn known_part(b: usize, points: usize, blocks: &[Block]) -> Option<Block> {
    // Rows count more than ones: so it is in large codes.
    const LARGE: usize = 1 << 20;
    let families: Vec<Block> =
        blocks.iter().filter(|block| matches!(block.kind, Kind::First | Kind::Part)).cloned().collect();
    let best = plan(LARGE, b, points, &families);
    let inside = best.get(points)?;
    let lemma = (b >= 1 && points >= 2 * b && inside.rows <= points - 2 * b).then(|| {
        let mut rows = Vec::new();
        build(&best, points, b, 0, &mut rows);
        let mut rows: Vec<(Vec<usize>, usize)> = rows.into_iter().map(|row| (row, 0)).collect();
        rows.extend((1..=b).map(|i| ((0..points).collect(), points + 1 - 2 * i)));
        Block { kind: Kind::Part, b, points, workers: 0, rows, found: "the lemma".to_owned() }
    });
    let known =
        families.iter().filter(|block| (block.kind, block.b, block.points) == (Kind::Part, b, points));
    known.cloned().chain(lemma).max_by_key(|block| (block.rows.len(), std::cmp::Reverse(block.weight())))
}

/// The best family for every number of points up to `points`.
fn plan(n: usize, b: usize, points: usize, blocks: &[Block]) -> Vec<Best<'_>> {
    let n = n as i64;
    let blocks: Vec<&Block> = blocks.iter().filter(|block| block.b == b).collect();
    let mut best = vec![Best { cost: 0, rows: 0, step: Step::Empty }];
    for size in 1..=points {
        let mut choice = Best { step: Step::Point, ..best[size - 1] };
        let mut offer = |cost: i64, rows: usize, step| {
            if cost < choice.cost {
                choice = Best { cost, rows, step };
            }
        };
        if size > 2 * b {
            // Rows of weight 2b + 1, 2b + 3, … up to the number of points.
            let rows = (size - 2 * b).div_ceil(2);
            offer((0..rows).map(|i| (2 * b + 1 + 2 * i) as i64 - n).sum(), rows, Step::Staircase(rows));
        }
        for block in &blocks {
            let fits = match block.kind {
                Kind::Part => block.points + block.most_old() <= size,
                Kind::First => block.points == size,
                Kind::Whole => block.points == size && size == points,
                Kind::Code => false,
            };
            if fits {
                let before = &best[size - block.points];
                let cost = before.cost + block.weight() as i64 - n * block.rows.len() as i64;
                offer(cost, before.rows + block.rows.len(), Step::Block(block));
            }
        }
        // Points m of the new part, at least 2b, with at least m − 1 before.
        for m in 2 * b..=size.div_ceil(2) {
            let (before, inside) = (&best[size - m], &best[m]);
            if m < size && inside.rows <= m - 2 * b {
                let glue = (b * (2 * m - b)) as i64 - n * b as i64;
                offer(before.cost + inside.cost + glue, before.rows + inside.rows + b, Step::Lemma(m));
            }
        }
        best.push(choice);
    }
    best
}

/// Writes the rows of the best family on `points` points, the first of which is `start`.
fn build(best: &[Best<'_>], points: usize, b: usize, start: usize, rows: &mut Vec<Vec<usize>>) -> Shape {
    let shift = |i: &usize| i + start;
    match best[points].step {
        Step::Empty => Shape::default(),
        Step::Point => {
            let mut shape = build(best, points - 1, b, start, rows);
            shape.0.push(Part::Enumerated(1));
            shape
        }
        Step::Staircase(count) => {
            rows.extend((0..count).map(|i| (start..=start + 2 * (b + i)).collect()));
            Shape(vec![Part::Counted(points)])
        }
        Step::Block(block) => {
            let before = points - block.points;
            let mut shape = build(best, before, b, start, rows);
            rows.extend(block.rows.iter().map(|(new, old)| {
                (before - old..before).chain(new.iter().map(|i| i + before)).map(|i| shift(&i)).collect()
            }));
            shape.0.push(Part::Enumerated(block.points));
            shape
        }
        Step::Lemma(m) => {
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
