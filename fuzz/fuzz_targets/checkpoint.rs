//! Whatever bytes arrive: an error of one line, or the state of a run. The checksum stops nearly all that a fuzzer
//! changes, so its input is also read with the right one: a line of description, then the numbers of each tensor.
#![no_main]

use std::collections::HashMap;

use ecode::code::digest::hexadecimal;
use ecode::train::State;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest as _, Sha256};

/// As [`State::of_checkpoint`] promises.
fn read(bytes: &[u8]) {
    if let Err(error) = State::of_checkpoint(bytes) {
        assert!(!error.to_string().contains('\n'), "more than one line: {error:?}");
    }
}

/// A file with this description and these tensors, and the checksum that belongs to them.
fn sealed(about: &str, tensors: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let mut digest = Sha256::new();
    digest.update((about.len() as u64).to_le_bytes());
    digest.update(about);
    for (name, bytes) in tensors {
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    let checksum = hexadecimal(&digest.finalize());
    let metadata = [("ecode/checkpoint/2", about), ("sha256", &checksum)];
    let metadata = metadata.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, bytes)| TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map(|view| (*name, view)))
        .collect();
    safetensors::serialize(views.ok()?, Some(HashMap::from(metadata))).ok()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (about, numbers) = bytes.split_at(end);
    let Ok(about) = std::str::from_utf8(about) else { return };
    let numbers = numbers.get(1..).unwrap_or_default();
    let of = |from: usize| {
        let rest = numbers.get(from * numbers.len() / 4..).unwrap_or_default();
        &rest[..rest.len() / 8 * 4]
    };
    // In the order of the names, as the checksum takes them.
    let all = [("model.mean", of(0)), ("momentum.0", of(1)), ("parameters", of(2)), ("velocity", of(3))];
    for tensors in [&all[..], &all[2..], &all[1..]] {
        let file = sealed(about, tensors).expect("tensors of f32");
        read(&file);
    }
});
