//! `ecode train`: learn under attack with a verified code.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use ecode::format::MatrixFile;
use ecode::report::run_table;
use ecode::train::data::Data;
use ecode::train::transport::{Link, mpi_link};
use ecode::train::{Config, Metrics, RunFolder, Summary, TrainError, Trainer};
use ecode::verify::Control;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Common, Ending, Silent, code, output};

/// A checkpoint is saved once a minute where nothing else is asked for.
const CHECKPOINT: Duration = Duration::from_secs(60);

/// Train a model while Byzantine workers attack
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode train --code algorithm1:n=9,b=2 --data mnist:DIR --run runs/coded\n  \
                        ecode train --code uncoded:n=9 --byzantine 2 --data mnist:DIR --run runs/uncoded\n  \
                        ecode train --code matrix.json --data amazon:train.csv --attack omniscient --audit\n  \
                        ecode train --config runs/coded/config.toml --seed 1 --run runs/again\n  \
                        ecode train --run runs/coded --resume\n  \
                        mpirun -n 10 ecode train --transport mpi --code best:n=9,b=2 --data mnist:DIR\n  \
                        ecode plot runs/coded runs/uncoded -o curves.svg\n\n\
                        The code is verified first. Ctrl-C saves a checkpoint and exits with 3; --resume goes on \
                        to the same parameters, bit for bit."
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
    flags: Flags,
    /// in-process, or mpi: one process for the server and one for each worker, started by mpirun
    #[arg(long, value_name = "NAME", default_value = "in-process", value_parser = ["in-process", "mpi"])]
    transport: String,
    /// With mpi: a worker that is silent for so long counts as Byzantine
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = super::parse_time)]
    worker_timeout: Duration,
    /// Print the run's summary as one JSON document
    #[arg(long)]
    json: bool,
}

/// Every field of the configuration as a flag.
#[derive(Args, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Flags {
    /// The code: a matrix file, or a construction, as in algorithm1:n=9,b=2 or bernoulli:n=9,r=2.5,seed=0
    #[arg(long, value_name = "CODE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Train with a matrix that does not tolerate its own b, or was not decided; the log says so
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_unverified: bool,
    /// What a worker sends whose vote ties [default: abstain]
    #[arg(long, value_name = "RULE", value_parser = ["adversarial", "zero", "one", "abstain"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    ties: Option<String>,
    /// mnist:DIR, cifar10:DIR, amazon:FILE, amazon-pairs:FILE or synthetic [default: synthetic]
    #[arg(long, value_name = "SPEC")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// The model; all but logistic need the feature tch [default: logistic]
    #[arg(long, value_name = "NAME", value_parser = ["logistic", "cnn", "resnet18", "resnet50"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// auto, cpu or cuda:N [default: auto, a GPU where libtorch finds one]
    #[arg(long, value_name = "DEVICE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Byzantine workers there really are [default: the code's b]
    #[arg(long, value_name = "B")]
    #[serde(skip_serializing_if = "Option::is_none")]
    byzantine: Option<usize>,
    /// first, random, random-per-step, worst, or a list as in 0,3,7 [default: random]
    #[arg(long, value_name = "SET")]
    #[serde(skip_serializing_if = "Option::is_none")]
    byzantine_set: Option<String>,
    /// What Byzantine workers do [default: reverse]
    #[arg(long, value_name = "NAME",
          value_parser = ["none", "reverse", "random", "constant", "omniscient", "label-flip", "alie", "ipm"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    attack: Option<String>,
    /// How hard attacks on gradients strike [default: 1; ipm 0.5]
    #[arg(long, value_name = "S")]
    #[serde(skip_serializing_if = "Option::is_none")]
    attack_scale: Option<f32>,
    /// How the server joins what it receives [default: vote]
    #[arg(long, value_name = "NAME", value_parser = ["vote", "mean", "median", "trimmed-mean", "krum"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregator: Option<String>,
    /// Steps to train [default: 500]
    #[arg(long, value_name = "N", conflicts_with = "epochs", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u64>,
    /// Passes over the training set to train
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<f64>,
    /// Samples per partition and step [default: 32]
    #[arg(long, value_name = "B")]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    /// Cut every partition's batch to this share [default: 1]
    #[arg(long, value_name = "RHO")]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_reduction: Option<f64>,
    /// Learning rate [default: 0.0001 for votes, 0.1 for gradients]
    #[arg(long, value_name = "RATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    lr: Option<f32>,
    /// Divide the learning rate by ten after each of these epochs, as in 40,80
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    lr_decay_epochs: Option<Vec<f64>>,
    /// Momentum [default: 0.9]
    #[arg(long, value_name = "ETA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    momentum: Option<f32>,
    /// Where momentum is kept [default: server]
    #[arg(long, value_name = "WHERE", value_parser = ["server", "worker"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    momentum_at: Option<String>,
    /// Weight decay [default: 0]
    #[arg(long, value_name = "RATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_decay: Option<f32>,
    /// Variance of Gaussian noise on every partition's gradient [default: 0]
    #[arg(long, value_name = "VARIANCE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient_noise: Option<f64>,
    /// The sign of a gradient that is exactly zero [default: balanced]
    #[arg(long, value_name = "RULE", value_parser = ["balanced", "alternate", "positive"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_sign: Option<String>,
    /// The seed of everything random [default: 0]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Test the model every so many steps [default: a twentieth of all; once an epoch where more epochs are given]
    #[arg(long, value_name = "STEPS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluate_every: Option<u64>,
    /// Save a checkpoint every so many steps [default: once a minute]
    #[arg(long, value_name = "STEPS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_every: Option<u64>,
    /// Check in every step that the decode is the true majority, and fail where it is not
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    audit: bool,
    /// Bits per second of the server's link, for the estimated deployed time [default: 1e10]
    #[arg(long, value_name = "BITS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<f64>,
}

