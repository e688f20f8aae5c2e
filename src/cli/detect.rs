//! `--detect`: what holders detect by comparing digests, what it costs, and who holds what.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use ecode::analysis::{Detection, Worlds};
use ecode::code::{AllocationMatrix, Domains, TieRule};
use ecode::construct::Specification;
use ecode::format::{Format, MatrixFile};
use ecode::report::{SchemeCost, domain_names, plain, schemes_svg, schemes_table};
use ecode::train::reactive::{Certificate, Plan, checked_risk};
use ecode::train::{Config, Scheme};
use ecode::verify::Control;
use serde_json::{Value, json};

use super::ending::{Contradiction, Ending};
use super::{construct, detect_apart, output, scheme};

/// The flags of `design --detect`.
#[derive(Args)]
pub(crate) struct DetectFlags {
    /// Detect lies by digests instead of correcting them by votes: b + 1 holders of each partition
    #[arg(long)]
    pub(crate) detect: bool,
    /// With --detect: holders beyond those needed, so that as many answers of a partition may be missing
    #[arg(long, value_name = "S", default_value_t = 0, requires = "detect")]
    spare: usize,
    /// With --detect: correct in one round, with 2b + 1 holders that send shares
    #[arg(long, requires = "detect", conflicts_with = "risk")]
    one_round: bool,
    /// With --detect: right but for this chance in a whole run, with holders that are drawn in secret
    #[arg(long, value_name = "P", requires = "detect")]
    risk: Option<f64>,
    /// With --detect: coordinates of the model, for the bytes of a step
    #[arg(long, value_name = "D", default_value_t = 1_000_000, requires = "detect")]
    coordinates: u64,
    /// With --detect: draw the costs for every number of liars up to b into this SVG file
    #[arg(long, value_name = "FILE", requires = "detect", value_hint = clap::ValueHint::FilePath)]
    figure: Option<PathBuf>,
}

impl DetectFlags {
    /// Who holds what, and what it costs beside the other schemes.
    pub(crate) fn run(
        &self,
        specification: &Specification,
        to: Option<&Path>,
        json: bool,
        quiet: bool,
        domains: Option<&Domains>,
    ) -> anyhow::Result<Ending> {
        let arguments = &specification.arguments;
        let (n, b, k) = (arguments.needed("n")?, arguments.needed("b")?, arguments.whole("k"));
        if let Some(domains) = domains {
            ensure!(
                !self.one_round && self.risk.is_none() && self.figure.is_none(),
                "--domains: not with --one-round, --risk or --figure, which count workers"
            );
            let k = k.unwrap_or(if n % 2 == 0 { n - 1 } else { n });
            return detect_apart::run(domains, (b, k, self.spare), to, json);
        }
        let scheme = match (self.one_round, self.risk) {
            (true, _) => Scheme::OneRound,
            (_, Some(_)) => Scheme::Checked,
            _ => Scheme::Reactive,
        };
        let risk = self.risk.unwrap_or(Config::default().risk);
        ensure!(risk > 0.0 && risk < 1.0, "--risk {}: expected above 0 and below 1", plain(risk));
        ensure!(
            self.spare == 0 || scheme != Scheme::Checked,
            "--spare: --risk says how many holders there are"
        );
        let sized = |b, scheme| Config {
            scheme,
            n: Some(n),
            b: Some(b),
            k,
            risk,
            spare: if scheme == Scheme::Checked { 0 } else { self.spare },
            ..Config::default()
        };
        let plan = Plan::of_sizes(&sized(b, scheme))?;
        if k.is_none() && plan.k != n && !quiet {
            output::remark!(
                "note: k = {}, since a majority of {n} partitions could tie; --k changes it",
                plan.k
            );
        }
        let all = |b, plan: &Plan| {
            let configs =
                [Scheme::Reactive, Scheme::OneRound, Scheme::Checked].map(|scheme| sized(b, scheme));
            costs(plan, &configs, self.coordinates)
        };
        let costs = all(b, &plan);
        if let Some(path) = &self.figure {
            let row = |b| Some(all(b, &Plan::of_sizes(&sized(b, scheme)).ok()?));
            let rows: Vec<Vec<SchemeCost>> = (1..=b).filter_map(row).collect();
            output::write(path, schemes_svg(&rows).as_bytes())?;
        }
        let file = scheme::matrix_file(&plan)?;
        if let Some(path) = to {
            output::write(path, &file.to_bytes(Format::of_path(path).unwrap_or(Format::Json)))?;
        }
        if json {
            output::print(&rule(&plan, &file, &costs).to_string())?;
        } else if !to.is_some_and(ecode::format::is_stdout) {
            output::print(&format!("{}\n\n{}", sentence(&plan, &file.matrix), schemes_table(&costs)))?;
        }
        Ok(Ending::Done)
    }
}

