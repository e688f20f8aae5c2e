//! The flags that every command takes.

use std::time::Duration;

use ecode::verify::Control;

/// Flags that every command takes.
#[derive(clap::Args, Clone)]
pub(crate) struct Common {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", help_heading = "Common options")]
    pub(super) threads: Option<usize>,
    /// Stop after this time and say what is known by then, as in 30s, 5m, 2h
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time, help_heading = "Common options")]
    pub(super) timeout: Option<Duration>,
    /// No progress bar, no remarks
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub(super) quiet: bool,
    /// Say more: why an engine was chosen
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub(super) verbose: bool,
    /// Who may ask the work to stop.
    #[arg(skip)]
    pub(super) stop: Control,
}

impl Common {
    /// The control of this command: it ends with `--timeout`, and when the caller of [`run`](super::run) says stop.
    pub(crate) fn control(&self) -> Control {
        self.stop.clone()
    }
}

/// A length of time from the command line.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let expected =
        || format!("'{text}' is not a time: write a number and a unit, as in 500ms, 30s, 5m or 2h");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| expected())?;
    let scale = match &text[digits..] {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    Duration::try_from_secs_f64(number * scale).map_err(|_| expected())
}
