//! `ecode`: design and verify codes that tolerate Byzantine workers. Parse, run, exit.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
