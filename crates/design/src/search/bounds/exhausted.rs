//! What exhaustion has proven, kept as data.

use std::sync::LazyLock;

/// A bound that exhaustion has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Workers.
    pub n: usize,
    /// Byzantine workers.
    pub b: usize,
    /// No tolerant code has fewer ones.
    pub at_least: usize,
    /// How many families had to be built to exclude all smaller totals.
    pub families: u64,
}

/// A line holds four numbers; lines that start with `#` are remarks.
fn parse(text: &str) -> Result<Vec<Exhausted>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines
        .map(|(at, line)| {
            let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
            match numbers.as_deref() {
                Ok(&[n, b, at_least, families]) => {
                    Ok(Exhausted { n: n as usize, b: b as usize, at_least: at_least as usize, families })
                }
                _ => Err(format!("line {}: {line:?}; expected four numbers: n b at-least families", at + 1)),
            }
        })
        .collect()
}

static EXHAUSTED: LazyLock<Vec<Exhausted>> =
    LazyLock::new(|| parse(include_str!("minima.txt")).unwrap_or_else(|error| panic!("minima.txt: {error}")));

/// The bounds that [`super::super::minimum`] has proven and the program keeps.
///
/// # Panics
/// Never: a test reads them, and what is wrong with one would be said with its line.
pub fn exhausted() -> impl Iterator<Item = Exhausted> {
    EXHAUSTED.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_none_is_named() {
        let error = parse("# a remark\n7 1 29 10\n7 1 29\n").map_err(|error| error.starts_with("line 3: "));
        assert_eq!(error, Err(true));
        assert!(exhausted().count() > 0);
    }
}
