//! What a scheme keeps from step to step: what a checkpoint must hold.

use ecode_server::reactive::{Digest, Doubt, Evidence, Header, Record};
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::journal::{Naming, hexadecimal};
use super::plan::Plan;

/// What tells a run from all others, for the digests of its slots.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The digest of the matrix.
    pub matrix: &'a str,
    /// The configuration, in TOML.
    pub config: &'a str,
    /// The digest of the samples.
    pub data: &'a str,
    /// d.
    pub dimension: usize,
}

impl Identity<'_> {
    fn digest(&self) -> Digest {
        let mut hasher =
            blake3::Hasher::new_derive_key("ecode 1 run: matrix, configuration, data, dimension");
        for part in [self.matrix, self.config, self.data] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        *hasher.update(&(self.dimension as u64).to_le_bytes()).finalize().as_bytes()
    }
}

/// From when on a run takes the votes of a code, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FellBack {
    /// The first step that was decoded from votes, from 0.
    pub step: u64,
    /// What the scheme could not settle, in words.
    pub why: String,
    /// The code's name.
    pub code: String,
    /// The b that it is verified for.
    pub b: usize,
}

/// What a scheme keeps from step to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The digest of the run's identity.
    run: Digest,
    /// The digest of the state before the next step: that of the whole state at the start, chained over decodes.
    state: Digest,
    /// What is known of each worker.
    pub records: Vec<Record>,
    /// What it has cost so far.
    pub account: Account,
    /// With scheme `checked`: the largest chance, over the draws, that a lie stays unseen.
    pub unseen: f64,
    /// Whether the run takes votes by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back: Option<FellBack>,
}

impl Ledger {
    /// The ledger at the start of a run.
    #[must_use]
    pub fn new(plan: &Plan, identity: &Identity<'_>, parameters: &[f32], velocity: &[f32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ecode 1 state: parameters, velocity");
        for values in [parameters, velocity] {
            hasher.update(&(values.len() as u64).to_le_bytes());
            for part in values.chunks(4096) {
                let bytes: Vec<u8> = part.iter().flat_map(|value| value.to_le_bytes()).collect();
                hasher.update(&bytes);
            }
        }
        Self {
            run: identity.digest(),
            state: *hasher.finalize().as_bytes(),
            records: vec![Record::default(); plan.n],
            account: Account::default(),
            unseen: 0.0,
            fell_back: None,
        }
    }

    /// What messages about a step are headed by.
    #[must_use]
    pub fn header(&self, step: u64) -> Header {
        Header { run: self.run, step, state: self.state }
    }

    /// Goes on to the next step's state.
    pub fn advance(&mut self, step: u64, decode: &[u8]) {
        self.state = self.header(step).next(decode).state;
    }

    /// Takes a state's digest over from whoever knows it: with a state that was not computed here.
    #[cfg(feature = "grpc")]
    pub(crate) fn take_state(&mut self, state: Digest) {
        self.state = state;
    }

    /// Goes back to the state before a step, as its header has it. Records and accounts stay.
    pub fn rewind(&mut self, header: &Header) {
        self.state = header.state;
    }

    /// Names a worker by what a journal has kept.
    pub(crate) fn take(&mut self, naming: &Naming) {
        if naming.run != hexadecimal(&self.run) {
            return;
        }
        if let Some(record) = self.records.get_mut(naming.worker) {
            record.named.get_or_insert((naming.step, naming.evidence));
        }
    }

    /// The named workers, each with the step and the evidence.
    pub fn named(&self) -> impl Iterator<Item = (usize, u64, Evidence)> + '_ {
        let named = |(worker, record): (usize, &Record)| {
            record.named.map(|(step, evidence)| (worker, step, evidence))
        };
        self.records.iter().enumerate().filter_map(named)
    }

    /// The workers that are asked no more though nothing proves that they lied, each with the step and what speaks against it.
    pub fn dismissed(&self) -> impl Iterator<Item = (usize, u64, Doubt)> + '_ {
        let dismissed =
            |(worker, record): (usize, &Record)| record.dismissed.map(|(step, doubt)| (worker, step, doubt));
        self.records.iter().enumerate().filter_map(dismissed)
    }

    /// The workers that are suspended before a step.
    pub fn suspended(&self, step: u64) -> impl Iterator<Item = usize> + '_ {
        let suspended =
            move |(_, record): &(usize, &Record)| record.takes_part() && record.suspended_until > step;
        self.records.iter().enumerate().filter(suspended).map(|(worker, _)| worker)
    }
}
