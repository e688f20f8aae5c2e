//! A checkpoint: the whole state of a run, in the safetensors format.
//!
//! # What is promised
//! A checkpoint is read back as it was written or not at all: it carries a checksum over everything that it holds,
//! and the digest of the run that it belongs to.

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::log::Mark;
use crate::blame::Named;
use crate::metrics::Best;
use crate::reactive::Ledger;
use crate::standing::{Excess, Lost};
use crate::state::{State, Totals};
use ecode_core::digest::hexadecimal;
use ecode_core::shown_sentence;

/// The name of this form of checkpoint, and of its description among the file's metadata.
const FORM: &str = "ecode/checkpoint/2";

/// The name of the checksum among the file's metadata.
const CHECKSUM: &str = "sha256";

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
struct About {
    /// The digest of the run that this belongs to.
    run: String,
    log: Mark,
    step: u64,
    totals: Totals,
    best: Option<Best>,
    excess: Option<Excess>,
    lost: Vec<Lost>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<Ledger>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    named: Vec<Named>,
}

/// A checkpoint as it was read.
pub(super) struct Saved {
    pub(super) state: State,
    /// The digest of the run that it belongs to.
    pub(super) run: String,
    /// What the log was then.
    pub(super) log: Mark,
}

/// The bytes of a checkpoint.
pub(super) fn write(state: &State, run: &str, log: &Mark) -> Result<Vec<u8>, String> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors = vec![
        ("parameters".to_owned(), bytes(&state.parameters)),
        ("velocity".to_owned(), bytes(&state.velocity)),
    ];
    for (i, momentum) in state.momentum.iter().enumerate() {
        tensors.push((format!("momentum.{i}"), bytes(momentum)));
    }
    if !state.joined.is_empty() {
        tensors.push(("joined".to_owned(), bytes(&state.joined)));
    }
    for (name, values) in &state.model {
        tensors.push((format!("model.{name}"), bytes(values)));
    }
    let State { step, totals, best, excess, lost, ledger, named, .. } = state.clone();
    let about =
        About { run: run.to_owned(), log: log.clone(), step, totals, best, excess, lost, ledger, named };
    let about = serde_json::to_string(&about).map_err(|error| error.to_string())?;
    let checksum = checksum(&about, tensors.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    let metadata = HashMap::from([(FORM.to_owned(), about), (CHECKSUM.to_owned(), checksum)]);
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, bytes)| {
            TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map(|view| (name.as_str(), view))
        })
        .collect();
    views.and_then(|views| safetensors::serialize(views, Some(metadata))).map_err(|error| error.to_string())
}

/// Reads a checkpoint, or says why it is none.
pub(super) fn read(bytes: &[u8]) -> Result<Saved, String> {
    let text = |error: safetensors::SafeTensorError| error.to_string();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let metadata = header.metadata().as_ref();
    let described = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let about = described(FORM).ok_or_else(|| format!("it has no description of the form {FORM}"))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
    let mut all: Vec<(String, TensorView<'_>)> = tensors.tensors();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let sum = checksum(about, all.iter().map(|(name, view)| (name.as_str(), view.data())));
    if described(CHECKSUM) != Some(&sum) {
        return Err("its checksum is another: bytes of it were changed".to_owned());
    }
    let About { run, log, step, totals, best, excess, lost, ledger, named } =
        serde_json::from_str(about).map_err(|error| error.to_string())?;
    let numbers = |name: &str| -> Result<Vec<f32>, String> {
        let view = tensors.tensor(name).map_err(text)?;
        if view.dtype() != Dtype::F32 {
            return Err("it has other numbers than f32".to_owned());
        }
        Ok(view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    };
    let momentum = (0..)
        .map(|i| format!("momentum.{i}"))
        .take_while(|name| tensors.tensor(name).is_ok())
        .map(|name| numbers(&name))
        .collect::<Result<_, _>>()?;
    let model = all
        .iter()
        .filter_map(|(name, _)| name.strip_prefix("model.").map(|short| (short, name)))
        .map(|(short, name)| Ok((short.to_owned(), numbers(name)?)))
        .collect::<Result<_, String>>()?;
    let (parameters, velocity) = (numbers("parameters")?, numbers("velocity")?);
    let joined = if tensors.tensor("joined").is_ok() { numbers("joined")? } else { Vec::new() };
    let state = State {
        step,
        parameters,
        velocity,
        momentum,
        joined,
        model,
        totals,
        best,
        excess,
        lost,
        ledger,
        named,
    };
    Ok(Saved { state, run, log })
}

/// Why a file is no checkpoint, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint: {}", shown_sentence(.0))]
pub struct NoCheckpoint(String);

impl State {
    /// The state that a checkpoint holds, from the bytes of the file.
    ///
    /// # Errors
    /// [`NoCheckpoint`] with the reason.
    pub fn of_checkpoint(bytes: &[u8]) -> Result<Self, NoCheckpoint> {
        read(bytes).map(|saved| saved.state).map_err(NoCheckpoint)
    }
}

/// SHA-256 of a description and of all tensors with their names, in the order of the names.
fn checksum<'a>(about: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut tensors: Vec<(&str, &[u8])> = tensors.collect();
    tensors.sort_unstable_by_key(|tensor| tensor.0);
    let mut digest = Sha256::new();
    digest.update((about.len() as u64).to_le_bytes());
    digest.update(about);
    for (name, bytes) in tensors {
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    hexadecimal(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            step: 7,
            parameters: vec![1.0, -2.5],
            velocity: vec![0.0, f32::NAN],
            momentum: vec![vec![3.0], vec![4.0]],
            joined: vec![6.0, 7.0],
            model: vec![("mean".into(), vec![5.0])],
            totals: Totals { wrong: 3, ..Totals::default() },
            best: Some(Best { step: 2, test_accuracy: 0.5, test_auc: None }),
            excess: Some(Excess { step: 1, why: "why".into() }),
            lost: vec![Lost { worker: 1, step: 4 }],
            ledger: None,
            named: vec![Named { worker: 2, step: 5 }],
        }
    }

    /// Everything in bits, since NaN is not NaN.
    fn shown(state: &State) -> String {
        format!("{state:?} {:?}", state.velocity.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
    }

    /// Every single flipped bit is noticed, or changes nothing that is read.
    #[test]
    fn a_flipped_bit_is_noticed() -> Result<(), String> {
        let mark = Mark { lines: 3, sha256: "digest".into() };
        let whole = write(&state(), "run", &mark)?;
        let read_back = read(&whole)?;
        assert_eq!(shown(&read_back.state), shown(&state()));
        assert_eq!((read_back.run.as_str(), &read_back.log), ("run", &mark));
        let mut noticed = 0;
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << bit;
                match read(&flipped) {
                    Err(_) => noticed += 1,
                    Ok(saved) => {
                        assert_eq!(shown(&saved.state), shown(&state()), "byte {place}, bit {bit}");
                        assert_eq!((saved.run.as_str(), &saved.log), ("run", &mark));
                    }
                }
            }
        }
        assert!(noticed > 7 * whole.len(), "{noticed} of {}", 8 * whole.len());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "cut to {length}");
        }
        Ok(())
    }
}
