//! The command line: arguments in, exit code out.
//!
//! Exit codes: 0 tolerant or done, 1 refuted, 2 wrong usage or bad input (nothing written), 3 undecided,
//! 4 two engines disagree, or a certificate does not show what it claims. The answer goes to standard output, everything else to standard error.

mod analyze;
mod bounds;
mod check;
mod code;
mod compare;
mod data;
mod design;
mod doctor;
mod ensemble;
mod enumerate;
mod experiment;
mod export;
mod input;
mod merge;
mod output;
mod plot;
mod search;
mod show;
mod sweep;
mod table;
mod theory;
mod tools;
mod train;
mod verify;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Refuted,
    Undecided,
}

/// Two engines, or an engine and the replay, contradict each other.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Contradiction(pub(crate) String);

/// What another process has said already.
#[derive(Debug, thiserror::Error)]
#[error("stopped by rank 0")]
pub(crate) struct Silent;

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

/// Flags that every command takes.
#[derive(clap::Args, Clone)]
pub(crate) struct Common {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", help_heading = "Common options")]
    threads: Option<usize>,
    /// Stop after this time and say what is known by then, as in 30s, 5m, 2h
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time, help_heading = "Common options")]
    timeout: Option<Duration>,
    /// No progress bar, no remarks
    #[arg(long, short, global = true, help_heading = "Common options")]
    quiet: bool,
    /// Say more: why an engine was chosen
    #[arg(long, short, global = true, help_heading = "Common options")]
    verbose: bool,
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
    Ensemble(ensemble::EnsembleCommand),
    Train(Box<train::Train>),
    Sweep(sweep::Sweep),
    Experiment(experiment::Command),
    Plot(plot::Plot),
    Data(data::Data),
    Show(show::Show),
    Export(export::Export),
    Bounds(bounds::Bounds),
    Table(table::Table),
    Doctor(doctor::Doctor),
    Completions(tools::Completions),
    Man(tools::Man),
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let expected =
        || format!("'{text}' is not a time: write a number and a unit, as in 500ms, 30s, 5m or 2h");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| expected())?;
    let scale = match &text[digits..] {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    Duration::try_from_secs_f64(number * scale).map_err(|_| expected())
}

/// Parses the arguments, runs the command, and turns what came of it into an exit code.
pub(crate) fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    match run(command, &common) {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refuted) => ExitCode::from(1),
        Ok(Ending::Undecided) => ExitCode::from(3),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<Silent>() => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Contradiction>() { 4 } else { 2 })
        }
    }
}

fn run(command: Command, common: &Common) -> anyhow::Result<Ending> {
    if let Some(threads) = common.threads {
        anyhow::ensure!((1..=1024).contains(&threads), "--threads {threads}: expected 1 to 1024");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    match command {
        Command::Design(args) => args.run(common),
        Command::Verify(args) => args.run(common),
        Command::Check(args) => args.run(),
        Command::Merge(args) => args.run(),
        Command::Search(args) => args.run(common),
        Command::Analyze(args) => args.run(common),
        Command::Compare(args) => args.run(common),
        Command::Ensemble(args) => args.run(common),
        Command::Train(args) => args.run(common),
        Command::Sweep(args) => args.run(common),
        Command::Experiment(args) => args.run(common),
        Command::Plot(args) => args.run(common),
        Command::Data(args) => args.run(common),
        Command::Show(args) => args.run(common),
        Command::Export(args) => args.run(),
        Command::Bounds(args) => args.run(),
        Command::Table(args) => args.run(common),
        Command::Doctor(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }
}
