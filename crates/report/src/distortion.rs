//! The worst-case distortion of redundancy schemes: tables, records, and curves of ε over the number of liars.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use serde_json::{Value, json};

use super::chart::axis::{Axis, Scale};
use super::chart::lines::{Chart, Series};
use super::chart::style::Look;
use super::markdown::Markdown;
use super::numbers::{figures, plain, thousands};
use ecode_analysis::RadiusBounds;
use ecode_core::{AllocationMatrix, Workers, shown};
use ecode_verify::Distortion;

/// How many sets of liars overturn how many files: files → sets.
pub type Sets = BTreeMap<usize, BigUint>;

/// What is known of one number of liars.
#[derive(Clone, Debug)]
pub struct Point {
    /// The most files that they overturn, with who does.
    pub worst: Distortion,
    /// The mean over random sets, where no copies are missing.
    pub mean: Option<f64>,
    /// ByzShield's spectral bound, where there is one.
    pub spectral: Option<f64>,
    /// How many sets overturn how many files, where it was asked for and counted.
    pub sets: Option<Sets>,
}

impl Point {
    /// ε: the share of the files that are overturned.
    #[must_use]
    pub fn fraction(&self, files: usize) -> f64 {
        self.worst.files as f64 / files as f64
    }
}

/// One assignment and what liars make of it.
#[derive(Clone, Debug)]
pub struct Distorted {
    /// What it is called: its file or its construction.
    pub name: String,
    /// Who holds what.
    pub matrix: AllocationMatrix,
    /// How many copies' workers are missing besides.
    pub stragglers: usize,
    /// The second singular value, where every worker and every file is like any other.
    pub second: Option<f64>,
    /// By the number of liars.
    pub points: Vec<Point>,
}

/// Twelve decimals of what comes from rotations in double precision, so that every machine writes the same.
fn rounded(value: f64) -> f64 {
    (value * 1e12).round() / 1e12
}

