//! The list of engines.

use super::branch::Branch;
use super::definition::Definition;
use super::engine::Engine;
use super::exhaustive::Exhaustive;
#[cfg(feature = "cadical")]
use super::sat::Library;
#[cfg(feature = "sat")]
use super::sat::Sat;
use super::structure::Structure;
use super::symmetry::Symmetry;

/// Every engine, in the order in which `--method all` runs them.
#[must_use]
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(Definition),
        Box::new(Exhaustive),
        Box::new(Branch),
        Box::new(Structure::default()),
        Box::new(Symmetry),
        #[cfg(feature = "sat")]
        Box::new(Sat::default()),
        #[cfg(feature = "cadical")]
        Box::new(Sat { library: Library::Cadical, ..Sat::default() }),
    ]
}
