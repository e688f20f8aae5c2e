//! Many runs, by one process or by several that share them.
//!
//! # What is promised
//! - Nothing is trained before every run is known to be one that can start.
//! - Each run is trained once, whoever comes first: a run's folder is held while it is trained, and a process that
//!   finds it held goes on with the others. What a process that died has left is finished by another.
//! - Every run that has ended counts, also where the work was stopped; a run that diverged has ended.

use std::collections::{BTreeSet, HashMap};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use ecode::code::TieRule;
use ecode::format::MatrixFile;
use ecode::report::Curve;
use ecode::train::data::Data;
use ecode::train::sweep::GridRun;
use ecode::train::{Config, FolderError, RunFolder, Scheme, Summary, TrainingCode, check};
use ecode::verify::Control;
use indicatif::{MultiProgress, ProgressBar};

use super::common::Common;
use super::session::{Place, Session, Task, program};
use super::watch::styled;
use super::{code, input, output, plot, scheme};

/// A run that has ended, and what came of it.
pub(crate) struct Ended {
    pub(crate) run: GridRun,
    pub(crate) summary: Summary,
    pub(crate) curve: Curve,
}

/// How long a process that waits for runs of others sleeps between two looks.
const LOOK: Duration = Duration::from_millis(300);

/// A code is verified once, for all runs that train with it.
type Codes = HashMap<Key, (MatrixFile, TrainingCode)>;

/// What decides what is proved of a code. Only schemes that count files ask how many lie.
type Key = (String, TieRule, bool, Option<String>, &'static str, Option<usize>);

/// What a run came to when it was its turn.
enum Turn {
    Ended(Box<Summary>),
    /// Another process has it.
    Held(String),
    /// It was stopped, and can go on.
    Stopped,
}

/// Trains all runs that are not finished, and returns those that have ended by then, in their order.
pub(crate) fn train_all(
    common: &Common,
    control: &Control,
    runs: &[GridRun],
    base: &Path,
) -> anyhow::Result<Vec<Ended>> {
    let bars = MultiProgress::new();
    let shown = !common.quiet && std::io::stderr().is_terminal();
    let bar = if shown { bars.add(ProgressBar::new(runs.len() as u64)) } else { ProgressBar::hidden() };
    let bar = styled(bar, "{bar:30} run {pos} of {len}, {elapsed}  {msg}");
    let session = Session { common, control, speak: false, tensorboard: false, bars };
    let grid = Grid { session, base, data: HashMap::new(), codes: HashMap::new() };
    let grid = grid.checked(runs);
    let ended = grid.and_then(|grid| grid.train(runs, &bar));
    bar.finish_and_clear();
    ended
}

/// What all runs need.
struct Grid<'a> {
    session: Session<'a>,
    base: &'a Path,
    data: HashMap<String, Data>,
    codes: Codes,
}

fn key(config: &Config) -> Key {
    let liars = config.byzantine.filter(|_| config.scheme != Scheme::Vote);
    let Config { code, ties, allow_unverified, domains, scheme, .. } = config;
    (code.clone(), *ties, *allow_unverified, domains.clone(), scheme.name(), liars)
}

