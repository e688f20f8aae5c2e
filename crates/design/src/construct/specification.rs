//! A construction with values for its parameters: `NAME:key=value,…`, flags of a command, or the `construction` of a
//! matrix file.
//!
//! # What is promised
//! The provenance of a code that was built is a specification again, which builds the same matrix (from the same
//! blocks, where the construction uses any).

use std::fmt;
use std::str::FromStr;

use ecode_core::{AllocationMatrix, TieRule};
use serde_json::Value;

use super::arguments::Arguments;
use super::block::Block;
use super::construction;
use super::construction::Construction;
use super::error::{ConstructError, refuse};
use super::parameter::Domain;

/// A construction with values for its parameters.
///
/// ```
/// use ecode_core::TieRule;
/// use ecode_design::construct::{Specification, blocks};
/// let specification: Specification = "repetition:n=9,b=1,group=3".parse()?;
/// let code = specification.build(TieRule::Adversarial, blocks())?;
/// assert_eq!((code.matrix.ones(), code.b), (27, Some(1)));
/// assert_eq!(code.provenance.to_string(), r#"{"name":"repetition","n":9,"group":3}"#);
/// # Ok::<(), ecode_design::construct::ConstructError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Specification {
    /// The construction.
    pub construction: &'static Construction,
    /// The values.
    pub arguments: Arguments,
}

/// A matrix that was built, with what a file says of it.
#[derive(Clone, Debug)]
pub struct Built {
    /// The allocation matrix.
    pub matrix: AllocationMatrix,
    /// The number of Byzantine workers that the code is for, where the specification says one.
    pub b: Option<usize>,
    /// What a matrix file says under `construction`.
    pub provenance: Value,
}

impl Specification {
    /// A construction, no parameter given yet.
    #[must_use]
    pub fn new(construction: &'static Construction) -> Self {
        Self { construction, arguments: Arguments::new(construction.name, construction.parameters) }
    }

    /// Reads what a matrix file says under `construction`. What it says beside the parameters is left alone.
    ///
    /// # Errors
    /// When no construction has this name, or a parameter has a value that is none of its domain.
    pub fn from_json(provenance: &Value) -> Result<Self, ConstructError> {
        let Some(name) = provenance["name"].as_str() else {
            return refuse("a construction has a name");
        };
        let mut specification = Self::new(construction(name)?);
        for parameter in specification.construction.parameters {
            match &provenance[parameter.json_key()] {
                Value::Null => {}
                Value::String(text) => specification.arguments.set(parameter.name, text)?,
                value => specification.arguments.set(parameter.name, &value.to_string())?,
            }
        }
        Ok(specification)
    }

    /// The files of blocks that it names, to be read by who builds it.
    pub fn block_files(&self) -> impl Iterator<Item = String> + '_ {
        let parameters = self.construction.parameters.iter();
        let files = parameters.filter(|parameter| parameter.domain == Domain::BlockFile);
        files.filter_map(|parameter| self.arguments.text(parameter.name))
    }

    /// Builds the matrix: under this tie rule, where the construction depends on one, and with these blocks,
    /// where it uses any.
    ///
    /// # Errors
    /// When a parameter is missing, or the construction has no code for these.
    pub fn build(&self, ties: TieRule, blocks: &[Block]) -> Result<Built, ConstructError> {
        let (matrix, provenance) = (self.construction.build)(&self.arguments, ties, blocks)?;
        Ok(Built { matrix, b: self.arguments.whole("b"), provenance })
    }
}

/// Reads `NAME:key=value,…`.
impl FromStr for Specification {
    type Err = ConstructError;

    fn from_str(text: &str) -> Result<Self, ConstructError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut specification = Self::new(construction(name)?);
        for part in rest.split(',').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return refuse(format!("'{part}': expected key=value"));
            };
            specification.arguments.set(key, value)?;
        }
        Ok(specification)
    }
}

/// The text that [`Specification::from_str`] reads.
impl fmt::Display for Specification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.construction.name, self.arguments)
    }
}
