//! The log of a run: a line each test of the model, in JSON.
//!
//! # What is promised
//! - Lines that a checkpoint refers to are on the disk before the checkpoint is.
//! - When a run goes on, its log is what it was at the checkpoint: later lines are dropped, as those steps are done
//!   again, lines that are there twice are made one, and lines that are gone are told of.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::FolderError;
use crate::metrics::Metrics;
use ecode_core::digest::hexadecimal;

/// The log's length and content at a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) lines: usize,
    pub(super) sha256: String,
}

/// A log that lines are added to.
#[derive(Debug)]
pub(super) struct Log {
    place: PathBuf,
    file: File,
    lines: usize,
    digest: Sha256,
}

impl Log {
    /// Opens a log that holds these lines.
    fn open(place: &Path, lines: &[String]) -> Result<Self, FolderError> {
        let io = |error| FolderError::Io { place: place.to_owned(), error };
        let file = OpenOptions::new().append(true).open(place).map_err(io)?;
        let mut log = Self { place: place.to_owned(), file, lines: 0, digest: Sha256::new() };
        lines.iter().for_each(|line| log.count(line));
        Ok(log)
    }

    /// A log without lines, on the disk already.
    pub(super) fn empty(place: &Path) -> Result<Self, FolderError> {
        Self::open(place, &[])
    }

    fn count(&mut self, line: &str) {
        self.lines += 1;
        self.digest.update(line);
        self.digest.update("\n");
    }

    /// Adds a line.
    pub(super) fn append(&mut self, metrics: &Metrics) -> Result<(), FolderError> {
        let line = serde_json::to_string(metrics)
            .map_err(|error| FolderError::Broken { place: self.place.clone(), what: error.to_string() })?;
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|error| FolderError::Io { place: self.place.clone(), error })?;
        self.count(&line);
        Ok(())
    }

    /// Brings all lines to the disk, and says what they are.
    pub(super) fn mark(&self) -> Result<Mark, FolderError> {
        self.file.sync_data().map_err(|error| FolderError::Io { place: self.place.clone(), error })?;
        Ok(Mark { lines: self.lines, sha256: hexadecimal(&self.digest.clone().finalize()) })
    }

    /// Makes the log what it was at a checkpoint's step, and says what could not be mended.
    pub(super) fn rewound(
        place: &Path,
        mark: &Mark,
        step: u64,
        write: impl FnOnce(&[u8]) -> Result<(), FolderError>,
    ) -> Result<(Self, Option<String>), FolderError> {
        let text = text(place)?;
        let whole: Vec<String> = whole(&text).map(str::to_owned).collect();
        let first = &whole[..mark.lines.min(whole.len())];
        let (kept, remark) = if Mark::of(first) == *mark {
            (first.to_vec(), None)
        } else {
            let kept = readable(&whole, step);
            let remark = (Mark::of(&kept) != *mark).then(|| {
                format!(
                    "{}: {} lines up to step {step} are as they were written or were changed, {} there were; \
                     curves have gaps, parameters are not touched",
                    place.display(),
                    kept.len(),
                    mark.lines
                )
            });
            (kept, remark)
        };
        let text: String = kept.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        write(text.as_bytes())?;
        Ok((Self::open(place, &kept)?, remark))
    }
}

impl Mark {
    fn of(lines: &[String]) -> Self {
        let mut digest = Sha256::new();
        for line in lines {
            digest.update(line);
            digest.update("\n");
        }
        Self { lines: lines.len(), sha256: hexadecimal(&digest.finalize()) }
    }
}

/// The lines that can be read, each step once, in increasing order up to a step.
fn readable(lines: &[String], step: u64) -> Vec<String> {
    let mut last = None;
    let mut kept = Vec::new();
    for line in lines {
        let Ok(metrics) = serde_json::from_str::<Metrics>(line) else { continue };
        if metrics.step <= step && last.is_none_or(|last| metrics.step > last) {
            last = Some(metrics.step);
            kept.push(line.clone());
        }
    }
    kept
}

fn text(place: &Path) -> Result<String, FolderError> {
    match std::fs::read(place) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(FolderError::Io { place: place.to_owned(), error }),
    }
}

/// The lines that are whole: what comes after the last line end was cut short.
fn whole(text: &str) -> impl Iterator<Item = &str> {
    text.rfind('\n').map_or("", |end| &text[..end]).lines()
}

/// All lines of a log as metrics.
pub(super) fn read(place: &Path) -> Result<Vec<Metrics>, FolderError> {
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| FolderError::Broken {
            place: place.to_owned(),
            what: format!("line {}: {error}", number + 1),
        })
    };
    whole(&text(place)?).enumerate().map(parse).collect()
}
