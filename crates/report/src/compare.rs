//! Several codes side by side.

use comfy_table::{Table, presets};

use super::probability;
use ecode_analysis::{Analysis, Fixed};

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

impl Compared {
    /// The columns' names.
    #[must_use]
    pub fn header(q: f64) -> Vec<String> {
        [
            "code",
            "n",
            "k",
            "ones",
            "r",
            "radius",
            "largest/mean load",
            "b",
            "worst fixed set",
            "wrong decode, fixed",
            "wrong decode, adaptive",
            "wrong sign, adaptive",
            "bytes up",
            "bytes down",
        ]
        .map(|name| if name.starts_with("wrong") { format!("{name} (q = {q})") } else { name.to_owned() })
        .to_vec()
    }

    /// The largest load over the mean one: 1 is perfect balance.
    #[must_use]
    pub fn balance(&self) -> f64 {
        let loads = self.analysis.matrix.worker_loads();
        let most = loads.iter().max().copied().unwrap_or(0);
        let mean = self.analysis.matrix.redundancy();
        if mean > 0.0 { most as f64 / mean } else { 0.0 }
    }

    /// Bytes that all workers send in a step, one bit a coordinate; they receive as many.
    #[must_use]
    pub fn bytes(&self) -> u128 {
        self.analysis.matrix.n() as u128 * u128::from(self.coordinates.div_ceil(8))
    }

    /// One row, for people.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let g = &self.analysis.matrix;
        let radius = match self.analysis.radius {
            Some(Some(radius)) => radius.to_string(),
            Some(None) => "none".to_owned(),
            None => "unknown".to_owned(),
        };
        let mut cells = vec![
            self.name.clone(),
            g.n().to_string(),
            g.k().to_string(),
            g.ones().to_string(),
            format!("{:.3}", g.redundancy()),
            radius,
            format!("{:.3}", self.balance()),
            self.b.to_string(),
        ];
        let unknown = || "—".to_owned();
        let about = if self.analysis.is_exact() { "" } else { "~" };
        match self.analysis.at.first().and_then(|at| Some((at.decode.get(self.b)?, at.sign.get(self.b)?))) {
            Some((decode, sign)) => {
                let (set, error) = match &decode.fixed {
                    Fixed::Exact { error, workers } => {
                        let set = workers.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string);
                        (set, probability(*error))
                    }
                    Fixed::Between { low, .. } => {
                        let (low, high) = (probability(low.value()), probability(decode.fixed.at_most()));
                        (unknown(), format!("{low} to {high}"))
                    }
                };
                let adaptive =
                    [decode.adaptive, sign.adaptive].map(|p| format!("{about}{}", probability(p.value())));
                cells.extend([set, error]);
                cells.extend(adaptive);
            }
            None => cells.extend([unknown(), unknown(), unknown(), unknown()]),
        }
        cells.extend([self.bytes().to_string(), self.bytes().to_string()]);
        cells
    }
}

/// The comparison as a table that can be pasted.
#[must_use]
pub fn compare_table(compared: &[Compared], q: f64) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(Compared::header(q));
    for code in compared {
        table.add_row(code.cells());
    }
    table.to_string()
}

/// The comparison as CSV, with a header.
#[must_use]
pub fn compare_csv(compared: &[Compared], q: f64) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(Compared::header(q));
    for code in compared {
        let _ = writer.write_record(code.cells());
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
