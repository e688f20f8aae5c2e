//! `ecode doctor`: what this build and machine can do.

use clap::Args;
use ecode::certificate::find_program;
use ecode::verify::engines;

use super::ending::Ending;
use super::output;

/// Which engines, libraries and devices are here, and what to do about those that are not
#[derive(Args)]
pub(crate) struct Doctor {}

impl Doctor {
    #[allow(clippy::unused_self, reason = "every command has the same shape")]
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let vectors = vectors();
        let [libtorch, cuda] = ecode::train::model::libraries();
        let mpi = ecode::train::transport::mpi_library();
        let grpc = ecode::train::transport::grpc_library();
        output::print(&format!(
            "ecode {}\nengines: {}\nthreads: {}\nvectors: {vectors}\nsolvers: {}\ncheckers: {}\n\
             libtorch: {libtorch}\nCUDA: {cuda}\nMPI: {mpi}\ngRPC: {grpc}",
            env!("CARGO_PKG_VERSION"),
            engines().iter().map(|engine| engine.name()).collect::<Vec<_>>().join(", "),
            rayon::current_num_threads(),
            found(&SOLVERS, "none found; cadical or kissat would do for `verify --solver`"),
            found(&CHECKERS, "none found; `cargo install veripb rate --locked` gets two"),
        ))?;
        Ok(Ending::Done)
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
