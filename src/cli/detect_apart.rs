//! `design --detect --domains`: holders in different failure domains.

use std::path::Path;

use anyhow::ensure;
use ecode::analysis::Detection;
use ecode::code::{AllocationMatrix, Domains};
use ecode::format::{Format, MatrixFile};
use ecode::train::reactive::assign_apart;
use serde_json::json;

use super::ending::{Contradiction, Ending};
use super::output;

/// Gives each of k partitions holders in b + 1 + spare domains, and counts what that detects.
pub(crate) fn run(
    domains: &Domains,
    (b, k, spare): (usize, usize, usize),
    to: Option<&Path>,
    json: bool,
) -> anyhow::Result<Ending> {
    ensure!(k % 2 == 1, "k is {k}; expected an odd number, so that no majority ties");
    let n = domains.n();
    // Two at least: a holder that is alone is compared with nobody.
    let w = b.saturating_add(1).max(2).saturating_add(spare);
    let Some(assignment) = assign_apart(domains.of(), k, w) else {
        let missing = if spare == 0 { String::new() } else { format!(" and spare {spare}") };
        anyhow::bail!(
            "there are {} domains; {w} are needed for the holders of each partition, for b = {b}{missing}",
            domains.len()
        );
    };
    let matrix = AllocationMatrix::from_fn(n, k, |j, i| assignment.holders[i].contains(&j))?;
    let detection = Detection::in_domains(&matrix, spare, domains);
    if detection.radius.is_none_or(|radius| radius < b) {
        return Err(
            Contradiction("the holders do not detect b domains; please report this".to_owned()).into()
        );
    }
    let names = domains.names_by_worker();
    let construction = json!({
        "name": "apart", "n": n, "b": b, "k": k, "spare": spare, "domains": names,
    });
    let file = MatrixFile { construction: Some(construction), ..MatrixFile::plain(matrix) };
    if let Some(path) = to {
        output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
    }
    let loads = file.matrix.worker_loads();
    let heaviest = loads.into_iter().max().unwrap_or(0);
    if json {
        let document = json!({
            "schema": "ecode/rule/1",
            "scheme": "reactive",
            "n": n, "k": k, "b": b, "holders": w, "spare": spare, "domains": names,
            "matrix": file.matrix.digest(), "heaviest": heaviest,
        });
        output::print(&document.to_string())?;
    } else if !to.is_some_and(ecode::format::is_stdout) {
        let missing =
            if spare == 0 { String::new() } else { format!(", {spare} answers of each may be missing") };
        output::print(&format!(
            "{w} holders of each partition, in different domains, detect every lie of {b} of {} domains{missing}: {k} partitions, \
             heaviest worker {heaviest} gradients, mean {:.2}.\n\
             A lie is seen. Who lied is settled by counting workers, up to as many as are provided for there: `ecode train` \
             takes no --domains with a scheme.",
            domains.len(),
            (k * w) as f64 / n as f64,
        ))?;
    }
    Ok(Ending::Done)
}
