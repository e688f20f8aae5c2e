//! `ecode search`: look for a better code.

mod catalogue;
mod exact;
mod state;
mod summary;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, ValueHint};
use ecode::code::AllocationMatrix;
use ecode::construct::{Block, Demand, KnownCode, best_for, blocks};
use ecode::format::{Format, MatrixFile, verification_json};
use ecode::search::{Bounds, SearchRequest, SearchRun, bounds_for};
use ecode::verify::{Control, Verdict};
use serde_json::{Value, json};

use super::common::{Common, parse_time};
use super::construct::remark_on_partitions;
use super::demand::{DemandFlags, report_impossible};
use super::ending::Ending;
use super::output::Documents;
use super::verify::{How, ending};
use super::{output, watch};
pub(super) use state::StateFile;
use summary::{Summary, report_nothing};

/// Look for a better code than any known
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode search --n 11 --b 2 --time 20s\n  \
                        ecode search --n 15 --b 2 --time 10m --catalogue mine.txt -o better.json\n  \
                        ecode search --n 15 --b 2 --time 8h --state search.json    (again, to go on)\n  \
                        ecode search --n 17 --b 4 --disjoint-loads 1,3,3 --time 20s\n  \
                        ecode search --n 25 --b 3 --local-rows 6 --local-load 7 --rounds 1\n  \
                        ecode search --n 21 --b 1 --afresh --time 60s\n  \
                        ecode search --n 101 --b 3 --part 15 --time 5m --catalogue mine.txt\n  \
                        ecode search --n 15 --k 7 --b 2 --max-load 3 --time 20s\n  \
                        ecode search --n 12 --k 7 --b 1 --balanced --time 20s\n  \
                        ecode search --n 11 --b 1 --exact\n\n\
                        Simulated annealing, over the rows of the partitions that no dictator holds or, with --k, \
                        --max-load or --objective, over whole codes. What is found is verified like any other \
                        code. The search ends where a bound says that nothing is better. Exit code 1: proven that no such \
                        code exists; 3: none found, or interrupted.")]
