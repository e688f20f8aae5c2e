//! A run from its first step to its last: in its folder, under its bar, with the other processes where there are some.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecode::format::MatrixFile;
use ecode::train::data::Data;
#[cfg(feature = "grpc")]
use ecode::train::transport::grpc::Listen;
use ecode::train::transport::{Link, Patience};
use ecode::train::{
    Config, Lost, Metrics, Program, RunFolder, Status, Summary, TrainError, Trainer, TrainingCode,
};
use ecode::verify::Control;
use indicatif::{MultiProgress, ProgressBar};

use super::common::Common;
use super::ending::{Ending, Silent};
use super::output;
use super::watch::{going_on, styled};

/// A checkpoint is saved once a minute where nothing else is asked for.
const CHECKPOINT: Duration = Duration::from_secs(60);

/// This program, as run folders name it.
pub(crate) fn program() -> Program {
    Program {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("ECODE_REVISION").map(str::to_owned),
    }
}

/// What is trained.
pub(crate) struct Task<'a> {
    /// The configuration as it was said.
    pub(crate) requested: Config,
    pub(crate) code: TrainingCode,
    pub(crate) file: &'a MatrixFile,
    pub(crate) data: &'a Data,
    /// The code whose votes are taken where a scheme cannot go on.
    pub(crate) fallback: Option<TrainingCode>,
}

impl Task<'_> {
    fn trainer(&self) -> Result<Trainer, TrainError> {
        let mut trainer = Trainer::new(self.requested.clone(), self.code.clone(), self.data.clone())?;
        if let Some(code) = &self.fallback {
            trainer.fall_back_on(code.clone())?;
        }
        Ok(trainer)
    }
}

/// Where a run is kept.
pub(crate) enum Place {
    /// In a new folder.
    New(PathBuf),
    /// In a folder that has it already, held by this process.
    Held(Box<RunFolder>),
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) summary: Summary,
    pub(crate) path: PathBuf,
    pub(crate) elapsed: Duration,
    /// To be dropped last: with it goes the link to other processes, if there are any.
    pub(crate) trainer: Trainer,
}

/// A link to other processes, while nobody has taken it, and how long they may be silent.
pub(crate) struct Processes {
    pub(crate) link: Option<Box<dyn Link>>,
    pub(crate) patience: Patience,
    /// Where the workers come over gRPC, while nobody listens.
    #[cfg(feature = "grpc")]
    pub(crate) listen: Option<Listen>,
}

/// Where and how runs are trained.
pub(crate) struct Session<'a> {
    pub(crate) common: &'a Common,
    pub(crate) control: &'a Control,
    /// Say what happens and, where there is no bar, every line of the log.
    pub(crate) speak: bool,
    /// Keep the log as an event file of TensorBoard, too.
    pub(crate) tensorboard: bool,
    /// Where a run's bar is shown, under those of whoever runs many.
    pub(crate) bars: MultiProgress,
}

