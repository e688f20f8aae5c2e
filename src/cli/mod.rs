//! The command line: arguments in, exit code out.
//!
//! Exit codes: 0 tolerant or done, 1 refuted, 2 wrong usage or bad input (nothing written), 3 undecided,
//! 4 two engines disagree, or a certificate does not show what it claims. The answer goes to standard output, everything else to standard error.

mod analyze;
mod assign;
mod bound_certificate;
mod bounds;
mod budget;
mod check;
mod check_distortion;
mod check_domains;
mod code;
mod common;
mod compare;
mod construct;
#[cfg(feature = "fetch")]
mod data;
mod demand;
mod design;
mod detect;
mod detect_apart;
mod distortion;
mod distortion_parts;
mod doctor;
mod domains;
mod domains_design;
mod domains_train;
mod ending;
mod ensemble;
mod enumerate;
mod experiment;
mod export;
mod flags;
mod frontier;
mod grid;
mod input;
mod keys;
mod listen;
mod lock;
mod merge;
mod output;
mod plot;
mod recompute;
mod scheme;
mod search;
mod serve;
mod session;
mod show;
mod site;
mod stragglers;
mod sweep;
mod table;
mod theory;
mod tools;
mod train;
mod values;
mod verified;
mod verify;
mod watch;
mod work;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use common::Common;
use ecode::verify::Control;
use ending::{Contradiction, Ending, Silent, Stopped};

#[derive(Parser)]
#[command(
    name = "ecode",
    version,
    about = "Codes that make SignSGD with majority vote perfectly tolerant to Byzantine workers: design and proof",
    after_help = "Examples:\n  ecode design --n 9 --b 2 -o matrix.json    make a code, verify it, keep it\n  \
                  ecode verify matrix.json                   recompute the verdict\n  \
                  ecode verify matrix.json --b 3 --method all --json\n\n\
                  Exit codes: 0 tolerant or done, 1 refuted, 2 bad input, 3 undecided,\n4 engines disagree, or a certificate does not show what it claims"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    Design(design::Design),
    Verify(verify::Verify),
    Check(check::Check),
    Merge(merge::Merge),
    Search(search::Search),
    Analyze(analyze::Analyze),
    Compare(compare::Compare),
    Distortion(distortion::DistortionCommand),
    Ensemble(ensemble::EnsembleCommand),
    Frontier(frontier::FrontierCommand),
    Train(Box<train::Train>),
    Keys(keys::Keys),
    Serve(Box<serve::Serve>),
    Work(work::Work),
    Sweep(sweep::Sweep),
    Experiment(experiment::Command),
    Plot(plot::Plot),
    #[cfg(feature = "fetch")]
    Data(data::Data),
    Show(show::Show),
    Export(export::Export),
    Bounds(bounds::Bounds),
    Table(table::Table),
    Doctor(doctor::Doctor),
    Completions(tools::Completions),
    Man(tools::Man),
}

/// A line of an error is cut beyond that, in bytes: it may quote what it was given.
const LONGEST: usize = 1000;

/// An error as one line of bearable length.
fn one_line(text: &str) -> String {
    let bearable = text.len() <= LONGEST && !text.contains(char::is_control);
    if bearable { text.to_owned() } else { ecode::code::shown_sentence(text) }
}

/// Runs one command as the program `ecode` does, and returns its exit code. The first argument is the program's
/// name. Nothing of the process is changed, so that a program can call it as often as it likes: `stop` ends
/// the work early, as Ctrl-C does.
///
/// ```
/// let arguments = ["ecode", "bounds", "--n", "9", "--b", "2", "--json"];
/// assert_eq!(ecode::cli::run(arguments, &ecode::verify::Control::default()), 0);
/// ```
pub fn run<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>, stop: &Control) -> u8 {
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    let Cli { command, mut common } = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let text = error.render().to_string();
            if text.lines().any(|line| line.len() > LONGEST) {
                let lines: Vec<String> = text.lines().map(one_line).collect();
                output::remark!("{}", lines.join("\n"));
            } else {
                // Help and versions are answers; where nobody reads them, nothing is left to say.
                let _ = error.print();
            }
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    // From here on: reading is a part of the work.
    common.stop = common.timeout.map_or_else(|| stop.clone(), |timeout| stop.within(timeout));
    match execute(command, &common) {
        Ok(Ending::Done) => 0,
        Ok(Ending::Refuted) => 1,
        Ok(Ending::Undecided) => 3,
        Err(error) if error.is::<Silent>() => 2,
        Err(error) if error.is::<Stopped>() => {
            output::remark!("{}", one_line(&error.to_string()));
            3
        }
        Err(error) => {
            output::remark!("error: {}", one_line(&format!("{error:#}")));
            if error.is::<Contradiction>() { 4 } else { 2 }
        }
    }
}

/// The command line as its parser sees it: a number below zero is a value everywhere, not an option.
fn command() -> clap::Command {
    fn negative(command: clap::Command) -> clap::Command {
        command.allow_negative_numbers(true).mut_subcommands(negative)
    }
    negative(Cli::command())
}

fn execute(command: Command, common: &Common) -> anyhow::Result<Ending> {
    let Some(threads) = common.threads else { return dispatch(command, common) };
    anyhow::ensure!((1..=1024).contains(&threads), "--threads {threads}: expected 1 to 1024");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build()?;
    pool.install(|| dispatch(command, common))
}

/// The stack of a thread of `--threads`, in bytes: that of a main thread on Linux.
const STACK: usize = 8 << 20;

fn dispatch(command: Command, common: &Common) -> anyhow::Result<Ending> {
    match command {
        Command::Design(args) => args.run(common),
        Command::Verify(args) => args.run(common),
        Command::Check(args) => args.run(common),
        Command::Merge(args) => args.run(common),
        Command::Search(args) => args.run(common),
        Command::Analyze(args) => args.run(common),
        Command::Compare(args) => args.run(common),
        Command::Distortion(args) => args.run(common),
        Command::Ensemble(args) => args.run(common),
        Command::Frontier(args) => args.run(common),
        Command::Train(args) => args.run(common),
        Command::Keys(args) => args.run(),
        Command::Serve(args) => args.run(common),
        Command::Work(args) => args.run(common),
        Command::Sweep(args) => args.run(common),
        Command::Experiment(args) => args.run(common),
        Command::Plot(args) => args.run(common),
        #[cfg(feature = "fetch")]
        Command::Data(args) => args.run(common),
        Command::Show(args) => args.run(common),
        Command::Export(args) => args.run(common),
        Command::Bounds(args) => args.run(common),
        Command::Table(args) => args.run(common),
        Command::Doctor(args) => args.run(),
        Command::Completions(args) => args.run(&mut self::command()),
        Command::Man(args) => args.run(self::command()),
    }
}
