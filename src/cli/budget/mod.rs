//! `ecode design --redundancy R`: the code for a price that decodes the wrong sign least often.

mod check;
mod promise;
mod qs;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, ValueHint};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Demand, Specification, best_for, blocks};
use ecode::format::{Format, MatrixFile, is_stdout, verification_json};
use ecode::report::probability;
use ecode::search::{BudgetRequest, BudgetRun, Budgeted, Liars};
use ecode::verify::{Control, Verdict};

use super::common::{Common, parse_time};
use super::construct::{SEARCHED, remark_on_partitions};
use super::ending::Ending;
use super::output::{self, Documents};
use super::search::StateFile;
use super::verify::How;
use super::{values, watch};
pub(crate) use promise::{liars, promise};
pub(crate) use qs::Qs;
use summary::Summary;

/// What a search for a budgeted code takes beside sizes and limits.
#[derive(Args)]
pub(crate) struct BudgetFlags {
    /// With --redundancy: each partition's sign is wrong with this probability; FROM..TO counts the geometric mean of the
    /// error over a range, A,B,… over a list [default: 0.1]
    #[arg(long, value_name = "Q", requires = "redundancy")]
    q: Option<Qs>,
    /// With --redundancy: the liars are those that hurt most on each message, the worst set for the code, or any
    /// [default: adaptive]
    #[arg(long, value_name = "WHO", requires = "redundancy",
        value_parser = values::any_of::<Liars>(&["adaptive", "fixed", "random"]))]
    liars: Option<Liars>,
    /// With --redundancy or --distortion: how long to look [default: 60s, without an end where --rounds says it]
    #[arg(long, value_parser = parse_time, requires = SEARCHED)]
    time: Option<Duration>,
    /// With --redundancy or --distortion: end after so many rounds in all: the same rounds find the same, however long they
    /// take
    #[arg(long, requires = SEARCHED, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: Option<u64>,
    /// With --redundancy: keep the state here after every round, and go on from there where the file exists
    #[arg(long, value_name = "FILE", requires = "redundancy", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// With --redundancy: begin with random codes, not with what the catalogue has
    #[arg(long, requires = "redundancy")]
    from_nothing: bool,
}

/// Where the answer goes, and how its radius is found.
pub(crate) struct Asked<'a> {
    pub(crate) specification: &'a Specification,
    pub(crate) seed: Option<u64>,
    pub(crate) stragglers: Option<usize>,
    pub(crate) how: &'a How,
    pub(crate) output: Option<&'a Path>,
    pub(crate) json: bool,
}

/// After an interruption the radius is looked for no longer than this.
const LAST_CHECK: Duration = Duration::from_millis(500);

impl BudgetFlags {
    pub(crate) fn run(&self, asked: &Asked, common: &Common) -> anyhow::Result<Ending> {
        let read_again = self.state.as_deref().is_some_and(is_stdout);
        ensure!(!read_again, "--state: it is read again; give it a file");
        let documents = Documents::new(&[
            Documents::json(asked.json),
            ("--output", asked.output),
            ("--state", self.state.as_deref()),
        ])?;
        let request = self.request(asked)?;
        let remark = remark_on_partitions(asked.specification.arguments.reduced_from(), "--k");
        if let (Some(remark), false) = (remark, common.quiet) {
            output::remark!("{remark}");
        }
        let control = common.control();
        let known = if self.from_nothing { Vec::new() } else { known(asked.specification, &request) };
        let state = self.state.clone().map(StateFile::open).transpose()?;
        let kept = match &state {
            Some(state) => {
                let resume = |text: &str| BudgetRun::resume(request.clone(), text);
                state.resume(resume, common.quiet, &control)?
            }
            None => None,
        };
        let mut run = match kept {
            Some(run) => run,
            None => BudgetRun::new(request.clone(), &known)?,
        };
        let before = run.best().cloned();
        let found = self.look(&mut run, state.as_ref(), &control, common)?;
        let interrupted = control.stopped();
        let errors = check::confirmed(&found, &request, &control)?;
        let verdict = radius(&found.matrix, asked.how, &control, common)?;
        let summary = Summary {
            request: &request,
            found: &found,
            errors,
            before: before.as_ref(),
            least: run.least(),
            rounds: run.rounds(),
        };
        let construction = summary.provenance(asked.specification.arguments.real("redundancy"));
        let text = summary.text(&verdict);
        let verification = Some(verification_json(&verdict, &found.matrix));
        // No b: nothing is claimed to be tolerated.
        let matrix = found.matrix.clone();
        let file = MatrixFile { matrix, b: None, construction: Some(construction), verification };
        if let Some(path) = asked.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if asked.json {
            output::print(&String::from_utf8_lossy(&file.to_bytes(Format::Json)))?;
        } else {
            documents.report(&text)?;
        }
        if interrupted {
            if let (Some(path), false) = (&self.state, common.quiet) {
                output::remark!("interrupted: the same command goes on from {}", path.display());
            }
            return Ok(Ending::Undecided);
        }
        Ok(Ending::Done)
    }

