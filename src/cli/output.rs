//! What a command says and writes.
//!
//! # What is promised
//! - Standard output holds the answer, or one document that was asked for, alone. Everything else goes to standard
//!   error.
//! - A reader that has gone is no error, and what cannot be said on standard error changes nothing: the exit code
//!   stays what it is.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use ecode::format::{Written, is_stdout, write_whole};
use ecode::report::Glyphs;

/// Says something to people, as `eprintln!` does. Where nobody can hear it, nothing happens.
macro_rules! remark {
    ($($text:tt)*) => { $crate::cli::output::say(format_args!($($text)*)) };
}
pub(crate) use remark;

/// What [`remark!`] calls.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    // In one piece: other threads and processes write to the same terminal.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Writes text to standard output, with a line end.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    to_stdout(&[text.as_bytes(), end.as_bytes()].concat())
}

/// Writes a verdict's text to standard output. The exit code says the verdict too, and does so even when the text
/// cannot be written.
pub(crate) fn print_verdict(text: &str) {
    if let Err(error) = print(text) {
        remark!("error: {error:#}");
    }
}

/// The files of which it was said that they are written in their places.
static SAID: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Writes a whole file, or bytes to standard output when the path is `-`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return to_stdout(bytes);
    }
    match write_whole(path, bytes) {
        Ok(Written::InPlace) => {
            // Some files are written again and again.
            if SAID.lock().is_ok_and(|mut said| said.insert(path.to_owned())) {
                remark!(
                    "note: {} cannot be replaced; it is written in its place, not at once",
                    path.display()
                );
            }
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
    Ok(())
}

fn to_stdout(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Where a command's documents go.
pub(crate) struct Documents {
    /// Whether one of them takes standard output.
    on_stdout: bool,
}

impl Documents {
    /// The options that name a document, each with its place. Two documents in one place are refused.
    pub(crate) fn new(named: &[(&str, Option<&Path>)]) -> anyhow::Result<Self> {
        let mut places: Vec<(&str, PathBuf)> = Vec::new();
        for &(option, path) in named {
            let Some(path) = path else { continue };
            let place = if is_stdout(path) {
                PathBuf::from("-")
            } else {
                std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
            };
            if let Some((other, _)) = places.iter().find(|(_, taken)| *taken == place) {
                let what = if place == Path::new("-") {
                    "standard output".into()
                } else {
                    path.display().to_string()
                };
                anyhow::bail!(
                    "{other} and {option} both write to {what}: give one of them a file of its own"
                );
            }
            places.push((option, place));
        }
        Ok(Self { on_stdout: places.iter().any(|(_, place)| place == Path::new("-")) })
    }

    /// The place of `--json`, where it was given.
    pub(crate) fn json(asked: bool) -> (&'static str, Option<&'static Path>) {
        ("--json", asked.then_some(Path::new("-")))
    }

    /// Whether one of them takes standard output.
    pub(crate) fn on_stdout(&self) -> bool {
        self.on_stdout
    }

    /// Gives people the report: on standard output, or on standard error where a document is on standard output.
    pub(crate) fn report(&self, text: &str) -> anyhow::Result<()> {
        if self.on_stdout {
            remark!("{}", text.trim_end());
            return Ok(());
        }
        print(text)
    }
}

/// Blocks where the terminal's locale shows Unicode, ASCII where it says that it does not.
pub(crate) fn glyphs() -> Glyphs {
    if is_plain() && io::stdout().is_terminal() { Glyphs::ASCII } else { Glyphs::UNICODE }
}

/// Whether the locale says that it shows ASCII only.
pub(crate) fn is_plain() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_some_and(|locale| !locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}