pub(crate) struct Search {
    /// Workers
    #[arg(long)]
    n: usize,
    /// Byzantine workers to tolerate
    #[arg(long)]
    b: usize,
    #[command(flatten)]
    demand: DemandFlags,
    /// How long to look [default: 60s, without an end where --rounds says it]
    #[arg(long, value_parser = parse_time)]
    time: Option<Duration>,
    /// End after so many rounds in all: the same rounds find the same, however long they take
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Look only for codes in which rows of these odd loads share no partition with others, as in 1,1,3,3,3
    #[arg(long, alias = "beside", value_name = "LOADS", value_delimiter = ',')]
    disjoint_loads: Vec<usize>,
    /// Look only for codes with so many rows that are neither full nor disjoint (beside t − b rows of load 1, or those of
    /// --disjoint-loads)
    #[arg(long, value_name = "Q", conflicts_with_all = ["part", "exact"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    local_rows: Option<usize>,
    /// With --local-rows: the largest load of such a row [default: 2b + 5]
    #[arg(long, value_name = "LOAD", requires = "local_rows")]
    local_load: Option<usize>,
    /// Begin from what the constructions make, without the codes that earlier searches found
    #[arg(long, conflicts_with_all = ["exact", "part"])]
    afresh: bool,
    /// Look only for a part of so many points that gluing can use (k = n, odd), for codes too large to search
    #[arg(long, value_name = "POINTS", conflicts_with_all = ["disjoint_loads", "exact"])]
    part: Option<usize>,
    /// Find the fewest ones of any code by exhaustion, whatever its shape (n = k odd, up to 15); --timeout ends it early
    #[arg(long, conflicts_with_all = ["time", "rounds", "state", "seed", "catalogue", "disjoint_loads", "k", "objective", "balanced"])]
    exact: bool,
    /// The random seed of the first round; the next rounds count on
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the state here after every round, and go on from there where the file exists
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// A catalogue of your own: read first, and what is better is added
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    catalogue: Option<PathBuf>,
    /// Write the best code here, verified
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// After an interruption the code at hand is verified for no longer than this.
const LAST_CHECK: Duration = Duration::from_millis(500);

impl Search {
    #[allow(clippy::too_many_lines, reason = "the order of the steps is the command; each is a call")]
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = self.documents()?;
        let demand = self.demand.demand(self.n, self.b, self.how.ties)?;
        if self.exact {
            return exact::run(&self, &demand, &documents, common);
        }
        if let Some(remark) = remark_on_partitions(self.demand.reduced_from(self.n, self.b), "--k")
            && !common.quiet
        {
            output::remark!("{remark}");
        }
        let least = match bounds_for(&demand) {
            Ok(least) => least,
            Err(error) => return report_impossible(&demand, error, self.json),
        };
        let control = common.control();
        let mut own = catalogue::read(self.catalogue.as_deref(), &control)?;
        let known = if self.afresh { &[] } else { blocks() };
        let code = |own: &[Block]| best_for(&demand, &[known, own].concat());
        let before = code(&own)?;
        let request = SearchRequest {
            demand,
            disjoint_loads: self.disjoint_loads.clone(),
            part: self.part,
            local: self.local_rows.map(|rows| (rows, self.local_load)),
            seed: self.seed,
        };
        let all = [known, &own].concat();
        let state = self.state.clone().map(StateFile::open).transpose()?;
        let kept = match &state {
            Some(state) => {
                let resume = |text: &str| SearchRun::resume(request.clone(), &all, text);
                state.resume(resume, common.quiet, &control)?
            }
            None => None,
        };
        let mut run = match kept {
            Some(run) => run,
            None => SearchRun::new(request, &all)?,
        };
        let begun = run.rounds();
        let settled = match &before {
            Some(code) => least.met_by(&demand, &code.matrix)?,
            None => false,
        };
        let found = if settled {
            if let Some(state) = &state {
                state.write(run.to_json())?;
            }
            None
        } else {
            self.look(&demand, &least, &mut run, &all, state.as_ref(), &control, common)?
        };
        let interrupted = control.stopped();
        let new = found.filter(|found| !own.contains(found));
        own.extend(new.clone());
        let now = code(&own)?;
        // A family that helps nothing is not kept.
        let price = |code: &Option<KnownCode>| code.as_ref().map(|code| demand.price(&code.matrix));
        let new =
            new.filter(|_| price(&now).is_some_and(|now| price(&before).is_none_or(|before| now < before)));
        let rounds = run.rounds() - begun;
        let Some(now) = now else {
            report_nothing(&demand, &least, rounds, self.json, &documents)?;
            return Ok(Ending::Undecided);
        };
        let construction = now.to_json();
        let verdict = self.decide(&now.matrix, &construction, &control, common)?;
        ensure!(!verdict.is_refuted(), "the code found is not tolerant");
        if let (Some(path), Some(new)) = (&self.catalogue, &new) {
            catalogue::add(path, new, &control)?;
        }
        if settled && !common.quiet {
            output::remark!(
                "nothing to look for: a bound says that nothing is better than the best code known"
            );
        }
        let optimal = least.met_by(&demand, &now.matrix)?;
        let summary = Summary {
            demand,
            least: shown(&demand, least, &now.matrix)?,
            before: before.as_ref().map(|before| &before.matrix),
            now: &now.matrix,
            new: new.as_ref(),
            rounds,
            optimal,
        };
        let document = self.json.then(|| {
            let mut document = summary.to_json();
            document["verdict"] = json!(verdict.word());
            document["method"] = json!(verdict.method());
            document["interrupted"] = json!(interrupted);
            document
        });
        let text = format!("{}\n{} by {}", summary.text(), verdict.word(), verdict.method());
        self.write(&MatrixFile {
            verification: Some(verification_json(&verdict, &now.matrix)),
            matrix: now.matrix,
            b: Some(self.b),
            construction: Some(construction),
        })?;
        match document {
            Some(document) => output::print(&document.to_string())?,
            None => documents.report(&text)?,
        }
        if interrupted {
            if let (Some(path), false) = (&self.state, common.quiet) {
                output::remark!("interrupted: the same command goes on from {}", path.display());
            }
            return Ok(Ending::Undecided);
        }
        Ok(ending(&verdict))
    }

