//! `ecode distortion --shard` and `--checkpoint`, and what `ecode merge` makes of such parts: every set of q liars counted,
//! in parts, with interruptions.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use ecode::report::{distortion_json, distortion_text};
use ecode::verify::part::{Asked, Question, Whole};
use ecode::verify::{Assignment, Control, Method};

use super::common::Common;
use super::distortion::{DistortionCommand, certify, described};
use super::ending::Ending;
use super::output::Documents;
use super::{enumerate, merge, output, verify};

/// Counts every set of so many liars, or a part of them.
pub(super) fn run(
    asked: &DistortionCommand,
    name: String,
    assignment: &Assignment<'_>,
    liars: usize,
    control: &Control,
    common: &Common,
    documents: &Documents,
) -> anyhow::Result<Ending> {
    ensure!(asked.stragglers == 0, "--stragglers: an enumeration is of liars alone");
    ensure!(
        matches!(asked.method, Method::Auto | Method::Exhaustive),
        "--method {}: shards and checkpoints are of an enumeration",
        asked.method
    );
    let question = Question { matrix: assignment.matrix().clone(), asked: Asked::Distortion { liars } };
    let progress = asked.parts.count(&question, control, common)?;
    if let Some(path) = &asked.parts.part {
        return enumerate::keep(path, &progress, asked.json, documents);
    }
    let (worst, sets) = if progress.complete {
        let whole = enumerate::whole(progress.part)?;
        let sets = asked.distribution.then(|| assignment.sets_by_files(whole.count()));
        (whole.distortion(progress.elapsed), sets)
    } else {
        (progress.part.distortion(progress.elapsed), None)
    };
    let found = (worst.map_err(verify::known)?, sets);
    asked.publish(&[described(name, assignment.matrix(), 0, vec![found])], control, common, documents)
}

/// What is made of it.
pub(super) struct To<'a> {
    /// Whether one JSON document is printed.
    pub(super) json: bool,
    /// Where the proof is to be written.
    pub(super) certificate: Option<&'a Path>,
}

/// The distortion that all parts together show: what `ecode distortion --distribution` says in one run.
pub(super) fn merged(
    whole: &Whole,
    name: String,
    to: &To<'_>,
    documents: &Documents,
    control: &Control,
    common: &Common,
) -> anyhow::Result<Ending> {
    let matrix = &whole.question().matrix;
    let assignment = Assignment::new(matrix)?;
    let worst = whole.distortion(Duration::ZERO).map_err(verify::known)?;
    let one = described(name, matrix, 0, vec![(worst, Some(assignment.sets_by_files(whole.count())))]);
    let ending = to.certificate.map_or(Ok(Ending::Done), |path| certify(path, &one, control, common))?;
    let all = [one];
    if to.json {
        output::print(&distortion_json(&all).to_string())?;
    } else {
        documents.report(&format!("{}\n\n{}\n", distortion_text(&all), merge::counted(whole)))?;
    }
    Ok(ending)
}
