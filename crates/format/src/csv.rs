//! 0/1, comma, a line a worker; no header.

use super::{FormatError, from_entries};
use ecode_core::AllocationMatrix;

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(bytes);
    let mut rows = Vec::new();
    for (j, record) in reader.records().enumerate() {
        let record = record
            .map_err(|error| FormatError::new(format!("not CSV: {error}"), "lines of 0/1 and commas"))?;
        let row: Result<Vec<u8>, FormatError> = record
            .iter()
            .enumerate()
            .map(|(i, field)| match field {
                "0" => Ok(0),
                "1" => Ok(1),
                _ => Err(FormatError::new(format!("row {j}, column {i} is \"{}\"", shown(field)), "0 or 1")),
            })
            .collect();
        rows.push(row?);
    }
    from_entries(&rows, "")
}

/// A field as an error message can show it: short, on one line.
fn shown(field: &str) -> String {
    let short: String = field.chars().take(20).flat_map(char::escape_debug).collect();
    if field.chars().count() > 20 { short + "…" } else { short }
}

pub(super) fn write(g: &AllocationMatrix) -> String {
    (0..g.n())
        .map(|j| {
            let row: Vec<&str> = (0..g.k()).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect();
            row.join(",") + "\n"
        })
        .collect()
}
