//! A code to train with: from a file, or made on the spot, and verified.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use ecode::code::{Claim, TieRule};
use ecode::construct::{Bernoulli, Gluing, algorithm1, bernoulli, best, cyclic, full, repetition, uncoded};
use ecode::format::MatrixFile;
use ecode::train::TrainingCode;
use ecode::verify::{Control, Method, Radius, Verified, VerifiedCode, verify};
use serde_json::json;

use super::{input, output, watch};

/// What `--code` takes besides a file.
pub(crate) const SPECIFICATIONS: &str = "a matrix file, or best:n=9,b=2, algorithm1:n=9,b=2, gluing:n=9,b=2, \
    bernoulli:n=9,b=2,r=2.5,seed=0, uncoded:n=9, full:n=9, repetition:n=9,group=3, cyclic:n=9,degree=3";

/// The matrix that a `--code` names, with what is said of it.
pub(crate) fn resolve(text: &str) -> anyhow::Result<MatrixFile> {
    if text.is_empty() {
        bail!("no code: --code takes {SPECIFICATIONS}");
    }
    if let Some((name, rest)) = text.split_once(':')
        && !Path::new(text).exists()
    {
        return make(name, rest).with_context(|| format!("--code {text}"));
    }
    input::matrix(Path::new(text), None)
}

fn make(name: &str, rest: &str) -> anyhow::Result<MatrixFile> {
    let mut given = BTreeMap::new();
    for part in rest.split(',').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').with_context(|| format!("'{part}'; expected name=value"))?;
        ensure!(given.insert(key, value).is_none(), "{key} is given twice");
    }
    let known: &[&str] = match name {
        "best" | "algorithm1" | "gluing" => &["n", "b"],
        "bernoulli" => &["n", "b", "r", "p", "seed", "odd"],
        "uncoded" => &["n"],
        "full" => &["n", "k", "b"],
        "repetition" => &["n", "b", "group"],
        "cyclic" => &["n", "b", "degree"],
        _ => bail!("no construction is named '{name}'; expected {SPECIFICATIONS}"),
    };
    if let Some(key) = given.keys().find(|key| !known.contains(key)) {
        bail!("{name} has no '{key}'; expected {}", known.join(", "));
    }
    let number = |key: &str| -> anyhow::Result<Option<usize>> {
        given.get(key).map(|text| text.parse().with_context(|| format!("{key}={text}"))).transpose()
    };
    let needed = |key: &str| number(key)?.with_context(|| format!("{name} needs {key}=…"));
    let real = |key: &str| -> anyhow::Result<Option<f64>> {
        given.get(key).map(|text| text.parse().with_context(|| format!("{key}={text}"))).transpose()
    };
    let n = needed("n")?;
    let b = number("b")?;
    let (matrix, made) = match name {
        "algorithm1" => {
            let b = needed("b")?;
            (algorithm1(n, b)?, json!({"name": name, "n": n, "b": b}))
        }
        "best" => {
            let code = best(n, needed("b")?)?;
            let made = code.to_json();
            (code.matrix, made)
        }
        "gluing" => {
            let b = needed("b")?;
            let code = Gluing::new(n, b)?;
            let parts = code.shape.to_json();
            (code.matrix, json!({"name": name, "n": n, "b": b, "parts": parts}))
        }
        "bernoulli" => {
            let p = match (real("r")?, real("p")?) {
                (Some(r), None) => r / n as f64,
                (None, Some(p)) => p,
                _ => bail!("bernoulli needs r=… (mean partitions per worker) or p=…"),
            };
            let seed = number("seed")?.unwrap_or(0) as u64;
            let odd_rows = number("odd")?.is_some_and(|odd| odd != 0);
            let how = Bernoulli { n, k: n, p, seed, draw: 0, redraw_empty: odd_rows, odd_rows };
            let made = json!({"name": name, "n": n, "p": p, "seed": seed, "odd_rows": odd_rows});
            (bernoulli(how)?, made)
        }
        "uncoded" => (uncoded(n)?, json!({"name": name, "n": n})),
        "full" => (full(n, number("k")?.unwrap_or(n))?, json!({"name": name, "n": n})),
        "repetition" => {
            let group = needed("group")?;
            (repetition(n, group)?, json!({"name": name, "n": n, "group": group}))
        }
        _ => {
            let degree = needed("degree")?;
            (cyclic(n, degree)?, json!({"name": name, "n": n, "degree": degree}))
        }
    };
    let b = if name == "uncoded" { Some(0) } else { b };
    Ok(MatrixFile { b, construction: Some(made), ..MatrixFile::plain(matrix) })
}

/// How a matrix was made, in a word; else the file's name.
pub(crate) fn name(file: &MatrixFile, text: &str) -> String {
    let made = file.construction.as_ref().and_then(|made| made.get("name")?.as_str().map(str::to_owned));
    made.unwrap_or_else(|| {
        Path::new(text)
            .file_stem()
            .map_or_else(|| text.to_owned(), |stem| stem.to_string_lossy().into_owned())
    })
}

/// With leave to train unverified, no more is spent on a proof than this.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Verifies a matrix for its own b, or finds the b that it tolerates where it names none.
pub(crate) fn verified(
    file: &MatrixFile,
    text: &str,
    ties: TieRule,
    allow_unverified: bool,
    control: &Control,
    quiet: bool,
) -> anyhow::Result<TrainingCode> {
    let name = name(file, text);
    let limited = if allow_unverified { control.within(PATIENCE) } else { control.clone() };
    let work = || -> anyhow::Result<Result<VerifiedCode, String>> {
        let found = || -> anyhow::Result<Result<usize, String>> {
            let verdict = verify(&file.matrix, None, ties, Method::Auto, &limited)?;
            Ok(match verdict.radius() {
                Radius::Exactly(radius) | Radius::AtLeast(radius) => Ok(radius),
                Radius::FailsWithoutLiars => {
                    Err("some message is decoded wrong even when nobody lies".into())
                }
                Radius::Unknown => Err("what it tolerates could not be decided in time".into()),
            })
        };
        let b = match file.b.map_or_else(found, |b| Ok(Ok(b)))? {
            Ok(b) => b,
            Err(why) => return Ok(Err(why)),
        };
        let claim = Claim { matrix: file.matrix.clone(), b, ties };
        let shape = super::verify::shape(file.construction.as_ref());
        match VerifiedCode::verify_shaped(claim, shape.as_ref(), Method::Auto, &limited)? {
            Verified::Yes(code) => Ok(Ok(code)),
            Verified::No(verdict) if verdict.is_refuted() => {
                Ok(Err(format!("it does not tolerate its b = {b} under the tie rule {ties}")))
            }
            Verified::No(_) => {
                Ok(Err(format!("whether it tolerates its b = {b} could not be decided in time")))
            }
        }
    };
    match watch::with_progress(&limited, quiet, work)? {
        Ok(code) => Ok(TrainingCode::verified(code, name)),
        Err(why) if allow_unverified => {
            if !quiet {
                output::remark!("note: training with an UNVERIFIED code: {why}");
            }
            Ok(TrainingCode::unverified(file.matrix.clone(), file.b, name))
        }
        Err(why) => bail!(
            "{text} is not verified: {why}. `ecode verify` tells more; --allow-unverified trains with it all the same"
        ),
    }
}
