//! `ecode/matrix/1`: a matrix with what is known of it. A bare list of rows is read, too.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::entry::text;
use super::error::FormatError;
use super::file::MatrixFile;
use super::rows::Rows;
use super::small::Small;

const SCHEMA: &str = "ecode/matrix/1";

/// Everything that may stand in a matrix file. Fields of other names are left alone; a field that
/// stands twice is refused.
#[derive(Deserialize)]
struct Fields {
    schema: Option<String>,
    n: Option<usize>,
    k: Option<usize>,
    b: Option<usize>,
    #[serde(rename = "G")]
    g: Grid,
    ones: Option<usize>,
    redundancy: Option<f64>,
    construction: Option<Small>,
    digest: Option<String>,
    verification: Option<Small>,
}

/// The rows of G, or the first thing in them that is no entry.
struct Grid(Result<Rows, FormatError>);

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lines;
        impl<'de> Visitor<'de> for Lines {
            type Value = Grid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of rows of 0/1")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut lines: A) -> Result<Grid, A::Error> {
                let mut rows = Rows::default();
                let read = loop {
                    match lines.next_element::<Line>()? {
                        None => break Ok(()),
                        Some(Line(entries)) => {
                            if let Err(error) = add(&mut rows, entries) {
                                break Err(error);
                            }
                        }
                    }
                };
                // What follows must be JSON all the same.
                while lines.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Grid(read.map(|()| rows)))
            }
        }
        deserializer.deserialize_seq(Lines)
    }
}

fn add(rows: &mut Rows, entries: Result<Vec<bool>, (usize, String)>) -> Result<(), FormatError> {
    let row = rows.row();
    let entries = entries.map_err(|(column, what)| {
        FormatError::new(format!("G: row {row}, column {column} is {what}"), "0 or 1")
    })?;
    for entry in entries {
        rows.push(entry)?;
    }
    rows.end()
}

/// A row, or the place of its first entry that is none, and what is there. Of a row that is too long, so many
/// entries that it is refused.
struct Line(Result<Vec<bool>, (usize, String)>);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row of 0/1")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Line, A::Error> {
                let mut entries = Vec::new();
                let mut other = None;
                while other.is_none() && entries.len() <= ecode_core::MAX_SIZE {
                    match list.next_element::<Entry>()? {
                        None => return Ok(Line(Ok(entries))),
                        Some(Entry::Bit(bit)) => entries.push(bit),
                        Some(Entry::Other(what)) => other = Some((entries.len(), what)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Line(other.map_or(Ok(entries), Err)))
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}

/// What may stand where an entry is expected.
enum Entry {
    Bit(bool),
    Other(String),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0 or 1")
            }

            fn visit_bool<E: Error>(self, bit: bool) -> Result<Entry, E> {
                Ok(Entry::Bit(bit))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Entry, E> {
                Ok(if number <= 1 { Entry::Bit(number == 1) } else { Entry::Other(number.to_string()) })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Entry, E> {
                Ok(Entry::Other(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Entry, E> {
                Ok(match number {
                    0.0 => Entry::Bit(false),
                    1.0 => Entry::Bit(true),
                    _ => Entry::Other(format!("{number:?}")),
                })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
                Ok(Entry::Other(format!("\"{}\"", ecode_core::shown(text))))
            }

            fn visit_unit<E: Error>(self) -> Result<Entry, E> {
                Ok(Entry::Other("null".to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Entry::Other("a list".to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Entry::Other("an object".to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

fn unread(error: &serde_json::Error) -> FormatError {
    FormatError::new(
        format!("not a matrix in JSON: {error}"),
        "an object with \"G\", rows of 0/1, or the rows alone",
    )
}

/// An object of a field, where one is expected.
fn object(name: &str, value: Option<Small>) -> Result<Option<Map<String, Value>>, FormatError> {
    match value.map(|Small(value)| value) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(FormatError::new(format!("{name} is no object"), "an object")),
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<MatrixFile, FormatError> {
    let bytes = text(bytes)?;
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let Grid(rows) = serde_json::from_slice(bytes).map_err(|error| unread(&error))?;
        return Ok(MatrixFile::plain(rows?.finish()?));
    }
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| unread(&error))?;
    if let Some(schema) = fields.schema.filter(|schema| schema != SCHEMA) {
        return Err(FormatError::new(format!("schema is \"{schema}\""), format!("\"{SCHEMA}\"")));
    }
    let matrix = fields.g.0?.finish()?;
    let construction = object("construction", fields.construction)?;
    let verification = object("verification", fields.verification)?;
    let numbers =
        [("n", fields.n, matrix.n()), ("k", fields.k, matrix.k()), ("ones", fields.ones, matrix.ones())];
    for (name, stated, actual) in numbers {
        if let Some(stated) = stated.filter(|&stated| stated != actual) {
            return Err(FormatError::new(format!("{name} is {stated}"), format!("{actual}, as G has it")));
        }
    }
    if let Some(stated) = fields.redundancy {
        let actual = matrix.redundancy();
        // Files may round: four decimals are enough to tell a wrong figure.
        if (stated - actual).abs() > 5e-5 * actual.max(1.0) {
            return Err(FormatError::new(
                format!("redundancy is {stated}"),
                format!("{actual}, as G has it"),
            ));
        }
    }
    if let Some(stated) = fields.digest {
        let actual = matrix.digest();
        if stated != actual {
            return Err(FormatError::new(
                format!("digest is \"{stated}\""),
                format!("\"{actual}\", as G has it"),
            ));
        }
    }
    if let Some(b) = fields.b.filter(|&b| b > matrix.n()) {
        return Err(FormatError::new(format!("b is {b}"), format!("at most n = {}", matrix.n())));
    }
    if let (Some(b), Some(claim)) = (fields.b, &verification)
        && let Some(claimed) = claim.get("b").filter(|claimed| claimed.as_u64() != Some(b as u64))
    {
        return Err(FormatError::new(format!("verification.b is {claimed}"), format!("{b}, the file's b")));
    }
    Ok(MatrixFile {
        matrix,
        b: fields.b,
        construction: construction.map(Value::Object),
        verification: verification.map(Value::Object),
    })
}

/// One row of G a line, so that a person can read it and a diff shows a row.
pub(super) fn write(file: &MatrixFile) -> String {
    let g = &file.matrix;
    let rows: Vec<String> = (0..g.n())
        .map(|j| {
            let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
            format!("  [{}]", row.join(","))
        })
        .collect();
    let mut lines = vec![
        format!(" \"schema\":\"{SCHEMA}\""),
        format!(" \"n\":{},\"k\":{}", g.n(), g.k()),
        format!(" \"G\":[\n{}]", rows.join(",\n")),
        format!(" \"ones\":{},\"redundancy\":{}", g.ones(), json!(g.redundancy())),
    ];
    if let Some(b) = file.b {
        lines[1] += &format!(",\"b\":{b}");
    }
    if let Some(construction) = &file.construction {
        lines.push(format!(" \"construction\":{}", super::number::exact(construction)));
    }
    lines.push(format!(" \"digest\":\"{}\"", g.digest()));
    if let Some(verification) = &file.verification {
        lines.push(format!(" \"verification\":{verification}"));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
