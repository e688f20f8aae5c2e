//! One run of an outside solver.
//!
//! # What is promised
//! When [`SolverCommand::run`] returns, by whatever way, the solver and all that it started in its process group have
//! ended. What is read of it is bounded, and only regular files are read. The folder that it works in is gone; where
//! this program was killed, the next run removes it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::command::SolverCommand;
use crate::group::{Group, read_bounded};
use crate::prove::MOST_BYTES;
use ecode_core::Clauses;
use ecode_format::folder_beside;
use ecode_verify::Control;

/// The most that a solver may print.
const MOST_OUTPUT: u64 = 64 << 20;
/// How often a running solver is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// What a solver left behind.
pub(super) struct Run {
    /// Its status line.
    pub(super) answer: Option<String>,
    /// The variables that it makes true, by number.
    pub(super) values: Vec<bool>,
    /// The DRAT proof, text or binary, or why there is none.
    pub(super) proof: Result<Vec<u8>, String>,
    /// How it ended, in words.
    pub(super) ended: String,
}

impl SolverCommand {
    pub(super) fn run(&self, clauses: &Clauses, control: &Control) -> Result<Run, String> {
        let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        let place = std::env::temp_dir().join("solver");
        let (folder, _held) = folder_beside(&place).map_err(failed("no temporary folder"))?;
        let at = |name: &str| folder.path().join(name);
        let (cnf, proof, output) = (at("formula.cnf"), at("proof.drat"), at("output"));
        std::fs::write(&cnf, clauses.dimacs()).map_err(failed("cannot write the formula"))?;
        let named = |word: &String| {
            word.replace("{cnf}", &cnf.to_string_lossy()).replace("{proof}", &proof.to_string_lossy())
        };
        let stdout = File::create(&output).map_err(failed("cannot write the solver's output"))?;
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(named));
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null());
        let mut group = Group::start(&mut command).map_err(failed("the solver cannot be started"))?;
        let too_long = |path: &Path, most: u64| path.metadata().is_ok_and(|file| file.len() > most);
        let ended = loop {
            match group.has_ended() {
                Ok(true) => break None,
                Ok(false) if control.stopped() => break Some("stopped".to_owned()),
                Ok(false) if too_long(&proof, MOST_BYTES as u64) => {
                    // The words of `read_bounded`: who is quicker makes no difference to a reader.
                    break Some(format!("its proof has more than {} MiB", MOST_BYTES >> 20));
                }
                Ok(false) if too_long(&output, MOST_OUTPUT) => break Some("it prints too much".to_owned()),
                Ok(false) => std::thread::sleep(GLANCE),
                Err(error) => break Some(error.to_string()),
            }
        };
        // Nobody writes any more when the files are read.
        let status = group.end().map_or_else(|error| error.to_string(), |status| status.to_string());
        let ended = ended.unwrap_or(status);
        let text = read_bounded(&output, MOST_OUTPUT).map_err(|why| format!("the solver's output {why}"))?;
        let text = String::from_utf8_lossy(&text);
        let answer = text.lines().map(str::trim_end).find(|line| line.starts_with("s ")).map(str::to_owned);
        let mut values = vec![false; clauses.variables + 1];
        for word in text.lines().filter_map(|line| line.strip_prefix("v ")).flat_map(str::split_whitespace) {
            if let Ok(variable) = word.parse::<usize>()
                && let Some(value) = values.get_mut(variable)
            {
                *value = true;
            }
        }
        let proof = match proof.metadata() {
            Ok(_) => read_bounded(&proof, MOST_BYTES as u64).map_err(|why| format!("its proof {why}")),
            Err(_) => Err("wrote no proof".to_owned()),
        };
        Ok(Run { answer, values, proof, ended })
    }
}
