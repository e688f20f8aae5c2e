//! `ecode train`: learn under attack with a verified code.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use ecode::format::MatrixFile;
use ecode::report::run_table;
use ecode::train::data::Data;
use ecode::train::transport::{Patience, leave, mpi_link};
use ecode::train::{Config, MomentumAt, OnExcess, RunFolder, Scheme, Status, Summary, TrainingCode};
use ecode::verify::Control;
use indicatif::MultiProgress;

use super::common::Common;
use super::ending::{Ending, Silent};
use super::flags::ConfigFlags;
use super::listen::ListenFlags;
use super::session::{Outcome, Place, Processes, Session, Task, default_folder, program};
use super::{code, domains_train, input, output, scheme};

/// Train a model while Byzantine workers attack
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode train --code algorithm1:n=9,b=2 --data mnist:DIR --run runs/coded\n  \
                        ecode train --code uncoded:n=9 --byzantine 2 --data mnist:DIR --run runs/uncoded\n  \
                        ecode train --code matrix.json --domains hosts.txt --attack omniscient      whole hosts lie\n  \
                        ecode train --code matrix.json --data amazon:train.csv --attack omniscient --audit\n  \
                        ecode train --code uncoded:n=9 --byzantine 2 --attack min-max --aggregator median \
                        --pre-aggregation nnm --momentum-at worker\n  \
                        ecode train --code best:n=9,b=2 --data mnist:DIR --split dirichlet:0.1\n  \
                        ecode train --config runs/coded/config.toml --seed 1 --run runs/again\n  \
                        ecode train --run runs/coded --resume\n  \
                        ecode train --scheme reactive --n 9 --b 2 --data mnist:DIR --run runs/reactive\n  \
                        mpirun -n 10 ecode train --transport mpi --code best:n=9,b=2 --data mnist:DIR\n  \
                        ecode train --transport grpc --listen 0.0.0.0:7001 --keys keys/server --code best:n=9,b=2\n  \
                        ecode plot runs/coded runs/uncoded -o curves.svg\n\n\
                        The code is verified first. A run is called verified while \
                        2 x liars + missing votes <= 2 x the liars that the code is verified for, and the server takes \
                        votes; from the first other step on it says UNVERIFIED. Ctrl-C saves a checkpoint and exits with 3; \
                        --resume goes on to the same parameters, bit for bit. Exit code 1: the run diverged, or the \
                        audit found a wrong decode."
)]
pub(crate) struct Train {
    /// The run's folder [default: runs/CODE-nN-ATTACK-bB-seedS]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Go on with the run in the folder
    #[arg(long, requires = "run")]
    resume: bool,
    /// Read the configuration from a TOML file; flags change it
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: ConfigFlags,
    /// in-process; mpi: one process for the server and one for each worker, started by mpirun; or grpc: this process is
    /// the server, and `ecode work` joins from any machine
    #[arg(long, value_name = "NAME", default_value = "in-process", value_parser = ["in-process", "mpi", "grpc"])]
    transport: String,
    #[command(flatten)]
    listen: ListenFlags,
    /// With mpi and grpc: a vote that is needed is waited for so long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = super::common::parse_time)]
    worker_timeout: Duration,
    /// With mpi: a server that is silent for so long is gone [default: three times --worker-timeout]
    #[arg(long, value_name = "TIME", value_parser = super::common::parse_time)]
    server_timeout: Option<Duration>,
    /// Keep the log as an event file for TensorBoard, too, in the folder's `tensorboard`
    #[arg(long)]
    tensorboard: bool,
    /// Print the run's summary as one JSON document
    #[arg(long)]
    json: bool,
}

/// What is to be trained, before the code is verified.
struct Source {
    requested: Config,
    /// The matrix, where it lies in a file of the configuration's folder.
    matrix: Option<PathBuf>,
    /// The matrix whose votes are taken where the scheme cannot go on, where it lies there, too.
    fallback: Option<PathBuf>,
    /// The folder of a run that goes on, held by this process.
    folder: Option<Box<RunFolder>>,
    /// The file that names the failure domains, whose liars are still to be chosen.
    domains: Option<PathBuf>,
}

