//! `ecode table --site`: the catalogue as a folder of pages, matrices and certificates.
//!
//! # What is promised
//! A page says *verified* of a code that was verified when the page was written, and links to a certificate that was
//! checked then. Every file is written whole.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use ecode::certificate::{NoCertificate, Scope, certify_usual, check};
use ecode::format::{Format, MatrixFile, verification_json};
use ecode::report::{SiteCode, codes_csv, codes_json, site_index, site_page};
use ecode::search::Entry;
use ecode::verify::{Conclusion, Control, Request};

use super::common::Common;
use super::ending::{Contradiction, Ending};
use super::verify::{known, shape};
use super::{output, watch};

/// Verifies and certifies the codes, and writes their files, their pages and the index.
pub(crate) fn write(folder: &Path, entries: &[Entry], common: &Common) -> anyhow::Result<Ending> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let control = common.control();
    let progress = watch::Draws::over(entries.len() as u64, "code {human_pos} of {human_len}", common.quiet);
    let mut codes = Vec::new();
    for entry in entries {
        match code(folder, entry, &control)? {
            Some(code) => codes.push(code),
            None => break,
        }
        progress.advance();
    }
    drop(progress);
    for (place, code) in codes.iter().enumerate() {
        output::write(&folder.join(format!("{}.html", code.stem())), site_page(&codes, place).as_bytes())?;
    }
    let there: Vec<Entry> = codes.iter().map(|code| code.entry.clone()).collect();
    output::write(&folder.join("codes.csv"), codes_csv(&there).as_bytes())?;
    output::write(&folder.join("codes.json"), codes_json(&there).to_string().as_bytes())?;
    output::write(&folder.join("index.html"), site_index(&codes).as_bytes())?;
    let certified = codes.iter().filter(|code| code.certified).count();
    let whole = codes.len() == entries.len();
    let stopped = if whole { String::new() } else { format!(" Stopped: {} were asked for.", entries.len()) };
    output::print(&format!(
        "{}: {} codes, each verified, {certified} with a checked certificate.{stopped}",
        folder.join("index.html").display(),
        codes.len()
    ))?;
    Ok(if whole { Ending::Done } else { Ending::Undecided })
}

/// Verifies a code and writes its files. `None` where the work was stopped before.
fn code(folder: &Path, entry: &Entry, control: &Control) -> anyhow::Result<Option<SiteCode>> {
    let g = &entry.code.matrix;
    let made = entry.code.to_json();
    let shape = shape(Some(&made));
    let verdict = Request::new(g).b(Some(entry.b)).shape(shape.as_ref()).decide(control).map_err(known)?;
    match verdict.conclusion() {
        Conclusion::Tolerant => {}
        Conclusion::Undecided => return Ok(None),
        Conclusion::Refuted(_) => {
            let (n, b) = (g.n(), entry.b);
            let text = format!("the catalogue's code for n = {n}, b = {b} is refuted; please report this");
            return Err(Contradiction(text).into());
        }
    }
    let certificate = match certify_usual(g, &verdict, Scope::Claim, shape.as_ref(), control) {
        Ok(certificate) => Some(certificate),
        Err(error @ NoCertificate::Contradiction) => return Err(Contradiction(error.to_string()).into()),
        Err(_) if control.stopped() => return Ok(None),
        Err(_) => None,
    };
    let code = SiteCode { entry: entry.clone(), verdict, certified: certificate.is_some() };
    let path = |end: &str| folder.join(format!("{}.{end}", code.stem()));
    if let Some(certificate) = certificate {
        check(&certificate).map_err(|error| {
            Contradiction(format!("the certificate of {} is wrong: {error}; please report this", code.stem()))
        })?;
        output::write(&path("certificate.json"), certificate.to_json().as_bytes())?;
    }
    let verification = Some(verification_json(&code.verdict, g));
    let file = MatrixFile { matrix: g.clone(), b: Some(entry.b), construction: Some(made), verification };
    output::write(&path("json"), &file.to_bytes(Format::Json))?;
    output::write(&path("txt"), &file.to_bytes(Format::Txt))?;
    Ok(Some(code))
}
