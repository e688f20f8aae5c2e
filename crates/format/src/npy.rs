//! NumPy's npy (format versions 1 to 3). Written as u8, n × k, C order; read in u8, bool or a signed
//! integer type, in either order and byte order.
//!
//! The reader is our own because it must refuse a hostile header (a shape of 2^64 entries, say) with an
//! error; the library at hand panics on it.

use super::{FormatError, from_entries};
use ecode_core::{AllocationMatrix, MAX_SIZE};

const MAGIC: &[u8] = b"\x93NUMPY";

/// What the header says.
struct Header {
    descr: String,
    fortran: bool,
    n: usize,
    k: usize,
}

fn broken(found: impl Into<String>) -> FormatError {
    FormatError::new(format!("not a readable npy file: {}", found.into()), "an array saved by NumPy")
}

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| broken("it does not start with \\x93NUMPY"))?;
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(|| broken("it ends in its version"))?;
    let short = || broken("it ends in its header's length");
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(l, rest)| (usize::from(u16::from_le_bytes(*l)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(l, rest)| (u32::from_le_bytes(*l) as usize, rest)),
        _ => return Err(broken(format!("its format version is {major}"))),
    }
    .ok_or_else(short)?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(|| broken("it ends in its header"))?;
    let header = std::str::from_utf8(header).map_err(|_| broken("its header is not text"))?;
    let Header { descr, fortran, n, k } = parse_header(header)?;
    let size = match descr.get(1..) {
        Some("u1" | "b1" | "i1") => 1,
        Some("i2") => 2,
        Some("i4") => 4,
        Some("i8") => 8,
        _ => {
            let descr = descr.escape_debug();
            return Err(FormatError::new(format!("an array of type {descr}"), "u1, b1, i1, i2, i4 or i8"));
        }
    };
    let big_endian = descr.starts_with('>');
    if data.len() != n * k * size {
        return Err(broken(format!("{} bytes of entries instead of {}", data.len(), n * k * size)));
    }
    let at = |j: usize, i: usize| {
        let place = if fortran { i * n + j } else { j * k + i };
        let entry = &data[place * size..][..size];
        let (low, high) =
            if big_endian { (entry[size - 1], &entry[..size - 1]) } else { (entry[0], &entry[1..]) };
        // Any other number than 0 and 1 becomes one that is refused with its place.
        if high.iter().all(|&byte| byte == 0) { low } else { u8::MAX }
    };
    let rows: Vec<Vec<u8>> = (0..n).map(|j| (0..k).map(|i| at(j, i)).collect()).collect();
    from_entries(&rows, "")
}

/// Reads the Python dictionary of the header: `{'descr': '|u1', 'fortran_order': False, 'shape': (5, 5), }`.
fn parse_header(text: &str) -> Result<Header, FormatError> {
    let value = |key: &str| -> Result<&str, FormatError> {
        let missing = || broken(format!("its header has no '{key}'"));
        let start = text.find(&format!("'{key}'")).ok_or_else(missing)? + key.len() + 2;
        Ok(text[start..].trim_start().strip_prefix(':').ok_or_else(missing)?.trim_start())
    };
    let descr = value("descr")?
        .strip_prefix('\'')
        .and_then(|rest| rest.split_once('\''))
        .ok_or_else(|| FormatError::new("an array of records", "u1, b1, i1, i2, i4 or i8"))?
        .0;
    let fortran = match value("fortran_order")? {
        order if order.starts_with("False") => false,
        order if order.starts_with("True") => true,
        _ => return Err(broken("its fortran_order is neither True nor False")),
    };
    let shape = value("shape")?
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .ok_or_else(|| broken("its shape is no tuple"))?
        .0;
    let sizes: Vec<&str> = shape.split(',').map(str::trim).filter(|size| !size.is_empty()).collect();
    let [n, k] = sizes[..] else {
        return Err(FormatError::new(format!("an array of {} dimensions", sizes.len()), "2"));
    };
    let size = |text: &str| text.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size));
    let (Some(n), Some(k)) = (size(n), size(k)) else {
        let (n, k) = (n.escape_debug(), k.escape_debug());
        return Err(FormatError::new(
            format!("an array of {n} × {k}"),
            format!("1 to {MAX_SIZE} rows and columns"),
        ));
    };
    Ok(Header { descr: descr.to_owned(), fortran, n, k })
}

pub(super) fn write(g: &AllocationMatrix) -> Vec<u8> {
    let mut header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, {}), }}", g.n(), g.k());
    // The entries start at a multiple of 64 bytes, after a line end.
    let before = MAGIC.len() + 4 + header.len() + 1;
    header += &" ".repeat(before.next_multiple_of(64) - before);
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for j in 0..g.n() {
        bytes.extend((0..g.k()).map(|i| u8::from(g.holds(j, i))));
    }
    bytes
}
