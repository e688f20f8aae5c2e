//! Mutually orthogonal Latin squares: two workers never share more than one file.

use serde_json::json;

use super::construction::{CLAIM, Construction, REPLICAS, WORKERS};
use super::error::{ConstructError, refuse};
use super::field::Field;
use super::parameter::{Domain, Fallback, Parameter};
use ecode_core::AllocationMatrix;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "mols",
    summary: "Each worker holds the cells of one symbol of a Latin square; r orthogonal squares of order l",
    source: "Konstantinidis and Ramamoorthy, MLSys 2021 (ByzShield)",
    parameters: &[
        WORKERS.or(Fallback::Derived("l·r")),
        CLAIM,
        Parameter::new("order", Domain::Whole { least: 2, most: 64 }, "order of the Latin squares, l")
            .called("l"),
        REPLICAS,
    ],
    example: "n=15,b=0,l=5,r=3",
    build: |arguments, _, _| {
        let (l, r) = (arguments.needed("order")?, arguments.needed("replicas")?);
        let matrix = mols(l, r)?;
        arguments.agrees("n", matrix.n())?;
        let made =
            arguments.provenance(&[("n", json!(matrix.n())), ("order", json!(l)), ("replicas", json!(r))]);
        Ok((matrix, made))
    },
};

/// l·r workers, l² files, each worker with l of them and each file with r workers. Worker s·l + a holds the file
/// (i, j), number i·l + j, where the square number s has the symbol a: α_s·i + j = a in the field of l elements,
/// α_s its element number s + 1; of r = l squares the last has α = 0, and is no Latin
/// square, but orthogonal to all others. Two workers share one file where their squares differ, else none.
///
/// # Errors
/// When l is no power of a prime, or r is not in 1..=l.
///
/// # References
/// - K. Konstantinidis and A. Ramamoorthy: ByzShield: an efficient and robust system for distributed training.
///   MLSys 2021. The squares are those of R. C. Bose, Sankhyā 3, 1938.
pub fn mols(l: usize, r: usize) -> Result<AllocationMatrix, ConstructError> {
    let Some(field) = (2..=64).contains(&l).then(|| Field::new(l)).flatten() else {
        return refuse(format!("mols needs an order l that is a power of a prime, 2 to 64, but l = {l}"));
    };
    if !(1..=l).contains(&r) {
        return refuse(format!("mols has l = {l} orthogonal squares of order {l}, but r = {r}"));
    }
    let symbol = |s: usize, i: usize, j: usize| field.plus(field.times((s + 1) % l, i), j);
    Ok(AllocationMatrix::from_fn(l * r, l * l, |worker, file| {
        symbol(worker / l, file / l, file % l) == worker % l
    })?)
}
