//! The user's own catalogue: a file of blocks, which several searches may add to at once.

use std::path::Path;

use anyhow::Context as _;
use ecode::construct::{Block, parse_blocks};
use ecode::format::MAX_FILE;
use ecode::verify::Control;

use crate::cli::{input, lock, output};

/// The blocks of a catalogue; none where there is no file yet.
pub(super) fn read(path: Option<&Path>, control: &Control) -> anyhow::Result<Vec<Block>> {
    match path {
        Some(path) if path.exists() => input::blocks(path, control),
        _ => Ok(Vec::new()),
    }
}

/// Adds a block to a catalogue, whose other lines stay as they are; once, however many searches found it. What other
/// searches add meanwhile is kept.
pub(super) fn add(path: &Path, new: &Block, control: &Control) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    let _lock = lock::wait(path)?;
    let mut text = input::text(path, MAX_FILE, control)?;
    let rows = |block: &Block| Block { found: String::new(), ..block.clone() };
    if parse_blocks(&text).with_context(place)?.iter().any(|there| rows(there) == rows(new)) {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    output::write(path, format!("{text}{new}\n").as_bytes())
}
