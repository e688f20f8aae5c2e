//! Values of options that are one of a few names: help and completions list them.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use ecode::code::TieRule;
use ecode::format::Format;

/// A parser of one of these names.
fn named<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names.into_iter().collect::<Vec<_>>())
        .try_map(|name| name.parse().map_err(|error: T::Err| error.to_string()))
}

/// Formats of matrix files.
pub(crate) fn formats() -> impl TypedValueParser<Value = Format> {
    named(Format::ALL.map(Format::name))
}

/// Rules for ties.
pub(crate) fn ties() -> impl TypedValueParser<Value = TieRule> {
    named(TieRule::ALL.map(TieRule::name))
}

/// The names of a type that has them, and more.
pub(crate) fn formats_and<T>(more: &[&'static str]) -> impl TypedValueParser<Value = T> + use<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    named(Format::ALL.map(Format::name).into_iter().chain(more.to_vec()))
}

/// One of these names.
pub(crate) fn any_of<T>(names: &[&'static str]) -> impl TypedValueParser<Value = T> + use<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    named(names.to_vec())
}

/// Any text, with values that help and completions suggest: who reads it has a better word about others.
#[derive(Clone)]
pub(crate) struct Suggested(pub(crate) Vec<&'static str>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, None, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}
