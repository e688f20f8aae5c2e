//! `ecode-check FILE`: checks a certificate, and does nothing else. It holds no engine and no prover.
//! Exit codes: 0 valid, 2 not a certificate, 3 not proved, 4 it does not show what it claims.

use std::io::{Read as _, Write as _, stderr, stdout};
use std::process::ExitCode;

use ecode_check::{Certificate, MAX_FILE, check};

fn main() -> ExitCode {
    let (code, said) = answer().unwrap_or_else(|why| (2, Err(why)));
    // Where nobody reads it, the exit code says it all the same.
    let _ = match said {
        Ok(report) => write!(stdout(), "{report}"),
        Err(why) => writeln!(stderr(), "error: {why}"),
    };
    ExitCode::from(code)
}

fn answer() -> Result<(u8, Result<String, String>), String> {
    let path = std::env::args_os().nth(1).ok_or("usage: ecode-check FILE, or - for standard input")?;
    let mut bytes = Vec::new();
    let input = if path == "-" { "/dev/stdin".into() } else { path };
    let file = std::fs::File::open(input).map_err(|error| error.to_string())?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let certificate = Certificate::parse(&bytes).map_err(|error| error.to_string())?;
    let outcome = check(&certificate);
    let code = outcome.as_ref().map_or_else(ecode_check::Refused::exit_code, |_| 0);
    Ok((
        code,
        certificate.report(&outcome).ok_or_else(|| outcome.map_or_else(|e| e.to_string(), |_| String::new())),
    ))
}
