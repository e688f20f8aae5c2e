//! Codes that are listed row by row: found by search, kept in the program or in a catalogue of one's own.

use super::block::{Block, Placement};
use super::construction::{CATALOGUE, Construction, LIARS, PARTITIONS, WORKERS};
use super::error::refuse;
use super::known::{KnownCode, Provenance};
use super::parameter::{Domain, Fallback, Parameter};

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "listed",
    summary: "A code that a search found, from the program's list or your own",
    source: "docs/codes.md",
    parameters: &[
        WORKERS,
        LIARS,
        PARTITIONS,
        Parameter::new("digest", Domain::Text, "how the code's digest begins")
            .or(Fallback::Derived("the code with the fewest ones")),
        CATALOGUE,
    ],
    example: "n=15,b=3",
    build: |arguments, _, blocks| {
        let (n, k, b) = (arguments.needed("n")?, arguments.partitions()?, arguments.needed("b")?);
        let digest = arguments.text("digest").unwrap_or_default();
        let found = listed_codes(n, k, b, blocks)
            .filter(|code| code.matrix.digest().starts_with(&digest))
            .min_by_key(|code| code.matrix.ones());
        match found {
            Some(code) => {
                let made = code.to_json();
                Ok((code.matrix, made))
            }
            None => refuse(format!(
                "no such code of n = {n} workers and k = {k} partitions for b = {b} is listed; 'best' knows others"
            )),
        }
    },
};

/// The codes of these sizes that the blocks list.
pub(super) fn listed_codes(
    n: usize,
    k: usize,
    b: usize,
    blocks: &[Block],
) -> impl Iterator<Item = KnownCode> + '_ {
    let sizes = move |block: &&Block| {
        block.placement == Placement::Code && (block.workers, block.points, block.b) == (n, k, b)
    };
    blocks.iter().filter(sizes).filter_map(move |block| {
        Some(KnownCode { matrix: block.code().ok()?, b, provenance: Provenance::Listed(block.found.clone()) })
    })
}
