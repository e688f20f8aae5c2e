//! A line of 0/1 characters a worker. Spaces and tabs are skipped, and so are empty lines.

use super::{FormatError, from_entries};
use ecode_core::AllocationMatrix;

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let mut rows = Vec::new();
    for (line, text) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let mut row = Vec::new();
        for (place, &byte) in text.iter().enumerate() {
            match byte {
                b'0' | b'1' => row.push(byte - b'0'),
                b' ' | b'\t' | b'\r' => {}
                _ => {
                    let shown = char::from(byte).escape_default();
                    return Err(FormatError::new(
                        format!("line {}, character {} is '{shown}'", line + 1, place + 1),
                        "0, 1 or a space",
                    ));
                }
            }
        }
        if !row.is_empty() {
            rows.push(row);
        }
    }
    from_entries(&rows, "")
}

pub(super) fn write(g: &AllocationMatrix) -> String {
    (0..g.n())
        .map(|j| (0..g.k()).map(|i| if g.holds(j, i) { '1' } else { '0' }).chain(['\n']).collect::<String>())
        .collect()
}
