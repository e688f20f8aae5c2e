//! Downloading the data sets from where their publishers, or mirrors that the field uses, keep them.

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;

use md5::{Digest as _, Md5};

use super::super::hexadecimal;

/// One file of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Remote {
    /// Its name.
    pub name: &'static str,
    /// The MD5 digest that its publishers or the field's loaders state, in hexadecimal.
    pub md5: &'static str,
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
            Remote { name: "train-images-idx3-ubyte.gz", md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873" },
            Remote { name: "train-labels-idx1-ubyte.gz", md5: "d53e105ee54ea40749a09fcbcd1e9432" },
            Remote { name: "t10k-images-idx3-ubyte.gz", md5: "9fb629c4189551a2d022fa330f9573f3" },
            Remote { name: "t10k-labels-idx1-ubyte.gz", md5: "ec29112dd5afa0611ce80d1b7f02629c" },
        ],
    },
    Collection {
        name: "cifar10",
        address: "https://www.cs.toronto.edu/~kriz",
        files: &[Remote { name: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" }],
    },
];

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The file did not arrive.
    #[error("{address}: {error}; is there a network? --from ADDRESS takes another mirror")]
    Network {
        /// Where it should come from.
        address: String,
        /// What went wrong.
        error: Box<ureq::Error>,
    },
    /// The file arrived broken, or is another one.
    #[error("{address}: the MD5 digest is {found}, but must be {expected}; nothing was kept")]
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

/// Downloads one file of a collection into a folder, whole or not at all, and unpacks it when it is a tar
/// archive. A file that is there already with the right digest is left as it is. `progress` is told the
/// bytes so far and in all, where the server says.
///
/// # Errors
/// [`FetchError`].
pub fn fetch(
    file: &Remote,
    from: &str,
    to: &Path,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<bool, FetchError> {
    let io = |place: &Path| {
        let place = place.display().to_string();
        move |error| FetchError::Io { place, error }
    };
    fs::create_dir_all(to).map_err(io(to))?;
    let place = to.join(file.name);
    if let Ok(bytes) = fs::read(&place)
        && hexadecimal(&Md5::digest(&bytes)) == file.md5
    {
        unpack(file, &place, to).map_err(io(&place))?;
        return Ok(false);
    }
    let address = format!("{}/{}", from.trim_end_matches('/'), file.name);
    let network = |error| FetchError::Network { address: address.clone(), error: Box::new(error) };
    let mut answer = ureq::get(&address).call().map_err(network)?;
    let total = answer.body().content_length();
    let mut body = answer.body_mut().as_reader();
    let mut aside = tempfile::Builder::new().prefix(".ecode-").tempfile_in(to).map_err(io(to))?;
    let (mut digest, mut bytes, mut buffer) = (Md5::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(network(ureq::Error::Io(error))),
        };
        digest.update(&buffer[..read]);
        aside.write_all(&buffer[..read]).map_err(io(to))?;
        bytes += read as u64;
        progress(bytes, total);
    }
    let found = hexadecimal(&digest.finalize());
    if found != file.md5 {
        return Err(FetchError::Digest { address, found, expected: file.md5 });
    }
    aside.as_file().sync_all().map_err(io(to))?;
    aside.persist(&place).map_err(|error| io(&place)(error.error))?;
    unpack(file, &place, to).map_err(io(&place))?;
    Ok(true)
}

/// Unpacks a tar archive beside itself.
fn unpack(file: &Remote, place: &Path, to: &Path) -> io::Result<()> {
    if file.name.ends_with(".tar.gz") {
        tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(place)?)).unpack(to)?;
    }
    Ok(())
}
