//! `ecode keys`: who may speak in a deployment.

use std::path::PathBuf;

use clap::Args;

use super::ending::Ending;

/// Make the keys of a deployment: an authority, a server's certificate, and one for each worker
#[derive(Args)]
#[command(after_help = "Example:\n  ecode keys --workers 9 --to keys\n\n\
                  keys/server goes to the server, keys/worker-3 to worker 3, and nothing else to either. \
                  keys/authority.key makes further certificates: keep it off those machines. A worker is who \
                  keys/server/rows.toml says; taking a row off that list takes the worker off the next start.")]
pub(crate) struct Keys {
    /// How many workers there are: rows of the matrix
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    workers: u16,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Keys {
    #[cfg(feature = "grpc")]
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        ecode::train::transport::grpc::keys::make(&self.to, usize::from(self.workers))?;
        super::output::print(&format!(
            "{}/server is for the server, {}/worker-0 to worker-{} are for the workers; authority.key is for none of them",
            self.to.display(),
            self.to.display(),
            self.workers - 1
        ))?;
        Ok(Ending::Done)
    }

    #[cfg(not(feature = "grpc"))]
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let Self { workers: _, to: _ } = self;
        anyhow::bail!(super::listen::NOT_BUILT_IN)
    }
}
