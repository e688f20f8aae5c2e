//! Several codes side by side.
//!
//! # Units
//! Work is counted in gradients of one partition. All workers together go over the data `ones/k` times a step;
//! a worker with L partitions does L·n/k times the work of a worker without a code, who has k/n of them.
//! A vote is one bit a coordinate.

use super::analysis::{estimate, fixed};
use super::markdown::Markdown;
use super::numbers::{figures, plain, thousands};
use ecode_analysis::{Analysis, Estimate, Fixed, RadiusBounds, Row};
use ecode_core::shown;
use ecode_verify::Radius;

/// One code of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The code's file.
    pub name: String,
    /// What it is worth, at one q.
    pub analysis: Analysis,
    /// Byte counts are for a model of so many coordinates.
    pub coordinates: u64,
    /// The number of liars of the error columns.
    pub b: usize,
}

/// The error columns.
const ERRORS: [&str; 3] = ["wrong decode, fixed", "wrong decode, adaptive", "wrong sign, adaptive"];

impl Compared {
    /// The columns' names.
    #[must_use]
    pub fn header(q: f64) -> Vec<String> {
        let mut header = [
            "code",
            "n",
            "k",
            "ones",
            "passes over the data",
            "heaviest worker (× an uncoded one's work)",
            "radius",
            "b",
            "worst fixed set",
        ]
        .map(str::to_owned)
        .to_vec();
        header.extend(ERRORS.map(|name| format!("{name} (q = {})", plain(q))));
        header.extend(["bytes each way, one worker", "bytes each way, all workers"].map(str::to_owned));
        header
    }

    /// How often all workers together go over the data in a step: ones/k.
    #[must_use]
    pub fn passes(&self) -> f64 {
        let g = &self.analysis.matrix;
        g.ones() as f64 / g.k() as f64
    }

    /// The work of the heaviest worker, in that of a worker without a code: load·n/k.
    #[must_use]
    pub fn heaviest(&self) -> f64 {
        let g = &self.analysis.matrix;
        let most = g.worker_loads().into_iter().max().unwrap_or(0);
        (most * g.n()) as f64 / g.k() as f64
    }

    /// Bytes that one worker sends in a step, one bit a coordinate; it receives as many.
    #[must_use]
    pub fn bytes_of_one(&self) -> u64 {
        self.coordinates.div_ceil(8)
    }

    /// Bytes that all workers send in a step; they receive as many.
    #[must_use]
    pub fn bytes_of_all(&self) -> u128 {
        self.analysis.matrix.n() as u128 * u128::from(self.bytes_of_one())
    }

    /// The rows of the errors, where they were worked out.
    fn errors(&self) -> Option<(&Row, &Row)> {
        let at = self.analysis.at.first()?;
        Some((at.decode.get(self.b)?, at.sign.get(self.b)?))
    }

    /// One row, for people.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let g = &self.analysis.matrix;
        let mut cells = vec![
            shown(&self.name),
            g.n().to_string(),
            g.k().to_string(),
            thousands(g.ones() as u128),
            figures(self.passes(), 4),
            figures(self.heaviest(), 4),
            self.analysis.radius.to_string(),
            self.b.to_string(),
        ];
        match self.errors() {
            Some((decode, sign)) => {
                cells.push(match &decode.fixed {
                    Fixed::Exact { workers, .. } => {
                        workers.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string)
                    }
                    Fixed::Between { .. } => "—".to_owned(),
                });
                cells.extend([fixed(&decode.fixed), estimate(decode.adaptive), estimate(sign.adaptive)]);
            }
            None => cells.extend(["—"; 4].map(str::to_owned)),
        }
        cells.extend([thousands(self.bytes_of_one().into()), thousands(self.bytes_of_all())]);
        cells
    }

    /// One row, for programs: all digits, an empty field for what is not known.
    fn record(&self) -> Vec<String> {
        let g = &self.analysis.matrix;
        let number = |value: Option<f64>| value.map_or(String::new(), plain);
        let mut record = vec![
            self.name.clone(),
            g.n().to_string(),
            g.k().to_string(),
            g.ones().to_string(),
            plain(self.passes()),
            plain(self.heaviest()),
        ];
        record.extend(radius_fields(self.analysis.radius));
        record.push(self.b.to_string());
        let workers = self.errors().and_then(|(decode, _)| match &decode.fixed {
            Fixed::Exact { workers, .. } => workers.as_ref(),
            Fixed::Between { .. } => None,
        });
        let indices = |workers: &ecode_core::Workers| -> Vec<String> {
            workers.indices().map(|j| j.to_string()).collect()
        };
        record.push(workers.map_or(String::new(), |workers| indices(workers).join(" ")));
        let ends =
            |estimate: Estimate| [Some(estimate.value()), Some(estimate.ends().0), Some(estimate.ends().1)];
        let errors = self.errors().map_or([[None; 3]; 3], |(decode, sign)| {
            let fixed = match &decode.fixed {
                Fixed::Exact { error, .. } => [Some(*error); 3],
                Fixed::Between { low, high } => [None, Some(low.ends().0), Some(high.ends().1)],
            };
            [fixed, ends(decode.adaptive), ends(sign.adaptive)]
        });
        record.extend(errors.into_iter().flatten().map(number));
        record.extend([self.bytes_of_one().to_string(), self.bytes_of_all().to_string()]);
        record
    }
}

/// The radius, the least and the most that it can be. A code that fails without liars has the radius `none`.
fn radius_fields(bounds: RadiusBounds) -> [String; 3] {
    let number = |value: Option<usize>| value.map_or(String::new(), |value| value.to_string());
    match bounds.radius() {
        Radius::Exactly(radius) => [number(Some(radius)), number(Some(radius)), number(Some(radius))],
        Radius::FailsWithoutLiars => ["none".to_owned(), String::new(), String::new()],
        _ => [String::new(), number(bounds.at_least()), number(bounds.below().map(|below| below - 1))],
    }
}

/// The comparison as a table that can be pasted.
#[must_use]
pub fn compare_table(compared: &[Compared], q: f64) -> String {
    let mut table = Markdown::new(Compared::header(q));
    for code in compared {
        table.row(code.cells());
    }
    table.to_string()
}

/// The comparison as CSV, with a header: numbers with all their digits, estimates with their intervals.
#[must_use]
pub fn compare_csv(compared: &[Compared], q: f64) -> String {
    let mut header = [
        "code",
        "n",
        "k",
        "ones",
        "passes over the data",
        "heaviest worker (uncoded = 1)",
        "radius",
        "radius, low",
        "radius, high",
        "b",
        "worst fixed set",
    ]
    .map(str::to_owned)
    .to_vec();
    for name in ERRORS {
        let name = format!("{name} (q = {})", plain(q));
        header.extend([name.clone(), format!("{name}, low"), format!("{name}, high")]);
    }
    header.extend(["bytes each way, one worker", "bytes each way, all workers"].map(str::to_owned));
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(header);
    for code in compared {
        let _ = writer.write_record(code.record());
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
