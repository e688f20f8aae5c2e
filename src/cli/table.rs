//! `ecode table`: the catalogue of the best known codes.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use ecode::report::{codes_csv, codes_html, codes_json, codes_markdown};
use ecode::search::{CATALOGUE, catalogue};

use super::common::Common;
use super::ending::Ending;
use super::{output, site};

/// The catalogue: the best known code for every odd n from 3 to 51 and every b; other sizes where they are asked for
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode table --n 9\n  ecode table --n 9-15 --b 1,2\n  \
                        ecode table --n 8,16 --b 1\n  ecode table --n 15 --k 7\n  \
                        ecode table --html > codes.html\n  ecode table --csv > codes.csv\n  \
                        ecode table --site codes         pages, matrices and certificates\n\n\
                        'ecode design --n N --b B' makes a code of the table, and verifies it.")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Table {
    /// Workers, as in 9 or 9,11 or 9-15 [default: 3-51]
    #[arg(long, value_name = "LIST", value_parser = parse_list)]
    n: Option<List>,
    /// Data partitions [default: n; n − 1 where n is even]
    #[arg(long)]
    k: Option<usize>,
    /// Byzantine workers, as in 1 or 1,2 or 1-4 [default: all]
    #[arg(long, value_name = "LIST", value_parser = parse_list)]
    b: Option<List>,
    /// How the table is written
    #[arg(long, value_enum, default_value_t = TableFormat::Markdown)]
    format: TableFormat,
    /// The same as --format json
    #[arg(long, group = "written", conflicts_with = "format")]
    json: bool,
    /// The same as --format csv
    #[arg(long, group = "written", conflicts_with = "format")]
    csv: bool,
    /// The same as --format html
    #[arg(long, group = "written", conflicts_with = "format")]
    html: bool,
    /// The same as --format markdown
    #[arg(long, group = "written", conflicts_with = "format")]
    markdown: bool,
    /// Write a site into this folder: a page a code, with its picture, a vote to play with, its matrix and certificate
    #[arg(long, value_name = "DIR", group = "written", conflicts_with = "format")]
    site: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// A table for documents
    Markdown,
    /// Comma-separated values, with digests
    Csv,
    /// One JSON document, with constructions and digests
    Json,
    /// A page for a browser
    Html,
}

/// Numbers and ranges of numbers. A range of workers means the odd ones in it.
#[derive(Clone)]
struct List(Vec<(usize, usize)>);

fn parse_list(text: &str) -> Result<List, String> {
    let range = |part: &str| -> Option<(usize, usize)> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last && last <= 4096).then_some((first, last))
    };
    let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
    ranges.map(List).ok_or_else(|| format!("'{text}' is not a list: write 9, or 9,11, or 9-15"))
}

impl List {
    fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    /// The workers of the list: of a range with several numbers only the odd ones.
    fn workers(&self) -> Vec<usize> {
        let wanted =
            |&(first, last): &(usize, usize)| (first..=last).filter(move |n| first == last || n % 2 == 1);
        self.0.iter().flat_map(wanted).collect()
    }
}

impl Table {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let sizes = match &self.n {
            Some(list) => list.workers(),
            None => CATALOGUE.step_by(2).collect(),
        };
        let liars: Option<Vec<usize>> = self.b.as_ref().map(|list| list.numbers().collect());
        if let (Some(n), None, false) = (sizes.iter().find(|&n| n % 2 == 0), self.k, common.quiet) {
            output::remark!(
                "note: an even number of workers, such as n = {n}, has k = n − 1 partitions: for an even number of them no \
                 code tolerates a liar (--k changes it)"
            );
        }
        let entries = catalogue(&sizes, self.k, liars.as_deref())?;
        entries.first().with_context(|| {
            "no such row: b goes from 1 to (n − 1)/2 (b = 0 needs no code: every worker its own partition)"
        })?;
        if let Some(folder) = &self.site {
            return site::write(folder, &entries, common);
        }
        let format = match (self.json, self.csv, self.html) {
            (true, _, _) => TableFormat::Json,
            (_, true, _) => TableFormat::Csv,
            (_, _, true) => TableFormat::Html,
            _ => self.format,
        };
        output::print(&match format {
            TableFormat::Markdown => codes_markdown(&entries),
            TableFormat::Csv => codes_csv(&entries),
            TableFormat::Json => codes_json(&entries).to_string(),
            TableFormat::Html => codes_html(&entries),
        })?;
        Ok(Ending::Done)
    }
}
