//! The formats of matrix files, by name, extension and contents.

use std::path::Path;
use std::str::FromStr;

use super::error::FormatError;

/// A format of matrix files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `ecode/matrix/1`, with everything that is known of the code; a list of rows alone is read, too.
    Json,
    /// 0/1, comma, a line a worker.
    Csv,
    /// 0/1, tab, a line a worker.
    Tsv,
    /// A line of 0/1 characters a worker; spaces allowed.
    Txt,
    /// NumPy: u8, n × k, C order.
    Npy,
    /// A NumPy archive of one array, dense or as SciPy saves sparse matrices.
    Npz,
    /// MatrixMarket.
    Mtx,
    /// MacKay's format of sparse matrices.
    Alist,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Json, Self::Csv, Self::Tsv, Self::Txt, Self::Npy, Self::Npz, Self::Mtx, Self::Alist];

    /// Its name, which is its extension as well.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Txt => "txt",
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::Mtx => "mtx",
            Self::Alist => "alist",
        }
    }

    /// The format that a file's extension names.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.to_ascii_lowercase().parse().ok()
    }

    /// Whether it is rows of text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Txt)
    }

    /// All names, as a sentence lists them.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| FormatError::new(format!("unknown format '{text}'"), Self::names()))
    }
}
