//! `ecode export`: the same matrix in another format.

use std::path::PathBuf;

use clap::Args;
use ecode::format::Format;

use super::{Ending, input, output};

/// Write a matrix in another format
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode export matrix.json --to npy -o matrix.npy\n  ecode export matrix.json --to csv > matrix.csv"
)]
pub(crate) struct Export {
    /// The matrix file, or - for standard input
    file: PathBuf,
    /// The format to write: json, csv, npy, txt
    #[arg(long)]
    to: Format,
    /// Where to; - is standard output
    #[arg(long, short, default_value = "-", value_name = "FILE")]
    output: PathBuf,
    /// The input's format, whatever its name is
    #[arg(long)]
    format: Option<Format>,
}

impl Export {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let file = input::matrix(&self.file, self.format)?;
        output::write(&self.output, &file.to_bytes(self.to))?;
        Ok(Ending::Done)
    }
}
