//! Digests, in the form that every file of the project has them: `sha256:` and hexadecimal.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `sha256:` and the SHA-256 of the bytes in lower-case hexadecimal.
///
/// ```
/// let digest = ecode_core::digest::sha256(b"");
/// assert_eq!(digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)))
}
