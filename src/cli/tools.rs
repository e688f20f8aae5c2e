//! `ecode completions` and `ecode man`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use super::ending::Ending;
use super::output;

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
    /// `program` is the whole command line.
    pub(crate) fn run(self, program: &mut Command) -> anyhow::Result<Ending> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, program, "ecode", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(Ending::Done)
    }
}

/// Print the manual page of the program, or of one of its commands
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode man | man -l -\n  ecode man verify | man -l -\n  \
                        ecode man --to ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The command, as in verify, or data fetch [default: the program]
    #[arg(value_name = "COMMAND")]
    of: Vec<String>,
    /// Write the pages of the program and all of its commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "of")]
    to: Option<PathBuf>,
}

impl Man {
    /// `all` is the whole command line.
    pub(crate) fn run(self, mut all: Command) -> anyhow::Result<Ending> {
        // Names such as ecode-verify come with that.
        all.build();
        if let Some(folder) = &self.to {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            write_all(&all, folder)?;
            return Ok(Ending::Done);
        }
        let mut of = &all;
        for name in &self.of {
            let names: Vec<&str> = of.get_subcommands().map(Command::get_name).collect();
            of = of.find_subcommand(name).with_context(|| {
                format!("no command '{}'; expected one of {}", ecode::code::shown(name), names.join(", "))
            })?;
        }
        let mut page = Vec::new();
        Page::new(of.clone()).render(&mut page)?;
        output::print(&String::from_utf8_lossy(&page))?;
        Ok(Ending::Done)
    }
}

/// The pages of a command and of those below it.
fn write_all(of: &Command, folder: &Path) -> anyhow::Result<()> {
    let page = Page::new(of.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    output::write(&folder.join(page.get_filename()), &text)?;
    of.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write_all(below, folder))
}
