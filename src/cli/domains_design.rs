//! `ecode design --domains`: a code for failure domains, by making codes for workers and verifying them for domains.
//!
//! # How
//! By Theorem 43 (docs/theory/domains.md) a code for as many workers as the b largest domains have is one for b domains. A lighter
//! one may do: codes for fewer workers are made, their rows placed in a few orders, and the first that is verified is kept. Theorem
//! 44 says where to begin: what tolerates the domains tolerates so many workers.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ecode::code::{AllocationMatrix, Domains, TieRule};
use ecode::construct::{Built, Specification, row_orders};
use ecode::format::{Format, MatrixFile, verification_json};
use ecode::report::domain_report;
use ecode::search::bounds;
use ecode::verify::{Control, DomainEvidence, DomainVerdict};
use serde_json::json;

use super::common::Common;
use super::domains::{self, enough};
use super::ending::Ending;
use super::output::{self, Documents};
use super::verify::How;
use super::{construct, verify};

/// A lighter code than the one that suffices for sure is tried for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A code whose rows are placed, with what was said of it.
struct Candidate {
    built: Built,
    /// The workers that it was made for.
    workers: usize,
    order: Vec<usize>,
    verdict: DomainVerdict,
}

/// Where the matrix goes.
pub(crate) struct To<'a> {
    pub(crate) output: Option<&'a Path>,
    pub(crate) json: bool,
    pub(crate) documents: &'a Documents,
}

pub(crate) fn run(
    specification: &Specification,
    path: &Path,
    how: &How,
    to: &To<'_>,
    common: &Common,
) -> anyhow::Result<Ending> {
    let control = common.control();
    let (n, b) = (specification.arguments.needed("n")?, specification.arguments.needed("b")?);
    let domains = domains::read(path, n, &control)?;
    enough(b, &domains)?;
    let largest = domains.largest(b);
    if 2 * largest >= n {
        let text = format!(
            "Impossible: {} of {n} workers, half or more. They overturn the message of all ones, whatever the others hold.",
            domains.largest_in_words(b)
        );
        output::print_verdict(&if to.json { json!({ "impossible": text }).to_string() } else { text });
        return Ok(Ending::Refuted);
    }
    if let Some(remark) = construct::remark_on_partitions(specification.arguments.reduced_from(), "--k")
        && !common.quiet
    {
        output::remark!("{remark}");
    }
    let least = least_workers(n, b, domains.len());
    let Some(found) = candidate(specification, &domains, (b, least, largest), how, &control, common.quiet)?
    else {
        anyhow::bail!("--domains: no code for {least} to {largest} workers could be made");
    };
    let Candidate { built, workers, order, verdict } = found;
    let g = &built.matrix;
    let mut text = domain_report(g, &domains, &verdict, Some(b));
    if verdict.is_tolerant() {
        // Under `abstain` the bounds speak of odd loads only.
        let spoken_of = g.n() == g.k() && (how.ties != TieRule::Abstain || g.all_loads_odd());
        let bound = spoken_of.then(|| bounds(n, least).ok()?.pop()).flatten();
        let bound = bound.map_or(String::new(), |bound| {
            format!(" No code for these domains has fewer than {}.", bound.least)
        });
        text += &format!(
            "\nOnes: {} (r = {:.2}).{bound} Made for {workers} {}; {}.\n",
            g.ones(),
            g.redundancy(),
            if workers == 1 { "worker" } else { "workers" },
            domains.largest_in_words(b),
        );
        let file = file(&built, &domains, b, &order, &verdict);
        if let Some(path) = to.output {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if to.json {
            output::print(&String::from_utf8_lossy(&file.to_bytes(Format::Json)))?;
            return Ok(Ending::Done);
        }
    } else {
        output::remark!("no code for {least} to {largest} workers was verified; nothing was written");
    }
    if to.documents.on_stdout() {
        to.documents.report(&text)?;
    } else {
        output::print_verdict(&text);
    }
    Ok(domains::ending(&verdict))
}

/// The fewest workers that a code for n workers tolerates which tolerates b of d domains (Theorem 44).
fn least_workers(n: usize, b: usize, d: usize) -> usize {
    b.max((b * n).div_ceil((d - b).max(1)) / 2)
}

/// The first code that is verified, else the last one that was not.
fn candidate(
    specification: &Specification,
    domains: &Domains,
    (b, least, largest): (usize, usize, usize),
    how: &How,
    control: &Control,
    quiet: bool,
) -> anyhow::Result<Option<Candidate>> {
    let mut last = None;
    let mut seen = BTreeSet::new();
    for workers in least..=largest {
        let mut specification = specification.clone();
        specification.arguments.replace("b", &workers.to_string())?;
        let built = match construct::build(&specification, how.ties, control) {
            Ok(built) => built,
            // A number that this construction does not make; a larger one may exist.
            Err(_) if workers < largest => continue,
            Err(error) => return last.map_or(Err(error), |last| Ok(Some(last))),
        };
        let shape = verify::shape(Some(&built.provenance));
        let limited = if workers < largest { control.within(PATIENCE) } else { control.clone() };
        for order in row_orders(&built.matrix, domains) {
            let columns: Vec<usize> = (0..built.matrix.k()).collect();
            let matrix = built.matrix.permuted(&order, &columns)?;
            if !seen.insert(matrix.digest()) {
                continue;
            }
            let asked = (how.ties, how.method);
            let verdict = domains::decide(&matrix, domains, Some(b), asked, shape.as_ref(), &limited, quiet)?;
            let tolerant = verdict.is_tolerant();
            let built = Built { matrix, b: built.b, provenance: built.provenance.clone() };
            last = Some(Candidate { built, workers, order, verdict });
            if tolerant || control.stopped() {
                return Ok(last);
            }
            if limited.stopped() {
                break;
            }
        }
    }
    Ok(last)
}

/// The verified code. Its own b counts workers, so it is named only where that was verified.
fn file(built: &Built, domains: &Domains, b: usize, order: &[usize], verdict: &DomainVerdict) -> MatrixFile {
    let matrix: AllocationMatrix = built.matrix.clone();
    let names = domains.names_by_worker();
    let mut provenance = built.provenance.clone();
    provenance["domains"] = json!({ "b": b, "of_workers": names, "row_order": order });
    let whole = match verdict.evidence() {
        Some(DomainEvidence::BySize(whole)) => Some(whole.as_ref()),
        _ => None,
    };
    let verification = whole.map(|whole| verification_json(whole, &matrix));
    MatrixFile {
        b: whole.and_then(ecode::verify::Verdict::b),
        construction: Some(provenance),
        verification,
        matrix,
    }
}
