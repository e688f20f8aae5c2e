//! `ecode show`: the picture of G.

use std::path::PathBuf;

use clap::Args;
use ecode::format::Format;
use ecode::report::{loads, picture};

use super::{Common, Ending, input, output};

/// Draw a matrix with the loads of its workers and partitions
#[derive(Args)]
#[command(after_help = "Example:\n  ecode show matrix.json")]
pub(crate) struct Show {
    /// The matrix file, or - for standard input
    file: PathBuf,
    /// The file's format, whatever its name is: json, csv, npy, txt
    #[arg(long)]
    format: Option<Format>,
}

impl Show {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let file = input::matrix(&self.file, self.format)?;
        let g = &file.matrix;
        let columns = g.partition_loads();
        let (least, most) = (columns.iter().min(), columns.iter().max());
        output::print(&format!(
            "n = {}, k = {}, ones = {}, r = {:.4}\nworkers' loads (workers×partitions): {}\n\
             partitions are held by {} to {} workers\n{}\n\n{}",
            g.n(),
            g.k(),
            g.ones(),
            g.redundancy(),
            loads(g),
            least.unwrap_or(&0),
            most.unwrap_or(&0),
            g.digest(),
            picture(g, None, output::glyphs())
        ))?;
        if file.verification.is_some() && !common.quiet {
            eprintln!("note: the file's verification is a claim; 'ecode verify' recomputes it");
        }
        Ok(Ending::Done)
    }
}
