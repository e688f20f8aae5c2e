//! What describes a construction, and the parameters that several constructions have.

use ecode_core::{AllocationMatrix, MAX_SIZE, TieRule};
use serde_json::Value;

use super::arguments::Arguments;
use super::block::Block;
use super::error::ConstructError;
use super::parameter::{Domain, Fallback, Parameter};

/// Builds the matrix with its provenance: under this tie rule, where the construction depends on one, and with these
/// blocks, where it uses any.
pub(super) type Build =
    fn(&Arguments, TieRule, &[Block]) -> Result<(AllocationMatrix, Value), ConstructError>;

/// A way to make an allocation matrix: an entry of the registry.
#[derive(Debug)]
pub struct Construction {
    /// Its name.
    pub name: &'static str,
    /// What it makes, in half a sentence.
    pub summary: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Values for which it has a code, as after `--code`.
    pub example: &'static str,
    pub(super) build: Build,
}

impl Construction {
    /// The parameter of a name, if it has one.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

const SIZE: Domain = Domain::Whole { least: 1, most: MAX_SIZE as u64 };

/// The number of workers, a parameter of every construction.
pub(super) const WORKERS: Parameter = Parameter::new("n", SIZE, "number of workers");

/// The number of Byzantine workers that the code is made for.
pub(super) const LIARS: Parameter = Parameter::new(
    "b",
    Domain::Whole { least: 0, most: MAX_SIZE as u64 },
    "number of Byzantine workers to tolerate",
);

/// The number of Byzantine workers that the code is verified for; the matrix does not depend on it.
pub(super) const CLAIM: Parameter = LIARS.or(Fallback::Derived("what the code tolerates"));

/// How many workers hold each partition, of schemes that take a majority for each.
pub(super) const REPLICAS: Parameter =
    Parameter::new("replicas", SIZE, "number of workers that hold each partition").called("r");

/// The number of partitions.
pub(super) const PARTITIONS: Parameter = Parameter::new("k", SIZE, "number of data partitions")
    .or(Fallback::Derived("n; n − 1 where n is even and b ≥ 1"));

/// More blocks than the program's own.
pub(super) const CATALOGUE: Parameter = Parameter::new(
    "catalogue",
    Domain::BlockFile,
    "families of rows of your own, as 'ecode search --catalogue' keeps them",
)
.or(Fallback::Derived("the program's own only"));