    /// How long to look.
    pub(crate) fn limit(&self) -> Duration {
        match (self.time, self.rounds) {
            (Some(time), _) => time,
            (None, Some(_)) => Duration::MAX,
            (None, None) => Duration::from_secs(60),
        }
    }

    fn request(&self, asked: &Asked) -> anyhow::Result<BudgetRequest> {
        let arguments = &asked.specification.arguments;
        let (n, k, b) = (arguments.needed("n")?, arguments.partitions()?, arguments.needed("b")?);
        let redundancy = arguments.real("redundancy").unwrap_or(1.0);
        let request = BudgetRequest {
            k,
            stragglers: asked.stragglers.unwrap_or(0),
            max_load: arguments.whole("max-load").unwrap_or(k),
            qs: self.q.clone().unwrap_or_default().list(),
            liars: self.liars.unwrap_or_default(),
            seed: asked.seed.unwrap_or(1),
            // 1.4·15 is 20.999… in doubles.
            ..BudgetRequest::new(n, b, (redundancy * n as f64 + 1e-9) as usize)
        };
        request.check()?;
        check::confirmable(&request)?;
        Ok(request)
    }

    /// Searches until time or rounds are over, or nothing can be better. Returns the best, be it from a round cut
    /// short.
    fn look(
        &self,
        run: &mut BudgetRun,
        state: Option<&StateFile>,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Budgeted> {
        let search = control.within(self.limit());
        let message = Mutex::new(String::new());
        let keep = |run: &BudgetRun| state.map_or(Ok(()), |state| state.write(run.to_json()));
        keep(run)?;
        let found =
            watch::with_message(&search, common.quiet, &message, || -> anyhow::Result<Option<Budgeted>> {
                let mut found = run.best().cloned();
                loop {
                    let over = search.stopped() || self.rounds.is_some_and(|rounds| run.rounds() >= rounds);
                    // Without any code yet, a round cut short gives one.
                    if found.is_some() && (over || run.settled()) {
                        return Ok(found);
                    }
                    if let Some(better) = run.advance(&|| search.stopped())? {
                        found = Some(better);
                    }
                    keep(run)?;
                    let best = found.as_ref().map_or("none yet".to_owned(), |best| probability(best.value));
                    if let Ok(mut message) = message.lock() {
                        *message =
                            format!("round {}, wrong signs of the best so far: {best}", run.rounds() + 1);
                        if common.verbose {
                            output::remark!("{message}");
                        }
                    }
                }
            })?;
        found.ok_or_else(|| anyhow::Error::msg("no code was found"))
    }
}

/// Codes that a search may begin with: the best one that the catalogue has within the budget, and a tolerant one.
fn known(specification: &Specification, request: &BudgetRequest) -> Vec<AllocationMatrix> {
    let listed = specification.build(TieRule::Adversarial, &[]).ok().map(|built| built.matrix);
    let demand = Demand { k: request.k, max_load: request.max_load, ..Demand::square(request.n, request.b) };
    let tolerant = best_for(&demand, blocks()).ok().flatten().map(|known| known.matrix);
    listed.into_iter().chain(tolerant).collect()
}

/// What the code tolerates after all: an interruption ends that, too, within [`LAST_CHECK`].
fn radius(g: &AllocationMatrix, how: &How, control: &Control, common: &Common) -> anyhow::Result<Verdict> {
    let last = Control::default().within(LAST_CHECK);
    let control = if control.stopped() { &last } else { control };
    how.decide(g, None, None, control, common.quiet)
}
