//! How wide a text is, without a font: no less than in the fonts that are in use for pages.

/// The width of a text at a size in pixels. Of the usual fonts DejaVu Sans is the widest; these are its widths,
/// rounded up.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.35,
            ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.45,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 1.01,
            'A'..='Z' | '≤' | '≥' | '±' | '×' | '−' | '+' | '=' | '<' | '>' => 0.84,
            _ if c.is_ascii() => 0.64,
            // Letters of other scripts are up to a square.
            _ => 1.0,
        })
        .sum();
    ems * size
}

/// The text, cut to a width where it is longer.
pub(crate) fn cut(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if width(&short, size) + width("…", size) > most {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_its_room() {
        assert_eq!(cut("short", 12.0, 100.0), "short");
        let long = cut("a-rather-long-name.json", 12.0, 60.0);
        assert!(long.ends_with('…') && width(&long, 12.0) <= 60.0, "{long}");
    }
}
