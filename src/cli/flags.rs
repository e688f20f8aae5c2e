//! The fields of a configuration as flags: each is declared once, in the library, with its help.

use clap::builder::{PossibleValuesParser, RangedI64ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use ecode::train::{Config, Field, FieldKind};

/// The flags that were given, as the keys of a configuration.
#[derive(Clone)]
pub(crate) struct ConfigFlags(pub(crate) toml::Table);

/// The flags of an experiment: what goes over its own values.
#[derive(Clone)]
pub(crate) struct ChangeFlags(pub(crate) toml::Table);

/// The fields that may go over an experiment's own values: never its codes or its attacks.
const CHANGES: [&str; 8] = ["data", "model", "device", "steps", "epochs", "batch", "lr", "evaluate-every"];

fn fields(names: Option<&[&str]>) -> impl Iterator<Item = &'static Field> {
    Config::FIELDS
        .iter()
        .filter(move |field| names.is_none_or(|names| names.contains(&field.name().as_str())))
}

fn argument(field: &Field) -> Arg {
    let name = field.name();
    let flag = Arg::new(name.clone()).long(name.clone()).help(field.help());
    let flag = match field.kind {
        FieldKind::Flag => return flag.action(ArgAction::SetTrue),
        FieldKind::Text => flag,
        FieldKind::Choice(choices) => flag.value_parser(PossibleValuesParser::new(choices)),
        FieldKind::Integer => flag.value_parser(RangedI64ValueParser::<i64>::new().range(0..)),
        FieldKind::Number => flag.value_parser(value_parser!(f64)),
        FieldKind::Numbers => flag.value_parser(value_parser!(f64)).value_delimiter(','),
    };
    let flag = flag.value_name(field.value).allow_negative_numbers(true);
    if name == "steps" { flag.conflicts_with("epochs") } else { flag }
}

fn given(matches: &ArgMatches, names: Option<&[&str]>) -> toml::Table {
    let mut table = toml::Table::new();
    for field in fields(names) {
        let name = field.name();
        let value: Option<toml::Value> = match field.kind {
            FieldKind::Flag => matches.get_flag(&name).then_some(true.into()),
            FieldKind::Text | FieldKind::Choice(_) => {
                matches.get_one::<String>(&name).map(|text| text.as_str().into())
            }
            FieldKind::Integer => matches.get_one::<i64>(&name).map(|&number| number.into()),
            FieldKind::Number => matches.get_one::<f64>(&name).map(|&number| number.into()),
            FieldKind::Numbers => matches
                .get_many::<f64>(&name)
                .map(|numbers| toml::Value::Array(numbers.map(|&number| number.into()).collect())),
        };
        table.extend(value.map(|value| (name, value)));
    }
    table
}

macro_rules! flags {
    ($type:ident, $names:expr) => {
        impl Args for $type {
            fn augment_args(command: Command) -> Command {
                command.args(fields($names).map(argument))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $type {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(given(matches, $names)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                self.0.extend(given(matches, $names));
                Ok(())
            }
        }
    };
}

flags!(ConfigFlags, None);
flags!(ChangeFlags, Some(&CHANGES));

#[cfg(test)]
mod tests {
    use super::*;

    /// What a flag of each kind may take.
    fn sample(field: &Field) -> Vec<String> {
        let name = format!("--{}", field.name());
        let value = match (field.kind, field.name().as_str()) {
            (FieldKind::Flag, _) => return vec![name],
            (FieldKind::Choice(choices), name) => {
                let default = Config::default().to_table();
                let other = choices.iter().find(|choice| default[name].as_str() != Some(choice));
                other.map_or("", |choice| choice).to_owned()
            }
            (FieldKind::Integer, _) => "17".into(),
            (FieldKind::Number, _) => "0.25".into(),
            (FieldKind::Numbers, _) => "1,2.5".into(),
            (FieldKind::Text, "data") => "mnist:somewhere".into(),
            (FieldKind::Text, "device") => "cuda:3".into(),
            (FieldKind::Text, "classes") => "0,0,1,1".into(),
            (FieldKind::Text, "drift") => "close:8".into(),
            (FieldKind::Text, "on-excess") => "code:best:n=9,b=4".into(),
            (FieldKind::Text, "byzantine-set") => "0,3".into(),
            (FieldKind::Text, "pre-aggregation") => "nnm".into(),
            (FieldKind::Text, "split") => "class".into(),
            (FieldKind::Text, _) => "text".into(),
        };
        vec![name, value]
    }

    /// Every flag sets its field and no other, also to a negative number, which the field's rules then refuse.
    #[test]
    fn every_flag_sets_its_field() {
        for field in Config::FIELDS {
            let command = ConfigFlags::augment_args(Command::new("train"));
            let line = [vec!["train".to_owned()], sample(field)].concat();
            let matches = command.try_get_matches_from(line).unwrap_or_else(|error| panic!("{error}"));
            let flags = ConfigFlags::from_arg_matches(&matches).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(flags.0.keys().cloned().collect::<Vec<_>>(), [field.name()]);
            let config = Config::from_table(&flags.0).unwrap_or_else(|error| panic!("{error}"));
            let changed: Vec<String> =
                Config::default().differences(&config).into_iter().map(|difference| difference.0).collect();
            assert_eq!(changed, [field.name()]);
        }
        let command = ConfigFlags::augment_args(Command::new("train"));
        let matches = command.try_get_matches_from(["train", "--lr", "-1"]);
        let matches = matches.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(given(&matches, None).get("lr"), Some(&(-1.0).into()));
    }

    #[test]
    fn an_experiment_takes_some_of_them() {
        let names: Vec<String> = fields(Some(&CHANGES)).map(Field::name).collect();
        let mut expected = CHANGES.map(str::to_owned);
        expected.sort();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
    }
}