impl Train {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let Some(server) = self.server_timeout.or_else(|| self.worker_timeout.checked_mul(3)) else {
            bail!("--worker-timeout is too long");
        };
        if server <= self.worker_timeout {
            bail!("--server-timeout must be longer than --worker-timeout: a server that waits is silent");
        }
        let patience = Patience { worker: self.worker_timeout, server };
        if self.transport == "grpc" {
            return self.serve(common, patience);
        }
        self.listen.refuse()?;
        if self.transport != "mpi" {
            return self.ranked(common, None);
        }
        let link = mpi_link().map_err(first_rank_says)?;
        let rank = link.rank();
        let mut processes = Processes {
            link: Some(link),
            patience,
            #[cfg(feature = "grpc")]
            listen: None,
        };
        let ended = self.ranked(common, Some(&mut processes));
        // What keeps this process from starting is told to the others, and said by the server.
        if let (Err(error), Some(link)) = (&ended, processes.link.take()) {
            leave(link, &format!("{error:#}"));
            if rank > 0 {
                return Err(Silent.into());
            }
        }
        ended
    }

    /// Serves workers that come over gRPC.
    #[cfg(feature = "grpc")]
    fn serve(&self, common: &Common, patience: Patience) -> anyhow::Result<Ending> {
        let listen = Some(self.listen.listen(patience.worker)?);
        self.ranked(common, Some(&mut Processes { link: None, patience, listen }))
    }

    #[cfg(not(feature = "grpc"))]
    #[allow(clippy::unused_self, reason = "as with the feature")]
    fn serve(&self, _common: &Common, _patience: Patience) -> anyhow::Result<Ending> {
        bail!("transport grpc: {}", super::listen::NOT_BUILT_IN)
    }

    /// What this process does: one of many, or the only one.
    fn ranked(&self, common: &Common, processes: Option<&mut Processes>) -> anyhow::Result<Ending> {
        let control = common.control();
        let (tensorboard, bars) = (self.tensorboard, MultiProgress::new());
        let session = Session { common, control: &control, speak: true, tensorboard, bars };
        let works =
            processes.as_ref().and_then(|with| with.link.as_ref()).is_some_and(|link| link.rank() > 0);
        let mut source = self.source(works, &control)?;
        // What goes on stays as it was said.
        let new = self.transport != "in-process" && !self.resume;
        if new && source.requested.momentum_at == MomentumAt::Auto {
            source.requested.momentum_at = MomentumAt::Server;
        }
        let file = match &source.matrix {
            Some(path) => input::matrix(path, None, &control)?,
            None => match scheme::holders(&source.requested)? {
                Some(file) => file,
                None => code::resolve(&source.requested.code, source.requested.ties, &control)?,
            },
        };
        if let Some(remark) = code::remark(&source.requested.code).filter(|_| !common.quiet && !works) {
            output::remark!("{remark}");
        }
        let data = input::data(&source.requested.data, &control)?;
        let folder = source.folder.take();
        let task = source.task(&file, &data, &session, works)?;
        let outcome = match (works, processes) {
            (true, Some(processes)) => return session.work(&task, processes),
            (_, processes) => {
                let place = |config: &Config| match folder {
                    Some(folder) => Place::Held(folder),
                    None => Place::New(
                        self.run
                            .clone()
                            .unwrap_or_else(|| default_folder(config, task.code.name(), file.matrix.n())),
                    ),
                };
                session.train(&task, place, processes)?
            }
        };
        let Outcome { summary, path, elapsed, trainer: _processes } = outcome;
        if self.json {
            output::print(&serde_json::to_string(&summary)?)?;
        } else {
            output::print(&sentence(&summary, &file.matrix.worker_loads(), &path, elapsed))?;
        }
        Ok(match summary.status {
            Status::Finished => Ending::Done,
            Status::Diverged | Status::Failed => Ending::Refuted,
            Status::Interrupted | Status::Stopped => Ending::Undecided,
        })
    }

    /// The configuration: that of the folder that goes on, or that of a file, changed by flags.
    fn source(&self, works: bool, control: &Control) -> anyhow::Result<Source> {
        let (Some(path), true) = (&self.run, self.resume) else {
            let (requested, matrix, fallback) =
                configuration(self.config.as_deref(), &self.flags.0, control)?;
            let domains = self.flags.0.get("domains").and_then(|path| path.as_str()).map(PathBuf::from);
            return Ok(Source { requested, matrix, fallback, folder: None, domains });
        };
        if let Some((flag, _)) = self.flags.0.iter().next() {
            bail!(
                "--{flag}: a run is resumed as it was configured; --config {}/config.toml starts another from it",
                path.display()
            );
        }
        if works {
            // The server holds the folder; a worker reads it.
            let (folder, _) = RunFolder::open(path)?;
            let (requested, _, fallback) =
                configuration(Some(&path.join("config.toml")), &toml::Table::new(), control)?;
            let matrix = Some(folder.matrix());
            return Ok(Source { requested, matrix, fallback, folder: None, domains: None });
        }
        let (folder, requested) = RunFolder::hold(path, &program())?;
        let fallback = matches!(requested.on_excess, OnExcess::Code(_)).then(|| folder.fallback());
        let matrix = Some(folder.matrix());
        Ok(Source { requested, matrix, fallback, folder: Some(Box::new(folder)), domains: None })
    }
}

