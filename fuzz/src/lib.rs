//! What every reader promises, whatever bytes arrive.

use ecode::format::{Format, MatrixFile};

/// Reads the bytes: an error of one line, or a matrix that every format writes and reads back.
///
/// # Panics
/// When the promise is broken: a finding.
pub fn reader(bytes: &[u8], format: Format) {
    match MatrixFile::parse(bytes, format) {
        Err(error) => assert!(!error.to_string().contains('\n'), "more than one line: {error:?}"),
        Ok(file) => {
            for format in Format::ALL {
                let again = MatrixFile::parse(&file.to_bytes(format), format);
                let again = again.unwrap_or_else(|error| panic!("{format:?} does not read back: {error}"));
                assert_eq!(again.matrix, file.matrix, "{format:?}");
            }
        }
    }
}
