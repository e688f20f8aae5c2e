//! `ecode`: design and verify codes that tolerate Byzantine workers. Everything that belongs to a process is here:
//! its arguments, its signals, its exit code.

mod signals;

use std::io::Write as _;
use std::process::ExitCode;

use ecode::verify::Control;

fn main() -> ExitCode {
    let stop = Control::default();
    if let Err(error) = signals::listen(&stop) {
        let _ = writeln!(std::io::stderr(), "error: cannot listen for Ctrl-C: {error}");
        return ExitCode::from(2);
    }
    ExitCode::from(ecode::cli::run(std::env::args_os(), &stop))
}
