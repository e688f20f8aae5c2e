//! Downloading the data sets from where their publishers, or mirrors that the field uses, keep them.
//!
//! # What is promised
//! A file is whole and has the right SHA-256, or is not there. The system's `curl` carries the bytes; what it
//! brings is believed only after the digest. A server that says nothing for a minute is given up.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ecode_core::digest::hexadecimal;
use ecode_format::{Aside, folder_beside};
use ecode_verify::Control;
use sha2::{Digest as _, Sha256};

/// One file of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Remote {
    /// Its name.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

/// A data set that can be downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// Its name for the command line.
    pub name: &'static str,
    /// The address of the folder of its files.
    pub address: &'static str,
    /// Its files.
    pub files: &'static [Remote],
}

/// The data sets that can be downloaded.
pub const COLLECTIONS: [Collection; 2] = [
    Collection {
        name: "mnist",
        address: "https://ossci-datasets.s3.amazonaws.com/mnist",
        files: &[
            Remote {
                name: "train-images-idx3-ubyte.gz",
                size: 9_912_422,
                sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            },
            Remote {
                name: "train-labels-idx1-ubyte.gz",
                size: 28_881,
                sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            },
            Remote {
                name: "t10k-images-idx3-ubyte.gz",
                size: 1_648_877,
                sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            },
            Remote {
                name: "t10k-labels-idx1-ubyte.gz",
                size: 4_542,
                sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            },
        ],
    },
    Collection {
        name: "cifar10",
        address: "https://www.cs.toronto.edu/~kriz",
        files: &[Remote {
            name: "cifar-10-binary.tar.gz",
            size: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        }],
    },
];

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no `curl`.
    #[error(
        "'curl' is needed to download; install it, or get {address} in another way and put it into {folder}"
    )]
    NoCurl {
        /// Where the file is.
        address: String,
        /// Where it belongs.
        folder: String,
    },
    /// The file did not arrive.
    #[error("{address}: {error}; is there a network? --from ADDRESS takes another mirror")]
    Network {
        /// Where it should come from.
        address: String,
        /// What `curl` says.
        error: String,
    },
    /// The work was stopped.
    #[error("{address}: stopped; nothing was kept")]
    Stopped {
        /// Where it was coming from.
        address: String,
    },
    /// The file arrived broken, or is another one.
    #[error("{address}: the SHA-256 is {found}, but must be {expected}; nothing was kept")]
    Digest {
        /// Where it came from.
        address: String,
        /// What arrived.
        found: String,
        /// What should have.
        expected: &'static str,
    },
    /// The folder cannot be written.
    #[error("{place}: {error}")]
    Io {
        /// The file or folder.
        place: String,
        /// What the system says.
        error: io::Error,
    },
}

/// How often a running download is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Seconds without a connection, or without a byte, after which a server is given up.
const SILENCE: &str = "60";

/// Downloads one file of a collection into a folder, whole or not at all, and unpacks it when it is a tar
/// archive. A file that is there already with the right digest is left as it is. `progress` is told the
/// bytes that have arrived.
///
/// # Errors
/// [`FetchError`].
pub fn fetch(
    file: &Remote,
    from: &str,
    to: &Path,
    control: &Control,
    mut progress: impl FnMut(u64),
) -> Result<bool, FetchError> {
    let io = |place: &Path| {
        let place = place.display().to_string();
        move |error| FetchError::Io { place, error }
    };
    fs::create_dir_all(to).map_err(io(to))?;
    let place = to.join(file.name);
    if digest_of(&place).is_ok_and(|digest| digest == file.sha256) {
        unpack(file, &place, to).map_err(io(to))?;
        return Ok(false);
    }
    let address = format!("{}/{}", from.trim_end_matches('/'), file.name);
    let mut aside = Aside::beside(&place).map_err(io(&place))?;
    let mut curl = match curl(&address, aside.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FetchError::NoCurl { address, folder: to.display().to_string() });
        }
        started => Running(started.map_err(|error| network(&address, error.to_string()))?),
    };
    let status = loop {
        if let Some(status) = curl.0.try_wait().map_err(|error| network(&address, error.to_string()))? {
            break status;
        }
        if control.stopped() {
            return Err(FetchError::Stopped { address });
        }
        progress(aside.length());
        std::thread::sleep(GLANCE);
    };
    progress(aside.length());
    if !status.success() {
        let mut message = String::new();
        let _ = curl.0.stderr.take().map(|stderr| stderr.take(1 << 12).read_to_string(&mut message));
        let message = message.lines().last().unwrap_or_default().trim_start_matches("curl: ").to_owned();
        return Err(network(&address, if message.is_empty() { format!("curl: {status}") } else { message }));
    }
    let found = digest_of(aside.path()).map_err(io(to))?;
    if found != file.sha256 {
        return Err(FetchError::Digest { address, found, expected: file.sha256 });
    }
    aside.commit().map_err(io(&place))?;
    unpack(file, &place, to).map_err(io(to))?;
    Ok(true)
}

fn network(address: &str, error: String) -> FetchError {
    FetchError::Network { address: address.to_owned(), error }
}

/// A child that is ended when nobody waits for it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Where it has ended already, these two do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn curl(address: &str, to: &Path) -> io::Result<Child> {
    Command::new("curl")
        .args([
            "--fail",
            "--location",
            "--silent",
            "--show-error",
            "--proto",
            "=http,https",
            "--max-redirs",
            "5",
        ])
        .args(["--connect-timeout", SILENCE, "--speed-limit", "1", "--speed-time", SILENCE])
        .arg("--output")
        .arg(to)
        .args(["--", address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

/// The SHA-256 of a file in hexadecimal.
fn digest_of(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(&digest.finalize())),
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Unpacks a tar archive beside itself: each of its files and folders appears whole.
fn unpack(file: &Remote, place: &Path, to: &Path) -> io::Result<()> {
    if !file.name.ends_with(".tar.gz") {
        return Ok(());
    }
    let (aside, _held) = folder_beside(place)?;
    tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(place)?)).unpack(aside.path())?;
    for entry in fs::read_dir(aside.path())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if target.is_dir() {
            fs::remove_dir_all(&target)?;
        }
        fs::rename(entry.path(), target)?;
    }
    Ok(())
}
