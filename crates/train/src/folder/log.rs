//! The log of a run: a line each test of the model, in JSON.
//!
//! # What is promised
//! - Lines that a checkpoint refers to are on the disk before the checkpoint is.
//! - When a run goes on, its log is what it was at the checkpoint: later lines are dropped, as those steps are done
//!   again, lines that are there twice are made one, and lines that are gone are told of.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{FolderError, MOST_LOG, read_up_to};
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
    fn open(place: &Path, text: &str) -> Result<Self, FolderError> {
        let io = |error| FolderError::Io { place: place.to_owned(), error };
        let file = OpenOptions::new().append(true).open(place).map_err(io)?;
        let mut log = Self { place: place.to_owned(), file, lines: 0, digest: Sha256::new() };
        text.lines().for_each(|line| log.count(line));
        Ok(log)
    }

    /// A log without lines, on the disk already.
    pub(super) fn empty(place: &Path) -> Result<Self, FolderError> {
        Self::open(place, "")
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
        let first = || whole(&text).take(mark.lines);
        let (kept, remark) = if Mark::of(first()) == *mark {
            (first().flat_map(|line| [line, "\n"]).collect(), None)
        } else {
            let kept = readable(whole(&text), step);
            let found = Mark::of(kept.lines());
            let remark = (found != *mark).then(|| {
                format!(
                    "{}: {} lines up to step {step} are as they were written or were changed, {} there were; \
                     curves have gaps, parameters are not touched",
                    place.display(),
                    found.lines,
                    mark.lines
                )
            });
            (kept, remark)
        };
        drop(text);
        write(kept.as_bytes())?;
        Ok((Self::open(place, &kept)?, remark))
    }
}

impl Mark {
    fn of<'a>(all: impl Iterator<Item = &'a str>) -> Self {
        let (mut lines, mut digest) = (0, Sha256::new());
        for line in all {
            lines += 1;
            digest.update(line);
            digest.update("\n");
        }
        Self { lines, sha256: hexadecimal(&digest.finalize()) }
    }
}

/// The lines that can be read, each step once, in increasing order up to a step.
fn readable<'a>(lines: impl Iterator<Item = &'a str>, step: u64) -> String {
    let mut last = None;
    let mut kept = String::new();
    for line in lines {
        let Ok(metrics) = serde_json::from_str::<Metrics>(line) else { continue };
        if metrics.step <= step && last.is_none_or(|last| metrics.step > last) {
            last = Some(metrics.step);
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

fn text(place: &Path) -> Result<String, FolderError> {
    let bytes = read_up_to(place, MOST_LOG)?.unwrap_or_default();
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
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
