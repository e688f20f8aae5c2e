//! How every file that a user asked for is written.
//!
//! # What is promised
//! - A regular file appears whole or not at all: it is written aside, synced, renamed, and its folder synced. It
//!   keeps the mode (and, where the system allows, the owner) that it had; a new one follows the umask.
//! - Symbolic links are followed: what they point to is replaced. A file that its mode protects from writing is
//!   refused.
//! - What is no regular file (a device, a FIFO, a descriptor such as `/dev/stdout`) is written into.
//! - Where renaming is impossible (a file that is mounted alone, a folder that takes no new file) an existing file
//!   is written in place, and [`Written::InPlace`] says so.
//! - What a killed writer left is removed by the next writer of the same file. A living one holds a lock on what
//!   it writes, also across machines that share the folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How a file came to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It appeared whole.
    Whole,
    /// It is no regular file; the bytes went into it.
    Streamed,
    /// It could not be renamed into its place and was overwritten there: a crash could have left a part of it.
    InPlace,
}

/// Writes a file under the rules above.
///
/// # Errors
/// Those of the file system. The file is then as it was before, unless the message says otherwise.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<Written> {
    let target = match Target::of(path)? {
        Target::Regular(target) => target,
        stream => return stream.pour(bytes).map(|()| Written::Streamed),
    };
    let renamed = Aside::beside(&target).map_err(Failure::of_placing).and_then(|mut aside| {
        aside.file().write_all(bytes).map_err(Failure::Final)?;
        aside.place()
    });
    match renamed {
        Ok(()) => Ok(Written::Whole),
        Err(Failure::NoPlace(_)) if target.exists() => in_place(&target, bytes).map(|()| Written::InPlace),
        Err(Failure::NoPlace(error) | Failure::Final(error)) => Err(error),
    }
}