/// The best known vote code of the same size, where there is one, and the schemes.
fn costs(plan: &Plan, configs: &[Config], coordinates: u64) -> Vec<SchemeCost> {
    let code = || {
        let specification: Specification =
            format!("best:n={},b={},k={}", plan.n, plan.b, plan.k).parse().ok()?;
        let built = construct::build(&specification, TieRule::Abstain, &Control::default()).ok()?;
        Some(SchemeCost::vote("vote code, best known", &built.matrix, plan.b, coordinates))
    };
    // Checks by b + 1 holders are the reactive scheme.
    let apart = |other: &Plan| {
        other.scheme != Scheme::Checked
            || plan.scheme == Scheme::Checked
            || checked_risk(other.n, other.b, other.checked) > 0.0
    };
    let schemes = configs.iter().filter_map(|config| Plan::of_sizes(config).ok()).filter(apart);
    code().into_iter().chain(schemes.map(|plan| SchemeCost::of(&plan, coordinates))).collect()
}

/// A scheme as it is named on the command line of `compare`: reactive:n=9,b=2,spare=1.
pub(crate) fn named(text: &str, coordinates: u64) -> Option<anyhow::Result<SchemeCost>> {
    let (name, rest) = text.split_once(':')?;
    let named = Scheme::ALL.iter().any(|known| known.name() == name && known.detects());
    named.then(|| {
        let mut table = toml::Table::from_iter([("scheme".to_owned(), name.into())]);
        for part in rest.split(',') {
            let (key, value) = part
                .split_once('=')
                .filter(|(key, _)| ["n", "b", "k", "spare", "risk"].contains(key))
                .ok_or_else(|| {
                    anyhow::anyhow!("{text}: expected n, b, k, spare or risk, as in {name}:n=9,b=2")
                })?;
            let value: toml::Value = match (key, value.parse::<i64>(), value.parse::<f64>()) {
                ("risk", _, Ok(number)) => number.into(),
                (_, Ok(number), _) if number >= 0 => number.into(),
                _ => anyhow::bail!("{text}: {key} is '{value}'; expected a number"),
            };
            table.insert(key.to_owned(), value);
        }
        let plan = Plan::of_sizes(&Config::from_table(&table)?)?;
        Ok(SchemeCost::of(&plan, coordinates))
    })
}

fn sentence(plan: &Plan, g: &AllocationMatrix) -> String {
    let Plan { n, b, k, .. } = plan;
    let heaviest = g.worker_loads().into_iter().max().unwrap_or(0);
    let holders = plan.holders(*b);
    let what = match plan.scheme {
        Scheme::Checked => format!(
            "{holders} holders of each partition, drawn in secret after its vector was sent, check {b} of {n} workers"
        ),
        Scheme::OneRound => {
            format!("{holders} holders of each partition correct {b} of {n} workers in one round")
        }
        _ => format!("{holders} holders of each partition detect every lie of {b} of {n} workers"),
    };
    format!(
        "{what}: {k} partitions, heaviest worker {heaviest} gradients.\nTrain with it: ecode train --scheme {} --n {n} --b {b} --k {k}",
        plan.scheme.name()
    )
}

/// The rule as a document.
fn rule(plan: &Plan, file: &MatrixFile, costs: &[SchemeCost]) -> Value {
    let holders = plan.holders(plan.b);
    json!({
        "schema": "ecode/rule/1",
        "scheme": plan.scheme.name(),
        "n": plan.n, "k": plan.k, "b": plan.b, "holders": holders, "spare": plan.spare, "floor": 2,
        "budget": Config::default().to_table()["budget"].as_str(), "window": plan.window,
        "matrix": file.matrix.digest(),
        "costs": costs.iter().map(SchemeCost::to_json).collect::<Vec<_>>(),
    })
}

/// `verify --detect`: how many liars a matrix detects, and how the next one escapes.
pub(crate) fn verify(
    g: &AllocationMatrix,
    b: Option<usize>,
    spare: usize,
    domains: Option<&Domains>,
    json: bool,
) -> anyhow::Result<Ending> {
    let detection =
        domains.map_or_else(|| Detection::of(g, spare), |domains| Detection::in_domains(g, spare, domains));
    let beyond = b.unwrap_or_else(|| detection.radius.map_or(0, |radius| radius + 1));
    let worlds = detection.worlds(g.k(), beyond);
    let refuted = b.is_some() && worlds.is_some();
    if json {
        let mut document = json!({
            "digest": g.digest(), "n": g.n(), "k": g.k(), "b": b, "spare": spare,
            "detects": b.map(|_| !refuted),
            "detection_radius": detection.radius,
            "one_round_radius": detection.one_round,
            "weakest_partition": detection.weakest,
            "holders": detection.holders.indices().collect::<Vec<_>>(),
            "worlds": worlds.as_ref().map(|worlds| json!({
                "honest": bits(g.k(), worlds, false), "answer_honest": u8::from(worlds.answer_honest),
                "lied": bits(g.k(), worlds, true), "answer_lied": u8::from(worlds.answer_lied),
                "liars": worlds.liars.indices().collect::<Vec<_>>(),
            })),
        });
        if let (Some(domains), Some(lying)) = (domains, &detection.domains) {
            let names: Vec<&str> = domains.of().iter().map(|&domain| domains.name(domain)).collect();
            document["domains"] = json!(names);
            document["unseen_domains"] = json!(domains.names_of(lying));
        }
        output::print(&document.to_string())?;
    } else {
        output::print(&told(g, b, &detection, worlds.as_ref(), beyond, domains))?;
    }
    Ok(if refuted { Ending::Refuted } else { Ending::Done })
}

