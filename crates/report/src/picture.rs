//! G as a picture: a line a worker, a character a partition.

use std::fmt::Write as _;

use ecode_core::{AllocationMatrix, Outcome};

/// The characters of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    one: char,
    zero: char,
    chosen: char,
    wrong: char,
    silent: char,
    /// An eighth, a quarter, … of a whole cell of a bar; the last is the whole.
    eighths: [char; 8],
}

impl Glyphs {
    /// Blocks and dots, for terminals that show Unicode.
    pub const UNICODE: Self = Self {
        one: '█',
        zero: '·',
        chosen: '▼',
        wrong: '✗',
        silent: '?',
        eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    };
    /// The same in ASCII.
    pub const ASCII: Self = Self {
        one: '#',
        zero: '.',
        chosen: 'v',
        wrong: 'x',
        silent: '?',
        eighths: ['.', '.', ':', ':', '+', '+', '=', '#'],
    };

    /// A bar of this part of `width` characters; what is above 0 shows at least an eighth of one.
    #[must_use]
    pub fn bar(&self, part: f64, width: usize) -> String {
        let eighths = (part.clamp(0.0, 1.0) * (8 * width) as f64).round() as usize;
        let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
        let mut bar: String = std::iter::repeat_n(self.eighths[7], eighths / 8).collect();
        if eighths % 8 > 0 {
            bar.push(self.eighths[eighths % 8 - 1]);
        }
        bar
    }
}

/// Draws G with each worker's load, and on a message which partitions are its ones and which workers
/// it turns wrong. Two characters a partition, so that the picture is about square.
#[must_use]
pub fn picture(g: &AllocationMatrix, worst: Option<&Outcome>, glyphs: Glyphs) -> String {
    let width = (g.n() - 1).to_string().len().max(6);
    let mut text = String::new();
    if let Some(worst) = worst {
        let marks: String = (0..g.k())
            .flat_map(|i| [if worst.message.contains(i) { glyphs.chosen } else { ' ' }, ' '])
            .collect();
        let _ = writeln!(text, "{:>width$}  {}", "m", marks.trim_end());
    }
    let _ = writeln!(text, "{:>width$}  {:<cells$} load", "worker", "", cells = 2 * g.k() - 1);
    for j in 0..g.n() {
        let cells: Vec<String> =
            (0..g.k()).map(|i| if g.holds(j, i) { glyphs.one } else { glyphs.zero }.to_string()).collect();
        let _ = write!(text, "{j:>width$}  {} {:>4}", cells.join(" "), g.worker_load(j));
        match worst {
            Some(worst) if worst.wrong.contains(j) => {
                let _ = write!(text, "  {} wrong", glyphs.wrong);
            }
            Some(worst) if worst.silent.contains(j) => {
                let _ = write!(text, "  {} silent", glyphs.silent);
            }
            _ => {}
        }
        text.push('\n');
    }
    text
}