    fn documents(&self) -> anyhow::Result<Documents> {
        for (option, path) in [("--state", &self.state), ("--catalogue", &self.catalogue)] {
            let read_again = path.as_deref().is_some_and(ecode::format::is_stdout);
            ensure!(!read_again, "{option}: it is read again; give it a file");
        }
        Documents::new(&[
            Documents::json(self.json),
            ("--output", self.output.as_deref()),
            ("--state", self.state.as_deref()),
            ("--catalogue", self.catalogue.as_deref()),
        ])
    }

    /// Searches until time or rounds are over, or a bound says that nothing is better than the best so far, which it
    /// returns, be it from a round cut short.
    #[allow(clippy::too_many_arguments, reason = "the parts of one search, each of its own kind")]
    fn look(
        &self,
        demand: &Demand,
        least: &Bounds,
        run: &mut SearchRun,
        blocks: &[Block],
        state: Option<&StateFile>,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Option<Block>> {
        let time = match (self.time, self.rounds) {
            (Some(time), _) => time,
            (None, Some(_)) => Duration::MAX,
            (None, None) => Duration::from_secs(60),
        };
        let search = control.within(time);
        let best = |found: Option<&Block>| {
            best_for(demand, &[blocks, found.map_or(&[], std::slice::from_ref)].concat())
        };
        let mut found: Option<Block> = run.best().cloned();
        let message = Mutex::new(String::new());
        let keep = |run: &SearchRun| state.map_or(Ok(()), |state| state.write(run.to_json()));
        keep(run)?;
        watch::with_message(&search, common.quiet, &message, || -> anyhow::Result<()> {
            let mut so_far = best(found.as_ref())?;
            loop {
                let optimal = match &so_far {
                    Some(code) => least.met_by(demand, &code.matrix)?,
                    None => false,
                };
                if optimal || search.stopped() || self.rounds.is_some_and(|rounds| run.rounds() >= rounds) {
                    return Ok(());
                }
                if let Some(better) = run.advance(&|| search.stopped())? {
                    so_far = best(Some(&better))?;
                    found = Some(better);
                }
                keep(run)?;
                let best = so_far.as_ref().map_or("none yet".to_owned(), |code| describe(&code.matrix));
                if let Ok(mut message) = message.lock() {
                    *message = format!("round {}, best so far: {best}", run.rounds() + 1);
                    if common.verbose {
                        output::remark!("{message}");
                    }
                }
            }
        })?;
        Ok(found)
    }

    /// Verifies the code at hand: an interruption ends that, too, within [`LAST_CHECK`].
    fn decide(
        &self,
        g: &AllocationMatrix,
        construction: &Value,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Verdict> {
        let last = Control::default().within(LAST_CHECK);
        let control = if control.stopped() { &last } else { control };
        self.how.decide(g, Some(self.b), Some(construction), control, common.quiet)
    }

    fn write(&self, file: &MatrixFile) -> anyhow::Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))
    }
}

/// The bounds as a code is compared with them: the ones among codes with its heaviest load, where that comes first.
fn shown(demand: &Demand, least: Bounds, g: &AllocationMatrix) -> anyhow::Result<Bounds> {
    if demand.objective != ecode::construct::Objective::Lexicographic {
        return Ok(least);
    }
    let same = Demand { max_load: Demand::heaviest(g), ..*demand };
    Ok(Bounds { ones: bounds_for(&same)?.ones, ..least })
}

fn describe(g: &AllocationMatrix) -> String {
    format!("{} ones, heaviest load {}", g.ones(), Demand::heaviest(g))
}
