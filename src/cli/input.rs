//! Reading what a command is given, with the file's name in every error.
//!
//! # What is promised
//! - At most [`ecode::format::MAX_FILE`] bytes are read of anything.
//! - A pipe that nobody writes keeps nobody waiting beyond `--timeout` or Ctrl-C ([`Stopped`]).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use ecode::construct::{Block, parse_blocks};
use ecode::format::{Format, MAX_FILE, MatrixFile, read_all};
use ecode::train::data::{Data, DataSource};
use ecode::verify::Control;

use super::ending::Stopped;
use super::values;

/// How often a reader that waits looks up.
const GLANCE: Duration = Duration::from_millis(10);

/// All bytes of a file, or of standard input when the path is `-`.
pub(crate) fn bytes(path: &Path, control: &Control) -> anyhow::Result<Vec<u8>> {
    bytes_up_to(path, u64::MAX, control)
}

/// The same, and no more than so many of them.
fn bytes_up_to(path: &Path, most: u64, control: &Control) -> anyhow::Result<Vec<u8>> {
    let read = move |file: File| read_all(file.take(most));
    if path.is_file() {
        return File::open(path).and_then(read).with_context(|| name(path));
    }
    let place = path.to_owned();
    let standard_input = path == Path::new("-");
    awaited(&name(path), control, move || {
        if standard_input {
            read_all(io::stdin().lock().take(most))
        } else {
            File::open(place).and_then(read)
        }
    })?
    .with_context(|| name(path))
}

/// What a reader says that may wait for somebody to write: opening a FIFO waits, too.
///
/// # Errors
/// [`Stopped`]. A read cannot be called off: its thread ends with the process, or when somebody writes.
pub(crate) fn awaited<T: Send + 'static>(
    name: &str,
    control: &Control,
    read: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens where the time was up.
        let _ = sender.send(read());
    });
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(read) => return Ok(read),
            Err(RecvTimeoutError::Timeout) if control.stopped() => {
                return Err(Stopped(format!("{name} was read")).into());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("{name}: it could not be read"),
        }
    }
}

/// A configuration's data.
pub(crate) fn data(source: &DataSource, control: &Control) -> anyhow::Result<Data> {
    let own = source.clone();
    Ok(awaited(&source.to_string(), control, move || own.load())??)
}

/// A grid, a configuration or a search's state has no more bytes: its values take many times as many.
pub(crate) const SMALL: u64 = 8 << 20;

/// The text of a file of at most so many bytes: UTF-8, with or without a byte order mark.
pub(crate) fn text(path: &Path, most: u64, control: &Control) -> anyhow::Result<String> {
    let name = || path.display().to_string();
    let bytes = bytes_up_to(path, most + 1, control)?;
    anyhow::ensure!(bytes.len() as u64 <= most, "{}: more than {most} bytes", name());
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        anyhow::Error::msg(format!("byte {place} is not a part of UTF-8 text")).context(name())
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// How a matrix file is read.
#[derive(Args, Clone, Default)]
pub(crate) struct Reading {
    /// The file's format, whatever its name is
    #[arg(long, value_name = "FORMAT", value_parser = values::formats())]
    format: Option<Format>,
    /// Of a file that holds several matrices, as trials of an experiment: the one with this number, from 0
    #[arg(long, value_name = "I")]
    draw: Option<usize>,
}

impl Reading {
    /// Reads a matrix from a file, or from standard input when the path is `-`. The format is the one asked for,
    /// else that of the extension, else JSON where the contents look like it.
    pub(crate) fn matrix(&self, path: &Path, control: &Control) -> anyhow::Result<MatrixFile> {
        let bytes = bytes(path, control)?;
        let read = match self.format.or_else(|| Format::of_path(path)) {
            Some(format) => MatrixFile::parse_draw(&bytes, format, self.draw),
            None => Format::of_contents(&bytes)
                .and_then(|format| MatrixFile::parse_draw(&bytes, format, self.draw)),
        };
        read.with_context(|| name(path))
    }
}

/// Reads a matrix from a file, or from standard input when the path is `-`.
pub(crate) fn matrix(path: &Path, format: Option<Format>, control: &Control) -> anyhow::Result<MatrixFile> {
    Reading { format, draw: None }.matrix(path, control)
}

/// Reads a catalogue of families of rows.
pub(crate) fn blocks(path: &Path, control: &Control) -> anyhow::Result<Vec<Block>> {
    parse_blocks(&text(path, MAX_FILE, control)?).with_context(|| path.display().to_string())
}

/// What a file is called in a picture's or a page's title.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}
