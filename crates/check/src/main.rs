//! `ecode-check FILE`: checks a certificate, and does nothing else. It holds no engine and no prover.
//! Exit codes: 0 valid, 2 not a certificate, 3 not proved, 4 it does not show what it claims.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use ecode_check::{
    BoundCertificate, Certificate, DistortionCertificate, DomainCertificate, MAX_FILE, Options, Refused,
    check, check_bound, check_distortion, check_domains, is_bound, is_distortion, is_domains,
};

fn main() -> ExitCode {
    let (code, text) = answer().unwrap_or_else(|why| (2, format!("error: {why}\n")));
    // The exit code says it too, whatever became of the reader.
    let text = text.as_bytes();
    let written =
        if code == 0 { std::io::stdout().write_all(text) } else { std::io::stderr().write_all(text) };
    let _ = written.and_then(|()| std::io::stdout().flush());
    ExitCode::from(code)
}

fn answer() -> Result<(u8, String), Box<dyn std::error::Error>> {
    let path =
        std::env::args_os().nth(1).ok_or("expected the name of a certificate, or - for standard input")?;
    let path = if path == "-" { "/dev/stdin".into() } else { path };
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if is_bound(&bytes) {
        let certificate = BoundCertificate::parse(&bytes)?;
        return Ok(exit_with(
            check_bound(&certificate, Options::default()).map(|accepted| certificate.report(&accepted)),
        ));
    }
    if is_distortion(&bytes) {
        let certificate = DistortionCertificate::parse(&bytes)?;
        return Ok(exit_with(
            check_distortion(&certificate, Options::default()).map(|accepted| certificate.report(&accepted)),
        ));
    }
    if is_domains(&bytes) {
        let certificate = DomainCertificate::parse(&bytes)?;
        return Ok(exit_with(
            check_domains(&certificate, Options::default()).map(|accepted| certificate.report(&accepted)),
        ));
    }
    let certificate = Certificate::parse(&bytes)?;
    let outcome = check(&certificate);
    let code = outcome.as_ref().map_or_else(Refused::exit_code, |_| 0);
    let why = outcome.as_ref().map_or_else(ToString::to_string, |_| String::new());
    Ok((code, certificate.report(&outcome).unwrap_or_else(|| format!("error: {why}\n"))))
}

/// The exit code and the text of what a checker found.
fn exit_with(outcome: Result<String, Refused>) -> (u8, String) {
    match outcome {
        Ok(report) => (0, report),
        Err(refused) => (refused.exit_code(), format!("error: {refused}\n")),
    }
}
