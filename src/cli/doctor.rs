//! `ecode doctor`: what this build and machine can do.

use clap::Args;
use ecode::verify::method_names;

use super::{Ending, output};

/// Which engines, libraries and devices are here, and what to do about those that are not
#[derive(Args)]
pub(crate) struct Doctor {}

impl Doctor {
    #[allow(clippy::unused_self, reason = "every command has the same shape")]
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let vectors = vectors();
        let [libtorch, cuda] = ecode::train::model::libraries();
        output::print(&format!(
            "ecode {}\nengines: {}\nthreads: {}\nvectors: {vectors}\nlibtorch: {libtorch}\nCUDA: {cuda}",
            env!("CARGO_PKG_VERSION"),
            method_names().join(", "),
            rayon::current_num_threads(),
        ))?;
        Ok(Ending::Done)
    }
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
