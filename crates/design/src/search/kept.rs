//! Lists that the program keeps, a JSON object a line.

use serde::de::DeserializeOwned;

/// The entries of a list, which `of` makes of its lines.
///
/// # Panics
/// Where a line is none, with its place. A test reads every list.
pub(super) fn kept<L: DeserializeOwned, E>(
    name: &str,
    text: &str,
    of: impl Fn(L) -> Result<E, String>,
) -> Vec<E> {
    let entry = |(at, text): (usize, &str)| {
        let line = serde_json::from_str(text).map_err(|error| error.to_string());
        line.and_then(&of).unwrap_or_else(|error| panic!("{name}, line {}: {error}", at + 1))
    };
    text.lines().enumerate().map(entry).collect()
}
