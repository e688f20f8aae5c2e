//! `ecode serve`: a server of votes for models that this program does not know.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::common::Common;
use super::ending::Ending;
use super::listen::{Waiting, waiting};

/// Decode the votes of workers that train a model of their own
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode keys --workers 9 --to keys\n  \
                  ecode serve --code best:n=9,b=2 --dimension 11173962 --listen 0.0.0.0:7001 --keys keys/server --run runs/resnet\n\n\
                  The server holds no model: workers are programs of any kind, as a PyTorch training loop with \
                  CodedVote(..., exchange=\"grpc://gpu-0:7001\", keys=\"keys/worker-3\") of the Python package. Each \
                  decode is on the disk before it is told: started again on its folder the server goes on where it was, and \
                  workers that come back are given what they missed. Exit code 3: stopped before all steps were done.")]
pub(crate) struct Serve {
    /// A matrix file, or a specification as for train; only a verified code is served
    #[arg(long, value_name = "CODE")]
    code: String,
    /// Coordinates of a vote: the parameters of the workers' model
    #[arg(long, value_name = "D")]
    dimension: NonZero<u32>,
    /// Where to listen, as in 0.0.0.0:7001; with port 0 the system chooses one
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// The folder of the server's keys, which `ecode keys` makes
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The run's folder; where it holds a run already, the server goes on with it
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// End after so many steps [default: when stopped]
    #[arg(long, value_name = "T")]
    steps: Option<u64>,
    /// So many workers may lie while votes are missing [default: all that the code is verified for]
    #[arg(long, value_name = "B")]
    byzantine: Option<usize>,
    /// What to do when more votes are missing than the proof allows: stop before the step, or warn and go on
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = ["stop", "warn"])]
    on_excess: String,
    /// A vote that is needed is waited for so long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = super::common::parse_time)]
    worker_timeout: Duration,
    /// How long a step waits for votes that its decode does not need: all, quorum, auto, or a time, as for train
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = waiting)]
    wait: Waiting,
    /// Leave a worker out, once it is proved to lie or to compute wrong
    #[arg(long)]
    quarantine: bool,
    /// Show how it stands at this address, without a certificate: /healthz, /status and /metrics
    #[arg(long, value_name = "ADDR")]
    status: Option<SocketAddr>,
    /// Keep so many MB of decodes for workers that come back
    #[arg(long, value_name = "MB", default_value = "256", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    keep: u64,
    /// Print how the run stands at the end as one JSON document
    #[arg(long)]
    json: bool,
}

impl Serve {
    #[cfg(not(feature = "grpc"))]
    pub(crate) fn run(self, _common: &Common) -> anyhow::Result<Ending> {
        let Self { code: _, dimension: _, listen: _, keys: _, run: _, steps: _, byzantine: _, .. } = self;
        let Self {
            on_excess: _, worker_timeout: _, wait: _, quarantine: _, status: _, keep: _, json: _, ..
        } = self;
        anyhow::bail!(super::listen::NOT_BUILT_IN)
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        use ecode::code::TieRule;
        use ecode::format::{Format, MatrixFile};
        use ecode::train::transport::grpc::{Listen, Terms, VoteServer};
        use ecode::train::{Config, TrainError};

        use super::{code, output};

        let control = common.control();
        let ties = TieRule::Adversarial;
        let file = code::resolve(&self.code, ties, &control)?;
        let config = Config { code: self.code.clone(), ties, ..Config::default() };
        let verified = code::verified(&file, &config, &control, common.quiet)?;
        let terms = Terms {
            dimension: self.dimension.get() as usize,
            liars: self.byzantine.unwrap_or_else(|| verified.b().unwrap_or(0)),
            go_on: self.on_excess == "warn",
            keep: self.keep << 20,
        };
        let listen = Listen {
            address: self.listen,
            keys: self.keys,
            wait: self.wait.into(),
            patience: self.worker_timeout,
            quarantine: self.quarantine,
            status: self.status,
            block_bytes: super::listen::BLOCK,
        };
        let quiet = common.quiet;
        let say = move |text: &str| {
            if !quiet {
                output::remark!("{text}");
            }
        };
        let matrix = MatrixFile::plain(file.matrix.clone()).to_bytes(Format::Json);
        let matrix = String::from_utf8_lossy(&matrix).into_owned();
        let mut server =
            VoteServer::open(&self.run, &verified, terms, &listen, matrix, control, Box::new(say))?;
        for remark in server.take_remarks() {
            say(&remark);
        }
        let mut stopped = None;
        while self.steps.is_none_or(|steps| server.step() < steps) {
            let proved = server.unverified_from().is_none();
            match server.advance() {
                Ok(()) => {}
                Err(TrainError::Interrupted) => {
                    stopped = Some(String::new());
                    break;
                }
                Err(error @ TrainError::Excess(_)) => {
                    stopped = Some(format!("; {error}"));
                    break;
                }
                Err(error) => return Err(error.into()),
            }
            if let Some(step) = server.unverified_from().filter(|_| proved) {
                say(&format!("UNVERIFIED from step {step} on: more votes are missing than the proof allows"));
            }
        }
        server.close(stopped.is_none())?;
        if self.json {
            output::print(&server.summary().to_string())?;
        } else {
            output::print(&sentence(&server, terms.dimension, stopped.as_deref().unwrap_or("")))?;
        }
        // Without a number of steps, being stopped is how it ends.
        let done = stopped.is_none_or(|why| why.is_empty() && self.steps.is_none());
        Ok(if done { Ending::Done } else { Ending::Undecided })
    }
}

/// What came of it, for a person.
#[cfg(feature = "grpc")]
fn sentence(server: &ecode::train::transport::grpc::VoteServer, dimension: usize, why: &str) -> String {
    let proved = match server.unverified_from() {
        None => "every decode is proved to be the majority".to_owned(),
        Some(step) => format!("UNVERIFIED from step {step} on"),
    };
    let named: Vec<String> = server
        .named()
        .iter()
        .map(|named| format!("worker {} in step {}", named.worker, named.step))
        .collect();
    let named = if named.is_empty() {
        String::new()
    } else {
        format!("\nProved to lie or to compute wrong: {}.", named.join(", "))
    };
    let steps = server.step();
    format!("Decoded {steps} steps of {dimension} coordinates: {proved}{why}.{named}")
}
