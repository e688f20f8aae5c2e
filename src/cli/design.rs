//! `ecode design`: make a code, verify it, report it, keep it.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Built, Demand, Objective, Specification};
use ecode::format::{Format, MatrixFile, verification_json};
use ecode::search::{Bound, bounds, bounds_for};
use ecode::verify::{Control, Verdict};
use serde_json::json;

use super::assign;
use super::budget::{self, BudgetFlags};
use super::common::Common;
use super::construct::{self, ConstructionFlags};
use super::demand::report_impossible;
use super::detect::DetectFlags;
use super::domains::DomainsFlag;
use super::domains_design;
use super::ending::Ending;
use super::stragglers::Stragglers;
use super::verify::{How, ending, report};
use super::{output, watch};

/// Construct an allocation matrix, verify it, and report it
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode design --n 9 --b 2 -o matrix.json\n  \
                        ecode design --n 64 --b 2 --balanced\n  \
                        ecode design --n 9 --b 1 --stragglers 4     one liar and four missing votes\n  \
                        ecode design --construction bernoulli --n 9 --b 2 --mean-redundancy 6 --odd-rows --draws 10000\n  \
                        ecode design --construction repetition --n 9 --group 3 --b 1\n  \
                        ecode design --n 8 --b 1 --detect     what every way to the promise costs\n  \
                        ecode design --n 15 --b 1 --domains hosts.txt     any one host may lie, with all its workers\n  \
                        ecode design --n 15 --b 3 --redundancy 3 --time 1m     wrong least often for what can be paid\n  \
                        ecode design --n 15 --b 3 --redundancy 3 --max-load 5 --q 0.05..0.2 --liars random\n  \
                        ecode design --n 15 --k 25 --replicas 3 --distortion 6     6 liars overturn the fewest of 25 files\n\n\
                        What is written says what was verified. A code that does not tolerate b is written as \
                        refuted, with the counterexample, and the exit code is 1; so it is where no code can meet \
                        what is asked, which is then proven and nothing is written.")]
pub(crate) struct Design {
    #[command(flatten)]
    flags: ConstructionFlags,
    /// bernoulli: try up to this many draws until one tolerates b [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    draws: Option<u64>,
    /// So many votes may be missing besides: a code for b liars and S missing votes, whoever they are
    #[arg(long, value_name = "S", conflicts_with = "detect")]
    stragglers: Option<usize>,
    #[command(flatten)]
    detection: DetectFlags,
    #[command(flatten)]
    domains: DomainsFlag,
    #[command(flatten)]
    budget: BudgetFlags,
    #[command(flatten)]
    how: How,
    /// Write the verified matrix here (json, csv, tsv, txt, npy, npz, mtx, alist by extension), or - for standard output
    #[arg(long, short, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Print the matrix as one JSON document
    #[arg(long)]
    json: bool,
}

