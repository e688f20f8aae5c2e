//! `ecode search`: look for a code with fewer ones.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use comfy_table::{Table, presets};
use ecode::construct::{Algorithm1, Block, best, best_with, blocks};
use ecode::format::{Format, MatrixFile};
use ecode::report::{thousands, time};
use ecode::search::{Effort, Quest, bounds, improve, improve_beside, minimum};
use ecode::verify::{Conclusion, Control};
use itertools::Itertools as _;
use serde_json::json;

use super::verify::{How, ending};
use super::{Common, Ending, design, input, output, parse_time, watch};

/// Look for a code with fewer ones than any known
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode search --n 11 --b 2 --time 20s\n  \
                        ecode search --n 15 --b 2 --time 10m --catalogue mine.txt -o better.json\n  \
                        ecode design --n 15 --b 2 --catalogue mine.txt\n  \
                        ecode search --n 17 --b 4 --beside 1,3,3 --time 20s\n  \
                        ecode search --n 11 --b 1 --exact\n\n\
                        Simulated annealing over the rows of the partitions that no dictator holds. What is \
                        found is verified like any other code.")]
pub(crate) struct Search {
    /// Workers; odd
    #[arg(long)]
    n: usize,
    /// Byzantine workers to tolerate
    #[arg(long)]
    b: usize,
    /// How long to look
    #[arg(long, default_value = "60s", value_parser = parse_time)]
    time: Duration,
    /// Look only for codes in which rows of these odd loads share no partition with others, as in 1,1,3,3,3
    #[arg(long, value_name = "LOADS", value_delimiter = ',')]
    beside: Vec<usize>,
    /// Find the fewest ones of any code by exhaustion, whatever its shape (n ≤ 15); --timeout ends it early
    #[arg(long, conflicts_with_all = ["time", "seed", "catalogue", "beside"])]
    exact: bool,
    /// The random seed; the search goes on with the ones after it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A catalogue of your own: read first, and what is better is added
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Write the best code here, verified
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Search {
    /// Tries every total from the strongest theorem's bound to below the best code known.
    fn exhaust(&self, common: &Common) -> anyhow::Result<Ending> {
        let (n, b) = (self.n, self.b);
        let known = best(n, b)?;
        let (from, to) = (bounds(n, b)?, known.matrix.ones());
        let from = from.iter().filter(|bound| !bound.by_search()).map(|bound| bound.ones).max().unwrap_or(n);
        let control = watch::control(common)?;
        let start = Instant::now();
        let found =
            watch::with_progress(&control, common.quiet, || minimum(n, b, from, to, &|| control.stopped()))?;
        let elapsed = start.elapsed();
        let (matrix, construction) = match found.matrix {
            Some(matrix) => (matrix, json!({"name": "exact search", "n": n, "b": b})),
            None => (known.matrix.clone(), known.to_json()),
        };
        // Stopped or not: the code at hand is small.
        let verdict = self.how.decide_glued(
            &matrix,
            Some(b),
            Some(&construction),
            &Control::default(),
            common.quiet,
        )?;
        ensure!(!matches!(verdict.conclusion, Conclusion::Refuted(_)), "the code found is not tolerant");
        let (ones, minimal) = (matrix.ones(), matrix.ones() == found.at_least);
        let families: u64 = found.tried.iter().map(|(_, families)| families).sum();
        let verification = Some(design::verification(&verdict, &matrix));
        let file = MatrixFile { matrix, b: Some(b), construction: Some(construction), verification };
        if let Some(path) = &self.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if self.json {
            let tried: Vec<_> = found
                .tried
                .iter()
                .map(|(total, families)| json!({"ones": total, "families": families}))
                .collect();
            let document = json!({
                "n": n, "b": b, "known": to, "ones": ones, "lower_bound": found.at_least, "minimal": minimal,
                "tried": tried, "elapsed_s": elapsed.as_secs_f64(), "verdict": verdict.word(),
            });
            output::print(&document.to_string())?;
        } else {
            let mut table = Table::new();
            table.load_style(presets::ASCII_MARKDOWN).set_header(["ones", "families built", "a code?"]);
            for (total, families) in &found.tried {
                let code = if *total == ones && ones < to { "yes" } else { "none" };
                table.add_row([total.to_string(), thousands(u128::from(*families)), code.to_owned()]);
            }
            let least = found.at_least;
            let summary = if minimal {
                format!("{ones} ones are the fewest for n = {n}, b = {b}")
            } else {
                format!("No tolerant code has fewer than {least} ones; the best known has {ones}")
            };
            let effort = format!("{} families, {}", thousands(u128::from(families)), time(elapsed));
            output::print(&format!("{table}\n{summary} ({effort}). The code is {}.", verdict.word()))?;
        }
        let decided = verdict.conclusion == Conclusion::Tolerant && minimal;
        Ok(if decided { Ending::Done } else { Ending::Undecided })
    }

    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        if self.exact {
            return self.exhaust(common);
        }
        let (n, b) = (self.n, self.b);
        let quest = Quest::whole(n, b);
        let mut own = match &self.catalogue {
            Some(path) if path.exists() => input::blocks(path)?,
            _ => Vec::new(),
        };
        let code = |own: &[Block]| best_with(n, b, &[blocks(), own].concat());
        ensure!(b > 0, "b = 0 needs no search: every worker its own partition");
        let known = code(&own)?;
        ensure!(
            self.beside.iter().all(|load| load % 2 == 1),
            "--beside {}: expected odd loads",
            self.beside.iter().join(",")
        );
        let points = if self.beside.is_empty() {
            quest.points
        } else {
            n.checked_sub(self.beside.iter().sum())
                .context("--beside: these loads have more partitions than n")?
        };
        ensure!(
            (1..=Quest::MOST_POINTS).contains(&points),
            "n = {n}, b = {b}: the search would be over {points} partitions, and takes 1 to {}; \
             'ecode design' builds larger codes from small parts, --beside leaves fewer to search",
            Quest::MOST_POINTS
        );
        let control = watch::control(common)?;
        let search = control.within(self.time);
        let mut best = (known.matrix.ones(), None);
        let mut seed = self.seed;
        watch::with_progress(&search, common.quiet, || {
            while !search.stopped() {
                // Longer and longer restarts.
                let moves = 50_000 << (seed - self.seed).min(10);
                let effort = Effort { moves, restarts: 8, seed };
                let stopped = || search.stopped();
                let family = if self.beside.is_empty() {
                    improve(quest, effort, &stopped)
                } else {
                    improve_beside(n, b, &self.beside, effort, &stopped)
                };
                if let Some(family) = family
                    && let Ok(found) = code(std::slice::from_ref(&family))
                    && found.matrix.ones() < best.0
                {
                    best = (found.matrix.ones(), Some(family));
                }
                let Some(next) = seed.checked_add(1) else { break };
                seed = next;
            }
        });
        if let Some(family) = &best.1 {
            own.push(family.clone());
        }
        let code = code(&own)?;
        let paper = Algorithm1::new(n, b)?.ones();
        let construction = code.to_json();
        let verdict =
            self.how.decide_glued(&code.matrix, Some(b), Some(&construction), &control, common.quiet)?;
        ensure!(!matches!(verdict.conclusion, Conclusion::Refuted(_)), "the family found is not tolerant");
        if let (Some(path), Some(_)) = (&self.catalogue, &best.1) {
            let lines: Vec<String> = own.iter().map(Block::to_string).collect();
            output::write(path, (lines.join("\n") + "\n").as_bytes())?;
        }
        let ones = code.matrix.ones();
        let file = MatrixFile {
            verification: Some(design::verification(&verdict, &code.matrix)),
            matrix: code.matrix,
            b: Some(b),
            construction: Some(construction),
        };
        if let Some(path) = &self.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        let ones_of = [("Algorithm 1", paper), ("known before", known.matrix.ones()), ("now", ones)];
        if self.json {
            let found = best.1.map(|family| family.to_string());
            let document = json!({
                "n": n, "b": b, "algorithm1": paper, "known": known.matrix.ones(), "ones": ones,
                "found": found, "verdict": verdict.word(), "method": verdict.method, "seeds": seed - self.seed,
            });
            output::print(&document.to_string())?;
        } else {
            let mut table = Table::new();
            table.load_style(presets::ASCII_MARKDOWN).set_header(["code", "ones", "r"]);
            for (name, ones) in ones_of {
                table.add_row([name.to_owned(), ones.to_string(), format!("{:.4}", ones as f64 / n as f64)]);
            }
            output::print(&format!("{table}\n{} by {}", verdict.word(), verdict.method))?;
        }
        Ok(ending(&verdict))
    }
}
