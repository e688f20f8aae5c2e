//! Text from a file on its way to a person.
//!
//! # What is promised
//! What is shown is one line, cannot move a terminal's cursor, and has a stated length: a file can neither forge
//! the lines around it nor flood them.

use std::fmt::Write as _;

/// Of a single value (a name, a digest, a number) so many characters are shown.
const VALUE: usize = 100;
/// Of a sentence that may quote several values so many characters are shown.
const SENTENCE: usize = 500;

/// A value from a file as it may be shown: characters that a terminal obeys, that hide, or that turn the direction
/// of writing are escaped, and what is longer than a line is cut. What was shown once is not changed again.
///
/// ```
/// use ecode_core::shown;
/// assert_eq!(shown("kissat 4.0 \u{1b}[2J\nValid"), r"kissat 4.0 \u{1b}[2J\nValid");
/// assert!(shown(&"9".repeat(1_000_000)).ends_with("9… (999940 more characters)"));
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    within(text, VALUE)
}

/// As [`shown`], for a whole sentence, such as an error that quotes a file.
#[must_use]
pub fn shown_sentence(text: &str) -> String {
    within(text, SENTENCE)
}

fn within(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    // The place in the line and in the text up to which both are shown if the whole does not fit.
    let mut cut = None;
    for (place, c) in text.char_indices() {
        // Quotes and backslashes are harmless, and stand in the names of files.
        let plain = matches!(c, '"' | '\'' | '\\');
        let width = if plain { 1 } else { c.escape_debug().count() };
        if cut.is_none() && length + width > most - 40 {
            cut = Some((line.len(), place));
        }
        length += width;
        if length > most {
            let (end, place) = cut.unwrap_or_default();
            line.truncate(end);
            // Writing to a String cannot fail.
            let _ = write!(line, "… ({} more characters)", text[place..].chars().count());
            return line;
        }
        if plain { line.push(c) } else { line.extend(c.escape_debug()) }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for c in (0..0xe01ff).filter_map(char::from_u32) {
            let once = shown(&format!("a{c}b"));
            let obeyed = |c: char| {
                c.is_control()
                    || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
            };
            assert!(!once.contains(obeyed), "{c:?}: {once}");
            assert_eq!(shown(&once), once, "{c:?}");
        }
        assert_eq!(shown(r#"C:\codes\"αβ" – 7 × 7 ≤ …"#), r#"C:\codes\"αβ" – 7 × 7 ≤ …"#);
    }

    #[test]
    fn a_value_is_cut_to_a_line_and_only_once() {
        for len in 0..300 {
            for unit in ["x", "\n", "ä\u{202e}", "\u{1f600}"] {
                let text = unit.repeat(len);
                let once = shown(&text);
                assert!(once.chars().count() <= VALUE, "{once}");
                assert_eq!(shown(&once), once);
                assert_eq!(shown_sentence(&once), once);
            }
        }
        assert_eq!(shown(&"x".repeat(VALUE)), "x".repeat(VALUE));
    }
}