impl Train {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let control = common.control();
        let link = match self.transport.as_str() {
            "mpi" => Some(mpi_link().map_err(first_rank_says)?),
            _ => None,
        };
        let flags = toml::Table::try_from(&self.flags).context("the flags")?;
        let (config, resumed) = if let (Some(path), true) = (&self.run, self.resume) {
            let (folder, config) = RunFolder::open(path)?;
            if let Some((flag, _)) = flags.iter().next() {
                bail!(
                    "--{flag}: a run is resumed as it was configured; --config {}/config.toml starts another from it",
                    path.display()
                );
            }
            (config, Some(folder))
        } else {
            (configuration(self.config.as_deref(), flags)?, None)
        };
        let file = code::resolve(&config.code)?;
        let data = config.data.load()?;
        let session = Session { common, control: &control, speak: true, bars: MultiProgress::new() };
        let link = link.map(|link| (link, self.worker_timeout));
        if link.as_ref().is_some_and(|(link, _)| link.rank() > 0) {
            return session.work(config, &file, &data, link);
        }
        let place = |config: &Config, name: &str| {
            self.run.clone().unwrap_or_else(|| default_folder(config, name, file.matrix.n()))
        };
        let outcome = session.train(config, &file, &data, place, resumed, link)?;
        let Outcome { summary, path, elapsed, trainer: _processes } = outcome;
        if self.json {
            output::print(&serde_json::to_string(&summary)?)?;
        } else {
            output::print(&sentence(&summary, &path, elapsed))?;
        }
        Ok(if summary.status == "finished" { Ending::Done } else { Ending::Undecided })
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

/// The configuration of a file, changed by flags.
fn configuration(file: Option<&Path>, flags: toml::Table) -> anyhow::Result<Config> {
    let mut table = toml::Table::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        // Read as a whole first, so that errors name the file's line.
        let mut config = Config::from_toml(&text).with_context(|| path.display().to_string())?;
        // A matrix is named as seen from the file.
        let beside = path.parent().map(|folder| folder.join(&config.code));
        if let Some(beside) = beside.filter(|beside| !config.code.is_empty() && beside.is_file()) {
            config.code = beside.display().to_string();
        }
        table = toml::Table::try_from(&config)?;
        if flags.contains_key("steps") || flags.contains_key("epochs") {
            table.remove("steps");
            table.remove("epochs");
        }
    }
    table.extend(flags);
    let text = toml::to_string(&table)?;
    Config::from_toml(&text).map_err(|error| {
        // The line is one of a text that the user never saw.
        let message = error.0.split_once(": ").map_or(error.0.clone(), |(_, rest)| rest.to_owned());
        anyhow::anyhow!(message)
    })
}

