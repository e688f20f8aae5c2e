//! What is known of a code and failure domains, as a person reads it.

use std::collections::BTreeMap;

use super::markdown::Markdown;
use super::numbers::{thousands, time};
use super::story::refutation;
use super::table::loads;
use ecode_core::{AllocationMatrix, DomainSet, Domains};
use ecode_verify::{DomainConclusion, DomainDistortion, DomainVerdict, Radius};
use serde_json::{Value, json};

/// So many names are listed in a line.
const LISTED: usize = 12;

/// How many domains have how many workers, as in `2×4, 1×1`.
fn sizes(domains: &Domains) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    domains.sizes().into_iter().for_each(|size| *counts.entry(size).or_default() += 1);
    let parts: Vec<String> = counts.iter().rev().map(|(size, count)| format!("{count}×{size}")).collect();
    parts.join(", ")
}

/// The names of some domains: `a, b and 3 more`.
#[must_use]
pub fn domain_names(domains: &Domains, some: &DomainSet) -> String {
    let names = domains.names_of(some);
    match names.len() {
        0 => "none".to_owned(),
        1 => names[0].to_owned(),
        more if more > LISTED => format!("{} and {} more", names[..LISTED].join(", "), more - LISTED),
        last => format!("{} and {}", names[..last - 1].join(", "), names[last - 1]),
    }
}

fn counted(b: usize) -> String {
    if b == 1 { "1 domain".to_owned() } else { format!("{b} domains") }
}

fn sentence(domains: &Domains, verdict: &DomainVerdict, asked: Option<usize>) -> String {
    let b = verdict.b().unwrap_or(0);
    let all = domains.len();
    match (verdict.conclusion(), verdict.radius()) {
        (DomainConclusion::Tolerant, radius) => {
            let radius =
                radius.exactly().map_or(String::new(), |radius| format!(" (radius {})", counted(radius)));
            if b == 0 {
                return format!(
                    "Tolerant of 0 domains: with no liars every message is decoded right{radius}."
                );
            }
            let none = if b == 1 { "no domain".to_owned() } else { format!("no {b} domains") };
            format!("Tolerant: {none} of {all} can overturn any vote, with all their workers{radius}.")
        }
        (DomainConclusion::Refuted(_), Radius::FailsWithoutLiars) => {
            "Refuted: some message is decoded wrong even when nobody lies.".to_owned()
        }
        (DomainConclusion::Refuted(found), _) => {
            let count = found.domains.count();
            format!(
                "Refuted: {count} of {all} domains can overturn a vote: {}.",
                domain_names(domains, &found.domains)
            )
        }
        (DomainConclusion::Undecided, _) => {
            let what = asked.map_or("the radius in domains".to_owned(), |b| format!("b = {}", counted(b)));
            format!("Undecided: stopped before {what} was settled; what is known so far is below.")
        }
    }
}

fn table(g: &AllocationMatrix, domains: &Domains, verdict: &DomainVerdict) -> String {
    let radius = match (verdict.radius(), verdict.radius_below()) {
        (Radius::AtLeast(low), Some(high)) => format!("{low} ≤ radius < {high}"),
        (Radius::Unknown, Some(high)) => format!("< {high}"),
        (radius, _) => radius.to_string(),
    };
    let mut table = Markdown::new([
        "n",
        "k",
        "domains×workers",
        "b in domains",
        "ones",
        "r",
        "loads (workers×partitions)",
        "ties",
        "verdict",
        "radius in domains",
        "by",
        "sets",
        "time",
    ]);
    table.row([
        g.n().to_string(),
        g.k().to_string(),
        sizes(domains),
        verdict.b().map_or("—".to_owned(), |b| b.to_string()),
        g.ones().to_string(),
        format!("{:.2}", g.redundancy()),
        loads(g),
        verdict.ties().to_string(),
        verdict.word().to_owned(),
        radius,
        verdict.method().to_owned(),
        thousands(verdict.sets().into()),
        time(verdict.elapsed()),
    ]);
    table.to_string()
}

/// A verdict on failure domains: sentence, table, and the refutation told, by name of the domains.
#[must_use]
pub fn domain_report(
    g: &AllocationMatrix,
    domains: &Domains,
    verdict: &DomainVerdict,
    asked: Option<usize>,
) -> String {
    let mut text = format!("{}\n\n{}\n", sentence(domains, verdict, asked), table(g, domains, verdict));
    if let Some(found) = verdict.attack() {
        text += "\nHow it fails, step by step:\n";
        if found.domains.count() > 0 {
            let workers = domains.members_of(&found.domains);
            text += &format!(
                "0. These lie: {}, with workers {workers}.\n",
                domain_names(domains, &found.domains)
            );
        }
        text += &refutation(g, verdict.ties(), &found.attack);
    } else if let Some(worst) = verdict.worst().filter(|worst| g.k() <= 64 && worst.wrong.len() <= 64) {
        text += &format!(
            "\nWorst message met {} turns {} of {} workers wrong: {}\n",
            worst.message,
            worst.wrong.count(),
            g.n(),
            worst.wrong
        );
    }
    text
}

/// What q domains overturn, as `ecode/domain-distortion/1`.
#[must_use]
pub fn domain_distortion_json(
    name: &str,
    g: &AllocationMatrix,
    domains: &Domains,
    points: &[DomainDistortion],
) -> Value {
    let names = domains.names_by_worker();
    let point = |point: &DomainDistortion| {
        json!({
            "domains": point.domains, "files": point.files, "at_most": point.at_most,
            "epsilon": point.files as f64 / g.k() as f64,
            "worst": domains.names_of(&point.worst), "sets": point.sets,
        })
    };
    json!({
        "schema": "ecode/domain-distortion/1",
        "name": name,
        "digest": g.digest(),
        "workers": g.n(),
        "files": g.k(),
        "domains": names,
        "points": points.iter().map(point).collect::<Vec<_>>(),
    })
}

/// The same as a table.
#[must_use]
pub fn domain_distortion_text(
    name: &str,
    g: &AllocationMatrix,
    domains: &Domains,
    points: &[DomainDistortion],
) -> String {
    let mut table = Markdown::new(["q domains", "c_max(q)", "ε", "the worst", "sets"]);
    for point in points {
        let files = if point.is_exact() {
            point.files.to_string()
        } else {
            format!("{} to {}", point.files, point.at_most)
        };
        table.row([
            point.domains.to_string(),
            files,
            format!("{:.4}", point.files as f64 / g.k() as f64),
            domain_names(domains, &point.worst),
            thousands(point.sets.into()),
        ]);
    }
    format!(
        "{name}: {} files on {} workers in {} domains ({}). Files that q domains overturn, with all their workers:\n\n{table}",
        g.k(),
        g.n(),
        domains.len(),
        sizes(domains)
    )
}
