//! The folder of a run (`ecode/run/1`): its configuration, its matrix, its log, its checkpoint, and at the
//! end its summary.
//!
//! # What is promised
//! - Every file but the log appears whole or not at all, and no file of another run is overwritten.
//! - One process at a time writes in it; another one is told which.
//! - After an interruption at any moment, what is there is enough to go on to the same end. A run goes on with the
//!   configuration, the matrix, the data and the checkpoint that it had, or what differs is named.

mod binding;
mod checkpoint;
mod events;
pub(crate) mod lock;
mod log;
mod namings;
mod summary;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::config::{Config, ConfigError, OnExcess};
use super::error::TrainError;
use super::metrics::Metrics;
use super::reactive::{Journal, Naming};
use super::state::State;
use super::trainer::Trainer;
use binding::Binding;
use ecode_format::{Format, MatrixFile, write_whole};
use log::Log;

pub use checkpoint::NoCheckpoint;
pub use summary::{Program, Status, Summary};

const CONFIG: &str = "config.toml";
const BINDING: &str = "run.json";
const MATRIX: &str = "matrix.json";
const FALLBACK: &str = "fallback.json";
const LOG: &str = "metrics.jsonl";
const TABLE: &str = "metrics.csv";
const NAMINGS: &str = "namings.jsonl";
const SUMMARY: &str = "summary.json";
const CHECKPOINT: &str = "checkpoint/state.safetensors";

/// Why a run folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The file system says no.
    #[error("{}: {error}", place.display())]
    Io {
        /// The file or folder.
        place: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is a run already.
    #[error("{} holds a run already: --resume goes on with it, --run DIR starts another", .0.display())]
    Taken(PathBuf),
    /// Another process writes in it.
    #[error("{} is in use by {by}", folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// Who holds it.
        by: String,
    },
    /// There is nothing to go on with.
    #[error("{} holds no run: there is no {CONFIG}", .0.display())]
    Empty(PathBuf),
    /// There is nothing to show yet.
    #[error("{}: the model was not tested yet, so there is nothing to show", .0.display())]
    Untested(PathBuf),
    /// What it would go on with is not what it began with.
    #[error("{} cannot go on: {what}; --config {}/config.toml --run DIR starts another run", folder.display(), folder.display())]
    Differs {
        /// The folder.
        folder: PathBuf,
        /// What differs, and how.
        what: String,
    },
    /// A file is broken.
    #[error("{}: {what}", place.display())]
    Broken {
        /// The file.
        place: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What the run comes to cannot be read from the model.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// The folder of one run, to read, or held by this process to write in.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    program: Program,
    binding: Option<Binding>,
    log: Option<Log>,
    /// Held until the end, where this process writes.
    lock: Option<File>,
}

impl RunFolder {
    /// Makes the folder of a new run. The matrix is kept in it, and the configuration that is kept names
    /// that copy, so that the folder alone says how to run it again. `said` is the configuration as it was said: what
    /// follows from code and data is worked out anew wherever it is used.
    ///
    /// # Errors
    /// [`FolderError::Taken`] when there is a run in it already, [`FolderError::Held`], [`FolderError::Io`].
    pub fn create(
        path: &Path,
        requested: &Config,
        matrix: &MatrixFile,
        trainer: &Trainer,
        program: &Program,
    ) -> Result<Self, FolderError> {
        if path.join(CONFIG).exists() {
            // A living run is not to be gone on with.
            lock::take(path)?;
            return Err(FolderError::Taken(path.to_owned()));
        }
        let checkpoints = path.join("checkpoint");
        fs::create_dir_all(&checkpoints).map_err(|error| FolderError::Io { place: checkpoints, error })?;
        let lock = lock::take(path)?;
        if path.join(CONFIG).exists() {
            return Err(FolderError::Taken(path.to_owned()));
        }
        let kept = kept(requested.clone());
        let binding = Binding::of(trainer, &kept, program);
        let (path, program) = (path.to_owned(), program.clone());
        let mut folder = Self { path, program, binding: None, log: None, lock: Some(lock) };
        folder.write(MATRIX, &matrix.to_bytes(Format::Json))?;
        if let Some(code) = trainer.fallback() {
            let file = MatrixFile { b: code.b(), ..MatrixFile::plain(code.matrix().clone()) };
            folder.write(FALLBACK, &file.to_bytes(Format::Json))?;
        }
        folder.write(LOG, b"")?;
        folder.write(BINDING, &json(&binding).map_err(|what| folder.broken(BINDING, what))?)?;
        let Program { version, revision } = &folder.program;
        let revision = revision.as_ref().map_or(String::new(), |revision| format!(" ({revision})"));
        let text = format!("# begun by ecode {version}{revision}\n{}", kept.to_toml());
        folder.write(CONFIG, text.as_bytes())?;
        folder.log = Some(Log::empty(&folder.place(LOG))?);
        folder.binding = Some(binding);
        Ok(folder)
    }

