//! What perfect tolerance costs, scheme by scheme: a vote code, and the schemes that detect lies.
//!
//! # Units
//! Passes over the data are gradients computed for each one that counts, all workers together; the heaviest worker's load
//! is in gradients of one partition; bytes are those that one worker sends in an undisturbed step.

use ecode_core::AllocationMatrix;
use ecode_train::Scheme;
use ecode_train::reactive::{Plan, checked_risk};
use serde_json::{Value, json};

use super::chart::axis::{Axis, Scale};
use super::chart::drawing::Drawing;
use super::chart::lines::{Chart, Series, legend};
use super::chart::style::Look;
use super::markdown::Markdown;
use super::numbers::{figures, thousands};

/// What a scheme costs.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeCost {
    /// What it is called.
    pub name: String,
    /// Workers, partitions, and liars that are provided for.
    pub size: (usize, usize, usize),
    /// Gradients computed for each one that counts.
    pub passes: f64,
    /// Gradients of the heaviest worker in an undisturbed step.
    pub heaviest: usize,
    /// The same where a dispute asks it to help.
    pub heaviest_disputed: usize,
    /// Bytes that one worker sends in a step.
    pub bytes: u64,
    /// Extra round trips, at most, in a run without silence.
    pub trips: usize,
    /// The chance that anything at all is wrong in a whole run.
    pub risk: f64,
    /// What it takes.
    pub needs: &'static str,
}

/// What every scheme that compares digests takes.
const REPRODUCIBLE: &str =
    "reproducible gradients, all data at every worker, lasting identities, state at the server";

impl SchemeCost {
    /// A vote code.
    #[must_use]
    pub fn vote(name: &str, g: &AllocationMatrix, b: usize, coordinates: u64) -> Self {
        let heaviest = g.worker_loads().into_iter().max().unwrap_or(0);
        Self {
            name: name.to_owned(),
            size: (g.n(), g.k(), b),
            passes: g.ones() as f64 / g.k() as f64,
            heaviest,
            heaviest_disputed: heaviest,
            bytes: coordinates.div_ceil(8),
            trips: 0,
            risk: 0.0,
            needs: "nothing: any b liars in each step",
        }
    }

    /// A scheme that detects lies.
    #[must_use]
    pub fn of(plan: &Plan, coordinates: u64) -> Self {
        let present: Vec<usize> = (0..plan.n).collect();
        let assignment = plan.assign(&present, plan.b);
        let heaviest = present.iter().map(|&j| assignment.load(j)).max().unwrap_or(0);
        let held: usize = assignment.holders.iter().map(Vec::len).sum();
        let checked = plan.scheme == Scheme::Checked;
        let one_round = plan.scheme == Scheme::OneRound;
        Self {
            name: plan.scheme.name().to_owned(),
            size: (plan.n, plan.k, plan.b),
            passes: held as f64 / plan.k as f64,
            heaviest,
            heaviest_disputed: if one_round { heaviest } else { heaviest + 1 },
            bytes: plan.bytes(usize::try_from(coordinates).unwrap_or(usize::MAX)).0,
            trips: if one_round { 0 } else { plan.b },
            risk: if checked { checked_risk(plan.n, plan.b, plan.checked) } else { 0.0 },
            needs: REPRODUCIBLE,
        }
    }

    fn cells(&self) -> Vec<String> {
        let promise = if self.risk > 0.0 {
            format!("right but for {:.1e} a run", self.risk)
        } else {
            "exact".to_owned()
        };
        let heaviest = if self.heaviest == self.heaviest_disputed {
            self.heaviest.to_string()
        } else {
            format!("{} ({} in a dispute)", self.heaviest, self.heaviest_disputed)
        };
        let (n, k, b) = self.size;
        vec![
            self.name.clone(),
            format!("{n}, {k}, {b}"),
            figures(self.passes, 4),
            heaviest,
            thousands(self.bytes.into()),
            self.trips.to_string(),
            promise,
            self.needs.to_owned(),
        ]
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (n, k, b) = self.size;
        json!({
            "scheme": self.name, "n": n, "k": k, "b": b, "gradients_per_partition": self.passes,
            "heaviest_load": self.heaviest, "heaviest_load_in_a_dispute": self.heaviest_disputed,
            "bytes_up_of_one_worker": self.bytes, "extra_trips_of_a_run": self.trips, "risk": self.risk,
            "needs": self.needs,
        })
    }
}

/// The schemes, a row each.
#[must_use]
pub fn schemes_table(schemes: &[SchemeCost]) -> String {
    let mut table = Markdown::new([
        "scheme",
        "n, k, b",
        "passes over the data",
        "heaviest worker",
        "bytes up, one worker",
        "extra trips, a run",
        "promise",
        "needs",
    ]);
    schemes.iter().for_each(|scheme| table.row(scheme.cells()));
    format!(
        "{table}\n\nHeaviest worker: gradients of one partition in a step. Extra trips: at most, in a run in which nobody is silent."
    )
}

/// Costs over b, all schemes: passes over the data at the left, the heaviest worker's load at the right. `rows` holds for
/// each b the schemes that there are.
#[must_use]
pub fn schemes_svg(rows: &[Vec<SchemeCost>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for scheme in rows.iter().flatten() {
        if !names.contains(&scheme.name.as_str()) {
            names.push(&scheme.name);
        }
    }
    let of = |value: &dyn Fn(&SchemeCost) -> f64| -> Vec<Series> {
        let points = |name: &str| {
            let named = rows.iter().flatten().filter(|scheme| scheme.name == name);
            named.map(|scheme| (scheme.size.2 as f64, value(scheme))).collect()
        };
        let series = |(place, name): (usize, &&str)| Series {
            name: (*name).to_owned(),
            look: Look::of(place),
            points: points(name),
            band: Vec::new(),
            marked: true,
        };
        names.iter().enumerate().map(series).collect()
    };
    let mut sheet = Drawing::new("What perfect tolerance costs");
    let panels: [(&str, Vec<Series>); 2] = [
        ("passes over the data", of(&|scheme| scheme.passes)),
        ("heaviest worker, gradients", of(&|scheme| scheme.heaviest as f64)),
    ];
    for (column, (name, series)) in panels.into_iter().enumerate() {
        let points = || series.iter().flat_map(|series| series.points.iter().copied());
        let x = Axis::over("Byzantine workers b", Scale::Whole, points().map(|point| point.0)).with_zero();
        let y = Axis::over(name, Scale::Linear, points().map(|point| point.1)).with_zero();
        let label = format!("{name} against b");
        let chart = Chart { label: &label, x, y, series, legend: false, size: (400.0, 260.0) };
        let panel = chart.drawing();
        let place = (column as f64 * panel.width, 0.0);
        sheet.width = sheet.width.max(place.0 + panel.width);
        sheet.height = sheet.height.max(panel.height);
        sheet.place(panel, place);
    }
    let names: Vec<(Look, &str)> =
        names.into_iter().enumerate().map(|(place, name)| (Look::of(place), name)).collect();
    legend(&mut sheet, &names);
    super::chart::standalone(&sheet.svg().into_string())
}
