//! `ecode data`: getting the data sets.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ecode::train::data::fetch::{COLLECTIONS, FetchError, fetch};
use indicatif::ProgressBar;

use super::common::Common;
use super::ending::Ending;
use super::{output, watch};

/// Get the data sets that `train` reads
#[derive(Args)]
pub(crate) struct Data {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Subcommand)]
enum DataCommand {
    Fetch(Fetch),
}

/// Download a data set, checked against its digests
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode data fetch mnist --to data/mnist\n  ecode data fetch cifar10 --to data/cifar10\n\n\
                        A file that is there already is not downloaded again. The Amazon Employee Access data \
                        are behind a login: get train.csv from the challenge's page at Kaggle."
)]
struct Fetch {
    /// The data set
    #[arg(value_parser = ["mnist", "cifar10"])]
    name: String,
    /// The folder to put it into
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Another place that has the same files
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
}

impl Data {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let DataCommand::Fetch(args) = self.command;
        let Some(collection) = COLLECTIONS.iter().find(|collection| collection.name == args.name) else {
            anyhow::bail!("unknown data set '{}'", args.name);
        };
        let control = common.control();
        let from = args.from.as_deref().unwrap_or(collection.address);
        for file in collection.files {
            let bar = if common.quiet || !std::io::stderr().is_terminal() {
                ProgressBar::hidden()
            } else {
                let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}  {msg}";
                watch::styled(ProgressBar::new(file.size).with_message(file.name), template)
            };
            let new = fetch(file, from, &args.to, &control, |bytes| bar.set_position(bytes));
            bar.finish_and_clear();
            if let Err(error @ FetchError::Stopped { .. }) = &new {
                output::remark!("{error}");
                return Ok(Ending::Undecided);
            }
            let new = new?;
            let how = if new { "downloaded" } else { "there already" };
            output::print(&format!("{}: {how}, digest right", args.to.join(file.name).display()))?;
        }
        Ok(Ending::Done)
    }
}
