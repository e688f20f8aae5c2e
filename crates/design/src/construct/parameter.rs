//! The parameters of constructions: their types, ranges and defaults, and how a value is read from a text.
//!
//! # What is promised
//! A value that is read lies in the parameter's range, or the error names the parameter, the text and the range.

use std::fmt;

use serde_json::{Value, json};

use super::error::{ConstructError, refuse};

/// The values that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// A whole number from `least` to `most`.
    Whole {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A number above 0 and at most `most`.
    Positive {
        /// The largest.
        most: f64,
    },
    /// Yes or no. `true` and `1` are yes, `false` and `0` no.
    Switch,
    /// One of these words, each with its meaning.
    Word(&'static [(&'static str, &'static str)]),
    /// Any text.
    Text,
    /// The path of a file of blocks, which the caller of [`super::Specification`] reads.
    BlockFile,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Of [`Domain::Whole`].
    Whole(u64),
    /// Of [`Domain::Positive`].
    Real(f64),
    /// Of [`Domain::Switch`].
    Switch(bool),
    /// Of [`Domain::Word`], [`Domain::Text`] and [`Domain::BlockFile`].
    Text(String),
}

/// What holds where a parameter is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// It has to be given.
    Needed,
    /// This value, as a text of its domain.
    Value(&'static str),
    /// What the construction makes of the other parameters, in a few words.
    Derived(&'static str),
}

/// A parameter of a construction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name: the flag `--NAME`, the key `NAME=` of a specification; in JSON with `_` for `-`.
    pub name: &'static str,
    /// A second, shorter key of specifications.
    pub short: Option<&'static str>,
    /// Its values.
    pub domain: Domain,
    /// What holds where it is not given.
    pub fallback: Fallback,
    /// What it says, in half a sentence.
    pub help: &'static str,
}

impl Parameter {
    /// A parameter that has to be given, and has no second key.
    #[must_use]
    pub const fn new(name: &'static str, domain: Domain, help: &'static str) -> Self {
        Self { name, short: None, domain, fallback: Fallback::Needed, help }
    }

    /// The same with what holds where it is not given.
    #[must_use]
    pub const fn or(self, fallback: Fallback) -> Self {
        Self { fallback, ..self }
    }

    /// The same with a second, shorter key.
    #[must_use]
    pub const fn called(self, short: &'static str) -> Self {
        Self { short: Some(short), ..self }
    }

    /// The key in JSON documents.
    #[must_use]
    pub fn json_key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Reads a value.
    ///
    /// # Errors
    /// When the text is no value of the parameter's domain.
    pub fn parse(&self, text: &str) -> Result<Argument, ConstructError> {
        let value = match self.domain {
            Domain::Whole { least, most } => {
                text.parse().ok().filter(|number| (least..=most).contains(number)).map(Argument::Whole)
            }
            Domain::Positive { most } => {
                text.parse().ok().filter(|&number: &f64| number > 0.0 && number <= most).map(Argument::Real)
            }
            Domain::Switch => match text {
                "true" | "1" => Some(Argument::Switch(true)),
                "false" | "0" => Some(Argument::Switch(false)),
                _ => None,
            },
            Domain::Word(words) => words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(word, _)| Argument::Text((*word).to_owned())),
            Domain::Text | Domain::BlockFile => {
                Some(text).filter(|text| !text.is_empty()).map(|text| Argument::Text(text.to_owned()))
            }
        };
        value.map_or_else(
            || {
                // A text of any length stays one short line.
                let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
                refuse(format!("{} = {shown}: expected {}", self.name, self.domain))
            },
            Ok,
        )
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { least, most: u64::MAX } => write!(f, "a whole number from {least} on"),
            Self::Whole { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Positive { most } => write!(f, "a number above 0 and at most {most}"),
            Self::Switch => write!(f, "true or false"),
            Self::Word(words) => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                write!(f, "one of {}", words.join(", "))
            }
            Self::Text => write!(f, "a text"),
            Self::BlockFile => write!(f, "the path of a file"),
        }
    }
}

impl Argument {
    /// The value in JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Whole(number) => json!(number),
            Self::Real(number) => json!(number),
            Self::Switch(on) => json!(on),
            Self::Text(text) => json!(text),
        }
    }
}

/// The text that [`Parameter::parse`] reads.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Text(text) => write!(f, "{text}"),
        }
    }
}
