//! `ecode design`: make a code, verify it, report it, keep it.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{
    Algorithm1, Bernoulli, Block, Demand, Disjoint, Gluing, algorithm1, bernoulli, best_for, blocks, cyclic,
    full, repetition, uncoded,
};
use ecode::format::{Format, MatrixFile, verdict_json};
use ecode::search::{Limit, bounds, limits};
use ecode::verify::Verdict;
use serde_json::{Value, json};

use super::search::Wish;
use super::verify::{How, ending, report};
use super::{Common, Ending, input, output, watch};

/// Construct an allocation matrix, verify it, and report it
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode design --n 9 --b 2 -o matrix.json\n  \
                        ecode design --construction bernoulli --n 9 --b 2 --mean-redundancy 6 --odd-rows --draws 10000\n  \
                        ecode design --construction repetition --n 9 --group 3 --b 1\n\n\
                        What is written says what was verified. A code that does not tolerate b is written as \
                        refuted, with the counterexample, and the exit code is 1.")]
pub(crate) struct Design {
    /// Workers
    #[arg(long)]
    n: usize,
    /// Byzantine workers to tolerate
    #[arg(long)]
    b: usize,
    /// How the matrix is made
    #[arg(long, value_enum, default_value_t = Construction::Best)]
    construction: Construction,
    #[command(flatten)]
    wish: Wish,
    /// bernoulli: the probability of a one
    #[arg(long, conflicts_with = "mean_redundancy")]
    p: Option<f64>,
    /// bernoulli: mean partitions per worker, p = r/k
    #[arg(long, value_name = "R")]
    mean_redundancy: Option<f64>,
    /// bernoulli: the random seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// bernoulli: try up to this many draws until one tolerates b
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    draws: u64,
    /// bernoulli: draw an empty row again
    #[arg(long)]
    redraw_empty: bool,
    /// bernoulli: flip one entry of every row of even weight
    #[arg(long)]
    odd_rows: bool,
    /// repetition: workers per group
    #[arg(long, value_name = "G")]
    group: Option<usize>,
    /// cyclic: consecutive partitions per worker
    #[arg(long, value_name = "D")]
    degree: Option<usize>,
    /// best and gluing: families of rows of your own, as `ecode search --catalogue` keeps them
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Write the verified matrix here (json, csv, tsv, txt, npy, npz, mtx, alist by extension), or - for standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the matrix as one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Construction {
    /// The best among all that is known
    Best,
    /// The paper's deterministic code (n odd)
    Algorithm1,
    /// Small blocks glued together: fewer ones than algorithm1 (n odd, b ≥ 1)
    Gluing,
    /// Rows that share no partition, beside full ones (n odd, b ≥ 1)
    Disjoint,
    /// Every entry 1 with probability p
    Bernoulli,
    /// Each worker its own partition
    Uncoded,
    /// Every worker holds everything
    Full,
    /// Groups of workers share their partitions (DRACO, DETOX)
    Repetition,
    /// Each worker consecutive partitions (gradient coding)
    Cyclic,
}

impl Design {
    /// Builds draw number `draw`, with its description for the file.
    fn build(&self, draw: u64) -> anyhow::Result<(AllocationMatrix, Value)> {
        let (n, b) = (self.n, self.b);
        let k = self.wish.k.unwrap_or(n);
        let best = self.construction == Construction::Best;
        ensure!(
            k == n || best || matches!(self.construction, Construction::Bernoulli | Construction::Full),
            "--k {k}: only best, bernoulli and full take k other than n"
        );
        ensure!(
            best || !self.wish.beyond_sizes(),
            "--max-load, --balanced and --objective choose among all codes: they take --construction best"
        );
        Ok(match self.construction {
            Construction::Algorithm1 => (algorithm1(n, b)?, json!({"name": "algorithm1", "n": n, "b": b})),
            Construction::Best => {
                let demand = self.wish.demand(n, b, self.how.ties)?;
                limits(&demand)?;
                let code = best_for(&demand, &self.blocks()?)?.with_context(|| {
                    format!("no code is known in which nobody holds more than {} partitions: 'ecode search' looks for one", demand.max_load)
                })?;
                let made = code.to_json();
                (code.matrix, made)
            }
            Construction::Gluing => {
                let code = Gluing::with_blocks(n, b, &self.blocks()?)?;
                let parts = code.shape.to_json();
                (code.matrix, json!({"name": "gluing", "n": n, "b": b, "parts": parts}))
            }
            Construction::Disjoint => {
                (Disjoint::new(n, b)?.matrix()?, json!({"name": "disjoint", "n": n, "b": b}))
            }
            Construction::Uncoded => (uncoded(n)?, json!({"name": "uncoded", "n": n})),
            Construction::Full => (full(n, k)?, json!({"name": "full", "n": n, "k": k})),
            Construction::Repetition => {
                let group = self.group.context("repetition needs --group G, the workers per group")?;
                (repetition(n, group)?, json!({"name": "repetition", "n": n, "group": group}))
            }
            Construction::Cyclic => {
                let degree = self.degree.context("cyclic needs --degree D, the partitions per worker")?;
                (cyclic(n, degree)?, json!({"name": "cyclic", "n": n, "degree": degree}))
            }
            Construction::Bernoulli => {
                let p = match (self.p, self.mean_redundancy) {
                    (Some(p), _) => p,
                    (None, Some(r)) => r / k as f64,
                    (None, None) => {
                        anyhow::bail!("bernoulli needs --p P or --mean-redundancy R (p = R/k)")
                    }
                };
                let (seed, redraw_empty, odd_rows) = (self.seed, self.redraw_empty, self.odd_rows);
                let matrix = bernoulli(Bernoulli { n, k, p, seed, draw, redraw_empty, odd_rows })?;
                let made = json!({
                    "name": "bernoulli", "n": n, "k": k, "p": p, "seed": seed, "draw": draw,
                    "redraw_empty": redraw_empty, "odd_rows": odd_rows,
                });
                (matrix, made)
            }
        })
    }

