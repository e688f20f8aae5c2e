//! `--shard` and `--checkpoint` of `ecode verify` and `ecode distortion`, and `--proof enumeration`: every message, or every
//! set of liars, counted, in parts, with interruptions.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use ecode::format::{check_writable, write_whole};
use ecode::verify::Control;
use ecode::verify::part::{Asked, Part, PartError, Question, Whole};

use super::common::{Common, parse_time};
use super::ending::{Contradiction, Ending};
use super::output::Documents;
use super::{input, output, watch};

/// Counting in parts.
#[derive(Args)]
pub(crate) struct Parts {
    /// Do the i-th of N equal parts of the enumeration, i from 0 to N − 1, and write what it counted to --part
    #[arg(long, value_name = "i/N", requires = "part", conflicts_with = "certificate")]
    pub(crate) shard: Option<Shard>,
    /// With --shard: the file that `ecode merge` is to read
    #[arg(long, short = 'o', value_name = "FILE", requires = "shard")]
    pub(crate) part: Option<PathBuf>,
    /// Enumerate, save here how far the count is, and go on from there when the same command runs again
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// With --checkpoint: save so often, every 30s at least
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_pause, requires = "checkpoint")]
    pub(crate) checkpoint_every: Duration,
}

fn parse_pause(text: &str) -> Result<Duration, String> {
    let pause = parse_time(text)?;
    if pause <= Duration::from_secs(30) { Ok(pause) } else { Err("at most 30s".to_owned()) }
}

/// Which part of how many.
#[derive(Clone, Copy)]
pub(crate) struct Shard {
    pub(crate) index: u64,
    pub(crate) of: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let Some((index, of)) = numbers else {
            return Err("expected i/N, as in 0/8".to_owned());
        };
        if index < of {
            return Ok(Self { index, of });
        }
        Err(match of {
            0 => "there is no part of 0".to_owned(),
            _ => format!("parts count from 0: the {of} parts are 0/{of} to {}/{of}", of - 1),
        })
    }
}

/// How far a count came.
pub(crate) struct Progress {
    pub(crate) part: Part,
    /// Whether that is all of the shard.
    pub(crate) complete: bool,
    pub(crate) elapsed: Duration,
}

/// An error about a part's file, a contradiction told apart from wrong usage.
pub(crate) fn known(name: &str, error: PartError) -> anyhow::Error {
    match error {
        PartError::Invalid(why) => Contradiction(format!("{name}: {why}")).into(),
        error => anyhow::Error::new(error).context(name.to_owned()),
    }
}

pub(crate) fn read(path: &Path, control: &Control) -> anyhow::Result<Part> {
    let name = path.display().to_string();
    let bytes = input::bytes(path, control)?;
    Part::parse(&bytes).map_err(|error| known(&name, error))
}

impl Parts {
    /// Whether every message is to be counted.
    pub(crate) fn asked(&self) -> bool {
        self.shard.is_some() || self.checkpoint.is_some()
    }

    /// Counts the shard, or everything, from the checkpoint on where there is one.
    pub(crate) fn count(
        &self,
        question: &Question,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Progress> {
        let all = question.enumeration()?;
        let (index, of) = self.shard.map_or((0, 1), |shard| (shard.index, shard.of));
        let shard = all.shard(index, of);
        if let Some(path) = &self.part {
            // A file that cannot be written is better found out now than after an hour.
            check_writable(path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let mut at = shard.start;
        let mut known = all.nothing();
        if let Some(path) = self.checkpoint.as_deref().filter(|path| path.exists()) {
            let saved = read(path, control)?;
            anyhow::ensure!(
                saved.question == *question && saved.shard == (index, of),
                "{}: a checkpoint of another matrix, claim or shard; give another name or remove it",
                path.display()
            );
            at = saved.range.end;
            known = saved.count;
            if !common.quiet && at > shard.start {
                let done = (at - shard.start) as f64 / (shard.end - shard.start).max(1) as f64;
                output::remark!("going on from {}: {:.1}% are done", path.display(), 100.0 * done);
            }
        }
        let part = |end: u64, count: &_| {
            Part::new(question.clone(), &all, (index, of), shard.start..end, Clone::clone(count))
        };
        let mut save = |end: u64, count: &_| match &self.checkpoint {
            Some(path) => write_whole(path, part(end, count).to_json().as_bytes()).map(drop),
            None => Ok(()),
        };
        let failed = || match &self.checkpoint {
            Some(path) => format!("cannot write {}", path.display()),
            None => "cannot save".to_owned(),
        };
        save(at, &known).with_context(failed)?;
        let begun = Instant::now();
        control.begin_at(at - shard.start, shard.end - shard.start);
        let counted: io::Result<_> = watch::with_progress(control, common.quiet, || {
            all.count(at..shard.end, known, control, self.checkpoint_every, &mut save)
        });
        let (end, count) = counted.with_context(failed)?;
        let complete = end == shard.end;
        if !complete && let Some(path) = &self.checkpoint {
            output::remark!(
                "stopped at choice {end} of {}; the same command goes on from {}",
                shard.end,
                path.display()
            );
        }
        Ok(Progress { part: part(end, &count), complete, elapsed: begun.elapsed() })
    }
}

/// Writes a part that was counted to its end, and says what it shows.
pub(crate) fn keep(
    path: &Path,
    progress: &Progress,
    json: bool,
    documents: &Documents,
) -> anyhow::Result<Ending> {
    if !progress.complete {
        output::remark!("{} was not written: stopped before the part was counted", path.display());
        return Ok(Ending::Undecided);
    }
    let text = progress.part.to_json();
    output::write(path, text.as_bytes())?;
    if json {
        output::print(&text)?;
    } else {
        documents.report(&describe(&progress.part, path))?;
    }
    Ok(Ending::Done)
}

/// What a part says, for people.
fn describe(part: &Part, path: &Path) -> String {
    let (index, of) = part.shard;
    let width = part.range.end - part.range.start;
    let mut text = format!(
        "Part {index} of {of}: {width} of {} choices counted, from {} to {}.\n",
        part.total, part.range.start, part.range.end
    );
    if let (Some(worst), Asked::Distortion { liars }) = (&part.count.worst, part.question.asked) {
        let files = part.question.matrix.k();
        let overturned = (files / 2) as i64 - worst.margin;
        text += &format!(
            "Of its sets of {liars} liars none overturns more than {overturned} of {files} files, and {} does.\n",
            worst.message
        );
    } else if let Some(worst) = &part.count.worst {
        text += &format!(
            "Its smallest margin is {}: {} workers wrong on the message {}.\n",
            worst.margin,
            worst.wrong.count(),
            worst.message
        );
        if let Some(b) = part.question.b().filter(|&b| worst.margin < b as i64) {
            text += &format!("That refutes b = {b}, whatever the other parts say.\n");
        }
    }
    text += &format!("Written: {}. With all {of} parts: ecode merge PART…\n", path.display());
    text
}

/// A finished count without shards.
pub(crate) fn whole(part: Part) -> anyhow::Result<Whole> {
    Whole::of(part).map_err(|error| known("the count", error))
}
