//! `ecode design --distortion Q`: the assignment of files of which Q liars overturn the fewest, by a majority for each file.

use std::path::Path;
use std::sync::Mutex;

use anyhow::ensure;
use ecode::code::AllocationMatrix;
use ecode::construct::{Specification, groups, mols, ramanujan, subsets};
use ecode::format::{Format, MatrixFile};
use ecode::report::{Markdown, figures};
use ecode::search::{AssignRequest, AssignRun, Assigned, assigned_catalogue};
use ecode::verify::{Assignment, Control, Distortion, Method};
use serde_json::json;

use super::budget::BudgetFlags;
use super::common::Common;
use super::ending::Ending;
use super::output::{self, Documents};
use super::{verify, watch};

/// Where the answer goes.
pub(super) struct To<'a> {
    pub(super) output: Option<&'a Path>,
    pub(super) json: bool,
    pub(super) documents: &'a Documents,
}

/// An assignment of the same price, and what it is called.
struct Known {
    name: String,
    matrix: AllocationMatrix,
}

pub(super) fn run(
    specification: &Specification,
    seed: Option<u64>,
    flags: &BudgetFlags,
    to: &To<'_>,
    common: &Common,
) -> anyhow::Result<Ending> {
    let arguments = &specification.arguments;
    ensure!(arguments.whole("b").is_none(), "--b: with --distortion Q the number of liars is Q");
    let request = AssignRequest {
        workers: arguments.needed("n")?,
        files: arguments.needed("k")?,
        copies: arguments.needed("replicas")?,
        liars: arguments.needed("distortion")?,
        seed: seed.unwrap_or(1),
    };
    request.check()?;
    let control = common.control();
    let known = known(&request);
    let search = control.within(flags.limit());
    let message = Mutex::new(String::new());
    let run = watch::with_message(&search, common.quiet, &message, || -> anyhow::Result<AssignRun> {
        let matrices: Vec<AllocationMatrix> = known.iter().map(|known| known.matrix.clone()).collect();
        let mut run = AssignRun::new(request.clone(), &matrices, &search)?;
        let over = |run: &AssignRun| flags.rounds.is_some_and(|rounds| run.rounds() >= rounds);
        while !search.stopped() && !over(&run) && !run.settled() {
            run.advance(&search)?;
            if let Ok(mut message) = message.lock() {
                *message = format!("round {}, {} files so far", run.rounds() + 1, run.best().worst.at_most);
            }
        }
        Ok(run)
    })?;
    let found = run.best();
    let construction = json!({
        "name": "assignment search", "n": request.workers, "k": request.files, "replicas": request.copies,
        "distortion": request.liars, "overturned": found.worst.files, "exact": found.is_exact(),
        "seed": request.seed, "rounds": run.rounds(),
    });
    let file = MatrixFile { construction: Some(construction), ..MatrixFile::plain(found.matrix.clone()) };
    if let Some(path) = to.output {
        output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
    }
    if to.json {
        output::print(&String::from_utf8_lossy(&file.to_bytes(Format::Json)))?;
    } else {
        to.documents.report(&text(&request, found, run.settled(), &known, &control)?)?;
    }
    Ok(if control.stopped() || !found.is_exact() { Ending::Undecided } else { Ending::Done })
}

/// The constructions with these numbers of workers, files and copies, and what the catalogue has.
fn known(request: &AssignRequest) -> Vec<Known> {
    let AssignRequest { workers, files, copies, .. } = *request;
    let mut known = Vec::new();
    let mut add = |name: String, made: Option<AllocationMatrix>| {
        let fits = |g: &AllocationMatrix| (g.n(), g.k()) == (workers, files);
        if let Some(matrix) = made.filter(fits) {
            known.push(Known { name, matrix });
        }
    };
    let l = files.isqrt();
    add(format!("mols:l={l},r={copies}"), mols(l, copies).ok());
    for s in (2..=files).filter(|s| files % s == 0) {
        // s·s workers and m·s files, or the other way round where m is less than s.
        for m in [files / s, copies] {
            let made = ramanujan(m, s).ok();
            add(
                format!("ramanujan:m={m},s={s}"),
                made.filter(|g| g.partition_loads().iter().all(|&r| r == copies)),
            );
        }
    }
    add(format!("groups:n={workers},r={copies}"), groups(workers, copies).ok());
    add(format!("subsets:K={workers},r={copies}"), subsets(workers, copies).ok());
    let listed = assigned_catalogue().iter().filter(|entry| entry.copies == copies);
    for entry in listed {
        let name = format!("assigned:K={workers},f={files},r={copies},q={}", entry.liars);
        add(name, Some(entry.matrix.clone()));
    }
    known.dedup_by(|a, b| a.matrix == b.matrix);
    known
}

/// Numbers of liars with more sets are left out of the table.
const MOST_SETS: u128 = 10_000_000;

/// What was found, beside what is known at the same price.
fn text(
    request: &AssignRequest,
    found: &Assigned,
    settled: bool,
    known: &[Known],
    control: &Control,
) -> anyhow::Result<String> {
    let AssignRequest { workers, files, copies, liars, .. } = *request;
    let at_most = found.worst.at_most;
    let mut text = format!(
        "{liars} liars of {workers} overturn at most {at_most} of {files} files (ε = {}), {copies} copies of each.\n",
        figures(at_most as f64 / files as f64, 3)
    );
    text += &if settled {
        "No assignment with as many copies of each file is better: the mean over all sets of liars says so.\n"
            .to_owned()
    } else {
        format!(
            "No assignment with as many copies of each file goes below {}, the mean over all sets of liars. Whether one \
             goes below {at_most} is open.\n",
            request.least()
        )
    };
    let own = known.iter().find(|known| known.matrix == found.matrix);
    let own = own.map_or("this one".to_owned(), |known| format!("this one, {}", known.name));
    let mut rows: Vec<(&str, &AllocationMatrix)> = vec![(&own, &found.matrix)];
    rows.extend(
        known.iter().map(|known| (known.name.as_str(), &known.matrix)).filter(|(_, g)| *g != &found.matrix),
    );
    let few = |&q: &usize| {
        let assignment = Assignment::new(&found.matrix);
        assignment.is_ok_and(|all| all.instance(q).sides().iter().all(|side| side.messages() <= MOST_SETS))
    };
    let mut asked: Vec<usize> = (1..=workers).take_while(|&q| 2 * q < workers).filter(few).collect();
    if !asked.contains(&liars) {
        asked.push(liars);
    }
    let header = std::iter::once("liars q".to_owned()).chain(asked.iter().map(ToString::to_string));
    let mut table = Markdown::new(header);
    for (name, matrix) in rows {
        let assignment = Assignment::new(matrix)?;
        let points = assignment.points(&asked, 0, Method::Auto, control).map_err(verify::known)?;
        let cell = |point: &Distortion| {
            if point.is_exact() {
                point.files.to_string()
            } else {
                format!("{} to {}", point.files, point.at_most)
            }
        };
        table.row(std::iter::once(name.to_owned()).chain(points.iter().map(cell)));
    }
    text += &format!(
        "\n{table}\n\nThe table says how many files so many liars overturn at the most. A proof: ecode distortion FILE --liars {liars} --certificate CLAIM\n"
    );
    Ok(text)
}
