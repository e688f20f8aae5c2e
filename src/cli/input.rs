//! Reading a matrix file, with the file's name in every error.

use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use ecode::construct::{Block, parse_blocks};
use ecode::format::{Format, MatrixFile, read_all};

use super::values;

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
    pub(crate) fn matrix(&self, path: &Path) -> anyhow::Result<MatrixFile> {
        let (name, bytes) = if path == Path::new("-") {
            ("standard input".to_owned(), read_all(io::stdin().lock()))
        } else {
            (path.display().to_string(), File::open(path).and_then(read_all))
        };
        let bytes = bytes.with_context(|| name.clone())?;
        let read = match self.format.or_else(|| Format::of_path(path)) {
            Some(format) => MatrixFile::parse_draw(&bytes, format, self.draw),
            None => Format::of_contents(&bytes)
                .and_then(|format| MatrixFile::parse_draw(&bytes, format, self.draw)),
        };
        read.with_context(|| name)
    }
}

/// Reads a matrix from a file, or from standard input when the path is `-`.
pub(crate) fn matrix(path: &Path, format: Option<Format>) -> anyhow::Result<MatrixFile> {
    Reading { format, draw: None }.matrix(path)
}

/// Reads a catalogue of families of rows.
pub(crate) fn blocks(path: &Path) -> anyhow::Result<Vec<Block>> {
    let bytes = File::open(path).and_then(read_all).with_context(|| path.display().to_string())?;
    let text = String::from_utf8(bytes).with_context(|| path.display().to_string())?;
    parse_blocks(&text).with_context(|| path.display().to_string())
}

/// What a file is called in a picture's or a page's title.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}
