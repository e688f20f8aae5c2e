//! Schemes that detect lies or take a majority for each file, as `--scheme`, `--n`, `--b` and `--k` describe them.

use std::path::Path;

use anyhow::Context as _;
use ecode::format::MatrixFile;
use ecode::train::reactive::Plan;
use ecode::train::{Config, OnExcess, Scheme, TrainingCode};
use ecode::verify::{Assignment, Control, Method};
use serde_json::json;

use super::ending::Stopped;
use super::session::Session;
use super::{code, input, verify, watch};

/// The holders of a scheme that is described by its sizes; none where a code is named, or votes are taken.
pub(crate) fn holders(config: &Config) -> anyhow::Result<Option<MatrixFile>> {
    if !config.scheme.detects() {
        let sizes = [("n", config.n), ("b", config.b), ("k", config.k)];
        if let Some((name, _)) = sizes.iter().find(|(_, value)| value.is_some()) {
            anyhow::bail!("--{name} belongs to --scheme reactive, one-round and checked; votes take --code");
        }
    }
    if !config.scheme.detects() || (config.n.is_none() && !config.code.is_empty()) {
        return Ok(None);
    }
    if config.n.is_some() && !config.code.is_empty() {
        anyhow::bail!("--code names the workers and holders, --n asks for balanced ones: give one of them");
    }
    matrix_file(&Plan::of_sizes(config)?).map(Some)
}

/// The holders of a plan as a matrix file.
pub(crate) fn matrix_file(plan: &Plan) -> anyhow::Result<MatrixFile> {
    let matrix = plan.matrix()?;
    let name = plan.scheme.name();
    let construction = json!({ "name": name, "n": plan.n, "b": plan.b, "k": plan.k, "spare": plan.spare });
    Ok(MatrixFile { construction: Some(construction), ..MatrixFile::plain(matrix) })
}

/// The code that a configuration trains with, by its scheme: what was proved of it is what the scheme rests on.
pub(crate) fn code_of(
    file: &MatrixFile,
    config: &Config,
    control: &Control,
    quiet: bool,
) -> anyhow::Result<TrainingCode> {
    match config.scheme {
        Scheme::Vote => code::verified(file, config, control, quiet),
        scheme if scheme.detects() => training_code(config, file),
        _ => files(file, config, control, quiet),
    }
}

/// Files that get a majority each, with the most of them that the configuration's liars overturn.
fn files(file: &MatrixFile, config: &Config, control: &Control, quiet: bool) -> anyhow::Result<TrainingCode> {
    let g = &file.matrix;
    let liars = config.byzantine.or(file.b).unwrap_or(0);
    anyhow::ensure!(liars <= g.n(), "byzantine is {liars}; there are {} workers", g.n());
    let assignment = Assignment::new(g).with_context(|| config.code.clone())?;
    let worst = watch::with_unit(control, quiet, "sets", || {
        assignment.worst(liars, 0, Method::Auto, control).map_err(verify::known)
    })?;
    if !worst.is_exact() {
        let text = format!("it was known what {liars} liars overturn of {}", config.code);
        return Err(Stopped(text).into());
    }
    Ok(TrainingCode::files(g.clone(), worst, code::name(file, &config.code)))
}

/// What a scheme trains with: holders of which nothing has to be verified but their numbers.
pub(crate) fn training_code(config: &Config, file: &MatrixFile) -> anyhow::Result<TrainingCode> {
    let plan = match config.n {
        Some(_) => Plan::of_sizes(config)?,
        None => Plan::of_matrix(config, &file.matrix, file.b)?,
    };
    Ok(TrainingCode::holders(file.matrix.clone(), plan.b, config.scheme.name()))
}

/// The code of `--on-excess code:…`, verified; `place` is its file, where a run's folder has it.
pub(crate) fn fallback(
    config: &Config,
    place: Option<&Path>,
    session: &Session<'_>,
    quiet: bool,
) -> anyhow::Result<Option<TrainingCode>> {
    let OnExcess::Code(text) = &config.on_excess else { return Ok(None) };
    let read = || -> anyhow::Result<TrainingCode> {
        let file = match place {
            Some(place) => input::matrix(place, None, session.control)?,
            None => code::resolve(text, config.ties, session.control)?,
        };
        let votes = Config { code: text.clone(), ties: config.ties, ..Config::default() };
        code::verified(&file, &votes, session.control, quiet)
    };
    read().map(Some).context("--on-excess")
}
