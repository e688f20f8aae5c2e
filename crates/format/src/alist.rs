//! alist, in which low-density parity-check codes are handed around: the places of the ones of every column, then
//! of every row, counted from 1. A row is a worker.
//!
//! # References
//! MacKay: *Encyclopedia of Sparse Graph Codes*, the alist format.

use super::entry::text;
use super::error::FormatError;
use super::rows::Ones;
use ecode_core::{AllocationMatrix, MAX_SIZE};

/// Whole numbers, each with its line.
struct Numbers<'a> {
    lines: Box<dyn Iterator<Item = (usize, &'a [u8])> + 'a>,
    line: usize,
    words: std::slice::Split<'a, u8, fn(&u8) -> bool>,
    /// A number that was looked at and left.
    kept: Option<Result<usize, FormatError>>,
}

impl<'a> Numbers<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let words = b"".split(u8::is_ascii_whitespace as fn(&u8) -> bool);
        Self { lines: Box::new(super::entry::lines(bytes)), line: 0, words, kept: None }
    }

    /// The next number; none at the end of the file.
    fn more(&mut self) -> Option<Result<usize, FormatError>> {
        if let Some(kept) = self.kept.take() {
            return Some(kept);
        }
        loop {
            match self.words.next() {
                Some(b"") => {}
                Some(word) => {
                    let text = String::from_utf8_lossy(&word[..word.len().min(40)]);
                    return Some(text.parse().map_err(|_| {
                        let found = format!("line {} has \"{}\"", self.line, ecode_core::shown(&text));
                        FormatError::new(found, "a whole number")
                    }));
                }
                None => {
                    let (line, bytes) = self.lines.next()?;
                    self.line = line;
                    self.words = bytes.split(u8::is_ascii_whitespace as fn(&u8) -> bool);
                }
            }
        }
    }

    fn next(&mut self, what: &str) -> Result<usize, FormatError> {
        self.more().unwrap_or_else(|| Err(FormatError::new("the file ends early", what)))
    }

    /// Passes over the zeros that fill a list up.
    fn skip_zeros(&mut self) {
        self.kept = loop {
            match self.more() {
                Some(Ok(0)) => {}
                other => break other,
            }
        };
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let mut numbers = Numbers::new(text(bytes)?);
    let (k, n) = (numbers.next("the number of columns")?, numbers.next("the number of rows")?);
    let mut ones = Ones::new(n, k)?;
    let widest = [numbers.next("the heaviest column")?, numbers.next("the heaviest row")?];
    let mut weights = [Vec::with_capacity(k), Vec::with_capacity(n)];
    for (side, (count, most)) in [(k, n), (n, k)].into_iter().enumerate() {
        for place in 0..count {
            let weight = numbers.next("a weight")?;
            if weight > most.min(widest[side]) {
                let which = if side == 0 { "column" } else { "row" };
                let found = format!("line {}: the weight of {which} {place} is {weight}", numbers.line);
                return Err(FormatError::new(found, format!("at most {}", most.min(widest[side]))));
            }
            weights[side].push(weight);
        }
    }
    let [columns, rows] = weights;
    for (i, &weight) in columns.iter().enumerate() {
        for _ in 0..weight {
            let j = numbers.next("a row of a column's list")?;
            let j = j.checked_sub(1).ok_or_else(|| short(&numbers, "column", i))?;
            ones.set(j, i)?;
        }
        numbers.skip_zeros();
    }
    let matrix = ones.finish()?;
    // The rows' lists say the same again.
    for (j, &weight) in rows.iter().enumerate() {
        if weight != matrix.support(j).count() {
            let found = format!("row {j} has the weight {weight}");
            return Err(FormatError::new(
                found,
                format!("{}, as the columns say", matrix.support(j).count()),
            ));
        }
        for _ in 0..weight {
            let i = numbers.next("a column of a row's list")?;
            let i = i.checked_sub(1).ok_or_else(|| short(&numbers, "row", j))?;
            if i >= k || !matrix.holds(j, i) {
                let found = format!("line {}: row {j} has column {i} (from 0)", numbers.line);
                return Err(FormatError::new(found, "the same ones as in the columns' lists"));
            }
        }
        numbers.skip_zeros();
    }
    match numbers.more() {
        Some(_) => {
            Err(FormatError::new(format!("line {}: more after the last list", numbers.line), "the end"))
        }
        None => Ok(matrix),
    }
}

fn short(numbers: &Numbers<'_>, which: &str, place: usize) -> FormatError {
    let found = format!("line {}: the list of {which} {place} is shorter than its weight", numbers.line);
    FormatError::new(found, format!("1 to {MAX_SIZE}"))
}

pub(super) fn write(g: &AllocationMatrix) -> String {
    let columns: Vec<Vec<usize>> =
        (0..g.k()).map(|i| (0..g.n()).filter(|&j| g.holds(j, i)).collect()).collect();
    let rows: Vec<Vec<usize>> = (0..g.n()).map(|j| g.support(j).collect()).collect();
    let join = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ") + "\n"
    };
    let mut text = format!("{} {}\n", g.k(), g.n());
    text +=
        &join(&mut [&columns, &rows].map(|lists| lists.iter().map(Vec::len).max().unwrap_or(0)).into_iter());
    text += &join(&mut columns.iter().map(Vec::len));
    text += &join(&mut rows.iter().map(Vec::len));
    for lists in [&columns, &rows] {
        let widest = lists.iter().map(Vec::len).max().unwrap_or(0);
        for list in lists {
            // Shorter lists are filled up with zeros.
            let filled = list.iter().map(|place| place + 1).chain(std::iter::repeat(0));
            text += &join(&mut filled.take(widest));
        }
    }
    text
}
