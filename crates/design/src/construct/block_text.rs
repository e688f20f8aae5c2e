//! Blocks as text, a line each: what `blocks.txt` and a catalogue of one's own hold.
//!
//! # What is promised
//! Writing and reading back gives the same block; a line that is no block is refused with its number and the reason.

use std::fmt;
use std::sync::LazyLock;

use itertools::Itertools as _;

use super::block::{Block, Placement};
use ecode_core::MAX_SIZE;

/// Why a text is not a list of blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BlockError {
    /// The line, from 1.
    pub line: usize,
    reason: String,
}

/// Reads blocks, a line each: `part|first|whole|code b points rows found-by`, rows separated by `;`, a row
/// being its new points separated by `,` and the number of old ones after `+` (parts only). A code with
/// another number of workers than partitions says both, as in `9x5`. Lines that
/// start with `#` are remarks.
///
/// ```
/// use ecode_design::construct::parse_blocks;
/// assert_eq!(parse_blocks("# mine\ncode 1 5 0;1,2,3 by hand\n")?[0].rows.len(), 2);
/// let error = parse_blocks("code 1 5 0;1,7,3 by hand\n").map_err(|error| error.to_string());
/// assert_eq!(error, Err("line 1: row 1 holds 7; expected points from 0 to 4".to_owned()));
/// # Ok::<(), ecode_design::construct::BlockError>(())
/// ```
///
/// # Errors
/// [`BlockError`] with the line.
pub fn parse_blocks(text: &str) -> Result<Vec<Block>, BlockError> {
    let mut blocks = Vec::new();
    for (line, content) in text.lines().enumerate() {
        if content.starts_with('#') || content.trim().is_empty() {
            continue;
        }
        blocks.push(parse_block(content).map_err(|reason| BlockError { line: line + 1, reason })?);
    }
    Ok(blocks)
}

const FORM: &str = "expected 'part|first|whole|code b points rows found-by', each row 'i,j,…' or 'i,j,…+old'";

fn parse_block(text: &str) -> Result<Block, String> {
    let [placement, b, sizes, rows, found] = text
        .splitn(5, ' ')
        .collect_array()
        .ok_or_else(|| format!("{} fields; {FORM}", text.splitn(5, ' ').count()))?;
    let placement = Placement::ALL
        .into_iter()
        .find(|known| known.name() == placement)
        .ok_or_else(|| format!("begins with {placement:.20?}; {FORM}"))?;
    let b: usize = number(b).ok_or_else(|| format!("b is {b:.20?}; expected a whole number"))?;
    let (workers, points) = sizes_of(placement, sizes).ok_or_else(|| {
        format!("the points are {sizes:.20?}; expected 1 to {MAX_SIZE}, as in 9, or 9x5 for a code of 9 workers and 5 partitions")
    })?;
    let rows = rows
        .split(';')
        .enumerate()
        .map(|(j, row)| parse_row(row, placement, points).map_err(|reason| format!("row {j} {reason}")))
        .collect::<Result<Vec<_>, _>>()?;
    if placement == Placement::Code && rows.len() > workers {
        return Err(format!("{} rows; expected at most {workers}, the workers", rows.len()));
    }
    Ok(Block { placement, b, points, workers, rows, found: found.to_owned() })
}

/// Digits only, unlike `str::parse`, which takes a sign.
fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Workers (0 for a family) and points.
fn sizes_of(placement: Placement, text: &str) -> Option<(usize, usize)> {
    let (workers, points) = match (placement, text.split_once('x')) {
        (Placement::Code, Some((workers, points))) => (number(workers)?, number(points)?),
        (Placement::Code, None) => (number(text)?, number(text)?),
        _ => (0, number(text)?),
    };
    let sound = |size: usize| (1..=MAX_SIZE).contains(&size);
    (sound(points) && (placement != Placement::Code || sound(workers))).then_some((workers, points))
}

fn parse_row(text: &str, placement: Placement, points: usize) -> Result<(Vec<usize>, usize), String> {
    let no_row = || format!("is {text:.40?}; expected 'i,j,…' or 'i,j,…+old'");
    let (new, old) = text.split_once('+').unwrap_or((text, "0"));
    let new: Vec<usize> = new.split(',').map(number).collect::<Option<_>>().ok_or_else(no_row)?;
    let old = number(old).filter(|&old| old <= MAX_SIZE).ok_or_else(no_row)?;
    if old > 0 && placement != Placement::Part {
        return Err(format!("holds {old} old points; expected them in parts only"));
    }
    if let Some(outside) = new.iter().find(|&&i| i >= points) {
        return Err(format!("holds {outside}; expected points from 0 to {}", points - 1));
    }
    if let Some(twice) = new.iter().duplicates().next() {
        return Err(format!("holds {twice} twice"));
    }
    // Under `zero` and an even number of partitions even rows are of use.
    let even_is_of_use = placement == Placement::Code && points % 2 == 0;
    if (new.len() + old) % 2 == 0 && !even_is_of_use {
        return Err(format!("has {} ones; expected an odd number", new.len() + old));
    }
    Ok((new, old))
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
        let sizes = match self.placement {
            Placement::Code if self.workers != self.points => format!("{}x{}", self.workers, self.points),
            _ => self.points.to_string(),
        };
        write!(f, "{} {} {sizes} {} {}", self.placement.name(), self.b, rows.join(";"), self.found)
    }
}

/// The blocks that come with the program.
static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| {
    parse_blocks(include_str!("blocks.txt")).unwrap_or_else(|error| panic!("blocks.txt: {error}"))
});

/// The blocks that come with the program, for every b.
///
/// # Panics
/// Never: a test reads them, and what is wrong with one would be said with its line.
#[must_use]
pub fn blocks() -> &'static [Block] {
    &BLOCKS
}