    /// Opens the folder of a run to read it, also while another process trains it. The configuration is the one that
    /// is run, the number of liars filled in, and names the folder's own matrix.
    ///
    /// # Errors
    /// [`FolderError::Empty`] when there is none, [`FolderError::Broken`], [`FolderError::Io`].
    pub fn open(path: &Path) -> Result<(Self, Config), FolderError> {
        let (folder, requested) = Self::unlocked(path, &Program::default())?;
        let binding: Option<Binding> = read_json(path, BINDING)?;
        let mut config = binding.map_or(requested, |binding| binding.settled);
        config.code = folder.matrix().display().to_string();
        Ok((folder, config))
    }

    /// Takes the folder of a run to go on with it. The configuration is the one that was said.
    ///
    /// # Errors
    /// [`FolderError::Empty`] when there is none, [`FolderError::Held`], [`FolderError::Broken`],
    /// [`FolderError::Io`].
    pub fn hold(path: &Path, program: &Program) -> Result<(Self, Config), FolderError> {
        Self::unlocked(path, program)?;
        let lock = lock::take(path)?;
        let (folder, config) = Self::unlocked(path, program)?;
        Ok((Self { lock: Some(lock), ..folder }, config))
    }

    fn unlocked(path: &Path, program: &Program) -> Result<(Self, Config), FolderError> {
        let place = path.join(CONFIG);
        let bytes = read_up_to(&place, MOST_TEXT)?.ok_or_else(|| FolderError::Empty(path.to_owned()))?;
        let text = String::from_utf8_lossy(&bytes);
        let broken = |ConfigError(what)| FolderError::Broken { place, what };
        let config = Config::from_toml(&text).map_err(broken)?;
        let (path, program) = (path.to_owned(), program.clone());
        Ok((Self { path, program, binding: None, log: None, lock: None }, config))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its matrix is.
    #[must_use]
    pub fn matrix(&self) -> PathBuf {
        self.place(MATRIX)
    }

    /// Where the matrix is whose votes are taken where the run's scheme cannot go on, if there is one.
    #[must_use]
    pub fn fallback(&self) -> PathBuf {
        self.place(FALLBACK)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn broken(&self, name: &str, what: impl Into<String>) -> FolderError {
        FolderError::Broken { place: self.place(name), what: what.into() }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        write_whole(&self.place(name), bytes)
            .map(drop)
            .map_err(|error| FolderError::Io { place: self.place(name), error })
    }

    /// Puts a trainer where this run stood at its last checkpoint, and makes the log what it was then. Returns
    /// what there is to remark: another program, lines of the log that are gone.
    ///
    /// # Errors
    /// [`FolderError::Differs`] where the trainer was not made from what the run began with,
    /// [`FolderError::Broken`], [`FolderError::Io`], [`FolderError::Train`] where the state does not fit.
    pub fn resume(&mut self, trainer: &mut Trainer, requested: &Config) -> Result<Vec<String>, FolderError> {
        if self.lock.is_none() {
            return Err(FolderError::Held {
                folder: self.path.clone(),
                by: "nobody: it was opened to be read".into(),
            });
        }
        let mut remarks = Vec::new();
        let binding: Binding = read_json(&self.path, BINDING)?.ok_or_else(|| FolderError::Differs {
            folder: self.path.clone(),
            what: format!("{BINDING}, which says what it began with, is missing"),
        })?;
        binding.compare(&self.path, trainer, requested)?;
        if binding.program != self.program {
            let Program { version, revision } = &binding.program;
            let revision = revision.as_ref().map_or(String::new(), |revision| format!(" ({revision})"));
            remarks.push(format!("{} was begun by ecode {version}{revision}", self.path.display()));
        }
        let place = self.place(LOG);
        let saved = self.saved()?;
        if saved.as_ref().is_some_and(|saved| saved.run != binding.digest()) {
            return Err(self.broken(CHECKPOINT, "the checkpoint of another run"));
        }
        let status = self.summary()?.map(|summary| summary.status);
        // A run that ended in the middle has lines after its last checkpoint, which are a part of its result.
        if matches!(status, Some(Status::Diverged | Status::Failed)) {
            self.binding = Some(binding);
            return Ok(remarks);
        }
        self.log = Some(if let Some(saved) = saved {
            let step = saved.state.step;
            trainer.restore(saved.state)?;
            let write = |bytes: &[u8]| self.write(LOG, bytes);
            let (log, remark) = Log::rewound(&place, &saved.log, step, write)?;
            remarks.extend(remark);
            log
        } else {
            self.write(LOG, b"")?;
            Log::empty(&place)?
        });
        // Who was named after the checkpoint stays named.
        let namings = namings::read(&self.place(NAMINGS))?;
        namings::complete(&self.place(NAMINGS), &namings)?;
        trainer.take_namings(&namings);
        trainer.keep_namings(self.journal());
        self.binding = Some(binding);
        // What was said of an interrupted run no longer holds.
        if status.is_some_and(|status| !status.is_final()) {
            let place = self.place(SUMMARY);
            fs::remove_file(&place).map_err(|error| FolderError::Io { place, error })?;
        }
        Ok(remarks)
    }

    /// The log so far. A last line that was cut short is left out.
    ///
    /// # Errors
    /// [`FolderError::Broken`] with the line, [`FolderError::Io`].
    pub fn log(&self) -> Result<Vec<Metrics>, FolderError> {
        log::read(&self.place(LOG))
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    /// [`FolderError::Io`], and [`FolderError::Broken`] where the run was not begun or resumed here.
    pub fn append(&mut self, metrics: &Metrics) -> Result<(), FolderError> {
        let missing = self.broken(LOG, "the run was not resumed");
        self.log.as_mut().ok_or(missing)?.append(metrics)
    }

    /// Writes the log so far as an event file of TensorBoard, in the folder's `tensorboard`.
    ///
    /// # Errors
    /// [`FolderError::Broken`] where the log is, [`FolderError::Io`].
    pub fn write_events(&self) -> Result<(), FolderError> {
        let place = self.place(events::NAME);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| FolderError::Io { place: folder.to_owned(), error })?;
        }
        self.write(events::NAME, &events::events(&self.log()?))
    }

    /// Saves what is needed to go on, after the log that it refers to.
    ///
    /// # Errors
    /// [`FolderError::Io`], and [`FolderError::Broken`] where the run was not begun or resumed here.
    pub fn save(&self, state: &State) -> Result<(), FolderError> {
        let (Some(log), Some(binding)) = (&self.log, &self.binding) else {
            return Err(self.broken(CHECKPOINT, "the run was not resumed"));
        };
        let bytes = checkpoint::write(state, &binding.digest(), &log.mark()?)
            .map_err(|what| self.broken(CHECKPOINT, what))?;
        self.write(CHECKPOINT, &bytes)
    }

    /// Where namings of this run are kept.
    #[must_use]
    pub fn journal(&self) -> Box<dyn Journal> {
        Box::new(namings::Namings::new(self.place(NAMINGS)))
    }

    /// The namings of the run so far.
    ///
    /// # Errors
    /// [`FolderError::Broken`] with the line, [`FolderError::Io`].
    pub fn namings(&self) -> Result<Vec<Naming>, FolderError> {
        namings::read(&self.place(NAMINGS))
    }

    /// The last checkpoint; none before the first.
    fn saved(&self) -> Result<Option<checkpoint::Saved>, FolderError> {
        let Some(bytes) = read_up_to(&self.place(CHECKPOINT), u64::MAX)? else { return Ok(None) };
        let broken = |what| self.broken(CHECKPOINT, format!("not a checkpoint of this program ({what})"));
        checkpoint::read(&bytes).map(Some).map_err(broken)
    }

    /// Writes the log as a table, and the summary: of a run that is finished or interrupted, or, with an error, of
    /// one that it ended.
    ///
    /// # Errors
    /// [`FolderError::Io`], [`FolderError::Untested`] when there is no line in the log, [`FolderError::Train`].
    pub fn close(&self, trainer: &mut Trainer, error: Option<&TrainError>) -> Result<Summary, FolderError> {
        let log = self.log()?;
        let last = log.last().cloned().ok_or_else(|| FolderError::Untested(self.path.clone()))?;
        let mut table = csv::Writer::from_writer(Vec::new());
        let written = (|| -> Result<Vec<u8>, Box<dyn std::error::Error>> {
            table.write_record(Metrics::COLUMNS)?;
            for metrics in &log {
                table.write_record(metrics.fields())?;
            }
            Ok(table.into_inner().map_err(|error| error.to_string())?)
        })();
        let table = written.map_err(|error| self.broken(TABLE, error.to_string()))?;
        self.write(TABLE, &table)?;
        let mut summary = trainer.summary(last, &self.program)?;
        if let Some(error) = error {
            summary.status = Status::after(error).unwrap_or(summary.status);
            summary.reason = Some(error.to_string());
        }
        // As the folder's own configuration says it, however this run was started.
        summary.config = kept(summary.config);
        self.write(SUMMARY, &json(&summary).map_err(|what| self.broken(SUMMARY, what))?)?;
        Ok(summary)
    }

    /// The summary, where the run was closed.
    ///
    /// # Errors
    /// [`FolderError::Broken`], [`FolderError::Io`].
    pub fn summary(&self) -> Result<Option<Summary>, FolderError> {
        read_json(&self.path, SUMMARY)
    }
}

/// A configuration as a run's folder keeps it: the folder's own matrices are named.
fn kept(config: Config) -> Config {
    let on_excess = match config.on_excess {
        OnExcess::Code(_) => OnExcess::Code(FALLBACK.into()),
        other => other,
    };
    Config { code: MATRIX.into(), data: config.data.absolute(), on_excess, ..config }
}

/// What describes a run is small; its values take many times its bytes.
const MOST_TEXT: u64 = 8 << 20;
/// The most bytes of a log: some million tests of the model.
const MOST_LOG: u64 = 1 << 30;

/// A file's bytes, at most so many; none where there is none. What is no file is refused: it may have no end.
fn read_up_to(place: &Path, most: u64) -> Result<Option<Vec<u8>>, FolderError> {
    let none = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(place)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        if found.len() > most {
            let error = format!("more than {most} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if none.contains(&error.kind()) => Ok(None),
        Err(error) => Err(FolderError::Io { place: place.to_owned(), error }),
    }
}

fn read_json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, FolderError> {
    let place = folder.join(name);
    let Some(bytes) = read_up_to(&place, MOST_TEXT)? else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| FolderError::Broken { place, what: error.to_string() })
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text.into_bytes())
}
