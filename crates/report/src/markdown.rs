//! Tables that can be pasted into a paper or an issue.
//!
//! # What is promised
//! Whatever a cell holds, the table stays a table: a pipe is escaped, and a character that a terminal would
//! obey is shown as its escape.

use std::fmt;

use comfy_table::{Table, presets};
use ecode_core::shown_sentence;

/// A table in Markdown, aligned for a terminal.
#[derive(Debug)]
pub struct Markdown(Table);

impl Markdown {
    /// An empty table with these columns.
    pub fn new<T: AsRef<str>>(header: impl IntoIterator<Item = T>) -> Self {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(header.into_iter().map(cell));
        Self(table)
    }

    /// Adds a row.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.add_row(cells.into_iter().map(cell));
    }
}

impl fmt::Display for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn cell(text: impl AsRef<str>) -> String {
    shown_sentence(text.as_ref()).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stays_a_table() {
        let mut table = Markdown::new(["file", "n"]);
        table.row(["a|b\n\u{1b}[2J", "5"]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[2].starts_with("| a\\|b\\n\\u{1b}[2J | 5 "), "{text}");
    }
}