/// The least and the most of some numbers.
fn range(of: &[usize]) -> String {
    let (least, most) = (of.iter().min().unwrap_or(&0), of.iter().max().unwrap_or(&0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

fn indices(set: &Workers) -> Vec<usize> {
    set.indices().collect()
}

impl Distorted {
    fn files(&self) -> usize {
        self.matrix.k()
    }

    /// Whether every point is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.points.iter().all(|point| point.worst.is_exact())
    }

    fn title(&self) -> String {
        let (g, s) = (&self.matrix, self.stragglers);
        let missing = match s {
            0 => String::new(),
            1 => "; one worker's copies are missing".to_owned(),
            _ => format!("; {s} workers' copies are missing"),
        };
        format!(
            "{}: {} workers, {} files, load {}, copies {}{missing}",
            shown(&self.name),
            g.n(),
            self.files(),
            range(&g.worker_loads()),
            range(&g.partition_loads())
        )
    }

    fn table(&self) -> String {
        let mut header = vec!["liars q", "c_max(q)", "ε", "mean", "spectral bound", "worst set"];
        if self.stragglers > 0 {
            header.push("missing");
        }
        let mut table = Markdown::new(header);
        for point in &self.points {
            let worst = &point.worst;
            let (files, share) = if worst.is_exact() {
                (worst.files.to_string(), figures(point.fraction(self.files()), 3))
            } else {
                let most = worst.at_most as f64 / self.files() as f64;
                (
                    format!("{} to {}", worst.files, worst.at_most),
                    format!("{} to {}", figures(point.fraction(self.files()), 3), figures(most, 3)),
                )
            };
            let number = |value: Option<f64>| value.map_or("—".to_owned(), |value| figures(value, 4));
            let mut row = vec![
                worst.liars.to_string(),
                files,
                share,
                number(point.mean),
                number(point.spectral),
                worst.worst.to_string(),
            ];
            if self.stragglers > 0 {
                row.push(worst.missing.to_string());
            }
            table.row(row);
        }
        table.to_string()
    }

    fn distributions(&self) -> String {
        let mut text = String::new();
        for point in &self.points {
            let Some(sets) = &point.sets else { continue };
            let mut table = Markdown::new(["files overturned", "sets of liars"]);
            for (files, sets) in sets {
                let sets = u128::try_from(sets).map_or_else(|_| sets.to_string(), thousands);
                table.row([files.to_string(), sets]);
            }
            text += &format!("\n\n{} liars, all sets of them:\n\n{table}", point.worst.liars);
        }
        text
    }

    fn to_json(&self) -> Value {
        let g = &self.matrix;
        let point = |point: &Point| {
            let worst = &point.worst;
            let mut value = json!({
                "liars": worst.liars, "files": worst.files, "at_most": worst.at_most,
                "fraction": point.fraction(self.files()), "exact": worst.is_exact(),
                "worst": indices(&worst.worst), "mean": point.mean, "spectral_bound": point.spectral.map(rounded),
                "method": worst.method,
            });
            if self.stragglers > 0 {
                value["missing"] = json!(indices(&worst.missing));
            }
            if let Some(sets) = &point.sets {
                let sets = sets.iter().map(|(files, sets)| json!([files, sets.to_string()]));
                value["distribution"] = sets.collect();
            }
            value
        };
        json!({
            "schema": "ecode/distortion/1", "name": self.name, "digest": g.digest(),
            "n": g.n(), "k": g.k(), "ones": g.ones(), "stragglers": self.stragglers,
            "second_singular_value": self.second.map(rounded),
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
        })
    }
}

/// Everything, for people.
#[must_use]
pub fn distortion_text(all: &[Distorted]) -> String {
    let each = |one: &Distorted| {
        let open = if one.is_exact() {
            ""
        } else {
            "\n\nNot all was settled: \"3 to 5\" says that 3 were seen and that no set overturns more than 5."
        };
        format!("{}\n\n{}{open}{}", one.title(), one.table(), one.distributions())
    };
    all.iter().map(each).collect::<Vec<_>>().join("\n\n")
}

/// One JSON document: `ecode/distortion/1`, or several of them under `schemes`.
#[must_use]
pub fn distortion_json(all: &[Distorted]) -> Value {
    match all {
        [one] => one.to_json(),
        _ => json!({"schemes": all.iter().map(Distorted::to_json).collect::<Vec<_>>()}),
    }
}

/// Comma-separated values with a header, a row for each scheme and number of liars.
#[must_use]
pub fn distortion_csv(all: &[Distorted]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [
        "name",
        "workers",
        "files",
        "stragglers",
        "liars",
        "overturned",
        "at most",
        "exact",
        "fraction",
        "mean",
        "spectral bound",
        "worst set",
        "missing",
    ];
    // Writing to memory cannot fail.
    let _ = writer.write_record(header);
    for one in all {
        for point in &one.points {
            let worst = &point.worst;
            let number = |value: Option<f64>| value.map_or(String::new(), plain);
            let list =
                |set: &Workers| indices(set).iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
            let _ = writer.write_record([
                one.name.clone(),
                one.matrix.n().to_string(),
                one.files().to_string(),
                one.stragglers.to_string(),
                worst.liars.to_string(),
                worst.files.to_string(),
                worst.at_most.to_string(),
                worst.is_exact().to_string(),
                plain(point.fraction(one.files())),
                number(point.mean),
                number(point.spectral.map(rounded)),
                list(&worst.worst),
                list(&worst.missing),
            ]);
        }
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// ε over the number of liars, a curve for each scheme, as an SVG file. A band reaches from what was seen to what
/// is possible, where not all is settled.
#[must_use]
pub fn distortion_svg(all: &[Distorted]) -> String {
    let series: Vec<Series> = all
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let at = |point: &Point| point.worst.liars as f64;
            let most = |point: &Point| point.worst.at_most as f64 / one.files() as f64;
            let band = |point: &Point| (at(point), point.fraction(one.files()), most(point));
            Series {
                name: shown(&one.name),
                look: Look::of(place),
                points: one.points.iter().map(|point| (at(point), point.fraction(one.files()))).collect(),
                band: if one.is_exact() { Vec::new() } else { one.points.iter().map(band).collect() },
                marked: true,
            }
        })
        .collect();
    let xs = series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
    let tops = series.iter().flat_map(|series| series.band.iter().map(|band| band.2));
    let ys = series.iter().flat_map(|series| series.points.iter().map(|point| point.1)).chain(tops);
    let x = Axis::over("liars q", Scale::Whole, xs).with_zero();
    let y = Axis::over("share of the files overturned, ε", Scale::Linear, ys).with_zero();
    let label = "Worst-case distortion over the number of liars";
    let chart = Chart { label, x, y, series, legend: true, size: (560.0, 320.0) };
    super::chart::standalone(&chart.drawing().svg().into_string())
}

/// What one matrix promises in both ways of using it.
#[derive(Clone, Debug)]
pub struct Promise<'a> {
    /// Its name.
    pub name: String,
    /// Who holds what.
    pub matrix: &'a AllocationMatrix,
    /// How many liars its votes tolerate.
    pub radius: RadiusBounds,
    /// What liars make of majorities for each file.
    pub worst: Distortion,
}

/// The promises side by side: *no wrong sign* of the vote code, *at most ε of the files* of the redundancy scheme.
/// Bytes are for a model of so many coordinates.
#[must_use]
pub fn promises_table(promises: &[Promise<'_>], coordinates: u64) -> String {
    let liars = promises.first().map_or(0, |promise| promise.worst.liars);
    let lost = format!("files overturned by {liars} liars, majority for each file");
    let mut table = Markdown::new([
        "matrix",
        "copies",
        "heaviest worker",
        "votes: no wrong sign up to",
        "bytes up, one worker",
        &lost,
        "ε",
        "bytes up, heaviest worker",
    ]);
    for Promise { name, matrix, radius, worst } in promises {
        let files = matrix.k();
        let share = |files_lost: usize| figures(files_lost as f64 / files as f64, 3);
        let (lost, fraction) = if worst.is_exact() {
            (worst.files.to_string(), share(worst.files))
        } else {
            let between = format!("{} to {}", worst.files, worst.at_most);
            (between, format!("{} to {}", share(worst.files), share(worst.at_most)))
        };
        let liars = match radius.to_string().as_str() {
            "none" => "no liar".to_owned(),
            "1" => "1 liar".to_owned(),
            some => format!("{some} liars"),
        };
        let heaviest = matrix.worker_loads().into_iter().max().unwrap_or(0) as u128;
        table.row([
            name.clone(),
            range(&matrix.partition_loads()),
            format!("{heaviest} of {files}"),
            liars,
            thousands(coordinates.div_ceil(8).into()),
            format!("{lost} of {files}"),
            fraction,
            thousands(4 * heaviest * u128::from(coordinates)),
        ]);
    }
    format!(
        "{table}\n\nVotes are one bit a coordinate; files are gradients of 32 bits a coordinate, each sent by itself. Neither takes an \
         extra trip. Votes need signs and their majority as the answer; files need honest copies that are equal bit for \
         bit, and an aggregator that bears a share ε of wrong ones."
    )
}
