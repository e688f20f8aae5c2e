//! MatrixMarket: coordinate or array, pattern, integer or real, general or symmetric. Written as a general
//! pattern: the places of the ones, counted from 1.
//!
//! # References
//! Boisvert, Pozo, Remington: *The Matrix Market Exchange Formats*, NISTIR 5935, 1996.

use super::entry::{bit, lines, text};
use super::error::FormatError;
use super::rows::Ones;
use ecode_core::{AllocationMatrix, shown};

/// What a file of this format begins with.
pub(crate) const MAGIC: &str = "%%MatrixMarket";

/// The lines that hold something, with their numbers.
fn words(bytes: &[u8]) -> impl Iterator<Item = Result<(usize, Vec<&str>), FormatError>> {
    lines(bytes).skip(1).filter_map(|(number, line)| match std::str::from_utf8(line) {
        // No line of this format has more than three words.
        Ok(line) => {
            let words: Vec<&str> = line.split_ascii_whitespace().take(5).collect();
            (!words.is_empty() && !words[0].starts_with('%')).then_some(Ok((number, words)))
        }
        Err(_) => Some(Err(FormatError::new(format!("line {number} is not text"), "numbers"))),
    })
}

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let bytes = text(bytes)?;
    let (_, banner) = lines(bytes).next().unwrap_or((1, b""));
    let banner = String::from_utf8_lossy(&banner[..banner.len().min(200)]).to_ascii_lowercase();
    let kind: Vec<&str> = banner.split_ascii_whitespace().collect();
    let [magic, "matrix", layout, field, symmetry] = kind[..] else {
        let expected = format!("\"{MAGIC} matrix coordinate pattern general\" or the like");
        return Err(FormatError::new(format!("line 1 is \"{}\"", shown(&banner)), expected));
    };
    let symmetric = match (magic, field, symmetry) {
        ("%%matrixmarket", "pattern" | "integer" | "real" | "double", "general") => false,
        ("%%matrixmarket", "pattern" | "integer" | "real" | "double", "symmetric") => true,
        _ => {
            return Err(FormatError::new(
                format!("a matrix that is {field} and {symmetry}"),
                "pattern, integer or real, and general or symmetric",
            ));
        }
    };
    let mut lines = words(bytes);
    let (line, sizes) = lines.next().unwrap_or_else(|| Err(FormatError::new("no sizes", "rows, columns")))?;
    let numbers: Option<Vec<usize>> = sizes.iter().map(|size| size.parse().ok()).collect();
    let expected = if layout == "array" { 2 } else { 3 };
    let numbers = numbers.filter(|numbers| numbers.len() == expected).ok_or_else(|| {
        let words = if layout == "array" { "rows, columns" } else { "rows, columns, entries" };
        FormatError::new(format!("line {line} is \"{}\"", shown(&sizes.join(" "))), words)
    })?;
    let (n, k) = (numbers[0], numbers[1]);
    if symmetric && n != k {
        return Err(FormatError::new(format!("a symmetric matrix of {n} × {k}"), "a square one"));
    }
    let mut ones = Ones::new(n, k)?;
    match layout {
        "coordinate" => {
            let mut count = 0_usize;
            for line in lines {
                let (line, entry) = line?;
                let (j, i, one) = coordinate(line, &entry, field)?;
                count += 1;
                if one {
                    ones.set(j, i)?;
                    if symmetric && i != j {
                        ones.set(i, j)?;
                    }
                }
            }
            if count != numbers[2] {
                return Err(FormatError::new(
                    format!("{count} entries"),
                    format!("{}, as the sizes say", numbers[2]),
                ));
            }
        }
        "array" if field != "pattern" => {
            // Column by column; of a symmetric matrix from the diagonal down.
            let mut places = (0..k).flat_map(|i| (if symmetric { i } else { 0 }..n).map(move |j| (j, i)));
            for line in lines {
                let (line, entry) = line?;
                let (Some((j, i)), [value]) = (places.next(), &entry[..]) else {
                    return Err(FormatError::new(
                        format!("line {line} is one too many"),
                        format!("{n} × {k} numbers"),
                    ));
                };
                let one = bit(value).ok_or_else(|| {
                    FormatError::new(format!("line {line} is \"{}\"", shown(value)), "0 or 1")
                })?;
                if one {
                    ones.set(j, i)?;
                    if symmetric && i != j {
                        ones.set(i, j)?;
                    }
                }
            }
            if let Some((j, i)) = places.next() {
                return Err(FormatError::new(
                    format!("no number for row {j}, column {i}"),
                    format!("{n} × {k} numbers"),
                ));
            }
        }
        other => {
            return Err(FormatError::new(
                format!("a matrix that is {other} and {field}"),
                "coordinate or array",
            ));
        }
    }
    ones.finish()
}

/// Row and column from 0, and the entry there.
fn coordinate(line: usize, entry: &[&str], field: &str) -> Result<(usize, usize, bool), FormatError> {
    let wrong = |expected: &str| {
        FormatError::new(format!("line {line} is \"{}\"", shown(&entry.join(" "))), expected)
    };
    let index = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
    let (j, i, value) = match (entry, field) {
        ([j, i], "pattern") => (j, i, "1"),
        ([_, _], _) => return Err(wrong("row, column, value")),
        ([j, i, value], _) if field != "pattern" => (j, i, *value),
        _ => return Err(wrong("row and column")),
    };
    let (Some(j), Some(i)) = (index(j), index(i)) else { return Err(wrong("row and column, from 1")) };
    let one = bit(value).ok_or_else(|| wrong("the value 0 or 1"))?;
    Ok((j, i, one))
}

pub(super) fn write(g: &AllocationMatrix) -> String {
    let mut text = format!("{MAGIC} matrix coordinate pattern general\n{} {} {}\n", g.n(), g.k(), g.ones());
    for j in 0..g.n() {
        for i in g.support(j) {
            text += &format!("{} {}\n", j + 1, i + 1);
        }
    }
    text
}
