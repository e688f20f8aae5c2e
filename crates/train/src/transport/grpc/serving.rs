//! A server of votes that holds no model: its workers bring theirs, of any kind.
//!
//! # What is promised
//! - Only a verified code is served, and a decode is called verified only while 2·liars + missing ≤ 2·radius.
//! - Every decode is on the disk before anybody is told. A server that was started anew therefore goes on where all workers
//!   are, or before them, and gives each what it missed: their models come to the same bits.
//! - That some decode was not proved, and who was proved to lie, is remembered as long as the folder is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecode_core::TieRule;
use ecode_core::digest::sha256;
use ecode_format::write_whole;
use ecode_grpc::{Decode, Offer, Settings};
use ecode_server::{OnExcess, Rules};
use ecode_verify::Control;
use serde::{Deserialize, Serialize};

use super::Listen;
use super::decodes::{DecodeLog, ReadBack};
use super::desk::{Desk, Keeper};
use crate::blame::{Agreement, Named, unusual};
use crate::code::TrainingCode;
use crate::error::TrainError;
use crate::folder::{FolderError, lock};
use crate::vote::VoteEngine;

/// The schema of a served run.
const SCHEMA: &str = "ecode/serve/1";
/// The file in the folder that says how the run stands.
const RECORD: &str = "serve.json";
/// Blocks beyond the first open one that the server takes.
const WINDOW: usize = 4;

/// Workers that are not there at the end have so long to come for the last decodes.
const LINGER: Duration = Duration::from_secs(30);

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Coordinates of a vote.
    pub dimension: usize,
    /// How many workers may lie while votes are missing.
    pub liars: usize,
    /// Whether to go on where more votes are missing than the proof allows.
    pub go_on: bool,
    /// So many bytes of decodes are kept for workers that come back.
    pub keep: u64,
}

/// How a served run stands: `serve.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    schema: String,
    /// The run, as workers name it.
    run: u64,
    /// The digest of the matrix.
    matrix: String,
    dimension: usize,
    /// Declared.
    liars: usize,
    /// What the code is verified for.
    radius: usize,
    /// Steps that were done when this was written; the decodes themselves say how many are.
    step: u64,
    /// The first step whose decode is not proved.
    unverified_from: Option<u64>,
    named: Vec<Named>,
}

/// What a run keeps.
struct Book {
    place: PathBuf,
    record: Record,
    log: DecodeLog,
    _lock: File,
}

impl Book {
    fn write(&self) -> Result<(), TrainError> {
        let text = serde_json::to_string_pretty(&self.record).unwrap_or_default() + "\n";
        let failed = |error| TrainError::Transport(format!("{}: {error}", self.place.display()));
        write_whole(&self.place, text.as_bytes()).map(|_| ()).map_err(failed)
    }
}

impl Keeper for &mut Book {
    fn state(&self) -> Option<Vec<u8>> {
        None
    }

    fn keep(&mut self, decode: &Decode, verified: bool) -> Result<(), TrainError> {
        let mut changed = false;
        if !verified && self.record.unverified_from.is_none() {
            (self.record.unverified_from, changed) = (Some(decode.step), true);
        }
        if let Some(account) = &decode.account
            && account.named.len() != self.record.named.len()
        {
            let named = account.named.iter().map(|&(worker, step)| Named { worker, step });
            (self.record.named, changed) = (named.collect(), true);
        }
        if changed {
            self.write()?;
        }
        let failed = |error| TrainError::Transport(format!("the decode cannot be kept: {error}"));
        self.log.append(decode, verified).map_err(failed)
    }

    fn accounts(&self) -> bool {
        true
    }
}

/// A server of votes that holds no model.
pub struct VoteServer {
    desk: Desk,
    engine: VoteEngine,
    book: Book,
    remarks: Vec<String>,
}

