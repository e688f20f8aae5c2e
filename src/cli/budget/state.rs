//! The file in which a search for a budgeted code keeps how far it is. One search at a time works on it.

use std::path::PathBuf;

use anyhow::Context as _;
use ecode::code::AllocationMatrix;
use ecode::search::{BudgetRequest, BudgetRun};
use ecode::verify::Control;
use serde_json::{Value, json};

use crate::cli::search::writer;
use crate::cli::{input, lock, output};

/// A state file, locked against other searches.
pub(super) struct BudgetState {
    path: PathBuf,
    _lock: lock::Beside,
}

impl BudgetState {
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let lock = lock::Beside::take(&path, "search")?;
        Ok(Self { path, _lock: lock })
    }

    /// The search where the file says it is, else from the start.
    pub(super) fn resume_or_begin(
        &self,
        request: &BudgetRequest,
        known: &[AllocationMatrix],
        quiet: bool,
        control: &Control,
    ) -> anyhow::Result<BudgetRun> {
        if !self.path.exists() {
            return Ok(BudgetRun::new(request.clone(), known)?);
        }
        let place = || self.path.display().to_string();
        let text = input::text(&self.path, input::SMALL, control)?;
        let run = BudgetRun::resume(request.clone(), &text).with_context(place)?;
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
        Ok(run)
    }

    pub(super) fn write(&self, run: &BudgetRun) -> anyhow::Result<()> {
        let mut state = run.to_json();
        state["program"] = json!(writer());
        output::write(&self.path, format!("{state:#}\n").as_bytes())
    }
}
