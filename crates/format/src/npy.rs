//! NumPy's npy (format versions 1 to 3). Written as u8, n × k, C order; read in every type of whole and
//! floating-point numbers, in either order and byte order. A float is an entry when it is exactly 0 or 1.
//!
//! The reader is our own because it must refuse a hostile header (a shape of 2^64 entries, say) with an
//! error; the library at hand panics on it.

use std::fmt;

use super::error::FormatError;
use super::rows::Rows;
use ecode_core::{AllocationMatrix, MAX_SIZE};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether a file begins as an npy file does.
pub(crate) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn broken(found: impl fmt::Display) -> FormatError {
    FormatError::new(format!("not a readable npy file: {found}"), "an array saved by NumPy")
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unsigned,
    Signed,
    Float,
    /// Bytes, ended by zeros.
    Bytes,
    /// Characters of four bytes, ended by zeros.
    Text,
}

/// A number of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// The bit that it is exactly.
    pub(crate) fn bit(self) -> Option<bool> {
        match self {
            Self::Whole(0) | Self::Float(0.0) => Some(false),
            Self::Whole(1) | Self::Float(1.0) => Some(true),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

/// An array as the file holds it.
#[derive(Debug)]
pub(crate) struct Array<'a> {
    kind: Kind,
    /// Bytes an entry.
    size: usize,
    big_endian: bool,
    fortran: bool,
    pub(crate) shape: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| broken("it does not start with \\x93NUMPY"))?;
        let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(|| broken("it ends in its version"))?;
        let (length, rest) = match major {
            1 => rest.split_first_chunk().map(|(l, rest)| (usize::from(u16::from_le_bytes(*l)), rest)),
            2 | 3 => rest.split_first_chunk().map(|(l, rest)| (u32::from_le_bytes(*l) as usize, rest)),
            _ => return Err(broken(format!("its format version is {major}"))),
        }
        .ok_or_else(|| broken("it ends in its header's length"))?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(|| broken("it ends in its header"))?;
        let header = std::str::from_utf8(header).map_err(|_| broken("its header is not text"))?;
        Header { text: header }.array(data)
    }

    /// Checks that the file holds the entries that its shape says.
    pub(crate) fn check_length(&self) -> Result<(), FormatError> {
        let expected = self.shape.iter().try_fold(self.size, |all, &size| all.checked_mul(size));
        if expected != Some(self.data.len()) {
            let expected = expected.map_or("more".to_owned(), |bytes| bytes.to_string());
            return Err(broken(format!("{} bytes of entries instead of {expected}", self.data.len())));
        }
        Ok(())
    }

    /// The entries of an array of one dimension.
    pub(crate) fn list(&self) -> Result<impl ExactSizeIterator<Item = Number> + '_, FormatError> {
        self.check_length()?;
        match self.shape[..] {
            [length] if !matches!(self.kind, Kind::Bytes | Kind::Text) => {
                Ok((0..length).map(|place| self.number(place)))
            }
            _ => Err(FormatError::new(format!("an array of {}", dimensions(self.shape.len())), "1")),
        }
    }

    /// The one text of an array of texts.
    pub(crate) fn text(&self) -> Option<String> {
        self.check_length().ok().filter(|()| self.shape.iter().product::<usize>() == 1)?;
        match self.kind {
            Kind::Bytes => Some(String::from_utf8_lossy(self.data).trim_end_matches('\0').to_owned()),
            Kind::Text => {
                let character = |&bytes: &[u8; 4]| {
                    char::from_u32(if self.big_endian {
                        u32::from_be_bytes(bytes)
                    } else {
                        u32::from_le_bytes(bytes)
                    })
                };
                let text: Option<String> = self.data.as_chunks::<4>().0.iter().map(character).collect();
                Some(text?.trim_end_matches('\0').to_owned())
            }
            _ => None,
        }
    }

    /// The number at a place of the data, which must be there.
    fn number(&self, place: usize) -> Number {
        let mut bytes = [0; 8];
        bytes[..self.size].copy_from_slice(&self.data[place * self.size..][..self.size]);
        if self.big_endian {
            bytes[..self.size].reverse();
        }
        let low = u64::from_le_bytes(bytes);
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Signed, _) => Number::Whole(i128::from((low as i64) << unused >> unused)),
            (Kind::Float, 2) => Number::Float(half(low as u16)),
            (Kind::Float, 4) => Number::Float(f32::from_bits(low as u32).into()),
            (Kind::Float, _) => Number::Float(f64::from_bits(low)),
            _ => Number::Whole(low.into()),
        }
    }

    /// The matrix; of several, which three dimensions are, the one with the number `draw`.
    pub(crate) fn matrix(&self, draw: Option<usize>) -> Result<AllocationMatrix, FormatError> {
        let (draws, n, k) = match (self.shape[..].as_ref(), draw) {
            ([n, k], None | Some(0)) => (1, *n, *k),
            ([draws, n, k], Some(draw)) if draw < *draws => (*draws, *n, *k),
            ([draws, ..], Some(draw)) => {
                let draws = if self.shape.len() == 3 { *draws } else { 1 };
                let found = format!("{draws} matrices, and no draw {draw}");
                return Err(FormatError::new(found, format!("0 to {}", draws.max(1) - 1)));
            }
            (shape, _) => {
                let error = FormatError::new(format!("an array of {}", dimensions(shape.len())), "2");
                return Err(if shape.len() == 3 {
                    error.hint(format!(
                        "--draw 0 to --draw {} choose one of its matrices",
                        shape[0].max(1) - 1
                    ))
                } else {
                    error
                });
            }
        };
        if matches!(self.kind, Kind::Bytes | Kind::Text) {
            return Err(FormatError::new("an array of texts", NUMBERS));
        }
        if !(1..=MAX_SIZE).contains(&n) || !(1..=MAX_SIZE).contains(&k) {
            return Err(FormatError::new(format!("an array of {n} × {k}"), super::rows::sizes()));
        }
        self.check_length()?;
        let draw = draw.unwrap_or(0);
        let mut rows = Rows::default();
        for j in 0..n {
            for i in 0..k {
                let place = if self.fortran { (i * n + j) * draws + draw } else { (draw * n + j) * k + i };
                let number = self.number(place);
                let bit = number
                    .bit()
                    .ok_or_else(|| FormatError::new(format!("row {j}, column {i} is {number}"), "0 or 1"))?;
                rows.push(bit)?;
            }
            rows.end()?;
        }
        rows.finish()
    }
}