impl VoteServer {
    /// Serves in a folder: goes on with the run that it holds, or begins one. `matrix` is the matrix as a file, in JSON; what
    /// happens is told to `say`.
    ///
    /// # Errors
    /// [`FolderError`]: the code is not verified for so many liars, or the folder holds another run, is in use or broken.
    pub fn open(
        folder: &Path,
        code: &TrainingCode,
        terms: Terms,
        listen: &Listen,
        matrix: String,
        control: Control,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, FolderError> {
        // Workers send packed signs: one whose vote ties says one of the two.
        let proof = code.proof().map(ecode_verify::VerifiedCode::claim);
        let covers = |ties| matches!(ties, TieRule::Adversarial | TieRule::Zero);
        let radius = proof.filter(|claim| covers(claim.ties)).map(|claim| claim.b);
        let Some(radius) = radius.filter(|&radius| terms.liars <= radius && terms.dimension > 0) else {
            let why = match radius {
                None => "only a verified code is served".to_owned(),
                Some(radius) => {
                    format!("{} liars are declared, the code is verified for {radius}", terms.liars)
                }
            };
            return Err(TrainError::Transport(why).into());
        };
        let record = Record {
            schema: SCHEMA.to_owned(),
            run: random()?,
            matrix: code.matrix().digest(),
            dimension: terms.dimension,
            liars: terms.liars,
            radius,
            step: 0,
            unverified_from: None,
            named: Vec::new(),
        };
        let (book, back, remarks) = open_book(folder, record, terms, listen.block_bytes)?;
        let g = code.matrix();
        let engine = VoteEngine::new(g, TieRule::Zero);
        let config_text =
            format!("dimension = {}\nliars = {}\nradius = {radius}\n", terms.dimension, terms.liars);
        let rules = Rules::new(g.n(), radius, terms.liars)
            .map_err(|error| TrainError::Transport(error.to_string()))?;
        let settings = Settings {
            listen: listen.address,
            rules: Rules {
                window: WINDOW,
                wait: listen.wait,
                patience: listen.patience,
                on_excess: if terms.go_on { OnExcess::Warn } else { OnExcess::Stop },
                quarantine: listen.quarantine,
                ..rules
            },
            dimension: terms.dimension,
            block_bytes: listen.block_bytes,
            step: back.step,
            run: book.record.run,
            // What it told before it was started anew is what it tells now.
            incarnation: book.record.run,
            offer: Offer {
                version: format!("ecode {}", env!("CARGO_PKG_VERSION")),
                matrix: g.digest(),
                config: sha256(config_text.as_bytes()),
                config_text,
                matrix_text: matrix,
                ..Offer::default()
            },
            most_losses: g.worker_loads().into_iter().max().unwrap_or(0),
            can_be_silent: vec![false; g.n()],
            partitions: None,
        };
        let mut desk = Desk::open(settings, Some(back.past), listen, control, say)?;
        desk.remember(&book.record.named);
        // Only now is it a run that others have to go on with.
        book.write()?;
        Ok(Self { desk, engine, book, remarks })
    }

    /// What is to be said of the folder.
    pub fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Steps that are done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.book.record.step
    }

    /// The first step whose decode is not proved.
    #[must_use]
    pub fn unverified_from(&self) -> Option<u64> {
        self.book.record.unverified_from
    }

    /// Who was proved to lie or to compute wrong.
    #[must_use]
    pub fn named(&self) -> &[Named] {
        &self.book.record.named
    }

    /// How the run stands, as one JSON document: that of `serve.json`, with the workers' agreement since this server was
    /// started.
    #[must_use]
    pub fn summary(&self) -> serde_json::Value {
        let agreements: &[Agreement] = self.desk.agreements();
        let loads: Vec<usize> = self.engine.rows().iter().map(Vec::len).collect();
        let mut summary = serde_json::to_value(&self.book.record).unwrap_or_default();
        summary["agreement"] = serde_json::to_value(agreements).unwrap_or_default();
        summary["unusual"] = unusual(&loads, agreements).into();
        summary
    }

    /// Decides one step.
    ///
    /// # Errors
    /// [`TrainError::Interrupted`], [`TrainError::Excess`] where more votes are missing than the proof allows,
    /// [`TrainError::Transport`] where a decode cannot be written: it was not told then.
    pub fn advance(&mut self) -> Result<(), TrainError> {
        let at = (self.book.record.step, self.book.record.dimension);
        self.desk.decide(&self.engine, at, &mut self.book)?;
        self.book.record.step += 1;
        Ok(())
    }

    /// Writes how the run stands; where all is done, tells the workers. Those that are not there have
    /// half a minute to come for the last decodes.
    ///
    /// # Errors
    /// [`TrainError::Transport`]: it cannot be written.
    pub fn close(&mut self, done: bool) -> Result<(), TrainError> {
        self.book.write()?;
        if done {
            self.desk.linger(LINGER)?;
            self.desk.finish();
        }
        Ok(())
    }
}

/// The run of a folder, or the one that begins there.
fn open_book(
    folder: &Path,
    mut record: Record,
    terms: Terms,
    block_bytes: usize,
) -> Result<(Book, ReadBack, Vec<String>), FolderError> {
    let io = |place: &Path| {
        let place = place.to_owned();
        move |error| FolderError::Io { place, error }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let held = lock::take(folder)?;
    let place = folder.join(RECORD);
    let mut remarks = Vec::new();
    let old = match std::fs::read_to_string(&place) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(io(&place)(error)),
    };
    if let Some(text) = &old {
        let found: Record = serde_json::from_str(text)
            .map_err(|error| FolderError::Broken { place: place.clone(), what: error.to_string() })?;
        let same = [
            ("schema", found.schema == record.schema),
            ("matrix", found.matrix == record.matrix),
            ("dimension", found.dimension == record.dimension),
            ("number of declared liars", found.liars == record.liars),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            let what = format!("it holds a run with another {what}; another folder begins another run");
            return Err(FolderError::Broken { place, what });
        }
        record = found;
    }
    let blocks = terms.dimension.div_ceil(8 * block_bytes);
    let (log, back) = DecodeLog::open(&folder.join("decodes"), blocks, terms.keep)?;
    if old.is_none() && back.step > 0 {
        return Err(FolderError::Broken { place, what: "there are decodes, but not this file".into() });
    }
    if old.is_some() {
        remarks.push(format!("goes on at step {} with the run in {}", back.step, folder.display()));
    }
    if back.dropped > 0 {
        remarks.push(format!("{} bytes of a step that was not whole were dropped", back.dropped));
    }
    record.step = back.step;
    Ok((Book { place, record, log, _lock: held }, back, remarks))
}

fn random() -> Result<u64, TrainError> {
    let number = getrandom::u64().map_err(|error| TrainError::Transport(error.to_string()))?;
    // 0 is said by workers that have not begun.
    Ok(number.max(1))
}
