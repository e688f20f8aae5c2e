//! `ecode compare`: several codes side by side.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;
use ecode::analysis::{Analysis, Options};
use ecode::code::TieRule;
use ecode::format::MatrixFile;
use ecode::report::{
    Compared, Promise, SchemeCost, analysis_json, compare_csv, compare_page, compare_table, plain,
    promises_table, schemes_table,
};
use ecode::verify::{Assignment, Control, Method};
use serde_json::{Value, json};

use super::common::Common;
use super::ending::Ending;
use super::stragglers::Missing;
use super::{analyze, code, detect, input, output, values, verify, watch};

/// Several codes side by side: radius, worst set, errors, work, bytes
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode compare a.json b.json c.csv --q 0.1\n  ecode compare best:n=9,b=2 algorithm1:n=9,b=2 full:n=9,b=2\n  \
                        ecode compare best:n=9,b=2 reactive:n=9,b=2 one-round:n=9,b=2\n  \
                        ecode compare a.json b.json --b 1 --stragglers 2\n  ecode compare a.json b.json --b 3 --csv > codes.csv\n  \
                        ecode compare a.json b.json --html codes.html\n  \
                        ecode compare mols:l=5,r=3 groups:n=15,r=3 --liars 3\n\n\
                        Errors are for b liars, by default one more than the largest radius among the codes. See \
                        'ecode analyze' for what they mean.\n\n\
                        All workers together pass over the data ones/k times a step. The heaviest worker's work is in \
                        units of that of a worker without a code, who holds k/n partitions: load·n/k. A step lasts as \
                        long as the heaviest worker. Bytes: one bit a coordinate, as many up as down."
)]
pub(crate) struct Compare {
    /// The codes: matrix files (json, csv, tsv, txt, npy, npz, mtx, alist by extension), constructions, as in best:n=9,b=2,
    /// or schemes that detect lies, as in reactive:n=9,b=2
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The probability that one partition's sign is wrong
    #[arg(long, default_value_t = 0.1)]
    q: f64,
    /// The number of liars [default: one more than the largest radius]
    #[arg(long)]
    b: Option<usize>,
    /// Say also how many partitions (files) this many liars overturn where a majority is taken for each
    #[arg(long, value_name = "Q", conflicts_with_all = ["csv", "json"])]
    liars: Option<usize>,
    /// So many votes are missing besides, the worst ones for each message
    #[arg(long, value_name = "S", conflicts_with = "csv")]
    stragglers: Option<usize>,
    /// What a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    ties: TieRule,
    /// Coordinates of the model, for the bytes of a step
    #[arg(long, value_name = "D", default_value_t = 1_000_000)]
    coordinates: u64,
    /// Messages to draw where they cannot be counted
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    draws: u64,
    /// The seed of those draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Also write a page for the browser here, with pictures; complete in itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        ensure!((0.0..=1.0).contains(&self.q), "--q {}: a probability is from 0 to 1", plain(self.q));
        let remarks = self.files.iter().filter_map(|path| code::remark(path.to_str()?));
        for remark in remarks.filter(|_| !common.quiet) {
            output::remark!("{remark}");
        }
        let (start, control) = (Instant::now(), common.control());
        let documents = output::Documents::new(&[
            output::Documents::json(self.json),
            ("--csv", self.csv.then_some(Path::new("-"))),
            ("--html", self.html.as_deref()),
        ])?;
        let (mut schemes, mut codes) = (Vec::new(), Vec::new());
        for path in &self.files {
            match path.to_str().and_then(|text| detect::named(text, self.coordinates)) {
                Some(scheme) => schemes.push(scheme?),
                None => codes.push(path),
            }
        }
        ensure!(
            schemes.is_empty() || !self.csv,
            "--csv: schemes have other columns than codes; --json has both"
        );
        let files = codes
            .into_iter()
            .map(|path| Ok((input::name(path), code::resolve_path(path, self.ties, &control)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(b) = self.b {
            let least = files.iter().map(|(_, file)| file.matrix.n()).min().unwrap_or(0);
            ensure!(b <= least, "--b {b}: one of the codes has only n = {least} workers");
        }
        if let Some(missing) = self.stragglers {
            let least = files.iter().map(|(_, file)| file.matrix.n()).min().unwrap_or(0);
            ensure!(
                missing <= least,
                "--stragglers {missing}: one of the codes has only n = {least} workers"
            );
        }
        let options = Options {
            ties: self.ties,
            qs: vec![self.q],
            draws: self.draws,
            seed: self.seed,
            ..Options::default()
        };
        let analyses = watch::with_progress(&control, common.quiet, || {
            let of = |(place, (name, file)): (usize, &(String, MatrixFile))| -> anyhow::Result<Analysis> {
                // What is left of the time is shared by the codes that are left.
                let left = (files.len() - place) as u32;
                let time = common.timeout.map(|timeout| timeout.saturating_sub(start.elapsed()) / left);
                let options = Options { parts: analyze::parts(file), time, ..options.clone() };
                let analysis = Analysis::of(&file.matrix, &options, &control);
                analysis.map_err(analyze::told).with_context(|| name.clone())
            };
            files.iter().enumerate().map(of).collect::<anyhow::Result<Vec<_>>>()
        })?;
        let radius = analyses.iter().filter_map(|analysis| analysis.radius.at_least()).max();
        let least = files.iter().map(|(_, file)| file.matrix.n()).min().unwrap_or(0);
        let b = self.b.unwrap_or(radius.map_or(0, |radius| radius + 1).min(least));
        let compared: Vec<Compared> = files
            .iter()
            .zip(analyses)
            .map(|((name, _), analysis)| Compared {
                name: name.clone(),
                analysis,
                coordinates: self.coordinates,
                b,
            })
            .collect();
        if let Some(path) = &self.html {
            output::write(path, compare_page(&compared, self.q).as_bytes())?;
        }
        if self.json {
            let codes: Vec<Value> = compared
                .iter()
                .map(|code| {
                    let missing = self.stragglers.map(|missing| Missing::of(&code.analysis, missing).at(b));
                    let mut document = json!({
                        "file": code.name, "passes": code.passes(), "heaviest_worker": code.heaviest(),
                        "bytes_of_one_worker": code.bytes_of_one().to_string(),
                        "bytes_of_all_workers": code.bytes_of_all().to_string(),
                        "analysis": analysis_json(&code.analysis, None),
                    });
                    if let Some(missing) = missing {
                        document["stragglers"] = missing;
                    }
                    document
                })
                .collect();
            let mut document = json!({"q": self.q, "b": b, "codes": codes});
            if !schemes.is_empty() {
                document["schemes"] = schemes.iter().map(SchemeCost::to_json).collect();
            }
            output::print(&document.to_string())?;
        } else if self.csv {
            output::print(&compare_csv(&compared, self.q))?;
        } else {
            let text = self.text(&compared, schemes, b, &control)?;
            documents.report(&text)?;
        }
        let complete = compared.iter().all(|code| code.analysis.complete);
        Ok(if complete { Ending::Done } else { Ending::Undecided })
    }

    /// The tables, for people.
    fn text(
        &self,
        compared: &[Compared],
        schemes: Vec<SchemeCost>,
        b: usize,
        control: &Control,
    ) -> anyhow::Result<String> {
        let mut text = String::new();
        if !compared.is_empty() {
            text += &compare_table(compared, self.q);
        }
        for (code, missing) in compared.iter().zip(self.stragglers.into_iter().cycle()) {
            text += &Missing::of(&code.analysis, missing).line(&code.name, b);
        }
        if !schemes.is_empty() {
            let of = |code: &Compared| {
                let radius = code.analysis.radius.at_least().unwrap_or(0);
                SchemeCost::vote(&code.name, &code.analysis.matrix, radius, self.coordinates)
            };
            let all: Vec<SchemeCost> = compared.iter().map(of).chain(schemes).collect();
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text = format!("{}{gap}{}", text.trim_end(), schemes_table(&all));
        }
        if let Some(liars) = self.liars {
            text = format!("{}\n\n{}", text.trim_end(), self.promises(liars, compared, control)?);
        }
        Ok(text)
    }

    /// What each of the codes promises: of votes, and of majorities for each file.
    fn promises(&self, liars: usize, compared: &[Compared], control: &Control) -> anyhow::Result<String> {
        let mut promises = Vec::new();
        for code in compared {
            let (name, matrix) = (code.name.clone(), &code.analysis.matrix);
            let assignment = Assignment::new(matrix).with_context(|| name.clone())?;
            ensure!(liars <= matrix.n(), "--liars {liars}: {name} has only {} workers", matrix.n());
            let worst = assignment.worst(liars, 0, Method::Auto, control).map_err(verify::known)?;
            promises.push(Promise { name, matrix, radius: code.analysis.radius, worst });
        }
        Ok(promises_table(&promises, self.coordinates))
    }
}