    /// The program's families of rows and the user's own.
    fn blocks(&self) -> anyhow::Result<Vec<Block>> {
        let mut known = blocks().to_vec();
        if let Some(path) = &self.catalogue {
            known.extend(input::blocks(path)?);
        }
        Ok(known)
    }

    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        ensure!(self.b <= self.n, "--b {}: there are only n = {} workers", self.b, self.n);
        let documents = output::Documents::new(&[
            output::Documents::json(self.json),
            ("--output", self.output.as_deref()),
        ])?;
        let format = self.output.as_deref().map(|path| Format::of_path(path).unwrap_or(Format::Json));
        let control = common.control();
        let draws = if self.construction == Construction::Bernoulli { self.draws } else { 1 };
        let progress = watch::Draws::new(draws, common.quiet);
        let mut draw = 0;
        let (matrix, construction, verdict) = loop {
            let (matrix, construction) = self.build(draw)?;
            // Draws have a bar of their own.
            let quiet = common.quiet || draws > 1;
            let verdict = self.how.decide(&matrix, Some(self.b), Some(&construction), &control, quiet)?;
            draw += 1;
            progress.advance();
            if verdict.is_tolerant() || draw == draws || control.stopped() {
                break (matrix, construction, verdict);
            }
        };
        drop(progress);
        if draws > 1 && !common.quiet {
            let outcome = if verdict.is_tolerant() { "tolerant" } else { "none tolerant" };
            output::remark!("{draw} of at most {draws} draws: {outcome}");
        }
        if !common.quiet && !matrix.empty_workers().is_empty() {
            output::remark!("note: workers {} hold no partition", matrix.empty_workers());
        }
        // Under `abstain` the bounds speak of odd loads only.
        let spoken_of = self.how.ties != TieRule::Abstain || matrix.all_loads_odd();
        let tolerant = verdict.is_tolerant();
        let load = if tolerant && self.construction == Construction::Best {
            self.wish.lightest(self.n, self.b, self.how.ties)?
        } else {
            None
        };
        let remark = (tolerant && spoken_of).then(|| standing(&matrix, self.b)).flatten();
        let remark: Vec<String> =
            remark.into_iter().chain(load.map(|least| heaviest_beside(&matrix, least))).collect();
        let remark = (!remark.is_empty()).then(|| remark.join("\n"));
        let text = report(&matrix, &verdict, Some(self.b), remark.as_deref());
        let ending = ending(&verdict);
        let verification = Some(verification(&verdict, &matrix));
        let mut construction = construction;
        if let Some(least) = load {
            construction["max_load"] = json!({"heaviest": Demand::heaviest(&matrix), "at_least": least.least, "source": least.source});
        }
        let file = MatrixFile { matrix, b: Some(self.b), construction: Some(construction), verification };
        if let (Some(path), Some(format)) = (&self.output, format) {
            output::write(path, &file.to_bytes(format))?;
        }
        if self.json {
            output::print(&String::from_utf8_lossy(&file.to_bytes(Format::Json)))?;
        } else if documents.on_stdout() {
            documents.report(&text)?;
        } else {
            output::print_verdict(&text);
        }
        Ok(ending)
    }
}

/// The heaviest load beside what no tolerant code goes below.
fn heaviest_beside(g: &AllocationMatrix, least: Limit) -> String {
    let heaviest = Demand::heaviest(g);
    let Limit { least, name, .. } = least;
    if heaviest == least {
        format!("Heaviest load: {heaviest}. No tolerant code has a lighter one ({name}).")
    } else {
        format!("Heaviest load: {heaviest}. No tolerant code has one below {least} ({name}).")
    }
}

/// A tolerant code's ones beside Algorithm 1's and the strongest lower bound, where these speak of it.
fn standing(g: &AllocationMatrix, b: usize) -> Option<String> {
    if g.n() != g.k() {
        return None;
    }
    let paper = Algorithm1::new(g.n(), b).ok()?.ones();
    let bound = bounds(g.n(), b).ok()?.pop()?;
    let with_r = |ones: usize| format!("{ones} (r = {:.2})", ones as f64 / g.n() as f64);
    let least = if g.ones() == bound.ones {
        "No tolerant code has fewer".to_owned()
    } else {
        format!("No tolerant code has fewer than {}", with_r(bound.ones))
    };
    Some(format!("Ones: {}. Algorithm 1: {}. {least}.", with_r(g.ones()), with_r(paper)))
}

/// What a matrix file says of its verification.
pub(crate) fn verification(verdict: &Verdict, g: &AllocationMatrix) -> Value {
    let mut stored = json!({
        "verdict": verdict.word(),
        "b": verdict.b(),
        "radius": verdict.radius().exactly(),
        "ties": verdict.ties().name(),
        "method": verdict.method(),
    });
    if verdict.is_refuted() {
        stored["counterexample"] = verdict_json(verdict, g)["counterexample"].take();
    }
    stored
}