fn dimensions(count: usize) -> String {
    if count == 1 { "1 dimension".to_owned() } else { format!("{count} dimensions") }
}

/// A number of 16 bits as IEEE 754 has it.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

const NUMBERS: &str = "whole or floating-point numbers of up to 64 bits";

/// The Python dictionary of the header: `{'descr': '|u1', 'fortran_order': False, 'shape': (5, 5), }`.
struct Header<'a> {
    text: &'a str,
}

impl Header<'_> {
    fn value(&self, key: &str) -> Result<&str, FormatError> {
        let missing = || broken(format!("its header has no '{key}'"));
        let start = self.text.find(&format!("'{key}'")).ok_or_else(missing)? + key.len() + 2;
        Ok(self.text[start..].trim_start().strip_prefix(':').ok_or_else(missing)?.trim_start())
    }

    fn array<'a>(&self, data: &'a [u8]) -> Result<Array<'a>, FormatError> {
        let descr = self
            .value("descr")?
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once('\''))
            .ok_or_else(|| FormatError::new("an array of records", NUMBERS))?
            .0;
        let other = || {
            let error = FormatError::new(format!("an array of type {descr}"), NUMBERS);
            error.hint("np.save(file, G.astype(\"u1\")) writes them")
        };
        let (order, kind) = descr.split_at_checked(1).ok_or_else(other)?;
        let (kind, size) = kind.split_at_checked(1).ok_or_else(other)?;
        let size: usize = size.parse().map_err(|_| other())?;
        let (kind, size) = match (kind, size) {
            ("u", 1 | 2 | 4 | 8) | ("b", 1) => (Kind::Unsigned, size),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("f", 2 | 4 | 8) => (Kind::Float, size),
            ("S", 1..=64) => (Kind::Bytes, size),
            ("U", 1..=64) => (Kind::Text, 4 * size),
            _ => return Err(other()),
        };
        let fortran = match self.value("fortran_order")? {
            order if order.starts_with("False") => false,
            order if order.starts_with("True") => true,
            _ => return Err(broken("its fortran_order is neither True nor False")),
        };
        let shape = self
            .value("shape")?
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .ok_or_else(|| broken("its shape is no tuple"))?
            .0;
        // Python 2 wrote (3L, 3L).
        let sizes = shape.split(',').map(|size| size.trim().trim_end_matches('L'));
        let sizes: Option<Vec<usize>> =
            sizes.filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect();
        let sizes = sizes.ok_or_else(|| broken(format!("its shape is ({shape})")))?;
        Ok(Array { kind, size, big_endian: order == ">", fortran, shape: sizes, data })
    }
}

pub(crate) fn write(g: &AllocationMatrix) -> Vec<u8> {
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