impl Session<'_> {
    /// Trains: from the start in a new folder, or on from the checkpoint.
    pub(crate) fn train(
        &self,
        task: &Task<'_>,
        place: impl FnOnce(&Config) -> Place,
        mut processes: Option<&mut Processes>,
    ) -> anyhow::Result<Outcome> {
        let mut trainer = task.trainer()?;
        let mut connect = |trainer: &mut Trainer| {
            let Some(processes) = processes.as_mut() else { return Ok(()) };
            #[cfg(feature = "grpc")]
            if let Some(listen) = processes.listen.take() {
                return self.listen(trainer, task, &listen);
            }
            let link = processes.link.take();
            link.map_or(Ok(()), |link| trainer.connect(link, processes.patience, self.control.clone()))
        };
        let mut folder = match place(trainer.config()) {
            Place::Held(mut folder) => {
                for remark in folder.resume(&mut trainer, &task.requested)? {
                    self.say(&format!("note: {remark}"));
                }
                // Nothing more comes of it.
                if let Some(summary) = folder.summary()?.filter(|summary| summary.status.is_final()) {
                    let (path, elapsed) = (folder.path().to_owned(), Duration::ZERO);
                    return Ok(Outcome { summary, path, elapsed, trainer });
                }
                connect(&mut trainer)?;
                *folder
            }
            Place::New(path) => {
                connect(&mut trainer)?;
                let folder = RunFolder::create(&path, &task.requested, task.file, &trainer, &program())?;
                trainer.keep_namings(folder.journal());
                folder
            }
        };
        let code = trainer.code();
        if let Some(excess) = trainer.excess().filter(|_| code.proof().is_some() || code.domains().is_some())
        {
            self.say(&format!("note: {excess}"));
        }
        let start = Instant::now();
        let bar = self.bar(&trainer);
        let ended = self.steps(&mut trainer, &mut folder, &bar);
        bar.finish_and_clear();
        let summary = match ended {
            Ok(()) => folder.close(&mut trainer, None)?,
            // Some errors are what the run comes to.
            Err(error) => match error.downcast_ref::<TrainError>().map(|error| (error, Status::after(error)))
            {
                Some((reason, Some(status))) => {
                    if !status.is_final() {
                        folder.save(&trainer.snapshot()?)?;
                    }
                    folder.close(&mut trainer, Some(reason))?
                }
                _ => return Err(error),
            },
        };
        Ok(Outcome { summary, path: folder.path().to_owned(), elapsed: start.elapsed(), trainer })
    }

    /// Lets workers join over gRPC. What they do is said as it happens, also in a step that waits for them.
    #[cfg(feature = "grpc")]
    fn listen(&self, trainer: &mut Trainer, task: &Task<'_>, listen: &Listen) -> Result<(), TrainError> {
        let matrix = MatrixFile::plain(task.file.matrix.clone()).to_bytes(ecode::format::Format::Json);
        let bars = self.bars.clone();
        let say = move |text: &str| bars.suspend(|| output::remark!("{text}"));
        let matrix = String::from_utf8_lossy(&matrix).into_owned();
        trainer.listen(listen, matrix, self.control.clone(), Box::new(say))
    }

    /// Works for a server: computes and votes until there is no more to do. What happens is the server's to tell.
    pub(crate) fn work(&self, task: &Task<'_>, processes: &mut Processes) -> anyhow::Result<Ending> {
        let mut trainer = task.trainer()?;
        if let Some(link) = processes.link.take() {
            match trainer.connect(link, processes.patience, self.control.clone()) {
                Err(TrainError::Dismissed(_)) => return Err(Silent.into()),
                connected => connected?,
            }
        }
        while !trainer.finished() {
            match trainer.advance() {
                Err(TrainError::Interrupted) => break,
                Err(TrainError::Dismissed(_)) => return Err(Silent.into()),
                // Only this worker knows. It says so now: without the trainer all processes may end at once.
                Err(error @ TrainError::Transport(_)) => {
                    output::remark!("error: {error}");
                    return Err(Silent.into());
                }
                Err(error) => {
                    trainer.leave(&error.to_string());
                    return Err(Silent.into());
                }
                Ok(()) => {}
            }
        }
        Ok(Ending::Done)
    }

    /// Trains until the end, or until stopped; the folder then holds all that is needed to go on.
    fn steps(&self, trainer: &mut Trainer, folder: &mut RunFolder, bar: &ProgressBar) -> anyhow::Result<()> {
        // The log has a line for this step already where a run goes on.
        let mut logged = folder.log()?.last().map(|metrics| metrics.step);
        let mut saved = Instant::now();
        let (mut lost, mut covered) = (trainer.lost().len(), trainer.excess().is_none());
        loop {
            let step = trainer.state().step;
            let stopped = self.control.stopped();
            if logged != Some(step) && (trainer.due() || (stopped && logged.is_none())) {
                let metrics = trainer.evaluate()?;
                folder.append(&metrics)?;
                if self.tensorboard {
                    folder.write_events()?;
                }
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
            let advanced = trainer.advance();
            bar.set_position(trainer.state().step);
            for text in trainer.take_remarks() {
                bar.suspend(|| output::remark!("{text}"));
            }
            // Over gRPC that is said already, and some come back.
            let new = trainer.lost().get(lost..).filter(|_| !trainer.says_itself());
            for Lost { worker, step } in new.unwrap_or_default() {
                let text =
                    format!("worker {worker} does not answer: its vote is missing from step {step} on");
                bar.suspend(|| output::remark!("{text}"));
            }
            lost = trainer.lost().len();
            if let Some(excess) = trainer.excess().filter(|_| covered) {
                bar.suspend(|| output::remark!("{excess}"));
                covered = false;
            }
            match advanced {
                Err(TrainError::Interrupted) => {}
                advanced => advanced?,
            }
        }
    }

    fn say(&self, text: &str) {
        if self.speak && !self.common.quiet {
            output::remark!("{text}");
        }
    }

    fn bar(&self, trainer: &Trainer) -> ProgressBar {
        if self.common.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = going_on(trainer.state().step, trainer.schedule().steps);
        self.bars.add(styled(bar, "{bar:30} step {pos} of {len}, {rate}, {eta} left  {msg}"))
    }

    fn tell(&self, metrics: &Metrics, trainer: &Trainer, bar: &ProgressBar) {
        let loss = metrics.train_loss.map_or(String::new(), |loss| format!("loss {loss:.4}  "));
        let label = match &metrics.unverified {
            _ if metrics.verified => "",
            Some(why) if why.starts_with("checked") => "  checked, not proved",
            Some(why) if why.contains("the code is budgeted") => "  budgeted",
            _ => "  UNVERIFIED",
        };
        let test = if metrics.test_loss.is_finite() { "" } else { ", test loss not finite" };
        let text = format!("{loss}test accuracy {:.2} %{test}{label}", 100.0 * metrics.test_accuracy);
        if self.speak && !self.common.quiet && bar.is_hidden() {
            output::remark!("step {:>7} of {}  {text}", metrics.step, trainer.schedule().steps);
        }
        bar.set_message(text);
    }
}

/// The folder that a run gets where none is named.
pub(crate) fn default_folder(config: &Config, name: &str, n: usize) -> PathBuf {
    let kind = match config.aggregator {
        ecode::train::Aggregator::Vote => String::new(),
        _ => format!("-{}", config.rule().name().replace([':', '+'], "-")),
    };
    let attack = config.attack.name();
    Path::new("runs").join(format!("{name}-n{n}{kind}-{attack}-b{}-seed{}", config.liars(), config.seed))
}
