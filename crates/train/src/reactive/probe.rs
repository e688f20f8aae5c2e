//! Whether gradients are reproducible: the digests of some sign vectors, to be compared between threads, orders, processes
//! and machines.
//!
//! # What is promised
//! The digests are a function of configuration and data wherever gradients are reproducible bit for bit. Equal digests prove
//! nothing for other inputs; different ones show that comparing digests would name innocent workers.

use std::sync::Mutex;

use ecode_server::reactive::{Digest, Header};

use crate::bits::Bits;
use crate::config::Config;
use crate::data::Data;
use crate::error::TrainError;
#[cfg(feature = "grpc")]
use crate::model::Learner;
use crate::model::{Job, learner};
use crate::random::{Purpose, permutation, stream};

/// In which order the partitions are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first to the last.
    Forwards,
    /// From the last to the first.
    Backwards,
}

/// Steps that are taken, so that gradients are not only those of the start, where sums can cancel exactly.
const STEPS: u64 = 4;

/// Partitions of a step.
const PARTITIONS: usize = 8;

/// The digests of the sign vectors of a few steps; the next step's parameters follow the first partition's signs.
///
/// # Errors
/// [`TrainError::Config`], [`TrainError::Model`].
pub fn probe(config: &Config, data: &Data, order: Order) -> Result<Vec<Digest>, TrainError> {
    let mut learner = learner(config.model, config.device, data)?;
    let mut parameters = learner.initial(config.seed);
    let samples = permutation(&mut stream(config.seed, Purpose::Order, 0, 0), data.train.len());
    let each = config.samples_per_partition().clamp(1, samples.len() / PARTITIONS);
    let mut digests = Vec::new();
    for step in 0..STEPS {
        let mut jobs: Vec<Job<'_>> = samples
            .chunks(each)
            .cycle()
            .skip(step as usize * PARTITIONS)
            .take(PARTITIONS)
            .map(|samples| Job { samples, crops: &[], flip_labels: false })
            .collect();
        if order == Order::Backwards {
            jobs.reverse();
        }
        let signs: Vec<Mutex<Bits>> = jobs.iter().map(|_| Mutex::default()).collect();
        learner.gradients(&parameters, &data.train, &jobs, &|place, gradient| {
            *signs[place].lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                Bits::pack_pieces(gradient, false);
        })?;
        let mut signs: Vec<Bits> = signs
            .into_iter()
            .map(|bits| bits.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
            .collect();
        if order == Order::Backwards {
            signs.reverse();
        }
        let header = Header { run: [0; 32], step, state: [0; 32] };
        digests.extend(signs.iter().enumerate().map(|(i, bits)| header.digest(i, &bits.to_bytes())));
        for (place, parameter) in parameters.iter_mut().enumerate() {
            *parameter -= if signs[0].get(place) { -1e-3 } else { 1e-3 };
        }
    }
    Ok(digests)
}

/// A digest of some gradients themselves, to be compared between machines: their signs can agree many times before a
/// coordinate is so near to zero that another order of sums turns it, while their bits differ at once.
///
/// # Errors
/// [`TrainError::Model`].
#[cfg(feature = "grpc")]
pub(crate) fn fingerprint(
    learner: &mut dyn Learner,
    config: &Config,
    data: &Data,
) -> Result<Digest, TrainError> {
    let parameters = learner.initial(config.seed);
    let samples = permutation(&mut stream(config.seed, Purpose::Order, 0, 0), data.train.len());
    let each = config.samples_per_partition().clamp(1, samples.len() / PARTITIONS);
    let job = |samples| Job { samples, crops: &[], flip_labels: false };
    let jobs: Vec<Job<'_>> = samples.chunks(each).take(PARTITIONS).map(job).collect();
    let digests: Vec<Mutex<Digest>> = jobs.iter().map(|_| Mutex::default()).collect();
    learner.gradients(&parameters, &data.train, &jobs, &|place, gradient| {
        let mut hasher = blake3::Hasher::new();
        for value in gradient.iter().flat_map(|piece| piece.iter()) {
            hasher.update(&value.to_bits().to_le_bytes());
        }
        *digests[place].lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            *hasher.finalize().as_bytes();
    })?;
    let mut hasher = blake3::Hasher::new_derive_key("ecode 1 probe: digests of gradients");
    for digest in digests {
        hasher.update(&digest.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
    Ok(*hasher.finalize().as_bytes())
}