impl Source {
    /// Verifies the code.
    fn task<'a>(
        self,
        file: &'a MatrixFile,
        data: &'a Data,
        session: &Session<'_>,
        works: bool,
    ) -> anyhow::Result<Task<'a>> {
        let quiet = session.common.quiet || works;
        if self.requested.scheme != Scheme::Vote {
            let code = scheme::code_of(file, &self.requested, session.control, quiet)?;
            let fallback = scheme::fallback(&self.requested, self.fallback.as_deref(), session, quiet)?;
            return Ok(Task { requested: self.requested, code, file, data, fallback });
        }
        let mut requested = self.requested;
        let anew = self.domains.is_some();
        let named = self.domains.map(|path| domains_train::named(&path, file.matrix.n(), session.control));
        if let Some(text) = named.transpose()? {
            requested.domains = Some(text);
        }
        let code: TrainingCode = code::verified(file, &requested, session.control, quiet)?;
        // From a file they were named anew; a configuration says in workers who lies.
        if requested.domains.is_some() && anew {
            domains_train::choose(&mut requested, &code)?;
        }
        Ok(Task { requested, code, file, data, fallback: None })
    }
}

/// What keeps every process from starting is said by one of them.
fn first_rank_says(text: String) -> anyhow::Error {
    // Without MPI, only mpirun's variables tell who this is.
    let ranks = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"].map(|name| std::env::var(name).unwrap_or_default());
    if ranks.iter().any(|rank| !rank.is_empty() && rank != "0") {
        return Silent.into();
    }
    anyhow::Error::msg(text)
}

