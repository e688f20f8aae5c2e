//! Reading and writing allocation matrices, one format a file.
//!
//! # What is promised
//! - A file that is read gives a matrix with 0/1 entries of 1 to 4096 rows and columns, or one error
//!   that names the place. Nothing in a file is trusted: fields that say something about G must agree
//!   with it.
//! - A reader takes no more memory than a small multiple of the file, and refuses what is too large before it
//!   holds it.
//! - A file that is written appears whole or not at all.
//! - Writing and reading back gives the same matrix.

mod alist;
mod claim;
mod dimacs;
mod domains;
mod entry;
mod error;
mod file;
mod format;
mod json;
mod mtx;
mod npy;
mod npz;
mod number;
mod opb;
mod rows;
mod small;
mod sniff;
mod txt;
mod verdict;
mod write;

pub use dimacs::dimacs;
pub use domains::{domain_verdict_json, parse_domains};
pub use error::FormatError;
pub use file::{MAX_FILE, MatrixFile, read_all};
pub use format::Format;
pub use number::{exact, whole};
pub use opb::opb;
pub use verdict::{verdict_json, verification_json};
pub use write::{Aside, Written, check_writable, clear_leftovers, folder_beside, is_stdout, write_whole};

impl MatrixFile {
    /// Reads a matrix from bytes.
    ///
    /// # Errors
    /// [`FormatError`] with the place in the file.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, FormatError> {
        Self::parse_draw(bytes, format, None)
    }

    /// Reads a matrix from bytes: the one with the number `draw`, from 0, where the file holds several. Text holds
    /// several with a line of one number above 1 between them, npy and npz in an array of three dimensions.
    ///
    /// # Errors
    /// [`FormatError`] with the place in the file; also where the file holds several and none is chosen.
    pub fn parse_draw(bytes: &[u8], format: Format, draw: Option<usize>) -> Result<Self, FormatError> {
        let single = || match draw {
            None | Some(0) => Ok(()),
            Some(draw) => {
                Err(FormatError::new(format!("draw {draw} of a format that holds one matrix"), "draw 0"))
            }
        };
        let read = match format {
            Format::Json => single().and_then(|()| json::parse(bytes)),
            Format::Csv => txt::parse(bytes, txt::Separator::Comma, draw).map(Self::plain),
            Format::Tsv => txt::parse(bytes, txt::Separator::Tab, draw).map(Self::plain),
            Format::Txt => txt::parse(bytes, txt::Separator::Space, draw).map(Self::plain),
            Format::Npy => npy::Array::parse(bytes).and_then(|array| array.matrix(draw)).map(Self::plain),
            Format::Npz => npz::parse(bytes, draw).map(Self::plain),
            Format::Mtx => single().and_then(|()| mtx::parse(bytes)).map(Self::plain),
            Format::Alist => single().and_then(|()| alist::parse(bytes)).map(Self::plain),
        };
        read.map_err(|error| match sniff::guess(bytes) {
            _ if error.has_hint() => error,
            Some((what, None)) => error.hint(format!("it looks like {what}")),
            Some((what, Some(other))) if other != format && !(other.is_text() && format.is_text()) => {
                error.hint(format!("it looks like {what}: --format {} reads it", other.name()))
            }
            _ => error,
        })
    }

    /// Writes the matrix to bytes. Only JSON keeps more than G.
    #[must_use]
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        let g = &self.matrix;
        match format {
            Format::Json => json::write(self).into_bytes(),
            Format::Csv => txt::write(g, ",").into_bytes(),
            Format::Tsv => txt::write(g, "\t").into_bytes(),
            Format::Txt => txt::write(g, "").into_bytes(),
            Format::Npy => npy::write(g),
            Format::Npz => npz::write(g),
            Format::Mtx => mtx::write(g).into_bytes(),
            Format::Alist => alist::write(g).into_bytes(),
        }
    }
}
