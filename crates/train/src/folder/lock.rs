//! A run's folder belongs to one process.
//!
//! # What is promised
//! The lock is the system's (`flock` on Unix): it ends with the process, however that ends, and nothing has to be
//! cleared away. On a shared file system it holds between machines where that file system carries such locks over:
//! NFS version 4 does, Lustre with the mount option `flock`; one that has no locks at all gives an error instead.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::FolderError;

/// The file that is locked; its text says who holds it.
pub(super) const LOCK: &str = "lock";

/// Takes the lock of a folder for this process, without waiting.
pub(crate) fn take(folder: &Path) -> Result<File, FolderError> {
    let place = folder.join(LOCK);
    let io = |error| FolderError::Io { place: place.clone(), error };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&place).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = (&file).take(200).read_to_string(&mut text);
            let holder = text.lines().next().filter(|line| read.is_ok() && !line.is_empty());
            let by = holder.map_or_else(|| "another process".to_owned(), ecode_core::shown);
            return Err(FolderError::Held { folder: folder.to_owned(), by });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    let text = format!("process {} on {}\n", std::process::id(), host());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(io)?;
    Ok(file)
}

/// The name of this machine.
#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of this machine.
#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this machine".to_owned())
}