impl Design {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = output::Documents::new(&[
            output::Documents::json(self.json),
            ("--output", self.output.as_deref()),
        ])?;
        let specification = self.flags.specification()?;
        if self.flags.assigns {
            ensure!(
                self.stragglers.is_none() && self.draws.is_none() && !self.detection.detect,
                "--distortion: not with --stragglers, --draws or --detect, which are of votes"
            );
            ensure!(self.domains.domains.is_none(), "--distortion: not with --domains: it counts workers");
            let to = assign::To { output: self.output.as_deref(), json: self.json, documents: &documents };
            return assign::run(specification, self.flags.seed, &self.budget, &to, common);
        }
        if self.flags.searches {
            return self.search(specification, common);
        }
        if self.detection.detect {
            let domains = self.domains.read(specification.arguments.needed("n")?, &common.control())?;
            let to = self.output.as_deref();
            return self.detection.run(specification, to, self.json, common.quiet, domains.as_ref());
        }
        if let Some(path) = &self.domains.domains {
            return self.in_domains(specification, path, &documents, common);
        }
        self.build(specification, &documents, common)
    }

    /// A code by its construction, for b liars who may be anybody.
    fn build(
        &self,
        specification: &Specification,
        documents: &output::Documents,
        common: &Common,
    ) -> anyhow::Result<Ending> {
        let name = specification.construction.name;
        let drawn = specification.construction.parameter("draw").is_some();
        ensure!(drawn || self.draws.is_none(), "--draws is for bernoulli, not for the construction '{name}'");
        let (n, liars) = (specification.arguments.needed("n")?, specification.arguments.needed("b")?);
        ensure!(liars <= n, "--b {liars}: there are only n = {n} workers");
        let stragglers = self.stragglers.map(|missing| Stragglers::new(liars, missing));
        if let Some(both) = stragglers {
            ensure!(
                liars.checked_add(both.missing).is_some_and(|all| all <= n),
                "--stragglers {}: with {liars} liars that is more than the n = {n} workers",
                both.missing
            );
        }
        // A missing vote costs half of what a lie costs.
        let b = stragglers.map_or(liars, Stragglers::as_liars);
        let mut asked = specification.clone();
        if b != liars {
            asked.arguments.replace("b", &b.to_string())?;
        }
        let specification = &asked;
        if let Some(remark) = construct::remark_on_partitions(specification.arguments.reduced_from(), "--k")
            && !common.quiet
        {
            output::remark!("{remark}");
        }
        let demand = match name {
            "best" => Some(specification.arguments.demand(self.how.ties)?),
            _ => None,
        };
        let heaviest_bound = match &demand {
            None => None,
            Some(demand) => match bounds_for(demand) {
                Ok(bounds) => (demand.objective != Objective::Ones).then_some(bounds.max_load),
                Err(error) => return report_impossible(demand, error, self.json),
            },
        };
        let control = common.control();
        let (built, verdict, stopped) = self.draw(specification, b, &control, common)?;
        let Built { matrix, mut provenance, .. } = built;
        if !common.quiet && !matrix.empty_workers().is_empty() {
            output::remark!("note: workers {} hold no partition", matrix.empty_workers());
        }
        // Under `abstain` the bounds speak of odd loads only.
        let spoken_of = self.how.ties != TieRule::Abstain || matrix.all_loads_odd();
        let tolerant = verdict.is_tolerant();
        let mut remarks = Vec::new();
        if tolerant && spoken_of {
            remarks.extend(standing(&matrix, b));
        }
        if let Some(bound) = heaviest_bound.filter(|_| tolerant) {
            remarks.push(heaviest_beside(&matrix, &bound));
            provenance["max_load"] = json!({
                "heaviest": Demand::heaviest(&matrix), "at_least": bound.least, "source": bound.source,
            });
        }
        if let Some(both) = stragglers {
            remarks.push(both.sentence(&matrix, &verdict));
            if tolerant {
                let missing = both.missing;
                remarks.push(format!(
                    "Train with it: --byzantine {liars}; then {missing} votes may be missing in a step."
                ));
            }
        }
        let remark = (!remarks.is_empty()).then(|| remarks.join("\n"));
        let text = report(&matrix, &verdict, Some(b), remark.as_deref());
        let together = stragglers.map(|both| both.ending(&matrix, &verdict));
        let verification = Some(verification_json(&verdict, &matrix));
        let file = MatrixFile { matrix, b: Some(b), construction: Some(provenance), verification };
        if let Some(path) = &self.output {
            let format = Format::of_path(path).unwrap_or(Format::Json);
            output::write(path, &file.to_bytes(format))?;
        }
        if self.json {
            output::print(&String::from_utf8_lossy(&file.to_bytes(Format::Json)))?;
        } else if documents.on_stdout() {
            documents.report(&text)?;
        } else {
            output::print_verdict(&text);
        }
        // That one draw is refuted says nothing of those that were not made.
        Ok(if stopped { Ending::Undecided } else { together.unwrap_or(ending(&verdict)) })
    }

    /// Searches for a budgeted code.
    fn search(&self, specification: &Specification, common: &Common) -> anyhow::Result<Ending> {
        ensure!(!self.detection.detect, "--detect: not with --redundancy, which is of votes");
        ensure!(
            self.domains.domains.is_none(),
            "--domains: not with --redundancy, which is of workers alone"
        );
        ensure!(self.draws.is_none(), "--draws is for bernoulli, not for --redundancy");
        let asked = budget::Asked {
            specification,
            seed: self.flags.seed,
            stragglers: self.stragglers,
            how: &self.how,
            output: self.output.as_deref(),
            json: self.json,
        };
        self.budget.run(&asked, common)
    }

    /// A code for workers that share domains.
    fn in_domains(
        &self,
        specification: &Specification,
        path: &Path,
        documents: &output::Documents,
        common: &Common,
    ) -> anyhow::Result<Ending> {
        ensure!(
            self.stragglers.is_none() && self.draws.is_none(),
            "--domains: not with --stragglers or --draws, which speak of workers alone"
        );
        let to = domains_design::To { output: self.output.as_deref(), json: self.json, documents };
        domains_design::run(specification, path, &self.how, &to, common)
    }

    /// Builds and verifies: for a random code draw after draw, until one tolerates b or the draws are used up. Also
    /// whether it was stopped before.
    fn draw(
        &self,
        specification: &Specification,
        b: usize,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<(Built, Verdict, bool)> {
        let draws = self.draws.unwrap_or(1);
        let progress = watch::Draws::new(draws, common.quiet);
        let first = specification.arguments.seed("draw");
        let mut done = 0;
        let (built, verdict) = loop {
            let mut specification = specification.clone();
            if done > 0 {
                specification.arguments.replace("draw", &first.saturating_add(done).to_string())?;
            }
            let built = construct::build(&specification, self.how.ties, control)?;
            // Draws have a bar of their own.
            let quiet = common.quiet || draws > 1;
            let verdict = self.how.decide(&built.matrix, Some(b), Some(&built.provenance), control, quiet)?;
            done += 1;
            progress.advance();
            if verdict.is_tolerant() || done == draws || control.stopped() {
                break (built, verdict);
            }
        };
        drop(progress);
        if draws > 1 && !common.quiet {
            let tolerant = verdict.is_tolerant();
            let outcome = if tolerant { "tolerant" } else { "none tolerant" };
            output::remark!("{done} of at most {draws} draws: {outcome}");
        }
        let stopped = !verdict.is_tolerant() && done < draws;
        Ok((built, verdict, stopped))
    }
}

/// The heaviest load beside what no tolerant code goes below.
fn heaviest_beside(g: &AllocationMatrix, bound: &Bound) -> String {
    let heaviest = Demand::heaviest(g);
    let Bound { least, name, .. } = bound;
    if heaviest == *least {
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
    let least = if g.ones() == bound.least {
        "No tolerant code has fewer".to_owned()
    } else {
        format!("No tolerant code has fewer than {}", with_r(bound.least))
    };
    Some(format!("Ones: {}. Algorithm 1: {}. {least}.", with_r(g.ones()), with_r(paper)))
}