/// Whether [`write_whole`] could write this file now. Better found out before an hour of work than after it.
///
/// # Errors
/// Why it could not.
pub fn check_writable(path: &Path) -> io::Result<()> {
    let Target::Regular(target) = Target::of(path)? else { return Ok(()) };
    match Aside::beside(&target).map_err(Failure::of_placing) {
        Err(Failure::NoPlace(_)) if target.exists() => Ok(()),
        Err(Failure::NoPlace(error) | Failure::Final(error)) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// A file beside its target that takes its place when it is whole, and goes when it is dropped before.
#[derive(Debug)]
pub struct Aside {
    file: NamedTempFile,
    target: PathBuf,
}

impl Aside {
    /// Begins one, and removes what killed writers of the same target left.
    ///
    /// # Errors
    /// Those of the file system; [`ErrorKind::PermissionDenied`] where the target's mode forbids writing.
    pub fn beside(target: &Path) -> io::Result<Self> {
        clear_leftovers(target);
        let before = fs::metadata(target).ok();
        if before.is_some() {
            // A rename would ask the folder only.
            OpenOptions::new().write(true).open(target)?;
        }
        loop {
            let file = named(target, before.as_ref()).tempfile_in(folder_of(target))?;
            match lock(file.as_file()) {
                Lock::Taken if !is_at(file.as_file(), file.path()) => {}
                Lock::Taken | Lock::Unknown => {
                    keep_mode(file.as_file(), before.as_ref())?;
                    return Ok(Self { file, target: target.to_owned() });
                }
                // Another writer took it for a leftover in the moment before the lock.
                Lock::Held => {}
            }
        }
    }

    /// Where it is until it is placed.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What to write into.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// How many bytes are written.
    pub fn length(&mut self) -> u64 {
        self.file().metadata().map_or(0, |file| file.len())
    }

    /// Syncs it and puts it into the target's place.
    ///
    /// # Errors
    /// Those of the file system. The target is as it was.
    pub fn commit(self) -> io::Result<()> {
        self.place().map_err(|failure| match failure {
            Failure::NoPlace(error) | Failure::Final(error) => error,
        })
    }

    fn place(self) -> Result<(), Failure> {
        sync(self.file.as_file()).map_err(Failure::Final)?;
        let (_held, path) = self.file.into_parts();
        fs::rename(&path, &self.target).map_err(Failure::of_placing)?;
        // It is no longer there to be removed.
        let _ = path.keep();
        sync_folder(folder_of(&self.target)).map_err(Failure::Final)
    }
}

/// Removes what killed writers left of this target: files and folders with its name for work aside, which nobody
/// has locked. What cannot be removed stays.
pub fn clear_leftovers(target: &Path) {
    let prefix = prefix(target);
    let Ok(entries) = fs::read_dir(folder_of(target)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            continue;
        }
        let place = entry.path();
        let Ok(file) = File::open(&place) else { continue };
        // A lock that cannot be asked for says nothing of the dead.
        if matches!(lock(&file), Lock::Taken) && is_at(&file, &place) {
            let _ = if place.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
        }
    }
}

/// Begins a folder beside a target, under the name that [`clear_leftovers`] knows; locked while the file lives.
///
/// # Errors
/// Those of the file system.
pub fn folder_beside(target: &Path) -> io::Result<(tempfile::TempDir, File)> {
    clear_leftovers(target);
    let folder = named(target, None).permissions_of_folder().tempdir_in(folder_of(target))?;
    let held = File::open(folder.path())?;
    lock(&held);
    Ok((folder, held))
}

/// Why a file aside did not take its place.
enum Failure {
    /// This folder takes no new file, or the target cannot be replaced: it may be written in place.
    NoPlace(io::Error),
    /// Anything else.
    Final(io::Error),
}

impl Failure {
    fn of_placing(error: io::Error) -> Self {
        let hopeless = matches!(
            error.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::ResourceBusy
                | ErrorKind::CrossesDevices
        );
        if hopeless { Self::NoPlace(error) } else { Self::Final(error) }
    }
}

/// What a path leads to.
enum Target {
    /// A regular file, or none yet. The path is free of links.
    Regular(PathBuf),
    /// A device or a FIFO. It is opened once only: who reads a FIFO takes its end for the end of the file.
    Stream(PathBuf),
    /// Another descriptor of this process.
    Descriptor(u32),
    /// This process's standard output.
    Stdout,
    /// This process's standard error.
    Stderr,
}

/// More links than that are a circle.
const LINKS: usize = 40;

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            // The link of a descriptor names a file, but a shell that opened it wants its own descriptor written.
            match own_descriptor(&path) {
                Some(1) => return Ok(Self::Stdout),
                Some(2) => return Ok(Self::Stderr),
                Some(number) => return Ok(Self::Descriptor(number)),
                None => {}
            }
            let Ok(found) = fs::symlink_metadata(&path) else { return Ok(Self::Regular(path)) };
            if found.is_symlink() {
                path = folder_of(&path).join(fs::read_link(&path)?);
            } else if found.is_file() {
                return Ok(Self::Regular(path));
            } else if found.is_dir() {
                return Err(io::Error::from(ErrorKind::IsADirectory));
            } else {
                return Ok(Self::Stream(path));
            }
        }
        Err(io::Error::other("too many symbolic links"))
    }

    /// Writes into what is no regular file.
    fn pour(self, bytes: &[u8]) -> io::Result<()> {
        let all = |to: &mut dyn io::Write| to.write_all(bytes).and_then(|()| to.flush());
        match self {
            Self::Stdout => all(&mut io::stdout().lock()),
            Self::Stderr => all(&mut io::stderr().lock()),
            Self::Stream(path) => all(&mut OpenOptions::new().write(true).open(path)?),
            Self::Descriptor(number) => all(&mut descriptor(number)?),
            Self::Regular(path) => Err(io::Error::other(format!("{} is a regular file", path.display()))),
        }
    }
}

/// The number of the descriptor of this process that a path such as `/dev/stdout` or `/dev/fd/63` means.
fn own_descriptor(path: &Path) -> Option<u32> {
    let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
    let folder = fs::canonicalize(folder_of(path)).ok()?;
    let own = format!("/proc/{}/", std::process::id());
    (folder.to_str()?.starts_with(&own) && folder.ends_with("fd")).then_some(number)
}

/// A descriptor of this process, with the place in its file where it stands.
#[cfg(unix)]
fn descriptor(number: u32) -> io::Result<File> {
    // SAFETY: the descriptor was open a moment ago, as its entry under /proc says; it is borrowed for this call, which
    // fails where it is closed.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(number as i32) };
    borrowed.try_clone_to_owned().map(File::from)
}

