//! Who may speak: an authority of the run's own, a certificate for the server and one for each row, and the list of
//! the rows' certificates.
//!
//! # What is promised
//! A worker is who its certificate's SHA-256 says, by the list of rows alone: names inside certificates decide
//! nothing, and taking a line off the list takes the row off the run. Private keys are readable by their owner only.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ecode_core::digest::{hexadecimal, sha256};
use ecode_server::reactive::{Digest, Signer};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

/// The name that the server's certificate is made for. It is the run's authority that makes it the server, not its
/// address, so workers look for this name wherever they connect to.
pub const SERVER_NAME: &str = "server.ecode";

/// What is wrong with keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file cannot be read or written.
    #[error("{}: {error}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {what}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There are keys already.
    #[error("{} is not empty: keys are never overwritten; name a new folder", .0.display())]
    Exists(PathBuf),
    /// The keys cannot be made.
    #[error("keys cannot be made: {0}")]
    Make(String),
}

/// Makes the keys of a run in a new folder: `authority.pem` and `authority.key` (needed again only to make further
/// certificates: keep the key away from the machines), `server/` and `worker-0/`, `worker-1/`, … to be copied to theirs.
///
/// # Errors
/// [`KeysError`]; nothing is overwritten.
pub fn make(folder: &Path, workers: usize) -> Result<(), KeysError> {
    let io = |file: &Path| {
        let file = file.to_owned();
        move |error| KeysError::Io { file, error }
    };
    let made = |error: rcgen::Error| KeysError::Make(error.to_string());
    fs::create_dir_all(folder).map_err(io(folder))?;
    if fs::read_dir(folder).map_err(io(folder))?.next().is_some() {
        return Err(KeysError::Exists(folder.to_owned()));
    }
    let authority_key = KeyPair::generate().map_err(made)?;
    let mut authority = CertificateParams::new(Vec::new()).map_err(made)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "authority of a coded vote");
    let root = authority.self_signed(&authority_key).map_err(made)?.pem();
    write(&folder.join("authority.pem"), root.as_bytes(), false)?;
    write(&folder.join("authority.key"), authority_key.serialize_pem().as_bytes(), true)?;
    let issuer = Issuer::new(authority, authority_key);
    let mut rows = Vec::new();
    for place in 0..=workers {
        // The server first.
        let row = place.checked_sub(1);
        let (name, usage) = match row {
            None => ("server".to_owned(), ExtendedKeyUsagePurpose::ServerAuth),
            Some(row) => (format!("worker-{row}"), ExtendedKeyUsagePurpose::ClientAuth),
        };
        let alternative = if row.is_none() { vec![SERVER_NAME.to_owned()] } else { Vec::new() };
        let key = KeyPair::generate().map_err(made)?;
        let mut params = CertificateParams::new(alternative).map_err(made)?;
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = params.signed_by(&key, &issuer).map_err(made)?;
        let own = folder.join(&name);
        fs::create_dir(&own).map_err(io(&own))?;
        write(&own.join("authority.pem"), root.as_bytes(), false)?;
        write(&own.join("own.pem"), certificate.pem().as_bytes(), false)?;
        write(&own.join("own.key"), key.serialize_pem().as_bytes(), true)?;
        if let Some(row) = row {
            // What signs answers is a key of its own: not every TLS library connects with a certificate of Ed25519.
            let signs = KeyPair::generate_for(&PKCS_ED25519).map_err(made)?;
            write(&own.join(SIGNS), signs.serialize_pem().as_bytes(), true)?;
            let public = hexadecimal(signs.public_key_raw());
            rows.push(Pin { row, sha256: sha256(certificate.der()), key: Some(public) });
        }
    }
    let text = toml::to_string(&Pins { rows }).map_err(|error| KeysError::Make(error.to_string()))?;
    write(&folder.join("server").join("rows.toml"), text.as_bytes(), false)
}

/// Writes a new file; a private one is for its owner only.
fn write(file: &Path, bytes: &[u8], private: bool) -> Result<(), KeysError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let written =
        options.open(file).and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()));
    written.map_err(|error| KeysError::Io { file: file.to_owned(), error })
}

/// Which certificate speaks for which row: `rows.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// One entry a row that takes part.
    pub rows: Vec<Pin>,
}

/// One row's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The row of the allocation matrix, from 0.
    pub row: usize,
    /// `sha256:` and the SHA-256 of the certificate in DER.
    pub sha256: String,
    /// The public key by which the row signs its answers under schemes that detect lies: 32 bytes of Ed25519 in
    /// hexadecimal. None in lists that were made for votes alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Pins {
    /// The row that a certificate speaks for.
    #[must_use]
    pub fn row_of(&self, certificate: &CertificateDer<'_>) -> Option<usize> {
        let digest = sha256(certificate);
        self.rows.iter().find(|pin| pin.sha256 == digest).map(|pin| pin.row)
    }
}

