//! `ecode train --transport grpc`: where the server listens, and how long it waits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
#[cfg(feature = "grpc")]
use ecode::train::transport::grpc::{Listen, Wait};

/// What every command of a program without gRPC says that needs it.
#[cfg(not(feature = "grpc"))]
pub(crate) const NOT_BUILT_IN: &str = "this needs gRPC, which this program was built without: in its source folder, \
                                       cargo install --path . --features grpc";

/// The flags of `--transport grpc`.
#[derive(Args)]
#[command(next_help_heading = "With --transport grpc")]
pub(crate) struct ListenFlags {
    /// Where to listen, as in 0.0.0.0:7001; with port 0 the system chooses one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The folder of the server's keys, which `ecode keys` makes
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// How long a step waits for votes that its decode does not need: all (as long as for those that it needs), quorum
    /// (not at all), auto (a quarter of the usual time), or a time, as in 200ms [default: auto]
    #[arg(long, value_name = "WHEN", value_parser = waiting)]
    wait: Option<Waiting>,
    /// Show how it stands at this address, without a certificate: /healthz, /status, /metrics and gRPC health checks
    #[arg(long, value_name = "ADDR")]
    status: Option<SocketAddr>,
    /// Leave a worker out, once it is proved to lie or to compute wrong
    #[arg(long)]
    quarantine: bool,
}

/// How long a step waits.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Waiting {
    All,
    Quorum,
    Auto,
    For(Duration),
}

#[cfg(feature = "grpc")]
impl From<Waiting> for Wait {
    fn from(waiting: Waiting) -> Self {
        match waiting {
            Waiting::All => Self::All,
            Waiting::Quorum => Self::Quorum,
            Waiting::Auto => Self::Adaptive,
            Waiting::For(time) => Self::Soft(time),
        }
    }
}

pub(super) fn waiting(text: &str) -> Result<Waiting, String> {
    match text {
        "all" => Ok(Waiting::All),
        "quorum" => Ok(Waiting::Quorum),
        "auto" => Ok(Waiting::Auto),
        text => super::common::parse_time(text)
            .map(Waiting::For)
            .map_err(|_| format!("'{text}' is none of all, quorum, auto, or a time as in 200ms")),
    }
}

impl ListenFlags {
    /// Refuses these flags where another transport was chosen.
    pub(crate) fn refuse(&self) -> anyhow::Result<()> {
        let given = [
            ("listen", self.listen.is_some()),
            ("keys", self.keys.is_some()),
            ("wait", self.wait.is_some()),
            ("status", self.status.is_some()),
            ("quarantine", self.quarantine),
        ];
        if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
            bail!("--{name} is for --transport grpc");
        }
        Ok(())
    }

    /// How to serve; `patience` is how long a step waits for votes that its decode needs.
    #[cfg(feature = "grpc")]
    pub(crate) fn listen(&self, patience: Duration) -> anyhow::Result<Listen> {
        let (Some(address), Some(keys)) = (self.listen, self.keys.clone()) else {
            bail!("--transport grpc needs --listen ADDR and --keys DIR (ecode keys makes them)");
        };
        let wait = self.wait.unwrap_or(Waiting::Auto).into();
        let Self { status, quarantine, .. } = *self;
        Ok(Listen { address, keys, wait, patience, quarantine, status, block_bytes: BLOCK })
    }
}

/// Bytes of a block of votes.
#[cfg(feature = "grpc")]
pub(super) const BLOCK: usize = 1 << 20;
