//! `check --data` of a naming certificate: the run again without liars, up to the step of the naming, and the one gradient.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecode::train::data::DataSource;
use ecode::train::reactive::Certificate;
use ecode::train::{Config, Finding, RunFolder, Trainer};

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::output;
use super::watch::{going_on, styled};
use super::{input, scheme};

/// What is computed with.
pub(crate) struct With<'a> {
    pub(crate) data: &'a DataSource,
    /// The folder with the run's configuration and matrix; that of the certificate where none is named.
    pub(crate) run: Option<PathBuf>,
}

/// Computes again what a certificate says was computed wrong. Returns the partition, or how the command ends where that is not
/// shown.
pub(crate) fn run(
    certificate: &Certificate,
    file: &Path,
    name: &str,
    with: &With<'_>,
    common: &Common,
) -> anyhow::Result<Result<usize, Ending>> {
    let control = common.control();
    let beside = || file.parent().map_or_else(PathBuf::new, Path::to_owned);
    let place = with.run.clone().unwrap_or_else(beside);
    let (folder, config) =
        RunFolder::open(&place).context("--run: the folder with the run's configuration")?;
    anyhow::ensure!(
        config.scheme.detects(),
        "--run: {} holds a run of votes; the certificate is about digests",
        place.display()
    );
    let config = Config { data: with.data.clone(), ..config };
    let matrix = input::matrix(&folder.matrix(), None, &control)?;
    let code = scheme::training_code(&config, &matrix)?;
    let data = input::data(&config.data, &control)?;
    let mut trainer = Trainer::new(config, code, data)?;
    let step = certificate.step;
    anyhow::ensure!(
        step < trainer.schedule().steps,
        "{name}: step {step}; the run of {} has {} steps",
        place.display(),
        trainer.schedule().steps
    );
    let bar = styled(going_on(0, step), "{bar:30} step {pos} of {len}, {rate}, {eta} left");
    if common.quiet {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    while trainer.state().step < step {
        if control.stopped() {
            bar.finish_and_clear();
            output::remark!(
                "{name}: stopped at step {} of {step}, before anything was compared",
                trainer.state().step
            );
            return Ok(Err(Ending::Undecided));
        }
        trainer.replay()?;
        bar.set_position(trainer.state().step);
    }
    bar.finish_and_clear();
    let contradicts = |what: String| Err(Contradiction(format!("{name}: {what}")).into());
    match trainer.recompute(certificate)? {
        Finding::Wrong(partition) => Ok(Ok(partition)),
        Finding::Right => contradicts(format!(
            "what worker {} signed is right by these data: whoever contradicts it was wrong",
            certificate.worker
        )),
        Finding::OtherRun => {
            contradicts(format!("it is about another run than that of {} with these data", place.display()))
        }
        Finding::OtherState => {
            output::remark!(
                "{name}: before step {step} the run comes to another state here: nothing can be compared. Steps that were \
                 undone, or a machine with other bits, have that effect"
            );
            Ok(Err(Ending::Undecided))
        }
    }
}
