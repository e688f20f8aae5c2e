//! The folder of a run (`ecode/run/1`): its configuration, its matrix, its log, its checkpoint, and at the
//! end its summary.
//!
//! # What is promised
//! - Every file but the log appears whole or not at all, and no file of another run is overwritten.
//! - After an interruption at any moment, what is there is enough to go on to the same end. Log lines
//!   after the checkpoint are dropped, as those steps are done again.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{Config, ConfigError};
use super::trainer::{Metrics, State, Totals, Trainer};
use ecode_format::{Format, MatrixFile, write_whole};

const CONFIG: &str = "config.toml";
const MATRIX: &str = "matrix.json";
const LOG: &str = "metrics.jsonl";
const TABLE: &str = "metrics.csv";
const SUMMARY: &str = "summary.json";
const CHECKPOINT: &str = "checkpoint/state.safetensors";

/// Why a run folder cannot be used.
#[derive(Debug, thiserror::Error)]
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
    /// There is nothing to go on with.
    #[error("{} holds no run: there is no {CONFIG}", .0.display())]
    Empty(PathBuf),
    /// A file is broken.
    #[error("{}: {what}", place.display())]
    Broken {
        /// The file.
        place: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// What a finished run, or one on its way, comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `ecode/run/1`.
    pub schema: String,
    /// `finished` or `interrupted`.
    pub status: String,
    /// Steps done.
    pub steps: u64,
    /// The code: digest, n, k, b, r, name, load, verified.
    pub code: Value,
    /// The last line of the log.
    #[serde(rename = "final")]
    pub last: Metrics,
    /// The best test accuracy and its step.
    pub best: Value,
    /// Wrongly decoded coordinates in all steps; none where they were not all counted.
    pub wrong: Option<u64>,
    /// SHA-256 of the parameters: in the model's order, four little-endian bytes each.
    pub parameters_digest: String,
    /// d.
    pub parameters: usize,
    /// Bytes that a worker sends and receives in a step (the largest of each).
    pub bytes_per_step: Value,
    /// The whole configuration.
    pub config: Config,
}

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run. The matrix is kept in it, and the configuration that is kept names
    /// that copy, so that the folder alone says how to run it again.
    ///
    /// # Errors
    /// [`FolderError::Taken`] when there is a run in it already, [`FolderError::Io`].
    pub fn create(path: &Path, config: &Config, matrix: &MatrixFile) -> Result<Self, FolderError> {
        let folder = Self { path: path.to_owned() };
        if folder.place(CONFIG).exists() {
            return Err(FolderError::Taken(path.to_owned()));
        }
        let checkpoints = folder.place("checkpoint");
        fs::create_dir_all(&checkpoints).map_err(|error| FolderError::Io { place: checkpoints, error })?;
        folder.write(MATRIX, &matrix.to_bytes(Format::Json))?;
        folder.write(LOG, b"")?;
        let kept = Config { code: MATRIX.into(), data: config.data.absolute(), ..config.clone() };
        folder.write(CONFIG, kept.to_toml().as_bytes())?;
        Ok(folder)
    }

    /// Opens the folder of a run that was interrupted, or finished.
    ///
    /// # Errors
    /// [`FolderError::Empty`] when there is none, [`FolderError::Broken`], [`FolderError::Io`].
    pub fn open(path: &Path) -> Result<(Self, Config), FolderError> {
        let folder = Self { path: path.to_owned() };
        if !folder.place(CONFIG).exists() {
            return Err(FolderError::Empty(path.to_owned()));
        }
        let text = String::from_utf8_lossy(&folder.read(CONFIG)?).into_owned();
        let mut config = Config::from_toml(&text).map_err(|ConfigError(what)| folder.broken(CONFIG, what))?;
        config.code = folder.place(MATRIX).display().to_string();
        Ok((folder, config))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn broken(&self, name: &str, what: impl Into<String>) -> FolderError {
        FolderError::Broken { place: self.place(name), what: what.into() }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        fs::read(self.place(name)).map_err(|error| FolderError::Io { place: self.place(name), error })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        write_whole(&self.place(name), bytes)
            .map(drop)
            .map_err(|error| FolderError::Io { place: self.place(name), error })
    }

    /// The log so far. A last line that was cut short is left out.
    ///
    /// # Errors
    /// [`FolderError::Broken`] with the line, [`FolderError::Io`].
    pub fn log(&self) -> Result<Vec<Metrics>, FolderError> {
        let bytes = self.read(LOG)?;
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .enumerate()
            .map(|(line, text)| {
                serde_json::from_str(text)
                    .map_err(|error| self.broken(LOG, format!("line {}: {error}", line + 1)))
            })
            .collect()
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn append(&self, metrics: &Metrics) -> Result<(), FolderError> {
        let io = |error| FolderError::Io { place: self.place(LOG), error };
        let mut line = serde_json::to_vec(metrics).map_err(|error| self.broken(LOG, error.to_string()))?;
        line.push(b'\n');
        let mut file = fs::OpenOptions::new().append(true).open(self.place(LOG)).map_err(io)?;
        file.write_all(&line).map_err(io)
    }

    /// Drops the log's lines after a step, as those steps are done again.
    ///
    /// # Errors
    /// Those of [`Self::log`].
    pub fn rewind(&self, step: u64) -> Result<Vec<Metrics>, FolderError> {
        let mut log = self.log()?;
        log.retain(|metrics| metrics.step <= step);
        let mut text = Vec::new();
        for metrics in &log {
            serde_json::to_writer(&mut text, metrics).map_err(|error| self.broken(LOG, error.to_string()))?;
            text.push(b'\n');
        }
        self.write(LOG, &text)?;
        Ok(log)
    }

    /// Saves what is needed to go on.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn save(&self, state: &State) -> Result<(), FolderError> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let mut tensors = vec![
            ("parameters".to_owned(), bytes(&state.parameters)),
            ("velocity".to_owned(), bytes(&state.velocity)),
        ];
        for (i, momentum) in state.momentum.iter().enumerate() {
            tensors.push((format!("momentum.{i}"), bytes(momentum)));
        }
        for (name, values) in &state.model {
            tensors.push((format!("model.{name}"), bytes(values)));
        }
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|(name, bytes)| {
                TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map(|view| (name.as_str(), view))
            })
            .collect();
        let about = json!({ "step": state.step, "totals": state.totals, "best": state.best });
        let about = HashMap::from([("ecode/checkpoint/1".to_owned(), about.to_string())]);
        let file = views
            .and_then(|views| safetensors::serialize(views, Some(about)))
            .map_err(|error| self.broken(CHECKPOINT, error.to_string()))?;
        self.write(CHECKPOINT, &file)
    }

    /// The saved state; none before the first checkpoint.
    ///
    /// # Errors
    /// [`FolderError::Broken`], [`FolderError::Io`].
    pub fn saved(&self) -> Result<Option<State>, FolderError> {
        if !self.place(CHECKPOINT).exists() {
            return Ok(None);
        }
        let bytes = self.read(CHECKPOINT)?;
        self.parse(&bytes).map(Some)
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, FolderError> {
        #[derive(Deserialize)]
        struct About {
            step: u64,
            totals: Totals,
            best: Option<(f64, u64)>,
        }
        let broken =
            |what: &str| self.broken(CHECKPOINT, format!("not a checkpoint of this program ({what})"));
        let text = |error: safetensors::SafeTensorError| broken(&error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let about = header.metadata().as_ref().and_then(|about| about.get("ecode/checkpoint/1"));
        let about: About = about
            .and_then(|about| serde_json::from_str(about).ok())
            .ok_or_else(|| broken("no description of it"))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
        let numbers = |name: &str| -> Result<Vec<f32>, FolderError> {
            let view = tensors.tensor(name).map_err(text)?;
            if view.dtype() != Dtype::F32 {
                return Err(broken("other numbers than f32"));
            }
            Ok(view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        };
        let momentum = (0..)
            .map(|i| format!("momentum.{i}"))
            .take_while(|name| tensors.tensor(name).is_ok())
            .map(|name| numbers(&name))
            .collect::<Result<_, _>>()?;
        let mut names: Vec<String> = tensors.names().iter().map(ToString::to_string).collect();
        names.sort_unstable();
        let model = names
            .iter()
            .filter_map(|name| name.strip_prefix("model.").map(|short| (short, name)))
            .map(|(short, name)| Ok((short.to_owned(), numbers(name)?)))
            .collect::<Result<_, FolderError>>()?;
        Ok(State {
            step: about.step,
            parameters: numbers("parameters")?,
            velocity: numbers("velocity")?,
            momentum,
            model,
            totals: about.totals,
            best: about.best,
        })
    }

    /// Writes the log as a table, and the summary.
    ///
    /// # Errors
    /// [`FolderError::Io`], and [`FolderError::Broken`] when there is no log.
    pub fn close(&self, trainer: &Trainer) -> Result<Summary, FolderError> {
        let log = self.log()?;
        let Some(last) = log.last().cloned() else {
            return Err(self.broken(LOG, "no line yet"));
        };
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
        let mut summary = trainer.summary(last);
        // As the folder's own configuration says it, however this run was started.
        summary.config.code = MATRIX.into();
        summary.config.data = summary.config.data.absolute();
        let mut text = serde_json::to_string_pretty(&summary)
            .map_err(|error| self.broken(SUMMARY, error.to_string()))?;
        text.push('\n');
        self.write(SUMMARY, text.as_bytes())?;
        Ok(summary)
    }

    /// The summary, where the run was closed.
    ///
    /// # Errors
    /// [`FolderError::Broken`], [`FolderError::Io`].
    pub fn summary(&self) -> Result<Option<Summary>, FolderError> {
        if !self.place(SUMMARY).exists() {
            return Ok(None);
        }
        serde_json::from_slice(&self.read(SUMMARY)?)
            .map(Some)
            .map_err(|error| self.broken(SUMMARY, error.to_string()))
    }
}

impl Metrics {
    /// The columns of the table.
    const COLUMNS: [&str; 12] = [
        "step",
        "epoch",
        "train_loss",
        "test_loss",
        "test_accuracy",
        "test_auc",
        "wrong_coordinates",
        "bytes_up",
        "bytes_down",
        "wall_s",
        "deployed_s",
        "verified",
    ];

    fn fields(&self) -> [String; 12] {
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        [
            self.step.to_string(),
            self.epoch.to_string(),
            optional(self.train_loss),
            self.test_loss.to_string(),
            self.test_accuracy.to_string(),
            optional(self.test_auc),
            self.wrong_coordinates.map_or(String::new(), |wrong| wrong.to_string()),
            self.bytes_up.to_string(),
            self.bytes_down.to_string(),
            self.wall_s.to_string(),
            self.deployed_s.to_string(),
            self.verified.to_string(),
        ]
    }
}

impl Trainer {
    /// What the run comes to, with the last line of its log.
    #[must_use]
    pub fn summary(&self, last: Metrics) -> Summary {
        let (code, state) = (self.code(), self.state());
        let g = code.matrix();
        let bytes: Vec<(u64, u64)> = (0..g.n()).map(|j| self.bytes_per_step(j)).collect();
        Summary {
            schema: "ecode/run/1".into(),
            status: if self.finished() { "finished" } else { "interrupted" }.into(),
            steps: state.step,
            code: json!({
                "digest": g.digest(),
                "name": code.name(),
                "n": g.n(),
                "k": g.k(),
                "b": code.tolerates(),
                "r": g.redundancy(),
                "r_eff": self.config().batch_reduction * g.redundancy(),
                "max_load": g.worker_loads().into_iter().max(),
                "verified": code.tolerates().is_some(),
            }),
            last,
            best: json!(state.best.map(|(accuracy, step)| json!({"test_accuracy": accuracy, "step": step}))),
            wrong: (!state.totals.uncounted).then_some(state.totals.wrong),
            parameters_digest: self.parameters_digest(),
            parameters: self.dimension(),
            bytes_per_step: json!({
                "up": bytes.iter().map(|bytes| bytes.0).max(),
                "down": bytes.iter().map(|bytes| bytes.1).max(),
            }),
            config: self.config().clone(),
        }
    }
}
