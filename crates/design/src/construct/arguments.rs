//! The values that a construction's parameters were given.
//!
//! # What is promised
//! Every value belongs to a parameter of the construction and lies in its domain.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::demand::default_partitions;
use super::error::{ConstructError, refuse};
use super::parameter::{Argument, Fallback, Parameter};

/// Values for the parameters of a construction; some may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    construction: &'static str,
    parameters: &'static [Parameter],
    given: BTreeMap<&'static str, Argument>,
}

impl Arguments {
    /// No values yet, for a construction of this name and with these parameters.
    pub(super) fn new(construction: &'static str, parameters: &'static [Parameter]) -> Self {
        Self { construction, parameters, given: BTreeMap::new() }
    }

    fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Gives a parameter the value that a text says.
    ///
    /// # Errors
    /// When the construction has no such parameter, it has a value already, or the text is none of its values.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ConstructError> {
        let named = |parameter: &&Parameter| parameter.name == key || parameter.short == Some(key);
        let Some(parameter) = self.parameters.iter().find(named) else {
            let names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
            return refuse(format!("{} has no '{key}'; it takes {}", self.construction, names.join(", ")));
        };
        if self.given.insert(parameter.name, parameter.parse(text)?).is_some() {
            return refuse(format!("{} is given twice", parameter.name));
        }
        Ok(())
    }

    /// Gives a parameter another value, whether it has one or not.
    ///
    /// # Errors
    /// Those of [`Self::set`], but for a value that is there.
    pub fn replace(&mut self, key: &str, text: &str) -> Result<(), ConstructError> {
        self.given.retain(|name, _| *name != key);
        self.set(key, text)
    }

    /// The value of a parameter: the given one, or the fixed one that holds where none is given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Argument> {
        let parameter = self.parameter(name)?;
        match (self.given.get(name), parameter.fallback) {
            (Some(given), _) => Some(given.clone()),
            (None, Fallback::Value(text)) => parameter.parse(text).ok(),
            _ => None,
        }
    }

    /// A whole number that may be missing.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<usize> {
        match self.get(name)? {
            Argument::Whole(number) => usize::try_from(number).ok(),
            _ => None,
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is not given.
    pub fn needed(&self, name: &str) -> Result<usize, ConstructError> {
        self.whole(name).map_or_else(
            || {
                let help = self.parameter(name).map_or("", |parameter| parameter.help);
                refuse(format!("{} needs {name}, the {help}", self.construction))
            },
            Ok,
        )
    }

    /// Whether a number that need not be given is the one that follows from the others.
    ///
    /// # Errors
    /// When another one is given.
    pub(super) fn agrees(&self, name: &str, derived: usize) -> Result<(), ConstructError> {
        match self.whole(name) {
            Some(given) if given != derived => {
                refuse(format!("{name} = {given}, but the other parameters make it {derived}"))
            }
            _ => Ok(()),
        }
    }

    /// A random seed or a number of a draw; 0 where none is given.
    #[must_use]
    pub fn seed(&self, name: &str) -> u64 {
        match self.get(name) {
            Some(Argument::Whole(number)) => number,
            _ => 0,
        }
    }

    /// A number that may be missing.
    #[must_use]
    pub fn real(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Argument::Real(number) => Some(number),
            _ => None,
        }
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn switch(&self, name: &str) -> bool {
        self.get(name) == Some(Argument::Switch(true))
    }

    /// A text that may be missing.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Argument::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of partitions of a construction that takes one: as given, else [`default_partitions`].
    ///
    /// # Errors
    /// When n is not given.
    pub fn partitions(&self) -> Result<usize, ConstructError> {
        let n = self.needed("n")?;
        Ok(self.whole("k").unwrap_or_else(|| default_partitions(n, self.whole("b").unwrap_or(0))))
    }

    /// The even n whose number of partitions is n − 1 because no other was given; none where it is otherwise.
    #[must_use]
    pub fn reduced_from(&self) -> Option<usize> {
        self.parameter("k")?;
        let n = self.whole("n")?;
        (self.whole("k").is_none() && self.partitions().ok()? != n).then_some(n)
    }

    /// The construction's name and these values, as a matrix file says them under `construction`.
    pub(super) fn provenance(&self, values: &[(&str, Value)]) -> Value {
        let mut made = Map::new();
        made.insert("name".to_owned(), json!(self.construction));
        made.extend(values.iter().map(|(name, value)| (name.replace('-', "_"), value.clone())));
        Value::Object(made)
    }
}

/// `key=value,…`, in the order of the parameters.
impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self
            .parameters
            .iter()
            .filter_map(|parameter| Some(format!("{}={}", parameter.name, self.given.get(parameter.name)?)));
        write!(f, "{}", given.collect::<Vec<_>>().join(","))
    }
}
