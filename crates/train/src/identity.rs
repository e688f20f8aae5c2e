//! What a run was made from, so that a run that goes on can be compared with the one that began.

use sha2::{Digest as _, Sha256};

use super::data::{Data, Features, Samples};
use ecode_core::digest::hexadecimal;

/// SHA-256 of samples as they are held.
pub(super) fn samples_digest(samples: &Samples) -> String {
    let mut digest = Sha256::new();
    match &samples.features {
        Features::Dense { width, values } => {
            digest.update((*width as u64).to_le_bytes());
            values.chunks(4096).for_each(|part| {
                digest.update(part.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
            });
        }
        Features::Images { shape, pixels } => {
            digest.update(format!("{shape:?}"));
            digest.update(pixels);
        }
        Features::OneHot { width, active, indices } => {
            digest.update((*width as u64).to_le_bytes());
            digest.update((*active as u64).to_le_bytes());
            indices.chunks(4096).for_each(|part| {
                digest.update(part.iter().flat_map(|index| index.to_le_bytes()).collect::<Vec<u8>>());
            });
        }
    }
    digest.update(samples.labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<u8>>());
    format!("sha256:{}", hexadecimal(&digest.finalize()))
}

/// SHA-256 of the training and the test samples, and of those held out where there are some, in a word.
pub(super) fn data_digest(data: &Data, validation: Option<&Samples>) -> String {
    let held_out = validation.map_or(String::new(), |samples| format!(" {}", samples_digest(samples)));
    format!("{} {} {}{held_out}", data.classes, samples_digest(&data.train), samples_digest(&data.test))
}
