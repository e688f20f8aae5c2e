//! The spellings of 0 and 1, and text as programs leave it.

use super::error::FormatError;

/// The bit that a field spells: 0 or 1, TRUE or FALSE, or a decimal number that is exactly one of them, as in
/// `1.000e+00`.
pub(crate) fn bit(field: &str) -> Option<bool> {
    match field {
        "0" => Some(false),
        "1" => Some(true),
        _ if field.eq_ignore_ascii_case("false") => Some(false),
        _ if field.eq_ignore_ascii_case("true") => Some(true),
        _ => decimal(field),
    }
}

/// Exactly 0 or exactly 1 in decimal. Nothing is rounded: 1e-400 is no zero.
fn decimal(field: &str) -> Option<bool> {
    let (negative, unsigned) = match field.as_bytes().first()? {
        b'-' => (true, &field[1..]),
        b'+' => (false, &field[1..]),
        _ => (false, field),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, part].concat();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let Some(first) = digits.bytes().position(|digit| digit != b'0') else { return Some(false) };
    let one = digits[first..].trim_end_matches('0') == "1";
    // The place of the first digit, from the point: 0 for a 1 just before it.
    let place = whole.len() as i64 - 1 - first as i64;
    (one && !negative && place.checked_add(exponent) == Some(0)).then_some(true)
}

/// Whether a field is a number of any kind.
pub(crate) fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

/// Whether a field can be a column's name.
pub(crate) fn is_name(field: &str) -> bool {
    field.starts_with(|c: char| c.is_alphabetic() || c == '_') && !is_number(field) && bit(field).is_none()
}

/// Text without the byte order mark that some programs write; UTF-16 is refused by name.
pub(crate) fn text(bytes: &[u8]) -> Result<&[u8], FormatError> {
    if is_utf16(bytes) {
        return Err(FormatError::new("text in UTF-16", "UTF-8").hint("save it again as UTF-8, or with iconv"));
    }
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// Whether text is in UTF-16: by its mark, or every second byte of its beginning is zero.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || matches!(bytes, [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a != 0 && *b != 0)
}

/// The lines of a text with their numbers from 1, whatever ends them: `\n`, `\r\n` or `\r`.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(bytes);
    let mut number = 0;
    std::iter::from_fn(move || {
        let text = rest.filter(|rest| !rest.is_empty())?;
        let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
        let long = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = text.get(end + long..);
        number += 1;
        Some((number, &text[..end]))
    })
}