fn bits(k: usize, worlds: &Worlds, lied: bool) -> String {
    let message = if lied { &worlds.lied } else { &worlds.honest };
    (0..k).map(|i| if message.contains(i) { '1' } else { '0' }).collect()
}

fn told(
    g: &AllocationMatrix,
    b: Option<usize>,
    detection: &Detection,
    worlds: Option<&Worlds>,
    beyond: usize,
    domains: Option<&Domains>,
) -> String {
    let Detection { radius, one_round, weakest, holders, spare, .. } = detection;
    let of =
        domains.map_or_else(|| format!("{} workers", g.n()), |domains| format!("{} domains", domains.len()));
    let first = match (b, radius) {
        (Some(b), _) if worlds.is_none() => format!("Detected: every lie of {b} of {of} is seen."),
        (Some(b), _) => format!("Refuted: {b} of {of} can lie unseen."),
        (None, Some(radius)) => format!("Every lie of {radius} of {of} is seen."),
        (None, None) => "Nothing is detected: a partition has too few holders.".to_owned(),
    };
    let missing = if *spare == 0 { String::new() } else { format!(", with {spare} answers missing") };
    let radii = match (radius, one_round) {
        (Some(radius), Some(one_round)) => {
            format!("Detection radius {radius}, in one round {one_round}{missing}.")
        }
        _ => format!("No detection radius{missing}."),
    };
    let stand = domains.map_or(String::new(), |domains| {
        format!(" They stand in {}.", domain_names(domains, &domains.touched(holders)))
    });
    let weakest = format!(
        "Weakest partition: {weakest}, held by {} of {} workers: {holders}.{stand}",
        holders.count(),
        g.n()
    );
    let escape = worlds.map_or(String::new(), |worlds| {
        let k = g.k();
        if k > 128 {
            let liars = if domains.is_some() { "lying domains" } else { "liars" };
            return format!("\nWith {beyond} {liars} its holders can answer as if its bit were the other, and decide the majority.");
        }
        format!(
            "\nTwo worlds that {beyond} {} make look the same to the server:\n  {} and nobody lies: the answer is {}\n  {} and {} answer as in the first: the answer is {}",
            if domains.is_some() { "lying domains" } else { "liars" },
            bits(k, worlds, false),
            u8::from(worlds.answer_honest),
            bits(k, worlds, true),
            worlds.liars,
            u8::from(worlds.answer_lied),
        )
    });
    format!("{first} {radii}\n{weakest}{escape}")
}

/// A naming certificate, where the document says that it is one.
pub(crate) fn naming(bytes: &[u8]) -> Option<anyhow::Result<Certificate>> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    let is = head.schema.starts_with("ecode/naming/");
    is.then(|| {
        serde_json::from_slice(bytes).map_err(|error| anyhow::anyhow!("not a naming certificate: {error}"))
    })
}

/// Replays a naming certificate.
pub(crate) fn replay(certificate: &Certificate, name: &str) -> anyhow::Result<()> {
    certificate.check().map_err(|error| Contradiction(format!("{name}: {error}")).into())
}

/// What a naming certificate shows; `recomputed` is the partition that was computed again, and that the worker has wrong.
pub(crate) fn told_naming(
    certificate: &Certificate,
    recomputed: Option<usize>,
    json: bool,
) -> anyhow::Result<Ending> {
    let Certificate { worker, step, b, rule, keys, premises, .. } = certificate;
    if json {
        let mut document = json!({
            "valid": true, "worker": worker, "step": step, "rule": rule, "b": b, "keys": keys, "premises": premises.len(),
        });
        if let Some(partition) = recomputed {
            document["recomputed"] = partition.into();
        }
        output::print(&document.to_string())?;
        return Ok(Ending::Done);
    }
    let holds = if rule == "contradicted" && recomputed.is_none() {
        format!("if at most {b} of the owners of these keys are faulty in that step")
    } else {
        "whoever else is faulty".to_owned()
    };
    let computed = recomputed.map_or(String::new(), |partition| match rule.as_str() {
        "share" => format!(
            "\nRecomputed: the digest and the share that it signed of partition {partition} are not both of the vector that these data give."
        ),
        _ => format!(
            "\nRecomputed: what it signed of partition {partition} is not the digest of the vector that these data give."
        ),
    });
    output::print(&format!(
        "Valid: worker {worker} was faulty in step {step} (rule {rule}), {holds}. It says nothing of whose keys these are: compare them with those that you know (--json prints them).{computed}"
    ))?;
    Ok(Ending::Done)
}