fn default_folder(config: &Config, name: &str, n: usize) -> PathBuf {
    let kind = match config.aggregator {
        ecode::train::Aggregator::Vote => String::new(),
        other => format!("-{}", other.name()),
    };
    let attack = config.attack.name();
    PathBuf::from("runs").join(format!("{name}-n{n}{kind}-{attack}-b{}-seed{}", config.liars(), config.seed))
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) summary: Summary,
    pub(crate) path: PathBuf,
    pub(crate) elapsed: Duration,
    /// To be dropped last: with it goes the link to other processes, if there are any.
    pub(crate) trainer: Trainer,
}

/// A link to other processes, and how long a worker may be silent.
pub(crate) type Processes = Option<(Box<dyn Link>, Duration)>;

/// Where and how runs are trained.
pub(crate) struct Session<'a> {
    pub(crate) common: &'a Common,
    pub(crate) control: &'a Control,
    /// Say what is verified and, where there is no bar, every line of the log.
    pub(crate) speak: bool,
    /// Where a run's bar is shown, under those of whoever runs many.
    pub(crate) bars: MultiProgress,
}

impl Session<'_> {
    /// Verifies the code and trains: from the start in a new folder, or on from the checkpoint.
    pub(crate) fn train(
        &self,
        config: Config,
        file: &MatrixFile,
        data: &Data,
        place: impl FnOnce(&Config, &str) -> PathBuf,
        resumed: Option<RunFolder>,
        processes: Processes,
    ) -> anyhow::Result<Outcome> {
        let quiet = self.common.quiet || !self.speak;
        let mut trainer = self.trainer(config, file, data, quiet)?;
        let name = trainer.code().name().to_owned();
        let connect = |trainer: &mut Trainer| match processes {
            Some((link, timeout)) => trainer.connect(link, timeout, self.control.clone()),
            None => Ok(()),
        };
        let folder = if let Some(folder) = resumed {
            if let Some(state) = folder.saved()? {
                trainer.restore(state).with_context(|| folder.path().display().to_string())?;
            }
            connect(&mut trainer)?;
            folder.rewind(trainer.state().step)?;
            folder
        } else {
            connect(&mut trainer)?;
            RunFolder::create(&place(trainer.config(), &name), trainer.config(), file)?
        };
        let start = Instant::now();
        let bar = self.bar(&trainer);
        let ended = self.steps(&mut trainer, &folder, &bar);
        bar.finish_and_clear();
        ended?;
        let summary = folder.close(&trainer)?;
        Ok(Outcome { summary, path: folder.path().to_owned(), elapsed: start.elapsed(), trainer })
    }

    /// Verifies the code, and makes what trains with it.
    fn trainer(
        &self,
        config: Config,
        file: &MatrixFile,
        data: &Data,
        quiet: bool,
    ) -> anyhow::Result<Trainer> {
        let code =
            code::verified(file, &config.code, config.ties, config.allow_unverified, self.control, quiet)?;
        Ok(Trainer::new(config, code, data.clone())?)
    }

    /// Works for a server: computes and votes until there is no more to do. What happens is the server's to tell.
    pub(crate) fn work(
        &self,
        config: Config,
        file: &MatrixFile,
        data: &Data,
        processes: Processes,
    ) -> anyhow::Result<Ending> {
        let mut trainer = self.trainer(config, file, data, true)?;
        if let Some((link, timeout)) = processes {
            match trainer.connect(link, timeout, self.control.clone()) {
                Err(TrainError::Dismissed(_)) => return Err(Silent.into()),
                connected => connected?,
            }
        }
        while !trainer.finished() {
            match trainer.advance() {
                Err(TrainError::Interrupted) => break,
                advanced => advanced?,
            }
        }
        Ok(Ending::Done)
    }

    /// Trains until the end, or until stopped; the folder then holds all that is needed to go on.
    fn steps(&self, trainer: &mut Trainer, folder: &RunFolder, bar: &ProgressBar) -> anyhow::Result<()> {
        // The log has a line for this step already where a run goes on.
        let mut logged = folder.log()?.last().map(|metrics| metrics.step);
        let mut saved = Instant::now();
        let mut lost = 0;
        loop {
            let step = trainer.state().step;
            let stopped = self.control.stopped();
            if logged != Some(step) && (trainer.due() || (stopped && logged.is_none())) {
                let metrics = trainer.evaluate()?;
                folder.append(&metrics)?;
                self.tell(&metrics, trainer, bar);
                logged = Some(step);
            }
            if trainer.finished() || stopped {
                folder.save(&trainer.snapshot()?)?;
                return Ok(());
            }
            let due = match trainer.config().checkpoint_every {
                Some(every) => step > 0 && step % every == 0,
                None => saved.elapsed() >= CHECKPOINT,
            };
            if due {
                folder.save(&trainer.snapshot()?)?;
                saved = Instant::now();
            }
            match trainer.advance() {
                Err(TrainError::Interrupted) => continue,
                advanced => advanced?,
            }
            bar.inc(1);
            for (worker, since) in &trainer.lost()[lost..] {
                let text =
                    format!("worker {worker} does not answer: counted as Byzantine from step {since} on");
                bar.suspend(|| output::remark!("{text}"));
            }
            lost = trainer.lost().len();
        }
    }

    fn bar(&self, trainer: &Trainer) -> ProgressBar {
        if self.common.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = self.bars.add(ProgressBar::new(trainer.config().steps()));
        bar.set_position(trainer.state().step);
        let template = "{bar:30} step {pos} of {len}, {per_sec}, {eta} left  {msg}";
        ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
    }

    fn tell(&self, metrics: &Metrics, trainer: &Trainer, bar: &ProgressBar) {
        let loss = metrics.train_loss.map_or(String::new(), |loss| format!("loss {loss:.4}  "));
        let label = if metrics.verified { "" } else { "  UNVERIFIED code" };
        let text = format!("{loss}test accuracy {:.2} %{label}", 100.0 * metrics.test_accuracy);
        if self.speak && !self.common.quiet && bar.is_hidden() {
            output::remark!("step {:>7} of {}  {text}", metrics.step, trainer.config().steps());
        }
        bar.set_message(text);
    }
}

/// What came of it, for a person.
fn sentence(summary: &Summary, path: &Path, elapsed: Duration) -> String {
    let config = &summary.config;
    let finished = summary.status == "finished";
    let start = if finished { "Trained" } else { "Interrupted after" };
    let liars = match config.liars() {
        0 => "nobody lying".to_owned(),
        b => format!("{b} of {} workers Byzantine ({})", summary.code["n"], config.attack.name()),
    };
    let rest = if finished {
        format!("ecode plot {} draws the curves", path.display())
    } else {
        format!("ecode train --run {} --resume goes on", path.display())
    };
    format!(
        "{start} {} steps on {}, {liars}: test accuracy {:.2} %, in {}.\n\n{}\n\n{}; {rest}.\n",
        summary.steps,
        config.data.kind(),
        100.0 * summary.last.test_accuracy,
        ecode::report::time(elapsed),
        run_table(std::slice::from_ref(summary)),
        path.display(),
    )
}