#[cfg(not(unix))]
fn descriptor(_: u32) -> io::Result<File> {
    Err(io::Error::from(ErrorKind::Unsupported))
}

/// Whether a path means this process's standard output: `-`, `/dev/stdout`, `/dev/fd/1` …
#[must_use]
pub fn is_stdout(path: &Path) -> bool {
    let mut path = path.to_owned();
    if path == Path::new("-") {
        return true;
    }
    for _ in 0..LINKS {
        if own_descriptor(&path) == Some(1) {
            return true;
        }
        let Ok(next) = fs::read_link(&path) else { return false };
        path = folder_of(&path).join(next);
    }
    false
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Names may have 255 bytes; of longer ones the first are enough to know them by.
const NAME: usize = 200;

/// What the names of everything aside for a target begin with.
fn prefix(target: &Path) -> OsString {
    let name = target.file_name().unwrap_or(OsStr::new(""));
    let mut prefix = OsString::from(".");
    if name.len() <= NAME {
        prefix.push(name);
    } else {
        prefix.push(name.to_string_lossy().chars().take(NAME / 4).collect::<String>());
    }
    prefix.push(".ecode-");
    prefix
}

/// Writes an existing file in its place, where it cannot be replaced.
fn in_place(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(target)?;
    file.write_all(bytes).and_then(|()| file.set_len(bytes.len() as u64)).and_then(|()| sync(&file)).map_err(
        |error| {
            let why = format!(
                "{error}; it can only be written in its place, and may hold a part of the new contents now"
            );
            io::Error::new(error.kind(), why)
        },
    )
}

/// Syncs a file, where its file system can.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Syncs a folder, where it can be opened.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder)
    {
        return sync(&folder);
    }
    Ok(())
}

/// What came of asking for a lock.
enum Lock {
    Taken,
    Held,
    /// This file system has no locks.
    Unknown,
}

fn lock(file: &File) -> Lock {
    match file.try_lock() {
        Ok(()) => Lock::Taken,
        Err(TryLockError::WouldBlock) => Lock::Held,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

#[cfg(unix)]
fn is_at(file: &File, place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::symlink_metadata(place)) {
        (Ok(file), Ok(place)) => identity(file) == identity(place),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, place: &Path) -> bool {
    place.exists()
}

/// A builder of something aside for a target.
struct Named {
    prefix: OsString,
    mode: u32,
}

fn named(target: &Path, before: Option<&fs::Metadata>) -> Named {
    #[cfg(unix)]
    let mode = before.map_or(0o666, |before| std::os::unix::fs::MetadataExt::mode(before) & 0o777);
    #[cfg(not(unix))]
    let mode = before.map_or(0, |_| 0);
    Named { prefix: prefix(target), mode }
}

impl Named {
    fn permissions_of_folder(mut self) -> Self {
        self.mode = 0o777;
        self
    }

    fn with<T>(&self, make: impl FnOnce(&mut tempfile::Builder<'_, '_>) -> io::Result<T>) -> io::Result<T> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&self.prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(self.mode));
        make(&mut builder).map_err(plain)
    }

    fn tempfile_in(&self, folder: &Path) -> io::Result<NamedTempFile> {
        self.with(|builder| builder.tempfile_in(folder))
    }

    fn tempdir_in(&self, folder: &Path) -> io::Result<tempfile::TempDir> {
        self.with(|builder| builder.tempdir_in(folder))
    }
}

/// The system's own error, without the name aside that nobody asked for.
fn plain(error: io::Error) -> io::Error {
    let within = error.get_ref().and_then(std::error::Error::source);
    let system = within.and_then(|error| error.downcast_ref::<io::Error>()).and_then(io::Error::raw_os_error);
    system.map_or(error, io::Error::from_raw_os_error)
}

/// Gives a file the owner, where the system allows that, and the mode of the one that it will replace.
#[cfg(unix)]
fn keep_mode(file: &File, before: Option<&fs::Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let Some(before) = before else { return Ok(()) };
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        let _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o7777))
}

#[cfg(not(unix))]
fn keep_mode(_: &File, _: Option<&fs::Metadata>) -> io::Result<()> {
    Ok(())
}
