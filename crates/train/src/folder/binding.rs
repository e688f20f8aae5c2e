//! What a run was begun with, in `run.json`: the run goes on with exactly that, or not at all.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::FolderError;
use super::summary::{Program, SCHEMA};
use crate::config::Config;
use crate::trainer::Trainer;
use ecode_core::digest::hexadecimal;

/// What a run was begun with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Binding {
    schema: String,
    /// The program that began it.
    pub(super) program: Program,
    /// The digest of the matrix.
    matrix: String,
    /// The digest of the matrix whose votes are taken where the scheme cannot go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fallback: Option<String>,
    /// The digests of the samples.
    data: String,
    /// The configuration as it was said, in TOML.
    config: String,
    /// The configuration with the number of liars filled in.
    pub(super) settled: Config,
}

impl Binding {
    /// What a trainer at its start begins with; `said` is the configuration as its folder holds it.
    pub(super) fn of(trainer: &Trainer, requested: &Config, program: &Program) -> Self {
        let Config { code: at, data, on_excess, .. } = requested.clone();
        Self {
            schema: SCHEMA.to_owned(),
            program: program.clone(),
            matrix: trainer.code().matrix().digest(),
            fallback: trainer.fallback().map(|code| code.matrix().digest()),
            data: trainer.data_identity(),
            config: requested.to_toml(),
            settled: Config { code: at, data, on_excess, ..trainer.config().clone() },
        }
    }

    /// The digest that a checkpoint carries: of the configuration, the matrix and the samples.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.config, &self.matrix, &self.data] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        hexadecimal(&digest.finalize())
    }

    /// Refuses what differs from the beginning, by name.
    pub(super) fn compare(
        &self,
        folder: &Path,
        trainer: &Trainer,
        requested: &Config,
    ) -> Result<(), FolderError> {
        let differs = |what: String| Err(FolderError::Differs { folder: folder.to_owned(), what });
        let broken = |what: String| FolderError::Broken { place: folder.join(super::BINDING), what };
        let began = Config::from_toml(&self.config).map_err(|error| broken(error.0))?;
        // Where the data lie may change, what they are may not.
        let moved = Config { data: began.data.clone(), code: began.code.clone(), ..requested.clone() };
        if let Some((name, before, now)) = began.differences(&moved).into_iter().next() {
            return differs(format!("{name} was {before}, and is {now} in config.toml"));
        }
        let matrix = trainer.code().matrix().digest();
        if matrix != self.matrix {
            return differs(format!("the matrix was {}, and is {matrix} in matrix.json", self.matrix));
        }
        let fallback = trainer.fallback().map(|code| code.matrix().digest());
        if fallback != self.fallback {
            return differs("the matrix of fallback.json is another one now".to_owned());
        }
        if trainer.data_identity() != self.data {
            return differs(format!("the samples of {} are others now", requested.data));
        }
        Ok(())
    }
}
