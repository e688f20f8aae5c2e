//! `ecode doctor`: what this build and machine can do.

use clap::Args;
use ecode::certificate::find_program;
use ecode::train::reactive::{Order, probe};
use ecode::train::{Config, ModelKind};
use ecode::verify::engines;

use super::ending::Ending;
use super::{output, verified};

/// Which engines, libraries and devices are here, and what to do about those that are not
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode doctor\n  ecode doctor --reproducible --data mnist:DIR\n\n\
                        --reproducible computes sign vectors on one thread and on all, in another order, and in another \
                        process, and compares their digests: schemes that detect lies need them equal. Exit code 1: they \
                        differ.")]
pub(crate) struct Doctor {
    /// Measure whether gradients are reproducible bit for bit
    #[arg(long)]
    reproducible: bool,
    /// With --reproducible: the data
    #[arg(long, value_name = "SPEC", requires = "reproducible", default_value = "synthetic")]
    data: String,
    /// With --reproducible: the model
    #[arg(long, value_name = "NAME", requires = "reproducible", default_value = "logistic", value_parser = clap::builder::PossibleValuesParser::new(ModelKind::NAMES))]
    model: String,
    /// With --reproducible: where it is computed
    #[arg(long, value_name = "DEVICE", requires = "reproducible", default_value = "auto")]
    device: String,
    /// With --reproducible: print the digests, to be compared with another machine's
    #[arg(long, requires = "reproducible")]
    digests: bool,
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        if self.reproducible {
            return self.reproducible();
        }
        let vectors = vectors();
        let [libtorch, cuda] = ecode::train::model::libraries();
        let mpi = ecode::train::transport::mpi_library();
        let grpc = ecode::train::transport::grpc_library();
        output::print(&format!(
            "ecode {}\nengines: {}\nthreads: {}\nvectors: {vectors}\nsolvers: {}\ncheckers: {}\n\
             checker proved in Coq: {}\n\
             libtorch: {libtorch}\nCUDA: {cuda}\nMPI: {mpi}\ngRPC: {grpc}",
            env!("CARGO_PKG_VERSION"),
            engines().iter().map(|engine| engine.name()).collect::<Vec<_>>().join(", "),
            rayon::current_num_threads(),
            found(&SOLVERS, "none found; cadical or kissat would do for `verify --solver`"),
            found(&CHECKERS, "none found; `cargo install veripb rate --locked` gets two"),
            verified::find().map_or_else(
                || "none found; `scripts/verified` builds ecode-verified, for `check --verified`".to_owned(),
                |place| place.display().to_string(),
            ),
        ))?;
        Ok(Ending::Done)
    }
}

impl Doctor {
    /// Digests of the same sign vectors, computed in several ways.
    fn reproducible(&self) -> anyhow::Result<Ending> {
        let table = ["data", "model", "device"].map(|name| {
            let value = match name {
                "data" => &self.data,
                "model" => &self.model,
                _ => &self.device,
            };
            (name.to_owned(), toml::Value::from(value.as_str()))
        });
        let config = Config::from_table(&toml::Table::from_iter(table))?;
        let data = config.data.load()?;
        let digests = |order| -> anyhow::Result<Vec<String>> {
            let digests = probe(&config, &data, order)?;
            Ok(digests.iter().map(|digest| ecode::code::digest::hexadecimal(digest)).collect())
        };
        let first = digests(Order::Forwards)?;
        if self.digests {
            output::print(&first.join("\n"))?;
            return Ok(Ending::Done);
        }
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let many = rayon::ThreadPoolBuilder::new().num_threads(7).build()?;
        let mut ways = vec![
            ("again", digests(Order::Forwards)?),
            ("on one thread", one.install(|| digests(Order::Forwards))?),
            ("on seven threads", many.install(|| digests(Order::Forwards))?),
            ("in another order", digests(Order::Backwards)?),
        ];
        match self.elsewhere() {
            Some(other) => ways.push(("in another process", other)),
            None => output::remark!("note: another process could not be asked"),
        }
        let mut drifts = false;
        let mut lines = Vec::new();
        for (way, digests) in &ways {
            let differ = first.len().abs_diff(digests.len())
                + first.iter().zip(digests).filter(|(a, b)| a != b).count();
            drifts |= differ > 0;
            let outcome = if differ == 0 {
                "the same".to_owned()
            } else {
                format!("{differ} of {} differ", first.len())
            };
            lines.push(format!("{way}: {outcome}"));
        }
        let verdict = if drifts {
            "Not reproducible: comparing digests would name innocent workers; take a vote code."
        } else {
            "Reproducible here: whether other machines agree, compare --digests there. Equal digests prove nothing for other inputs."
        };
        output::print(&format!(
            "{} sign vectors of {} on {}\n{}\n{verdict}",
            first.len(),
            self.model,
            self.device,
            lines.join("\n")
        ))?;
        Ok(if drifts { Ending::Refuted } else { Ending::Done })
    }

    /// The digests as another process of this program computes them.
    fn elsewhere(&self) -> Option<Vec<String>> {
        let output = std::process::Command::new(std::env::current_exe().ok()?)
            .args(["doctor", "--reproducible", "--digests", "--data", &self.data, "--model", &self.model])
            .args(["--device", &self.device])
            .stdin(std::process::Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.lines().map(str::to_owned).collect())
    }
}

/// Solvers that `verify --solver` takes as they are, or with `{cnf}` and `{proof}`.
const SOLVERS: [&str; 5] = ["kissat", "cadical", "varisat", "glucose", "cryptominisat5"];
/// Checkers of the proofs that certificates hold.
const CHECKERS: [&str; 4] = ["veripb", "rate", "drat-trim", "dpr-trim"];

fn found(names: &[&str], none: &str) -> String {
    let here: Vec<&str> = names.iter().copied().filter(|name| find_program(name).is_some()).collect();
    if here.is_empty() { none.to_owned() } else { here.join(", ") }
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "AVX-512 (512 messages an operation)"
    } else if is_x86_feature_detected!("avx2") {
        "AVX2 (256 messages an operation)"
    } else {
        "baseline x86-64 (128 messages an operation)"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    "portable code, as the compiler vectorises it"
}
