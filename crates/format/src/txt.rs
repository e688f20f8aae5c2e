//! Text: a line a worker. Entries are separated by commas, semicolons, tabs or spaces; a line of nothing but 0, 1
//! and spaces has an entry a character. Empty lines, lines that begin with # or %, and a first line of names are
//! skipped.
//!
//! Fields are split here and not by a library for CSV, because a line is looked at only when it is short enough
//! to be a row: what the reader holds does not grow with the file.

use std::str::from_utf8;

use super::entry::{bit, is_name, is_number, lines, text};
use super::error::FormatError;
use super::rows::Rows;
use ecode_core::{AllocationMatrix, shown};

/// What stands between entries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Comma,
    Tab,
    Space,
}

/// A longer line holds no row: 4096 entries of 64 characters, in bytes.
const LONGEST: usize = 4096 * 64;

/// Reads a matrix; the one with the number `draw`, where several stand below each other.
pub(super) fn parse(
    bytes: &[u8],
    usual: Separator,
    draw: Option<usize>,
) -> Result<AllocationMatrix, FormatError> {
    let bytes = text(bytes)?;
    let mut reader = Reader { by: None, header: None, rows: Rows::default() };
    // The matrix that is read or passed over, and whether it has a row yet.
    let (wanted, mut number, mut begun) = (draw.unwrap_or(0), 0, false);
    let mut between = None;
    for (place, line) in lines(bytes) {
        let line = line.trim_ascii_end();
        if line.trim_ascii_start().first().is_none_or(|first| matches!(first, b'#' | b'%')) {
            continue;
        }
        if line.len() > LONGEST {
            let found = format!("line {place} has {} bytes", line.len());
            return Err(FormatError::new(found, "at most 4096 entries a line"));
        }
        let by = *reader.by.get_or_insert_with(|| separator(line, usual));
        if let Some(value) = all_of_one(line, by) {
            number += usize::from(begun);
            begun = false;
            between.get_or_insert((place, value));
        } else if number == wanted {
            begun |= reader.read(place, line, by)?;
        } else {
            begun = true;
        }
    }
    let count = number + usize::from(begun);
    match (draw, between) {
        (None, Some((place, value))) if count > 1 => Err(FormatError::new(
            format!("{count} matrices: line {place} is all {value}, as between the trials of an experiment"),
            "one",
        )
        .hint(format!("--draw 0 to --draw {} choose one of them", count - 1))),
        (Some(draw), _) if draw >= count.max(1) => {
            let held = if count == 1 { "one matrix".to_owned() } else { format!("{count} matrices") };
            Err(FormatError::new(format!("{held}, and no draw {draw}"), format!("0 to {}", count.max(1) - 1)))
        }
        _ => reader.rows.finish(),
    }
}

struct Reader {
    /// What separates entries, once a line has shown it.
    by: Option<u8>,
    /// The number of names in the first line, where it holds names.
    header: Option<usize>,
    rows: Rows,
}

impl Reader {
    /// Reads a line; whether it was a row.
    fn read(&mut self, number: usize, line: &[u8], by: u8) -> Result<bool, FormatError> {
        if by == b' ' && line.iter().all(|byte| matches!(byte, b'0' | b'1' | b' ' | b'\t')) {
            for byte in line.iter().filter(|byte| !byte.is_ascii_whitespace()) {
                self.rows.push(*byte == b'1')?;
            }
            return self.rows.end().map(|()| true);
        }
        let Ok(text) = from_utf8(line) else {
            return Err(FormatError::new(format!("line {number} is not text"), "lines of 0 and 1"));
        };
        let fields = split(text, by);
        if self.rows.row() == 0 && self.header.is_none() && is_header(&fields) {
            self.header = Some(fields.len());
            return Ok(false);
        }
        let row = self.rows.row();
        if let Some(names) = self.header.filter(|&names| names != fields.len()) {
            let found = format!("row {row} has {} entries under {names} names", fields.len());
            return Err(FormatError::new(found, "an entry a name").hint(INDEX));
        }
        for (column, field) in fields.iter().enumerate() {
            let entry = bit(field).or_else(|| decimal_comma(field, by));
            let entry = entry.ok_or_else(|| self.refused(number, line, column, field, &fields))?;
            self.rows.push(entry)?;
        }
        self.rows.end().map(|()| true)
    }

