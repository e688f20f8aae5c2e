//! A second opinion on a certificate: `ecode-verified`, the checker that is proved in Coq (coq/README.md), as a
//! program of its own.
//!
//! # What is promised
//! [`Opinion::Agrees`] is returned only where the program ended with exit code 0 and its one line names the same matrix,
//! claim, verdict and radius as the check that was done here.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::group::{Group, read_bounded};
use ecode_check::{
    Accepted, AcceptedBound, AcceptedDistortion, AcceptedDomains, BoundCertificate, Certificate,
    DistortionCertificate, DomainCertificate,
};
use ecode_core::{AllocationMatrix, shown_sentence};
use ecode_format::folder_beside;
use ecode_verify::Control;

/// What the program says of a certificate that was accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// The same, in this line.
    Agrees(String),
    /// It does not decide this kind of certificate, or one of this size: its line.
    Undecided(String),
    /// Something else: one of the two is wrong. Its line.
    Differs(String),
}

/// Why there is no opinion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoOpinion {
    /// The program could not be run.
    #[error("{0}")]
    Failed(String),
    /// The control said stop.
    #[error("stopped")]
    Stopped,
}

/// The most that is read of the program's output, in bytes: it prints one line.
const MOST_OUTPUT: u64 = 1 << 16;
/// How often the running program is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// What was accepted here, with what it showed.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// That a matrix tolerates b liars, or does not.
    Tolerance(&'a Certificate, &'a Accepted),
    /// How many files liars overturn.
    Distortion(&'a DistortionCertificate, &'a AcceptedDistortion),
    /// That a matrix tolerates b failure domains, or does not.
    Domains(&'a DomainCertificate, &'a AcceptedDomains),
    /// That no tolerant code has fewer ones.
    Bound(&'a BoundCertificate, &'a AcceptedBound),
}

/// Asks the program at this path about a certificate, given as the file's bytes, that was accepted here.
///
/// # Errors
/// [`NoOpinion`] where the program cannot be run, ends in another way than by its own exit codes, or is stopped.
pub fn second_opinion(
    program: &Path,
    bytes: &[u8],
    shown: Shown<'_>,
    control: &Control,
) -> Result<Opinion, NoOpinion> {
    let failed = |error: std::io::Error| NoOpinion::Failed(format!("{}: {error}", program.display()));
    let (folder, _held) = folder_beside(&std::env::temp_dir().join("opinion")).map_err(failed)?;
    let (file, output) = (folder.path().join("certificate.json"), folder.path().join("output"));
    std::fs::write(&file, bytes).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg(&file).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(File::create(&output).map_err(failed)?);
    let mut group = Group::start(&mut command).map_err(failed)?;
    while !group.has_ended().map_err(failed)? {
        if control.stopped() {
            group.end().map_err(failed)?;
            return Err(NoOpinion::Stopped);
        }
        std::thread::sleep(GLANCE);
    }
    let status = group.end().map_err(failed)?;
    let text = read_bounded(&output, MOST_OUTPUT)
        .map_err(|why| NoOpinion::Failed(format!("{}: its output {why}", program.display())))?;
    let text = String::from_utf8_lossy(&text);
    let line = shown_sentence(text.lines().next().unwrap_or_default());
    match status.code() {
        Some(0) if text.lines().count() == 1 && says(&text, shown) => Ok(Opinion::Agrees(line)),
        Some(0 | 2 | 4) => Ok(Opinion::Differs(line)),
        Some(3) => Ok(Opinion::Undecided(line)),
        _ => Err(NoOpinion::Failed(format!("{} gave no answer ({status})", program.display()))),
    }
}

/// Whether the program's line is about this claim, and says of it what was found here.
fn says(line: &str, shown: Shown<'_>) -> bool {
    let mut words = line.split_whitespace();
    let verdict = match shown {
        Shown::Tolerance(_, Accepted { tolerant: true, .. })
        | Shown::Domains(_, AcceptedDomains { tolerant: true, .. }) => "TOLERANT",
        Shown::Tolerance(..) | Shown::Domains(..) => "REFUTED",
        Shown::Distortion(..) => "DISTORTION",
        Shown::Bound(..) => "BOUND",
    };
    if [words.next(), words.next(), words.next()] != [Some("s"), Some("VERIFIED"), Some(verdict)] {
        return false;
    }
    let fields: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
    let field = |name: &str| {
        let mut named = fields.iter().filter(|(of, _)| *of == name).map(|&(_, value)| value);
        named.next().filter(|_| named.next().is_none())
    };
    let number = |name: &str| field(name).and_then(|text| text.parse::<usize>().ok());
    let is_of = |g: &AllocationMatrix| {
        number("n") == Some(g.n()) && number("k") == Some(g.k()) && field("digest") == Some(&g.digest())
    };
    match shown {
        Shown::Tolerance(certificate, accepted) => {
            let claim = &certificate.claim;
            let named = fields.iter().any(|(of, _)| *of == "radius");
            let radius = named.then(|| number("radius"));
            is_of(&claim.matrix)
                && number("b") == Some(claim.b)
                && field("ties") == Some(claim.ties.name())
                && radius == accepted.radius.map(Some)
        }
        Shown::Distortion(certificate, accepted) => {
            is_of(&certificate.matrix)
                && number("liars") == Some(certificate.liars)
                && number("files") == Some(certificate.files)
                && field("exact") == Some(if accepted.exact { "true" } else { "false" })
        }
        Shown::Domains(certificate, _) => {
            is_of(&certificate.matrix)
                && number("domains") == Some(certificate.domains.len())
                && number("b") == Some(certificate.b)
                && field("ties") == Some(certificate.ties.name())
        }
        Shown::Bound(certificate, _) => {
            number("n") == Some(certificate.n)
                && number("b") == Some(certificate.b)
                && number("ones") == Some(certificate.ones)
        }
    }
}
