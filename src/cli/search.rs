//! `ecode search`: look for a better code.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Best, Block, Demand, Objective, best, best_for, blocks};
use ecode::format::{Format, MatrixFile};
use ecode::report::{thousands, time};
use ecode::search::{Hunt, Limit, LimitError, Limits, Prey, bounds, limits, minimum_within};
use ecode::verify::Control;
use serde_json::json;

use super::verify::{How, ending};
use super::{Common, Ending, design, input, output, parse_time, watch};

/// Look for a better code than any known
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode search --n 11 --b 2 --time 20s\n  \
                        ecode search --n 15 --b 2 --time 10m --catalogue mine.txt -o better.json\n  \
                        ecode search --n 15 --b 2 --time 8h --state search.json    (again, to go on)\n  \
                        ecode search --n 17 --b 4 --beside 1,3,3 --time 20s\n  \
                        ecode search --n 101 --b 3 --part 15 --time 5m --catalogue mine.txt\n  \
                        ecode search --n 15 --k 7 --b 2 --max-load 3 --time 20s\n  \
                        ecode search --n 12 --k 7 --b 1 --balanced --time 20s\n  \
                        ecode search --n 11 --b 1 --exact\n\n\
                        Simulated annealing, over the rows of the partitions that no dictator holds or, with --k, \
                        --max-load or --objective, over whole codes. What is found is verified like any other \
                        code. Exit code 1: proven that no such code exists; 3: none found, or interrupted.")]
pub(crate) struct Search {
    /// Workers
    #[arg(long)]
    n: usize,
    /// Byzantine workers to tolerate
    #[arg(long)]
    b: usize,
    #[command(flatten)]
    wish: Wish,
    /// How long to look [default: 60s, without an end where --rounds says it; not at all where a bound is met]
    #[arg(long, value_parser = parse_time)]
    time: Option<Duration>,
    /// End after so many rounds in all: the same rounds find the same, however long they take
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Look only for codes in which rows of these odd loads share no partition with others, as in 1,1,3,3,3
    #[arg(long, value_name = "LOADS", value_delimiter = ',')]
    beside: Vec<usize>,
    /// Look only for a part of so many points that gluing can use (k = n, odd), for codes too large to search
    #[arg(long, value_name = "POINTS", conflicts_with_all = ["beside", "exact"])]
    part: Option<usize>,
    /// Find the fewest ones of any code by exhaustion, whatever its shape (n = k odd, up to 15); --timeout ends it early
    #[arg(long, conflicts_with_all = ["time", "rounds", "state", "seed", "catalogue", "beside", "k", "objective", "balanced"])]
    exact: bool,
    /// The random seed of the first round; the next rounds count on
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the state here after every round, and go on from there where the file exists
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
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

/// What is asked of a code beside tolerance.
#[derive(Args)]
pub(crate) struct Wish {
    /// Data partitions [default: n]
    #[arg(long)]
    pub(crate) k: Option<usize>,
    /// No worker holds more than so many partitions
    #[arg(long, value_name = "L")]
    pub(crate) max_load: Option<usize>,
    /// What is to be small: ones (all workers' work), max-load (the heaviest worker's), lexicographic (max-load, then ones)
    #[arg(long, value_enum, value_name = "WHAT", default_value = "ones")]
    pub(crate) objective: Wanted,
    /// The same as --objective max-load
    #[arg(long, conflicts_with = "objective")]
    pub(crate) balanced: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    /// The work of all workers together
    Ones,
    /// The work of the heaviest worker
    MaxLoad,
    /// The heaviest worker's, and among equals all workers' together
    Lexicographic,
}

impl Wish {
    /// Whether more is asked than sizes.
    pub(crate) fn beyond_sizes(&self) -> bool {
        self.max_load.is_some() || self.balanced || self.objective != Wanted::Ones
    }

    /// The bound on the heaviest load, where that is what is to be small.
    pub(crate) fn lightest(&self, n: usize, b: usize, ties: TieRule) -> anyhow::Result<Option<Limit>> {
        let demand = self.demand(n, b, ties)?;
        Ok(if demand.objective == Objective::Ones { None } else { Some(limits(&demand)?.max_load) })
    }

