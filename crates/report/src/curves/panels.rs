//! What is drawn over what, and how many curves a panel has.

use super::groups::{Group, groups};
use super::{Curve, NothingToDraw};
use crate::chart::axis::{Axis, Scale};
use crate::chart::drawing::Drawing;
use crate::chart::lines::{Chart, LETTER, Series, legend};
use crate::chart::style::Look;
use crate::chart::text::cut;
use ecode_train::Metrics;

/// A function of a line of the log.
pub(super) type Reading = fn(&Metrics) -> Option<f64>;

/// What is drawn over what: the axis' name, its scale, and its value.
type Quantity = (&'static str, Scale, Reading);

const ACROSS: [Quantity; 3] = [
    ("steps", Scale::Whole, |m| Some(m.step as f64)),
    // Votes and gradients differ by a factor of 32: only logarithms show both.
    ("megabytes sent, both ways, all workers", Scale::Logarithmic, |m| {
        Some((m.bytes_up + m.bytes_down) as f64 / 1e6).filter(|&bytes| bytes > 0.0)
    }),
    ("estimated deployed time, seconds", Scale::Linear, |m| Some(m.deployed_s)),
];

const LOSS: Quantity = ("training loss", Scale::Linear, |m| m.train_loss);

/// Curves in a panel, at most.
pub(super) const MOST: usize = 7;

/// What the first row shows, and the length that its axis has at least: the metric of the tables.
fn metric(groups: &[Group<'_>]) -> (Quantity, f64) {
    let mut lines = groups.iter().flat_map(|group| &group.runs).flat_map(|run| &run.log).peekable();
    if lines.peek().is_some() && lines.all(|line| line.test_auc.is_some()) {
        return (("test AUC", Scale::Linear, |m| m.test_auc), 0.04);
    }
    (("test accuracy, %", Scale::Linear, |m| Some(100.0 * m.test_accuracy)), 4.0)
}

/// The axis over what some series show.
fn axis_over<'a>(name: &str, scale: Scale, series: impl IntoIterator<Item = &'a Series>, least: f64) -> Axis {
    let values = series.into_iter().flat_map(|series| {
        let band = series.band.iter().flat_map(|&(_, low, high)| [low, high]);
        series.points.iter().map(|point| point.1).chain(band)
    });
    Axis::over(name, scale, values).at_least(least).with_room()
}

/// The panels: six of all groups, or, where these are too many for one, of the tables' metric against the steps one for
/// each situation and so many schemes as it can hold. None where nothing can be drawn.
pub(super) fn panels(groups: &[Group<'_>], size: (f64, f64)) -> Result<Vec<Drawing>, NothingToDraw> {
    if groups.iter().all(|group| group.runs.iter().all(|run| run.log.is_empty())) {
        return Err(NothingToDraw);
    }
    let (metric, least) = metric(groups);
    if groups.len() > MOST {
        return Ok(crowded(groups, metric, least, size));
    }
    let mut panels = Vec::new();
    for ((up_name, up_scale, up), least) in [(metric, least), (LOSS, 0.0)] {
        for (name, scale, across) in ACROSS {
            let series: Vec<Series> = groups.iter().map(|group| group.series(across, up)).collect();
            let y = axis_over(up_name, up_scale, &series, least);
            let label = format!("{up_name} against {name}");
            panels.push(panel(&label, (name, scale), y, series, size));
        }
    }
    Ok(panels)
}

fn panel(
    label: &str,
    (name, scale): (&str, Scale),
    y: Axis,
    series: Vec<Series>,
    size: (f64, f64),
) -> Drawing {
    let x =
        Axis::over(name, scale, series.iter().flat_map(|series| series.points.iter().map(|point| point.0)));
    let x = if scale == Scale::Logarithmic { x.with_room() } else { x.with_zero() };
    Chart { label, x, y, series, legend: false, size }.drawing()
}

/// A panel for each situation and at most [`MOST`] schemes, all with the same axis.
fn crowded(
    groups: &[Group<'_>],
    (up_name, up_scale, up): Quantity,
    least: f64,
    size: (f64, f64),
) -> Vec<Drawing> {
    let (name, scale, across) = ACROSS[0];
    let mut situations: Vec<(&str, Vec<Series>)> = Vec::new();
    for group in groups {
        let situation = group.runs[0].situation.as_str();
        let series = group.series(across, up);
        match situations.iter_mut().find(|(other, _)| *other == situation) {
            Some((_, all)) => all.push(series),
            None => situations.push((situation, vec![series])),
        }
    }
    let y = axis_over(up_name, up_scale, situations.iter().flat_map(|(_, all)| all), least);
    let mut panels = Vec::new();
    for (situation, all) in situations {
        let each = all.len().div_ceil(all.len().div_ceil(MOST));
        for series in all.chunks(each) {
            let title = format!("{up_name}; {situation}");
            let y = y.clone().named(&cut(&title, LETTER, size.0 - 8.0));
            panels.push(panel(&format!("{title} against {name}"), (name, scale), y, series.to_vec(), size));
        }
    }
    panels
}

/// What the legend says, each entry once.
pub(super) fn entries<'a>(groups: &'a [Group<'_>]) -> Vec<(Look, &'a str)> {
    let mut entries: Vec<(Look, &str)> = Vec::new();
    for group in groups {
        let entry = (group.look, group.name.as_str());
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// All panels in one picture, the legend below.
pub(super) fn sheet(curves: &[Curve]) -> Result<Drawing, NothingToDraw> {
    let groups = groups(curves);
    let mut sheet = Drawing::new("Training curves");
    let panels = panels(&groups, (400.0, 250.0))?;
    for (number, panel) in panels.into_iter().enumerate() {
        let (column, row) = ((number % ACROSS.len()) as f64, (number / ACROSS.len()) as f64);
        let place = (column * panel.width, row * (panel.height + 8.0));
        sheet.width = sheet.width.max(place.0 + panel.width);
        sheet.height = sheet.height.max(place.1 + panel.height);
        sheet.place(panel, place);
    }
    legend(&mut sheet, &entries(&groups));
    Ok(sheet)
}
