//! The namings of a run, a line each, in JSON (`namings.jsonl`).
//!
//! # What is promised
//! A line is on the disk before b' is lowered by it. A last line that was cut short was never built on, and is dropped
//! when the run goes on.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::FolderError;
use crate::reactive::{Journal, Naming};
use ecode_format::write_whole;

/// A file of namings that lines are added to.
#[derive(Debug)]
pub(super) struct Namings {
    place: PathBuf,
    /// Opened with the first naming: most runs have none.
    file: Option<File>,
}

impl Namings {
    pub(super) fn new(place: PathBuf) -> Self {
        Self { place, file: None }
    }
}

impl Journal for Namings {
    fn keep(&mut self, naming: &Naming) -> Result<(), String> {
        let mut line = serde_json::to_string(naming).map_err(|error| error.to_string())?;
        line.push('\n');
        let named = |error: std::io::Error| format!("{}: {error}", self.place.display());
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().append(true).create(true).open(&self.place).map_err(named)?,
        };
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(named)?;
        self.file = Some(file);
        certify(&self.place, naming)
    }
}

/// For whoever was not there: the certificate of a naming as a file of its own, which `ecode check` reads.
fn certify(namings: &Path, naming: &Naming) -> Result<(), String> {
    let Some(certificate) = &naming.certificate else { return Ok(()) };
    let place = namings.with_file_name(format!("naming-{}.json", naming.worker));
    let text = serde_json::to_vec_pretty(certificate).map_err(|error| error.to_string())?;
    write_whole(&place, &text).map(drop).map_err(|error| format!("{}: {error}", place.display()))
}

/// Writes the certificates that a process did not come to write.
pub(super) fn complete(place: &Path, namings: &[Naming]) -> Result<(), FolderError> {
    for naming in namings {
        if !place.with_file_name(format!("naming-{}.json", naming.worker)).exists() {
            certify(place, naming).map_err(|what| FolderError::Broken { place: place.to_owned(), what })?;
        }
    }
    Ok(())
}

/// The namings of a file, whole lines only; none where there is no file. What was cut short is taken off the file.
pub(super) fn read(place: &Path) -> Result<Vec<Naming>, FolderError> {
    let Some(bytes) = super::read_up_to(place, super::MOST_LOG)? else { return Ok(Vec::new()) };
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut namings = Vec::new();
    for (number, line) in bytes[..whole].split(|&byte| byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let naming = serde_json::from_slice(line).map_err(|error| FolderError::Broken {
            place: place.to_owned(),
            what: format!("line {}: {error}", number + 1),
        })?;
        namings.push(naming);
    }
    if whole < bytes.len() {
        write_whole(place, &bytes[..whole])
            .map(drop)
            .map_err(|error| FolderError::Io { place: place.to_owned(), error })?;
    }
    Ok(namings)
}
