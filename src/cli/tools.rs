//! `ecode completions` and `ecode man`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Ending, output};

/// Print the completion script of a shell
#[derive(Args)]
#[command(
    after_help = "Example:\n  ecode completions bash > ~/.local/share/bash-completion/completions/ecode"
)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ecode", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(Ending::Done)
    }
}

/// Print the manual page
#[derive(Args)]
#[command(after_help = "Example:\n  ecode man | man -l -")]
pub(crate) struct Man {}

impl Man {
    #[allow(clippy::unused_self, reason = "every command has the same shape")]
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        output::print(&String::from_utf8_lossy(&page))?;
        Ok(Ending::Done)
    }
}
