//! `ecode frontier`: what fewer wrong signs cost.

use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::ensure;
use clap::{Args, ValueHint};
use ecode::analysis::{Adversary, Kind, Profile, enumerate};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{
    Bernoulli, Demand, algorithm1, bernoulli, best_for, blocks, cyclic, default_partitions, repetition,
    uncoded,
};
use ecode::report::{
    Frontier, FrontierPoint, Peer, frontier_csv, frontier_json, frontier_page, frontier_svg, frontier_text,
};
use ecode::search::{BudgetRequest, BudgetRun, budget_catalogue};
use ecode::verify::Control;
use rayon::prelude::*;

use super::common::Common;
use super::ending::{Ending, Stopped};
use super::output::{self, Documents};
use super::watch;

/// The least probability of a wrong sign for each redundancy, beside other codes
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode frontier --n 15 --b 3\n  \
                        ecode frontier --n 15 --b 3 --q 0.0555 --html frontier.html --csv frontier.csv\n  \
                        ecode frontier --n 9 --b 2 --redundancy 2,3,4 --rounds 4 --timeout 5m\n\n\
                        Each code is searched as by `ecode design --redundancy`, from the one before it. For every \
                        redundancy there are two: one with any loads, and one whose workers hold about the same. Ctrl-C \
                        prints the codes that were finished; exit code 3.")]
pub(crate) struct FrontierCommand {
    /// Workers, up to 25
    #[arg(long)]
    n: usize,
    /// Byzantine workers, those that hurt most on each message
    #[arg(long)]
    b: usize,
    /// Data partitions, up to 25 [default: n; n − 1 where n is even]
    #[arg(long)]
    k: Option<usize>,
    /// Each partition's sign is wrong with this probability
    #[arg(long, default_value_t = 0.1)]
    q: f64,
    /// The redundancies [default: 1, 1.4, 2, 2.5, 3, 4, 5, … below that of the best tolerant code]
    #[arg(long, value_name = "R,…", value_delimiter = ',')]
    redundancy: Vec<f64>,
    /// Rounds of the search for each code
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    rounds: u64,
    /// Bernoulli codes that are drawn for each redundancy, all their rows odd
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    draws: u64,
    /// The random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin with random codes, not with what the catalogue has
    #[arg(long)]
    from_nothing: bool,
    /// Write comma-separated values here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    csv: Option<PathBuf>,
    /// Write the chart here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    svg: Option<PathBuf>,
    /// Write a page with chart, table and codes here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The most workers and partitions: all messages are counted.
const MOST: usize = 25;

impl FrontierCommand {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = Documents::new(&[
            Documents::json(self.json),
            ("--csv", self.csv.as_deref()),
            ("--svg", self.svg.as_deref()),
            ("--html", self.html.as_deref()),
        ])?;
        ensure!((1..=MOST).contains(&self.n), "--n {}: expected 1 to {MOST} workers", self.n);
        let k = self.k.unwrap_or_else(|| default_partitions(self.n, self.b));
        ensure!((1..=MOST).contains(&k), "--k {k}: expected 1 to {MOST} partitions");
        for &redundancy in &self.redundancy {
            ensure!(
                redundancy >= 1.0 && redundancy <= k as f64,
                "--redundancy {redundancy}: expected numbers from 1 to k = {k}"
            );
        }
        self.request(k, 1.0, k).check()?;
        let control = common.control();
        let message = Mutex::new(String::new());
        let (frontier, complete) =
            watch::with_message(&control, common.quiet, &message, || self.work(k, &control, &message))?;
        for (path, text) in [
            (&self.csv, frontier_csv as fn(&Frontier) -> String),
            (&self.svg, frontier_svg),
            (&self.html, frontier_page),
        ] {
            if let Some(path) = path {
                output::write(path, text(&frontier).as_bytes())?;
            }
        }
        if self.json {
            output::print(&frontier_json(&frontier).to_string())?;
        } else {
            documents.report(&frontier_text(&frontier))?;
        }
        Ok(if complete { Ending::Done } else { Ending::Undecided })
    }

    fn request(&self, k: usize, redundancy: f64, max_load: usize) -> BudgetRequest {
        let ones = (redundancy * self.n as f64 + 1e-9) as usize;
        BudgetRequest {
            k,
            max_load,
            qs: vec![self.q],
            seed: self.seed,
            ..BudgetRequest::new(self.n, self.b, ones)
        }
    }

