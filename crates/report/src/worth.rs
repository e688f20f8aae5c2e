//! What each scheme of a sweep gives for what it computes: its mean under the attack that is worst for it, against the gradients of
//! samples that all workers together compute in a step.

use super::chart::axis::{Axis, Scale};
use super::chart::lines::{Chart, LETTER, Series, legend};
use super::chart::scene::Scene;
use super::chart::style::Look;
use super::chart::text::cut;
use super::sweeps::{Cell, values_text};

/// A scheme in a setting, at values of the axes.
struct Place<'a> {
    situation: String,
    scheme: &'a str,
    /// Whether workers send votes: one bit a coordinate.
    votes: bool,
    samples: f64,
    /// The lowest mean, with the lowest and the highest value of that attack; none where a run diverged.
    worst: Option<(f64, f64, f64)>,
}

fn places(cells: &[Cell]) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for cell in cells {
        let Some(cost) = cell.cost else { continue };
        let axes =
            if cell.axes.is_empty() { String::new() } else { format!(", {}", values_text(&cell.axes)) };
        let situation = format!("{} of {} lie{axes}", cell.byzantine, cell.n);
        let range = cell.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        let mean = cell.statistics().filter(|_| cell.diverged == 0).map(|(mean, _)| (mean, range.0, range.1));
        let same = |place: &&mut Place<'_>| place.situation == situation && place.scheme == cell.scheme;
        if let Some(place) = places.iter_mut().find(same) {
            place.worst = match (place.worst, mean) {
                (Some(one), Some(other)) => Some(if other.0 < one.0 { other } else { one }),
                _ => None,
            };
        } else {
            let votes = !cell.scheme.contains('+');
            places.push(Place { situation, scheme: &cell.scheme, votes, samples: cost.samples, worst: mean });
        }
    }
    places
}

/// A picture of the cells of a sweep: for each setting and each combination of the axes' values a panel of the schemes that vote,
/// and one of those that join gradients. A scheme of which a run diverged has no dot. None where nothing can be drawn.
#[must_use]
pub fn worth_svg(cells: &[Cell]) -> Option<String> {
    let places = places(cells);
    let metric = cells.first()?.metric;
    let mut schemes: Vec<&str> = Vec::new();
    let mut situations: Vec<&str> = Vec::new();
    for place in &places {
        if !schemes.contains(&place.scheme) {
            schemes.push(place.scheme);
        }
        if !situations.contains(&place.situation.as_str()) {
            situations.push(&place.situation);
        }
    }
    let look = |scheme: &str| Look::of(schemes.iter().position(|other| *other == scheme).unwrap_or(0));
    let least = if metric == "test AUC" { 0.04 } else { 4.0 };
    let ys = places.iter().filter_map(|place| place.worst).flat_map(|(_, low, high)| [low, high]);
    let y = Axis::over("", Scale::Linear, ys).at_least(least).with_room();
    let x = Axis::over(
        "sample gradients a step, all workers",
        Scale::Logarithmic,
        places.iter().map(|place| place.samples),
    );
    let x = x.with_room();
    let size = (460.0, 240.0);
    let mut sheet = Scene::new("What schemes give under their worst attack, for what they compute");
    for (row, situation) in situations.iter().enumerate() {
        for (column, votes) in [true, false].into_iter().enumerate() {
            let here = places.iter().filter(|place| place.situation == *situation && place.votes == votes);
            let series: Vec<Series> = here.filter_map(|place| series(place, look(place.scheme))).collect();
            if series.is_empty() {
                continue;
            }
            let kind = if votes { "votes" } else { "gradients" };
            let title = format!("{situation}, {kind}: {metric}, worst attack");
            let y = y.clone().named(&cut(&title, LETTER, size.0 - 8.0));
            let panel = Chart { label: &title, x: x.clone(), y, series, legend: false, size }.scene();
            let at = (column as f64 * panel.width, row as f64 * (panel.height + 8.0));
            sheet.width = sheet.width.max(at.0 + panel.width);
            sheet.height = sheet.height.max(at.1 + panel.height);
            sheet.place(panel, at);
        }
    }
    let names: Vec<(Look, &str)> = schemes.iter().map(|scheme| (look(scheme), *scheme)).collect();
    legend(&mut sheet, &names);
    (sheet.width > 0.0).then(|| super::chart::standalone(&sheet.svg().into_string()))
}

/// A dot at the mean, and a line from the lowest to the highest of the seeds.
fn series(place: &Place<'_>, look: Look) -> Option<Series> {
    let (mean, low, high) = place.worst?;
    let points = vec![(place.samples, low), (place.samples, mean), (place.samples, high)];
    Some(Series { name: place.scheme.to_owned(), look, points, band: Vec::new(), marked: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweeps::Cost;

    /// The worst attack decides, and a scheme of which a run diverged has no dot.
    #[test]
    fn the_worst_attack_is_shown() {
        let cell = |scheme: &str, attack: &str, values: &[f64], diverged| Cell {
            n: 9,
            byzantine: 2,
            scheme: scheme.into(),
            attack: attack.into(),
            metric: "test accuracy, %",
            values: values.to_vec(),
            diverged,
            cost: Some(Cost { samples: 72.0, heaviest: 8.0, thread_s: None, deployed_s: 1.0, bytes_up: 9 }),
            ..Cell::default()
        };
        let cells = [
            cell("best", "reverse", &[90.0, 92.0], 0),
            cell("best", "alie", &[70.0, 80.0], 0),
            cell("uncoded+mean", "reverse", &[60.0], 0),
            cell("uncoded+mean", "alie", &[], 1),
        ];
        let worst: Vec<_> = places(&cells).iter().map(|place| (place.scheme, place.worst)).collect();
        assert_eq!(worst, [("best", Some((75.0, 70.0, 80.0))), ("uncoded+mean", None)]);
        let picture = worth_svg(&cells).unwrap_or_default();
        assert_eq!(picture.matches("<circle").count(), 3, "one scheme, three marks");
        assert_eq!(worth_svg(&[]), None);
    }
}