/// The configuration of a file, changed by flags; and the matrices that lie beside that file: the code's, and that of
/// `on-excess code:…`.
fn configuration(
    file: Option<&Path>,
    flags: &toml::Table,
    control: &Control,
) -> anyhow::Result<(Config, Option<PathBuf>, Option<PathBuf>)> {
    let Some(path) = file else { return Ok((Config::from_table(flags)?, None, None)) };
    let text = input::text(path, input::SMALL, control)?;
    // Read as a whole first, so that errors name the file's line.
    let config = Config::from_toml(&text).with_context(|| path.display().to_string())?;
    // A matrix is named as seen from the file.
    let beside = |flag: &str, name: &str| {
        let place = path.parent().map(|folder| folder.join(name));
        place.filter(|place| !flags.contains_key(flag) && !name.is_empty() && place.is_file())
    };
    let fallback = match &config.on_excess {
        OnExcess::Code(name) => beside("on-excess", name),
        _ => None,
    };
    let beside = beside("code", &config.code);
    let mut table = config.to_table();
    if flags.contains_key("steps") || flags.contains_key("epochs") {
        table.remove("steps");
        table.remove("epochs");
    }
    table.extend(flags.clone());
    Ok((Config::from_table(&table)?, beside, fallback))
}

/// What came of it, for a person.
fn sentence(summary: &Summary, loads: &[usize], path: &Path, elapsed: Duration) -> String {
    let config = &summary.config;
    let start = match summary.status {
        Status::Finished => "Trained",
        Status::Interrupted => "Interrupted after",
        Status::Diverged => "Diverged after",
        Status::Failed => "Failed after",
        Status::Stopped => "Stopped after",
    };
    let liars = match config.liars() {
        0 => "nobody lying".to_owned(),
        b => format!("{b} of {} workers Byzantine ({})", summary.code["n"], config.attack.name()),
    };
    // What was tested last may be steps ago.
    let tested = if summary.last.step == summary.steps {
        String::new()
    } else {
        format!(" at step {}, where it was tested last", summary.last.step)
    };
    let took =
        if elapsed.is_zero() { String::new() } else { format!(", in {}", ecode::report::time(elapsed)) };
    let reason = summary.reason.as_ref().map_or(String::new(), |reason| format!("{reason}.\n"));
    let label = match &summary.unverified {
        None => String::new(),
        // What a scheme promises instead of a proof is no failure of one.
        Some(why) if why.starts_with("checked") => format!("Not proved, {why}.\n"),
        Some(why) if summary.code["budgeted"].is_string() => format!("Not verified, {why}.\n"),
        Some(why) => format!("UNVERIFIED {why}.\n"),
    };
    let domains = domains_train::told(config, &summary.code, summary.unverified.is_none());
    let label = format!("{domains}{label}");
    let lost: Vec<String> = summary
        .lost
        .iter()
        .map(|lost| format!("worker {} from step {} on", lost.worker, lost.step))
        .collect();
    let lost = if lost.is_empty() { String::new() } else { format!("Lost: {}.\n", lost.join(", ")) };
    let named: Vec<String> =
        summary.named.iter().map(|named| format!("worker {} in step {}", named.worker, named.step)).collect();
    let named = if named.is_empty() {
        String::new()
    } else {
        format!("Proved to lie or to compute wrong: {}.\n", named.join(", "))
    };
    let unusual: Vec<String> = ecode::train::unusual(loads, &summary.agreement)
        .into_iter()
        .map(|worker| format!("worker {worker} ({:.2} %)", 100.0 * summary.agreement[worker].share()))
        .collect();
    let unusual = if unusual.is_empty() {
        String::new()
    } else {
        format!(
            "Unusual among workers of the same load, which is statistics and no proof: against the decode vote {}.\n",
            unusual.join(", ")
        )
    };
    let rest = if summary.status.is_final() {
        format!("ecode plot {} draws the curves", path.display())
    } else {
        format!("ecode train --run {} --resume goes on", path.display())
    };
    let scheme =
        summary.detection.as_ref().map_or(String::new(), |report| format!("{}\n", report.sentence()));
    format!(
        "{start} {} steps on {}, {liars}: test accuracy {:.2} %{tested}{took}.\n{reason}{label}{lost}{named}{unusual}{scheme}\n{}\n\n{}; {rest}.\n",
        summary.steps,
        config.data.kind(),
        100.0 * summary.last.test_accuracy,
        run_table(std::slice::from_ref(summary)),
        path.display(),
    )
}
