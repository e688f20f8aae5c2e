//! Files that several processes may use at once.
//!
//! # What is promised
//! While a lock is held, no other process of this program holds the lock of the same path, whatever is renamed over it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Waits for the lock of a file, which is made, empty, where there is none.
pub(crate) fn wait(path: &Path) -> anyhow::Result<File> {
    let place = || format!("cannot lock {}", path.display());
    loop {
        let file = open(path).with_context(place)?;
        file.lock().with_context(place)?;
        if is_at(&file, path).with_context(place)? {
            return Ok(file);
        }
    }
}

/// The lock of a file beside another, for as long as a process works on that one.
pub(crate) struct Beside {
    path: PathBuf,
    _file: File,
}

impl Beside {
    /// Takes the lock `NAME.lock` of a file that is called `what` in the error, or says which process has it.
    pub(crate) fn take(path: &Path, what: &str) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let place = || format!("cannot lock {}", path.display());
        loop {
            let mut file = open(&lock).with_context(place)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &lock).with_context(place)? => {
                    file.set_len(0).with_context(place)?;
                    file.rewind().with_context(place)?;
                    writeln!(file, "{}", std::process::id()).with_context(place)?;
                    return Ok(Self { path: lock, _file: file });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // What cannot be read is not said.
                    let _ = file.take(20).read_to_string(&mut holder);
                    bail!("{}: process {} works on this {what}", path.display(), holder.trim());
                }
                Err(TryLockError::Error(error)) => return Err(error).with_context(place),
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Still locked: who opens it before finds out afterwards that it is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A file that can be written is what locks over a network ask for.
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether the open file is still the one of this path: another may have been renamed over it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (open, now) = (
        file.metadata()?,
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            now => now?,
        },
    );
    Ok((open.dev(), open.ino()) == (now.dev(), now.ino()))
}

/// Elsewhere an open file is not replaced.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
