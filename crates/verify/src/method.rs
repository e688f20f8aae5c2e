//! Which engine answers: the names that `--method` takes.

use std::fmt;
use std::str::FromStr;

use super::engine::Engine;
use super::engines::engines;

/// Which engine answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whatever is expected to be fastest ([`verify`](super::verify)).
    #[default]
    Auto,
    /// Every engine that takes the matrix; they must agree.
    All,
    /// [`Definition`](super::Definition).
    Definition,
    /// [`Exhaustive`](super::Exhaustive).
    Exhaustive,
    /// [`Branch`](super::Branch).
    Branch,
    /// [`Structure`](super::Structure).
    Structure,
    /// [`Symmetry`](super::Symmetry).
    Symmetry,
    /// `Sat` with varisat, of the feature `sat`.
    Sat,
    /// `Sat` with CaDiCaL, of the feature `cadical`.
    Cadical,
}

/// A name that is no method's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method '{0}': expected {names}", names = Method::built().map(Method::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownMethod(String);

impl Method {
    /// Every method, those of features that were not built included.
    pub const EVERY: [Self; 9] = [
        Self::Auto,
        Self::All,
        Self::Definition,
        Self::Exhaustive,
        Self::Branch,
        Self::Structure,
        Self::Symmetry,
        Self::Sat,
        Self::Cadical,
    ];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::All => "all",
            Self::Definition => "definition",
            Self::Exhaustive => "exhaustive",
            Self::Branch => "branch",
            Self::Structure => "structure",
            Self::Symmetry => "symmetry",
            Self::Sat => "sat",
            Self::Cadical => "cadical",
        }
    }

    /// The methods of this build.
    pub fn built() -> impl Iterator<Item = Self> {
        let built = |method: &Self| matches!(method, Self::Auto | Self::All) || method.engine().is_some();
        Self::EVERY.into_iter().filter(built)
    }

    /// The engine of this name; `None` for `auto`, `all` and what was not built.
    #[must_use]
    pub fn engine(self) -> Option<Box<dyn Engine>> {
        engines().into_iter().find(|engine| engine.name() == self.name())
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Self::built().find(|method| method.name() == name).ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_a_method_of_its_name_and_no_other_name_is_taken() {
        for engine in engines() {
            let method = engine.name().parse();
            assert_eq!(method.as_ref().map(|method: &Method| method.name()), Ok(engine.name()));
        }
        for method in Method::built() {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        let error = "guess".parse::<Method>().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| {
            error.starts_with("unknown method 'guess': expected auto, all, definition, exhaustive, branch")
        }));
    }
}
