//! `ecode work`: a worker of a deployment.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::common::Common;
use super::ending::Ending;

/// Work for a server that `ecode train --transport grpc` runs
#[derive(Args)]
#[command(
    after_help = "Example:\n  ecode work --server gpu-0.cluster:7001 --keys keys/worker-3 --data mnist:data/mnist\n\n\
                  The server sends the configuration and the matrix; the data are this machine's own, and must be the \
                  server's. Server and workers may be started and started again in any order: a worker that loses its \
                  server tries again, and takes the server's state where its own is of no use. Exit code 3: stopped."
)]
pub(crate) struct Work {
    /// The server's host and port
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The folder of this worker's keys, which `ecode keys` makes
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The data, as for train [default: where the server has them]
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,
    /// The matrix that this worker is to work by: another one at the server is refused
    #[arg(long, value_name = "FILE")]
    code: Option<PathBuf>,
    /// Where gradients are computed: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
    /// Give up when the server was not reached for so long
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::common::parse_time)]
    give_up_after: Duration,
}

impl Work {
    #[cfg(not(feature = "grpc"))]
    pub(crate) fn run(self, _common: &Common) -> anyhow::Result<Ending> {
        let Self { server: _, keys: _, data: _, code: _, device: _, give_up_after: _ } = self;
        anyhow::bail!(super::listen::NOT_BUILT_IN)
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        use anyhow::{Context as _, bail};
        use ecode::format::{Format, MatrixFile};
        use ecode::train::transport::grpc::{Join, Run};
        use ecode::train::{Config, TrainError, Trainer, TrainingCode};

        use super::{input, output};

        let control = common.control();
        let mut say = |text: &str| {
            if !common.quiet {
                output::remark!("{text}");
            }
        };
        let join = Join { server: self.server, keys: self.keys, give_up_after: self.give_up_after };
        let run = match Run::ask(&join, &control, &mut say) {
            Err(TrainError::Interrupted) => return Ok(Ending::Undecided),
            run => run?,
        };
        let mine = concat!("ecode ", env!("CARGO_PKG_VERSION"));
        if run.version != mine {
            bail!(
                "the server runs {}, this is {mine}: gradients are the same bits by the same program only",
                run.version
            );
        }
        if run.brought.is_some() {
            bail!(
                "{} runs `ecode serve`, which holds no model: a program with a model of its own works for it, as with \
                 election_coding.torch in Python",
                join.server
            );
        }
        let requested = Config::from_toml(&run.config).context("the server's configuration")?;
        let data = self.data.unwrap_or(run.data).parse().context("--data")?;
        let config = Config {
            data,
            device: ecode::train::Device::try_from(self.device).context("--device")?,
            ..requested
        };
        let matrix =
            MatrixFile::parse(run.matrix.as_bytes(), Format::Json).context("the server's matrix")?.matrix;
        if let Some(path) = &self.code {
            let own = input::matrix(path, None, &control)?.matrix.digest();
            if own != matrix.digest() {
                bail!(
                    "{}: its digest is {own}, that of the server's matrix is {}",
                    path.display(),
                    matrix.digest()
                );
            }
        }
        let data = input::data(&config.data, &control)?;
        let code = if config.scheme.detects() {
            super::scheme::training_code(&config, &MatrixFile::plain(matrix))?
        } else {
            TrainingCode::unverified(matrix, None, "the server's")
        };
        let mut trainer = Trainer::new(config, code, data)?;
        match trainer.work_for(join, run.row, control, &mut say) {
            Ok(()) => {
                say(&format!("all is done after step {}", trainer.state().step));
                Ok(Ending::Done)
            }
            Err(TrainError::Interrupted) => Ok(Ending::Undecided),
            Err(error) => Err(error.into()),
        }
    }
}