    pub(crate) fn demand(&self, n: usize, b: usize, ties: TieRule) -> anyhow::Result<Demand> {
        let k = self.k.unwrap_or(n);
        let objective = match self.objective {
            Wanted::MaxLoad => Objective::MaxLoad,
            _ if self.balanced => Objective::MaxLoad,
            Wanted::Ones => Objective::Ones,
            Wanted::Lexicographic => Objective::Lexicographic,
        };
        let demand = Demand { n, k, b, ties, max_load: self.max_load.unwrap_or(k), objective };
        demand.check()?;
        Ok(demand)
    }
}

impl Search {
    /// Tries every total from the strongest theorem's bound to below the best code known.
    fn exhaust(&self, common: &Common, documents: &output::Documents) -> anyhow::Result<Ending> {
        let (n, b) = (self.n, self.b);
        let demand = self.wish.demand(n, b, self.how.ties)?;
        let max_load = demand.max_load.min(n);
        let known = best(n, b)?;
        let known = demand.fits(&known.matrix).then_some(known);
        let bounds = bounds(n, b)?;
        let from =
            bounds.iter().filter(|bound| !bound.by_search()).map(|bound| bound.ones).max().unwrap_or(n);
        // Where nothing is known, to the most ones that there can be.
        let to = known.as_ref().map_or(n * max_load + 1, |known| known.matrix.ones());
        let control = common.control();
        let start = Instant::now();
        let found = watch::with_progress(&control, common.quiet, || {
            minimum_within(n, b, max_load, from, to, &|| control.stopped())
        })?;
        let elapsed = start.elapsed();
        let families: u64 = found.tried.iter().map(|(_, families)| families).sum();
        let effort = format!("{} families, {}", thousands(u128::from(families)), time(elapsed));
        let code = match found.matrix {
            Some(matrix) => Some((matrix, json!({"name": "exact search", "n": n, "b": b}))),
            None => known.as_ref().map(|known| (known.matrix.clone(), known.to_json())),
        };
        let tried: Vec<_> = found
            .tried
            .iter()
            .map(|(total, families)| json!({"ones": total, "families": families}))
            .collect();
        let Some((matrix, construction)) = code else {
            let settled = found.at_least >= to;
            if self.json {
                let document = json!({
                    "n": n, "b": b, "max_load": max_load, "known": null, "ones": null,
                    "lower_bound": if settled { None } else { Some(found.at_least) }, "impossible": settled,
                    "tried": tried, "elapsed_s": elapsed.as_secs_f64(),
                });
                output::print(&document.to_string())?;
            } else if settled {
                documents.report(&format!(
                    "No code of {n} workers with at most {max_load} partitions each tolerates b = {b} ({effort})."
                ))?;
            } else {
                let least = found.at_least;
                documents.report(&format!(
                    "No such code has fewer than {least} ones; none is known ({effort})."
                ))?;
            }
            return Ok(if settled { Ending::Refuted } else { Ending::Undecided });
        };
        // Stopped or not: the code at hand is small.
        let verdict =
            self.how.decide(&matrix, Some(b), Some(&construction), &Control::default(), common.quiet)?;
        ensure!(!verdict.is_refuted(), "the code found is not tolerant");
        let (ones, minimal) = (matrix.ones(), matrix.ones() == found.at_least);
        let verification = Some(design::verification(&verdict, &matrix));
        let file = MatrixFile { matrix, b: Some(b), construction: Some(construction), verification };
        if let Some(path) = &self.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if self.json {
            let document = json!({
                "n": n, "b": b, "max_load": max_load, "known": known.map(|known| known.matrix.ones()), "ones": ones,
                "lower_bound": found.at_least, "minimal": minimal, "impossible": false,
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
            documents.report(&format!("{table}\n{summary} ({effort}). The code is {}.", verdict.word()))?;
        }
        let decided = verdict.is_tolerant() && minimal;
        Ok(if decided { Ending::Done } else { Ending::Undecided })
    }

    /// The hunt where its state file says it is, else from the start.
    fn hunt(&self, demand: Demand, blocks: &[Block]) -> anyhow::Result<Hunt> {
        let prey = Prey { demand, beside: self.beside.clone(), part: self.part, seed: self.seed };
        match &self.state {
            Some(path) if path.exists() => {
                let place = || path.display().to_string();
                let text = std::fs::read_to_string(path).with_context(place)?;
                Hunt::resume(prey, blocks, &text).with_context(place)
            }
            _ => Ok(Hunt::new(prey, blocks)?),
        }
    }

    /// Whether only sizes are asked for, and nothing that a longer search could be meant for.
    fn plain(&self) -> bool {
        !self.wish.beyond_sizes()
            && self.wish.k.is_none()
            && self.part.is_none()
            && self.beside.is_empty()
            && self.state.is_none()
            && self.time.is_none()
            && self.rounds.is_none()
    }

    /// Goes on with the hunt until time or rounds are over. The best of it, be it from a round cut short.
    fn look(
        &self,
        demand: &Demand,
        hunt: &mut Hunt,
        blocks: &[Block],
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Option<Block>> {
        let time = match (self.time, self.rounds) {
            (Some(time), _) => time,
            (None, Some(_)) => Duration::MAX,
            (None, None) => Duration::from_secs(60),
        };
        let search = control.within(time);
        let mut found: Option<Block> = hunt.best().cloned();
        let said = Mutex::new(String::new());
        let keep = |hunt: &Hunt| match &self.state {
            Some(path) => output::write(path, format!("{:#}\n", hunt.to_json()).as_bytes()),
            None => Ok(()),
        };
        keep(hunt)?;
        let looked = watch::with_message(&search, common.quiet, &said, || -> anyhow::Result<()> {
            while !search.stopped() && self.rounds.is_none_or(|rounds| hunt.rounds() < rounds) {
                if let Some(better) = hunt.advance(&|| search.stopped())? {
                    found = Some(better);
                }
                keep(hunt)?;
                let best = found.as_slice();
                let best = best_for(demand, &[blocks, best].concat())?;
                let best = best.map_or("none yet".to_owned(), |best| describe(&best.matrix));
                if let Ok(mut said) = said.lock() {
                    *said = format!("round {}, best so far: {best}", hunt.rounds() + 1);
                    if common.verbose {
                        output::remark!("{said}");
                    }
                }
            }
            Ok(())
        });
        looked?;
        Ok(found)
    }

    /// A proof that there is no such code is an answer, too.
    fn report_impossible(&self, demand: &Demand, error: &LimitError) -> anyhow::Result<Ending> {
        let text = if self.json {
            let Demand { n, k, b, .. } = *demand;
            json!({"n": n, "k": k, "b": b, "max_load": self.wish.max_load, "impossible": error.to_string()})
                .to_string()
        } else {
            format!("Proven: {error}.")
        };
        output::print(&text)?;
        Ok(Ending::Refuted)
    }

    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = output::Documents::new(&[
            output::Documents::json(self.json),
            ("--output", self.output.as_deref()),
            ("--state", self.state.as_deref()),
            ("--catalogue", self.catalogue.as_deref()),
        ])?;
        for (option, path) in [("--state", &self.state), ("--catalogue", &self.catalogue)] {
            let read_again = path.as_deref().is_some_and(ecode::format::is_stdout);
            ensure!(!read_again, "{option}: it is read again; give it a file");
        }
        if self.exact {
            return self.exhaust(common, &documents);
        }
        let demand = self.wish.demand(self.n, self.b, self.how.ties)?;
        let least = match limits(&demand) {
            Ok(least) => least,
            Err(error @ LimitError::Impossible { .. }) => return self.report_impossible(&demand, &error),
            Err(error) => return Err(error.into()),
        };
        let mut own = match &self.catalogue {
            Some(path) if path.exists() => input::blocks(path)?,
            _ => Vec::new(),
        };
        let code = |own: &[Block]| best_for(&demand, &[blocks(), own].concat());
        let known = code(&own)?;
        let mut hunt = self.hunt(demand, &[blocks(), &own].concat())?;
        let control = common.control();
        let begun = hunt.rounds();
        // Where a bound is met there is nothing to look for.
        let settled =
            self.plain() && known.as_ref().is_some_and(|code| code.matrix.ones() == least.ones.least);
        let found = if settled {
            None
        } else {
            self.look(&demand, &mut hunt, &[blocks(), &own].concat(), &control, common)?
        };
        let new = found.filter(|found| !own.contains(found));
        own.extend(new.clone());
        let now = code(&own)?;
        // A family that helps nothing is not kept.
        let new = new.filter(|_| {
            let price = |code: &Option<Best>| code.as_ref().map(|code| demand.price(&code.matrix));
            price(&now).is_some_and(|now| price(&known).is_none_or(|known| now < known))
        });
        let interrupted = control.stopped();
        let rounds = hunt.rounds() - begun;
        let Some(now) = now else {
            self.report_nothing(&demand, &least, rounds)?;
            return Ok(Ending::Undecided);
        };
        let construction = now.to_json();
        // Interrupted or not: what was found is to be verified.
        let (made, whole) = (Some(&construction), Control::default());
        let verdict = self.how.decide(&now.matrix, Some(self.b), made, &whole, common.quiet)?;
        ensure!(!verdict.is_refuted(), "the code found is not tolerant");
        if let (Some(path), Some(new)) = (&self.catalogue, &new) {
            add_to(path, new)?;
        }
        if settled && !common.quiet {
            output::remark!("nothing to look for: the best code known has as few ones as any can have");
        }
        let mut least = least;
        if demand.objective == Objective::Lexicographic {
            // The ones are compared among codes with this heaviest load.
            let same = Demand { max_load: Demand::heaviest(&now.matrix), ..demand };
            least.ones = limits(&same)?.ones;
        }
        let summary = Summary {
            demand,
            least,
            known: known.as_ref().map(|known| &known.matrix),
            now: &now.matrix,
            new: new.as_ref(),
            rounds,
        };
        if self.json {
            let mut document = summary.to_json();
            document["verdict"] = json!(verdict.word());
            document["method"] = json!(verdict.method());
            document["interrupted"] = json!(interrupted);
            output::print(&document.to_string())?;
        } else {
            documents.report(&format!("{}\n{} by {}", summary.text(), verdict.word(), verdict.method()))?;
        }
        let file = MatrixFile {
            verification: Some(design::verification(&verdict, &now.matrix)),
            matrix: now.matrix,
            b: Some(self.b),
            construction: Some(construction),
        };
        if let Some(path) = &self.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if interrupted {
            if let (Some(path), false) = (&self.state, common.quiet) {
                output::remark!("interrupted: the same command goes on from {}", path.display());
            }
            return Ok(Ending::Undecided);
        }
        Ok(ending(&verdict))
    }

    fn report_nothing(&self, demand: &Demand, least: &Limits, rounds: u64) -> anyhow::Result<()> {
        if self.json {
            let document = json!({
                "n": demand.n, "k": demand.k, "b": demand.b, "max_load": self.wish.max_load, "known": null,
                "ones": null, "found": null, "seeds": rounds, "at_least": least_json(least),
            });
            return output::print(&document.to_string());
        }
        output::print(&format!(
            "No such code was found in {rounds} rounds, and none is known; that there is none is not proven.\n{}",
            least_text(least)
        ))
    }
}

/// Adds a family to a catalogue, whose other lines stay as they are.
fn add_to(path: &Path, new: &Block) -> anyhow::Result<()> {
    let mut text = if path.exists() {
        std::fs::read_to_string(path).with_context(|| path.display().to_string())?
    } else {
        String::new()
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    output::write(path, format!("{text}{new}\n").as_bytes())
}

fn describe(g: &AllocationMatrix) -> String {
    format!("{} ones, heaviest load {}", g.ones(), Demand::heaviest(g))
}

fn least_text(least: &Limits) -> String {
    let Limits { ones, max_load } = least;
    format!(
        "No tolerant code of these sizes and loads has fewer than {} ones ({}) or a heaviest load below {} ({}).",
        ones.least, ones.name, max_load.least, max_load.name
    )
}

fn least_json(least: &Limits) -> serde_json::Value {
    let each = |limit: &Limit| json!({"least": limit.least, "rule": limit.name, "source": limit.source});
    json!({"ones": each(&least.ones), "max_load": each(&least.max_load)})
}

/// What came of a search.
struct Summary<'a> {
    demand: Demand,
    least: Limits,
    known: Option<&'a AllocationMatrix>,
    now: &'a AllocationMatrix,
    new: Option<&'a Block>,
    rounds: u64,
}

impl Summary<'_> {
    /// Algorithm 1's ones, where it has these sizes.
    fn paper(&self) -> Option<usize> {
        let Demand { n, k, b, .. } = self.demand;
        (n == k && b > 0).then(|| Algorithm1::new(n, b).ok()).flatten().map(|code| code.ones())
    }

    /// Whether a bound says that nothing is better.
    fn optimal(&self) -> bool {
        let (ones, load) = (
            self.now.ones() == self.least.ones.least,
            Demand::heaviest(self.now) == self.least.max_load.least,
        );
        match self.demand.objective {
            Objective::Ones => ones,
            Objective::MaxLoad => load,
            Objective::Lexicographic => ones && load,
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let Demand { n, k, b, .. } = self.demand;
        json!({
            "n": n, "k": k, "b": b, "algorithm1": self.paper(), "known": self.known.map(AllocationMatrix::ones),
            "ones": self.now.ones(), "max_load": Demand::heaviest(self.now), "optimal": self.optimal(),
            "at_least": least_json(&self.least), "found": self.new.map(Block::to_string), "seeds": self.rounds,
        })
    }

    fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["code", "ones", "r", "heaviest"]);
        let n = self.demand.n;
        let mut add = |name: &str, ones: usize, heaviest: usize| {
            table.add_row([
                name.to_owned(),
                ones.to_string(),
                format!("{:.4}", ones as f64 / n as f64),
                heaviest.to_string(),
            ]);
        };
        if let Some(ones) = self.paper() {
            add("Algorithm 1", ones, n);
        }
        if let Some(known) = self.known {
            add("known before", known.ones(), Demand::heaviest(known));
        }
        add("now", self.now.ones(), Demand::heaviest(self.now));
        let standing =
            if self.optimal() { "Optimal: nothing is better." } else { "Not proven to be the best." };
        format!("{table}\n{standing} {}", least_text(&self.least))
    }
}