    /// All codes, and whether none is missing.
    fn work(&self, k: usize, control: &Control, message: &Mutex<String>) -> anyhow::Result<(Frontier, bool)> {
        let tolerant = self.tolerant(k);
        let mut frontier = Frontier { b: self.b, q: self.q, points: Vec::new(), peers: Vec::new() };
        let redundancies = self.redundancies(k, tolerant.as_ref());
        // Codes with like loads, and with any: each goes on from those before.
        let mut before: [Option<AllocationMatrix>; 2] = [None, None];
        for &redundancy in &redundancies {
            let like = (redundancy - 1e-9).ceil() as usize | 1;
            for (at, max_load) in [like.min(k), k].into_iter().enumerate() {
                if at == 0 && max_load == k {
                    continue;
                }
                if let Ok(mut message) = message.lock() {
                    *message = format!("r = {redundancy}, loads up to {max_load}");
                }
                let known: Vec<AllocationMatrix> = before[..=at].iter().flatten().cloned().collect();
                let Some(point) = self.search(&self.request(k, redundancy, max_load), known, control)? else {
                    break;
                };
                before[at] = Some(point.matrix.clone());
                // Twice the same code: once with what is known of draws.
                if at == 1 {
                    frontier.points.retain(|other| other.matrix != point.matrix);
                }
                frontier.points.push(point);
            }
            if control.stopped() {
                break;
            }
        }
        if frontier.points.is_empty() {
            return Err(Stopped("any code was found".into()).into());
        }
        let complete = !control.stopped();
        // What others make of it, as far as there is time.
        for (name, matrix) in self.others(k, tolerant) {
            if let Some(error) = self.error(&matrix, control) {
                frontier.peers.push(Peer { name, matrix, error });
            }
        }
        Ok((frontier, complete && !control.stopped()))
    }

    /// The best code of some rounds; none where it was stopped before the first was over.
    fn search(
        &self,
        request: &BudgetRequest,
        mut known: Vec<AllocationMatrix>,
        control: &Control,
    ) -> anyhow::Result<Option<FrontierPoint>> {
        let listed = budget_catalogue().iter().filter(|entry| entry.b == self.b && !self.from_nothing);
        known.extend(listed.map(|entry| entry.matrix.clone()));
        let mut run = BudgetRun::new(request.clone(), &known)?;
        while run.rounds() < self.rounds && !run.settled() && !control.stopped() {
            run.advance(&|| control.stopped())?;
        }
        let Some(best) = run.best().filter(|_| run.rounds() == self.rounds || run.settled()) else {
            return Ok(None);
        };
        // Draws take the redundancy that was asked for.
        let bernoulli = if request.max_load >= request.k { self.drawn(request, control) } else { None };
        Ok(Some(FrontierPoint {
            matrix: best.matrix.clone(),
            max_load: request.max_load,
            error: best.value,
            least: run.least()[0],
            bernoulli,
        }))
    }

    /// Mean, 5 and 95 % of the errors of Bernoulli codes.
    fn drawn(&self, request: &BudgetRequest, control: &Control) -> Option<[f64; 3]> {
        let (n, k) = (request.n, request.k);
        let p = request.ones as f64 / (n * k) as f64;
        let draw = |draw: u64| {
            let how = Bernoulli { n, k, p, seed: self.seed, draw, redraw_empty: false, odd_rows: true };
            self.error(&bernoulli(how).ok()?, control)
        };
        let mut errors: Vec<f64> = (0..self.draws).into_par_iter().map(draw).collect::<Option<_>>()?;
        errors.sort_by(f64::total_cmp);
        let part = |part: f64| errors.get((part * errors.len() as f64) as usize).copied();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        Some([mean, part(0.05)?, part(0.95)?])
    }

    /// The probability of a wrong sign, by what `ecode analyze` counts with; none where there is no time.
    fn error(&self, g: &AllocationMatrix, control: &Control) -> Option<f64> {
        let profile = Profile::exact(&enumerate(g, control).ok()?, TieRule::Adversarial);
        let errors = profile.errors(Kind::Sign, Adversary::Adaptive, &[self.q], control).ok()?;
        Some(errors[0].worst().get(self.b)?.value())
    }

    fn tolerant(&self, k: usize) -> Option<AllocationMatrix> {
        let demand = Demand { k, max_load: k, ..Demand::square(self.n, self.b) };
        Some(best_for(&demand, blocks()).ok()??.matrix)
    }

    fn redundancies(&self, k: usize, tolerant: Option<&AllocationMatrix>) -> Vec<f64> {
        if !self.redundancy.is_empty() {
            let mut all = self.redundancy.clone();
            all.sort_by(f64::total_cmp);
            return all;
        }
        let most = tolerant.map_or(k as f64, AllocationMatrix::redundancy);
        let more = (4..=k).map(|r| r as f64);
        [1.0, 1.4, 2.0, 2.5, 3.0].into_iter().chain(more).filter(|&r| r < most).collect()
    }

    /// Codes of others, by what they cost.
    fn others(&self, k: usize, tolerant: Option<AllocationMatrix>) -> Vec<(String, AllocationMatrix)> {
        let n = self.n;
        let mut all: Vec<(String, AllocationMatrix)> = Vec::new();
        let mut add = |name: &str, made: Option<AllocationMatrix>| {
            all.extend(made.filter(|g| g.k() == k).map(|g| (name.to_owned(), g)));
        };
        add("uncoded", uncoded(n).ok());
        for r in (3..=k.min(9)).step_by(2) {
            add("cyclic", cyclic(n, r).ok());
            add("repetition", repetition(n, r).ok());
        }
        add("Algorithm 1", (n == k).then(|| algorithm1(n, self.b).ok()).flatten());
        add("tolerant, fewest ones known", tolerant);
        all
    }
}
