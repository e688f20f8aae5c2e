//! `ecode train --domains`: what is verified of the failure domains, and which of them lie.

use std::path::Path;

use ecode::code::{Domains, TieRule};
use ecode::format::MatrixFile;
use ecode::report::domain_names;
use ecode::train::{ByzantineSet, Config, TrainingCode};
use ecode::verify::{Control, DomainRequest, Method, Radius, VerifiedDomains};

use super::{domains, verify};

/// The names of a file as a configuration has them: with commas between.
pub(crate) fn named(path: &Path, n: usize, control: &Control) -> anyhow::Result<String> {
    let domains = domains::read(path, n, control)?;
    let names = domains.names_by_worker();
    if let Some(name) = names.iter().find(|name| name.contains(',')) {
        anyhow::bail!("{}: '{name}' has a comma; a configuration takes names without", path.display());
    }
    Ok(names.join(","))
}

/// Verifies a matrix for as many of the domains as its file was made for, or finds how many it tolerates. The inner error
/// says in words why there is none.
pub(crate) fn verified(
    file: &MatrixFile,
    domains: &Domains,
    ties: TieRule,
    control: &Control,
) -> anyhow::Result<Result<VerifiedDomains, String>> {
    let b = if let Some(b) = made_for(file, domains) {
        b
    } else {
        let request = DomainRequest::new(&file.matrix, domains).ties(ties);
        match request.decide(control).map_err(verify::known)?.radius() {
            Radius::Exactly(radius) | Radius::AtLeast(radius) => radius,
            Radius::FailsWithoutLiars => {
                return Ok(Err("some message is decoded wrong even when nobody lies".into()));
            }
            Radius::Unknown => {
                return Ok(Err("how many domains it tolerates could not be decided in time".into()));
            }
        }
    };
    let (matrix, domains) = (file.matrix.clone(), domains.clone());
    let shape = verify::shape(file.construction.as_ref());
    let found =
        VerifiedDomains::verify_shaped(matrix, ties, domains, b, shape.as_ref(), Method::Auto, control)
            .map_err(verify::known)?;
    Ok(found.map_err(|verdict| {
        if verdict.is_refuted() {
            format!("it does not tolerate {b} of the domains under the tie rule {ties}")
        } else {
            format!("whether it tolerates {b} of the domains could not be decided in time")
        }
    }))
}

/// How many domains `design --domains` made the matrix for, where they are these.
fn made_for(file: &MatrixFile, domains: &Domains) -> Option<usize> {
    let made = file.construction.as_ref()?.get("domains")?;
    let names = made.get("of_workers")?.as_array()?;
    let same = names.len() == domains.n()
        && names.iter().zip(domains.of()).all(|(name, &domain)| name.as_str() == Some(domains.name(domain)));
    let b = usize::try_from(made.get("b")?.as_u64()?).ok()?;
    (same && b <= domains.len()).then_some(b)
}

/// Chooses the domains that lie, and says it in workers: the run's configuration names them all.
pub(crate) fn choose(config: &mut Config, code: &TrainingCode) -> anyhow::Result<()> {
    let g = code.matrix();
    let Some(domains) = config.failure_domains(g.n())? else { return Ok(()) };
    let b = config.byzantine.unwrap_or_else(|| code.domains().map_or(0, VerifiedDomains::b));
    let set = &config.byzantine_set;
    let lying = set.choose_domains(g, config.ties, &domains, b, config.seed).map_err(anyhow::Error::msg)?;
    let workers = domains.members_of(&lying);
    config.byzantine = Some(workers.count());
    config.byzantine_set =
        if b == 0 { ByzantineSet::First } else { ByzantineSet::List(workers.indices().collect()) };
    Ok(())
}

/// What a run says of its domains: which lie, and what is proved.
pub(crate) fn told(config: &Config, code: &serde_json::Value, covered: bool) -> String {
    let Some(n) = code["n"].as_u64().and_then(|n| usize::try_from(n).ok()) else { return String::new() };
    let Ok(Some(domains)) = config.failure_domains(n) else { return String::new() };
    let lying = match &config.byzantine_set {
        ByzantineSet::List(workers) => {
            let workers = workers.iter().copied().filter(|&worker| worker < n);
            let lying = domains.touched(&ecode::code::Workers::from_indices(n, workers));
            format!("Domains that lie, with all their workers: {}. ", domain_names(&domains, &lying))
        }
        _ => String::new(),
    };
    let proved = match (covered, code["domains"]["b"].as_u64()) {
        (true, Some(b)) => format!("Verified for any {b} of {} domains.", domains.len()),
        _ => String::new(),
    };
    let text = format!("{lying}{proved}");
    if text.is_empty() { text } else { format!("{}\n", text.trim_end()) }
}