impl Grid<'_> {
    /// Makes sure that every run can start, before the first one does.
    fn checked(mut self, runs: &[GridRun]) -> anyhow::Result<Self> {
        let remarks: BTreeSet<String> =
            runs.iter().filter_map(|run| code::remark(&run.config.code)).collect();
        for remark in remarks.iter().filter(|_| !self.session.common.quiet) {
            output::remark!("{remark}");
        }
        for run in runs {
            let prepared = self.prepare(run).with_context(|| run.name.clone());
            if self.session.control.stopped() {
                break;
            }
            prepared?;
        }
        Ok(self)
    }

    fn prepare(&mut self, run: &GridRun) -> anyhow::Result<()> {
        let source = run.config.data.to_string();
        if let std::collections::hash_map::Entry::Vacant(e) = self.data.entry(source) {
            e.insert(input::data(&run.config.data, self.session.control)?);
        }
        let key = key(&run.config);
        if !self.codes.contains_key(&key) {
            let file = code::resolve(&run.config.code, run.config.ties, self.session.control)?;
            let code = scheme::code_of(&file, &run.config, self.session.control, true)?;
            self.codes.insert(key, (file, code));
        }
        let (task, _) = self.task(run)?;
        let settled = check(&task.requested, &task.code, task.data)?;
        let path = self.path(run);
        if path.join("config.toml").exists() {
            let (folder, kept) = RunFolder::open(&path)?;
            let same = |config: &Config| Config {
                code: String::new(),
                data: config.data.absolute(),
                ..config.clone()
            };
            let matrix = input::matrix(&folder.matrix(), None, self.session.control)?.matrix;
            anyhow::ensure!(
                same(&kept) == same(&settled) && matrix == task.file.matrix,
                "{} holds a run of another configuration; --run DIR puts this grid elsewhere",
                path.display()
            );
        }
        Ok(())
    }

    fn path(&self, run: &GridRun) -> PathBuf {
        self.base.join(&run.name)
    }

    fn task(&self, run: &GridRun) -> anyhow::Result<(Task<'_>, PathBuf)> {
        let data = self.data.get(&run.config.data.to_string()).context("data that were not read")?;
        let (file, code) = self.codes.get(&key(&run.config)).context("a code that was not made")?;
        Ok((
            Task { requested: run.config.clone(), code: code.clone(), file, data, fallback: None },
            self.path(run),
        ))
    }

    /// Trains what is free, then waits for what others hold.
    fn train(&self, runs: &[GridRun], bar: &ProgressBar) -> anyhow::Result<Vec<Ended>> {
        let mut ended: Vec<Option<Ended>> = runs.iter().map(|_| None).collect();
        let mut left: Vec<usize> = (0..runs.len()).collect();
        let mut waits = false;
        while !left.is_empty() && !self.session.control.stopped() {
            let mut held = Vec::new();
            for place in std::mem::take(&mut left) {
                let run = &runs[place];
                bar.set_message(run.name.clone());
                match self.turn(run).with_context(|| run.name.clone())? {
                    Turn::Ended(summary) => {
                        ended[place] = Some(self.ended(run, *summary)?);
                        bar.inc(1);
                    }
                    Turn::Held(by) => held.push((place, by)),
                    Turn::Stopped => {}
                }
            }
            if let Some((_, by)) = held.first() {
                if !std::mem::replace(&mut waits, true) && !self.session.common.quiet {
                    let count = held.len();
                    bar.suspend(|| output::remark!("waiting for {count} runs that others train ({by})"));
                }
                std::thread::sleep(LOOK);
            }
            left = held.into_iter().map(|(place, _)| place).collect();
        }
        // Where the work was stopped, what had ended before counts all the same.
        for (place, run) in runs.iter().enumerate() {
            if ended[place].is_none()
                && let Some(summary) = self.over(run)?
            {
                ended[place] = Some(self.ended(run, summary)?);
            }
        }
        Ok(ended.into_iter().flatten().collect())
    }

    fn ended(&self, run: &GridRun, summary: Summary) -> anyhow::Result<Ended> {
        let (_, curve) = plot::read(&self.path(run))?;
        let ecode::train::sweep::Setting { n, b, .. } = run.setting;
        let axes = ecode::report::values_text(&run.axes);
        let situation =
            if axes.is_empty() { format!("n {n}, b {b}") } else { format!("{axes}, n {n}, b {b}") };
        Ok(Ended { curve: curve.in_grid(&run.scheme, &situation), run: run.clone(), summary })
    }

    /// What a run came to, where nothing more will come of it.
    fn over(&self, run: &GridRun) -> anyhow::Result<Option<Summary>> {
        let path = self.path(run);
        if !path.join("config.toml").exists() {
            return Ok(None);
        }
        Ok(RunFolder::open(&path)?.0.summary()?.filter(|summary| summary.status.is_final()))
    }

    /// Trains a run, goes on with it, or reads what came of it.
    fn turn(&self, run: &GridRun) -> anyhow::Result<Turn> {
        if let Some(summary) = self.over(run)? {
            return Ok(Turn::Ended(Box::new(summary)));
        }
        if self.session.control.stopped() {
            return Ok(Turn::Stopped);
        }
        let (task, path) = self.task(run)?;
        let place = match RunFolder::hold(&path, &program()) {
            Ok((folder, _)) => Place::Held(Box::new(folder)),
            Err(FolderError::Empty(_)) => Place::New(path.clone()),
            Err(FolderError::Held { by, .. }) => return Ok(Turn::Held(by)),
            Err(error) => return Err(error.into()),
        };
        // Between two processes that begin a run at once, the folder decides.
        let outcome = match self.session.train(&task, |_| place, None) {
            Ok(outcome) => outcome,
            Err(error) => {
                return match error.downcast_ref::<FolderError>() {
                    Some(FolderError::Held { by, .. }) => Ok(Turn::Held(by.clone())),
                    Some(FolderError::Taken(_)) => Ok(Turn::Held("another process".to_owned())),
                    _ => Err(error),
                };
            }
        };
        Ok(if outcome.summary.status.is_final() {
            Turn::Ended(Box::new(outcome.summary))
        } else {
            Turn::Stopped
        })
    }
}