    fn refused(
        &self,
        number: usize,
        line: &[u8],
        column: usize,
        field: &str,
        fields: &[&str],
    ) -> FormatError {
        if self.by == Some(b' ') && !is_number(field) {
            let place = line.iter().position(|byte| !matches!(byte, b'0' | b'1' | b' ' | b'\t')).unwrap_or(0);
            let text = String::from_utf8_lossy(&line[place..]);
            let what = text.chars().next().map_or(String::new(), |c| c.escape_default().to_string());
            let found = format!("line {number}, character {} is '{what}'", place + 1);
            return FormatError::new(found, "0, 1 or a space");
        }
        let row = self.rows.row();
        let line = if number == row + 1 { String::new() } else { format!(" (line {number})") };
        let found = format!("row {row}, column {column}{line} is \"{}\"", shown(field));
        let error = FormatError::new(found, "0 or 1");
        if column == 0 && self.header.is_some() && fields[1..].iter().all(|field| bit(field).is_some()) {
            error.hint(INDEX)
        } else if field.contains('.') && is_number(field) {
            error.hint("round before writing, as in np.savetxt(file, G, fmt=\"%d\")")
        } else {
            error
        }
    }
}

const INDEX: &str = "a column of row names? pandas writes none with index=False, R with row.names=FALSE";

/// What separates the entries of the first line.
fn separator(line: &[u8], usual: Separator) -> u8 {
    let holds = |byte: u8| line.contains(&byte);
    match usual {
        _ if holds(b';') => b';',
        _ if holds(b',') => b',',
        Separator::Comma | Separator::Tab if holds(b'\t') => b'\t',
        Separator::Comma if !holds(b' ') => b',',
        Separator::Tab if !holds(b' ') => b'\t',
        _ => b' ',
    }
}

/// A field without spaces and quotes around it.
fn plain(field: &str) -> &str {
    let field = field.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = field.strip_prefix(quote).and_then(|field| field.strip_suffix(quote)) {
            return inner.trim();
        }
    }
    field
}

/// Where semicolons separate, a comma may be the decimal point.
fn decimal_comma(field: &str, by: u8) -> Option<bool> {
    (by == b';' && field.contains(',')).then(|| bit(&field.replace(',', "."))).flatten()
}

/// The number that a line of two or more equal whole numbers above 1 repeats.
fn all_of_one(line: &[u8], by: u8) -> Option<String> {
    let fields = split(from_utf8(line).ok()?, by);
    let first = fields.first()?;
    let same = fields.len() > 1 && fields.iter().all(|field| field == first);
    let value: f64 = first.parse().ok().filter(|_| same)?;
    (value >= 2.0 && value.fract() == 0.0).then(|| shown(first))
}

/// The fields of a line.
fn split(text: &str, by: u8) -> Vec<&str> {
    if by == b' ' {
        text.split_ascii_whitespace().map(plain).collect()
    } else {
        text.split(char::from(by)).map(plain).collect()
    }
}

/// Whether a first line names columns: by words, or by numbers that count from 0 or 1 beyond 1.
fn is_header(fields: &[&str]) -> bool {
    let counts = |from: usize| {
        fields.len() > 2 && fields.iter().enumerate().all(|(i, field)| field.parse() == Ok(from + i))
    };
    // Above an index the name is missing.
    let names = fields.strip_prefix(&[""]).filter(|rest| !rest.is_empty()).unwrap_or(fields);
    let index = names.len() < fields.len();
    names.iter().all(|field| is_name(field))
        || counts(0)
        || counts(1)
        || index && names.iter().enumerate().all(|(i, field)| field.parse() == Ok(i))
}

pub(super) fn write(g: &AllocationMatrix, between: &str) -> String {
    (0..g.n())
        .map(|j| {
            let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
            row.join(between) + "\n"
        })
        .collect()
}
