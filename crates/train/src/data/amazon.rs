//! The training table of the Amazon Employee Access Challenge: ACTION (0 or 1) and columns of categories,
//! one feature a category, or a pair of categories of two columns.

use std::collections::HashMap;
use std::path::Path;

use super::{Data, DataError, Features, Samples, content, read};

/// The most columns of a table: the reader keeps a place for each.
const MOST_COLUMNS: usize = 1 << 10;
/// The most features of all lines, and the most different ones: half a gigabyte each.
const MOST_ACTIVE: usize = 1 << 27;
const MOST_FEATURES: usize = 1 << 23;

/// Reads the table. Every fifth line tests; a category that only test lines have gets no feature.
pub(super) fn load(file: &Path, pairs: bool) -> Result<Data, DataError> {
    let inner = file.join("train.csv");
    let file = if inner.is_file() { inner.as_path() } else { file };
    let bytes = read(file)?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(content(file, "text in UTF-16", "UTF-8"));
    }
    let wide = |line: &&[u8]| line.iter().filter(|&&byte| byte == b',').nth(MOST_COLUMNS).is_some();
    if let Some(place) = bytes.split(|&byte| byte == b'\n').position(|line| wide(&line)) {
        let found = format!("line {} has more than {MOST_COLUMNS} columns", place + 1);
        return Err(content(file, found, "a table of fewer"));
    }
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        let found = match error.kind() {
            csv::ErrorKind::UnequalLengths { len, .. } => format!("line {line} has {len} fields"),
            csv::ErrorKind::Utf8 { .. } => format!("line {line} is not text"),
            _ => format!("line {line}: {error}"),
        };
        content(file, found, "as many fields as the header")
    };
    let header = reader.headers().map_err(broken)?.clone();
    let columns = header.len().saturating_sub(1);
    if header.get(0) != Some("ACTION") || columns == 0 {
        let found = format!("line 1 starts with '{}'", header.get(0).unwrap_or("").escape_debug());
        return Err(content(file, found, "ACTION, then the names of the columns"));
    }
    let (mut table, mut labels) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        labels.push(match &record[0] {
            "0" => 0_u16,
            "1" => 1,
            other => {
                let found = format!("line {line}, ACTION is '{}'", other.escape_debug());
                return Err(content(file, found, "0 or 1"));
            }
        });
        for column in 1..=columns {
            table.push(record[column].parse::<u32>().map_err(|_| {
                let found =
                    format!("line {line}, {} is '{}'", &header[column], record[column].escape_debug());
                content(file, found, "a category's number")
            })?);
        }
    }
    if labels.len() < 5 {
        return Err(content(file, format!("{} lines of data", labels.len()), "at least 5"));
    }
    drop(bytes);
    let of_row = if pairs { columns * (columns + 1) / 2 } else { columns };
    let data =
        if of_row * labels.len() > MOST_ACTIVE { None } else { encode(&table, columns, labels, pairs) };
    data.ok_or_else(|| {
        let most = format!("at most {MOST_ACTIVE} features of all lines, {MOST_FEATURES} different ones");
        content(file, "too many features to be kept in memory", most)
    })
}

/// `None` where there are more than [`MOST_FEATURES`].
fn encode(table: &[u32], columns: usize, labels: Vec<u16>, pairs: bool) -> Option<Data> {
    // A feature is known by its column, or two, and the categories there.
    let keys = |row: &[u32]| {
        let single = (0..columns).map(|a| (a, a, row[a], 0));
        let double = (0..columns).flat_map(|a| (a + 1..columns).map(move |b| (a, b)));
        let mut keys: Vec<_> = single.collect();
        if pairs {
            keys.extend(double.map(|(a, b)| (a, b, row[a], row[b])));
        }
        keys
    };
    let mut known = HashMap::new();
    for (_, row) in table.chunks_exact(columns).enumerate().filter(|(line, _)| line % 5 != 4) {
        for key in keys(row) {
            let next = known.len() as u32;
            known.entry(key).or_insert(next);
        }
        if known.len() > MOST_FEATURES {
            return None;
        }
    }
    let mut indices = Vec::new();
    for row in table.chunks_exact(columns) {
        let mut of_row: Vec<u32> =
            keys(row).iter().map(|key| known.get(key).copied().unwrap_or(u32::MAX)).collect();
        of_row.sort_unstable();
        indices.extend(of_row);
    }
    let active = indices.len() / labels.len();
    let features = Features::OneHot { width: known.len(), active, indices };
    let (train, test) = Samples { features, labels }.split();
    Some(Data { train, test, classes: 2 })
}