impl Pin {
    /// The public key by which the row signs; none where there is none, or it is no key.
    #[must_use]
    pub fn public_key(&self) -> Option<Digest> {
        let text =
            self.key.as_deref().filter(|text| text.is_ascii() && text.len() == 2 * size_of::<Digest>())?;
        let mut key = Digest::default();
        for (place, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(key)
    }
}

/// The keys of one party, read from its folder.
#[derive(Debug)]
pub struct Keys {
    /// The authority's certificate, in PEM.
    pub authority: Vec<u8>,
    /// The party's own certificate, in PEM.
    pub own: Vec<u8>,
    /// Its private key, in PEM.
    pub key: Vec<u8>,
}

impl Keys {
    /// Reads `authority.pem`, `own.pem` and `own.key` from a folder that [`make`] made.
    ///
    /// # Errors
    /// [`KeysError`] with the file.
    pub fn read(folder: &Path) -> Result<Self, KeysError> {
        let read = |name: &str| {
            let file = folder.join(name);
            fs::read(&file).map_err(|error| KeysError::Io { file, error })
        };
        let keys = Self { authority: read("authority.pem")?, own: read("own.pem")?, key: read("own.key")? };
        for (name, pem) in [("authority.pem", &keys.authority), ("own.pem", &keys.own)] {
            certificate(pem).map_err(|what| KeysError::Content { file: folder.join(name), what })?;
        }
        let key = PrivateKeyDer::from_pem_slice(&keys.key);
        key.map_err(|error| KeysError::Content { file: folder.join("own.key"), what: error.to_string() })?;
        Ok(keys)
    }
}

/// The start of an Ed25519 key in PKCS #8, before its 32 bytes: the algorithm (1.3.101.112), and a string of a string
/// (RFC 8410).
const ED25519: [u8; 9] = [0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The name of a worker's key that signs.
const SIGNS: &str = "sign.key";

/// The key in a worker's folder that signs answers: `sign.key`.
///
/// # Errors
/// [`KeysError`]; the key must be of Ed25519.
pub fn signer(folder: &Path) -> Result<Signer, KeysError> {
    let file = folder.join(SIGNS);
    let content = |what: String| KeysError::Content { file: file.clone(), what };
    let pem = fs::read(&file).map_err(|error| KeysError::Io { file: file.clone(), error })?;
    let key = PrivateKeyDer::from_pem_slice(&pem);
    let key = key.map_err(|error| content(error.to_string()))?;
    let bytes = key.secret_der();
    let at = bytes.windows(ED25519.len()).position(|window| window == ED25519);
    let seed = at.and_then(|at| bytes.get(at + ED25519.len()..)?.first_chunk::<32>().copied());
    seed.map(Signer::new).ok_or_else(|| content("no key of Ed25519: ecode keys makes them".to_owned()))
}

/// The certificate of a PEM text.
pub(crate) fn certificate(pem: &[u8]) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(pem).map_err(|error| format!("no certificate in PEM: {error}"))
}

/// Reads `rows.toml` from the server's folder.
///
/// # Errors
/// [`KeysError`]: no file, no list of rows, a row or a certificate twice, a row beyond the matrix.
pub fn read_rows(folder: &Path, workers: usize) -> Result<Pins, KeysError> {
    let file = folder.join("rows.toml");
    let text = fs::read_to_string(&file).map_err(|error| KeysError::Io { file: file.clone(), error })?;
    let content = |what: String| KeysError::Content { file: file.clone(), what };
    let pins: Pins = toml::from_str(&text).map_err(|error| content(error.message().to_owned()))?;
    for (place, pin) in pins.rows.iter().enumerate() {
        if pin.row >= workers {
            return Err(content(format!("row {} is listed, but the matrix has {workers} rows", pin.row)));
        }
        if pins.rows[..place].iter().any(|other| other.row == pin.row || other.sha256 == pin.sha256) {
            return Err(content(format!("row {} or its certificate is listed twice", pin.row)));
        }
    }
    Ok(pins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_name_their_rows() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), 3).unwrap();
        assert!(matches!(make(folder.path(), 3), Err(KeysError::Exists(_))));
        let pins = read_rows(&folder.path().join("server"), 3).unwrap();
        for row in 0..3 {
            let keys = Keys::read(&folder.path().join(format!("worker-{row}"))).unwrap();
            assert_eq!(pins.row_of(&certificate(&keys.own).unwrap()), Some(row));
            assert_eq!(pins.row_of(&certificate(&keys.authority).unwrap()), None);
            let signer = signer(&folder.path().join(format!("worker-{row}"))).unwrap();
            assert_eq!(pins.rows[row].public_key(), Some(signer.key()), "the list has the key that signs");
        }
        assert!(read_rows(&folder.path().join("server"), 2).is_err(), "row 2 of two");
        let worker = folder.path().join("worker-1");
        fs::copy(worker.join("own.key"), worker.join("sign.key")).unwrap();
        let error = signer(&worker).map(drop).unwrap_err();
        assert!(error.to_string().contains("sign.key: no key of Ed25519"), "{error}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("worker-1/own.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let mode = fs::metadata(folder.path().join("worker-2/sign.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_row_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let list = "[[rows]]\nrow = 0\nsha256 = \"sha256:a\"\n";
        for (text, expected) in [
            (format!("{list}{list}"), "listed twice"),
            (format!("{list}x = 1\n"), "unknown field"),
            ("rows = 3".to_owned(), "invalid type"),
        ] {
            fs::write(folder.path().join("rows.toml"), text).unwrap();
            let error = read_rows(folder.path(), 3).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
