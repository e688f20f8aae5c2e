//! The file in which a search keeps how far it is.
//!
//! # What is promised
//! One search at a time works on a state file; what it holds says which program wrote it.

use std::path::PathBuf;

use anyhow::Context as _;
use ecode::verify::Control;
use serde_json::{Value, json};

use crate::cli::session::program;
use crate::cli::{input, lock, output};

/// A state file, locked against other searches.
pub(in crate::cli) struct StateFile {
    path: PathBuf,
    _lock: lock::Beside,
}

impl StateFile {
    pub(in crate::cli) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let lock = lock::Beside::take(&path, "search")?;
        Ok(Self { path, _lock: lock })
    }

    /// The search where the file says it is; none where there is no file. `resume` reads its text.
    pub(in crate::cli) fn resume<R, E>(
        &self,
        resume: impl FnOnce(&str) -> Result<R, E>,
        quiet: bool,
        control: &Control,
    ) -> anyhow::Result<Option<R>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        if !self.path.exists() {
            return Ok(None);
        }
        let place = || self.path.display().to_string();
        let text = input::text(&self.path, input::SMALL, control)?;
        let run = resume(&text).with_context(place)?;
        let written: Value = serde_json::from_str(&text).with_context(place)?;
        if let (Some(program), false) = (written["program"].as_str(), quiet)
            && program != writer()
        {
            let place = place();
            output::remark!(
                "note: {place} was written by {program:.60?}; its next rounds may find others in {}",
                writer()
            );
        }
        Ok(Some(run))
    }

    /// Writes how far a search is, with who writes it.
    pub(in crate::cli) fn write(&self, mut state: Value) -> anyhow::Result<()> {
        state["program"] = json!(writer());
        output::write(&self.path, format!("{state:#}\n").as_bytes())
    }
}

/// What a state says wrote it: the program's version, and its revision where the build knows one.
fn writer() -> String {
    let program = program();
    let revision = program.revision.map_or(String::new(), |revision| format!(" ({revision})"));
    format!("ecode {}{revision}", program.version)
}
