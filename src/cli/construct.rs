//! Constructions on the command line: the flags of `ecode design` and what `--code NAME:key=value,…` says, both made
//! from the registry, and the matrix that they specify.

use std::path::Path;

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use ecode::code::TieRule;
use ecode::construct::{
    Block, Built, CONSTRUCTIONS, Domain, Fallback, Parameter, Specification, blocks, construction,
};
use ecode::verify::Control;

use super::input;

/// The flags of all constructions, and the one that is asked for with them.
pub(crate) struct ConstructionFlags {
    /// The construction and the values of its parameters, or what is wrong with the flags.
    specification: Result<Specification, String>,
    /// Whether a budgeted code is to be searched for: a redundancy is given, and no construction.
    pub(crate) searches: bool,
    /// Whether an assignment of files is to be searched for: --distortion is given, and no construction.
    pub(crate) assigns: bool,
    /// The seed of that search.
    pub(crate) seed: Option<u64>,
}

impl ConstructionFlags {
    /// The construction and the values of its parameters.
    pub(crate) fn specification(&self) -> anyhow::Result<&Specification> {
        self.specification.as_ref().map_err(|text| anyhow::Error::msg(text.clone()))
    }

    fn read(matches: &ArgMatches, search: Option<&str>) -> Result<Specification, String> {
        let name = matches.get_one::<String>("construction").map_or(CONSTRUCTIONS[0].name, String::as_str);
        let name = search.unwrap_or(name);
        let construction = construction(name).map_err(|error| error.to_string())?;
        let mut specification = Specification::new(construction);
        for (parameter, takers) in parameters() {
            let name = parameter.name;
            if !given(matches, name) || search.is_some() && name == SEED {
                continue;
            }
            if !takers.contains(&construction.name) {
                let (takers, name_of) = (takers.join(", "), construction.name);
                return Err(format!("--{name} is for {takers}, not for the construction '{name_of}'"));
            }
            let text = match parameter.domain {
                Domain::Switch => "true",
                _ => matches.get_one::<String>(name).map_or("", String::as_str),
            };
            specification.arguments.set(name, text).map_err(|error| format!("--{error}"))?;
        }
        Ok(specification)
    }
}

/// The constructions of which others are searched for: budgeted codes, and assignments of files.
const BUDGET: &str = "budget";
const ASSIGNED: &str = "assigned";
const SEED: &str = "seed";
/// The flags of which each asks for a search.
pub(crate) const SEARCHED: &str = "searched";

fn given(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

/// The parameters of all constructions, each once, with the names of those that take it.
fn parameters() -> Vec<(&'static Parameter, Vec<&'static str>)> {
    let mut all: Vec<(&'static Parameter, Vec<&'static str>)> = Vec::new();
    for construction in CONSTRUCTIONS {
        for parameter in construction.parameters {
            match all.iter_mut().find(|(seen, _)| seen.name == parameter.name) {
                Some((_, takers)) => takers.push(construction.name),
                None => all.push((parameter, vec![construction.name])),
            }
        }
    }
    all
}

fn flag(parameter: &'static Parameter, takers: &[&str]) -> Arg {
    let everywhere = takers.len() == CONSTRUCTIONS.len();
    let takers = if everywhere { String::new() } else { format!("{}: ", takers.join(", ")) };
    let fallback = match parameter.fallback {
        Fallback::Value(value) if parameter.domain != Domain::Switch => format!(" [default: {value}]"),
        Fallback::Derived(value) if !everywhere => format!(" [default: {value}]"),
        _ => String::new(),
    };
    let arg = Arg::new(parameter.name)
        .long(parameter.name)
        .required(everywhere && parameter.name != "b")
        .help(format!("{takers}{}{fallback}", parameter.help));
    let arg = match parameter.name {
        // Files are assigned against any number of liars.
        "b" => arg.required_unless_present("distortion"),
        "redundancy" | "distortion" => arg.group(SEARCHED),
        _ => arg,
    };
    match parameter.domain {
        Domain::Switch => arg.action(ArgAction::SetTrue),
        Domain::Word(words) => arg.value_name("WHAT").value_parser(PossibleValuesParser::new(
            words.iter().map(|(word, help)| PossibleValue::new(*word).help(*help)),
        )),
        Domain::BlockFile => arg.value_name("FILE").value_hint(ValueHint::FilePath),
        Domain::Text => arg.value_name("TEXT"),
        Domain::Whole { .. } => arg.value_name("N").allow_negative_numbers(true),
        Domain::Positive { .. } => arg.value_name("X").allow_negative_numbers(true),
    }
}

impl Args for ConstructionFlags {
    fn augment_args(command: Command) -> Command {
        let names = CONSTRUCTIONS.map(|known| PossibleValue::new(known.name).help(known.summary));
        let construction = Arg::new("construction")
            .long("construction")
            .value_name("NAME")
            .default_value(CONSTRUCTIONS[0].name)
            .value_parser(PossibleValuesParser::new(names))
            .help("How the matrix is made");
        let command = command.arg(construction);
        let (first, rest): (Vec<_>, Vec<_>) =
            parameters().into_iter().partition(|(_, takers)| takers.len() == CONSTRUCTIONS.len());
        first
            .into_iter()
            .chain(rest)
            .fold(command, |command, (parameter, takers)| command.arg(flag(parameter, &takers)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ConstructionFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let free = |name| given(matches, name) && !given(matches, "construction");
        let assigns = free("distortion");
        let searches = free("redundancy") && !assigns;
        let search = if assigns { Some(ASSIGNED) } else { searches.then_some(BUDGET) };
        let seed = matches.get_one::<String>(SEED).filter(|_| search.is_some() && given(matches, SEED));
        // An error of a value takes one line, and no usage.
        let mut specification = Self::read(matches, search);
        let seed = if let Ok(seed) = seed.map(|text| text.parse()).transpose() {
            seed
        } else {
            specification = Err("--seed: expected a whole number from 0 on".to_owned());
            None
        };
        Ok(Self { specification, searches, assigns, seed })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What `--code` takes besides a file, for an error.
pub(crate) fn examples() -> String {
    let examples = CONSTRUCTIONS.map(|known| format!("{}:{}", known.name, known.example));
    format!("a matrix file, or a construction such as {}", examples.join(" "))
}

/// Whether a text names a construction and not a file: it has a colon, and no file has this name.
pub(crate) fn is_specification(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, _)| !name.contains(['/', '\\'])) && !Path::new(text).exists()
}

/// The program's blocks and those of the files that are named.
pub(crate) fn blocks_with(
    files: impl IntoIterator<Item = impl AsRef<Path>>,
    control: &Control,
) -> anyhow::Result<Vec<Block>> {
    let mut all = blocks().to_vec();
    for path in files {
        all.extend(input::blocks(path.as_ref(), control)?);
    }
    Ok(all)
}

/// Builds what is specified.
pub(crate) fn build(
    specification: &Specification,
    ties: TieRule,
    control: &Control,
) -> anyhow::Result<Built> {
    let blocks = blocks_with(specification.block_files(), control)?;
    specification.build(ties, &blocks).with_context(|| specification.construction.name.to_owned())
}

/// What is to be said where an even number of workers gets one partition fewer; `how` names what changes it.
pub(crate) fn remark_on_partitions(even: Option<usize>, how: &str) -> Option<String> {
    let n = even?;
    Some(format!(
        "note: n = {n} is even, so there are k = {} partitions: for an even number of them no code tolerates a liar \
         ({how} changes it)",
        n - 1
    ))
}
