//! What a file seems to be, by its first bytes: for a message that helps, never for reading it.

use super::entry::is_utf16;
use super::error::FormatError;
use super::format::Format;
use super::{mtx, npy};

/// So many bytes are looked at.
const LOOK: usize = 4096;

impl Format {
    /// The format of a file whose name says none: JSON, where it looks like that.
    ///
    /// # Errors
    /// [`FormatError`] that says what else it looks like, and how to have it read.
    pub fn of_contents(bytes: &[u8]) -> Result<Self, FormatError> {
        let expected = || format!("--format with one of {}", Self::names());
        match guess(bytes) {
            None | Some((_, Some(Self::Json))) => Ok(Self::Json),
            Some((what, Some(format))) => {
                let error = FormatError::new("a file whose name says no format", expected());
                Err(error.hint(format!("it looks like {what}: --format {}", format.name())))
            }
            Some((what, None)) => {
                let error = FormatError::new("a file whose name says no format", expected());
                Err(error.hint(format!("it looks like {what}")))
            }
        }
    }
}

/// What the bytes look like: words for a person, and the format, where it is one that is read.
pub(crate) fn guess(bytes: &[u8]) -> Option<(&'static str, Option<Format>)> {
    let foreign = |what| Some((what, None));
    if bytes.is_empty() {
        return foreign("an empty file");
    }
    if npy::is_npy(bytes) {
        return Some(("a NumPy array", Some(Format::Npy)));
    }
    for (magic, what) in [
        (&b"PK\x05\x06"[..], "an empty zip archive"),
        (b"\x1f\x8b", "a gzip file: unpack it first, as with gunzip"),
        (b"\x89HDF", "an HDF5 file (MATLAB 7.3, PyTables): save the matrix as .npy, .mtx or .csv"),
        (b"MATLAB 5.0", "a MATLAB file: writematrix(G, 'matrix.csv') or scipy.io.mmwrite save it otherwise"),
        (b"\x80\x02", "a Python pickle or a PyTorch file: np.save('matrix.npy', G) saves it otherwise"),
        (b"\x80\x03", "a Python pickle: np.save('matrix.npy', G) saves it otherwise"),
        (b"\x80\x04", "a Python pickle: np.save('matrix.npy', G) saves it otherwise"),
        (b"\x80\x05", "a Python pickle: np.save('matrix.npy', G) saves it otherwise"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xd0\xcf\x11\xe0", "an Excel file: save it as CSV"),
    ] {
        if bytes.starts_with(magic) {
            return foreign(what);
        }
    }
    if bytes.starts_with(b"PK") {
        // Excel's and PyTorch's files are such archives, too.
        let start = &bytes[..bytes.len().min(LOOK)];
        let holds = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
        if holds(b"[Content_Types].xml") || holds(b"xl/") {
            return foreign("an Excel file: save it as CSV");
        }
        if holds(b"data.pkl") {
            return foreign("a PyTorch file: np.save('matrix.npy', G.numpy()) saves it otherwise");
        }
        return Some(("a NumPy archive", Some(Format::Npz)));
    }
    if is_utf16(bytes) {
        return foreign("text in UTF-16: save it again as UTF-8");
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text[..text.len().min(LOOK)].trim_ascii_start();
    match text.first()? {
        b'{' | b'[' => Some(("JSON", Some(Format::Json))),
        b'%' if text.len() >= mtx::MAGIC.len()
            && text[..mtx::MAGIC.len()].eq_ignore_ascii_case(mtx::MAGIC.as_bytes()) =>
        {
            Some(("a MatrixMarket file", Some(Format::Mtx)))
        }
        b'<' => foreign("a web page or XML"),
        _ => of_text(text),
    }
}

fn of_text(text: &[u8]) -> Option<(&'static str, Option<Format>)> {
    if text.iter().any(|&byte| byte < b' ' && !byte.is_ascii_whitespace()) {
        return None;
    }
    let mut lines = super::entry::lines(text)
        .map(|(_, line)| line)
        .filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    let first = lines.next()?;
    let numbers = |line: &[u8]| -> Option<usize> {
        let text = std::str::from_utf8(line).ok()?;
        let mut words = text.split_ascii_whitespace();
        words.all(|word| word.parse::<usize>().is_ok()).then(|| text.split_ascii_whitespace().count())
    };
    // Sizes, then the heaviest column and row, then a weight a column.
    let large = |line: &[u8]| line.iter().any(|byte| (b'2'..=b'9').contains(byte));
    if numbers(first) == Some(2) && large(first) && lines.next().and_then(numbers) == Some(2) {
        return Some(("an alist", Some(Format::Alist)));
    }
    if first.contains(&b',') || first.contains(&b';') {
        Some(("comma-separated values", Some(Format::Csv)))
    } else if first.contains(&b'\t') {
        Some(("tab-separated values", Some(Format::Tsv)))
    } else if first.iter().all(|byte| matches!(byte, b'0' | b'1' | b' ' | b'.' | b'e' | b'+' | b'-')) {
        Some(("rows of 0 and 1", Some(Format::Txt)))
    } else {
        None
    }
}
